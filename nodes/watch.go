package nodes

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tandem/messages"
	"tandem/nodes/claim"
	"tandem/nodes/link"
)

// Stats are what a worker knows of a node at one moment, for metrics.
type Stats struct {
	Role      string        // owner, standby or watcher
	Connected bool          // its event socket is up
	Owner     string        // the process that owns the node, as far as this worker knows; empty: none
	Epoch     uint64        // of that ownership; 0 when the node is not shared
	Calls     int           // live ones that this worker drives, or keeps as a standby
	Events    uint64        // that were handled
	Lag       time.Duration // between the node's time of the newest event and its handling; the clocks' difference is in it
	Queued    int           // events that wait for their shard
	Shed      uint64        // events of low value that were dropped on this connection because their shard lagged
	Orders    int           // commands that wait to be sent
	Load      *messages.NodeLoad
}

// Name is the node's.
func (n *Node) Name() string { return n.options.Node.Name }

// Stats may be called at any time.
func (n *Node) Stats() Stats {
	s := Stats{Role: roleName(n.role.Load()), Calls: n.Calls(), Events: n.traffic.events.Load(), Lag: time.Duration(n.traffic.lag.Load()),
		Load: n.traffic.load.Load()}
	if c := n.up.Load(); c != nil {
		socket := c.Stats()
		s.Connected, s.Queued, s.Shed = true, socket.Queued, socket.Shed
	}
	for _, shard := range n.shards {
		s.Orders += len(shard.outbox)
	}
	if owner := n.owner.Load(); owner != nil {
		s.Owner, s.Epoch = owner.Worker, owner.Epoch
	} else if n.options.Link == nil {
		s.Owner = n.options.Worker
	}
	return s
}

func roleName(role int32) string {
	switch role {
	case owning:
		return "owner"
	case standingBy:
		return "standby"
	}
	return "watcher"
}

// Watcher is told of takeovers. Its methods return at once.
type Watcher interface {
	// TookOver: this worker owns the node now. How says after what: handover (the last owner gave it over or left), death (its
	// process ended), silence (nothing was heard of it for as long as its lease), or start (this worker did not stand by).
	TookOver(node, how string)
	// Gap: the first command for something that the last owner had left undone was written: so long after this worker noticed that the owner was gone, and so
	// long after the owner's last sign.
	Gap(node string, sinceNoticed, sinceSign time.Duration)
}

// gap measures one takeover at a time. A node on which the last owner had left nothing undone has none.
type gap struct {
	open       atomic.Bool // the first command is still to come
	inheriting atomic.Bool // what the last owner had left undone is being found out
	due        atomic.Bool // something of it is a command

	mu            sync.Mutex
	sign, noticed time.Time
	how           string
}

// heard notes the last sign of an owner whom this worker stands by for, and why its link ended.
func (g *gap) heard(sign time.Time, why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sign = sign
	switch {
	case errors.Is(why, link.ErrHandedOver), errors.Is(why, link.ErrReleased):
		g.how = "handover"
	case errors.Is(why, link.ErrPeerClosed), errors.Is(why, syscall.ECONNREFUSED):
		g.how = "death"
	default:
		g.how = "silence"
	}
}

// begin notes that the node is this worker's now; it had noticed the need at that time.
func (n *Node) begin(noticed time.Time, owner claim.Holder, stoodBy bool) {
	n.owner.Store(&owner)
	if n.options.Watcher == nil {
		return
	}
	g := &n.gap
	g.mu.Lock()
	how := "start"
	if stoodBy {
		how, g.noticed = g.how, noticed
		g.due.Store(false)
		g.inheriting.Store(true)
		g.open.Store(true)
	}
	g.mu.Unlock()
	n.options.Watcher.TookOver(n.options.Node.Name, how)
}

// queued is called for each command that is to be written.
func (g *gap) queued() {
	if g.inheriting.Load() {
		g.due.Store(true)
	}
}

// inherited ends the time in which commands count as left undone by the last owner.
func (g *gap) inherited() {
	g.inheriting.Store(false)
	if !g.due.Load() {
		g.open.Store(false)
	}
}

// commands is called before each command is written.
func (n *Node) commands() {
	g := &n.gap
	if !g.open.Load() || !g.open.CompareAndSwap(true, false) {
		return
	}
	g.mu.Lock()
	sinceNoticed, sinceSign := time.Since(g.noticed), time.Since(g.sign)
	g.mu.Unlock()
	n.options.Watcher.Gap(n.options.Node.Name, sinceNoticed, sinceSign)
}
