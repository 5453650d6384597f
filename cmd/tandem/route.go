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
	}, w.decideTransfer)
}

// decide answers one request. sent records the decision: one whose answer never left is not what happened to the call.
//
// The same request may be there twice, at one worker or at two: the edge asks again when an answer takes long, and the
// broker when a worker has died. What a node has taken is decided, so no answer is due.
func (w *worker) decide(ctx context.Context, m *messages.RouteRequest, now time.Time) (answer *messages.RouteAnswer, sent func()) {
	d := w.newDecided(now)
	var err error
	if d.request, err = routing.Read(m); err != nil {
		return w.unreadable(ctx, m, d, err)
	}
	if w.facts.calls.Taken(d.request.Call) {
		return nil, nil
	}
	snapshot := w.source.Current()
	tenant := routing.TenantOf(snapshot, d.request)
	d.facts = w.facts.routing(snapshot, d.request, tenant, now)
	d.decision = routing.Decide(snapshot, d.facts, d.request)
	return routing.Answer(m, d.decision), d.sent
}

// decided is a decision and what it was made of, until it is recorded. There is one for each request, so they are used again.
type decided struct {
	worker   *worker
	at       time.Time
	request  routing.Request
	facts    routing.Facts
	decision routing.Decision
	room     []byte // in which its journal entry is written
	sent     func() // record
}

func (w *worker) newDecided(at time.Time) *decided {
	d, _ := w.decided.Get().(*decided)
	if d == nil {
		d = &decided{worker: w}
		d.sent = d.record
	}
	d.at = at
	return d
}

// record keeps a decision: its journal entry, and for a rejection the CDR of the leg that reached no node. It may be called
// once: another request's decision takes the place of this one.
func (d *decided) record() {
	w := d.worker
	w.meters.decision(d.decision)
	var entry messages.JournalEntry
	entry, d.room = routing.Journal(d.room, d.facts, d.request, d.decision)
	w.ledger.AddJournal(entry) // which keeps nothing of the room
	if d.decision.Verdict == messages.Reject {
		w.ledger.AddCDR(explain.RejectedCDR(d.at, d.request, d.decision))
	} else {
		w.facts.calls.Tentative(d.decision.Call, d.decision.Tenant, d.at)
		w.facts.begun(d.decision.Call, d.decision.Tenant, d.at)
	}
	d.request, d.facts, d.decision = routing.Request{}, routing.Facts{}, routing.Decision{}
	w.decided.Put(d)
}

// unreadable answers a request whose texts cannot be read.
func (w *worker) unreadable(ctx context.Context, m *messages.RouteRequest, d *decided, err error) (answer *messages.RouteAnswer, sent func()) {
	field := ""
	var refusal *messages.Refusal
	if errors.As(err, &refusal) {
		field = refusal.Field
	}
	w.log.WarnContext(ctx, "a routing request cannot be read", slog.String("call_id", d.request.Call), slog.String("field", field),
		slog.String("source", m.SourceAddress))
	d.request.SIPCallID = m.CallID
	d.facts = routing.Facts{At: d.at}
	d.decision = routing.Unreadable(d.request.Call, field)
	return routing.Answer(m, d.decision), d.sent
}
