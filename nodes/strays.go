package nodes

import (
	"context"
	"log/slog"

	"tandem/esl"
)

// Channels that nobody drives are found when a node is compared with our calls: those of a call that has left, whose owner died or had no
// connection before it could hang them up; those that were fetched by an owner that has died, and were never handed over. A phone that
// talks to another node by then hears nothing of it: the edge knows who has its dialog.

// lookForStray looks at a channel that leads no call. One that a caller's call has dialled is found with that.
func (s *shard) lookForStray(ctx context.Context, c *esl.Conn, row channel, callers map[string]bool) {
	if s.has(row.UUID) || callers[row.UUID[:min(len(row.UUID), sharedDigits)]] && !s.knew(row.UUID) {
		return
	}
	if d, err := dumpOf(ctx, c, row.UUID); err == nil {
		s.endStray(ctx, c, d)
	}
}

// endStray hangs up a channel that nobody drives, now or if nobody comes for it, and says whether it is one.
func (s *shard) endStray(ctx context.Context, c *esl.Conn, d dump) bool {
	leg := d.Get("Unique-ID")
	if s.has(leg) {
		return false
	}
	move, gone := d.Variable(moveVariable), d.Variable(goneVariable) != ""
	switch {
	case gone, move != "" && s.knew(move), move == "" && s.knew(leg):
		_, _ = c.Send(ctx, esl.UUIDKill(leg, "NORMAL_CLEARING"))
		return true
	case move != "" && d.Variable(markVariable) == "":
		s.node.awaitStray(s, leg, move)
		return true
	}
	return false
}

// awaitStray hangs a leg up that was fetched by an owner that has died, unless its call comes in time.
func (n *Node) awaitStray(s *shard, leg, move string) {
	n.started.Go(func() {
		if !pause(n.staying, arrivalWait) {
			return
		}
		c := n.up.Load()
		n.arrivals.mu.Lock()
		comes := n.arrivals.all[move] != nil
		n.arrivals.mu.Unlock()
		if comes || c == nil || !n.speaks() || s.has(leg) {
			return
		}
		if reply, err := c.Send(n.staying, esl.UUIDGetvar(leg, moveVariable)); err != nil || reply.Err() != nil || reply.Text != move {
			return
		}
		n.log.Warn("a leg that was fetched from another node was not handed over: it is hung up", slog.String("leg", leg), slog.String("move", move))
		_, _ = c.Send(n.staying, esl.UUIDKill(leg, "NORMAL_CLEARING"))
	})
}

// noticeStray waits for the call of a leg that has parked here by a move of which this worker knows nothing.
func (s *shard) noticeStray(e *esl.Event) {
	move := e.Variable(moveVariable)
	if move == "" || e.Name() != "CHANNEL_PARK" || s.calls[e.UniqueID()] != nil {
		return
	}
	s.node.arrivals.mu.Lock()
	defer s.node.arrivals.mu.Unlock()
	if s.node.arrivals.all[move] == nil {
		s.node.awaitStray(s, e.UniqueID(), move)
	}
}
