package fstest

import (
	"strings"
	"time"
)

// bridge joins a channel with another until one of them leaves
// (switch_ivr_bridge.c, switch_ivr_multi_threaded_bridge). It runs on the
// A-leg's goroutine; the B-leg's is in exchange meanwhile.
func (c *channel) bridge(b *channel) {
	if !c.up() || !b.up() || b.redirect != nil {
		b.hangup(causeOriginatorCancel)
		return
	}
	b.callUUID = c.uuid
	b.vars.replace("call_uuid", c.uuid)
	now := time.Now()
	c.times.bridged, b.times.bridged = now, now
	ids := []field{{"Bridge-A-Unique-ID", c.uuid}, {"Bridge-B-Unique-ID", b.uuid}}
	c.fireWith("CHANNEL_BRIDGE", ids, nil)
	c.tieVariables(b)
	c.partner, b.partner = b, c
	c.originated, b.originated = true, false
	b.exchanging = true
	b.redirect = &redirect{peer: c, dialled: true}
	b.notify()
	c.carryMedia(b)
	c.untie(b, ids)
}

// tieVariables names each leg on the other.
func (c *channel) tieVariables(b *channel) {
	for _, pair := range [][2]*channel{{c, b}, {b, c}} {
		one, other := pair[0], pair[1]
		one.vars.set("bridge_to", other.uuid)
		one.vars.set("last_bridge_to", other.uuid)
		one.vars.set("bridge_channel", other.name)
		one.vars.set("bridge_uuid", other.uuid)
		one.vars.set("signal_bond", other.uuid)
		one.vars.set("last_sent_callee_id_name", other.shownName())
		one.vars.set("last_sent_callee_id_number", other.shownNumber())
	}
}

// shownName and shownNumber are what the other party's display shows.
func (c *channel) shownName() string {
	name := c.profile.callerName
	if c.direction == outbound {
		name = c.profile.calleeName
	}
	if name == "" {
		return c.shownNumber()
	}
	return name
}

func (c *channel) shownNumber() string {
	if c.direction == outbound {
		return c.profile.calleeNumber
	}
	return c.profile.callerNumber
}

// carryMedia stands for the two media threads: it waits until a leg leaves.
func (c *channel) carryMedia(b *channel) {
	for c.ready() && b.up() && b.exchanging && b.partner == c { // it may be in another bridge by now
		if b.answered && !c.answered {
			c.answer()
			continue
		}
		c.drainDigits()
		if c.runQueued() {
			continue
		}
		c.pause(time.Time{})
	}
}

// untie ends the bridge: the B-leg leaves first, then the A-leg says UNBRIDGE
// and does what hangup_after_bridge or park_after_bridge say.
func (c *channel) untie(b *channel, ids []field) {
	if c.hungup {
		b.vars.set("bridge_hangup_cause", causeName(c.cause))
	}
	if b.partner == c {
		b.exchanging = false
		b.notify()
	}
	for b.partner == c && !c.stopped() {
		c.pause(time.Time{})
	}
	c.partner = nil
	if c.stopped() {
		return
	}
	c.vars.unset("bridge_to")
	if b.hungup {
		c.vars.set("bridge_hangup_cause", causeName(b.cause))
	}
	c.fireWith("CHANNEL_UNBRIDGE", ids, nil)
	if c.redirect != nil || !c.up() {
		return
	}
	cause := b.cause
	if cause == causeNone {
		cause = causeNormalClearing
	}
	if !b.answered {
		c.handleCause(cause)
		return
	}
	after, _ := c.vars.get("hangup_after_bridge")
	switch {
	case strings.EqualFold(after, "explicit"):
		c.hangup(cause)
	case c.vars.isTrue("park_after_bridge"):
		c.send(&redirect{actions: parkAction})
	case isTrue(after):
		c.hangup(cause)
	}
}

// exchange is the B-leg's side of a bridge (audio_bridge_on_exchange_media).
func (c *channel) exchange() {
	if c.up() {
		c.enter(csExchangeMedia)
	}
	for c.ready() && c.exchanging {
		c.drainDigits()
		if !c.runQueued() {
			c.pause(time.Time{})
		}
	}
	c.exchanging = false
	if c.up() {
		c.vars.unset("bridge_to")
	}
	switch {
	case c.stopped(), c.hungup, c.redirect != nil:
	case c.vars.isTrue("park_after_bridge"):
		c.send(&redirect{actions: parkAction})
	case !c.answered:
		c.hangup(causeOriginatorCancel)
	default:
		c.hangup(causeNormalClearing)
	}
	if c.hungup && !c.stopped() {
		c.vars.unset("bridge_to")
		c.report()
	}
	c.leaveBridge()
}

// leaveBridge tells the A-leg that this one is no longer in its bridge.
func (c *channel) leaveBridge() {
	if a := c.partner; a != nil && !c.originated {
		c.partner, c.exchanging = nil, false
		a.notify()
	}
}
