package fstest

import (
	"slices"
	"strings"
	"time"
)

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
	if delay := c.delay(); delay > 0 {
		s.after(delay+legTimeoutSlack, func() { s.begin(c) }) // whole seconds are compared with ">"
		return
	}
	s.begin(c)
}

// begin starts the goroutine of a leg, unless that was done.
func (s *Server) begin(c *channel) {
	if !c.launched {
		c.launched, c.launchedAt = true, time.Now()
		s.spawn(c.runOutbound)
	}
}

// delay is a leg's leg_delay_start.
func (c *channel) delay() time.Duration {
	seconds, _ := c.vars.get("leg_delay_start")
	return time.Duration(max(0, atoi(seconds))) * time.Second
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
		if c.answered && c.confirmKey() != "" && !c.accepted {
			c.confirm()
			continue
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
