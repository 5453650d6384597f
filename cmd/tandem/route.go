package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tandem/explain"
	"tandem/messages"
	"tandem/routing"
)

// route answers the edges: it gathers the facts, lets routing decide, and keeps the reasons.
//
// A worker that has just started waits until it has heard of the nodes from their owners: otherwise it would refuse calls
// that others take.
func (w *worker) route(ctx context.Context) error {
	w.facts.awaitNodes(ctx)
	return w.rabbit.ServeRoutes(ctx, w.settings.Prefetch, func(ctx context.Context, m *messages.RouteRequest) (*messages.RouteAnswer, func()) {
		return w.decide(ctx, m, time.Now().UTC())
	})
}

// decide answers one request. sent records the decision: one whose answer never left is not what happened to the call.
//
// The same request may be there twice, at one worker or at two: the edge asks again when an answer takes long, and the
// broker when a worker has died. What a node has taken is decided, so no answer is due.
func (w *worker) decide(ctx context.Context, m *messages.RouteRequest, now time.Time) (answer *messages.RouteAnswer, sent func()) {
	request, err := routing.Read(m)
	if err != nil {
		return w.unreadable(ctx, m, request, err, now)
	}
	if w.facts.calls.Taken(request.Call) {
		return nil, nil
	}
	snapshot := w.source.Current()
	tenant := routing.TenantOf(snapshot, request)
	facts := w.facts.routing(tenant, request.Call, now)
	decision := routing.Decide(snapshot, facts, request)
	return routing.Answer(m, decision), func() { w.record(now, request, facts, decision) }
}

// record keeps a decision: its journal entry, and for a rejection the CDR of the leg that reached no node.
func (w *worker) record(now time.Time, request routing.Request, facts routing.Facts, d routing.Decision) {
	w.meters.decision(d)
	room, _ := w.rooms.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	var entry messages.JournalEntry
	entry, *room = routing.Journal(*room, facts, request, d)
	w.ledger.AddJournal(entry) // which keeps nothing of the room
	w.rooms.Put(room)
	if d.Verdict == messages.Reject {
		w.ledger.AddCDR(explain.RejectedCDR(now, request, d))
		return
	}
	w.facts.calls.Tentative(d.Call, d.Tenant, now)
	w.facts.begun(d.Call, d.Tenant, now)
}

// unreadable answers a request whose texts cannot be read.
func (w *worker) unreadable(ctx context.Context, m *messages.RouteRequest, request routing.Request, err error, now time.Time) (answer *messages.RouteAnswer, sent func()) {
	field := ""
	var refusal *messages.Refusal
	if errors.As(err, &refusal) {
		field = refusal.Field
	}
	w.log.WarnContext(ctx, "a routing request cannot be read", slog.String("call_id", request.Call), slog.String("field", field),
		slog.String("source", m.SourceAddress))
	d := routing.Unreadable(request.Call, field)
	request.SIPCallID = m.CallID
	return routing.Answer(m, d), func() { w.record(now, request, routing.Facts{At: now}, d) }
}
