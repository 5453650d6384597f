package nodes

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tandem/callflows"
	"tandem/esl"
)

// takeOver makes the calls that this worker has stood by for its own: it steps the events that the last owner had not, as
// far as is known, and sees to the commands of which it is not known that the node took them.
//
//	                                        an owner that has died    one that was silent
//	commands it told of, unconfirmed        the node is asked         the node is asked
//	commands of events stepped here anew    sent at once              the node is asked
//
// For an owner hands what it ships to its kernel before it orders, so after its death all of it has arrived. One that is cut
// off may have ordered what its standby never heard of.
func (n *Node) takeOver(ctx context.Context, c *esl.Conn, silent bool) {
	var open []order
	n.pauseSteps(func() {
		n.role.Store(owning)
		n.term.Add(1)
		for _, s := range n.shards {
			open = append(open, s.inherit(silent)...)
		}
	})
	n.cdrsMu.Lock()
	for _, cdr := range n.cdrs {
		n.options.Ledger.AddCDR(cdr.CDR)
	}
	for _, r := range n.recordings {
		n.options.Ledger.AddRecording(r.Recording)
	}
	n.cdrsMu.Unlock()
	n.settle(ctx, c, open)
	n.settled()
	n.departs.Store(true) // calls that the last owner was moving
	n.gap.inherited()
	n.doubtMoves()
	n.doubtLegs()
	n.reconcile(ctx, c) // calls that the standby did not have yet
}

// settled lets the timers and marks go on that waited for what became of the last owner's orders.
func (n *Node) settled() {
	for _, s := range n.shards {
		s.mu.Lock()
		for _, c := range s.calls {
			c.unclear = false
			if c.unmarked && c.state.Phase != callflows.Ended {
				s.mark(c)
			}
		}
		s.mu.Unlock()
	}
}

// doubtLegs has the legs of calls looked for at the node, as after a gap, where the last owner may have been late: the end of one may have
// been told before this worker listened, to an owner that died before it had read it. Their calls go on as they are. What was told later
// will come, however late.
func (n *Node) doubtLegs() {
	for _, s := range n.shards {
		s.mu.Lock()
		for _, c := range s.calls {
			c.doubted = c.before && !s.abreast
		}
		s.mu.Unlock()
	}
}

// doubtMoves has the calls whose leg is being moved compared with the node's channels: that it has parked may have been told before this
// worker listened, to an owner that was late and died before it had read it. A call that goes on meanwhile is left alone.
func (n *Node) doubtMoves() {
	for _, s := range n.shards {
		s.mu.Lock()
		for _, c := range s.calls {
			c.moving = c.state.Moving()
		}
		s.mu.Unlock()
	}
}

// inherit steps what was kept, and returns the commands that are open. With doubt these include those that the steps give.
func (s *shard) inherit(doubt bool) []order {
	var open []order
	if doubt {
		s.doubts = &open
		defer func() { s.doubts = nil }()
	}
	seen := map[*call]bool{}
	for _, c := range s.calls {
		if seen[c] {
			continue
		}
		seen[c] = true
		s.tellOut(c, c.state) // from now on it is counted here
		if c.late {
			// What was heard waits until its channel was asked.
			s.node.askFor(c.state.DrivenLeg())
			continue
		}
		kept, orders, waits, asked, inquiries := c.kept, c.orders, c.waits, c.asked, c.inquiries
		c.kept, c.waits, c.asked, c.inquiries = nil, nil, nil, nil
		for _, q := range asked {
			s.ask(c, q)
		}
		for _, h := range kept {
			orders = withoutAnswered(orders, h.event)
		}
		for _, command := range orders {
			c.unclear = c.unclear || command.Kind != callflows.HangUp
			if built, err := s.node.build(c.state.Call, command); err == nil {
				var with []esl.Command
				if command.Kind == callflows.HandOver {
					with = s.handOver(c, command)
				}
				open = append(open, order{call: c, facts: c.state.Call, command: command, with: with, music: s.node.musicVariables(c.state.Call.Tenant, command), built: built, at: time.Now().UTC(),
					mark: encodeMark(c.state, c.steps), term: s.node.term.Load()})
			}
		}
		for _, w := range waits {
			s.await(c, w)
		}
		if !s.pinned(c) {
			c.kept = kept
			continue
		}
		for _, h := range kept {
			c.note(h.channel, h.sequence)
			s.step(c, h.event)
		}
		for _, q := range inquiries {
			if answer, ok := s.inquire(c, q, time.Now().UTC()); ok && c.state.Phase != callflows.Ended {
				s.step(c, answer)
			}
		}
	}
	return open
}

// withoutAnswered leaves out the commands that an event proves to have been taken.
func withoutAnswered(orders []callflows.Command, e callflows.Event) []callflows.Command {
	var left []callflows.Command
	for _, o := range orders {
		proven := e.Command == o.N || e.Kind == callflows.Answered && o.Kind == callflows.Answer ||
			e.Kind == callflows.Joined && o.Kind == callflows.Join && o.Other != nil && o.Other.Leg == e.Other.Leg ||
			e.Kind == callflows.Bridged && o.Kind == callflows.Rejoin ||
			e.Kind == callflows.Transferred && o.Kind == callflows.TakeOut && e.Leg == o.Leg
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
// is as good as once. For the others the last owner's bytes are waited for, and then the channel's mark says.
func (n *Node) settle(ctx context.Context, c *esl.Conn, open []order) {
	unclear := map[*shard][]order{}
	for _, o := range open {
		s := n.shardOf(o.facts.Leg)
		if o.command.Kind == callflows.HangUp {
			s.resend(o)
		} else {
			unclear[s] = append(unclear[s], o)
		}
	}
	if len(unclear) == 0 || !pause(ctx, n.evidenceAfter()) {
		return
	}
	var all sync.WaitGroup
	for s, orders := range unclear {
		all.Go(func() { s.settle(ctx, c, orders) })
	}
	all.Wait()
}

// evidenceAfter is how long a node is given to read what the last owner wrote: longer when it was late lately.
func (n *Node) evidenceAfter() time.Duration {
	return min(maxEvidence, evidenceWait+2*max(0, n.late.lately(time.Now())-nodeLooks))
}

// settle asks the channels of a shard's calls.
func (s *shard) settle(ctx context.Context, c *esl.Conn, unclear []order) {
	for _, o := range unclear {
		switch taken(ctx, c, o) {
		case orderTaken:
			s.confirm(o)
		case orderMissing:
			s.resend(o)
		case channelGone:
		}
	}
}

// evidence is what a channel says about an order.
type evidence int

const (
	channelGone evidence = iota // or the connection
	orderTaken
	orderMissing
)

// taken says whether the node has got an order of the last owner's. A node that is slow to answer us is slow to read others
// too: that it has not got the order counts only when it answered fast.
func taken(ctx context.Context, c *esl.Conn, o order) evidence {
	if o.command.Kind == callflows.Summon {
		return summoned(ctx, c, o)
	}
	marked := o.command.Leg
	if o.command.Kind == callflows.Join { // whichever leg it is for
		marked = o.facts.Leg
	}
	for range maxLooks {
		asked := time.Now()
		reply, err := c.Send(ctx, esl.UUIDGetvar(marked, markVariable))
		if err != nil || reply.Err() != nil {
			return channelGone
		}
		if state, _, err := decodeMark(reply.Text, o.facts); err == nil && state.Commands >= o.command.N {
			return orderTaken
		}
		if time.Since(asked) <= slowAnswer {
			break
		}
		if !pause(ctx, evidenceWait) {
			return channelGone
		}
	}
	return orderMissing
}

// summoned is taken for an order that no leg leads: one that has been carried out has brought forth one of its legs at least. That those
// are over already is told by events, which prove it too. Should it be given twice all the same, the uuids are taken and nothing rings.
func summoned(ctx context.Context, c *esl.Conn, o order) evidence {
	for _, t := range o.command.Targets {
		reply, err := c.Send(ctx, esl.UUIDExists(t.Leg))
		if err != nil {
			return channelGone
		}
		if reply.Text == "true" {
			return orderTaken
		}
	}
	return orderMissing
}

// resend sends an order of the last owner that never reached the node, if the call still waits for it.
func (s *shard) resend(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.command.Kind != callflows.HangUp && o.command.Kind != callflows.HandOver && o.call.state.Awaited != o.command.N {
		return
	}
	s.node.gap.queued()
	select {
	case s.outbox <- o:
		o.call.queued = o.command.N
	default:
		s.node.log.Error("an order could not be sent after a takeover", slog.String("call_id", o.facts.ID))
	}
}
