package nodes

import (
	"time"

	"tandem/callflows"
)

// HangUp ends a live call by somebody's order, and says whether this worker owns the node of such a call. The owner's journal
// tells who ordered it and why. Ordering it again while the call ends changes nothing. A call that has not parked yet is left
// alone: who wants its end asks again.
func (n *Node) HangUp(call, by, reason string) bool {
	if n.role.Load() != owning {
		return false
	}
	found := false
	for _, s := range n.shards {
		found = s.hangUp(call, by, reason) || found
	}
	return found
}

// hangUp looks for the call in one shard. Shards go by legs and orders by calls: an order is rare, so all are looked through.
func (s *shard) hangUp(id, by, reason string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node.role.Load() != owning { // deposed meanwhile: the next owner gets the order too
		return false
	}
	for leg, c := range s.calls {
		if leg != c.state.Call.Leg || c.state.Call.ID != id {
			continue
		}
		if c.state.Phase == callflows.Running || c.state.Phase == callflows.Talking {
			s.step(c, callflows.Event{Kind: callflows.EndOrdered, At: time.Now().UTC(), Leg: leg, By: by, Reason: reason})
		}
		return true
	}
	return false
}
