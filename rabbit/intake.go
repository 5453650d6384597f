package rabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// Bounds of ConsumeLedger.
const (
	MaxIntakeBatch = 4096     // messages that it holds at once
	intakeBytes    = 16 << 20 // unpacked, that it stores at once
)

// LedgerStore writes the ledger. Its methods are idempotent: a batch may come again, whole or in part. An error that
// wraps a *messages.Refusal says that one of the values can never be stored; any other that it was not the values'
// fault.
type LedgerStore interface {
	InsertCDRs(context.Context, []messages.CDR) (inserted int, err error)
	InsertJournal(context.Context, []messages.JournalEntry) error
	InsertRecordings(context.Context, []messages.Recording) error
}

// ConsumeLedger collects up to batch messages, or those of wait after the first, stores them together and acknowledges
// them together, until ctx ends (then nil) or the client is closed (then ErrClosed).
//
// While the store fails the messages are held and tried again, in their order, after a growing, bounded pause: giving
// them back would count as a redelivery and change the order. When the store refuses a batch, its messages are stored
// one by one and those at fault dead-lettered with the Refusal's Reason, as are those that cannot be read.
func (c *Client) ConsumeLedger(ctx context.Context, batch int, wait time.Duration, store LedgerStore) error {
	batch = min(max(batch, 1), MaxIntakeBatch)
	return c.eachSession(ctx, "consume "+QueueLedger, func(ctx context.Context, s *session) error {
		// Twice the batch: the next one arrives while this one is being stored.
		ch, deliveries, err := s.consume(QueueLedger, 2*batch, nil)
		if err != nil {
			return err
		}
		alive, lost := context.WithCancel(ctx)
		defer lost()
		closed := ch.NotifyClose(make(chan *amqp.Error, 1))
		var group sync.WaitGroup
		group.Go(func() {
			in := intake{client: c, store: store, alive: alive}
			for {
				held := collect(ctx, deliveries, batch, wait)
				if len(held) == 0 || !in.keep(ctx, held) {
					return
				}
				_ = held[len(held)-1].Ack(true) // fails when the channel is lost; all of it comes again
			}
		})
		go func() { // ends with the channel
			<-closed
			lost()
		}()
		return finish(ctx, ch, &group)
	})
}

// collect returns the next deliveries, none when the channel is lost or ctx has ended.
func collect(ctx context.Context, deliveries <-chan amqp.Delivery, batch int, wait time.Duration) []amqp.Delivery {
	var held []amqp.Delivery
	select {
	case d, open := <-deliveries:
		if !open {
			return nil
		}
		held = append(held, d)
	case <-ctx.Done():
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for len(held) < batch {
		select {
		case d, open := <-deliveries:
			if !open {
				return nil // lost: they come again
			}
			held = append(held, d)
		case <-timer.C:
			return held
		case <-ctx.Done():
			return held
		}
	}
	return held
}

// intake stores what one channel has delivered.
type intake struct {
	client *Client
	store  LedgerStore
	alive  context.Context // ends with the channel: what is held then comes again
}

// reading is one delivery, read.
type reading struct {
	delivery *amqp.Delivery
	size     int // bytes, unpacked
	cdr      *messages.CDR
	entries  []messages.JournalEntry
	recorded *messages.Recording
}

// keep returns true when every delivery is stored or dead-lettered, false when the channel is lost or ctx has ended.
func (in *intake) keep(ctx context.Context, held []amqp.Delivery) bool {
	var all []reading
	size := 0
	for i := range held {
		r, err := read(&held[i])
		if err != nil {
			if !in.refuse(ctx, &held[i], err) {
				return false
			}
			continue
		}
		all = append(all, r)
		if size += r.size; size >= intakeBytes {
			if !in.keepTogether(ctx, all) {
				return false
			}
			all, size = nil, 0
		}
	}
	return len(all) == 0 || in.keepTogether(ctx, all)
}

// keepTogether is keep for what has been read and can be stored at once.
func (in *intake) keepTogether(ctx context.Context, all []reading) bool {
	refusal, ok := in.insert(ctx, all)
	if !ok {
		return false
	}
	if refusal == nil {
		return true
	}
	for i := range all {
		refusal, ok := in.insert(ctx, all[i:i+1])
		if !ok || (refusal != nil && !in.refuse(ctx, all[i].delivery, refusal)) {
			return false
		}
	}
	return true
}

func read(d *amqp.Delivery) (reading, error) {
	body, err := unpack(d)
	if err != nil {
		return reading{}, err
	}
	m, err := messages.Parse(body)
	if err != nil {
		return reading{}, err
	}
	switch m := m.(type) {
	case *messages.CDR:
		return reading{delivery: d, size: len(body), cdr: m}, nil
	case *messages.Journal:
		return reading{delivery: d, size: len(body), entries: m.Entries}, nil
	case *messages.Recording:
		return reading{delivery: d, size: len(body), recorded: m}, nil
	}
	return reading{}, &messages.Refusal{Reason: "unknown_type", Field: "type", Detail: "does not belong into the ledger"}
}

// insert stores the readings, trying until it is done. It returns the refusal that the store met, and false when there is
// no point in trying on.
func (in *intake) insert(ctx context.Context, all []reading) (*messages.Refusal, bool) {
	var cdrs []messages.CDR
	var entries []messages.JournalEntry
	var recordings []messages.Recording
	for _, r := range all {
		if r.recorded != nil {
			recordings = append(recordings, *r.recorded)
		}
		if r.cdr != nil {
			cdrs = append(cdrs, *r.cdr)
		}
		entries = append(entries, r.entries...)
	}
	var refusal *messages.Refusal
	ok := in.try(ctx, "store the ledger", func() error {
		err := in.client.guard("ledger store", func() error { return in.storeAll(ctx, cdrs, entries, recordings) })
		if errors.As(err, &refusal) {
			return nil
		}
		return err
	})
	return refusal, ok
}

func (in *intake) storeAll(ctx context.Context, cdrs []messages.CDR, entries []messages.JournalEntry, recordings []messages.Recording) error {
	if len(cdrs) > 0 {
		if _, err := in.store.InsertCDRs(ctx, cdrs); err != nil {
			return fmt.Errorf("insert %d CDRs: %w", len(cdrs), err)
		}
	}
	if len(entries) > 0 {
		if err := in.store.InsertJournal(ctx, entries); err != nil {
			return fmt.Errorf("insert %d journal entries: %w", len(entries), err)
		}
	}
	if len(recordings) > 0 {
		if err := in.store.InsertRecordings(ctx, recordings); err != nil {
			return fmt.Errorf("insert %d recordings: %w", len(recordings), err)
		}
	}
	return nil
}

// refuse dead-letters one delivery, trying until it is done or there is no point.
func (in *intake) refuse(ctx context.Context, d *amqp.Delivery, err error) bool {
	var refusal *messages.Refusal
	if !errors.As(err, &refusal) {
		refusal = &messages.Refusal{Reason: "not_json", Detail: err.Error()}
	}
	in.client.counts.refused.Add(1)
	return in.try(ctx, "dead-letter", func() error { return in.client.deadLetter(ctx, QueueLedger, d, *refusal) })
}

// try repeats work until it succeeds; false when the channel is lost or ctx has ended before. It logs the first failure
// and the recovery, not every attempt.
func (in *intake) try(ctx context.Context, what string, work func() error) bool {
	pause := backoff{}
	since := time.Time{}
	for {
		err := work()
		if err == nil {
			if !since.IsZero() {
				in.client.log.Info("ledger goes on", slog.String("what", what), slog.Duration("after", time.Since(since)))
			}
			return true
		}
		if in.alive.Err() != nil || ctx.Err() != nil {
			return false
		}
		if since.IsZero() {
			since = time.Now()
			in.client.log.Warn("ledger waits, trying again until it works", slog.String("what", what), slog.Any("error", err))
		}
		pause.wait(in.alive)
	}
}
