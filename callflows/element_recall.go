package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// RecallFlow is the id of the platform's own flow that rings back who has transferred a call in vain. No tenant can have a flow
// of this id.
const RecallFlow = "*recall"

const recallType = "recall"

var recallFlow = tenants.Flow{ID: RecallFlow, Name: "Transfer recalled", Start: "ring",
	Elements: map[string]tenants.Element{"ring": {Type: recallType}}}

// recallElement rings the device that transferred the call. It belongs to the platform and cannot stand in a tenant's flow.
type recallElement struct{}

var recallAbout = about{name: recallType, title: "Recall", platform: true, settings: &schema{kind: recordValue}}

func (recallElement) about() *about { return &recallAbout }

func (recallElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

func (recallElement) enter(s *step, _ any) {
	if s.state.Transfer.Device == "" { // after an outage in which it was forgotten
		s.end("NORMAL_CLEARING", messages.FaultPlatform, because.New("recall_nobody"))
		return
	}
	s.await("finding", Command{Kind: FindContacts, Devices: []string{s.state.Transfer.Device}})
}

func (e recallElement) on(s *step, _ any) {
	switch {
	case s.completes("finding", ContactsFound):
		e.ring(s)
	case s.completes(stageRinging, RingEnded) && s.state.Phase == Talking:
		s.ringEnded()
	case s.completes(stageRinging, RingEnded):
		s.end("NO_ANSWER", messages.FaultCallee, because.New("recall_failed", "cause", s.event.Cause))
	}
}

// ring dials each place where the device is registered.
func (recallElement) ring(s *step) {
	var targets []Target
	device := s.state.Transfer.Device
	for _, c := range s.event.Contacts {
		if c.Device == device && len(targets) < MaxTargets {
			targets = append(targets, Target{Leg: legID(s.state.Call, s.state.Commands+1, len(targets)), URI: c.URI, Edge: c.Edge, Device: device})
		}
	}
	if len(targets) == 0 {
		s.end("USER_NOT_REGISTERED", messages.FaultCallee, because.New("recall_unregistered", "device", s.deviceName(&Leg{Device: device})))
		return
	}
	s.dial(Command{Kind: Ring, Targets: targets, Wait: RecallWait})
}

func (recallElement) reasons() because.Catalog {
	return because.Catalog{
		"recall_nobody":       "It is not known any more who transferred the call, so nobody is rung back.",
		"recall_unregistered": "{device} is not registered, so it cannot be rung back.",
		"recall_failed":       "Who had transferred the call did not take it back ({cause}).",
	}
}
