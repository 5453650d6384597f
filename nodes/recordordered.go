package nodes

import (
	"time"

	"tandem/callflows"
)

// RecordCall begins or ends the recording of a live call by somebody's order. owned says whether this worker owns the node of such a
// call, and recorded whether the call is recorded from now on, or its recording has not ended yet. The owner's journal tells who ordered
// it. Ordering it again changes nothing.
func (n *Node) RecordCall(call, by string, begin bool) (owned, recorded bool) {
	for _, s := range n.shards {
		if there, is := s.recordCall(call, by, begin); there {
			return true, is
		}
	}
	return false, false
}

func (s *shard) recordCall(id, by string, begin bool) (there, recorded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node.role.Load() != owning { // or deposed meanwhile: the next owner gets the order too
		return false, false
	}
	for leg, c := range s.calls {
		if leg != c.state.Call.Leg || c.state.Call.ID != id {
			continue
		}
		kind := callflows.RecordEndOrdered
		if begin {
			kind = callflows.RecordOrdered
		}
		s.step(c, callflows.Event{Kind: kind, At: time.Now().UTC(), Leg: leg, By: by})
		return true, c.state.Recording.File != "" && c.state.Recording.Stop == 0
	}
	return false, false
}
