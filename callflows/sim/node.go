package sim

import (
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// node is a media node: it parks callers, runs one application after the other on each caller's leg, dials, and tells.
type node struct {
	w         *world
	draining  bool              // it is emptied by moving its calls
	departing bool              // its calls are looked at
	dialling  map[string]string // legs that it takes over, and by which move
	name      string
	uri       string
	workers   []*worker
	dark      []span // times without any worker that knows everything
	up        bool
	perished  time.Duration // when it died
	ghosts    []*channel    // what it holds while it is cut off
	fenced    bool          // it is back, and has not been rid of them
	channels  map[string]*channel
	order     []string // uuids of channels, oldest first
	sequence  uint64
	mirror    *callflows.Event // of the event that is told next: what the other leg's call is to hear
	skew      time.Duration
	moved     int // legs that were taken out of what they did, by REFER or order
}

// channel is one leg at the node.
type channel struct {
	node       *node
	uuid       string
	call       *simCall
	role       messages.LegRole
	device     string   // id; empty: a carrier, or a number outside
	other      *channel // of a dialled leg: the caller's
	createdAt  time.Time
	answeredAt *time.Time
	gone       bool

	// Of a caller's leg.
	parked      bool
	mark        *mark
	app         *app
	queue       []*app
	bridge      *bridge
	listening   []*channel // those to whom he speaks
	keyed       string     // keys that no application has taken yet
	disposition string     // how the last ring ended, or dialling
	idle        int        // counts the times that it became idle

	source, number, by string // of its last transfer: the node's name for it, where to, by which leg
	waits              bool   // it was taken out, and has not parked yet
	denies             bool   // no REFER with Replaces by it or to it
	left               string // the leg that goes on without it, which it has transferred

	talksSince time.Duration // when it began to talk to whom it talks to

	joined *channel // the leg of another call that it talks to, or of its own call since a move

	came    time.Duration
	movedBy string // the move that has brought it here; empty: it began here
	goneBy  string // it is another node's; its BYE goes no further than to the edge
	moves   int    // counts the times that it was taken out of what it did

	told time.Duration // when the last event of its thread goes out
	end  *happening    // what the phone will do next
}

// told is an event on its way to the workers.
type told struct {
	channel, other string // uuid of the channel that it is of, and of the one that dialled it
	inbound        bool
	movedBy        string // the move by which the channel has come from another node
	opens          bool   // CHANNEL_CREATE of a caller's leg: nothing for the engine, yet the call is known from then on
	translated     bool
	event          callflows.Event
	facts          *callflows.Call // of a caller's leg
	sequence       uint64
	mirror         *callflows.Event // for the call of another leg
}

// begins says whether it is the first of a caller's leg.
func (e told) begins() bool { return e.inbound && (e.opens || e.event.Kind == callflows.Parked) }

// emit tells the workers. Events of one thread keep their order; those of different threads may overtake each other.
func (n *node) emit(c *channel, event callflows.Event) { n.emitAs(c, event, false) }

func (n *node) emitAs(c *channel, event callflows.Event, opens bool) {
	w := n.w
	n.sequence++
	event.At = w.nodeTime()
	e := told{channel: c.uuid, inbound: c.inbound(), movedBy: c.movedBy, opens: opens, translated: !opens, event: event, sequence: n.sequence, mirror: n.mirror}
	at := max(w.now+w.between(100*time.Microsecond, w.weather.jitter), c.told)
	if c.other != nil {
		e.other = c.other.uuid
		if event.Kind == callflows.LegCreated { // the caller's thread makes it
			at = max(at, c.other.told)
			c.other.told = at
		}
	} else if c.inbound() && c.goneBy == "" {
		e.facts = &c.call.facts
	}
	c.told = at
	if w.trace != nil {
		w.tell("node", "%s", words(c, event, opens))
	}
	w.at(at, func() {
		for _, k := range n.workers {
			k.receive(e)
		}
	})
	n.turn(c.call)
}

// turn counts what happens to a call at the node: callers hang up at any of these moments.
func (n *node) turn(c *simCall) {
	c.turns++
	if n.w.plant.Deadly && n.w.chance(2) {
		n.w.condemn()
	}
	if c.hangsUpAt == 0 || c.turns != c.hangsUpAt {
		return
	}
	n.w.after(n.w.between(0, 30*time.Millisecond), func() {
		if a := n.w.channel(c.facts.Leg); a != nil {
			a.node.callerHangsUp(a)
		}
	})
}

// callerHangsUp is his BYE, or his CANCEL when nobody has answered.
func (n *node) callerHangsUp(a *channel) {
	if h := a.call.legs[a.uuid].holder; h != a {
		h.node.farEndHangsUp(h)
		return
	}
	if a.answeredAt != nil {
		n.hangUp(a, callflows.ByFarEnd, pick(n.w, "NORMAL_CLEARING", "NORMAL_CLEARING", "USER_BUSY", "\xff"), 0)
		return
	}
	n.hangUp(a, callflows.ByFarEnd, "ORIGINATOR_CANCEL", 487)
}

// invite is a call that comes from the edge.
func (n *node) invite(c *simCall) {
	a := n.open(c, c.facts.Leg, messages.RoleCaller, nil)
	a.device = c.facts.Caller.Device
	n.emitAs(a, callflows.Event{Leg: a.uuid}, true)
	n.losesPatience(a)
	n.w.after(n.w.between(time.Millisecond, 20*time.Millisecond), func() {
		if !a.gone {
			a.parked = true
			n.emit(a, callflows.Event{Kind: callflows.Parked, Leg: a.uuid})
			n.idle(a)
		}
	})
}

// open makes a channel.
func (n *node) open(c *simCall, uuid string, role messages.LegRole, other *channel) *channel {
	ch := &channel{node: n, uuid: uuid, call: c, role: role, other: other, createdAt: n.w.nodeTime()}
	n.channels[uuid] = ch
	n.order = append(n.order, uuid)
	c.legs[uuid] = &legFate{holder: ch, createdAt: ch.createdAt, id: uuid, role: role, nodes: []*node{n}}
	n.w.legs[uuid] = c.legs[uuid]
	c.order = append(c.order, uuid)
	return ch
}

// close forgets a channel.
func (n *node) close(c *channel) {
	c.gone = true
	delete(n.channels, c.uuid)
	n.order = slices.DeleteFunc(n.order, func(uuid string) bool { return uuid == c.uuid })
	fate := c.call.legs[c.uuid]
	if fate.holder != c { // its far end talks to another node
		return
	}
	fate.gone, fate.endedAt = true, n.w.now
	if c.role == messages.RoleCaller {
		c.call.over = true
	}
}

// hangUp ends a channel, and with a caller's what depends on it.
func (n *node) hangUp(c *channel, by callflows.EndedBy, cause string, code int) {
	if c.gone {
		return
	}
	c.end.callOff()
	if c.app != nil {
		c.app.end.callOff()
		if c.app.command.Kind == callflows.Record {
			told := n.recorded(c.app, callflows.EndedByHangUp)
			told.Leg, told.Command = c.uuid, c.app.command.N
			n.emit(c, told)
		}
		c.app, c.queue = nil, nil
	}
	if c.bridge != nil {
		n.leaveBridge(c)
	}
	if c.joined != nil {
		n.part(c)
	}
	for _, l := range c.listening {
		n.w.after(n.w.between(0, 20*time.Millisecond), func() { n.hangUp(l, callflows.ByUs, "NORMAL_CLEARING", 0) })
	}
	n.close(c)
	end := &callflows.LegEnd{Cause: cause, By: by, CreatedAt: c.createdAt, AnsweredAt: c.answeredAt, SIPCode: code, SIPCallID: "leg@node",
		From: "101", FromName: pick(n.w, hostile()...), To: "200", Left: c.left}
	if c.role == messages.RoleCaller && c.answeredAt == nil && code == 0 {
		end.SIPCode = callflows.SIPCodeOf(cause)
	}
	n.emit(c, callflows.Event{Kind: callflows.HungUp, Leg: c.uuid, End: end})
}

// answer answers a channel.
func (n *node) answer(c *channel) {
	if c.answeredAt == nil {
		at := n.w.nodeTime()
		c.answeredAt = &at
		c.call.legs[c.uuid].answered = &at
		n.emit(c, callflows.Event{Kind: callflows.Answered, Leg: c.uuid})
	}
}

// restart is a crash: every leg is gone, nobody is told, and connections end.
func (n *node) restart() {
	if !n.up {
		return
	}
	w := n.w
	w.happened("node restart")
	w.tell("node", "dies with %d legs", len(n.order))
	n.up = false
	for _, uuid := range slices.Clone(n.order) {
		c := n.channels[uuid]
		c.end.callOff()
		if c.app != nil {
			c.app.end.callOff()
			c.app = nil
		}
		n.close(c)
	}
	clear(n.dialling)
	back := w.between(500*time.Millisecond, 3*time.Second)
	w.after(back, func() {
		n.up = true
		w.tell("node", "is back")
	})
	for _, k := range n.workers {
		k.cut(back + w.between(time.Millisecond, 50*time.Millisecond))
	}
}
