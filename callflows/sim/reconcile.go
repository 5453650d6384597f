package sim

import (
	"maps"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// reconcile compares the worker's calls with the node's channels after a gap (nodes, reconcile.go), and then goes on.
func (k *worker) reconcile(then func()) {
	link := k.link
	k.soon(roundTrip, func() {
		if k.link != link || !k.w.node.up {
			return
		}
		listed := slices.Clone(k.w.node.order)
		dumps := map[string]dump{}
		for _, uuid := range listed {
			dumps[uuid] = dumpOf(k.w.node.channels[uuid])
		}
		k.soon(roundTrip, func() {
			if k.link != link || k.role != owning {
				return
			}
			k.endUnlisted(dumps)
			for _, uuid := range listed {
				c := k.calls[uuid]
				if d := dumps[uuid]; d.inbound && (c == nil && !k.gone[uuid] || c != nil && c.gaps < k.gaps) {
					k.takeUp(d, dumps)
				}
			}
			k.soon(3*roundTrip, then)
		})
	})
}

// dump is what the node says of a channel.
type dump struct {
	uuid, bridgedTo, disposition string
	inbound                      bool
	facts                        callflows.Call
	mark                         *mark
	at                           time.Time
}

func dumpOf(c *channel) dump {
	d := dump{uuid: c.uuid, inbound: c.other == nil, facts: c.call.facts, mark: c.mark, disposition: c.disposition, at: c.createdAt}
	if c.bridge != nil && c.bridge.talking != nil {
		d.bridgedTo = c.bridge.talking.uuid
	}
	return d
}

// endUnlisted closes legs that are gone, callees before their callers.
func (k *worker) endUnlisted(there map[string]dump) {
	var callers []*driven
	for _, c := range slices.Clone(k.order) {
		if c.gaps >= k.gaps {
			continue
		}
		if _, is := there[c.facts.Leg]; !is && len(c.state.Legs) == 0 {
			callers = append(callers, c)
		}
		for _, l := range slices.Clone(c.state.Legs) {
			if _, is := there[l.ID]; is || !l.Created || l.HungUp {
				continue
			}
			if l.ID == c.facts.Leg {
				callers = append(callers, c)
				continue
			}
			k.take(c, k.lost(c, l.ID))
		}
	}
	for _, c := range callers {
		if k.calls[c.facts.Leg] == c {
			k.take(c, k.lost(c, c.facts.Leg))
		}
	}
}

// lost is the end of a leg of which nobody was told.
func (k *worker) lost(c *driven, leg string) callflows.Event {
	return callflows.Event{Kind: callflows.HungUp, At: k.w.workerTime(), Leg: leg, End: &callflows.LegEnd{
		Cause: "NORMAL_UNSPECIFIED", Q850: 31, By: callflows.ByUs, CreatedAt: c.facts.StartedAt, Estimated: true}}
}

// takeUp goes on with a call after a gap: one that the worker has, or one that it adopts from its channel.
func (k *worker) takeUp(d dump, there map[string]dump) {
	w := k.w
	c := k.calls[d.uuid]
	if c == nil {
		c = k.newCall(d.facts)
		if d.mark != nil {
			w.happened("call adopted")
			c.state = d.mark.state
			c.state.Legs = slices.Clone(d.mark.state.Legs)
			c.state.Call = c.facts
			c.packed = pack(c.state)
			for _, l := range c.state.Legs {
				k.bind(l.ID, c)
			}
			k.meet(c, there)
		}
	}
	c.gaps = k.gaps
	event := k.resumption(c, d, there)
	if event.Kind == "" {
		return
	}
	ordered := c.state.Commands
	goOn := func() {
		if event.Kind == callflows.Resumed && (c.state.Commands != ordered || c.state.Ringing() && dialled(c.state)) {
			return // the end of what was broken off has taken it on, or the first leg of a ring that had just begun
		}
		if c.state.Phase != callflows.Ended && k.calls[d.uuid] == c {
			k.take(c, event)
		}
	}
	if event.Kind != callflows.Resumed {
		goOn()
		return
	}
	// A prompt that still plays would come before the one that is asked for again.
	w.happened("call resumed")
	w.after(roundTrip, func() { w.node.breakOff(d.uuid) })
	wait := 2*roundTrip + w.between(0, w.weather.jitter)
	if c.state.Ringing() { // one that had just begun tells of its first leg by then
		wait += evidenceWait
	}
	k.soon(wait, goOn)
}

// dialled says whether a dialled leg is there.
func dialled(s callflows.State) bool {
	return slices.ContainsFunc(s.Legs, func(l callflows.Leg) bool { return l.Role == messages.RoleCallee && l.Created && !l.HungUp })
}

// meet brings the legs of an adopted call up to date: its mark is from before some of them came or went, and may have had
// no room for others. Legs of a call share the first digits of their uuids.
func (k *worker) meet(c *driven, there map[string]dump) {
	prefix := c.facts.Leg[:8]
	for _, uuid := range slices.Sorted(maps.Keys(there)) {
		if !there[uuid].inbound && uuid[:8] == prefix {
			k.bind(uuid, c)
			k.take(c, callflows.Event{Kind: callflows.LegCreated, At: k.w.nodeTime(), Leg: uuid})
		}
	}
	for _, l := range slices.Clone(c.state.Legs) {
		if _, is := there[l.ID]; !is && l.Created && !l.HungUp {
			k.take(c, k.lost(c, l.ID))
		}
	}
}

// resumption is the event by which a call goes on after a gap.
func (k *worker) resumption(c *driven, d dump, there map[string]dump) callflows.Event {
	event := callflows.Event{At: k.w.nodeTime(), Leg: c.facts.Leg}
	callee := false
	for _, l := range c.state.Legs {
		_, is := there[l.ID]
		callee = callee || is && l.ID != c.facts.Leg
	}
	switch {
	case c.state.Phase == "":
		event.Kind = callflows.Parked
	case callee && c.state.Phase == callflows.Running && d.bridgedTo != "":
		event.Kind, event.Leg = callflows.Bridged, d.bridgedTo
	case callee:
		return callflows.Event{}
	case c.state.Phase == callflows.Talking:
		event.Kind, event.Command, event.Cause = callflows.RingEnded, c.state.Awaited, "NORMAL_CLEARING"
	case c.state.Ringing() && d.disposition != "" && d.disposition != "SUCCESS":
		event.Kind, event.Command, event.Cause = callflows.RingEnded, c.state.Awaited, d.disposition
	default:
		event.Kind = callflows.Resumed
	}
	return event
}
