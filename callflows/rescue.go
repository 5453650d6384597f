package callflows

import (
	"slices"
	"time"

	"tandem/because"
	"tandem/messages"
)

// A call whose media node has died is rescued on another (docs/decisions/0022). It goes the way of a move, without a word of the old
// node's: what was not answered there is over, and what is fetched goes on.
//
//	RescueOrdered ─► legs that ring are closed, move_legs ... LegsMoved ─► hand_over ... Moved ─► the talk is joined again, or the element begins anew
//	RescueFailed  ─► each leg that is left gets its record, as of the node's death
//
// A phone that hangs up in between is told of by the edge, as the node would have: HungUp.

// causeOfDeath closes the legs that were lost with their node: Q.850 38, network out of order.
const (
	causeOfDeath = "NETWORK_OUT_OF_ORDER"
	q850OfDeath  = 38
)

// Rescuable says why the call cannot be rescued should its node die now; empty: it can.
func (s *State) Rescuable() MoveWaits {
	if s.Phase != Running && s.Phase != Talking {
		return WaitsUnanswered
	}
	if driven := s.leg(s.DrivenLeg()); driven == nil || driven.HungUp || s.Summoning() || !s.Answered && !driven.Answered {
		return WaitsUnanswered
	}
	switch {
	case s.Paging(), s.Stage == stageListening:
		return WaitsConference
	case s.Moving():
		return WaitsTransfer
	case s.Joined():
		return WaitsJoined
	}
	for _, l := range s.Legs {
		if l.Created && !l.HungUp && (l.Joined || l.Taken) {
			return WaitsJoined
		}
	}
	return ""
}

// Rescued are the legs that are to be fetched when the call's node has died: the driven one, and whoever it talks to.
func (s *State) Rescued() (legs []Leg) {
	for _, l := range s.Legs {
		if s.stays(&l) {
			legs = append(legs, l)
		}
	}
	return legs
}

func (s *State) stays(l *Leg) bool {
	return l.Created && !l.HungUp && (l.ID == s.DrivenLeg() || s.Phase == Talking && l.Bridged)
}

// rescueOrdered has what was answered fetched by another node.
func (s *step) rescueOrdered() {
	m := &s.state.Move
	if m.Away || m.N != 0 && m.Dead || s.state.Phase != Running && s.state.Phase != Talking {
		return
	}
	m.Dead, m.Died = true, s.event.Since
	if m.N != 0 { // it was about to leave anyhow
		s.explain("node_died", "node", s.state.Call.Node)
		return
	}
	if s.event.Node == "" || s.state.Rescuable() != "" {
		return
	}
	if m.Tries == 0 {
		s.explain("node_died", "node", s.state.Call.Node)
	}
	for i := range s.state.Legs {
		l := &s.state.Legs[i]
		if l.Created && !l.HungUp && !s.state.stays(l) {
			s.explain("rescue_leg_lost", "who", s.legName(l))
			s.close(l, causeOfDeath, q850OfDeath)
		}
	}
	m.Waits, m.To, m.Missed = "", s.event.Node, m.Missed || s.state.Phase == Talking && !s.state.accompanied()
	s.explain("rescue_begins", "node", m.To)
	m.N = s.order(Command{Kind: MoveLegs, Node: m.To})
}

// accompanied says whether the driven leg talks to one that is there.
func (s *State) accompanied() bool {
	return slices.ContainsFunc(s.Legs, func(l Leg) bool { return l.ID != s.DrivenLeg() && s.stays(&l) })
}

// rescueFailed closes what is left of a call that died with its node.
func (s *step) rescueFailed() {
	m := &s.state.Move
	if m.Away {
		return
	}
	if !m.Dead {
		m.Dead, m.Died = true, s.event.Since
		s.explain("node_died", "node", s.state.Call.Node)
	}
	cause, q850 := causeOfDeath, q850OfDeath
	switch {
	case s.state.Phase == Ending: // its end had been ordered, or a phone had hung up
		cause, q850 = "NORMAL_CLEARING", 16
	case s.event.Cause == string(WaitsUnanswered):
		s.explain("rescue_unanswered")
	case s.event.Cause == string(WaitsConference), s.event.Cause == string(WaitsTransfer), s.event.Cause == string(WaitsJoined):
		s.explain("rescue_impossible")
	default:
		s.explain("rescue_failed", "detail", clip(s.event.Cause, messages.MaxName))
	}
	if s.state.Phase != Ending {
		s.state.Fault, s.state.Cause = messages.FaultPlatform, cause
	}
	s.state.Phase, s.state.Awaited, m.N = Ending, 0, 0
	for i := range s.state.Legs {
		if l := &s.state.Legs[i]; l.Created && !l.HungUp && l.ID != s.state.DrivenLeg() {
			s.close(l, cause, q850)
		}
	}
	if driven := s.state.leg(s.state.DrivenLeg()); driven != nil && !driven.HungUp {
		s.leaveBehind()
		driven.Created = true
		s.close(driven, cause, q850)
	}
	s.state.Phase = Ended
	for i := len(s.commands) - 1; i >= 0; i-- {
		if cdr := s.commands[i].CDR; cdr != nil {
			cdr.Over = true
			break
		}
	}
	s.explain("call_ended")
}

// rescueTried lets another node try. A phone that knows nothing of the dialog is gone.
func (s *step) rescueTried() {
	m := &s.state.Move
	s.explain("rescue_tried", "node", m.To, "detail", clip(s.event.Cause, messages.MaxName))
	m.N = 0
	m.Tries++
	if s.event.SIPCode == dialogUnknown {
		s.explain("move_peer_gone")
		s.state.Phase, s.state.Awaited = Ending, 0
	}
}

// close gives a leg its record whose last word nobody will hear, as of the node's death.
func (s *step) close(l *Leg, cause string, q850 int) {
	event := s.event
	defer func() { s.event = event }()
	at := s.state.Move.Died
	if cause != causeOfDeath || at.IsZero() || at.After(event.At) || l.Answered && at.Before(l.AnsweredAt) {
		at = event.At
	}
	s.event = Event{Kind: HungUp, At: at, Leg: l.ID, End: &LegEnd{Cause: cause, Q850: q850, By: ByUs, CreatedAt: l.since(&s.state.Call), Estimated: true}}
	l.HungUp, l.Cause = true, cause
	s.tapeEnds(l.ID)
	cdr := s.cdr(l)
	if cause == causeOfDeath {
		cdr.Fault = messages.FaultPlatform
	}
	s.commands = append(s.commands, Command{Kind: WriteCDR, Leg: l.ID, CDR: cdr})
	l.With, l.Joined, l.Taken, l.Held = nil, false, false, nil
}

// since is when a leg began, as far as is known.
func (l *Leg) since(call *Call) time.Time {
	if l.CreatedAt.IsZero() {
		return call.StartedAt
	}
	return l.CreatedAt
}

// goneMeanwhile ends a call whose partner hung up while it was rescued, and says whether it does.
func (s *step) goneMeanwhile() bool {
	if s.state.Phase != Talking || s.state.accompanied() {
		return false
	}
	s.end("NORMAL_CLEARING", "", because.New("callee_hung_up"))
	return true
}

func rescueReasons() because.Catalog {
	return because.Catalog{
		"node_died":         "The media node {node} has died.",
		"rescue_begins":     "The media node {node} takes over what was answered.",
		"rescue_tried":      "The media node {node} could not take the call over ({detail}).",
		"rescued":           "The call has been rescued from the dead media node {from}, and goes on at {node}.",
		"rescued_here":      "The media node {node} was started anew, and the call goes on there.",
		"rescue_leg_lost":   "{who} was not answered, and is lost with the node.",
		"rescue_unanswered": "The call was not answered, and is lost with the node; a caller who still waits is routed anew, as a call of its own.",
		"rescue_impossible": "A call that pages, listens in, is being transferred or talks to another call cannot be rescued: it is lost with the node.",
		"rescue_failed":     "No other media node could take the call over ({detail}): it is lost with its node.",
	}
}
