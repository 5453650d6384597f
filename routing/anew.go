package routing

import "strings"

// A media node dies while a call rings there. Nobody has answered, so the edge asks about the same INVITE once more: that is a call of
// its own with an id of its own, since workers may still write down what became of the first one. It was let in once: no limit of the
// tenant's refuses it now, where the first one may still be counted.

// anew says whether an INVITE is asked about again because its node has died.
func (r *Request) anew() bool { return r.AgainAfter != "" }

// diedAt says whether the call rang at a node, which is dead whatever this worker has heard of it.
func (d *decider) diedAt(n *Node) bool {
	return d.request != nil && d.request.anew() && strings.TrimPrefix(n.SIPURI, "sip:") == d.request.AgainNode
}

func (d *decider) explainAnew() {
	if !d.request.anew() {
		return
	}
	node := d.request.AgainNode
	for i := range d.facts.Nodes {
		if d.diedAt(&d.facts.Nodes[i]) {
			node = d.facts.Nodes[i].Name
		}
	}
	d.explain("node_died_ringing", "call", d.request.AgainAfter, "node", node)
}
