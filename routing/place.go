package routing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"tandem/messages"
)

// choice is a node that can take the call.
type choice struct {
	node *Node
	rank int  // 0 before 1
	near bool // it has the call that this one is to meet
	hash uint64
}

func (a choice) compare(b choice) int {
	if a.rank != b.rank {
		return a.rank - b.rank
	}
	if a.near != b.near {
		if a.near {
			return -1
		}
		return 1
	}
	if a.hash != b.hash {
		return cmp.Compare(b.hash, a.hash)
	}
	return strings.Compare(a.node.Name, b.node.Name)
}

// place chooses nodes: those that are up and below their limit and their knee, the tenant's own first. A tenant's calls prefer one node,
// because transfers, pickups and queues need both legs on one. Emergency calls take draining and full nodes too, last.
func (d *decider) place(emergency bool) {
	const usual = 8 // nodes
	choices := make([]choice, 0, usual)
	affinity, someAreFull, near := affinityOf(d.Tenant), false, d.preferred()
	for i := range d.facts.Nodes {
		n := &d.facts.Nodes[i]
		c := choice{node: n, hash: affinity.to(n.Name), near: n.Name == near}
		switch {
		case n.State == messages.NodeDown || d.diedAt(n):
			d.explain("node_down", "node", n.Name)
			continue
		case n.State == messages.NodeDraining:
			d.explain("node_draining", "node", n.Name)
			c.rank = 1
		case d.full(n):
			d.explain("node_full", "node", n.Name, "calls", strconv.Itoa(n.Calls))
			c.rank, someAreFull = 1, true
		case d.overloaded(n):
			c.rank, someAreFull = 1, true
		}
		if c.rank == 0 || emergency {
			choices = append(choices, c)
		}
	}
	if len(choices) == 0 {
		d.unplaced(someAreFull)
		return
	}
	slices.SortFunc(choices, choice.compare)
	choices = choices[:min(len(choices), MaxNodes)]
	d.Nodes = make([]string, len(choices))
	var names [MaxNodes]string
	for i, c := range choices {
		d.Nodes[i], names[i] = c.node.SIPURI, c.node.Name
	}
	d.Verdict = messages.Route
	d.explain("nodes_chosen", "nodes", strings.Join(names[:len(choices)], ", "))
}

// full says whether a node has as many calls as it may take.
func (d *decider) full(n *Node) bool {
	configured := d.snapshot.Node(n.Name)
	return configured != nil && configured.MaxCalls > 0 && n.Calls >= configured.MaxCalls
}

// affinity is rendezvous hashing: each tenant ranks the nodes in its own order, and a node that comes or goes moves only
// the tenants that preferred it. It is the FNV-1a hash (as in package hash/fnv) of the tenant and a zero byte, to which
// the node's name is yet to be added.
type affinity uint64

// The numbers of FNV-1a for 64 bits.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func affinityOf(tenant string) affinity {
	return affinity(fnvOffset).add(tenant).add("\x00")
}

func (a affinity) add(text string) affinity {
	for i := range len(text) {
		a = (a ^ affinity(text[i])) * fnvPrime
	}
	return a
}

// to is how much a tenant prefers a node. FNV hardly mixes its last bytes, in which the names of nodes differ: it finishes
// as MurmurHash3 does.
func (a affinity) to(node string) uint64 {
	x := uint64(a.add(node))
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
