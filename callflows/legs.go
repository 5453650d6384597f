package callflows

import (
	"tandem/because"
	"tandem/messages"
)

// bookkeep keeps the facts about legs, whichever element is at work.
func (s *step) bookkeep() {
	switch s.event.Kind {
	case Parked:
		if !s.state.Summoning() {
			s.explain("parked_again")
		}
	case Answered:
		s.answered()
	case Rang:
		if l := s.seen(); l != nil && !l.Rang {
			l.Rang = true
			if l.Role == messages.RoleCallee {
				s.explain("leg_rang", "device", s.deviceName(l))
			}
		}
	case LegCreated:
		s.created()
	case Bridged:
		s.bridged()
	case Unbridged:
		if !s.onlyEarly() {
			s.explain("talked")
		}
	case HungUp:
		s.hungUp()
	case EndOrdered:
		s.endOrdered()
	case RecordOrdered:
		s.recordOrdered()
	case RecordEndOrdered:
		s.recordEndOrdered()
	case Done, Refused, Resumed:
		s.taped()
	case TransferOrdered:
		s.transferOrdered()
	case Transferred:
		if t := &s.state.Transfer; s.state.OnTheMove() {
			t.Source, t.Parked, t.At = s.event.Moved, true, s.event.At // it may be told again
			if l := s.state.leg(s.event.Leg); l != nil && l.ID != s.state.remaining() {
				l.Apart = true // it is parked
			}
			s.end("NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform, because.New("move_crossed"))
			return
		}
		s.transferred()
	case TransferRefused:
		s.transferRefused()
	case Fetched:
		s.unasked()
	case Taken:
		s.taken()
	case Released:
		s.released()
	case Joined:
		s.joined()
	case Parted:
		s.parted()
	case MoveOrdered:
		s.moveOrdered()
	case RescueOrdered:
		s.rescueOrdered()
	case RescueFailed:
		s.rescueFailed()
	case LegsMoved:
		s.legsMoved()
	case MoveFailed:
		s.moveFailed()
	case Overheard:
		if other := s.event.Other; other != nil {
			s.explain("overheard", "other", other.who(), "call", other.Call, "mode", string(s.event.Mode))
		}
	default:
		// All others are the business of the element that asked.
	}
}

func (s *step) answered() {
	l := s.seen()
	if l == nil || l.Answered {
		return
	}
	l.Answered, l.AnsweredAt = true, s.event.At
	if l.ID == s.state.DrivenLeg() {
		s.state.Answered = true
	}
	if l.Role == messages.RoleCaller {
		return
	}
	s.explain("leg_answered", "device", s.deviceName(l))
	if l.Accepts {
		s.explain("must_accept", "device", s.deviceName(l), "key", acceptKey)
	}
	if l.Early && s.state.Stage == stageRinging && s.state.Awaited != 0 {
		s.talk(l)
	}
}

// bridged notes that the caller talks. Only while a Ring is under way can that be news: a Bridged that comes later belongs
// to a talk that is over.
func (s *step) bridged() {
	s.created() // its creation may have been missed
	l := s.state.leg(s.event.Leg)
	if l != nil {
		l.Apart = false
	}
	if l == nil || l.Bridged || l.HungUp || s.state.Stage != stageRinging || s.state.Awaited == 0 {
		return
	}
	if s.event.Early && !l.Answered {
		if !l.Early {
			l.Early, l.Rang = true, true
			s.explain("early_media", "device", s.deviceName(l))
		}
		return
	}
	s.talk(l)
}

// talk begins the caller's talk to a leg.
func (s *step) talk(l *Leg) {
	l.Bridged = true
	s.state.Fault = ""
	s.state.Phase = Talking
	if s.state.Transfer.Times > 0 {
		s.state.Transfer.Reached = true
	}
	if s.state.Driven != "" {
		s.explain("talking_on", "who", s.who(s.state.leg(s.state.Driven)), "device", s.deviceName(l))
		return
	}
	s.explain("talking", "device", s.deviceName(l))
}

// seen finds the event's leg, if the call has it. That the node tells anything of a leg proves that it was created.
func (s *step) seen() *Leg {
	l := s.state.leg(s.event.Leg)
	if l != nil && !l.Created {
		l.Created, l.CreatedAt = true, s.event.At
	}
	return l
}

// created marks a dialled leg as there. A leg that no command named is kept too: it gets a CDR like any other.
func (s *step) created() {
	if s.seen() == nil && s.event.Leg != "" && len(s.state.Legs) < MaxLegs {
		s.state.Legs = append(s.state.Legs, Leg{ID: s.event.Leg, Role: messages.RoleCallee, Created: true, CreatedAt: s.event.At})
	}
}

// hungUp closes a leg: one CDR for it, and the end of the call when it was the one that the flow drives.
func (s *step) hungUp() {
	if s.event.End == nil {
		return
	}
	s.created() // its creation may have been missed
	l := s.state.leg(s.event.Leg)
	if l == nil || l.HungUp {
		return
	}
	l.HungUp, l.Cause, l.SIPCode = true, clip(s.event.End.Cause, messages.MaxName), s.event.End.SIPCode
	s.tapeEnds(l.ID)
	if s.state.FlowID == OrderedFlow {
		s.summonedGone(l)
	} else if next := s.handedOn(); l.ID == s.state.DrivenLeg() && next != nil {
		s.handOn(l, next)
	} else if l.ID == s.state.DrivenLeg() {
		s.drivenGone(l)
		s.endPage()
		if other := s.state.outliving(); other != nil && (s.state.Phase == Running || s.state.Phase == Talking) {
			s.state.Driven = other.ID
		}
	} else {
		s.explain("leg_ended", "device", s.who(l), "cause", l.Cause, "by", endedBy(s.event.End.By))
	}
	cdr := s.cdr(l)
	s.commands = append(s.commands, Command{Kind: WriteCDR, Leg: l.ID, CDR: cdr})
	l.With, l.Joined, l.Taken, l.Held = nil, false, false, nil
	if driven := s.state.leg(s.state.DrivenLeg()); driven != nil && driven.HungUp && !s.state.outlives() && !s.state.Summoning() {
		s.state.Phase, s.state.Awaited = Ending, 0
	}
	if (s.state.Phase == Ending) && !s.state.live() {
		s.state.Phase, cdr.Over = Ended, true
		s.explain("call_ended")
	}
}

// drivenGone notes why the driven leg, the caller's as a rule, is over. Legs that still ring are hung up by the node with it. A
// caller who hangs up in the moment in which we order it was first: the node's word on who ended the leg decides.
func (s *step) drivenGone(l *Leg) {
	end := s.event.End
	s.leaveBehind()
	switch {
	case s.state.Driven != "" && end.By == ByFarEnd:
		s.explain("driven_hung_up", "who", s.who(s.state.leg(s.state.Driven)), "cause", end.Cause)
		s.state.Fault = ""
	case s.state.Driven != "" && s.state.Phase == Ending:
		s.explain("driven_hung_up_by_us", "who", s.who(s.state.leg(s.state.Driven)), "cause", end.Cause)
	case s.state.Driven != "" && s.state.Phase == Talking && (s.talkedOut() || !causeOfNode(end.Cause)):
		s.explain("driven_ended", "who", s.who(s.state.leg(s.state.Driven)), "cause", end.Cause)
	case end.By == ByFarEnd && (s.state.Answered || end.AnsweredAt != nil):
		s.explain("caller_hung_up", "cause", end.Cause)
		s.state.Fault = ""
	case end.By == ByFarEnd:
		s.explain("caller_gave_up", "cause", end.Cause)
		s.state.Fault = messages.FaultCaller
	case s.state.Phase == Ending:
		s.explain("caller_hung_up_by_us", "cause", end.Cause)
	case s.state.Phase == Talking && s.state.outlives():
		s.explain("caller_left", "cause", end.Cause)
		s.state.Fault = ""
	case l.With != nil && !l.Joined:
		s.explain("other_gone")
		s.state.Fault = ""
	case s.state.Phase == Talking && (s.talkedOut() || !causeOfNode(end.Cause)):
		s.explain("callee_ended_call", "cause", end.Cause)
	case s.state.FlowID == "" && end.AnsweredAt != nil: // its flow was another worker's, who is gone
		s.explain("ended_unattended", "cause", end.Cause)
	default:
		s.explain("node_hung_up", "cause", end.Cause)
		s.state.Fault = messages.FaultPlatform
	}
}

// talkedOut says whether the leg that the caller talked to is gone.
func (s *step) talkedOut() bool {
	for _, l := range s.state.Legs {
		if l.Bridged && l.HungUp {
			return true
		}
	}
	return false
}

// onlyEarly says whether the caller has heard a leg's early media, and no leg more than that.
func (s *step) onlyEarly() bool {
	early := false
	for _, l := range s.state.Legs {
		if l.Bridged {
			return false
		}
		early = early || l.Early
	}
	return early
}

// deviceName says what a leg dials, in words.
func (s *step) deviceName(l *Leg) string {
	if l.Trunk == BetweenTrunk {
		return BetweenName
	}
	if l.Trunk == AcrossTrunk {
		return AcrossName
	}
	if l.Trunk != "" {
		if trunk := s.config.Ways.Trunk(l.Trunk); trunk != nil {
			return trunk.Name
		}
		return l.Trunk
	}
	if s.config.Tenant != nil {
		if d := s.config.Tenant.Device(l.Device); d != nil {
			return d.Name
		}
	}
	return l.ID
}

// endedBy says who ended a leg, in words.
func endedBy(by EndedBy) string {
	if by == ByFarEnd {
		return "the far end"
	}
	return "us"
}
