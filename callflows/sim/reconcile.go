package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tandem/callflows"
)

// reconcile compares the worker's calls with the node's channels after a gap (nodes, reconcile.go), and then goes on.
func (k *worker) reconcile(then func()) {
	link := k.link
	k.soon(roundTrip, func() {
		if k.link != link || !k.node.up {
			return
		}
		listed := slices.Clone(k.node.order)
		dumps := map[string]dump{}
		for _, uuid := range listed {
			dumps[uuid] = dumpOf(k.node.channels[uuid])
		}
		k.soon(roundTrip, func() {
			if k.link != link || k.role != owning {
				return
			}
			k.endUnlisted(dumps)
			for _, uuid := range listed {
				c := k.calls[uuid]
				if c == nil {
					k.endOrphan(dumps[uuid], dumps)
				}
				if k.endStrays(dumps[uuid]) {
					continue
				}
				if d := dumps[uuid]; k.leads(d, dumps) && k.isStale(uuid, c) {
					k.readoptSoon(uuid, dumps)
				}
			}
			k.soon(evidenceWait+8*roundTrip, then)
		})
	})
}

// dump is what the node says of a channel.
type dump struct {
	uuid, bridgedTo, disposition string
	source, number, by           string
	inbound, waits               bool
	fetched                      bool // it has come from another node
	goneBy, movedBy              string
	facts                        callflows.Call
	mark                         *mark
	at                           time.Time
}

func dumpOf(c *channel) dump {
	d := dump{uuid: c.uuid, inbound: c.other == nil && c.movedBy == "", fetched: c.movedBy != "", goneBy: c.goneBy, movedBy: c.movedBy, facts: c.call.facts, mark: c.mark, disposition: c.disposition, at: c.createdAt,
		source: c.source, number: c.number, by: c.by, waits: c.waits}
	if d.fetched || c.call.facts.Node != c.node.name {
		d.facts.Node = c.node.name
	}
	if c.bridge != nil && c.bridge.talking != nil {
		d.bridgedTo = c.bridge.talking.uuid
	}
	if c.joined != nil {
		d.bridgedTo = c.joined.uuid
	}
	return d
}

// endUnlisted closes legs that are gone, callees before their callers.
func (k *worker) endUnlisted(there map[string]dump) {
	var callers []*driven
	for _, c := range slices.Clone(k.order) {
		if c.gaps >= k.gaps && !c.doubted && !c.moving {
			continue
		}
		c.doubted = false
		if _, is := there[c.facts.Leg]; !is && len(c.state.Legs) == 0 {
			callers = append(callers, c)
		}
		for _, l := range slices.Clone(c.state.Legs) {
			if _, is := there[l.ID]; is || !l.Created || l.HungUp {
				continue
			}
			if l.ID == c.state.DrivenLeg() {
				callers = append(callers, c)
				continue
			}
			k.take(c, k.lost(c, l.ID, ""))
		}
	}
	for _, c := range callers {
		if k.calls[c.facts.Leg] == c {
			leg := cmp.Or(c.state.DrivenLeg(), c.facts.Leg)
			k.take(c, k.lost(c, leg, passedOn(leg, there)))
		}
	}
}

// passedOn is the leg of the same call that one has transferred before it went, or "".
func passedOn(leg string, there map[string]dump) string {
	for uuid, d := range there { // there is one at most
		if d.source != "" && d.by == leg && uuid[:8] == leg[:8] {
			return uuid
		}
	}
	return ""
}

// lost is the end of a leg of which nobody was told; left is a leg that it has certainly transferred, or "".
func (k *worker) lost(c *driven, leg, left string) callflows.Event {
	end := &callflows.LegEnd{Cause: "NORMAL_UNSPECIFIED", Q850: 31, By: callflows.ByUs, CreatedAt: c.facts.StartedAt, Estimated: true, Left: left}
	for _, l := range c.state.Legs {
		if left == "" && l.Bridged && !l.HungUp && l.ID != leg {
			end.Left = l.ID
		}
	}
	return callflows.Event{Kind: callflows.HungUp, At: k.w.workerTime(), Leg: leg, End: end}
}

// isStale says whether a caller's leg has no call yet, or one from before the last gap.
func (k *worker) isStale(uuid string, c *driven) bool {
	return c == nil && !k.gone[uuid] || c != nil && !c.arriving && (c.gaps < k.gaps || c.moving && c.state.Moving())
}

// readoptSoon takes a leg up when the worker comes to it: one is asked for after the other, and may go on meanwhile.
func (k *worker) readoptSoon(uuid string, there map[string]dump) {
	link := k.link
	k.soon(k.w.between(0, 4*roundTrip), func() {
		a := k.node.channels[uuid]
		if k.link != link || a == nil {
			return
		}
		d := dumpOf(a)
		k.soon(roundTrip, func() {
			if k.link == link && k.role == owning && k.isStale(uuid, k.calls[uuid]) {
				k.readopt(d, there)
			}
		})
	})
}

// readopt takes a caller's leg up. A ring of which nothing is known, neither a leg nor its end, may have just begun: it is
// looked at again in a moment.
func (k *worker) readopt(d dump, there map[string]dump) {
	var state callflows.State
	if c := k.calls[d.uuid]; c != nil {
		state = c.state
	} else if d.mark != nil {
		state = d.mark.state
	}
	if !state.Ringing() || d.disposition != "" && d.disposition != dialling || calleeThere(d, there) {
		k.takeUp(d, there)
		return
	}
	link := k.link
	k.soon(evidenceWait, func() {
		if k.link != link || k.node.channels[d.uuid] == nil {
			return
		}
		now := map[string]dump{}
		for _, uuid := range k.node.order {
			now[uuid] = dumpOf(k.node.channels[uuid])
		}
		k.takeUp(d, now)
	})
}

// calleeThere says whether a leg that a caller's call has dialled is there. Legs of a call share the first digits of their
// uuids.
func calleeThere(d dump, there map[string]dump) bool {
	for uuid, other := range there {
		if !other.inbound && uuid != d.uuid && uuid != d.facts.Leg && uuid[:8] == d.uuid[:8] {
			return true
		}
	}
	return false
}

// takeUp goes on with a call after a gap: one that the worker has, or one that it adopts from its channel.
func (k *worker) takeUp(d dump, there map[string]dump) {
	w := k.w
	c := k.calls[d.uuid]
	if !k.isStale(d.uuid, c) {
		return
	}
	if c == nil {
		c = k.newCall(d.facts)
		if d.mark != nil {
			w.happened("call adopted")
			c.state = d.mark.state
			c.state.Legs = slices.Clone(d.mark.state.Legs)
			c.state.Call = c.facts
			restoreTransfer(&c.state, d)
			if !d.inbound && d.uuid != c.facts.Leg {
				c.state.Driven = d.uuid
				k.bind(d.uuid, c)
			}
			c.carried = nil
			for _, l := range c.state.Legs {
				k.bind(l.ID, c)
			}
			k.meet(c, there)
		}
	}
	c.gaps, c.moving = k.gaps, false
	event := k.resumption(c, d, calleeThere(d, there))
	if c.queued != 0 && c.queued == c.state.Awaited {
		return // it goes on when what it has ordered is sent
	}
	if event.Kind == callflows.Resumed && c.state.Awaited != 0 && c.taken == c.state.Awaited && c.takenOn == k.link {
		return // it goes on by what comes of an order that was taken on this connection
	}
	if event.Kind == callflows.Resumed && c.asks() {
		return // it goes on with the answer
	}
	if c.state.Paging() && (event.Kind == "" || event.Kind == callflows.Resumed) {
		k.goOn(c, callflows.Event{Kind: callflows.Resumed, At: w.workerTime(), Leg: c.state.DrivenLeg()})
		return
	}
	switch event.Kind {
	case "":
		return
	case callflows.Resumed: // what it waits for is broken off, and its end is no answer
		w.happened("call resumed")
		c.resuming = true
		c.state.Awaited = 0
		c.carried = nil
		w.after(roundTrip, func() { k.node.breakOff(d.uuid) })
		k.soon(2*roundTrip+w.between(0, w.weather.jitter), func() {
			if c.state.Awaited != 0 { // what it waits for now was ordered meanwhile
				event = callflows.Event{}
			}
			k.goOn(c, event)
		})
	default:
		k.goOn(c, event)
	}
}

// goOn steps the event by which a call goes on, unless it is over.
func (k *worker) goOn(c *driven, event callflows.Event) {
	c.resuming = false
	if event.Kind != "" && c.state.Phase != callflows.Ended && k.calls[c.facts.Leg] == c {
		k.take(c, event)
	}
}

// meet brings the legs of an adopted call up to date: its mark is from before some of them came or went, and may have had
// no room for others. Legs of a call share the first digits of their uuids.
func (k *worker) meet(c *driven, there map[string]dump) {
	prefix := c.facts.Leg[:8]
	for _, uuid := range slices.Sorted(maps.Keys(there)) {
		if !there[uuid].inbound && uuid[:8] == prefix && uuid != c.state.DrivenLeg() {
			k.bind(uuid, c)
			k.take(c, callflows.Event{Kind: callflows.LegCreated, At: k.w.nodeTime(), Leg: uuid})
		}
	}
	for _, l := range slices.Clone(c.state.Legs) {
		if _, is := there[l.ID]; !is && l.Created && !l.HungUp {
			k.take(c, k.lost(c, l.ID, ""))
		}
	}
}

// resumption is the event by which a call goes on after a gap; callee says whether a leg that it has dialled is there.
func (k *worker) resumption(c *driven, d dump, callee bool) callflows.Event {
	if e, unheard := unheardTransfer(c, d); unheard {
		e.At = k.w.nodeTime()
		return e
	}
	event := callflows.Event{At: k.w.nodeTime(), Leg: cmp.Or(c.state.DrivenLeg(), c.facts.Leg)}
	switch {
	case c.state.Phase == "":
		event.Kind = callflows.Parked
	case d.bridgedTo != "" && d.bridgedTo[:8] != d.uuid[:8] && (c.state.Phase == callflows.Running || c.state.Phase == callflows.Talking):
		event.Kind, event.Other = callflows.Joined, &callflows.Party{Leg: d.bridgedTo}
	case c.state.Joined():
		event.Kind, event.Other = callflows.Parted, &callflows.Party{}
	case callee && c.state.Phase == callflows.Running && d.bridgedTo != "":
		event.Kind, event.Leg = callflows.Bridged, d.bridgedTo
	case c.state.Moving():
		event.Kind = callflows.Resumed
	case callee && (c.state.Ringing() || c.state.Phase == callflows.Talking): // any other is one of an earlier ring or page that leaves
		return callflows.Event{}
	case c.state.Phase == callflows.Talking:
		event.Kind, event.Command, event.Cause = callflows.RingEnded, c.state.Awaited, "NORMAL_CLEARING"
	case c.state.Ringing() && d.disposition == dialling:
		return callflows.Event{}
	case c.state.Ringing() && d.disposition != "" && d.disposition != "SUCCESS":
		event.Kind, event.Command, event.Cause = callflows.RingEnded, c.state.Awaited, d.disposition
	default:
		event.Kind = callflows.Resumed
	}
	return event
}
