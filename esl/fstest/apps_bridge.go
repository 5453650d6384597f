package fstest

import (
	"slices"
	"strings"
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
