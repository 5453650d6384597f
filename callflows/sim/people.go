package sim

import (
	"fmt"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// In busy worlds people do something about the calls that they see: one picks up what rings at a colleague's, fetches what is
// parked, takes a talk over at another phone, listens in, calls a third to pass somebody on, and joins his two talks. By chance
// alone calls would meet seldom.

// mostDeeds bounds what people do in one world.
const mostDeeds = 25

// Numbers of the flows in which calls meet (addMeeting).
const (
	pickupNumber    = "302"
	pullNumber      = "305"
	eavesdropNumber = "306"
	unparkPrefix    = "7" // and the slot
)

// deed books that somebody does something, in so many of a hundred cases.
func (w *world) deed(percent int, soonest, latest time.Duration, do func()) {
	if !w.weather.busy || w.deeds >= mostDeeds || !w.chance(percent) {
		return
	}
	w.deeds++
	w.after(w.between(soonest, latest), do)
}

// dials has a device of a tenant call a number.
func (w *world) dials(tenant, device, number string) *simCall {
	t := w.snapshot.Tenant(tenant)
	if t == nil || t.Device(device) == nil {
		return nil
	}
	return w.place(w.requestOf(t, t.Device(device), number), nil)
}

// anyDevice draws a device of a tenant.
func (w *world) anyDevice(tenant string) string {
	t := w.snapshot.Tenant(tenant)
	if t == nil {
		return ""
	}
	return pick(w, t.AllDevices()...).ID
}

// requestOf is a device's INVITE.
func (w *world) requestOf(t *tenants.Tenant, d *tenants.Device, number string) routing.Request {
	r := routing.Request{Call: w.uuid(), Edge: edgeURI, Port: 5060, Transport: "udp", SIPCallID: "deed@192.0.2.44", AuthUser: d.Username, AuthRealm: t.Domain}
	r.From.User, r.To.User = d.Username, number
	return r
}

// seeRinging is when a phone begins to ring.
func (w *world) seeRinging(leg *channel) {
	tenant := leg.call.facts.Tenant
	w.deed(30, 100*time.Millisecond, 4*time.Second, func() { w.dials(tenant, w.anyDevice(tenant), pickupNumber) })
	w.deed(10, 100*time.Millisecond, 4*time.Second, func() { w.replaces(leg) })
}

// seeParked is when a call gets a slot.
func (w *world) seeParked(tenant, slot string) {
	w.deed(60, 100*time.Millisecond, 10*time.Second, func() { w.dials(tenant, w.anyDevice(tenant), unparkPrefix+slot) })
}

// seeTalk is when two begin to talk.
func (w *world) seeTalk(a, b *channel) {
	for _, c := range []*channel{a, b} {
		c.talksSince = w.now
		tenant := c.call.facts.Tenant
		w.deed(10, 100*time.Millisecond, 5*time.Second, func() { w.dials(tenant, w.colleagueOf(tenant, c.device), pullNumber) })
		w.deed(10, 100*time.Millisecond, 5*time.Second, func() { w.dials(tenant, w.anyDevice(tenant), eavesdropNumber) })
		w.deed(10, 100*time.Millisecond, 5*time.Second, func() { w.replaces(c) })
		w.deed(70, 100*time.Millisecond, 3*time.Second, func() { w.consults(c) })
	}
}

// consults is somebody who talks, and calls another for whom he has the first. In a moment he joins the two, whatever has come of it.
func (w *world) consults(first *channel) {
	if talksTo(first) == nil {
		return
	}
	c := w.dials(first.call.facts.Tenant, first.device, pick(w, "301", "301", "100", "101", "200", "201", "+12025550199"))
	if c == nil {
		return
	}
	for range 2 {
		w.after(w.between(50*time.Millisecond, 14*time.Second), func() {
			if second := w.channel(c.facts.Leg); second != nil {
				second.node.attended(pick(w, [2]*channel{first, second}, [2]*channel{second, first}))
			}
		})
	}
}

// colleagueOf is another device of the user who has one.
func (w *world) colleagueOf(tenant, device string) string {
	t := w.snapshot.Tenant(tenant)
	if t == nil || t.Device(device) == nil || t.Device(device).UserID == "" {
		return ""
	}
	for _, d := range t.DevicesOf(t.Device(device).UserID) {
		if d.ID != device {
			return d.ID
		}
	}
	return ""
}

// replaces is an INVITE that takes the place of a phone (RFC 3891).
func (w *world) replaces(leg *channel) {
	t := w.snapshot.Tenant(leg.call.facts.Tenant)
	if t == nil || leg.gone {
		return
	}
	w.happened("phone replaced")
	r := w.requestOf(t, t.Device(w.anyDevice(t.ID)), "*8")
	r.Replaces = fmt.Sprintf("%s;to-tag=1;from-tag=2", leg.uuid)
	if w.chance(10) {
		r.Replaces += ";early-only"
	}
	w.place(r, &routing.Joins{Call: leg.call.facts.ID, Leg: leg.uuid, Node: leg.node.name, Answered: leg.answeredAt != nil, Caller: leg.role == messages.RoleCaller})
}

// knownLeg is the leg that the named one talks to, or is rung for (directory, find.go).
func (k *worker) knownLeg(w callflows.Wanted) *callflows.Found {
	c := k.calls[w.Leg]
	if c == nil || c.facts.ID != w.Call {
		return nil
	}
	for _, l := range c.state.Legs {
		switch {
		case l.ID != w.Leg || l.HungUp || len(w.Devices) > 0 && !slices.Contains(w.Devices, l.Device):
		case l.With != nil && l.Joined:
			return &callflows.Found{Party: *k.party(l.With.Leg), Answered: true}
		case l.ID == c.state.DrivenLeg():
			for _, other := range c.state.Legs {
				if other.Bridged && !other.HungUp {
					return &callflows.Found{Party: *k.party(other.ID), Answered: true}
				}
			}
		case l.Bridged:
			return &callflows.Found{Party: *k.party(c.state.DrivenLeg()), Answered: true}
		case !l.Answered && l.With == nil && c.state.Ringing():
			return &callflows.Found{Party: *k.party(c.state.DrivenLeg())}
		}
	}
	return nil
}
