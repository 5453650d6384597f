package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// shipped is what an owner ships of a call.
type shipped struct {
	facts   callflows.Call
	carried *carried
	ended   bool
	stepped map[string]uint64
	steps   int
	orders  []callflows.Command
	waits   []wait
	asked   []question
	stale   bool // the owner has not compared it with the node's channels since its last gap
}

// ship gives the standby, if there is one, the call as it is now, and says when it has it.
func (k *worker) ship(c *driven) time.Duration {
	s := k.node.standby()
	if s == nil {
		return k.w.now
	}
	r := k.pictureOf(c)
	s.soon(shipping, func() { s.shipped(r) })
	return k.w.now + 2*shipping
}

// pictureOf is a call as it is shipped.
func (k *worker) pictureOf(c *driven) shipped {
	if c.carried == nil {
		c.carried = carry(c.state)
	}
	r := shipped{facts: c.facts, steps: c.steps, carried: c.carried, ended: c.state.Phase == callflows.Ended, stepped: maps.Clone(c.stepped), orders: slices.Clone(c.orders), asked: slices.Clone(c.asked),
		stale: c.resuming || c.gaps < k.gaps}
	if !k.w.plant.LoseTimers {
		r.waits = slices.Clone(c.waits)
	}
	return r
}

// beforeAnyGap is the gaps of a call that has to be compared with the node's channels.
const beforeAnyGap = -1

// shipped is what a standby does with it.
func (k *worker) shipped(r shipped) {
	if k.role != standingBy {
		return
	}
	c := k.calls[r.facts.Leg]
	if r.ended {
		k.gone[r.facts.Leg] = true
		if c != nil {
			k.forget(c)
		}
		return
	}
	if c == nil {
		c = k.newCall(r.facts)
		c.before = !k.pictured
	}
	c.state, c.carried = *r.carried.arrived(), &carried{packed: r.carried.packed}
	c.steps, c.facts = r.steps, r.facts
	c.stepped, c.orders, c.waits, c.asked = r.stepped, r.orders, r.waits, r.asked
	switch {
	case r.stale:
		c.gaps = beforeAnyGap
	case c.gaps == beforeAnyGap:
		c.gaps = k.gaps
	}
	for _, l := range c.state.Legs {
		k.bind(l.ID, c)
	}
	for _, number := range r.stepped {
		k.abreast = k.abreast || k.since != 0 && number >= k.since
	}
	c.kept = slices.DeleteFunc(c.kept, func(e told) bool { return e.sequence <= c.stepped[e.channel] })
	k.pinned(c)
}

// unpack reads a state as it travels.
func unpack(packed []byte) callflows.State {
	var s callflows.State
	if len(packed) == 0 {
		return s
	}
	if err := json.Unmarshal(packed, &s); err != nil {
		panic(err) // it was made by json.Marshal
	}
	return s
}

// keep is what a standby does with an event.
func (k *worker) keep(e told) {
	if k.since == 0 {
		k.since = e.sequence
	}
	c := k.calls[e.channel]
	if c == nil && k.gone[e.channel] {
		return
	}
	if c == nil {
		c = k.adopt(e)
	}
	if c == nil || !e.translated || e.sequence <= c.stepped[e.channel] {
		return
	}
	c.kept = append(c.kept, e)
}

// follow begins to stand by: the owner gives the whole picture.
func (k *worker) follow(owner *worker) {
	k.pictured, k.since, k.abreast = false, 0, false
	k.soon(5*time.Millisecond, func() {
		if k.role != standingBy || !owner.alive || owner.role != owning {
			return
		}
		for _, c := range owner.order {
			k.shipped(owner.pictureOf(c))
		}
		k.held = slices.Clone(owner.held)
		k.pictured = true
	})
}

// takeOver makes the calls that it stood by for its own: it steps what the dead owner had not, and sees to the commands of
// which it is not known that the node took them (nodes, takeover.go).
func (k *worker) takeOver() {
	w := k.w
	w.happened("takeover")
	k.become(owning)
	var open []order
	for _, c := range slices.Clone(k.order) {
		orders, kept, waits, asked := c.orders, c.kept, c.waits, c.asked
		c.kept, c.waits, c.asked = nil, nil, nil
		for _, q := range asked {
			k.ask(c, q)
		}
		for _, e := range kept {
			orders = withoutAnswered(orders, e.event)
		}
		for _, command := range orders {
			c.unclear = c.unclear || command.Kind != callflows.HangUp
			open = append(open, order{driven: c, call: w.byID[c.facts.ID], command: command, gone: goneLegs(c, command), mark: markOf(c.state), until: w.now + resendWait})
		}
		for _, x := range waits {
			k.await(c, x)
		}
		c.kept = kept
		if k.pinned(c) {
			k.takeKept(c)
		}
	}
	for _, r := range k.held {
		k.w.ledger.add(w, r)
	}
	k.unsure, k.unheard = false, nil
	var unclear []order
	for _, o := range open {
		if o.command.Kind == callflows.HangUp || w.plant.BlindTakeover {
			k.resend(o)
		} else {
			unclear = append(unclear, o)
		}
	}
	wait := time.Duration(0)
	if len(unclear) > 0 {
		wait = evidenceWait
	}
	k.soon(wait, func() {
		for _, o := range unclear {
			a := k.node.channels[o.command.Leg]
			if a != nil && (a.mark == nil || a.mark.state.Commands < o.command.N) {
				k.soon(2*roundTrip, func() { k.resend(o) })
			}
		}
		for _, c := range k.order {
			k.soon(2*roundTrip, func() { c.unclear = false })
			c.moving = c.state.Moving()        // what was told of the leg while this worker did not listen yet, its channel shows
			c.doubted = c.before && !k.abreast // an owner that was late may not have read of a leg's end
		}
		k.soon(2*roundTrip, func() { k.reconcile(k.node.light) })
	})
}

// withoutAnswered leaves out the commands that an event proves to have been taken.
func withoutAnswered(orders []callflows.Command, e callflows.Event) []callflows.Command {
	var left []callflows.Command
	for _, o := range orders {
		proven := e.Command == o.N || e.Kind == callflows.Bridged && o.Kind == callflows.Rejoin || e.Kind == callflows.Answered && o.Kind == callflows.Answer ||
			e.Kind == callflows.Joined && o.Kind == callflows.Join && o.Other.Leg == e.Other.Leg ||
			e.Kind == callflows.Transferred && o.Kind == callflows.TakeOut && o.Leg == e.Leg
		for _, t := range o.Targets {
			proven = proven || t.Leg == e.Leg
		}
		if !proven {
			left = append(left, o)
		}
	}
	return left
}

// resend sends a dead owner's command that never reached the node, if the call still waits for it.
func (k *worker) resend(o order) {
	if o.command.Kind != callflows.HangUp && o.command.Kind != callflows.HandOver && o.driven.state.Awaited != o.command.N {
		return
	}
	k.w.happened("command sent again")
	o.ready = k.w.now
	k.outbox = append(k.outbox, o)
	o.driven.queued = o.command.N
	k.pump()
}

// mark is what a caller's channel carries of its call: what package nodes writes into 512 bytes.
type mark struct{ state callflows.State }

// Bytes of a mark, roughly as package nodes encodes it.
const (
	maxMark     = 384
	markOfCall  = 60
	markOfALeg  = 19
	markOfNames = 2
)

// markOf makes the mark of a state. Legs that are over are left out, and those that find no room.
func markOf(s callflows.State) *mark {
	m := callflows.State{Phase: s.Phase, Fault: s.Fault, Answered: s.Answered, Entered: s.Entered, Commands: s.Commands, Awaited: s.Awaited,
		Attempt: s.Attempt, FlowID: s.FlowID, Element: s.Element, Stage: s.Stage, Cause: s.Cause, Version: s.Version}
	if t := s.Transfer; t.Times > 0 {
		m.Transfer = callflows.Transfer{Times: t.Times, Source: t.Source, Parked: true, Target: t.Target, Device: t.Device, Reached: t.Reached, Recalled: t.Recalled}
	}
	size := markOfCall
	for _, l := range s.Legs {
		size += markOfALeg + len(l.Device) + len(l.Trunk)
		if l.HungUp || size > maxMark {
			continue
		}
		if l.Role == messages.RoleCaller {
			size += markOfNames
		}
		m.Legs = append(m.Legs, callflows.Leg{ID: l.ID, Role: l.Role, Created: l.Created, Rang: l.Rang, Answered: l.Answered, Bridged: l.Bridged,
			Device: l.Device, Trunk: l.Trunk})
	}
	return &mark{state: m}
}
