package fstest

import (
	"slices"
	"strings"
	"time"
)

// runBridge is the bridge application: originate, then bridge
// (mod_dptools.c, audio_bridge_function).
func runBridge(c *channel, data string) {
	if data == "" {
		return
	}
	c.vars.set("originate_disposition", "failure")
	c.vars.set("DIALSTATUS", "INVALIDARGS")
	plan, err := parseDialString(data)
	if err != nil {
		c.failBridge(causeDestinationOutOfOrder)
		return
	}
	if c.answered {
		c.setCallState(callRingWait)
	}
	d := c.srv.newDial(c, plan.vars)
	peer, cause := d.run(plan)
	if c.stopped() {
		return
	}
	if peer == nil {
		if c.hungup {
			cause = causeOriginatorCancel
		}
		c.failBridge(cause)
		return
	}
	c.takePeer(peer)
	c.bridge(peer)
}

// takePeer answers, or gives early media to, the caller as the callee did.
func (c *channel) takePeer(peer *channel) {
	peer.originator = nil
	c.profile.calleeName, c.profile.calleeNumber = peer.profile.calleeName, peer.profile.calleeNumber
	if c.times.progress.IsZero() {
		c.times.progress = peer.times.progress
	}
	c.showOther("originatee", peer)
	if sdp, ok := peer.vars.get("switch_r_sdp"); ok {
		c.vars.set("switch_m_sdp", sdp)
	}
	if peer.answered {
		c.answer()
	} else {
		c.preAnswer()
	}
	c.vars.set("originate_disposition", "SUCCESS")
	c.vars.set("DIALSTATUS", "SUCCESS")
	c.vars.set("signal_bond", peer.uuid)
	if c.answered {
		c.setCallState(callActive)
	}
}

// failBridge leaves the cause on the caller, and hangs it up unless told otherwise.
func (c *channel) failBridge(cause int) {
	c.vars.set("originate_disposition", causeName(cause))
	c.vars.set("DIALSTATUS", dialStatus(cause))
	c.vars.set("originate_failed_cause", causeName(cause))
	if c.answered && !c.hungup {
		c.setCallState(callActive)
	}
	c.handleCause(cause)
}

// handleCause is switch_channel.c, switch_channel_handle_cause: without
// continue_on_fail a failure ends the caller with the callee's cause, but no
// answer never does.
func (c *channel) handleCause(cause int) {
	if !c.up() || c.redirect != nil {
		return
	}
	goOn, isSet := c.vars.get("continue_on_fail")
	failures, hasFailures := c.vars.get("failure_causes")
	switch {
	case isSet || hasFailures:
		if hasFailures && !listsCause(failures, cause) {
			return
		}
		if isSet && (isTrue(goOn) || listsCause(goOn, cause)) {
			return
		}
	case cause == causeNoAnswer, cause == causeNoUserResponse, cause == causeOriginatorCancel:
		return
	}
	c.hangup(cause)
}

// listsCause says whether a comma-separated list has the cause, by name or number.
func listsCause(list string, cause int) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(entry string) bool {
		return strings.EqualFold(entry, causeName(cause)) || entry == itoa(cause)
	})
}

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
	for c.ready() && b.up() && b.exchanging {
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
	b.exchanging = false
	b.notify()
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

// uuidBridge is switch_ivr_uuid_bridge: both channels leave what they do and
// meet; the first is the A-leg unless only the second has media.
func (s *Server) uuidBridge(first, second string) bool {
	a, ok := s.find(first)
	if !ok {
		return false
	}
	b, ok := s.find(second)
	if !ok || a == b || !a.media && !b.media {
		return false
	}
	if !a.media {
		a, b = b, a
	}
	now := itoa(int(time.Now().Unix()))
	for _, pair := range [][2]*channel{{a, b}, {b, a}} {
		one, other := pair[0], pair[1]
		one.vars.set("bridge_channel", other.name)
		one.vars.set("bridge_uuid", other.uuid)
		one.vars.set("signal_bond", other.uuid)
		one.vars.set("original_destination_number", one.profile.destination)
		one.vars.set("original_caller_id_name", one.profile.callerName)
		one.vars.set("original_caller_id_number", one.profile.callerNumber)
		source := now + ":" + one.uuid + ":uuid_br:" + other.uuid
		one.vars.set("transfer_history", source)
		one.vars.set("transfer_source", source)
		one.profile.transferSource = source
	}
	a.vars.set("uuid_bridge", b.uuid)
	if b.direction == outbound {
		a.profile.calleeName, a.profile.calleeNumber = b.profile.calleeName, b.profile.calleeNumber
	}
	a.showOther("originatee", b)
	b.showOther("originator", a)
	a.send(&redirect{peer: b, lead: true})
	b.send(&redirect{peer: a})
	a.state, b.state = csHibernate, csHibernate
	return true
}

// softExecute is a channel's part in uuid_bridge (uuid_bridge_on_soft_execute):
// both reach CS_SOFT_EXECUTE, then the A-leg bridges.
func (c *channel) softExecute(r *redirect) {
	if c.direction == outbound {
		c.hitDialplan = false
	}
	c.enter(csHibernate)
	c.enter(csReset)
	c.enter(csSoftExecute)
	r.peer.notify()
	if !r.lead {
		for c.ready() && r.peer.up() {
			c.pause(time.Time{})
		}
		if c.ready() {
			c.hangup(causeDestinationOutOfOrder)
		}
		return
	}
	for c.ready() && r.peer.up() && r.peer.running != csSoftExecute {
		c.pause(time.Time{})
	}
	if !c.ready() {
		return
	}
	if !r.peer.up() {
		c.hangup(causeDestinationOutOfOrder)
		return
	}
	c.vars.unset("uuid_bridge")
	c.fire("CHANNEL_EXECUTE", field{"Application", "uuid_bridge"}, field{"Application-Data", r.peer.uuid})
	r.peer.fire("CHANNEL_EXECUTE", field{"Application", "uuid_bridge"}, field{"Application-Data", c.uuid})
	c.bridge(r.peer)
	if c.ready() {
		// CS_EXECUTE without anything left to execute ends the call.
		c.enter(csExecute)
		c.hangup(causeNormalClearing)
	}
}
