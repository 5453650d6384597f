package sim

import (
	"maps"
	"slices"
	"time"

	"tandem/callflows"
)

// Times of calls that leave a node (nodes, departures.go).
const (
	moveLook    = 100 * time.Millisecond
	moveRepeat  = 500 * time.Millisecond
	moveGiveUp  = 25 * time.Second
	moveAgain   = 3 * time.Second
	handOverLag = 300 * time.Millisecond
)

// departure is a call on its way, as far as its worker alone needs to know.
type departure struct {
	begun, sent, away time.Duration
	legs              []string // whose dialogs are known
	firsts            map[string]*callflows.LegEnd
}

// departSoon has the calls that move looked at, again and again until there are none.
func (n *node) departSoon() {
	if n.departing {
		return
	}
	n.departing = true
	n.w.after(time.Millisecond, n.depart)
}

func (n *node) depart() {
	goesOn := n.draining
	if k := n.owner(); k != nil {
		k.departRound(n.draining)
	}
	for _, k := range n.workers { // whoever has such calls goes on when it is the owner
		for _, c := range k.order {
			goesOn = goesOn || c.state.OnTheMove()
		}
	}
	if n.departing = goesOn; goesOn {
		n.w.after(moveLook, n.depart)
	}
}

func (k *worker) departRound(wanted bool) {
	if !k.node.up && k.deceased { // its calls do not wait to be let go
		return
	}
	for _, c := range slices.Clone(k.order) {
		if !k.alive {
			return
		}
		switch phase := c.state.Phase; {
		case c.state.OnTheMove():
			if k.departDue(c) {
				k.askForMove(c)
			}
		case wanted && (phase == callflows.Running || phase == callflows.Talking) && k.w.now >= c.stays:
			k.letGo(c)
		}
	}
}

func (k *worker) departDue(c *driven) bool {
	now := k.w.now
	if c.departure == nil {
		c.departure = &departure{begun: now, sent: -moveRepeat}
	}
	d, giveUp := c.departure, moveGiveUp
	if c.state.Move.Dead {
		giveUp = rescueGiveUp
	}
	if c.state.Move.Away && d.away == 0 {
		d.away, d.sent = now, -moveRepeat
	}
	ordered := slices.ContainsFunc(c.orders, func(o callflows.Command) bool { return o.Kind == callflows.HandOver })
	switch {
	case now-d.sent < moveRepeat, c.state.Move.Away && ordered && !c.state.Move.Dead && now-d.away < handOverLag:
		return false
	case !c.state.Move.Away && now-d.begun > giveUp:
		k.moveFailed(c, "no answer", 0)
		return false
	}
	d.sent = now
	return true
}

// letGo begins to move a call if it can go now.
func (k *worker) letGo(c *driven) {
	w := k.w
	why, to := c.state.WaitsToMove(), (*node)(nil)
	if why == "" && w.chance(5) {
		why = pick(w, callflows.WaitsDialog, callflows.WaitsMedia, callflows.WaitsSize)
	}
	if why == "" {
		if to = w.destination(k.node); to == nil {
			why = callflows.WaitsNowhere
		}
	}
	if why != "" {
		w.happened("waits: " + string(why))
	}
	if why != "" && why == c.state.Move.Waits {
		return
	}
	e := callflows.Event{Kind: callflows.MoveOrdered, At: w.workerTime(), Leg: c.state.DrivenLeg(), Node: k.node.name, Cause: string(why)}
	if to != nil {
		e.Node = to.name
	}
	k.take(c, e)
	if c.state.OnTheMove() {
		w.happened("move begun")
	}
}

// askForMove tells the owner of the new node what is wanted of it, once the node has said what it knows of the legs.
func (k *worker) askForMove(c *driven) {
	d, link := c.departure, k.link
	if d.firsts == nil && (c.state.Move.Dead || k.deceased) {
		k.learnDead(c)
	}
	if d.firsts != nil {
		k.sendMove(c)
		return
	}
	if !k.connected || !k.node.up {
		return
	}
	k.soon(2*roundTrip, func() {
		if c.departure != d || c.state.Phase == callflows.Ended || k.link != link || !k.node.up {
			return
		}
		d.firsts, d.legs = map[string]*callflows.LegEnd{}, nil
		for _, l := range c.state.Legs {
			if a := k.node.channels[l.ID]; l.Created && !l.HungUp && a != nil {
				d.firsts[l.ID] = firstOf(a)
				d.legs = append(d.legs, l.ID)
			}
		}
		k.sendMove(c)
	})
}

func (k *worker) sendMove(c *driven) {
	d := c.departure
	if c.state.Move.N == 0 || d == nil || k.role != owning {
		return
	}
	m := k.message(c, moveFetch, c.state.Move.N, c.state.Move.To)
	switch {
	case c.state.Move.Away:
		picture := k.pictureOf(c)
		m.step, m.legs, m.record = moveAdopt, nil, &picture
	case len(d.legs) == 0:
		return
	}
	k.say(m)
}

func (k *worker) message(c *driven, step moveStep, n int, to string) move {
	m := move{id: moveID(c.facts.ID, n), step: step, call: k.w.byID[c.facts.ID], n: n, from: k.node, to: k.w.named(to)}
	if c.departure != nil {
		m.legs = c.departure.legs
	}
	return m
}

// moveAnswered takes what the owner of the new node says.
func (k *worker) moveAnswered(m move) {
	c := k.calls[m.call.facts.Leg]
	if k.role != owning || c == nil || c.state.Move.N == 0 || c.state.Move.N != m.n || c.state.Move.To != m.to.name {
		return
	}
	switch m.step {
	case moveFetched:
		k.legsMoved(c, m.legs)
	case moveFailed:
		k.moveFailed(c, m.why, m.code)
	case moveAdopted:
		if c.state.Move.Away {
			k.leave(c)
		}
	default:
		panic("sim: no answer to a move: " + string(m.step))
	}
}

func (k *worker) legsMoved(c *driven, legs []string) {
	d := c.departure
	if c.state.Move.Away || d == nil || d.firsts == nil {
		return
	}
	e := callflows.Event{Kind: callflows.LegsMoved, At: k.w.workerTime(), Leg: c.state.DrivenLeg(), Command: c.state.Move.N}
	for _, leg := range slices.Sorted(maps.Keys(d.firsts)) {
		e.Legs = append(e.Legs, callflows.MovedLeg{Leg: leg, Lost: !slices.Contains(legs, leg), First: d.firsts[leg]})
	}
	for _, leg := range legs {
		if d.firsts[leg] == nil {
			e.Legs = append(e.Legs, callflows.MovedLeg{Leg: leg})
		}
	}
	k.take(c, e)
}

// moveFailed lets a call stay, and be tried again after a while.
func (k *worker) moveFailed(c *driven, why string, code int) {
	if c.state.Move.Away {
		return
	}
	k.w.happened("move failed")
	if code == 0 {
		k.say(k.message(c, moveDrop, c.state.Move.N, c.state.Move.To))
	}
	if !k.alive {
		return
	}
	k.take(c, callflows.Event{Kind: callflows.MoveFailed, At: k.w.workerTime(), Leg: c.state.DrivenLeg(), Command: c.state.Move.N, Cause: why, SIPCode: code})
	again := moveAgain
	if c.state.Move.Dead {
		again = rescueAgain
	}
	c.departure, c.stays = nil, k.w.now+again*time.Duration(max(1, c.state.Move.Tries))
}

// leave forgets a call that another node's owner drives, and hangs up what is left of it here.
func (k *worker) leave(c *driven) {
	w, link := k.w, k.link
	var legs []string
	for _, l := range c.state.Legs {
		if l.Created && !l.HungUp {
			legs = append(legs, l.ID)
		}
	}
	w.tell(k.name, "forgets %s, which has moved", short(c.facts.Leg))
	c.state.Phase, c.carried = callflows.Ended, nil
	k.effect(func() { k.ship(c) })
	k.forget(c)
	k.effect(func() {
		if !k.connected {
			return
		}
		w.after(roundTrip, func() {
			if k.link != link && w.chance(50) {
				return
			}
			for _, leg := range legs {
				k.node.kill(leg)
			}
		})
	})
}

// handOver is what the old node is ordered when a call leaves it.
func (n *node) handOver(o order) reply {
	for _, l := range o.gone {
		if a := n.channels[l]; a != nil {
			a.goneBy = o.call.facts.ID
		}
	}
	if t := n.w.tapes[o.command.File]; o.command.File != "" && t != nil && t.until == 0 {
		t.until = n.w.now
	}
	n.breakOff(o.command.Leg)
	return reply{}
}

// goneLegs are the legs that a hand-over leaves at the old node.
func goneLegs(c *driven, command callflows.Command) (legs []string) {
	for _, l := range c.state.Legs {
		if command.Kind == callflows.HandOver && l.Created && !l.HungUp && !l.Behind {
			legs = append(legs, l.ID)
		}
	}
	return legs
}
