package fstest

import (
	"slices"
	"time"
)

// hangup ends a channel (switch_channel_perform_hangup). Its goroutine does the
// rest as soon as it has left its applications; further hang-ups do nothing.
func (c *channel) hangup(cause int) {
	if c.hungup || c.destroyed {
		return
	}
	c.hungup, c.cause, c.state = true, cause, csHangup
	c.tellOtherLegs()
	c.fire("CHANNEL_HANGUP")
	c.notify()
}

// tellOtherLegs leaves this leg's cause on the leg that it is bridged with or
// dialled for.
func (c *channel) tellOtherLegs() {
	others := slices.Clone(c.dialled)
	if c.partner != nil {
		role := "originatee"
		if c.originated {
			role = "originator"
		}
		c.vars.set("last_bridge_role", role)
		others = append(others, c.partner)
	} else if c.originator != nil {
		others = append(others, c.originator)
	}
	specific, _ := c.vars.get("proto_specific_hangup_cause")
	for _, other := range others {
		if other.hungup {
			continue
		}
		other.vars.set("last_bridge_hangup_cause", causeName(c.cause))
		if specific != "" {
			other.vars.set("last_bridge_proto_specific_hangup_cause", specific)
		}
		if c.leg != nil && c.leg.hangupPhrase != "" {
			other.vars.set("sip_hangup_phrase", c.leg.hangupPhrase)
		}
	}
}

// finish is the end of a channel's goroutine: CS_HANGUP, CS_REPORTING, CS_DESTROY.
func (c *channel) finish() {
	if c.stopped() {
		c.forget()
		return
	}
	if !c.hungup {
		c.hangup(causeNormalClearing)
	}
	c.report()
	c.leaveBridge() // hung up before it had joined
	c.state = csDestroy
	c.callUUID = c.uuid
	c.vars.replace("call_uuid", c.uuid)
	c.fire("CHANNEL_DESTROY")
	c.enter(csDestroy)
	c.forget()
}

// report says goodbye to the peer and fires CHANNEL_HANGUP_COMPLETE.
func (c *channel) report() {
	if c.running == csReporting {
		return
	}
	c.enter(csHangup)
	c.stopTapes(func(tape) bool { return true })
	c.times.hangup = time.Now()
	c.setHangupVariables()
	c.setCallState(callHangup)
	c.leg.hangUp()
	c.stopSockets()
	c.enter(csReporting)
	c.fire("CHANNEL_HANGUP_COMPLETE")
}

// forget takes the channel out of the server.
func (c *channel) forget() {
	c.destroyed = true
	c.stopSockets()
	delete(c.srv.channels, c.uuid)
	c.srv.order = slices.DeleteFunc(c.srv.order, func(other *channel) bool { return other == c })
	c.notify()
	select {
	case c.srv.destroyed <- struct{}{}:
	default:
	}
	c.srv.closeWhenEmpty()
}
