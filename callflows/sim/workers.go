package sim

import (
	"fmt"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// What a worker is to the node.
type role string

const (
	starting   role = "starting"
	standingBy role = "standby"
	owning     role = "owner"
)

// Times of the workers, as package nodes and its measurements have them.
const (
	roundTrip    = 500 * time.Microsecond // half of one: a command on its way
	shipping     = 100 * time.Microsecond // a state on its way to the standby
	evidenceWait = 25 * time.Millisecond
	resendWait   = 10 * time.Second
	resendPause  = 20 * time.Millisecond
	confirming   = 5 * time.Millisecond // a record until it can no longer be lost with its worker
)

// worker is one process: its own connection to the node, and the calls that it drives or stands by for.
type worker struct {
	w     *world
	node  *node
	name  string
	alive bool
	role  role
	life  int // counts its processes: what was booked for an earlier one is void

	connected bool
	link      int           // counts connections
	gaps      int           // connections that have ended
	told      time.Duration // when the last event arrives: one after the other
	unsure    bool          // calls may be adopted still
	unheard   []told

	calls    map[string]*driven // by the uuid of each leg
	order    []*driven
	gone     map[string]bool
	snapshot *tenants.Snapshot // the configuration, as far as it has come here
	outbox   []order
	sending  bool
	held     []heldRecord // records that are not safe yet, as its standby has them too
	pictured bool         // a standby: it has the whole picture
	since    uint64       // a standby: the first event that it has heard; 0: none yet
	abreast  bool         // and the owner has stepped that one or a later one

	deceased bool                // its node is dead, and it rescues the calls
	arrivals map[string]*arrival // calls that come from other nodes, by move
	early    map[string]told     // by leg: ends of legs that were over before their call was driven here
	adopted  map[string]bool     // moves that have been adopted, however often it is asked for

	effects int
	dieAt   int // the effect before which it dies; 0: none
}

// driven is a call as a worker has it.
type driven struct {
	config  callflows.Config
	state   callflows.State
	facts   callflows.Call
	carried *carried // state as it travels; nil: not made yet
	gaps    int
	stepped map[string]uint64
	orders  []callflows.Command
	kept    []told
	waits   []wait // timers that have not fired
	asked   []question
	queued  int // the last command that waits to be sent; 0 for none
	taken   int // the last command that the node has taken of this worker,
	takenOn int // and on which connection

	arriving  bool       // it has come from another node, and waits for its version
	steps     int        // that its journal has
	departure *departure // nil: it is not on its way to another node
	stays     time.Duration

	pin      pin
	resuming bool // what it waited for is being broken off
	unclear  bool // it is not known yet what became of the last owner's orders
	moving   bool // its leg was being moved at a takeover
	before   bool // it may have begun before this worker listened
	doubted  bool // the end of a leg may have been told before this worker listened
}

// wait is a timer of a call.
type wait struct {
	n   int
	leg string
	due time.Duration
	at  time.Time // what it tells, by the node's clock

	answer callflows.Event // of an order to somebody slower than memory; without a kind it is a timer
}

// order is a command on its way to the node.
type order struct {
	driven  *driven
	call    *simCall
	command callflows.Command
	mark    *mark
	gone    []string      // of a hand-over: the legs that are another node's
	with    *mark         // of a join: of the call whose leg is taken
	ready   time.Duration // the standby has what it follows from
	until   time.Duration // given up by then
}

// employ starts the workers of the world.
func (w *world) employ() {
	each := 1
	if w.weather.shared {
		each = 2
	}
	for _, n := range w.nodes {
		for range each {
			k := &worker{w: w, node: n, name: fmt.Sprintf("worker %d", len(w.workers)+1)}
			n.workers, w.workers = append(n.workers, k), append(w.workers, k)
		}
	}
	for _, k := range w.workers {
		k.start()
	}
}

// owner is the worker that drives the node's calls now, or nil.
func (n *node) owner() *worker {
	for _, k := range n.workers {
		if k.alive && k.role == owning {
			return k
		}
	}
	return nil
}

// standby is the worker that stands by, or nil.
func (n *node) standby() *worker {
	for _, k := range n.workers {
		if k.alive && k.role == standingBy {
			return k
		}
	}
	return nil
}

// start begins a process: it stands by for the owner, or is one.
func (k *worker) start() {
	k.life++
	k.alive, k.role, k.connected, k.dieAt = true, starting, false, 0
	k.calls, k.order, k.gone, k.outbox, k.sending, k.held, k.unheard = map[string]*driven{}, nil, map[string]bool{}, nil, false, nil, nil
	k.deceased = false
	k.arrivals, k.adopted, k.early = map[string]*arrival{}, map[string]bool{}, map[string]told{}
	k.readVersions()
	k.w.tell(k.name, "starts")
	k.connect()
}

// connect reaches the node, if it is there, and finds out what the worker is to it.
func (k *worker) connect() {
	if !k.node.up {
		k.soon(20*time.Millisecond, k.connect)
		return
	}
	if k.deceased { // it is not done with the dead one yet
		k.soon(20*time.Millisecond, k.connect)
		return
	}
	k.node.endGhosts()
	k.connected, k.told = true, 0
	k.link++
	switch owner := k.node.owner(); {
	case k.role == owning || owner == nil:
		k.become(owning)
		k.unsure = true
		k.reconcile(k.sure)
	default:
		k.become(standingBy)
		k.follow(owner)
	}
	if len(k.outbox) > 0 { // what waited is sent when the sender looks next
		k.soon(k.w.between(0, resendPause), k.pump)
	}
}

func (k *worker) become(r role) {
	if k.role != r {
		k.w.tell(k.name, "is now %s", r)
	}
	k.role = r
}

// forEver is the end of what has not ended yet.
const forEver = time.Duration(1<<63 - 1)

// light ends the darkness: an owner has seen what is at the node.
func (n *node) light() {
	for i := range n.dark {
		n.dark[i].until = min(n.dark[i].until, n.w.now)
	}
}

// soon books something for this process.
func (k *worker) soon(d time.Duration, do func()) *happening {
	life := k.life
	return k.w.after(d, func() {
		if k.alive && k.life == life {
			do()
		}
	})
}

// effect does one thing that can be seen outside. A worker that is condemned dies before one of them.
func (k *worker) effect(do func()) {
	if !k.alive {
		return
	}
	k.effects++
	if k.effects == k.dieAt {
		k.die("between effects")
		return
	}
	do()
}

// die is SIGKILL. The standby finds out by the link's end; without one, the next process begins anew.
func (k *worker) die(when string) {
	w := k.w
	w.happened("death of the " + string(k.role))
	w.tell(k.name, "dies (%s) as %s", when, k.role)
	was := k.role
	k.shake()
	for _, c := range k.order {
		if len(c.waits) > 0 || c.asks() {
			w.byID[c.facts.ID].waited = w.now
		}
	}
	k.alive, k.connected, k.dieAt = false, false, 0
	w.after(w.between(300*time.Millisecond, 4*time.Second), k.start)
	if was == standingBy && k.node.owner() == nil { // which was about to take over
		k.node.dark = append(k.node.dark, span{from: w.now, until: forEver})
	}
	if was != owning {
		return
	}
	next := k.node.standby()
	if next == nil || !next.pictured || !next.connected {
		k.node.dark = append(k.node.dark, span{from: w.now, until: forEver}) // what it knew alone is lost with it
	}
	if next == nil {
		return
	}
	next.soon(w.between(time.Millisecond, 40*time.Millisecond), func() {
		if next.role == standingBy && k.node.owner() == nil {
			next.takeOver()
		}
	})
}

// cut breaks the connection to the node for a while.
func (k *worker) cut(d time.Duration) {
	if !k.alive || !k.connected {
		return
	}
	k.w.happened("connection lost")
	k.w.tell(k.name, "loses its connection for %s", d)
	k.connected = false
	k.link++
	k.gaps++
	k.unsure, k.unheard = true, nil
	if k.role == standingBy { // what it heard has a hole now: it begins anew
		if k.node.owner() == nil {
			k.node.dark = append(k.node.dark, span{from: k.w.now, until: forEver})
		}
		k.role, k.pictured = starting, false
		k.calls, k.order, k.held = map[string]*driven{}, nil, nil
	}
	k.soon(d, k.connect)
}

// stall lets what comes next come late, and in one go.
func (k *worker) stall(d time.Duration) {
	if k.connected {
		k.w.happened("events late")
		k.told = max(k.told, k.w.now+d)
	}
}

// receive puts an event on the connection.
func (k *worker) receive(e told) {
	if !k.alive || !k.connected {
		return
	}
	k.told = max(k.told, k.w.now+roundTrip)
	link := k.link
	k.w.at(k.told, func() {
		if k.alive && k.link == link {
			k.handle(e)
		}
	})
}

func (k *worker) handle(e told) {
	k.describe(&e)
	switch k.role {
	case owning:
		k.hear(e)
	case standingBy:
		k.keep(e)
	case starting:
	}
	k.across(e)
}

// describe adds what this worker knows of the other call's leg that an event names (nodes, transfer.go, elsewhere).
func (k *worker) describe(e *told) {
	switch by := e.event.ByLeg; {
	case e.event.Kind == callflows.Transferred && by != "" && by[:8] != e.event.Leg[:8]:
		e.event.Device = k.party(by).Device
	case e.event.Kind == callflows.Joined:
		e.event.Other = k.party(e.event.Other.Leg)
		mirror := *e.mirror
		mirror.Other = k.party(mirror.Other.Leg)
		e.mirror = &mirror
	}
}

// hear steps the call that an event is about (nodes, steps.go).
func (k *worker) hear(e told) {
	c := k.calls[e.channel]
	switch {
	case c == nil && e.movedBy != "" && e.event.Kind == callflows.HungUp:
		k.early[e.channel] = e
		return
	case c == nil && k.gone[e.channel]:
		return
	case c == nil && k.unsure && !e.begins():
		k.unheard = append(k.unheard, e)
		return
	case c == nil:
		c = k.adopt(e)
	}
	if a := k.node.channels[e.channel]; c == nil && a != nil && e.event.Kind == callflows.Transferred {
		k.endOrphan(dumpOf(a), nil) // it talked on with another call's leg while nobody was there
	}
	if c == nil || !e.translated {
		return
	}
	if !k.pinned(c) {
		c.kept = append(c.kept, e)
		return
	}
	c.note(e)
	k.take(c, e.event)
	if !k.w.chance(k.w.weather.doubled) {
		return
	}
	k.w.happened("event doubled")
	k.soon(k.w.between(0, 2*time.Second), func() {
		if k.role == owning && k.calls[e.channel] == c {
			k.w.tell(k.name, "is told again:")
			k.take(c, e.event)
		}
	})
}

func (c *driven) note(e told) {
	if c.stepped == nil {
		c.stepped = map[string]uint64{}
	}
	c.stepped[e.channel] = max(c.stepped[e.channel], e.sequence)
}

// adopt makes a call of the first event of a caller's leg, and joins a dialled leg to the call that dialled it.
func (k *worker) adopt(e told) *driven {
	if other := k.calls[e.other]; other != nil && e.other != "" {
		k.bind(e.channel, other)
		return other
	}
	if !e.inbound || e.facts == nil || e.event.Command != 0 {
		return nil
	}
	return k.newCall(*e.facts)
}

func (k *worker) newCall(facts callflows.Call) *driven {
	c := &driven{facts: facts, gaps: k.gaps}
	k.pinned(c)
	if t := k.snapshot.Tenant(facts.Tenant); t != nil {
		if d := t.Device(facts.Caller.Device); d != nil {
			if u := t.User(d.UserID); u != nil {
				c.facts.Caller.Name = u.Name
			}
		}
	}
	k.bind(facts.Leg, c)
	k.order = append(k.order, c)
	return c
}

func (k *worker) bind(channel string, c *driven) { k.calls[channel] = c }

// forget drops a call that is over.
func (k *worker) forget(c *driven) {
	for uuid, other := range k.calls { // the order does not matter
		if other == c {
			delete(k.calls, uuid)
			k.gone[uuid] = true
		}
	}
	k.order = slices.DeleteFunc(k.order, func(other *driven) bool { return other == c })
}

// sure ends the time in which calls may be adopted, and hears what was kept.
func (k *worker) sure() {
	k.node.light()
	kept := k.unheard
	k.unsure, k.unheard = false, nil
	for _, e := range kept {
		k.hear(e)
	}
}
