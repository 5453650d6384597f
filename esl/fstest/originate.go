package fstest

import (
	"slices"
	"strings"
	"time"
)

// dial is one originate under way: for a caller, or for the originate command.
type dial struct {
	srv     *Server
	caller  *channel // nil for the originate command
	waiter  *channel // whose pause waits: the caller, or a stand-in for it
	vars    variables
	limit   time.Duration
	legs    []*channel
	causes  []string // "uuid;CAUSE" of every leg, for originate_causes
	legends []string // "uuid;name;number", for originated_legs
}

// newDial prepares an originate with the variables that all legs share.
func (s *Server) newDial(caller *channel, shared []field) *dial {
	d := &dial{srv: s, caller: caller, waiter: caller, limit: defaultDialTimeout}
	if caller == nil {
		d.waiter = &channel{srv: s, wake: make(chan struct{}, 1)}
	}
	for _, f := range shared {
		d.vars.set(f.name, f.value)
	}
	if caller != nil {
		// Copied from the A-leg when the dial string does not say (switch_ivr_originate.c).
		for _, name := range []string{"ignore_early_media", "ignore_ring_ready", "fail_on_single_reject"} {
			if value, ok := caller.vars.get(name); ok {
				if _, set := d.vars.get(name); !set {
					d.vars.set(name, value)
				}
			}
		}
	}
	if text, ok := d.vars.get("originate_timeout"); ok && atoi(text) > 0 {
		d.limit = time.Duration(atoi(text)) * time.Second
	}
	return d
}

// run tries the groups in order and returns the leg that answered or, unless
// early media is ignored, brought early media; else the cause of the failure.
func (d *dial) run(plan dialPlan) (*channel, int) {
	cause := causeDestinationOutOfOrder
	for _, group := range plan.groups {
		var winner *channel
		winner, cause = d.ring(group)
		if winner != nil {
			return winner, causeSuccess
		}
		if d.caller != nil && !d.caller.ready() || d.waiter.stopped() {
			break
		}
	}
	return nil, cause
}

// ring dials one group at once and waits for its outcome.
func (d *dial) ring(group []target) (winner *channel, cause int) {
	d.legs = nil
	cause = causeNone
	for _, t := range group {
		leg, failed := d.srv.newLeg(d, t)
		if leg == nil {
			cause = failed
			continue
		}
		d.legs = append(d.legs, leg)
		d.legends = append(d.legends, leg.uuid+";"+leg.profile.calleeName+";"+leg.profile.calleeNumber)
		if a := d.caller; a != nil {
			a.dialled = append(a.dialled, leg)
			a.vars.set("originated_legs", asArray(d.legends))
			a.vars.set("originate_signal_bond", leg.uuid)
		}
	}
	for _, leg := range d.legs {
		d.srv.launch(leg)
	}
	started := time.Now()
	winner, reason := d.await(started)
	d.settle(winner, reason)
	if winner != nil {
		return winner, causeSuccess
	}
	if reason != causeNone && reason != causeLoseRace {
		return nil, reason
	}
	for _, leg := range d.legs {
		if leg.cause != causeNone {
			return nil, leg.cause
		}
	}
	return nil, cause
}

// await waits until a leg wins, all have failed, the caller has gone or the
// time is over; reason is NO_ANSWER or ORIGINATOR_CANCEL in the last two cases.
func (d *dial) await(started time.Time) (winner *channel, reason int) {
	ignoreEarly := d.vars.isTrue("ignore_early_media")
	for {
		if d.waiter.stopped() || d.caller != nil && !d.caller.ready() {
			return nil, causeOriginatorCancel
		}
		deadline := started.Add(d.limit)
		alive := 0
		for _, leg := range d.legs {
			if leg.hungup {
				continue
			}
			alive++
			if leg.answered || leg.early && !ignoreEarly {
				return leg, causeLoseRace
			}
			d.passRinging(leg)
			if limit, ok := leg.vars.get("leg_timeout"); ok && atoi(limit) > 0 {
				// The engine compares whole seconds with ">", so up to a second more.
				end := started.Add(time.Duration(atoi(limit))*time.Second + legTimeoutSlack)
				if !time.Now().Before(end) {
					leg.hangup(causeAllottedTimeout)
					alive--
				} else if end.Before(deadline) {
					deadline = end
				}
			}
		}
		if alive == 0 {
			return nil, causeNone
		}
		if !time.Now().Before(deadline) && !time.Now().Before(started.Add(d.limit)) {
			return nil, causeNoAnswer
		}
		if d.caller != nil {
			d.caller.drainDigits()
			if d.caller.runQueued() {
				continue
			}
		}
		d.waiter.pause(deadline)
	}
}

// legTimeoutSlack is about what FreeSWITCH waits beyond leg_timeout.
const legTimeoutSlack = 500 * time.Millisecond

// noteRinging leaves on the caller, if there is one, who rings.
func (c *channel) noteRinging(leg *channel) {
	if c == nil || c.uuid == "" {
		return
	}
	if c.times.progress.IsZero() {
		c.times.progress = leg.times.progress
	}
	if c.profile.calleeName == "" {
		c.profile.calleeName, c.profile.calleeNumber = leg.profile.calleeName, leg.profile.calleeNumber
	}
}

// passRinging rings at the caller once a callee rings.
func (d *dial) passRinging(leg *channel) {
	a := d.caller
	if a == nil || !leg.ringing {
		return
	}
	if !d.vars.isTrue("ignore_ring_ready") && !a.answered && !a.early && !a.ringing {
		a.ringReady()
	}
}

// settle ends the legs that did not win, waits until they have ended, and
// leaves on the caller what became of each.
func (d *dial) settle(winner *channel, reason int) {
	for _, leg := range d.legs {
		if leg == winner || leg.hungup {
			continue
		}
		if reason == causeLoseRace {
			leg.vars.set("group_dial_status", "loser")
		}
		leg.hangup(reason)
		if !leg.launched {
			leg.launched = true // its leg_delay_start is not over: nobody else ends it
			leg.finish()
		}
	}
	for _, leg := range d.legs {
		for leg != winner && !leg.destroyed && !d.waiter.stopped() {
			d.waiter.pause(time.Time{})
		}
	}
	a := d.caller
	for _, leg := range d.legs {
		outcome := causeName(leg.cause)
		if leg == winner {
			outcome = "NONE"
		}
		d.causes = append(d.causes, leg.uuid+";"+outcome)
		if leg != winner {
			leg.originator = nil
		}
	}
	if a != nil {
		a.dialled = nil
		if winner != nil {
			a.vars.unset("originate_signal_bond")
		}
		a.vars.set("originate_causes", asArray(d.causes))
	}
}

// asArray is how FreeSWITCH writes a variable with several values.
func asArray(values []string) string {
	switch len(values) {
	case 0:
		return ""
	case 1:
		return values[0]
	default:
		return "ARRAY::" + strings.Join(values, "|:")
	}
}

// newLeg makes the channel of one target; nil and a cause when there can be none.
func (s *Server) newLeg(d *dial, t target) (*channel, int) {
	switch t.endpoint {
	case "sofia":
	case "error":
		return nil, causeByName(t.rest)
	default:
		return nil, causeChanNotImplemented
	}
	if s.closing || s.paused.outbound || len(s.channels) >= s.options.MaxChannels {
		return nil, causeDestinationOutOfOrder
	}
	name, destination, _ := strings.Cut(t.rest, "/")
	name, _, _ = strings.Cut(name, "@")
	id := lookup(t.vars, &d.vars, "origination_uuid")
	if !slices.Contains(s.options.Profiles, name) {
		s.destroyStillborn(id)
		return nil, causeInvalidProfile
	}
	if _, taken := s.channels[id]; taken {
		return nil, causeDestinationOutOfOrder // "Duplicate UUID!"
	}
	c := s.newChannel(id, outbound)
	c.state, c.running = csInit, csNone
	c.originator = d.caller
	if c.originator == nil {
		c.originator = d.waiter
	}
	if !c.prepareOutbound(d, t, name, destination) {
		c.forget()
		return nil, 810 // INVALID_URL
	}
	c.fire("CHANNEL_OUTGOING")
	c.setLegVariables(d, t)
	return c, causeNone
}

// destroyStillborn is what a bad profile leaves: a CHANNEL_DESTROY without a CREATE.
func (s *Server) destroyStillborn(id string) {
	c := s.newChannel(id, outbound)
	c.name, c.state, c.running = "N/A", csNew, csNone
	c.fire("CHANNEL_DESTROY")
	c.forget()
}

// lookup finds a variable on the leg first and then among the shared ones.
func lookup(own []field, shared *variables, name string) string {
	for _, f := range own {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	value, _ := shared.get(name)
	return value
}

// setLegVariables gives a new leg what the dial string and the caller say.
func (c *channel) setLegVariables(d *dial, t target) {
	if a := d.caller; a != nil {
		c.callUUID = a.uuid
		c.vars.replace("call_uuid", a.uuid)
		c.copyExports(a)
	}
	for _, f := range d.vars.fields {
		c.vars.set(f.name, f.value)
	}
	for _, f := range t.vars {
		c.vars.set(f.name, f.value)
	}
	c.vars.set("originate_early_media", "true")
	if a := d.caller; a != nil {
		c.vars.set("originating_leg_uuid", a.uuid)
	}
	c.vars.set("originate_endpoint", t.endpoint)
	if name := lookup(t.vars, &d.vars, "origination_callee_id_name"); name != "" {
		c.profile.calleeName = name
	}
	if number := lookup(t.vars, &d.vars, "origination_callee_id_number"); number != "" {
		c.profile.calleeNumber = number
	}
}

// copyExports copies the variables that the A-leg exported and, unless it says
// no, its own X- and P- headers (sofia: sip_copy_custom_headers).
func (c *channel) copyExports(a *channel) {
	names, _ := a.vars.get("export_vars")
	for _, name := range strings.Split(names, ",") {
		if value, ok := a.vars.get(name); ok {
			c.vars.set(strings.TrimPrefix(name, "nolocal:"), value)
		}
	}
	if value, ok := a.vars.get("sip_copy_custom_headers"); ok && !isTrue(value) {
		return
	}
	for _, f := range a.vars.fields {
		if strings.HasPrefix(f.name, "sip_h_") {
			c.vars.set(f.name, f.value)
		}
	}
}

// launch starts the goroutine of a leg, after its leg_delay_start.
func (s *Server) launch(c *channel) {
	start := func() {
		if !c.launched {
			c.launched = true
			s.spawn(c.runOutbound)
		}
	}
	delay, _ := c.vars.get("leg_delay_start")
	if seconds := atoi(delay); seconds > 0 {
		s.after(time.Duration(seconds)*time.Second, start)
		return
	}
	start()
}

// runOutbound is the goroutine of a call that goes out.
func (c *channel) runOutbound() {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	if !c.hungup {
		c.enter(csInit)
		c.state = csRouting
		c.leg.invite()
		c.fire("CHANNEL_CREATE")
		c.fire("CHANNEL_ORIGINATE")
		c.enter(csRouting)
		c.enter(csConsumeMedia)
	}
	for c.up() {
		if c.redirect != nil {
			c.live()
			break
		}
		if !c.runQueuedWhenAnswered() {
			c.pause(time.Time{})
		}
	}
	c.finish()
}

// runQueuedWhenAnswered runs sendmsgs to a leg that waits for its bridge.
func (c *channel) runQueuedWhenAnswered() bool {
	return c.answered && c.runQueued()
}
