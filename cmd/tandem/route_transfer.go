package main

import (
	"context"
	"log/slog"
	"time"

	"tandem/directory"
	"tandem/messages"
	"tandem/rabbit"
	"tandem/routing"
)

// decideTransfer answers an edge that asks about a phone's REFER with Replaces: whether its media node can carry it out alone.
func (w *worker) decideTransfer(ctx context.Context, m *messages.TransferRequest) *messages.TransferAnswer {
	var to *routing.Talk
	if replaces, ok := routing.ReadReplaces(m.Replaces); ok {
		to = talkOf(w.facts.calls.FindTalk(replaces.CallID, replaces.ToTag, replaces.FromTag))
	}
	in := talkOf(w.facts.calls.FindTalk(m.CallID, m.ToTag, m.FromTag))
	d := routing.DecideTransfer(in, to)
	for _, refused := range routing.TransferRefusals(m, in, to, d, time.Now().UTC()) {
		w.log.InfoContext(ctx, "a phone's transfer to another talk is not carried out by a worker", slog.String("call", refused.Call), slog.String("why", string(refused.Why)),
			slog.String("source", m.SourceAddress))
		w.tellRefused(ctx, refused)
	}
	return routing.AnswerTransfer(m, d)
}

// tellRefused tells the owner of a call's node what its explanation is to say. Should it be lost, the call lacks a line.
func (w *worker) tellRefused(ctx context.Context, m *messages.TransferRefused) {
	if w.noteRefused(m) {
		return
	}
	w.running.Go(func() { // deciding must not wait for the broker
		ctx, cancel := context.WithTimeout(ctx, refusedWait)
		defer cancel()
		if err := w.rabbit.Publish(ctx, rabbit.ExchangeEvents, string(m.MessageType()), m); err != nil {
			w.log.WarnContext(ctx, "a call's owner could not be told of a transfer", slog.String("call", m.Call), slog.Any("error", err))
		}
	})
}

// refusedWait bounds that.
const refusedWait = time.Second

// noteRefused lets the call tell of it, if this worker owns its node.
func (w *worker) noteRefused(m *messages.TransferRefused) bool {
	for _, n := range w.nodes.list() {
		if n.TransferRefused(m) {
			return true
		}
	}
	return false
}

func talkOf(d *directory.Dialog) *routing.Talk {
	if d == nil {
		return nil
	}
	return &routing.Talk{Call: d.Call, Leg: d.Leg, Node: d.Node, Tenant: d.Tenant, Device: d.Device, Flow: d.Flow, Talks: d.Talks}
}
