package main

import (
	"context"
	"log/slog"
	"time"

	"tandem/messages"
	"tandem/rabbit"
)

// forgetWait bounds one look at which credentials have changed.
const forgetWait = 5 * time.Second

// forgetCredentials tells the edges to forget credentials that have changed or gone, as soon as PostgreSQL announces a change: they keep
// what they have read for an hour, and for a day when PostgreSQL is away. Every worker that drives calls tells them; being told
// twice harms nobody.
func (w *worker) forgetCredentials(ctx context.Context) error {
	var last int64
	return w.store.WatchRevision(ctx, func(int64) {
		for w.forgetSome(ctx, &last) {
		}
	})
}

// forgetSome tells of some, and says whether there may be more.
func (w *worker) forgetSome(ctx context.Context, last *int64) bool {
	ctx, cancel := context.WithTimeout(ctx, forgetWait)
	defer cancel()
	changed, until, err := w.store.ChangedCredentials(ctx, *last)
	if err != nil {
		w.log.WarnContext(ctx, "which credentials have changed could not be read; edges are told with the next change", slog.Any("error", err))
		return false
	}
	for _, c := range changed {
		m := &messages.EdgeForget{EventCategory: "edge", EventName: "forget", Type: messages.EdgeForgetV1, Username: c.Username, Domain: c.Domain}
		if err := w.rabbit.Publish(ctx, rabbit.ExchangeEdges, "", m); err != nil {
			w.log.WarnContext(ctx, "edges could not be told to forget credentials; they are told with the next change", slog.Any("error", err))
			return false
		}
	}
	*last = until
	return len(changed) > 0
}
