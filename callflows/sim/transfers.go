package sim

import (
	"strings"
	"time"

	"tandem/callflows"
)

// transfersSoon books that one of two who talk passes the other on, in some talks.
func (n *node) transfersSoon(a, b *channel) {
	w := n.w
	if !w.chance(15) {
		return
	}
	w.after(w.between(time.Millisecond, 15*time.Second), func() {
		if talksTo(a) == b && n.takesRefer(a, b) {
			n.refer(pick(w, [2]*channel{a, b}, [2]*channel{b, a}))
		}
	})
}

// talksTo is the leg that a leg talks to, or nil.
func talksTo(c *channel) *channel {
	switch {
	case c.gone:
	case c.joined != nil:
		return c.joined
	case c.bridge != nil:
		return c.bridge.talking
	case c.other != nil && c.other.bridge != nil && c.other.bridge.talking == c:
		return c.other
	}
	return nil
}

// refer is a REFER by one leg of a talk: the other parks, and the one is hung up. Which is told first is not fixed.
func (n *node) refer(legs [2]*channel) {
	w, by, stays := n.w, legs[0], legs[1]
	w.happened("transfer")
	number := w.anyNumber(by.call.facts.Tenant)
	if w.chance(40) {
		number = w.anyTalk()
	}
	n.sendAway(by, stays, number)
	if by.call == stays.call {
		by.left = stays.uuid
	}
}

// sendAway takes a leg out of its talk to a number, and ends the other.
func (n *node) sendAway(by, stays *channel, number string) {
	w := n.w
	by.call.passedOn, stays.call.passedOn = true, true
	n.moved++
	stays.source = n.moveName("refer")
	stays.number, stays.by, stays.waits = number, by.uuid, true
	w.tell("node", "%s refers %s to %s", short(by.uuid), short(stays.uuid), stays.number)
	stays.moves++
	stays.idle++
	n.endTalk(by, stays)
	n.w.after(n.w.between(0, 3*time.Millisecond), func() { n.hangUp(by, callflows.ByUs, "NORMAL_CLEARING", 0) })
	n.w.after(n.w.between(0, 3*time.Millisecond), func() { n.parkMoved(stays) })
}

// endTalk ends the talk of two legs, of which one goes elsewhere. Both are still there.
func (n *node) endTalk(by, stays *channel) {
	by.end.callOff()
	stays.end.callOff()
	if stays.joined != nil {
		by.joined, stays.joined = nil, nil
		n.emitPair(by, stays, callflows.Parted)
		return
	}
	a := by
	if by.bridge == nil {
		a = by.other
	}
	b := a.bridge
	a.bridge, a.disposition = nil, "SUCCESS"
	n.emit(a, callflows.Event{Kind: callflows.Unbridged, Leg: a.uuid})
	if stays == a {
		n.finish(a, b.app, callflows.Event{Kind: callflows.RingEnded, Cause: "NORMAL_CLEARING", Moved: a.source})
	} else if a.app != nil {
		a.app.end.callOff()
		a.app, a.queue = nil, nil
	}
}

// attended is a REFER with Replaces by a phone: by one of its legs, x, for another, y. Whoever they talk to talk to each other, and
// both are hung up. A y that talks to the node alone leaves its place to whom x talks to: he goes to its number.
func (n *node) attended(legs [2]*channel) {
	w, x, y := n.w, legs[0], legs[1]
	a, b := talksTo(x), talksTo(y)
	denied := !x.held() || !y.held() || a != nil && !a.held() || b != nil && !b.held() || x.node != y.node || x.denies || y.denies || a != nil && a.denies || b != nil && b.denies
	busy := b == nil && (y.bridge != nil || y.other != nil || y.waits) // it rings, or is on its way elsewhere
	if x.gone || y.gone || a == nil || a == y || b != nil && a.call == b.call || denied || busy {
		w.happened("attended transfer refused")
		return
	}
	x.call.passedOn, y.call.passedOn, a.call.passedOn = true, true, true
	if b == nil {
		w.happened("attended transfer to the node")
		n.sendAway(x, a, y.call.facts.Dialled)
		n.hangUp(y, callflows.ByUs, "ATTENDED_TRANSFER", 0)
		return
	}
	w.happened("attended transfer")
	b.call.passedOn = true
	w.tell("node", "%s joins %s and %s, and is out with %s", short(x.uuid), short(a.uuid), short(b.uuid), short(y.uuid))
	for _, pair := range [][2]*channel{{x, a}, {y, b}} {
		if pair[0].call == pair[1].call {
			pair[0].left = pair[1].uuid
		}
	}
	n.bringTogether(a, b)
}

// parkMoved tells that a leg which was moved has parked.
func (n *node) parkMoved(c *channel) {
	if c.gone || !c.waits {
		return
	}
	c.waits = false
	if c.other != nil {
		n.losesPatience(c)
	}
	n.emit(c, callflows.Event{Kind: callflows.Transferred, Leg: c.uuid, Target: c.number, ByLeg: c.by, Moved: c.source})
	n.idle(c)
}

// takeLegOut is uuid_transfer to park.
func (n *node) takeLegOut(c *channel) reply {
	n.moved++
	c.source, c.number, c.by, c.waits = n.moveName("order"), "", "", true
	c.moves++
	n.takeOut(c)
	n.w.after(n.w.between(0, 3*time.Millisecond), func() { n.parkMoved(c) })
	return reply{}
}

// allowRefer lets the parties of a call be joined with others by REFER, now that they talk.
func (k *worker) allowRefer(c *driven) {
	leg := c.state.DrivenLeg()
	k.w.after(roundTrip, func() {
		if a := k.node.channels[leg]; a != nil {
			a.denies = false
		}
	})
}

// markLed lets a leg by which its call is driven now carry what a worker needs that knows nothing of it. It is sent behind what was ordered
// before, as package nodes does it: a mark that came first would say that the node has got those orders.
func (k *worker) markLed(c *driven, leg string) {
	k.outbox = append(k.outbox, order{driven: c, call: k.w.byID[c.facts.ID], command: callflows.Command{Leg: leg}, mark: markOf(c.state), ready: k.w.now, until: k.w.now + resendWait})
	k.pump()
}

// carry writes a mark and orders nothing.
func (n *node) carry(o order) {
	if a := n.channels[o.command.Leg]; n.up && a != nil && !n.w.plant.NoMark {
		a.mark = o.mark
	}
}

// anyNumber is what somebody dials for a transfer: of his tenant's, outside, for help, or nobody's.
func (w *world) anyNumber(tenant string) string {
	numbers := []string{"200", "200", "201", "202", "999", "+4930555", emergencyNumber, "?"}
	if t := w.snapshot.Tenant(tenant); t != nil {
		for _, r := range t.Published.Routes {
			numbers = append(numbers, r.Dialled)
		}
	}
	return pick(w, numbers...)
}

// anyTalk is what an edge writes in place of another dialog: a leg of whichever call, whosever it is. What is not the transferor's own
// leads nowhere.
func (w *world) anyTalk() string {
	k := w.anyOwner()
	if k == nil || len(k.order) == 0 {
		return callflows.Consulted{Call: w.uuid(), Leg: w.uuid()}.Number()
	}
	w.happened("transfer to a talk")
	c := pick(w, k.order...)
	leg := w.uuid()
	for _, l := range c.state.Legs {
		if l.Created && !l.HungUp && w.chance(60) {
			leg = l.ID
		}
	}
	return callflows.Consulted{Call: c.facts.ID, Leg: leg}.Number()
}

// refuseTransfer is what the owner of a node is told of a transfer to another talk that came to nothing.
func (w *world) refuseTransfer() {
	k := w.anyOwner()
	if k == nil || len(k.order) == 0 {
		return
	}
	w.happened("transfer refused")
	c := pick(w, k.order...)
	leg := pick(w, c.state.DrivenLeg(), "unknown")
	k.take(c, callflows.Event{Kind: callflows.TransferRefused, At: w.nodeTime(), Leg: leg, Order: w.uuid(), There: w.chance(50), Other: &callflows.Party{Call: w.uuid()},
		Cause: pick(w, "not_own", "nobody", "emergency", "unknown")})
}

// orderTransfer is somebody who orders that a leg goes to a number.
func (w *world) orderTransfer() {
	k := w.anyOwner()
	if k == nil || len(k.order) == 0 {
		return
	}
	w.happened("transfer ordered")
	c := pick(w, k.order...)
	leg := ""
	legs := []string{"unknown"}
	for _, l := range c.state.Legs {
		if l.Created && !l.HungUp { // who orders sees these alone
			legs = append(legs, l.ID)
		}
	}
	if w.chance(70) {
		leg = pick(w, legs...)
	}
	k.take(c, callflows.Event{Kind: callflows.TransferOrdered, At: w.nodeTime(), Leg: leg, Target: w.anyNumber(c.facts.Tenant), By: pick(w, hostile()...),
		Order: w.uuid()})
}

// leads says whether a channel is the one that its call is driven by, as far as is known: the caller's, unless that is gone.
func (k *worker) leads(d dump, there map[string]dump) bool {
	if c := k.calls[d.uuid]; c != nil && (c.state.Phase != "" || c.state.Driven != "") {
		return d.uuid == c.state.DrivenLeg()
	}
	if d.inbound {
		return true
	}
	if d.fetched {
		return d.mark != nil
	}
	first, caller := there[d.facts.Leg]
	return d.mark != nil && !(caller && first.inbound)
}

// endOrphan hangs up a leg that was transferred while nobody was there, and that carries nothing of its call. It has no record; nor has
// one that was joined with another call's in that moment, which talks on.
func (k *worker) endOrphan(d dump, there map[string]dump) {
	if _, caller := there[d.facts.Leg]; caller || d.inbound || d.fetched || d.mark != nil || d.source == "" || k.gone[d.uuid] {
		return
	}
	k.w.legs[d.uuid].witnessed = false
	if strings.HasPrefix(d.source, joinSource) { // it talks, and its end is the other's
		return
	}
	k.w.after(roundTrip, func() {
		if c := k.node.channels[d.uuid]; c != nil {
			k.node.hangUp(c, callflows.ByUs, "NORMAL_TEMPORARY_FAILURE", 0)
		}
	})
}

// restoreTransfer is what an adopted call knows of the last move of its leg.
func restoreTransfer(state *callflows.State, d dump) {
	t := &state.Transfer
	if t.Times > 0 && t.Source == d.source || d.number == "" {
		t.Source, t.Parked = d.source, d.source != ""
		return
	}
	t.Source, t.Parked = "", false
}

// unheardTransfer is the transfer that a channel shows and that the call has not been told of, if there is one.
func unheardTransfer(c *driven, d dump) (callflows.Event, bool) {
	t := c.state.Transfer
	e := callflows.Event{Kind: callflows.Transferred, Leg: d.uuid, Target: d.number, ByLeg: d.by, Moved: d.source}
	if e.Target == "" && t.Leg != e.Leg || strings.HasPrefix(d.source, joinSource) {
		return e, false
	}
	return e, d.source != "" && !d.waits && !(t.Parked && t.Source == d.source) && (c.state.Phase == callflows.Running || c.state.Phase == callflows.Talking)
}
