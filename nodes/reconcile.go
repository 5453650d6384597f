package nodes

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/esl"
)

// reconcile compares the calls in memory with the node's channels after a gap. A leg whose channel is gone ended while
// nobody listened: it gets a record that is marked as estimated, because the node's own last word is lost.
func (n *Node) reconcile(ctx context.Context, c *esl.Conn) {
	if n.live.Load() == 0 {
		return
	}
	asked := time.Now().UTC()
	reply, err := c.Send(ctx, esl.ShowChannels())
	if err != nil || reply.Err() != nil {
		n.log.WarnContext(ctx, "channels could not be listed after a gap", slog.Any("error", err))
		return
	}
	var listed struct {
		Rows []struct {
			UUID string `json:"uuid"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(reply.Body, &listed); err != nil {
		n.log.ErrorContext(ctx, "the list of channels cannot be read", slog.Any("error", err))
		return
	}
	there := make(map[string]bool, len(listed.Rows))
	for _, row := range listed.Rows {
		there[row.UUID] = true
	}
	for _, s := range n.shards {
		s.reconcile(there, asked)
	}
}

// reconcile ends the legs of a shard that are not there any more, callees first, as the node itself would.
func (s *shard) reconcile(there map[string]bool, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for uuid, c := range s.calls {
		if uuid != c.state.Call.Leg || there[uuid] && !c.missing(there) {
			continue
		}
		for _, leg := range slices.Backward(slices.Clone(c.state.Legs)) {
			if leg.Created && !leg.HungUp && !there[leg.ID] {
				s.step(c, callflows.Event{Kind: callflows.HungUp, At: at, Leg: leg.ID, End: &callflows.LegEnd{
					Cause: "NORMAL_UNSPECIFIED", Q850: 31, By: callflows.ByUs, CreatedAt: c.state.Call.StartedAt, Estimated: true}})
			}
		}
	}
}

// missing says whether any live leg of the call is gone from the node.
func (c *call) missing(there map[string]bool) bool {
	return slices.ContainsFunc(c.state.Legs, func(l callflows.Leg) bool { return l.Created && !l.HungUp && !there[l.ID] })
}
