package nodes

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"tandem/callflows"
)

// Mailboxes keeps messages and PINs. Its methods may take as long as ctx allows; a tenant's box is no other tenant's.
type Mailboxes interface {
	FindMessages(ctx context.Context, tenant, box string) ([]callflows.Message, error)
	MarkMessage(ctx context.Context, tenant, box, message string, mark callflows.Mark) error
	CheckPIN(ctx context.Context, tenant, box, pin string) (callflows.PINOutcome, error)
}

// Settings keeps what users set by telephone.
type Settings interface {
	// SaveSetting saves a setting of a user of the call's tenant. id names the order: one that was carried out is not carried out
	// again. refused says in words why it can never be saved; an error may pass with time.
	SaveSetting(ctx context.Context, call callflows.Call, id string, set callflows.UserSetting) (refused string, err error)
}

// Bounds of inquiries: commands that are answered by something slower than memory.
const (
	inquiryWait  = 2 * time.Second // what has not answered by then is away
	maxInquiries = 64              // of one node at once; more are answered at once, as if nobody were there
)

// inquires says whether a command is an inquiry.
func inquires(k callflows.CommandKind) bool {
	return k == callflows.FindMessages || k == callflows.MarkMessage || k == callflows.CheckPIN || k == callflows.SaveSetting
}

// inquire has a command answered, without the shard waiting for it. The standby knows of it, and asks again when it takes
// over: asking twice is harmless, but that a wrong PIN may count twice. ok says that it is answered at once.
func (s *shard) inquire(c *call, command callflows.Command, at time.Time) (answer callflows.Event, ok bool) {
	n := s.node
	lost := command.Kind == callflows.CheckPIN && command.Secret == "" // with the worker that had it
	saves := command.Kind == callflows.SaveSetting
	if lost || !saves && n.options.Mailboxes == nil || saves && (n.options.Settings == nil || command.Setting == nil) {
		return unanswered(command, at, lost), true
	}
	select {
	case n.inquiring <- struct{}{}:
	default:
		n.log.Warn("too many calls wait for their tenants' boxes", slog.String("call_id", c.state.Call.ID), slog.String("tenant_id", c.state.Call.Tenant))
		return unanswered(command, at, false), true
	}
	c.inquiries = append(c.inquiries, command)
	facts := c.state.Call
	n.started.Go(func() {
		answer := n.answer(facts, command, at)
		<-n.inquiring
		s.mu.Lock()
		defer s.mu.Unlock()
		if n.staying.Err() != nil || n.role.Load() != owning || c.state.Move.Away && !c.arriving {
			return // whoever owns the node now asks again
		}
		c.inquiries = slices.DeleteFunc(c.inquiries, func(o callflows.Command) bool { return o.N == command.N })
		if c.state.Phase != callflows.Ended {
			s.step(c, answer)
		}
	})
	return answer, false
}

// answer asks, a bounded time long.
func (n *Node) answer(facts callflows.Call, command callflows.Command, at time.Time) callflows.Event {
	ctx, cancel := context.WithTimeout(n.staying, inquiryWait)
	defer cancel()
	out := unanswered(command, at, false)
	var err error
	switch command.Kind {
	case callflows.FindMessages:
		out.Messages, err = n.options.Mailboxes.FindMessages(ctx, facts.Tenant, command.Box)
	case callflows.MarkMessage:
		err = n.options.Mailboxes.MarkMessage(ctx, facts.Tenant, command.Box, command.Message, command.Mark)
	case callflows.SaveSetting:
		out.Cause, err = n.options.Settings.SaveSetting(ctx, facts, commandID(facts, command.N), *command.Setting)
	case callflows.CheckPIN:
		var pin callflows.PINOutcome
		if pin, err = n.options.Mailboxes.CheckPIN(ctx, facts.Tenant, command.Box, command.Secret); err == nil {
			out.PIN = pin
		}
	default:
		return out
	}
	out.Away = err != nil
	if err != nil {
		n.log.Warn("a tenant's box did not answer", slog.String("call_id", facts.ID), slog.String("tenant_id", facts.Tenant),
			slog.String("command", string(command.Kind)), slog.Any("error", err))
	}
	return out
}

// unanswered is the answer when nobody is there.
func unanswered(command callflows.Command, at time.Time, lost bool) callflows.Event {
	out := callflows.Event{At: at, Leg: command.Leg, Command: command.N, Away: true}
	switch command.Kind {
	case callflows.FindMessages:
		out.Kind = callflows.MessagesFound
	case callflows.SaveSetting:
		out.Kind = callflows.Saved
	case callflows.CheckPIN:
		out.Kind, out.PIN, out.Away = callflows.PINChecked, callflows.PINAway, false
		if lost {
			out.PIN = callflows.PINLost
		}
	default:
		out.Kind = callflows.Done
	}
	return out
}
