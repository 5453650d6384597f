package nodes

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"tandem/callflows"
	"tandem/esl"
)

// reconcile looks, after a gap, for the calls that began before it. A leg whose channel is gone ended while nobody
// listened: it gets a record that is marked as estimated, because the node's own last word is lost.
//
// The list of channels lags behind the node (it is a table that another thread fills), so a leg that is not in it counts
// as gone only when uuid_exists says so too.
func (n *Node) reconcile(ctx context.Context, c *esl.Conn) {
	gaps := n.gaps.Load()
	if gaps == 0 || n.live.Load() == 0 {
		return
	}
	there, err := channels(ctx, c)
	if err != nil {
		n.log.ErrorContext(ctx, "channels could not be listed after a gap", slog.Any("error", err))
		return
	}
	for _, s := range n.shards {
		gone := map[string]bool{}
		for _, leg := range s.unlisted(there, gaps) {
			reply, err := c.Send(ctx, esl.UUIDExists(leg))
			if err != nil {
				n.log.ErrorContext(ctx, "a channel could not be asked for after a gap", slog.Any("error", err))
				return
			}
			gone[leg] = reply.Text == "false"
		}
		s.end(gone, time.Now().UTC())
	}
}

// channels lists the uuids of the node's channels.
func channels(ctx context.Context, c *esl.Conn) (map[string]bool, error) {
	reply, err := c.Send(ctx, esl.ShowChannels())
	if err == nil {
		err = reply.Err()
	}
	if err != nil {
		return nil, err
	}
	var listed struct {
		Rows []struct {
			UUID string `json:"uuid"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(reply.Body, &listed); err != nil {
		return nil, fmt.Errorf("show channels: %w", err)
	}
	there := make(map[string]bool, len(listed.Rows))
	for _, row := range listed.Rows {
		there[row.UUID] = true
	}
	return there, nil
}

// unlisted gives the live legs of calls from before the last gap that the list lacks.
func (s *shard) unlisted(there map[string]bool, gaps int64) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var legs []string
	for uuid, c := range s.calls {
		if uuid != c.state.Call.Leg || c.gaps >= gaps {
			continue
		}
		for _, leg := range c.state.Legs {
			if leg.Created && !leg.HungUp && !there[leg.ID] {
				legs = append(legs, leg.ID)
			}
		}
		if len(c.state.Legs) == 0 && !there[uuid] {
			legs = append(legs, uuid) // it had not parked yet
		}
	}
	return legs
}

// end closes legs that are gone, callees before their callers, as the node itself would.
func (s *shard) end(gone map[string]bool, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var callers []string
	for leg, is := range gone {
		c := s.calls[leg]
		switch {
		case !is || c == nil:
		case leg == c.state.Call.Leg:
			callers = append(callers, leg)
		default:
			s.step(c, lost(c, leg, at))
		}
	}
	for _, leg := range callers {
		if c := s.calls[leg]; c != nil {
			s.step(c, lost(c, leg, at))
		}
	}
}

// lost is the end of a leg of which nobody was told.
func lost(c *call, leg string, at time.Time) callflows.Event {
	return callflows.Event{Kind: callflows.HungUp, At: at, Leg: leg, End: &callflows.LegEnd{
		Cause: "NORMAL_UNSPECIFIED", Q850: 31, By: callflows.ByUs, CreatedAt: c.state.Call.StartedAt, Estimated: true}}
}
