package nodes

import (
	"context"
	"slices"
	"time"

	"tandem/callflows"
)

// Fetcher asks foreign HTTP servers. It answers within wait, whatever becomes of the request; key is the same whenever the same
// command is asked.
type Fetcher interface {
	Fetch(ctx context.Context, tenant, call, key string, r callflows.Request, wait time.Duration) callflows.Reply
}

// question is an HTTP request of a call that is under way. The standby knows of it, and asks it again when it takes over, under
// the same key: a server that minds the key does it once.
type question struct {
	Command callflows.Command `json:"command"`
	At      time.Time         `json:"at"` // of the event that led to it, by the node's clock
}

// nobodyAsks answers where there is no Fetcher.
const nobodyAsks = "this platform asks no HTTP servers"

// ask begins to ask.
func (s *shard) ask(c *call, q question) {
	c.asked = append(c.asked, q)
	facts, request := c.state.Call, *q.Command.Fetch
	s.node.started.Go(func() {
		began := time.Now()
		reply := s.node.options.Fetcher.Fetch(s.node.staying, facts.Tenant, facts.ID, commandID(facts, q.Command.N), request, q.Command.Wait)
		s.heardOf(c, q, reply, time.Since(began))
	})
}

// heardOf tells the engine of an answer. A worker that leaves has broken its requests off, and tells nothing: its successor asks
// again.
func (s *shard) heardOf(c *call, q question, reply callflows.Reply, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node.staying.Err() != nil || s.node.role.Load() != owning || c.state.Move.Away && !c.arriving {
		return
	}
	c.asked = slices.DeleteFunc(c.asked, func(other question) bool { return other.Command.N == q.Command.N })
	if c.state.Phase != callflows.Ended {
		s.step(c, callflows.Event{Kind: callflows.Fetched, At: q.At.Add(took), Leg: q.Command.Leg, Command: q.Command.N, Reply: &reply})
	}
}

// asks says whether what the call waits for is the answer to a question that is under way.
func (c *call) asks() bool {
	return slices.ContainsFunc(c.asked, func(q question) bool { return q.Command.N == c.state.Awaited }) ||
		slices.ContainsFunc(c.inquiries, func(q callflows.Command) bool { return q.N == c.state.Awaited })
}
