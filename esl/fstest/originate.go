package fstest

import (
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
		d.launchNext()
		for _, leg := range d.legs {
			if leg.hungup {
				continue
			}
			alive++
			if leg.accepted || leg.confirmKey() == "" && (leg.answered || leg.early && !ignoreEarly) {
				return leg, causeLoseRace
			}
			d.passRinging(leg)
			begun := started.Add(leg.delay()) // the times of a delayed leg count from when it is dialled
			if leg.launched {
				begun = leg.launchedAt
			}
			if limit, ok := leg.vars.get("leg_progress_timeout"); ok && atoi(limit) > 0 && !leg.ringing && !leg.early {
				end := begun.Add(time.Duration(atoi(limit))*time.Second + legTimeoutSlack)
				if !time.Now().Before(end) {
					leg.hangup(causeProgressTimeout)
					alive--
					continue
				} else if end.Before(deadline) {
					deadline = end
				}
			}
			if limit, ok := leg.vars.get("leg_timeout"); ok && atoi(limit) > 0 {
				// The engine compares whole seconds with ">", so up to a second more.
				end := begun.Add(time.Duration(atoi(limit))*time.Second + legTimeoutSlack)
				if wait, ok := leg.vars.get("group_confirm_timeout"); ok && leg.answered && atoi(wait) > 0 {
					end = leg.times.answered.Add(time.Duration(atoi(wait))*time.Second + legTimeoutSlack)
				}
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

// launchNext dials the leg whose leg_delay_start is the shortest when no other leg is under way
// (switch_ivr_originate.c, check_per_channel_timeouts).
func (d *dial) launchNext() {
	var next *channel
	for _, leg := range d.legs {
		switch {
		case leg.hungup:
		case leg.launched:
			return
		case next == nil || leg.delay() < next.delay():
			next = leg
		}
	}
	if next != nil {
		d.srv.begin(next)
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
		if leg == winner {
			continue
		}
		if reason == causeLoseRace && !leg.hungup {
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
		return listPrefix + strings.Join(values, listMark)
	}
}
