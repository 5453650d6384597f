package sim

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"tandem/callflows"
)

// bridging is how long a node takes to bring two legs together that it has taken out of what they did.
const bridging = 20 * time.Millisecond

// joinSource begins the node's name for the move of a leg to another: it has parked nowhere.
const joinSource = "join"

// party names a leg for the other call: what is known of it is its worker's business.
func party(c *channel) *callflows.Party { return &callflows.Party{Leg: c.uuid} }

// party is what a worker knows of a leg (nodes, join.go).
func (k *worker) party(leg string) *callflows.Party {
	p, c := &callflows.Party{Leg: leg}, k.calls[leg]
	if c == nil {
		return p
	}
	if p.Call = c.facts.ID; leg == c.facts.Leg {
		p.Number, p.Name, p.Device = c.facts.Caller.Number, c.facts.Caller.Name, c.facts.Caller.Device
		return p
	}
	for _, l := range c.state.Legs {
		if l.ID == leg {
			p.Number, p.Device = c.facts.Dialled, l.Device
		}
	}
	return p
}

// joinCalls is uuid_bridge of two calls' legs by order.
func (n *node) joinCalls(own *channel, command callflows.Command, otherMark *mark) reply {
	other := n.channels[command.Other.Leg]
	if other == nil {
		return reply{"-ERR Invalid uuid"}
	}
	if other.call.facts.Tenant != own.call.facts.Tenant {
		n.w.violate(TenantsApart, own.call.facts.ID, "it is joined with a call of %s", other.call.facts.Tenant)
	}
	n.w.happened("calls joined")
	if other.other != nil {
		other.mark = otherMark
	}
	n.answer(other)
	n.answer(own)
	n.bringTogether(own, other)
	return reply{}
}

// bringTogether is switch_ivr_uuid_bridge: both legs leave what they do, and meet in a moment.
func (n *node) bringTogether(own, other *channel) {
	n.moved++
	for _, c := range []*channel{own, other} {
		c.source, c.number, c.by, c.waits = n.moveName(joinSource), "", "", false
	}
	for _, c := range []*channel{other, own} {
		n.takeOut(c)
		c.moves++
		c.idle++
	}
	meeting := [2]int{own.moves, other.moves}
	n.w.after(bridging, func() {
		if own.moves != meeting[0] || other.moves != meeting[1] {
			n.settleAlone(own, meeting[0])
			n.settleAlone(other, meeting[1])
			return
		}
		switch {
		case own.gone && !other.gone:
			n.hangUp(other, callflows.ByUs, "DESTINATION_OUT_OF_ORDER", 0)
		case other.gone && !own.gone:
			n.hangUp(own, callflows.ByUs, "DESTINATION_OUT_OF_ORDER", 0)
		case !own.gone:
			n.meet(own, other)
		}
	})
}

// moveName is the node's name for the last time that it took a leg out of what it did. No other node gives the same.
func (n *node) moveName(kind string) string {
	if n == n.w.nodes[0] {
		return fmt.Sprintf("%s%d", kind, n.moved)
	}
	return fmt.Sprintf("%s%d at %s", kind, n.moved, n.name)
}

// settleAlone hangs up a leg whose other was taken elsewhere before they met.
func (n *node) settleAlone(c *channel, moves int) {
	if !c.gone && c.moves == moves {
		n.hangUp(c, callflows.ByUs, "DESTINATION_OUT_OF_ORDER", 0)
	}
}

func (n *node) meet(own, other *channel) {
	own.joined, other.joined = other, own
	n.emitPair(own, other, callflows.Joined)
	n.transfersSoon(own, other)
	n.w.seeTalk(own, other)
	leg := pick(n.w, own, other)
	leg.end = n.w.after(n.w.between(time.Millisecond, 30*time.Second), func() {
		if h := leg.call.legs[leg.uuid].holder; h != leg {
			h.node.farEndHangsUp(h)
			return
		}
		n.hangUp(leg, callflows.ByFarEnd, "NORMAL_CLEARING", 0)
	})
}

// emitPair tells on one leg what both calls must hear.
func (n *node) emitPair(a, b *channel, kind callflows.EventKind) {
	if a.call == b.call { // they were joined again after a move
		n.emitRejoined(a, b, kind)
		return
	}
	n.mirror = &callflows.Event{Kind: kind, Leg: b.uuid, Other: party(a), At: n.w.nodeTime()}
	n.emit(a, callflows.Event{Kind: kind, Leg: a.uuid, Other: party(b)})
	n.mirror = nil
}

// takeOut ends what a leg does, without ending the leg.
func (n *node) takeOut(c *channel) {
	c.end.callOff()
	c.queue = nil
	if c.joined != nil {
		n.part(c)
	}
	if a := c.other; a != nil && a.bridge != nil && a.bridge.talking == c {
		n.leaveCaller(a)
	}
	if c.bridge != nil {
		n.leavePhones(c)
	}
	if c.app == nil {
		return
	}
	switch c.app.command.Kind {
	case callflows.Play:
		n.finish(c, c.app, callflows.Event{Kind: callflows.Played})
	case callflows.CollectDigits:
		n.finish(c, c.app, callflows.Event{Kind: callflows.DigitsCollected, Outcome: callflows.DigitsTimeout})
	case callflows.Record:
		n.finish(c, c.app, n.recorded(c.app, callflows.EndedByLimit))
	default:
		n.finish(c, c.app, callflows.Event{Kind: callflows.Done})
	}
}

// leavePhones takes a caller out of his ring or talk: those that ring are cancelled, and who talks to him is hung up.
func (n *node) leavePhones(a *channel) {
	b := a.bridge
	a.bridge = nil
	n.dropLater(a, b, "LOSE_RACE")
	event := callflows.Event{Kind: callflows.RingEnded, Cause: "LOSE_RACE", Moved: a.source}
	if b.talking != nil {
		event.Cause = "SUCCESS"
		n.emit(a, callflows.Event{Kind: callflows.Unbridged, Leg: a.uuid})
	}
	for _, l := range slices.Clone(b.legs) {
		cause := "LOSE_RACE"
		if l == b.talking {
			cause = "NORMAL_CLEARING"
		}
		l.end.callOff()
		n.hangUp(l, callflows.ByUs, cause, 0)
	}
	a.disposition = event.Cause
	n.finish(a, b.app, event)
}

// leaveCaller takes the called side out of a talk: the node hangs the caller up, before his bridge ends.
func (n *node) leaveCaller(a *channel) {
	b := a.bridge
	a.bridge = nil
	a.end.callOff()
	n.emit(a, callflows.Event{Kind: callflows.Unbridged, Leg: a.uuid})
	if b.app.end.callOff(); a.app == b.app {
		a.app, a.queue = nil, nil
	}
	n.hangUpSoon(a)
}

// part ends a talk of two calls' legs: whoever is left is hung up, unless it is joined elsewhere by then.
func (n *node) part(c *channel) {
	left := c.joined
	c.joined, left.joined = nil, nil
	left.end.callOff()
	n.emitPair(c, left, callflows.Parted)
	n.hangUpSoon(left)
}

func (n *node) hangUpSoon(c *channel) {
	moves := c.moves
	n.w.after(n.w.between(0, 5*time.Millisecond), func() {
		if c.moves == moves {
			n.hangUp(c, callflows.ByUs, "NORMAL_CLEARING", 0)
		}
	})
}

// stopPlaying is uuid_break.
func (n *node) stopPlaying(a *channel) {
	if a.app != nil && a.app.command.Kind == callflows.Play {
		n.finish(a, a.app, callflows.Event{Kind: callflows.Played})
	}
}

// before is what a worker does before an order goes to the node; it says why the order does not (nodes, join.go).
func (k *worker) before(o *order) (refused string) {
	leg := func(state *callflows.State, id string) *callflows.Leg {
		for i := range state.Legs {
			if state.Legs[i].ID == id {
				return &state.Legs[i]
			}
		}
		return nil
	}
	if o.command.Kind != callflows.Join && o.command.Kind != callflows.HangUp && o.command.Kind != callflows.TakeOut {
		if l := leg(&o.driven.state, o.command.Leg); l != nil && l.With != nil && (l.Taken || l.Joined) {
			return "the leg is being joined"
		}
	}
	if o.command.Kind != callflows.Join && o.command.Kind != callflows.Eavesdrop {
		return ""
	}
	other := k.calls[o.command.Other.Leg]
	if other == nil || other.facts.Tenant != o.driven.facts.Tenant || other == o.driven {
		return "the other leg is gone"
	}
	own := k.party(o.command.Leg)
	if o.command.Kind == callflows.Eavesdrop {
		k.take(other, callflows.Event{Kind: callflows.Overheard, At: k.w.workerTime(), Leg: o.command.Other.Leg, Other: own, Mode: o.command.Mode})
		return ""
	}
	if l := leg(&other.state, o.command.Other.Leg); l == nil || l.HungUp || other.state.Phase != callflows.Running && other.state.Phase != callflows.Talking {
		return "the other leg is gone"
	}
	defer func() { o.with = markOf(other.state) }()
	k.take(other, callflows.Event{Kind: callflows.Taken, At: k.w.workerTime(), Leg: o.command.Other.Leg, Other: own, For: o.command.For})
	return ""
}

// released tells the call whose leg was wanted that nothing comes of it.
func (k *worker) released(o order) {
	if o.command.Kind != callflows.Join {
		return
	}
	if c := k.calls[o.command.Other.Leg]; c != nil && c != o.driven {
		k.take(c, callflows.Event{Kind: callflows.Released, At: k.w.workerTime(), Leg: o.command.Other.Leg, Other: &callflows.Party{Leg: o.command.Leg}})
	}
}

// across tells the call of the second leg what the node told on the first.
func (k *worker) across(e told) {
	if e.mirror == nil {
		return
	}
	c, h := k.calls[e.mirror.Leg], told{channel: e.channel, event: *e.mirror, translated: true, sequence: e.sequence}
	switch {
	case c == nil || e.sequence <= c.stepped[e.channel]:
	case k.role == standingBy:
		c.kept = append(c.kept, h)
	case k.role == owning:
		c.note(h)
		k.take(c, h.event)
	}
}

// findCall answers as package directory does, from what this worker knows.
func (k *worker) findCall(asks *driven, w callflows.Wanted) *callflows.Found {
	if k.w.outageNow() {
		return nil
	}
	if w.What == callflows.FreeSlot {
		return k.freeSlot(asks, w)
	}
	if w.What == callflows.KnownAs {
		f := k.knownLeg(w)
		if f != nil {
			f.Node, f.Local = k.node.name, !k.w.chance(10)
		}
		return f
	}
	for _, c := range k.order {
		if c == asks || c.facts.Tenant != asks.facts.Tenant {
			continue
		}
		if leg := wantedLeg(&c.state, w); leg != "" {
			return &callflows.Found{Party: *k.party(leg), Node: k.node.name, Local: !k.w.chance(10)}
		}
	}
	return nil
}

// wantedLeg is the leg of a call that is looked for, or "".
func wantedLeg(s *callflows.State, w callflows.Wanted) string {
	driven := s.DrivenLeg()
	free := !slices.ContainsFunc(s.Legs, func(l callflows.Leg) bool { return l.With != nil })
	for _, l := range s.Legs {
		at := slices.Contains(w.Devices, l.Device) && !l.HungUp && l.Created
		talksAt := at && s.Phase == callflows.Talking && w.What == callflows.TalkingAt
		switch {
		case w.What == callflows.ParkedIn && s.Slot != "" && s.Slot == w.Slot && free:
			return driven
		case w.What == callflows.RingingAt && at && l.ID != driven && !l.Answered && free && s.Ringing():
			return driven
		case w.What == callflows.OverheardAt && at && s.Phase == callflows.Talking:
			return l.ID
		case talksAt && l.With != nil:
			return l.With.Leg
		case talksAt && l.ID != driven && l.Bridged:
			return driven
		case talksAt && l.ID == driven:
			for _, other := range s.Legs {
				if other.Bridged && !other.HungUp && other.ID != driven {
					return other.ID
				}
			}
		}
	}
	return ""
}

func (k *worker) freeSlot(asks *driven, w callflows.Wanted) *callflows.Found {
	for n := w.First; n <= w.Last; n++ {
		slot := strconv.Itoa(n)
		if w.Slot != "" {
			slot = w.Slot
		}
		if !slices.ContainsFunc(k.order, func(c *driven) bool { return c != asks && c.facts.Tenant == asks.facts.Tenant && c.state.Slot == slot }) {
			k.w.seeParked(asks.facts.Tenant, slot)
			return &callflows.Found{Slot: slot}
		}
		if w.Slot != "" {
			break
		}
	}
	return nil
}
