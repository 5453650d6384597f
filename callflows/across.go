package callflows

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// Legs of two media nodes cannot be joined. A call that is to meet one on another node dials there: one leg, through its edge, of
// which the workers are asked as of any INVITE. That leg is a call of its own on the other node, of the same tenant, whose flow is
// the platform's AcrossFlow, and joins the leg that was found. Each side keeps its own call, legs, records and explanation:
//
//	the call that fetches        edge, workers            the node of the call that was found
//	  CallFound, not local
//	  Ring: one leg ───────────► only from a node ──────► AcrossFlow: FindCall, Join ──► the leg that was found
//	  talking ◄──────────────────────── answered ◄──────────┘
//	  exit failed ◄──────────────────── refused ◄─── it was gone by then
//
// A call that came across dials across no more, unless it is transferred: what it is to meet is on its node, or is not met.

// AcrossFlow is the id of the platform's own flow for a call that came from another media node. No tenant can have a flow of this
// id.
const AcrossFlow = "*across"

// The way to another media node.
const (
	AcrossTrunk       = "*across" // in place of a trunk's id; no trunk can have it
	AcrossName        = "Another media node"
	AcrossWait        = 10 * time.Second        // such a leg is answered by then: nobody is rung
	acrossDomain      = "across.tandem.invalid" // no host has the name: the edge goes by the headers
	acrossDestination = "sip:across@" + acrossDomain
)

// Errand is what a call that came from another node is to do.
type Errand struct {
	Call, Leg string // Tandem's id, channel uuid
	For       Purpose
}

// String writes it for a header: all three are tokens.
func (e Errand) String() string { return e.Call + "." + e.Leg + "." + string(e.For) }

// ReadErrand reads what String has written. It is false for anything else.
func ReadErrand(text string) (Errand, bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" {
		return Errand{}, false
	}
	e := Errand{Call: parts[0], Leg: parts[1], For: Purpose(parts[2])}
	return e, slices.Contains([]Purpose{ForPickup, ForUnpark, ForPull, ForReplace, ForTransfer}, e.For)
}

// Wanted is the leg that is looked for. One that replaces, or is transferred, names the leg whose place is taken; the others name the
// leg itself, and what rang or was parked must still be waiting.
func (e Errand) Wanted() Wanted {
	w := Wanted{What: LegItself, Call: e.Call, Leg: e.Leg}
	switch e.For {
	case ForReplace, ForTransfer:
		w.What = KnownAs
	case ForPickup, ForUnpark:
		w.What = LegWaiting
	}
	return w
}

// callThere dials the node on which the call was found.
func (s *step) callThere(f *Found, purpose Purpose) {
	call := s.state.Call
	if call.Caller.Trunk == AcrossTrunk && purpose != ForTransfer { // each transfer is a phone's, and there are MaxTransfers
		s.explain("across_again", "call", f.Call, "node", f.Node)
		s.exit("elsewhere", causeOfBrokenFlow, messages.FaultPlatform)
		return
	}
	errand := Errand{Call: f.Call, Leg: f.Leg, For: purpose}
	switch purpose { // which leg that one talks to may change on the way
	case ForReplace:
		errand.Call, errand.Leg, _ = strings.Cut(call.Replaces, ".")
	case ForTransfer:
		c, _ := ReadConsulted(s.state.Transfer.Target)
		errand.Call, errand.Leg = c.Call, c.Leg
	}
	s.explain("fetch_across", "call", f.Call, "node", f.Node)
	s.dial(Command{Kind: Ring, Wait: AcrossWait, Targets: []Target{{Leg: legID(call, s.state.Commands+1, 0), URI: acrossDestination, Edge: call.Edge,
		Trunk: AcrossTrunk, Between: call.Tenant, Across: errand.String(), CallerID: s.shownAcross()}}})
}

// shownAcross is who fetches, as the other node's call is to know him. A number that is hidden is asserted, and hidden there too.
func (s *step) shownAcross() *CallerID {
	id := s.presented("")
	id.Number = cmp.Or(id.Number, cleanNumber(s.caller().Number), unknownCaller)
	id.Domain, id.Asserted = acrossDomain, id.Number
	if s.caller().Private || s.state.CallerID.Private {
		id.Number, id.Name, id.Private = unknownCaller, "", true
	}
	return &id
}

// wentAcross goes on when the leg to another node has ended.
func (s *step) wentAcross() {
	if s.state.Phase == Talking {
		s.ringEnded()
		return
	}
	s.explain("across_failed", "cause", s.event.Cause)
	s.exit("failed", causeOfBrokenFlow, messages.FaultCaller)
}

const acrossType = "across"

var acrossFlow = tenants.Flow{ID: AcrossFlow, Name: "From another media node", Start: acrossType,
	Elements: map[string]tenants.Element{acrossType: {Type: acrossType}}}

// acrossElement joins a call that came from another node with the leg that it is for. It belongs to the platform and cannot stand
// in a tenant's flow.
type acrossElement struct{}

var acrossAbout = about{name: acrossType, title: "Across", platform: true, settings: &schema{kind: recordValue}, exits: fetchExits("It is gone.")}

func (acrossElement) about() *about { return &acrossAbout }

func (acrossElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

func (acrossElement) enter(s *step, _ any) {
	errand, ok := ReadErrand(s.state.Call.Replaces)
	if !ok {
		s.end(causeOfBrokenFlow, messages.FaultPlatform, because.New("across_nothing"))
		return
	}
	s.explain("across_looks", "call", errand.Call)
	s.look(errand.Wanted())
}

func (acrossElement) on(s *step, _ any) {
	errand, _ := ReadErrand(s.state.Call.Replaces)
	s.fetch(errand.For)
}

func (acrossElement) reasons() because.Catalog {
	return because.Catalog{
		"across_nothing": "It was not said which call the one from another media node is to meet.",
		"across_looks":   "The call comes from another media node, to meet the call {call} on this one.",
		"across_again":   "The call {call} is on the media node {node} by now: a call that came from another node is not sent on.",
		"across_failed":  "The other side was gone before they could talk, or its media node could not be reached ({cause}).",
		"fetch_across":   "The call {call} is on the media node {node}: it is called there.",
	}
}
