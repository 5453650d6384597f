package sim

import (
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// inbound says whether the node was called, rather than dials.
func (c *channel) inbound() bool { return c.role == messages.RoleCaller && c.movedBy == "" }

// held says whether the far end of a leg talks to this channel, and not to another node's.
func (c *channel) held() bool { return c.call.legs[c.uuid].holder == c }

// farEndHangsUp is the BYE of an answered leg's far end.
func (n *node) farEndHangsUp(c *channel) {
	switch {
	case c.gone:
	case c.role == messages.RoleCaller:
		n.callerHangsUp(c)
	default:
		n.hangUp(c, callflows.ByFarEnd, "NORMAL_CLEARING", 0)
	}
}

// mediaTimeout is how long a node waits for what a phone sends (package freeswitch-conf).
const mediaTimeout = time.Minute

// How long a phone takes with a re-INVITE.
const (
	soonestTaken = 4 * time.Millisecond
	latestTaken  = 150 * time.Millisecond
	slowestTaken = 4 * time.Second
)

// takeDialog is a re-INVITE within a leg's dialog. done is told what the phone answered, and why the leg is not here, "" if it is.
func (n *node) takeDialog(m move, leg string, done func(code int, why string)) {
	w, fate := n.w, m.call.legs[leg]
	if !n.up {
		return
	}
	if n.channels[leg] != nil || n.dialling[leg] != "" {
		w.happened("leg is there still")
		done(0, "the uuid is taken")
		return
	}
	n.dialling[leg] = m.id
	takes := w.between(soonestTaken, latestTaken)
	if w.chance(3) {
		takes = w.between(soonestTaken, slowestTaken)
	}
	refuse := func(after time.Duration, code int, why string) {
		w.after(after, func() {
			if n.dialling[leg] == m.id {
				delete(n.dialling, leg)
				done(code, why)
			}
		})
	}
	if w.chance(w.roads.stolid) {
		switch w.rng.IntN(6) {
		case 0, 1, 2:
			w.happened("move meets a re-INVITE")
			refuse(takes, requestGlare, "Request Pending")
		case 3:
			w.happened("phone forgets its dialog")
			w.after(takes/2, func() { fate.lost = true })
			refuse(takes, unknownThere, "Call Does Not Exist")
		case 4:
			w.happened("phone does not answer a move")
			refuse(fetchAnswer, 0, "NO_ANSWER")
		default:
			refuse(takes, 488, "Not Acceptable Here")
		}
		return
	}
	w.after(takes, func() {
		switch {
		case n.dialling[leg] != m.id: // the node has died meanwhile
		case fate.gone || fate.lost:
			refuse(0, unknownThere, "Call Does Not Exist")
		default:
			delete(n.dialling, leg)
			n.fetched(m, fate)
			done(0, "")
		}
	})
}

// fetched is when a phone has taken the re-INVITE of a node: it talks to that from now on.
func (n *node) fetched(m move, fate *legFate) {
	w, old := n.w, fate.holder
	w.happened("leg fetched")
	old.end.callOff()
	at := w.nodeTime()
	c := &channel{node: n, uuid: fate.id, call: m.call, role: fate.role, device: old.device, createdAt: at, answeredAt: &at, came: w.now, movedBy: m.id, denies: true}
	n.channels[c.uuid] = c
	n.order = append(n.order, c.uuid)
	fate.holder = c
	if !slices.Contains(fate.nodes, n) {
		fate.nodes = append(fate.nodes, n)
	}
	w.tell(n.name, "has taken %s over", short(c.uuid))
	w.after(mediaTimeout, func() { // nobody sends it anything any more
		if !old.gone && !old.held() {
			w.happened("media timeout")
			old.node.hangUp(old, callflows.ByUs, "MEDIA_TIMEOUT", 0)
		}
	})
	n.losesPatience(c)
	n.idle(c)
	if k := n.owner(); k != nil && k.arrivals[m.id] == nil { // it was asked for by an owner that has died
		k.endStrays(dumpOf(c))
	}
	if w.chance(w.roads.hasty) {
		w.after(w.between(0, 700*time.Millisecond), func() {
			if c.held() {
				w.happened("BYE in the middle of a move")
				n.farEndHangsUp(c)
			}
		})
	}
}

// rejoin is uuid_bridge of two legs of a call that has moved.
func (n *node) rejoin(own *channel, command callflows.Command) reply {
	other := n.channels[command.Other.Leg]
	if other == nil {
		return reply{"-ERR Invalid uuid"}
	}
	n.w.happened("legs joined again")
	n.bringTogether(own, other)
	return reply{}
}

// emitRejoined tells of a talk of two legs of one call, which is told on the one that leads it.
func (n *node) emitRejoined(a, b *channel, kind callflows.EventKind) {
	if kind == callflows.Joined {
		n.emit(a, callflows.Event{Kind: callflows.Bridged, Leg: b.uuid})
		return
	}
	n.emit(a, callflows.Event{Kind: callflows.Unbridged, Leg: a.uuid})
}

// takesRefer says whether a node takes a REFER by either leg of a talk: it must be the one that they talk to.
func (n *node) takesRefer(a, b *channel) bool {
	return a.held() && b.held() && n.dialling[a.uuid] == "" && n.dialling[b.uuid] == ""
}

// kill hangs a channel up that nobody drives here. Its BYE reaches the phone only if the phone talks to this node.
func (n *node) kill(leg string) {
	c := n.channels[leg]
	if c == nil {
		return
	}
	n.w.checkKill(c)
	n.hangUp(c, callflows.ByUs, "NORMAL_CLEARING", 0)
}
