package fstest

import (
	"strconv"
	"time"
)

// profile is the caller profile of a channel (switch_caller.h).
type profile struct {
	direction, logicalDirection     string
	username, dialplan              string
	callerName, callerNumber        string
	origCallerName, origCallerNum   string
	calleeName, calleeNumber        string
	networkAddr, ani, rdnis         string
	destination, source, context    string
	transferSource, uuid, channelID string
}

// fields are the profile's headers under a prefix ("Caller" or "Other-Leg"),
// in the order of switch_caller_profile_event_set_data.
func (p *profile) addTo(e *event, prefix string, t *times, index bool) {
	add := func(name, value string) { e.add(prefix+"-"+name, value) }
	add("Direction", p.direction)
	add("Logical-Direction", p.logicalDirection)
	add("Username", p.username)
	add("Dialplan", p.dialplan)
	add("Caller-ID-Name", p.callerName)
	add("Caller-ID-Number", p.callerNumber)
	add("Orig-Caller-ID-Name", p.origCallerName)
	add("Orig-Caller-ID-Number", p.origCallerNum)
	add("Callee-ID-Name", p.calleeName)
	add("Callee-ID-Number", p.calleeNumber)
	add("Network-Addr", p.networkAddr)
	add("ANI", p.ani)
	add("RDNIS", p.rdnis)
	add("Destination-Number", p.destination)
	add("Unique-ID", p.uuid)
	add("Source", p.source)
	add("Transfer-Source", p.transferSource)
	add("Context", p.context)
	add("Channel-Name", p.channelID)
	if index {
		add("Profile-Index", "1")
	}
	add("Profile-Created-Time", micros(t.profileCreated))
	add("Channel-Created-Time", micros(t.created))
	add("Channel-Answered-Time", micros(t.answered))
	add("Channel-Progress-Time", micros(t.progress))
	add("Channel-Progress-Media-Time", micros(t.progressMedia))
	add("Channel-Hangup-Time", micros(t.hangup))
	add("Channel-Transfer-Time", micros(t.transfer))
	add("Channel-Resurrect-Time", "0")
	add("Channel-Bridged-Time", micros(t.bridged))
	add("Channel-Last-Hold", micros(t.lastHold))
	add("Channel-Hold-Accum", strconv.FormatInt(t.holdTotal.Microseconds(), 10))
	add("Screen-Bit", "true")
	add("Privacy-Hide-Name", "false")
	add("Privacy-Hide-Number", "false")
}

// fire sends an event with everything that is known of the channel.
func (c *channel) fire(name string, after ...field) { c.fireWith(name, nil, after) }

// fireWith puts headers before and behind the channel's own.
func (c *channel) fireWith(name string, before, after []field) {
	if !c.srv.wanted(name, "") {
		return
	}
	e := c.srv.newEvent(name, "")
	for _, f := range before {
		e.add(f.name, f.value)
	}
	c.addBasics(e)
	for _, f := range c.vars.fields {
		e.fields = append(e.fields, field{"variable_" + f.name, f.value})
	}
	for _, f := range after {
		e.add(f.name, f.value)
	}
	c.srv.fire(e)
}

// fireBasic sends an event without variables (switch_channel_event_set_basic_data).
func (c *channel) fireBasic(name string, after ...field) {
	if !c.srv.wanted(name, "") {
		return
	}
	e := c.srv.newEvent(name, "")
	c.addBasics(e)
	for _, f := range after {
		e.add(f.name, f.value)
	}
	c.srv.fire(e)
}

// addBasics is switch_channel_event_set_basic_data.
func (c *channel) addBasics(e *event) {
	e.add("Channel-State", c.running)
	e.add("Channel-Call-State", c.callState)
	e.add("Channel-State-Number", strconv.Itoa(stateNumbers[c.state]))
	e.add("Channel-Name", c.name)
	e.add("Unique-ID", c.uuid)
	e.add("Call-Direction", c.direction)
	e.add("Presence-Call-Direction", c.direction)
	e.add("Channel-HIT-Dialplan", strconv.FormatBool(c.hitDialplan))
	e.add("Channel-Call-UUID", c.callUUID)
	e.add("Answer-State", c.answerState())
	if c.hungup {
		e.add("Hangup-Cause", causeName(c.cause))
	}
	if c.media {
		codec, rate := c.leg.codecName(), "8000"
		for _, way := range []string{"Read", "Write"} {
			e.add("Channel-"+way+"-Codec-Name", codec)
			e.add("Channel-"+way+"-Codec-Rate", rate)
			e.add("Channel-"+way+"-Codec-Bit-Rate", "64000")
		}
	}
	if c.profile.direction != "" {
		c.profile.addTo(e, "Caller", &c.times, true)
	}
	if c.other != nil {
		e.add("Other-Type", c.otherType)
		var t times
		if c.otherLeg != nil && c.otherType == "originatee" {
			t = c.otherLeg.times
		}
		c.other.addTo(e, "Other-Leg", &t, false)
	}
}

// showOther makes Other-Leg-* show another channel from now on.
func (c *channel) showOther(kind string, leg *channel) {
	shown := leg.profile
	c.other, c.otherType, c.otherLeg = &shown, kind, leg
}

// setHangupVariables sets what CHANNEL_HANGUP_COMPLETE carries for a CDR
// (switch_channel.c, switch_channel_set_timestamps).
func (c *channel) setHangupVariables() {
	t := &c.times
	c.vars.set("hangup_cause", causeName(c.cause))
	c.vars.set("hangup_cause_q850", strconv.Itoa(causeQ850(c.cause)))
	c.vars.set("digits_dialed", "none")
	stamps := []struct {
		name string
		at   time.Time
	}{
		{"start", t.created}, {"profile_start", t.profileCreated}, {"answer", t.answered}, {"bridge", t.bridged},
		{"last_hold", t.lastHold}, {"resurrect", time.Time{}}, {"progress", t.progress},
		{"progress_media", t.progressMedia}, {"end", t.hangup},
	}
	for _, s := range stamps {
		if !s.at.IsZero() {
			c.vars.set(s.name+"_stamp", s.at.Format(time.DateTime))
		}
	}
	for _, s := range stamps {
		if s.name == "resurrect" {
			c.vars.set("hold_accum_seconds", strconv.FormatInt(int64(t.holdTotal/time.Second), 10))
			c.vars.set("hold_accum_usec", strconv.FormatInt(t.holdTotal.Microseconds(), 10))
			c.vars.set("hold_accum_ms", strconv.FormatInt(t.holdTotal.Milliseconds(), 10))
		}
		seconds := "0"
		if !s.at.IsZero() {
			seconds = strconv.FormatInt(s.at.Unix(), 10)
		}
		c.vars.set(s.name+"_epoch", seconds)
		c.vars.set(s.name+"_uepoch", micros(s.at))
	}
	c.vars.set("last_app", c.lastApp.name)
	c.vars.set("last_arg", c.lastApp.value)
	c.vars.set("caller_id", strconv.Quote(c.profile.callerName)+" <"+c.profile.callerNumber+">")
	c.setDurations()
}

// setDurations sets each span in seconds, milliseconds and microseconds.
// Seconds are differences of whole seconds, as FreeSWITCH computes them.
func (c *channel) setDurations() {
	t := &c.times
	spans := []struct {
		whole, milli, micro string
		from, to            time.Time
	}{
		{"duration", "mduration", "uduration", t.created, t.hangup},
		{"billsec", "billmsec", "billusec", t.answered, t.hangup},
		{"progresssec", "progressmsec", "progressusec", t.created, t.progress},
		{"answersec", "answermsec", "answerusec", t.created, t.answered},
		{"waitsec", "waitmsec", "waitusec", t.created, t.bridged},
		{"progress_mediasec", "progress_mediamsec", "progress_mediausec", t.created, t.progressMedia},
		{"flow_billsec", "flow_billmsec", "flow_billusec", t.created, t.hangup},
	}
	for _, s := range spans {
		var seconds, micro int64
		flow := s.whole == "flow_billsec" && t.answered.IsZero()
		if !s.from.IsZero() && !s.to.IsZero() && !flow {
			seconds = s.to.Unix() - s.from.Unix()
			micro = s.to.UnixMicro() - s.from.UnixMicro()
		}
		c.vars.set(s.whole, strconv.FormatInt(seconds, 10))
		c.vars.set(s.milli, strconv.FormatInt(micro/1000, 10))
		c.vars.set(s.micro, strconv.FormatInt(micro, 10))
	}
}
