package callflows

import (
	"encoding/json"
	"strings"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// Somebody has two talks on two media nodes, and makes one of the others' (REFER with Replaces). A node joins two talks of its own; of
// these it is told that one is transferred to a number that names the other, which parks the leg that stays as any transfer does. Then
// that leg meets the other side of the other talk, as calls of two nodes do:
//
//	node 1, this call                              node 2, the call that was named
//	talking ── REFER to *across.CALL.LEG
//	Transferred ─► AttendedFlow: FindCall
//	  Ring: one leg ───────────► AcrossFlow ──────► Taken, Joined: its other leg is hung up by the node
//	  talking ◄──────────────────────┘
//	  gone, or not a talk of the transferor's ─► he is rung back (RecallFlow)

// AttendedFlow is the id of the platform's own flow that takes a leg to the other talk of who has transferred it. No tenant can have
// a flow of this id.
const AttendedFlow = "*attended"

// consultedPrefix begins the number that stands for a talk. Edges let no phone write it.
const consultedPrefix = AcrossFlow + "."

// Consulted names a talk by the leg of who transfers to it.
type Consulted struct {
	Call, Leg string // Tandem's id, channel uuid
}

// Number writes it as what a node is told to transfer to.
func (c Consulted) Number() string { return consultedPrefix + c.Call + "." + c.Leg }

// ReadConsulted reads what Number has written. It is false for anything else.
func ReadConsulted(number string) (Consulted, bool) {
	rest, ok := strings.CutPrefix(number, consultedPrefix)
	call, leg, dot := strings.Cut(rest, ".")
	return Consulted{Call: call, Leg: leg}, ok && dot && isID(call) && isID(leg)
}

// maxIDBytes is more than a uuid has.
const maxIDBytes = 64

// isID says whether a text is one such as ids of calls and legs are.
func isID(text string) bool {
	return text != "" && len(text) <= maxIDBytes &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

const attendedType = "attended"

var attendedFlow = tenants.Flow{ID: AttendedFlow, Name: "Attended transfer", Start: attendedType,
	Elements: map[string]tenants.Element{attendedType: {Type: attendedType}}}

// attendedElement lets the leg that was transferred talk to whom the transferor talked to elsewhere. It belongs to the platform and
// cannot stand in a tenant's flow.
type attendedElement struct{}

var attendedAbout = about{name: attendedType, title: "Attended transfer", platform: true, settings: &schema{kind: recordValue}, exits: fetchExits("It is gone.")}

func (attendedElement) about() *about { return &attendedAbout }

func (attendedElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

func (attendedElement) enter(s *step, _ any) {
	t := &s.state.Transfer
	c, ok := ReadConsulted(t.Target)
	if !ok || t.Device == "" {
		s.giveUp(causeOfBrokenFlow, messages.FaultPlatform, because.New("attended_nothing"))
		return
	}
	s.explain("attended_looks", "call", c.Call)
	s.look(Wanted{What: KnownAs, Call: c.Call, Leg: c.Leg, Devices: []string{t.Device}})
}

func (attendedElement) on(s *step, _ any) {
	if f := s.event.Found; s.completes(stageLooking, CallFound) && f != nil && !f.Answered {
		s.event.Found = nil // nobody has been talked to there
	}
	s.fetch(ForTransfer)
}

// goToTalk takes the driven leg to another talk of who has transferred it.
func (s *step) goToTalk(target string) {
	s.state.Transfer.Target = target
	if s.state.Call.FlowID == EmergencyFlow { // who needs help would be out of the talk
		s.giveUp("CALL_REJECTED", messages.FaultCaller, because.New("transfer_of_emergency"))
		return
	}
	s.state.FlowID = attendedFlow.ID
	s.enter(&attendedFlow, attendedFlow.Start)
}

func (attendedElement) reasons() because.Catalog {
	return because.Catalog{
		"transferred_attended": "{by} passes {who} on to the other side of the call {call}, which is on another media node.",
		"attended_nothing":     "It was not said which call the transfer is to.",
		"attended_looks":       "The other side of the call {call} is looked for.",
	}
}
