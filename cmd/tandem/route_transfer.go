package main

import (
	"context"
	"log/slog"

	"tandem/directory"
	"tandem/messages"
	"tandem/routing"
)

// decideTransfer answers an edge that asks about a phone's REFER with Replaces: whether its media node can carry it out alone.
func (w *worker) decideTransfer(ctx context.Context, m *messages.TransferRequest) *messages.TransferAnswer {
	var to *routing.Talk
	if replaces, ok := routing.ReadReplaces(m.Replaces); ok {
		to = talkOf(w.facts.calls.FindTalk(replaces.CallID, replaces.ToTag, replaces.FromTag))
	}
	in := talkOf(w.facts.calls.FindTalk(m.CallID, m.ToTag, m.FromTag))
	verdict, number := routing.DecideTransfer(in, to)
	if verdict == messages.TransferRefuse {
		w.log.InfoContext(ctx, "a phone asks for a transfer to a talk that is not its own, and is refused", slog.String("call", in.Call), slog.String("other", to.Call),
			slog.String("source", m.SourceAddress))
	}
	return routing.AnswerTransfer(m, verdict, number)
}

func talkOf(d *directory.Dialog) *routing.Talk {
	if d == nil {
		return nil
	}
	return &routing.Talk{Call: d.Call, Leg: d.Leg, Node: d.Node, Tenant: d.Tenant, Device: d.Device, Flow: d.Flow, Talks: d.Talks}
}
