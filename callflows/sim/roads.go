package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// In some worlds there are two or three media nodes, which are emptied by moving their calls (docs/decisions/0021). What only these
// worlds have is drawn from a generator of its own, so that the others are what they were.

// roads are what lies between nodes.
type roads struct {
	nodes  int
	drains int           // how often a node is emptied
	delay  time.Duration // of a message between owners, at most
	lost   int           // in a hundred messages, so many are lost
	twice  int           // so many come again
	stolid int           // in a hundred re-INVITEs, so many are not taken by the phone
	hasty  int           // in a hundred legs that have been fetched, so many are hung up by their phone at once
	graves int           // deaths of nodes that last
	aimed  int           // in a hundred moves, at so many workers die or lose their connection in between
}

// Times and shares of moves.
const (
	movingStream = 0x726f616473
	movingWorlds = 25 // in a hundred
	mostDrains   = 4
	drainsWithin = 60 * time.Second
)

func (w *world) drawRoads() roads {
	rng := rand.New(rand.NewPCG(w.seed, movingStream))
	x := roads{nodes: 1}
	if rng.IntN(100) >= movingWorlds && !w.plant.Moves {
		return x
	}
	x.nodes, x.drains, x.delay = 2+rng.IntN(2), 1+rng.IntN(mostDrains), time.Duration(1+rng.IntN(20))*time.Millisecond
	x.stolid, x.hasty = rng.IntN(30), rng.IntN(20)
	if rng.IntN(3) > 0 {
		x.aimed = rng.IntN(40)
	}
	if rng.IntN(2) > 0 {
		x.lost, x.twice = rng.IntN(40), rng.IntN(30)
	}
	if rng.IntN(5) < 2 {
		x.graves = 1
	}
	if rng.IntN(4) == 0 {
		x.delay = time.Duration(1+rng.IntN(1500)) * time.Millisecond
	}
	return x
}

// expectMoves books when nodes are emptied, and when that is stopped.
func (w *world) expectMoves() {
	for range w.roads.graves {
		w.at(w.between(5*time.Second, faultsWithin), func() { w.anyNode().perish() })
	}
	for range w.roads.drains {
		n := w.nodes[0]
		if w.chance(30) {
			n = w.anyNode()
		}
		from := w.between(0, faultsWithin)
		w.at(from, func() { n.drain(true) })
		w.at(min(from+w.between(10*time.Millisecond, 25*time.Second), drainsWithin), func() { n.drain(false) })
	}
}

// lasting are the numbers of flows in which callers talk or stay for a while: others are over before they can move.
func lasting() []string { return []string{"401", "401", "402", "403"} }

func (w *world) addLasting(t *tenants.Tenant, p *tenants.Published, flows, others int) {
	var users []string
	for _, u := range t.Users {
		users = append(users, u.ID)
	}
	first := tenants.Element{Type: "answer", Settings: pack(map[string]any{}), Exits: map[string]string{"next": "r"}}
	if w.chance(50) {
		first = tenants.Element{Type: "record", Settings: pack(map[string]any{"action": "start"}), Exits: map[string]string{"next": "r", "unavailable": "r"}}
	}
	talk := map[string]tenants.Element{"e": first,
		"r": {Type: "ring", Settings: pack(map[string]any{"users": users, "seconds": 20}), Exits: map[string]string{"no_answer": "p", "busy": "p", "rejected": "p", "failed": "p", "unavailable": "p"}},
		"p": {Type: "play", Settings: pack(map[string]any{"prompt": t.ID + "/sorry"}), Exits: map[string]string{"next": "r"}}}
	p.Flows = append(p.Flows, tenants.Flow{ID: t.ID + "-talk", Name: "Talk", Start: "e", Elements: talk})
	p.Routes = append(p.Routes, tenants.Route{Dialled: "401", FlowID: t.ID + "-talk"})
	for _, number := range []string{"402", "403"} {
		f := tenants.Flow{ID: t.ID + "-stay" + number, Name: "Stay", Start: "a", Elements: map[string]tenants.Element{
			"a": {Type: "answer", Settings: pack(map[string]any{}), Exits: map[string]string{"next": "e0"}}}}
		n := 2 + w.rng.IntN(4)
		for i := range n {
			kind := &w.lasts[w.rng.IntN(len(w.lasts))]
			e := tenants.Element{Type: kind.Type, Exits: map[string]string{}}
			e.Settings = w.anySettings(kind, func(what callflows.Reference) string { return w.anyName(what, t, flows, others) })
			exits, err := callflows.ExitNames(e.Type, e.Settings)
			if err != nil {
				panic("sim: settings are refused: " + err.Error())
			}
			for _, exit := range exits {
				e.Exits[exit] = fmt.Sprintf("e%d", w.rng.IntN(n))
			}
			f.Elements[fmt.Sprintf("e%d", i)] = e
		}
		for i := range n { // what is not reached is a fault of a flow
			reached := map[string]bool{}
			reach(f, f.Start, reached)
			if key := fmt.Sprintf("e%d", i); !reached[key] {
				delete(f.Elements, key)
			}
		}
		p.Flows = append(p.Flows, f)
		p.Routes = append(p.Routes, tenants.Route{Dialled: number, FlowID: f.ID})
	}
}

// drain has a node emptied, or not any more.
func (n *node) drain(moving bool) {
	if n.draining == moving {
		return
	}
	n.w.happened("node drained")
	n.w.tell(n.name, "is emptied: %t", moving)
	if n.draining = moving; moving {
		n.departSoon()
	}
}

// move is what the owners of two nodes say to each other: call.move.v1 and call.moved.v1.
type move struct {
	id       string
	step     moveStep
	call     *simCall
	n        int // of the command
	from, to *node
	legs     []string
	record   *shipped // adopt
	code     int      // failed
	why      string
}

type moveStep string

const (
	moveFetch   moveStep = "fetch"
	moveAdopt   moveStep = "adopt"
	moveDrop    moveStep = "drop"
	moveFetched moveStep = "fetched"
	moveFailed  moveStep = "failed"
	moveAdopted moveStep = "adopted"
)

func (m move) answer(step moveStep) move {
	return move{id: m.id, step: step, call: m.call, n: m.n, from: m.from, to: m.to}
}

// say sends a message. It goes to all workers, of whom the owner of the node that it is for acts, if it has one then.
func (k *worker) say(m move) {
	w := k.w
	k.effect(func() {
		times := 1
		switch {
		case w.chance(w.roads.lost):
			w.happened("message lost")
			times = 0
		case w.chance(w.roads.twice):
			w.happened("message doubled")
			times = 2
		}
		w.tell(k.name, "says %s of %s", m.step, m.id)
		for range times {
			w.after(w.between(time.Millisecond, w.roads.delay), func() { w.deliver(m) })
		}
		w.aim(m)
	})
}

func (w *world) deliver(m move) {
	answer := m.step == moveFetched || m.step == moveFailed || m.step == moveAdopted
	to := m.to
	if answer {
		to = m.from
	}
	k := to.owner()
	switch {
	case k == nil:
		w.tell(to.name, "has no owner who would hear %s of %s", m.step, m.id)
	case answer:
		k.moveAnswered(m)
	default:
		k.takeMove(m)
	}
}

// aim lets something happen to a worker while a call moves.
func (w *world) aim(m move) {
	if !w.chance(w.roads.aimed) || w.weather.deaths+w.weather.gaps == 0 || w.aimed >= mostAimed {
		return
	}
	w.aimed++
	n := pick(w, m.from, m.to)
	k := pick(w, n.workers...)
	if owner := n.owner(); owner != nil && w.chance(75) {
		k = owner
	}
	w.after(w.between(0, 100*time.Millisecond), func() {
		switch {
		case !k.alive:
		case w.weather.gaps > 0 && w.chance(50):
			k.cut(w.between(time.Millisecond, 300*time.Millisecond))
		case w.weather.deaths > 0:
			k.dieAt = k.effects + 1 + w.rng.IntN(6)
		}
	})
}

// mostAimed bounds what happens so in one world.
const mostAimed = 8

// destination is the node that a call can go to now, or nil.
func (w *world) destination(from *node) *node {
	var all []*node
	for _, n := range w.nodes {
		if n != from && n.up && !n.draining {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return pick(w, all...)
}

// named is the node of a name.
func (w *world) named(name string) *node {
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	panic("sim: there is no node " + name)
}

// firstOf is what a node says of a leg that is about to leave it (nodes, fetching.go).
func firstOf(c *channel) *callflows.LegEnd {
	return &callflows.LegEnd{CreatedAt: c.createdAt, AnsweredAt: c.answeredAt, SIPCallID: "leg@node", From: "101", To: "200"}
}
