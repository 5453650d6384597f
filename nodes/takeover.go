package nodes

import (
	"context"
	"log/slog"
	"time"

	"tandem/callflows"
	"tandem/esl"
)

// takeOver makes the calls that this worker has stood by for its own: it steps the events that the dead owner had not,
// and sees to the commands of which it is not known that the node took them.
func (n *Node) takeOver(ctx context.Context, c *esl.Conn) {
	var open []order
	n.pauseSteps(func() {
		n.role.Store(owning)
		for _, s := range n.shards {
			open = append(open, s.inherit()...)
			s.unsure, s.unheard = false, nil
		}
	})
	n.cdrsMu.Lock()
	for _, cdr := range n.cdrs {
		n.options.Ledger.AddCDR(cdr.CDR)
	}
	n.cdrsMu.Unlock()
	n.settle(ctx, c, open)
	n.reconcile(ctx, c) // calls that the standby did not have yet
}

// inherit steps what was kept, and returns the commands that are open.
func (s *shard) inherit() []order {
	var open []order
	seen := map[*call]bool{}
	for _, c := range s.calls {
		if seen[c] {
			continue
		}
		seen[c] = true
		kept, orders := c.kept, c.orders
		c.kept = nil
		for _, h := range kept {
			orders = withoutAnswered(orders, h.event)
		}
		for _, command := range orders {
			if built, err := s.node.build(c.state.Call, command); err == nil {
				open = append(open, order{call: c, facts: c.state.Call, command: command, built: built, at: time.Now().UTC(), mark: encodeMark(c.state, c.steps)})
			}
		}
		for _, h := range kept {
			c.note(h.channel, h.sequence)
			s.step(c, h.event)
		}
	}
	return open
}

// withoutAnswered leaves out the commands that an event proves to have been taken.
func withoutAnswered(orders []callflows.Command, e callflows.Event) []callflows.Command {
	var left []callflows.Command
	for _, o := range orders {
		proven := e.Command == o.N || e.Kind == callflows.Answered && o.Kind == callflows.Answer
		for _, t := range o.Targets {
			proven = proven || t.Leg == e.Leg
		}
		if !proven {
			left = append(left, o)
		}
	}
	return left
}

// settle sends the commands that never reached the node, and leaves alone those that did. A hang-up is sent at once: twice
// is as good as once. For the others the dead owner's last bytes are waited for, and then the channel's mark says.
func (n *Node) settle(ctx context.Context, c *esl.Conn, open []order) {
	var unclear []order
	for _, o := range open {
		if o.command.Kind == callflows.HangUp {
			n.shardOf(o.facts.Leg).resend(o)
		} else {
			unclear = append(unclear, o)
		}
	}
	if len(unclear) == 0 || !pause(ctx, evidenceWait) {
		return
	}
	for _, o := range unclear {
		reply, err := c.Send(ctx, esl.UUIDGetvar(o.facts.Leg, markVariable))
		if err != nil {
			return
		}
		state, _, err := decodeMark(reply.Text, o.facts)
		if reply.Err() == nil && (err != nil || state.Commands < o.command.N) {
			n.shardOf(o.facts.Leg).resend(o)
		}
	}
}

// resend sends an order of the dead owner that never reached the node, if the call still waits for it.
func (s *shard) resend(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.command.Kind != callflows.HangUp && o.call.state.Awaited != o.command.N {
		return
	}
	select {
	case s.outbox <- o:
	default:
		s.node.log.Error("an order could not be sent after a takeover", slog.String("call_id", o.facts.ID))
	}
}
