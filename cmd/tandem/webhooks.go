package main

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/deliver"
	fetcher "tandem/fetch"
	"tandem/messages"
	"tandem/postgres"
)

// How events are told of.
const (
	momentsBatch = 500                   // call events in one transaction
	momentsWait  = 20 * time.Millisecond // how long one waits for company
	overAfter    = 10 * time.Minute      // how long a call that is over may wait for its caller's record
	overEvery    = time.Minute
	overBatch    = 500
	queueEvery   = 5 * time.Second
	overTimeout  = 30 * time.Second
)

// webhooks sends a platform's events to those who want them. Any number of workers may do it at once.
func (w *worker) webhooks(ctx context.Context) error {
	poster := fetcher.NewPoster(w.settings.FetchAllow)
	defer poster.Close()
	d := &deliver.Worker{Store: w.store, Poster: poster, Log: w.log, Settled: w.meters.sent}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { d.Run(ctx); return nil })
	group.Go(func() error {
		_ = w.store.Listen(ctx, postgres.OutboxChannel, func(string) { d.Wake() }) // it ends with ctx
		return nil
	})
	group.Go(func() error { return w.rabbit.ConsumeMoments(ctx, momentsBatch, momentsWait, momentStore{w.store}) })
	group.Go(func() error { return w.tellOver(ctx) })
	group.Go(func() error { return w.watchQueue(ctx) })
	return group.Wait()
}

// watchQueue keeps the metrics of what waits.
func (w *worker) watchQueue(ctx context.Context) error {
	return every(ctx, queueEvery, func(time.Time) {
		limited, cancel := context.WithTimeout(ctx, overTimeout)
		defer cancel()
		waiting, err := w.store.Waiting(limited)
		if err != nil {
			w.log.DebugContext(ctx, "what waits for webhooks could not be counted", slog.Any("error", err))
			return
		}
		w.meters.queue(waiting)
	})
}

// momentStore fits the store to what the consumer asks for, as ledgerStore does.
type momentStore struct{ store *postgres.Store }

// SaveCallEvents keeps what nodes tell of live calls.
func (m momentStore) SaveCallEvents(ctx context.Context, events []messages.CallEvent) error {
	return refusedRow(m.store.SaveCallEvents(ctx, events))
}

// tellOver tells the end of calls whose record is lost.
func (w *worker) tellOver(ctx context.Context) error {
	return every(ctx, overEvery, func(now time.Time) {
		limited, cancel := context.WithTimeout(ctx, overTimeout)
		defer cancel()
		if n, err := w.store.TellOver(limited, now.Add(-overAfter), overBatch); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "calls whose end is not told could not be looked after", slog.Any("error", err))
		} else if n > 0 {
			w.log.WarnContext(ctx, "calls ended without a record of their caller's leg; their end is told as it is known", slog.Int("calls", n))
		}
	})
}
