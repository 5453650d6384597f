package fstest

import "time"

// ringReady is 180 Ringing and CHANNEL_PROGRESS, once.
func (c *channel) ringReady() {
	if c.direction != inbound || c.ringing || c.answered || c.early || !c.up() {
		return
	}
	c.ringing = true
	c.times.progress = time.Now()
	l := c.leg
	l.server.send(180, "Ringing", l.localTag, []field{{"Contact", "<" + l.contact + ">"}, {"Allow", allowedMethods}}, nil)
	c.vars.set("sip_to_tag", l.localTag) // here it is known before the ACK
	c.fire("CHANNEL_PROGRESS")
	c.setCallState(callRinging)
}

// prepareMedia agrees on a codec; without one in common the call ends with 488.
func (c *channel) prepareMedia() bool {
	l := c.leg
	if c.media || c.direction == outbound {
		return true
	}
	late := len(l.server.request.Body()) == 0 // the offer is ours, in the 200
	if !late && l.peer.codec == "" || !l.openMedia() {
		c.hangup(causeIncompatible)
		return false
	}
	if late {
		l.body = l.localSDP(nil)
		return true
	}
	l.body = l.localSDP(&l.peer)
	l.agree()
	l.listen(l.peer.event)
	return true
}

// preAnswer is 183 with a description: early media without media. It reports
// false when the call cannot have any.
func (c *channel) preAnswer() bool {
	if c.direction == outbound || c.early || c.answered {
		return c.up()
	}
	if !c.up() || !c.prepareMedia() {
		return false
	}
	l := c.leg
	l.server.send(183, "Session Progress", l.localTag,
		[]field{{"Contact", "<" + l.contact + ">"}, {"Allow", allowedMethods}}, l.body)
	c.markEarly()
	return true
}

// markEarly is switch_channel_mark_pre_answered.
func (c *channel) markEarly() {
	c.early = true
	c.times.progressMedia = time.Now()
	c.vars.set("endpoint_disposition", "EARLY MEDIA")
	c.fire("CHANNEL_PROGRESS_MEDIA")
	c.setCallState(callEarly)
}

// answer is 200 with a description, and CHANNEL_ANSWER. FreeSWITCH passes
// through early media on the way, so CHANNEL_PROGRESS_MEDIA comes first.
func (c *channel) answer() {
	if c.direction == outbound || c.answered || !c.up() || !c.prepareMedia() {
		return
	}
	if !c.early {
		c.markEarly()
	}
	l := c.leg
	c.answered = true
	c.times.answered = time.Now()
	c.vars.set("rtp_local_sdp_str", string(l.body))
	l.confirmed = true
	l.server.send(200, "OK", l.localTag,
		[]field{{"Contact", "<" + l.contact + ">"}, {"Allow", allowedMethods}, {"Supported", "timer"}}, l.body)
	c.fire("CHANNEL_ANSWER")
	c.vars.set("endpoint_disposition", "ANSWER")
	c.setCallState(callActive)
}
