package sim

import (
	"slices"
	"strconv"
	"time"

	"tandem/callflows"
)

// Times of calls that come from another node (nodes, arrivals.go and fetching.go).
const (
	arrivalWait  = 30 * time.Second
	fetchAnswer  = 5 * time.Second
	fetchTries   = 3
	glareLeast   = 2100 * time.Millisecond
	glareMost    = 4 * time.Second
	requestGlare = 491
	unknownThere = 481
	askedLately  = time.Second // what nobody asks for any more is not begun
	unsureOf     = -1          // what has come of it is not known
)

// arrival is a call that comes from another node, until it is driven here.
type arrival struct {
	move    move
	answer  *move // nil while legs are fetched
	began   time.Duration
	asked   time.Duration // when that was last asked for
	dropped bool
}

func moveID(call string, n int) string { return call + "/" + strconv.Itoa(n) }

// takeMove does what the owner of another node asks for.
func (k *worker) takeMove(m move) {
	if k.role != owning {
		return
	}
	switch m.step {
	case moveFetch:
		k.fetchCall(m)
	case moveAdopt:
		k.adoptMoved(m)
	case moveDrop:
		k.dropMoved(m)
	default:
		panic("sim: no step of a move: " + string(m.step))
	}
}

func (k *worker) fetchCall(m move) {
	if k.calls[m.call.facts.Leg] != nil || k.adopted[m.id] { // it is driven here, or was: this is late
		return
	}
	if had := k.arrivals[m.id]; had != nil {
		had.asked = k.w.now
		if had.answer != nil {
			k.say(*had.answer)
		}
		return
	}
	a := &arrival{move: m, asked: k.w.now, began: k.w.now}
	k.arrivals[m.id] = a
	answer := m.answer(moveFailed)
	left := len(m.legs)
	for _, leg := range m.legs {
		k.fetchLeg(m, leg, 1, func(code int, why string) {
			if left--; why == "" {
				answer.legs = append(answer.legs, leg)
			} else {
				answer.code, answer.why = code, why
			}
			if left == 0 {
				k.fetched(a, answer)
			}
		})
	}
}

// fetched says what came of it.
func (k *worker) fetched(a *arrival, answer move) {
	if len(answer.legs) > 0 {
		answer.step, answer.code, answer.why = moveFetched, 0, ""
		slices.Sort(answer.legs)
	}
	a.answer = &answer // also one that has failed: the next attempt has another name
	if a.dropped {
		delete(k.arrivals, a.move.id)
		k.hangUpFetched(a.move)
		return
	}
	k.say(answer)
	if answer.step == moveFetched {
		k.soon(arrivalWait, func() {
			if k.arrivals[a.move.id] == a && k.calls[a.move.call.facts.Leg] == nil || k.w.plant.Abandons {
				k.w.happened("arrival abandoned")
				delete(k.arrivals, a.move.id)
				k.hangUpFetched(a.move)
			}
		})
	}
}

// fetchLeg takes a dialog over. done is told the phone's answer, if there was one, and why it has not come to be, "" if it has.
func (k *worker) fetchLeg(m move, leg string, try int, done func(code int, why string)) {
	w, link := k.w, k.link
	over := false
	finish := func(code int, why string) {
		if over {
			return
		}
		over = true
		if a := k.arrivals[m.id]; code == unsureOf && (a == nil || w.now-a.began > arrivalWait) {
			done(0, why)
			return
		}
		if code == unsureOf { // whether the phone has taken it, the node says when it is reached again
			k.soon(moveLook, func() { k.fetchLeg(m, leg, try, done) })
			return
		}
		if code == requestGlare && try < fetchTries {
			k.soon(w.between(glareLeast, glareMost), func() { k.fetchLeg(m, leg, try+1, done) })
			return
		}
		done(code, why)
	}
	if a := k.arrivals[m.id]; !k.connected || !k.node.up || a != nil && k.w.now-a.asked > askedLately {
		k.soon(time.Millisecond, func() { finish(unsureOf, "no connection") })
		return
	}
	k.soon(roundTrip, func() {
		if k.link != link {
			finish(unsureOf, "the connection is lost")
			return
		}
		if k.node.dialling[leg] == m.id { // by an owner who has died: the phone has not answered yet
			k.soon(moveLook, func() { k.fetchLeg(m, leg, try, done) })
			return
		}
		if a := k.node.channels[leg]; a != nil && a.movedBy == m.id {
			finish(0, "")
			return
		}
		k.effect(func() {
			k.node.takeDialog(m, leg, func(code int, why string) {
				if k.alive {
					k.soon(roundTrip, func() {
						if k.link == link {
							finish(code, why)
						}
					})
				}
			})
			k.untilLost(link, w.now+2*fetchAnswer, func() bool { return over }, finish)
		})
	})
}

// untilLost waits for the node's word on a leg, as long as the connection lasts.
func (k *worker) untilLost(link int, until time.Duration, over func() bool, finish func(code int, why string)) {
	k.soon(moveLook, func() {
		switch {
		case over():
		case k.link != link:
			finish(unsureOf, "the connection is lost")
		case k.w.now > until:
			finish(unsureOf, "no answer of the node")
		default:
			k.untilLost(link, until, over, finish)
		}
	})
}

// dropMoved hangs up what was fetched of a call that has ended.
func (k *worker) dropMoved(m move) {
	a := k.arrivals[m.id]
	k.adopted[m.id] = true // a fetch that comes later is late
	switch {
	case a != nil && a.answer == nil:
		a.dropped = true
		return
	case a != nil:
		m = a.move
	}
	delete(k.arrivals, m.id)
	k.hangUpFetched(m)
}

// hangUpFetched hangs up those legs of a call that are here by its move.
func (k *worker) hangUpFetched(m move) {
	link := k.link
	if !k.connected {
		return
	}
	k.soon(2*roundTrip, func() {
		if k.link != link {
			return
		}
		for _, leg := range m.legs {
			if a := k.node.channels[leg]; a != nil && a.movedBy == m.id {
				k.node.kill(leg)
			}
		}
	})
}

// adoptMoved drives a call from now on whose legs are here.
func (k *worker) adoptMoved(m move) {
	if c := k.calls[m.call.facts.Leg]; c != nil && c.state.Move.Away && c.state.Move.N == m.n {
		return // it waits for its version
	} else if c != nil || k.adopted[m.id] {
		k.say(m.answer(moveAdopted))
		return
	}
	link := k.link
	if !k.connected || !k.node.up { // it is asked for again
		return
	}
	k.soon(2*roundTrip, func() {
		if k.link != link || k.calls[m.call.facts.Leg] != nil || k.adopted[m.id] {
			return
		}
		over := k.gone[m.call.facts.Leg] && k.arrivals[m.id] == nil && !k.isHere(m)
		delete(k.arrivals, m.id)
		if k.adopted[m.id] = true; !over { // it was driven by another worker of this node's
			k.arrive(m)
		}
		if c := k.calls[m.call.facts.Leg]; k.alive && (c == nil || !c.state.Move.Away) {
			k.say(m.answer(moveAdopted))
		}
	})
}

// isHere says whether any leg is here by a move.
func (k *worker) isHere(m move) bool {
	for _, l := range m.record.carried.arrived().Legs {
		if a := k.node.channels[l.ID]; a != nil && a.movedBy == m.id {
			return true
		}
	}
	return false
}

// arrive makes a call of what its last node's owner knew of it.
func (k *worker) arrive(m move) {
	w, r := k.w, m.record
	w.happened("call moved")
	c := &driven{facts: r.facts, gaps: beforeAnyGap, steps: r.steps, arriving: true}
	c.facts.Node = k.node.name
	c.state, c.carried = *r.carried.arrived(), &carried{packed: r.carried.packed}
	w.checkArrival(k, m.from, c)
	k.pinned(c)
	k.bind(c.facts.Leg, c)
	for _, l := range c.state.Legs {
		if !l.HungUp {
			k.bind(l.ID, c)
		}
	}
	k.order = append(k.order, c)
	there := slices.ContainsFunc(r.waits, func(x wait) bool { return x.n == c.state.Awaited })
	for _, x := range r.waits {
		k.await(c, x)
	}
	for _, q := range r.asked {
		k.ask(c, q)
	}
	ended := k.endedEarly(c, m.id)
	k.take(c, callflows.Event{Kind: callflows.Moved, At: w.workerTime(), Leg: c.state.DrivenLeg(), Node: k.node.name, There: there || c.asks()})
	for _, e := range ended {
		if k.alive && c.state.Phase != callflows.Ended {
			k.take(c, e)
		}
	}
	if c.gaps = k.gaps; k.alive && len(ended) > 0 && c.state.Phase != callflows.Ended {
		k.effect(func() { k.ship(c) })
	}
}

// markMoved lets the driven leg of a call that has come carry what a worker needs that knows nothing of it.
func (k *worker) markMoved(c *driven) {
	w := k.w
	if !k.alive || c.state.Phase == callflows.Ended {
		return
	}
	k.outbox = append(k.outbox, order{driven: c, call: w.byID[c.facts.ID], command: callflows.Command{Leg: c.state.DrivenLeg()}, mark: markOf(c.state), ready: w.now, until: w.now + resendWait})
	k.pump()
}

// endedEarly are the ends of legs that were over before their call was driven here: those that were told, and those that are not there.
func (k *worker) endedEarly(c *driven, move string) (all []callflows.Event) {
	for _, l := range c.state.Legs {
		e, told := k.early[l.ID]
		delete(k.early, l.ID)
		switch {
		case !l.Created || l.HungUp || l.Behind:
		case told && e.movedBy == move:
			k.w.happened("BYE stepped after a move")
			all = append(all, e.event)
		case k.node.channels[l.ID] == nil:
			all = append(all, k.lost(c, l.ID, ""))
		}
	}
	return all
}

// endStrays hangs up channels that nobody drives: of calls that have left, or that are over, or that were fetched and not handed over.
func (k *worker) endStrays(d dump) bool {
	link := k.link
	switch {
	case k.calls[d.uuid] != nil:
		return false
	case d.goneBy != "", d.movedBy != "" && k.adopted[d.movedBy], d.movedBy == "" && k.gone[d.uuid]:
		k.kill(d.uuid, link)
		return true
	case d.movedBy != "" && d.mark == nil:
		k.soon(arrivalWait, func() {
			a := k.node.channels[d.uuid]
			if k.calls[d.uuid] == nil && k.arrivals[d.movedBy] == nil && k.role == owning && k.link == link && a != nil && a.movedBy == d.movedBy {
				k.w.happened("stray ended")
				k.kill(d.uuid, link)
			}
		})
		return true
	}
	return false
}

func (k *worker) kill(leg string, link int) {
	k.w.after(roundTrip, func() {
		if k.link == link {
			k.node.kill(leg)
		}
	})
}
