package fstest

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// runInbound is the goroutine of a call that came in: it parks.
func (c *channel) runInbound() {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.enter(csNew)
	c.setInboundProfile()
	c.enter(csInit)
	c.state = csRouting
	c.fire("CHANNEL_CREATE")
	c.running = csRouting
	c.hitDialplan = true
	c.setCallState(callRinging)
	c.enter(csRouting)
	c.enter(csExecute)
	c.runActions(parkAction)
	c.live()
	c.finish()
}

// live does whatever the channel is sent to, until it hangs up.
func (c *channel) live() {
	for c.up() && c.redirect != nil {
		r := c.redirect
		c.redirect = nil
		c.drainDigits()
		if !r.dialled {
			c.leaveBridge() // sent elsewhere before it had joined
		}
		switch {
		case r.peer != nil && r.dialled:
			c.exchange()
		case r.peer != nil:
			c.softExecute(r)
		default:
			c.hitDialplan = true
			if !r.direct {
				c.enter(csRouting)
			}
			c.enter(csExecute)
			c.runActions(r.actions)
		}
	}
}

// runActions executes a dialplan. A call that comes to its end is hung up
// (switch_core_standard_on_execute).
func (c *channel) runActions(actions []action) {
	for _, a := range actions {
		if !c.ready() {
			return
		}
		c.execute(a.app, a.data, uuid.NewString())
	}
	if c.ready() {
		c.hangup(causeNormalClearing)
	}
}

// enqueue adds a sendmsg; false when the queue is full.
func (c *channel) enqueue(cmd *command) bool {
	if len(c.queue) >= maxQueuedMessages {
		return false
	}
	c.queue = append(c.queue, cmd)
	c.notify()
	return true
}

// runQueued runs the next queued sendmsg and reports whether there was one. One
// with event-lock keeps the others waiting; one without lets them run inside it
// (switch_ivr.c, switch_ivr_parse_event).
func (c *channel) runQueued() bool {
	if len(c.queue) == 0 || c.locked > 0 || c.depth > maxNesting || !c.ready() {
		return false
	}
	cmd := c.queue[0]
	c.queue = c.queue[1:]
	if isTrue(cmd.get("event-lock")) {
		c.locked++
		defer func() { c.locked-- }()
	}
	c.depth++
	defer func() { c.depth-- }()
	switch strings.ToLower(cmd.get("call-command")) {
	case "execute":
		c.executeMessage(cmd)
	case "hangup":
		cause := causeNormalClearing
		if name := cmd.get("hangup-cause"); name != "" {
			cause = causeByName(name)
		}
		c.hangup(cause)
	}
	after := []field{{"Command", cmd.line}}
	c.fire("PRIVATE_COMMAND", append(after, cmd.fields...)...)
	return true
}

// executeMessage runs the application of a sendmsg.
func (c *channel) executeMessage(cmd *command) {
	app := cmd.get("execute-app-name")
	if app == "" {
		return
	}
	data := cmd.get("execute-app-arg")
	if data == "" && strings.EqualFold(cmd.get("content-type"), "text/plain") {
		data = cmd.body
	}
	id := cmd.get("event-uuid")
	c.vars.set("current_loop", "1")
	c.vars.set("total_loops", "1")
	if _, known := c.srv.applications[strings.ToLower(app)]; !known {
		// switch_core_session_execute_application: no event, the call ends.
		c.vars.set("app_uuid", id)
		c.hangup(causeDestinationOutOfOrder)
	} else {
		if id == "" {
			id = uuid.NewString()
		}
		c.execute(app, data, id)
	}
	c.vars.unset("current_loop")
	c.vars.unset("total_loops")
}

// execute runs one application between its two events (switch_core_session_exec).
func (c *channel) execute(name, data, id string) {
	app, known := c.srv.applications[strings.ToLower(name)]
	if !known {
		c.hangup(causeDestinationOutOfOrder)
		return
	}
	if app.needsMedia && !c.media && c.direction == inbound && !c.preAnswer() {
		return
	}
	name = strings.ToLower(name)
	data = c.vars.expand(data, c.srv.globals.get)
	c.lastApp = field{name, data}
	c.vars.set("current_application", name)
	c.vars.set("current_application_data", data)
	c.vars.unset("current_application_response")
	about := []field{{"Application", name}, {"Application-Data", data}}
	c.fire("CHANNEL_EXECUTE", append(about, field{"Application-UUID", id})...)
	c.broken = false
	app.run(c, data)
	if c.stopped() {
		return
	}
	response, ok := c.vars.get("current_application_response")
	if !ok {
		response = "_none_"
	}
	c.fire("CHANNEL_EXECUTE_COMPLETE", append(about, field{"Application-Response", response}, field{"Application-UUID", id})...)
}

// idle waits inside an application until the deadline (zero: for ever), until
// stop says so, or until the channel has to leave; queued sendmsgs run meanwhile.
func (c *channel) idle(deadline time.Time, stop func() bool) {
	for c.ready() {
		if stop != nil && stop() {
			return
		}
		if c.runQueued() {
			continue
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return
		}
		c.pause(deadline)
	}
}

// drainDigits consumes the digits that nobody asked for, with their events.
func (c *channel) drainDigits() {
	for len(c.digits) > 0 {
		c.takeDigit()
	}
}

// takeDigit reads the next digit (switch_channel_dequeue_dtmf).
func (c *channel) takeDigit() digit {
	d := c.digits[0]
	c.digits = c.digits[1:]
	c.fireBasic("DTMF", field{"DTMF-Digit", string(d.key)}, field{"DTMF-Duration", itoa(d.duration)}, field{"DTMF-Source", d.source})
	return d
}
