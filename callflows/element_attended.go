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

// transferRefused tells of a transfer that came to nothing. Nothing else changes.
func (s *step) transferRefused() {
	e, l := s.event, s.state.leg(s.event.Leg)
	if l == nil || e.Order == s.state.Transfer.Refused {
		return
	}
	s.state.Transfer.Refused = clip(e.Order, messages.MaxName)
	call := "unknown"
	if e.Other != nil && e.Other.Call != "" {
		call = e.Other.Call
	}
	switch why := messages.TransferWhy(e.Cause); {
	case e.There:
		s.explain("transfer_to_refused", "call", call)
	case why == messages.TransferNotOwn:
		s.explain("transfer_not_own", "by", s.who(l))
	case why == messages.TransferEmergency:
		s.explain("transfer_with_emergency", "by", s.who(l), "call", call)
	case why == messages.TransferNobody:
		s.explain("transfer_without_talk", "by", s.who(l), "call", call)
	case why == messages.TransferUnknown:
		s.explain("transfer_talk_unknown", "by", s.who(l))
	}
}

func (attendedElement) reasons() because.Catalog {
	return because.Catalog{
		"transfer_to_refused":     "A transfer of the call {call} to this one was refused.",
		"transfer_not_own":        "{by} asked for a transfer to a talk that it has no part in, and was refused.",
		"transfer_with_emergency": "{by} asked for a transfer to or from the emergency services (call {call}), and was refused.",
		"transfer_without_talk":   "{by} asked for a transfer to the call {call} while nobody talked to it in one of the two, and was refused.",
		"transfer_talk_unknown":   "{by} asked for a transfer to a talk that no live call has: the media node is left to refuse it.",
		"transferred_attended":    "{by} passes {who} on to the other side of the call {call}, which is on another media node.",
		"attended_nothing":        "It was not said which call the transfer is to.",
		"attended_looks":          "The other side of the call {call} is looked for.",
	}
}
