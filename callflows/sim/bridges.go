package sim

import (
	"cmp"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// bridge is a Ring under way: legs that are dialled, then one that talks.
type bridge struct {
	app     *app
	waiting []callflows.Target // in order: not dialled yet
	later   []callflows.Target // they ring later than the others
	legs    []*channel         // dialled and there
	talking *channel
	cause   string // of the last leg that failed
	dialing bool
}

// dialling is what a caller's leg says of a dial that is under way (switch_ivr_originate.c).
const dialling = "failure"

// ring dials.
func (n *node) ring(a *channel, x *app) {
	b := &bridge{app: x, cause: "NORMAL_TEMPORARY_FAILURE", dialing: true}
	a.bridge, a.disposition, a.denies = b, dialling, true
	targets := x.command.Targets
	if x.command.InOrder {
		b.waiting = slices.Clone(targets[1:])
		targets = targets[:1]
	}
	x.end = n.w.after(time.Millisecond, func() {
		for _, t := range targets {
			if t.Delay == 0 {
				n.dial(a, b, t)
				continue
			}
			b.later = append(b.later, t)
			n.w.after(t.Delay+n.w.between(0, time.Second), func() { n.dialLater(a, b, t.Leg) })
		}
		b.dialing = false
		n.judge(a, b)
	})
}

// dialLater dials a leg whose delay is over, if it still waits.
func (n *node) dialLater(a *channel, b *bridge, leg string) {
	i := slices.IndexFunc(b.later, func(t callflows.Target) bool { return t.Leg == leg })
	if i < 0 || a.bridge != b || b.talking != nil {
		return
	}
	t := b.later[i]
	b.later = slices.Delete(b.later, i, i+1)
	n.dial(a, b, t)
	n.judge(a, b)
}

// dropLater ends the legs that are not dialled any more: they were there, and nobody was told of them.
func (n *node) dropLater(a *channel, b *bridge, cause string) {
	for _, t := range b.later {
		if n.channels[t.Leg] == nil {
			n.hangUp(n.open(a.call, t.Leg, messages.RoleCallee, a), callflows.ByUs, cause, 0)
		}
	}
	b.later = nil
}

// dial makes a leg, and books what the phone does.
func (n *node) dial(a *channel, b *bridge, t callflows.Target) {
	w := n.w
	temper := w.anyTemper(t)
	w.checkTarget(a.call, t)
	if temper.mood == undialable || n.channels[t.Leg] != nil {
		b.cause = temper.cause
		return
	}
	leg := n.open(a.call, t.Leg, messages.RoleCallee, a)
	leg.device = t.Device
	b.legs = append(b.legs, leg)
	n.emit(leg, callflows.Event{Kind: callflows.LegCreated, Leg: leg.uuid, Target: t.URI})
	rings := func() {
		if !leg.gone && leg.answeredAt == nil {
			n.emit(leg, callflows.Event{Kind: callflows.Rang, Leg: leg.uuid})
			w.seeRinging(leg)
		}
	}
	if temper.rings > 0 {
		w.after(temper.rings, rings)
	}
	wait := cmp.Or(t.Wait, b.app.command.Wait)
	if temper.acts == 0 || temper.acts > wait {
		leg.end = w.after(wait, func() { n.fail(a, b, leg, callflows.ByUs, "ALLOTTED_TIMEOUT", 0) })
		return
	}
	leg.end = w.after(temper.acts, func() {
		switch {
		case temper.cause == "" && t.Accept != nil:
			n.askToAccept(a, b, leg, temper, t.Accept.Wait)
			return
		case temper.cause == "":
			n.join(a, b, leg, temper)
			return
		}
		by := callflows.ByUs
		if temper.byThem {
			by = callflows.ByFarEnd
		}
		n.fail(a, b, leg, by, temper.cause, temper.code)
	})
}

// askToAccept is what happens at a leg that is answered and must key: it does, or hangs up, or lets the time pass.
func (n *node) askToAccept(a *channel, b *bridge, leg *channel, t temper, wait time.Duration) {
	n.answer(leg)
	switch after := n.w.between(0, wait); {
	case n.w.chance(50):
		leg.end = n.w.after(after, func() { n.join(a, b, leg, t) })
	case n.w.chance(50):
		leg.end = n.w.after(after, func() { n.fail(a, b, leg, callflows.ByFarEnd, "NORMAL_CLEARING", 0) })
	default:
		leg.end = n.w.after(wait, func() { n.fail(a, b, leg, callflows.ByUs, "ALLOTTED_TIMEOUT", 0) })
	}
}

// fail ends a leg that does not talk. The last one's end is that of the ring.
func (n *node) fail(a *channel, b *bridge, leg *channel, by callflows.EndedBy, cause string, code int) {
	b.cause = cause
	b.legs = slices.DeleteFunc(b.legs, func(l *channel) bool { return l == leg })
	n.hangUp(leg, by, cause, code)
	n.judge(a, b)
}

// judge dials the next, or ends the ring, when no leg is left.
func (n *node) judge(a *channel, b *bridge) {
	for !b.dialing && a.bridge == b && b.talking == nil && len(b.legs) == 0 {
		if len(b.waiting) > 0 {
			next := b.waiting[0]
			b.waiting = b.waiting[1:]
			n.dial(a, b, next)
			continue
		}
		if len(b.later) > 0 { // nobody rings any more: the next is dialled at once
			next := slices.MinFunc(b.later, func(x, y callflows.Target) int { return cmp.Compare(x.Delay, y.Delay) })
			b.later = slices.DeleteFunc(b.later, func(t callflows.Target) bool { return t.Leg == next.Leg })
			n.dial(a, b, next)
			continue
		}
		a.bridge, a.disposition = nil, b.cause
		n.finish(a, b.app, callflows.Event{Kind: callflows.RingEnded, Cause: b.cause, Moved: a.source})
	}
}

// join lets the caller talk to the leg that answered first.
func (n *node) join(a *channel, b *bridge, leg *channel, t temper) {
	w := n.w
	n.answer(leg)
	b.talking, a.disposition = leg, "SUCCESS"
	for _, l := range slices.Clone(b.legs) {
		if l != leg {
			n.hangUp(l, callflows.ByUs, "LOSE_RACE", 0)
		}
	}
	b.legs = []*channel{leg}
	n.dropLater(a, b, "LOSE_RACE")
	n.answer(a)
	n.emit(a, callflows.Event{Kind: callflows.Bridged, Leg: leg.uuid})
	n.transfersSoon(a, leg)
	w.seeTalk(a, leg)
	if t.talks > 0 {
		leg.end = w.after(t.talks, func() { n.calleeHangsUp(a, b, leg) })
		return
	}
	a.end = w.after(w.between(time.Millisecond, 40*time.Second), func() { n.callerHangsUp(a) })
}

// calleeHangsUp ends a talk: the node hangs the caller up by itself (hangup_after_bridge). Whether the end of the bridge
// is still told as such depends on how far the hang-up has come by then.
func (n *node) calleeHangsUp(a *channel, b *bridge, leg *channel) {
	if h := leg.call.legs[leg.uuid].holder; h != leg {
		h.node.farEndHangsUp(h)
		return
	}
	n.emit(a, callflows.Event{Kind: callflows.Unbridged, Leg: a.uuid})
	n.hangUp(leg, callflows.ByFarEnd, "NORMAL_CLEARING", 0)
	if a.bridge != b {
		return
	}
	a.bridge, b.legs = nil, nil
	if n.w.chance(50) {
		n.finish(a, b.app, callflows.Event{Kind: callflows.RingEnded, Cause: "SUCCESS", Moved: a.source})
	}
	n.w.after(n.w.between(0, 5*time.Millisecond), func() { n.hangUp(a, callflows.ByUs, "NORMAL_CLEARING", 0) })
}

// leaveBridge ends what a caller who goes leaves behind. The legs go in a moment, before his own end is told or after.
func (n *node) leaveBridge(a *channel) {
	b := a.bridge
	a.bridge = nil
	cause := "ORIGINATOR_CANCEL"
	if b.talking != nil {
		cause = "NORMAL_CLEARING"
		n.emit(a, callflows.Event{Kind: callflows.Unbridged, Leg: a.uuid})
	}
	n.dropLater(a, b, cause)
	for _, l := range b.legs {
		l.end.callOff()
		if n.w.chance(50) {
			n.hangUp(l, callflows.ByUs, cause, 0)
			continue
		}
		n.w.after(n.w.between(0, 20*time.Millisecond), func() { n.hangUp(l, callflows.ByUs, cause, 0) })
	}
}
