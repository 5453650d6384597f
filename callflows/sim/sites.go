package sim

import (
	"fmt"

	"tandem/messages"
	"tandem/routing"
)

// build makes the media nodes of the world.
func (w *world) build() {
	for i := range w.roads.nodes {
		n := &node{w: w, name: fmt.Sprintf("node-%d", i+1), uri: fmt.Sprintf("sip:192.0.2.%d:5080", 20+i), up: true, channels: map[string]*channel{}, dialling: map[string]string{}, skew: w.weather.skew}
		w.nodes = append(w.nodes, n)
	}
}

// anyUp says whether any node is there.
func (w *world) anyUp() bool {
	for _, n := range w.nodes {
		if n.up {
			return true
		}
	}
	return false
}

// routable are the nodes as routing sees them.
func (w *world) routable() (all []routing.Node) {
	for _, n := range w.nodes {
		state := messages.NodeUp
		switch {
		case !n.up:
			state = messages.NodeDown
		case n.draining:
			state = messages.NodeDraining
		}
		all = append(all, routing.Node{Name: n.name, SIPURI: n.uri, State: state, Calls: len(n.channels)})
	}
	return all
}

// nodeAt is the node with a SIP URI.
func (w *world) nodeAt(uri string) *node {
	for _, n := range w.nodes {
		if n.uri == uri {
			return n
		}
	}
	panic("sim: routing leads to " + uri + ", of which worlds have none")
}

// channel is a leg's channel at the node that its far end talks to, or nil.
func (w *world) channel(leg string) *channel {
	if l := w.legs[leg]; l != nil && l.holder != nil && !l.holder.gone {
		return l.holder
	}
	return nil
}

// anyNode draws a node.
func (w *world) anyNode() *node {
	if len(w.nodes) == 1 {
		return w.nodes[0]
	}
	return pick(w, w.nodes...)
}

// anyOwner draws a worker that drives calls, or nil.
func (w *world) anyOwner() *worker {
	var owners []*worker
	for _, n := range w.nodes {
		if k := n.owner(); k != nil {
			owners = append(owners, k)
		}
	}
	if len(owners) < 2 {
		return append(owners, nil)[0]
	}
	return pick(w, owners...)
}
