package callflows

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// A call can be ordered rather than dialled (click to call). Somebody's phones ring first, by their registrations; whoever answers is
// the caller from then on, and his leg goes into the flow of the number as if he had dialled it: which flow that is was decided when
// the call was ordered, by the rules for what he dials.
//
//	CallOrdered ──► summoning: Summon, one order for all phones ── Parked: the one that answered waits ──► the flow of the number
//	                   │ all have declined or rung out, or the time is over
//	                   └──► ending, ended
//
// No leg leads the call until one has answered. Call.Leg names the first that is rung; if another answers, that one is driven.

// OrderedFlow is the id of the platform's own flow that such a call begins in. No tenant can have a flow of this id.
const OrderedFlow = "*ordered"

// Bounds of ordered calls.
const (
	MaxOrderedWait = 120 * time.Second // how long phones ring at most
	OrderedWait    = 30 * time.Second  // unless the order says otherwise
	summonGrace    = 5 * time.Second   // after which a node that has told nothing has rung nobody
	lateLegs       = 2 * time.Second   // in which a phone that is to ring may still be told of, when all others are gone
)

// Ordered says how a call that was ordered begins.
type Ordered struct {
	By         string        `json:"by"`                    // who wants it
	Devices    []string      `json:"devices"`               // whose phones ring
	Wait       time.Duration `json:"wait_ns"`               // how long
	AutoAnswer bool          `json:"auto_answer,omitempty"` // they are asked to answer by themselves
	Hears      string        `json:"hears,omitempty"`       // the talk that whoever answers is to hear, as Hearing writes it; empty: he calls a number
	Shows      CallerID      `json:"shows"`                 // who calls, as they show it; its number empty: the number that is to be called
}

const (
	orderedType    = "ordered"
	stageSummoning = "summoning"
)

var orderedFlow = tenants.Flow{ID: OrderedFlow, Name: "Ordered call", Start: orderedType,
	Elements: map[string]tenants.Element{orderedType: {Type: orderedType}}}

// orderedElement rings the phones of whoever is to be the caller. It belongs to the platform and cannot stand in a tenant's flow.
type orderedElement struct{}

var orderedAbout = about{name: orderedType, title: "Ordered call", platform: true, settings: &schema{kind: recordValue}}

func (orderedElement) about() *about { return &orderedAbout }

func (orderedElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

// beginOrdered begins a call that was ordered.
func (s *step) beginOrdered() {
	o := s.state.Call.Ordered
	s.state.FlowID = orderedFlow.ID
	s.explain("call_ordered", "by", cmp.Or(clip(o.By, messages.MaxName), somebody), "caller", cmp.Or(s.state.Call.Caller.Name, s.state.Call.Caller.Number, somebody), "dialled", s.state.Call.Dialled)
	s.enter(&orderedFlow, orderedFlow.Start)
}

// enter rings the phones, or goes on after a gap with those that have been rung.
func (e orderedElement) enter(s *step, _ any) {
	switch {
	case s.state.Call.Ordered == nil || len(s.state.Legs) > 0 && !s.state.live():
		s.nobodySummoned(because.New("summon_lost"))
	case len(s.state.Legs) > 0:
		s.state.Stage = stageSummoning
		s.summonLasts(s.state.Call.Ordered.Wait + summonGrace)
		s.state.Awaited = s.state.Attempt
	case s.event.Kind == Resumed:
		s.nobodySummoned(because.New("summon_lost"))
	default:
		e.summon(s)
	}
}

// summon rings each place where one of the devices is registered.
func (orderedElement) summon(s *step) {
	o := s.state.Call.Ordered
	var targets []Target
	for _, device := range o.Devices {
		found := false
		for _, c := range s.event.Contacts {
			if c.Device != device || len(targets) == MaxTargets {
				continue
			}
			found = true
			t := Target{Leg: s.state.Call.Leg, URI: c.URI, Edge: c.Edge, Device: device, AutoAnswer: o.AutoAnswer}
			if len(targets) > 0 {
				t.Leg = legID(s.state.Call, s.state.Commands+1, len(targets))
			}
			targets = append(targets, t)
		}
		if !found {
			s.explain("device_not_registered", "device", s.deviceName(&Leg{ID: device, Device: device}))
		}
	}
	if len(targets) == 0 {
		s.nobodySummoned(because.New("summon_unregistered"))
		return
	}
	for _, t := range targets {
		s.state.Legs = append(s.state.Legs, Leg{ID: t.Leg, Role: messages.RoleCallee, Device: t.Device})
		s.explain("ringing", "device", s.deviceName(&s.state.Legs[len(s.state.Legs)-1]), "seconds", strconv.Itoa(int(o.Wait/time.Second)))
	}
	shows := CallerID{Number: cmp.Or(o.Shows.Number, s.state.Call.Dialled), Name: o.Shows.Name}
	s.await(stageSummoning, Command{Kind: Summon, Leg: s.state.Call.Leg, Targets: targets, Wait: o.Wait, CallerID: shows})
	s.summonLasts(o.Wait + summonGrace)
}

// summonLasts bounds the ringing from now on: its end is told leg by leg, and a node that could not begin it tells nothing.
func (s *step) summonLasts(wait time.Duration) {
	s.state.Attempt = s.order(Command{Kind: SetTimer, Wait: wait})
}

// Summoning says whether an ordered call still rings the phones of whoever is to be its caller: no leg leads it yet.
func (s *State) Summoning() bool {
	return s.Call.Ordered != nil && s.Phase == Running && s.Stage == stageSummoning
}

func (e orderedElement) on(s *step, _ any) {
	switch {
	case s.event.Kind == Parked:
		e.answered(s)
	case s.event.Kind == TimerFired && s.event.Command == s.state.Attempt:
		s.nobodySummoned(because.New("summon_unanswered"))
	case s.event.Kind == HungUp && len(s.commands) > 0 && !s.state.live(): // its record is news
		s.explain("summon_waits")
		s.summonLasts(lateLegs)
	}
}

// answered takes the leg that was answered, and waits, into the flow of the number.
func (orderedElement) answered(s *step) {
	l := s.state.leg(s.event.Leg)
	if l == nil || l.HungUp {
		return
	}
	l.Created, l.Answered, l.Role = true, true, messages.RoleCaller
	if l.AnsweredAt.IsZero() {
		l.AnsweredAt = s.event.At
	}
	s.drive(l)
	call := &s.state.Call
	flow := s.flow(call.FlowID)
	if flow == nil {
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("flow_missing", "flow", call.FlowID))
		return
	}
	s.state.FlowID = flow.ID
	s.explain("summoned", "device", s.deviceName(l), "dialled", call.Dialled, "flow", flow.Name, "flow_id", flow.ID, "element", flow.Start)
	s.enter(flow, flow.Start)
}

// nobodySummoned ends a call whose caller was not reached, or that is to end while he is being called: each phone that may ring is
// hung up, for no leg's end ends another's.
func (s *step) nobodySummoned(why because.Reason) {
	s.dismiss("NO_ANSWER", messages.FaultCallee, why)
}

func (s *step) dismiss(cause string, fault messages.Fault, why because.Reason) {
	s.because = append(s.because, why)
	s.state.Phase, s.state.Awaited = Ending, 0
	s.state.Cause, s.state.Fault = cause, fault
	for _, l := range s.state.Legs {
		if !l.HungUp {
			s.order(Command{Kind: HangUp, Leg: l.ID, Cause: cause})
		}
	}
	if !s.state.live() {
		s.state.Phase = Ended
		s.explain("call_ended")
	}
}

// summonedGone closes the call when the last phone that was rung for its caller is gone.
func (s *step) summonedGone(l *Leg) {
	s.explain("leg_ended", "device", s.who(l), "cause", l.Cause, "by", endedBy(s.event.End.By))
	if s.state.Phase != Running || slices.ContainsFunc(s.state.Legs, func(l Leg) bool { return !l.HungUp }) {
		return
	}
	s.state.Phase, s.state.Awaited, s.state.Fault = Ending, 0, messages.FaultCallee
	if slices.ContainsFunc(s.state.Legs, func(l Leg) bool { return l.Answered }) {
		s.state.Fault = messages.FaultNone
		s.explain("summon_left")
		return
	}
	s.explain("summon_unanswered")
}

// summonedLate says whether the event is the first of a phone that is rung although the call is ending: the order to hang it up was
// too early.
func (s *step) summonedLate() bool {
	l := s.state.leg(s.event.Leg)
	return s.event.Kind == LegCreated && s.state.FlowID == OrderedFlow && s.state.Cause != "" && l != nil && !l.Created
}

func (orderedElement) reasons() because.Catalog {
	return because.Catalog{
		"call_ordered":        "{by} ordered a call: {caller} is to be called first, and then {dialled}.",
		"summoned":            "{device} was answered, and calls {dialled}: the flow {flow} begins, at {element}.",
		"summon_unregistered": "None of the phones that are to ring first is registered, so there is no call.",
		"summon_unanswered":   "Nobody answered the phones that rang first, so there is no call.",
		"summon_left":         "Whoever answered hung up before the call could go on.",
		"summon_waits":        "None of the phones rings any more. One was not told of, and is waited for.",
		"summoned_late":       "A phone rings although the call is ending, and is hung up.",
		"summon_lost":         "Tandem took the call up again after a gap, and none of the phones that rang first is there any more.",
	}
}
