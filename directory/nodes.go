package directory

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"tandem/messages"
)

// NodeFact is what is believed of a media node. State is NodeDown as well when nothing was heard for NodeStaleAfter.
type NodeFact struct {
	Name    string
	SIPURI  string // where edges send calls
	State   messages.NodeState
	Calls   int                // by its owner's own count
	Worker  string             // who owned it when it was last heard of
	Epoch   uint64             // of that ownership; 0 when it is not shared
	Load    *messages.NodeLoad // what the node last told of itself; nil for nothing yet
	HeardAt time.Time          // when its owner was last heard, by our clock
}

// Nodes are the media nodes. The zero value is empty and ready.
type Nodes struct {
	mu    sync.RWMutex
	nodes map[string]heard
	// list is what List gave last. It is the right answer from since to until, both included.
	list         []NodeFact
	since, until time.Time
}

type heard struct {
	event messages.NodeEvent
	at    time.Time
}

// Apply takes a valid node event into account; now is when it came. Events of one owner are ordered by their own time,
// those of different owners by their coming: their clocks may differ, and whoever took a node over is heard last.
func (n *Nodes) Apply(m *messages.NodeEvent, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	had, known := n.nodes[m.Node]
	if known && had.event.Worker == m.Worker && m.At.Before(had.event.At) {
		return
	}
	if !known {
		n.forget(now)
		if len(n.nodes) >= messages.MaxNodes {
			return
		}
	}
	if n.nodes == nil {
		n.nodes = map[string]heard{}
	}
	n.nodes[m.Node] = heard{*m, now}
	n.list = nil
}

func (n *Nodes) forget(now time.Time) {
	for name, h := range n.nodes {
		if now.Sub(h.at) > NodeForgottenAfter {
			delete(n.nodes, name)
		}
	}
}

// List returns all nodes in the order of their names. The list must not be changed: others are given the same one, until there
// is something new to tell.
func (n *Nodes) List(now time.Time) []NodeFact {
	n.mu.RLock()
	list, since, until := n.list, n.since, n.until
	n.mu.RUnlock()
	if list != nil && !now.Before(since) && !now.After(until) {
		return list
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list, n.until = n.listed(now)
	n.since = now
	return n.list
}

// listed makes the list of a moment, and says until when it stays as it is.
func (n *Nodes) listed(now time.Time) (list []NodeFact, until time.Time) {
	list, until = make([]NodeFact, 0, len(n.nodes)), now.Add(NodeStaleAfter)
	for _, h := range n.nodes {
		age := now.Sub(h.at)
		if age > NodeForgottenAfter {
			continue
		}
		fact := NodeFact{Name: h.event.Node, SIPURI: h.event.SIPURI, State: h.event.State, Calls: h.event.Calls, Worker: h.event.Worker,
			Epoch: h.event.Epoch, Load: h.event.Load, HeardAt: h.at}
		changes := h.at.Add(NodeStaleAfter)
		if age > NodeStaleAfter {
			fact.State, changes = messages.NodeDown, h.at.Add(NodeForgottenAfter)
		}
		if changes.Before(until) {
			until = changes
		}
		list = append(list, fact)
	}
	slices.SortFunc(list, func(a, b NodeFact) int { return cmp.Compare(a.Name, b.Name) })
	return list, until
}
