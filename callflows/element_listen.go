package callflows

import (
	"encoding/json"
	"slices"
	"strings"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// Somebody wants to hear a live call, and has not dialled anything: his phones ring first, as with any ordered call, and whoever
// answers hears the talk. That he may was asked before the order was given.
//
//	CallOrdered ─► Summon ... Parked ─► FindCall: the leg that is to be heard ─► Eavesdrop ... Done: the talk is over

// ListenFlow is the id of the platform's own flow that lets a phone hear a talk by order. No tenant can have a flow of this id.
const ListenFlow = "*listen"

// Hearing is a talk that is to be heard, and by whom the one who hears it is heard.
type Hearing struct {
	Call, Leg string // Tandem's id, channel uuid of the leg that whispers are for
	Mode      EavesdropMode
}

// String writes it for messages.
func (h Hearing) String() string { return h.Call + "." + h.Leg + "." + string(h.Mode) }

// ReadHearing reads what String has written. It is false for anything else.
func ReadHearing(text string) (Hearing, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || !isID(parts[0]) || !isID(parts[1]) {
		return Hearing{}, false
	}
	h := Hearing{Call: parts[0], Leg: parts[1], Mode: EavesdropMode(parts[2])}
	return h, slices.Contains([]EavesdropMode{Listen, Whisper, Barge}, h.Mode)
}

const listenType = "listen"

var listenFlow = tenants.Flow{ID: ListenFlow, Name: "Listening in", Start: listenType, Elements: map[string]tenants.Element{listenType: {Type: listenType}}}

// listenElement lets whoever has answered hear a talk. It belongs to the platform and cannot stand in a tenant's flow.
type listenElement struct{}

var listenAbout = about{name: listenType, title: "Listen in", platform: true, settings: &schema{kind: recordValue}}

func (listenElement) about() *about { return &listenAbout }

func (listenElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

func (listenElement) enter(s *step, _ any) {
	h, ok := s.hearing()
	if !ok {
		s.end(causeOfBrokenFlow, messages.FaultPlatform, because.New("listen_nothing"))
		return
	}
	s.explain("listen_looks", "call", h.Call)
	s.look(Wanted{What: LegItself, Call: h.Call, Leg: h.Leg})
}

func (s *step) hearing() (Hearing, bool) {
	if s.state.Call.Ordered == nil {
		return Hearing{}, false
	}
	return ReadHearing(s.state.Call.Ordered.Hears)
}

func (listenElement) on(s *step, _ any) {
	switch {
	case s.completes(stageLooking, CallFound):
		s.hear()
	case s.completes(stageListening, Done):
		s.end("NORMAL_CLEARING", messages.FaultNone, because.New("eavesdrop_over"))
	}
}

// hear lets the caller hear the leg that was found.
func (s *step) hear() {
	h, ok := s.hearing()
	switch f := s.event.Found; {
	case f == nil || !ok:
		s.end("NORMAL_CLEARING", messages.FaultNone, because.New("listen_over"))
	case !f.Local:
		s.end(causeOfBrokenFlow, messages.FaultPlatform, because.New("fetch_elsewhere", "call", f.Call, "node", f.Node))
	default:
		other := s.named(f.Party)
		s.explain("eavesdrop_begins", "other", other.who(), "call", other.Call, "mode", string(h.Mode))
		s.await(stageListening, Command{Kind: Eavesdrop, Other: &other, Mode: h.Mode})
	}
}

func (listenElement) reasons() because.Catalog {
	return because.Catalog{
		"listen_looks":   "The talk that is to be heard is looked for (call {call}).",
		"listen_nothing": "Which talk is to be heard was not said.",
		"listen_over":    "The talk that was to be heard is over already.",
	}
}
