package sim

import (
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// A node may die for longer than a restart takes (docs/decisions/0022): its channels are gone without a word, and the phones hang in the
// air until another node takes their dialogs over, or they hang up. Or it was only cut off: when it comes back, its channels are there
// still, and are ended before anybody takes them for calls.

// Times of rescues (nodes, rescue.go).
const (
	noticed      = time.Second // until a node counts as dead: at least, and twice as much at most
	rescueLook   = 50 * time.Millisecond
	rescueGiveUp = 8 * time.Second
	rescueAgain  = 300 * time.Millisecond
	rescueTries  = 3
	rescueFor    = 30 * time.Second
	nowherePause = 2 * time.Second
	inTheAir     = 40 * time.Second // a phone that nobody talks to hangs up by then
)

// perish is the death of a node, or the end of all ways to it.
func (n *node) perish() {
	w := n.w
	if !n.up {
		return
	}
	w.happened("node death")
	cutOff := w.chance(40)
	w.tell(n.name, "dies with %d legs (cut off: %t)", len(n.order), cutOff)
	n.up = false
	n.perished = w.now
	for _, uuid := range slices.Clone(n.order) {
		c := n.channels[uuid]
		c.end.callOff()
		if c.app != nil {
			c.app.end.callOff()
			c.app = nil
		}
		if c.answeredAt == nil || !c.held() {
			n.close(c) // the edges cancel who rings, and begin anew for who calls
			continue
		}
		if c.gone = true; cutOff {
			n.ghosts = append(n.ghosts, c)
		}
		delete(n.channels, uuid)
		n.hangsInTheAir(c)
	}
	n.order = nil
	clear(n.dialling)
	away := w.between(6*time.Second, 30*time.Second)
	w.after(away, n.comeBack)
	for _, k := range n.workers {
		k.loseNode()
	}
	if k := n.owner(); k != nil && w.chance(40) {
		k.die("with its node")
	}
	w.after(w.between(noticed, 2*noticed), n.mourn)
}

// hangsInTheAir books that a phone which nobody talks to hangs up: an edge answers in its node's stead, and tells.
func (n *node) hangsInTheAir(c *channel) {
	w := n.w
	after := w.between(inTheAir/2, inTheAir)
	if w.chance(30) {
		after = w.between(0, 4*time.Second)
	}
	w.after(after, func() {
		fate := c.call.legs[c.uuid]
		if fate.holder != c || fate.gone {
			return
		}
		w.happened("BYE in the gap")
		fate.gone, fate.endedAt = true, n.perished // whoever was there to know of it was so then
		c.call.over = c.call.over || c.role == messages.RoleCaller
		at := w.nodeTime()
		w.after(w.between(time.Millisecond, 30*time.Millisecond), func() {
			if k := n.owner(); k != nil && k.deceased {
				k.goneInGap(c.uuid, at)
			}
		})
	})
}

// comeBack is when the node is there again, with what it held if it was cut off.
func (n *node) comeBack() {
	w := n.w
	n.up = true
	w.tell(n.name, "is back, with %d ghosts", len(n.ghosts))
	for _, c := range n.ghosts {
		c.gone = false
		n.channels[c.uuid] = c
		n.order = append(n.order, c.uuid)
	}
	n.ghosts = nil
	n.fenced = true
}

// endGhosts ends what a node still holds, before anybody takes it for live. No phone hears of it.
func (n *node) endGhosts() {
	if !n.fenced {
		return
	}
	n.fenced = false
	for _, uuid := range slices.Clone(n.order) {
		if c := n.channels[uuid]; c != nil {
			n.w.happened("ghost ended")
			c.goneBy = "fence"
			fate := c.call.legs[uuid]
			ended := fate.gone
			if fate.holder == c { // its phone hears nothing of it, and hangs up when it likes
				fate.gone = true
			}
			n.hangUp(c, callflows.ByUs, "NORMAL_CLEARING", 0)
			fate.gone = ended || fate.gone && fate.holder == c
		}
	}
}

// loseNode is what a worker does when its node is gone: it keeps what it knows.
func (k *worker) loseNode() {
	if !k.alive || !k.connected {
		return
	}
	k.connected = false
	k.link++
	k.gaps++
	k.unsure, k.unheard = true, nil
	k.soon(20*time.Millisecond, k.connect)
}

// mourn has the owner of a dead node rescue its calls, or the standby if its owner is dead, too.
func (n *node) mourn() {
	if n.up {
		return
	}
	k := n.owner()
	if s := n.standby(); k == nil && s != nil && s.pictured {
		s.inheritDead()
		k = s
	}
	if k == nil {
		return
	}
	n.w.happened("rescue")
	n.w.tell(k.name, "rescues the calls of %s", n.name)
	k.deceased, k.outbox, k.sending = true, nil, false
	k.unsure, k.unheard = false, nil
	k.rescueRound(n.w.now)
}

// inheritDead makes the calls of a dead node a standby's own. The node takes no orders: what they were for begins anew elsewhere.
func (k *worker) inheritDead() {
	k.become(owning)
	for _, c := range slices.Clone(k.order) {
		kept, waits, asked := c.kept, c.waits, c.asked
		c.kept, c.waits, c.asked = nil, nil, nil
		for _, q := range asked {
			k.ask(c, q)
		}
		for _, x := range waits {
			k.await(c, x)
		}
		c.kept = kept
		if k.pinned(c) {
			k.takeKept(c)
		}
	}
	for _, r := range k.held {
		k.w.ledger.add(k.w, r)
	}
}

// rescueRound looks at each call once, and again in a moment.
func (k *worker) rescueRound(began time.Duration) {
	for _, c := range slices.Clone(k.order) {
		switch {
		case !k.alive:
			return
		case c.state.OnTheMove() && (c.state.Move.Dead || c.state.Move.Away):
			if k.departDue(c) {
				k.askForMove(c)
			}
		case k.w.now >= c.stays:
			k.rescueCall(c, k.w.now-began)
		}
	}
	if !k.alive || len(k.order) == 0 {
		k.deceased = false
		return
	}
	k.soon(rescueLook, func() { k.rescueRound(began) })
}

// rescueCall does the next thing for a call of a dead node.
func (k *worker) rescueCall(c *driven, since time.Duration) {
	w := k.w
	if c.state.Phase == "" {
		k.take(c, callflows.Event{Kind: callflows.HungUp, At: w.workerTime(), Leg: c.facts.Leg, End: &callflows.LegEnd{
			Cause: "NETWORK_OUT_OF_ORDER", Q850: 38, By: callflows.ByUs, CreatedAt: c.facts.StartedAt, Estimated: true}})
		return
	}
	died := began().Add(k.node.perished)
	event := callflows.Event{Kind: callflows.RescueOrdered, At: w.workerTime(), Leg: c.state.DrivenLeg(), Since: died}
	why := string(c.state.Rescuable())
	to := w.destination(k.node)
	if why == "" && to == nil {
		if since < nowherePause {
			return
		}
		why = "no media node can take it"
	}
	switch {
	case why != "":
	case c.state.Move.Tries >= rescueTries:
		why = "it was tried in vain"
	case since > rescueFor:
		why = "it took too long"
	default:
		event.Node = to.name
		k.take(c, event)
		return
	}
	k.take(c, callflows.Event{Kind: callflows.RescueFailed, At: event.At, Leg: event.Leg, Since: died, Cause: why})
}

// learnDead is what is known of the legs that are to leave a dead node.
func (k *worker) learnDead(c *driven) {
	d := c.departure
	d.legs, d.firsts = nil, map[string]*callflows.LegEnd{}
	for _, l := range c.state.Rescued() {
		d.legs = append(d.legs, l.ID)
		d.firsts[l.ID] = firstKnown(c, l)
	}
}

// firstKnown is firstOf without the node.
func firstKnown(c *driven, l callflows.Leg) *callflows.LegEnd {
	first := &callflows.LegEnd{CreatedAt: l.CreatedAt, SIPCallID: "leg@node", From: "101", To: "200"}
	if first.CreatedAt.IsZero() {
		first.CreatedAt = c.facts.StartedAt
	}
	if !l.AnsweredAt.IsZero() {
		answered := l.AnsweredAt
		first.AnsweredAt = &answered
	}
	return first
}

// goneInGap ends a leg whose phone has hung up while no node had it.
func (k *worker) goneInGap(leg string, at time.Time) {
	c := k.calls[leg]
	if c == nil {
		return
	}
	for _, l := range c.state.Legs {
		if l.ID == leg {
			end := firstKnown(c, l)
			end.Cause, end.Q850, end.By, end.Estimated = "NORMAL_CLEARING", 16, callflows.ByFarEnd, true
			k.take(c, callflows.Event{Kind: callflows.HungUp, At: at, Leg: leg, End: end})
			return
		}
	}
}
