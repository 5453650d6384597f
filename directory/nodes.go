package directory

import (
	"slices"
	"strings"
	"sync"
	"time"

	"tandem/messages"
)

// SilentFor is how long a node is believed in that is not heard of: several announcements.
const SilentFor = 15 * time.Second

// Node is a media node as it was last heard of.
type Node struct {
	Name   string             `json:"name"`
	SIPURI string             `json:"sip_uri"`
	State  messages.NodeState `json:"state"`
	Calls  int                `json:"calls"`
	Worker string             `json:"worker"`
	At     time.Time          `json:"at"`
}

// Nodes says which media nodes are there.
type Nodes struct {
	mu    sync.RWMutex
	known map[string]Node
}

// NewNodes returns an empty one.
func NewNodes() *Nodes { return &Nodes{known: map[string]Node{}} }

// Apply takes one event. An older one than is known changes nothing.
func (n *Nodes) Apply(e messages.NodeEvent) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if known, ok := n.known[e.Node]; ok && known.At.After(e.At) {
		return
	}
	n.known[e.Node] = Node{Name: e.Node, SIPURI: e.SIPURI, State: e.State, Calls: e.Calls, Worker: e.Worker, At: e.At}
}

// List gives the nodes that were heard of lately, by name.
func (n *Nodes) List(now time.Time) []Node {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make([]Node, 0, len(n.known))
	for _, k := range n.known {
		if now.Sub(k.At) <= SilentFor {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	return out
}
