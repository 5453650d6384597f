package sim

import (
	"fmt"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// phone is a device as it is in the world: where it is registered, and how it takes calls.
type phone struct {
	tenant, device string
	contacts       int
	moods          []mood // of which each call meets one
}

// mood is what a phone does with a call.
type mood int

const (
	answers       mood = iota // after a while
	answersAtOnce             // without ringing
	answersBriefly
	ringsOut
	isBusy
	refuses
	fails       // 503 from it or from what stands before it
	unheardOf   // 404
	unreachable // nothing comes back
	undialable  // no channel comes to be
	moods
)

func (w *world) anyPhone(tenant, device string) *phone {
	p := &phone{tenant: tenant, device: device, contacts: pick(w, 0, 1, 1, 1, 1, 2, 3)}
	if w.chance(3) {
		p.contacts = callflows.MaxTargets + w.rng.IntN(10)
	}
	for range 1 + w.rng.IntN(3) {
		p.moods = append(p.moods, mood(w.rng.IntN(int(moods))))
	}
	if w.chance(60) {
		p.moods = []mood{answers}
	}
	if len(w.nodes) > 1 && w.chance(60) {
		p.contacts, p.moods = max(1, p.contacts), []mood{answers}
	}
	return p
}

// contactsOf answers a look-up as package directory does: at once, from memory.
func (w *world) contactsOf(t *tenants.Tenant, device string) []callflows.Contact {
	if w.outageNow() {
		w.happened("look-up without an answer")
		return nil
	}
	p := w.phones[device]
	if p == nil || t == nil || t.Device(device) == nil {
		return nil
	}
	var all []callflows.Contact
	for i := range p.contacts {
		all = append(all, callflows.Contact{Device: device, URI: fmt.Sprintf("sip:%s@192.0.2.%d:5060", device, 10+i), Edge: edgeURI})
	}
	return all
}

// inCall says whether a device is in another call than this one.
func (w *world) inCall(call, device string) bool {
	for _, n := range w.nodes {
		for _, uuid := range n.order {
			c := n.channels[uuid]
			if c.call.facts.ID != call && c.other == nil && c.call.facts.Caller.Device == device {
				return true
			}
		}
	}
	return false
}

// How long anybody stays on the telephone, whatever he hears: a flow may keep him in circles for hours.
const (
	patience     = 10 * time.Minute
	mostPatience = 20 * time.Minute
)

// losesPatience books that who is at a leg hangs up in the end.
func (n *node) losesPatience(c *channel) {
	n.w.after(n.w.between(patience, mostPatience), func() {
		switch a := c.other; {
		case !c.held():
		case c.gone:
		case a == nil:
			n.callerHangsUp(c)
		case a.bridge != nil && a.bridge.talking == c:
			n.calleeHangsUp(a, a.bridge, c)
		default:
			n.hangUp(c, callflows.ByFarEnd, "NORMAL_CLEARING", 0)
		}
	})
}

// temper is what a phone will do with one call.
type temper struct {
	mood   mood
	rings  time.Duration // after the INVITE; 0: not at all
	acts   time.Duration // after the INVITE: answers, refuses ...; 0: never
	talks  time.Duration // after the answer it hangs up; 0: never
	cause  string
	code   int
	byThem bool
}

// anyTemper draws what the phone that a target leads to does.
func (w *world) anyTemper(target callflows.Target) temper {
	m := mood(w.rng.IntN(int(moods)))
	if p := w.phones[target.Device]; p != nil {
		m = pick(w, p.moods...)
	}
	if w.chance(w.weather.stale) {
		m = unreachable
	}
	t := temper{mood: m, rings: w.between(20*time.Millisecond, 500*time.Millisecond), acts: w.between(600*time.Millisecond, 12*time.Second), byThem: true}
	if w.chance(70) {
		t.talks = w.between(time.Millisecond, 40*time.Second)
	}
	switch m {
	case answersAtOnce:
		t.rings, t.acts = 0, w.between(5*time.Millisecond, 50*time.Millisecond)
	case answersBriefly:
		t.talks = w.between(time.Millisecond, 50*time.Millisecond)
	case ringsOut:
		t.acts = 0
	case isBusy:
		t.cause, t.code, t.rings = "USER_BUSY", 486, 0
		t.acts = w.between(10*time.Millisecond, 300*time.Millisecond)
	case refuses:
		t.cause, t.code = "CALL_REJECTED", 603
	case fails:
		t.cause, t.code, t.rings = "NORMAL_TEMPORARY_FAILURE", 503, 0
		t.acts = w.between(5*time.Millisecond, 3*time.Second)
	case unheardOf:
		t.cause, t.code, t.rings = "UNALLOCATED_NUMBER", 404, 0
		t.acts = w.between(10*time.Millisecond, 300*time.Millisecond)
	case unreachable:
		t.cause, t.rings, t.byThem = "NORMAL_TEMPORARY_FAILURE", 0, false
		t.acts = 20 * time.Millisecond
		if w.chance(50) {
			t.cause, t.acts = "NO_USER_RESPONSE", 32*time.Second
		}
	case undialable:
		t.cause = "DESTINATION_OUT_OF_ORDER"
	}
	return t
}
