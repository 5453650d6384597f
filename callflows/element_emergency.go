package callflows

import (
	"encoding/json"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// EmergencyFlow is the id of the platform's own flow for emergency calls. No tenant can have a flow of this id: the
// first character of a tenant's id is a letter or a digit.
const EmergencyFlow = "*emergency"

const (
	emergencyType    = "emergency"
	emergencyRinging = 2 * time.Minute
)

var emergencyFlow = tenants.Flow{ID: EmergencyFlow, Name: "Emergency", Start: "dial",
	Elements: map[string]tenants.Element{"dial": {Type: emergencyType}}}

// emergencyElement dials the emergency trunk. It belongs to the platform and cannot stand in a tenant's flow.
type emergencyElement struct{}

var emergencyAbout = about{name: emergencyType, title: "Emergency", platform: true, settings: &schema{kind: recordValue}}

func (emergencyElement) about() *about { return &emergencyAbout }

func (emergencyElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

func (emergencyElement) enter(s *step, _ any) {
	if !s.config.Emergency.Is(s.state.Call.Dialled) {
		s.end("CALL_REJECTED", messages.FaultPlatform, because.New("not_emergency", "number", s.state.Call.Dialled))
		return
	}
	scheme, host, ok := strings.Cut(s.config.Emergency.TrunkURI, ":")
	if !ok {
		s.end("NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform, because.New("emergency_trunk_missing"))
		return
	}
	call := s.state.Call
	s.explain("emergency_dialled", "number", call.Dialled)
	s.dial(Command{Kind: Ring, Wait: emergencyRinging, CallerID: CallerID{Number: s.callback()}, Targets: []Target{{
		Leg: legID(call, s.state.Commands+1, 0), URI: scheme + ":" + call.Dialled + "@" + host, Edge: call.Edge, Trunk: "emergency trunk"}}})
}

// callback is the number at which the emergency services reach the caller: an extension would tell them nothing.
func (s *step) callback() string {
	if t := s.config.Tenant; t != nil {
		if d := t.Device(s.state.Call.Caller.Device); d != nil {
			if u := t.User(d.UserID); u != nil && u.Number != "" {
				return u.Number
			}
		}
	}
	return s.state.Call.Caller.Number
}

func (emergencyElement) on(s *step, _ any) {
	if !s.completes(stageRinging, RingEnded) {
		return
	}
	if s.state.Phase == Talking {
		s.ringEnded()
		return
	}
	s.end("NORMAL_TEMPORARY_FAILURE", messages.FaultCarrier, because.New("emergency_failed", "cause", s.event.Cause))
}

func (emergencyElement) reasons() because.Catalog {
	return because.Catalog{
		"emergency_dialled":       "{number} is an emergency number: it goes to the emergency trunk, past every limit.",
		"not_emergency":           "{number} is no emergency number, so the emergency trunk is not for it.",
		"emergency_trunk_missing": "No emergency trunk is configured.",
		"emergency_failed":        "The emergency trunk did not take the call ({cause}).",
	}
}
