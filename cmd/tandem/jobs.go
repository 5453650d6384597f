package main

import (
	"context"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/messages"
	"tandem/postgres"
)

// How the ledger is written.
const (
	ledgerBatch   = 500                   // messages in one transaction
	ledgerWait    = 20 * time.Millisecond // how long a message waits for company
	forgetEvery   = 5 * time.Minute       // how often registrations that are long over are deleted
	forgetTimeout = time.Minute
)

// jobs writes what the other workers hand over: the ledger and the registrations.
func (w *worker) jobs(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.rabbit.ConsumeLedger(ctx, ledgerBatch, ledgerWait, ledgerStore{w.store}) })
	group.Go(func() error { return w.rabbit.ConsumeRegistrations(ctx, w.store) })
	group.Go(func() error { return w.forget(ctx) })
	group.Go(func() error { return w.carryOutOrders(ctx) })
	group.Go(func() error { return w.ageNumbers(ctx) })
	group.Go(func() error { return w.webhooks(ctx) })
	if w.media != nil {
		group.Go(func() error { return (&filing{store: w.store, folder: w.media, log: w.log}).run(ctx) })
		group.Go(func() error { return w.settleMedia(ctx) })
	}
	return group.Wait()
}

// ledgerStore fits the store to what the ledger's consumer asks for: a row that PostgreSQL will never take is told apart
// from one that it cannot take now, so that the first is dead-lettered and the second tried again.
type ledgerStore struct{ store *postgres.Store }

// InsertCDRs keeps CDRs, each leg once.
func (l ledgerStore) InsertCDRs(ctx context.Context, cdrs []messages.CDR) (int, error) {
	n, err := l.store.InsertCDRs(ctx, cdrs)
	return n, refusedRow(err)
}

// InsertJournal keeps journal entries, each once.
func (l ledgerStore) InsertJournal(ctx context.Context, entries []messages.JournalEntry) error {
	_, err := l.store.InsertJournal(ctx, entries)
	return refusedRow(err)
}

// InsertRecordings keeps recordings, each once.
func (l ledgerStore) InsertRecordings(ctx context.Context, recordings []messages.Recording) error {
	_, err := l.store.InsertRecordings(ctx, recordings)
	return refusedRow(err)
}

func refusedRow(err error) error {
	if postgres.IsRefused(err) {
		return &messages.Refusal{Reason: "bad_value", Detail: err.Error()}
	}
	return err
}

// forget deletes registrations that are long over.
func (w *worker) forget(ctx context.Context) error {
	return every(ctx, forgetEvery, func(now time.Time) {
		limited, cancel := context.WithTimeout(ctx, forgetTimeout)
		defer cancel()
		if _, err := w.store.ForgetRegistrations(limited, now); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "old registrations could not be deleted", slog.Any("error", err))
		}
	})
}
