package explain

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// stepped draws what a node has told in one step, and remembers what it was ordered.
func (l *ladder) stepped(e messages.JournalEntry) {
	var event callflows.Event
	if json.Unmarshal(e.Input, &event) != nil {
		return
	}
	if event.Call != nil {
		l.begun(*event.Call)
	}
	l.told(event)
	var orders []callflows.Command
	if json.Unmarshal(e.Output, &orders) != nil {
		return
	}
	for _, c := range orders {
		switch c.Kind {
		case callflows.Ring, callflows.Summon, callflows.Invite:
			for _, t := range c.Targets {
				l.dialled(t)
			}
		case callflows.SignalRinging:
			if l.signals == nil {
				l.signals = map[int]bool{}
			}
			l.signals[c.N] = true
		default:
			// The others send nothing of their own.
		}
	}
}

// begun draws the INVITE that has brought a call to a node, or says who has ordered it.
func (l *ladder) begun(c callflows.Call) {
	l.node, l.onNode = l.nodeColumn(c.Node), true
	if c.Ordered != nil {
		l.note(c.StartedAt, l.node, "ordered by "+c.Ordered.By, TellsNode)
		return
	}
	if r := l.legs[c.Leg]; r != nil && r.invited {
		return
	}
	edge := l.edge(c.Edge)
	l.column("caller", CallerColumn, cmp.Or(c.Caller.Device, c.Caller.Trunk, c.Caller.Number), "")
	l.legs[c.Leg] = &rung{column: "caller", edge: edge, caller: true, invited: true}
	from := cmp.Or(edge, "caller")
	l.draw(Arrow{At: c.StartedAt, From: from, To: l.node, Message: "INVITE", Words: "for the flow " + c.FlowID, Leg: c.Leg, CallID: c.SIPCallID, Told: TellsNode})
}

// dialled gives a leg that a node is to dial its column: one for each device, trunk or number, however often it is dialled.
func (l *ladder) dialled(t callflows.Target) {
	if l.legs[t.Leg] != nil {
		return
	}
	name := cmp.Or(t.Device, t.Trunk, t.Number, t.URI)
	switch t.Trunk {
	case callflows.BetweenTrunk:
		name = "another tenant, " + t.Number
	case callflows.AcrossTrunk:
		name = "another node"
	}
	l.legs[t.Leg] = &rung{column: l.column("called "+name, CalledColumn, name, t.URI), edge: l.edge(t.Edge)}
}

// leg is what is drawn of a leg; one that nobody has ordered gets a column of its own.
func (l *ladder) leg(id, name string) *rung {
	if r := l.legs[id]; r != nil {
		return r
	}
	name = cmp.Or(name, id)
	l.legs[id] = &rung{column: l.column("called "+name, CalledColumn, name, "")}
	return l.legs[id]
}

// in draws what came from a leg's far end to the node; out what the node has sent there.
func (l *ladder) in(r *rung, a Arrow) {
	a.From, a.To, a.Via = r.column, l.node, r.edge
	l.draw(a)
}

func (l *ladder) out(r *rung, a Arrow) {
	a.From, a.To, a.Via = l.node, r.column, r.edge
	l.draw(a)
}

// told draws an event of a node's.
func (l *ladder) told(e callflows.Event) {
	switch e.Kind {
	case callflows.LegCreated:
		l.invite(e.Leg, e.At, e.Target, "", TellsNode)
	case callflows.Rang:
		if r := l.leg(e.Leg, ""); e.Early && !r.sounded {
			r.sounded = true
			l.in(r, Arrow{At: e.At, Message: "18x", Words: "rings, with sound (180 or 183 with a description)", Leg: e.Leg, Told: TellsNode})
		} else if !e.Early && !r.rang {
			r.rang = true
			l.in(r, Arrow{At: e.At, Message: "18x", Words: "rings (180 or 183)", Leg: e.Leg, Told: TellsNode})
		}
	case callflows.Answered:
		l.answer(e.Leg, e.At, "", TellsNode)
	case callflows.HungUp:
		if e.End != nil {
			l.hungUp(e.Leg, e.At, *e.End)
		}
	case callflows.Done:
		if r := l.legs[e.Leg]; l.signals[e.Command] && r != nil {
			l.out(r, Arrow{At: e.At, Message: "180", Code: 180, Words: "Ringing", Leg: e.Leg, Told: TellsNode})
		}
	default:
		l.toldMoves(e)
	}
}

// toldMoves draws transfers, joins and moves.
func (l *ladder) toldMoves(e callflows.Event) {
	switch e.Kind {
	case callflows.Transferred:
		if r := l.legs[e.ByLeg]; r != nil && e.Target != "" {
			l.in(r, Arrow{At: e.At, Message: "REFER", Words: "to " + e.Target, Leg: e.ByLeg, Told: TellsNode})
		} else if e.Target != "" {
			l.note(e.At, l.node, "a phone of another call sent REFER, to "+e.Target, TellsNode)
		}
	case callflows.TransferRefused:
		if r := l.legs[e.Leg]; r != nil {
			l.in(r, Arrow{At: e.At, Message: "REFER", Words: "refused: " + e.Cause, Leg: e.Leg, Told: TellsNode})
		}
	case callflows.Joined:
		l.note(e.At, l.node, "talks to a leg of another call: "+otherCall(e.Other), TellsNode)
	case callflows.Parted:
		l.note(e.At, l.node, "no longer talks to a leg of another call: "+otherCall(e.Other), TellsNode)
	case callflows.MoveFailed:
		l.note(e.At, l.node, "cannot go to another node: "+cmp.Or(e.Cause, "no reason was given")+code(e.SIPCode), TellsNode)
	case callflows.MoveOrdered:
		l.goesTo = e.Node
	case callflows.LegsMoved:
		l.fetched(e)
	case callflows.Moved:
		if e.Node != "" {
			l.node = l.nodeColumn(e.Node)
			l.note(e.At, l.node, "has the call from here on", TellsNode)
		}
	default:
		// All others are no business of SIP's.
	}
}

// fetched draws the re-INVITEs by which the node that the call was ordered to has taken its legs over.
func (l *ladder) fetched(e callflows.Event) {
	l.node = l.nodeColumn(cmp.Or(l.goesTo, "another node"))
	for _, m := range e.Legs {
		r := l.legs[m.Leg]
		switch {
		case r == nil:
		case m.Lost:
			l.note(e.At, r.column, "the new node has not got this leg", TellsNode)
		default:
			l.out(r, Arrow{At: e.At, Message: "re-INVITE", Words: "by the new node, and answered: the leg is moved", Leg: m.Leg, Told: TellsNode})
		}
	}
}

func otherCall(p *callflows.Party) string {
	if p == nil {
		return "unknown"
	}
	return cmp.Or(p.Call, p.Leg)
}

func code(sip int) string {
	if sip == 0 {
		return ""
	}
	return " (SIP " + strconv.Itoa(sip) + ")"
}

// invite draws the INVITE of a dialled leg, once.
func (l *ladder) invite(leg string, at time.Time, to, callID string, told Teller) {
	r := l.leg(leg, to)
	if r.invited {
		return
	}
	r.invited = true
	words := ""
	if to != "" {
		words = "to " + to
	}
	l.out(r, Arrow{At: at, Message: "INVITE", Words: words, Leg: leg, CallID: callID, Told: told})
}

// answer draws the 200 that answers a leg, once.
func (l *ladder) answer(leg string, at time.Time, callID string, told Teller) {
	r := l.leg(leg, "")
	if r.answered {
		return
	}
	r.answered = true
	a := Arrow{At: at, Message: "200", Code: 200, Words: "OK", Leg: leg, CallID: callID, Told: told}
	if r.caller {
		l.out(r, a)
		return
	}
	l.in(r, a)
}

// hungUp draws the end of a leg, and what of its beginning was missed.
func (l *ladder) hungUp(leg string, at time.Time, end callflows.LegEnd) {
	r := l.leg(leg, end.To)
	if r.ended {
		return
	}
	if !r.caller {
		l.invite(leg, end.CreatedAt, end.To, end.SIPCallID, TellsNode)
	}
	if end.AnsweredAt != nil {
		l.answer(leg, *end.AnsweredAt, end.SIPCallID, TellsNode)
	}
	r.ended = true
	a := Arrow{At: at, Cause: end.Cause, Q850: end.Q850, Leg: leg, CallID: end.SIPCallID, Told: TellsNode}
	refusal := strconv.Itoa(end.SIPCode)
	if end.SIPCode == 0 {
		refusal = "4xx to 6xx"
	}
	switch end.Message {
	case callflows.ReceivedBye:
		a.Message = "BYE"
		l.in(r, a)
	case callflows.SentBye:
		a.Message = "BYE"
		l.out(r, a)
	case callflows.ReceivedCancel:
		a.Message = "CANCEL"
		l.in(r, a)
	case callflows.SentCancel:
		a.Message = "CANCEL"
		l.out(r, a)
	case callflows.ReceivedRefusal:
		a.Message, a.Code = refusal, end.SIPCode
		l.in(r, a)
	case callflows.SentRefusal:
		a.Message, a.Code = refusal, end.SIPCode
		l.out(r, a)
	default:
		l.overUnsaid(r, a, end)
	}
}

// overUnsaid draws an end of which the node has not said by which message: entries of older releases say at least whose doing it was.
func (l *ladder) overUnsaid(r *rung, a Arrow, end callflows.LegEnd) {
	switch {
	case end.Estimated:
		l.draw(Arrow{At: a.At, From: r.column, To: r.column, Cause: a.Cause, Q850: a.Q850, Words: "the leg is gone; its node did not tell how", Leg: a.Leg, CallID: a.CallID, Told: TellsNode})
	case end.By == callflows.ByFarEnd && end.AnsweredAt != nil:
		a.Message = "BYE"
		l.in(r, a)
	case end.By == callflows.ByFarEnd && r.caller:
		a.Message = "CANCEL"
		l.in(r, a)
	case end.SIPCode >= 300 && !r.caller && end.AnsweredAt == nil:
		a.Message, a.Code = strconv.Itoa(end.SIPCode), end.SIPCode
		a.Words = "or no answer at all"
		l.in(r, a)
	default:
		a.From, a.To, a.Words = r.column, r.column, "the leg is over; by which message is not told"
		l.draw(a)
	}
}

// fromRecords draws what the journal does not tell of legs that have a record.
func (l *ladder) fromRecords(cdrs []messages.CDR) {
	for _, c := range cdrs {
		if c.Node == "" {
			continue // refused by routing, whose entry says all there is
		}
		l.Tenant, l.onNode = cmp.Or(l.Tenant, c.Tenant), true
		l.node = l.nodeColumn(c.Node)
		r := l.legs[c.Leg]
		if r == nil && c.Role == messages.RoleCaller {
			l.column("caller", CallerColumn, cmp.Or(c.Device, c.Trunk, c.From), "")
			r = &rung{column: "caller", caller: true, invited: true}
			l.legs[c.Leg] = r
			l.in(r, Arrow{At: c.StartedAt, Message: "INVITE", Words: "to " + c.To, Leg: c.Leg, CallID: c.SIPCallID, Told: TellsRecord})
		}
		if r == nil {
			l.leg(c.Leg, cmp.Or(c.Device, c.Trunk, c.To))
			l.invite(c.Leg, c.StartedAt, c.To, c.SIPCallID, TellsRecord)
			r = l.legs[c.Leg]
		}
		if c.AnsweredAt != nil {
			l.answer(c.Leg, *c.AnsweredAt, c.SIPCallID, TellsRecord)
		}
		l.overByRecord(r, c)
	}
}

// overByRecord draws the end of a leg as its record has it: it keeps the code of a refusal, and not who sent a BYE.
func (l *ladder) overByRecord(r *rung, c messages.CDR) {
	if r.ended {
		return
	}
	r.ended = true
	a := Arrow{At: c.EndedAt, Cause: c.Cause, Q850: c.Q850, Leg: c.Leg, CallID: c.SIPCallID, Told: TellsRecord}
	switch {
	case c.AnsweredAt == nil && c.SIPCode >= 300 && r.caller:
		a.Message, a.Code = strconv.Itoa(c.SIPCode), c.SIPCode
		l.out(r, a)
	case c.AnsweredAt == nil && c.SIPCode >= 300:
		a.Message, a.Code = strconv.Itoa(c.SIPCode), c.SIPCode
		l.in(r, a)
	default:
		a.From, a.To, a.Words = r.column, r.column, "the leg is over; who has ended it is not in its record"
		l.draw(a)
	}
}
