package callflows

import (
	"cmp"
	"strings"
	"time"

	"tandem/messages"
)

// cdr makes the record of a leg from the node's last word on it. Much of that word was written by phones: whatever they
// wrote, the record keeps the bounds of cdr.v1, because a record that is refused is a call that is lost to the ledger.
func (s *step) cdr(l *Leg) *messages.CDR {
	last, call := *s.event.End, &s.state.Call
	end := &last
	end.since(l.First)
	if end.Estimated && l.Answered {
		answered := l.AnsweredAt
		end.AnsweredAt = &answered
	}
	c := &messages.CDR{
		Type: messages.CDRV1, Leg: l.ID, Call: call.ID, Tenant: call.Tenant, Role: l.Role, Node: call.Node,
		SIPCallID: clip(end.SIPCallID, messages.MaxURI), From: clip(end.From, messages.MaxURI),
		FromName: clip(end.FromName, messages.MaxName), To: clip(end.To, messages.MaxURI), Device: l.Device, Trunk: l.Trunk,
		StartedAt: end.CreatedAt, AnsweredAt: end.AnsweredAt, EndedAt: s.event.At, SIPCode: end.SIPCode,
		Cause: cmp.Or(clip(end.Cause, messages.MaxName), "NORMAL_UNSPECIFIED"), Q850: end.Q850, Version: s.state.DrivenBy(), Fault: s.fault(l, end),
		Estimated: end.Estimated,
	}
	if numberOf(end.To) == "" && end.To != "" { // it was transferred to a talk
		c.To = clip(call.Dialled, messages.MaxURI)
	}
	if c.AnsweredAt != nil {
		c.SIPCode = 0
	}
	if l.Role == messages.RoleCaller {
		// A call that was adopted from its channel has not been through begin.
		c.From, c.To, c.SIPCallID = clip(call.Caller.Number, messages.MaxURI), clip(call.Dialled, messages.MaxURI), clip(call.SIPCallID, messages.MaxURI)
		if c.SIPCode == 0 && c.AnsweredAt == nil {
			c.SIPCode = SIPCodeOf(c.Cause) // the node has refused the INVITE with it
		}
	}
	if s.state.Refusal != 0 && l.ID == s.state.DrivenLeg() && c.AnsweredAt == nil && end.By == ByUs {
		c.SIPCode, c.Cause = s.state.Refusal, cmp.Or(s.state.Cause, c.Cause) // the node makes another cause of the code
	}
	if c.StartedAt.IsZero() || c.StartedAt.After(c.EndedAt) {
		c.StartedAt = minTime(call.StartedAt, c.EndedAt)
	}
	c.AnsweredAt = within(c.AnsweredAt, c.StartedAt, c.EndedAt)
	c.Segments = s.segments(l, c)
	return c
}

// fault says whose doing the end of a leg is.
func (s *step) fault(l *Leg, end *LegEnd) messages.Fault {
	if end.AnsweredAt != nil && s.state.Fault == "" {
		return messages.FaultNone
	}
	if l.Role == messages.RoleCaller {
		if s.state.Fault == "" {
			return messages.FaultNone
		}
		return s.state.Fault
	}
	if l.Trunk != "" {
		switch code := end.SIPCode; {
		case wrongNumber(code):
			return messages.FaultCaller
		case l.Trunk == BetweenTrunk, l.Trunk == AcrossTrunk: // no carrier is in between
		case code == 401 || code == 403 || code == 407: // whatever cause the node makes of it, it is about us and not the called
			return messages.FaultCarrier
		}
	}
	return faultOfCause(end.Cause, l.Trunk != "" && l.Trunk != BetweenTrunk && l.Trunk != AcrossTrunk)
}

// within brings the time of an answer between a leg's start and its end, which two clocks may have told. An answer at a time
// that nobody knows (a call adopted from its channel) counts from the end: what is not known is not charged for.
func within(answered *time.Time, start, end time.Time) *time.Time {
	switch {
	case answered == nil:
		return nil
	case answered.IsZero() || answered.After(end):
		return &end
	case answered.Before(start):
		return &start
	}
	return answered
}

func minTime(a, b time.Time) time.Time {
	if a.IsZero() || a.After(b) {
		return b
	}
	return a
}

// clip makes a text from outside fit a bounded field: UTF-8, and at most limit bytes. What is not UTF-8 becomes what
// encoding/json makes of it, so that a step replayed from the journal gives the same.
func clip(text string, limit int) string {
	text = string([]rune(text))
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}
