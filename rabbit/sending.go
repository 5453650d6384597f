package rabbit

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// run is the ledger's one goroutine: rounds of sending, and waiting in between. It ends after Close, when nothing is held
// any more.
func (l *Ledger) run(ctx context.Context) {
	timer := time.NewTimer(drainRetry)
	defer timer.Stop()
	defer func() {
		if err := l.spool.close(); err != nil {
			l.client.log.Warn("spool not closed", slog.Any("error", err))
		}
	}()
	for {
		changed := l.client.publishing.changes()
		more, ok := l.round(ctx)
		if l.finished(ctx, ok) {
			return
		}
		if more {
			continue
		}
		timer.Reset(l.pause())
		select {
		case <-l.wake:
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// finished reports whether the ledger is closing and has nothing left that it could still keep safe. ok is that of the
// last round; while ctx lives, a failure is tried again.
func (l *Ledger) finished(ctx context.Context, ok bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closing || (len(l.cdrs) > 0 && (ok || ctx.Err() == nil)) {
		return false
	}
	if l.journal.entries > 0 && l.ready() && ctx.Err() == nil {
		return false
	}
	if n := l.journal.entries; n > 0 {
		l.counts.droppedEntries.Add(uint64(n))
		l.client.log.Warn("journal entries lost, RabbitMQ is away", slog.Int("entries", n))
	}
	for _, c := range l.cdrs {
		l.counts.lostCDRs.Add(1)
		l.client.log.Error("CDR or recording could not be kept", slog.String("leg_id", c.leg), slog.String("cdr", string(c.body)))
	}
	l.journal, l.cdrs = journal{}, nil
	return true
}

// pause is how long to wait when nothing calls: until the next journal batch is due, or the spool may be tried again.
func (l *Ledger) pause() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.journal.entries > 0 && l.ready() {
		return max(time.Until(l.journal.firstAt.Add(JournalFlush)), time.Millisecond)
	}
	return drainRetry
}

func (l *Ledger) ready() bool {
	s := l.client.publishing.session.Load()
	return s != nil && !s.blocked.Load()
}

// round sends what is due, all of it in flight together, and settles it. more says that the next round is due already, ok
// that all of it is safe.
func (l *Ledger) round(ctx context.Context) (more, ok bool) {
	cdrs, batch := l.take(ctx)
	drained := l.drain.next(l)
	waiting := make([]*amqp.DeferredConfirmation, 0, len(cdrs)+len(drained)+1)
	for _, c := range cdrs {
		waiting = append(waiting, l.send(persistent(keptAs(c.body), c.body)))
	}
	for _, body := range drained {
		waiting = append(waiting, l.send(persistent(keptAs(body), body)))
	}
	if batch.entries > 0 {
		waiting = append(waiting, l.send(l.packer.pack(persistent(messages.JournalV1, batch.message()))))
	}
	taken := settle(ctx, waiting)
	ok = l.settleCDRs(cdrs, taken[:len(cdrs)])
	taken = taken[len(cdrs):]
	ok = l.drain.settle(l, taken[:len(drained)]) && ok
	if batch.entries > 0 {
		ok = l.settleJournal(batch, taken[len(drained)]) && ok
	}
	return ok && (len(drained) > 0 || l.due(ctx)), ok
}

// keptAs is the type of a body that is held or spooled. Both types begin with it (Encode).
func keptAs(body []byte) messages.Type {
	if bytes.HasPrefix(body, []byte(`{"type":"`+messages.RecordingV1+`"`)) {
		return messages.RecordingV1
	}
	return messages.CDRV1
}

// send returns nil when the broker is away.
func (l *Ledger) send(m amqp.Publishing) *amqp.DeferredConfirmation {
	confirm, err := l.client.send(ExchangeLedger, m.Type, m)
	if err != nil {
		return nil
	}
	return confirm
}

// settle waits for all confirms, ConfirmWait at most, and says which the broker has taken.
func settle(ctx context.Context, waiting []*amqp.DeferredConfirmation) []bool {
	ctx, cancel := context.WithTimeout(ctx, ConfirmWait)
	defer cancel()
	taken := make([]bool, len(waiting))
	for i, confirm := range waiting {
		if confirm == nil {
			continue
		}
		taken[i], _ = confirm.WaitContext(ctx)
		if !taken[i] {
			taken[i] = confirm.Acked() // when ctx has ended both may be ready
		}
	}
	return taken
}

// take removes what the next round sends: CDRs, and a batch of journal entries when one is due.
func (l *Ledger) take(ctx context.Context) ([]heldCDR, batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	if l.cdrsDue(ctx) {
		n = min(len(l.cdrs), cdrsAtOnce)
	}
	cdrs := l.cdrs[:n:n]
	if l.cdrs = l.cdrs[n:]; len(l.cdrs) == 0 {
		l.cdrs = nil
	}
	if !l.journalDue() {
		return cdrs, batch{}
	}
	return cdrs, l.journal.take()
}

// journalDue is called with the lock held.
func (l *Ledger) journalDue() bool {
	if l.journal.entries == 0 || !l.ready() {
		return false
	}
	return l.closing || l.journal.due()
}

// cdrsDue is called with the lock held. A spool that has just failed is left alone for a moment, but for the last attempt.
func (l *Ledger) cdrsDue(ctx context.Context) bool {
	return len(l.cdrs) > 0 && (l.ready() || ctx.Err() != nil || !time.Now().Before(l.spoolRetryAt))
}

func (l *Ledger) due(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cdrsDue(ctx) || l.journalDue()
}

// settleCDRs spools what the broker has not taken. false means that neither would take it: it is held.
func (l *Ledger) settleCDRs(cdrs []heldCDR, taken []bool) bool {
	var left []heldCDR
	for i, c := range cdrs {
		if taken[i] {
			l.counts.confirmedCDRs.Add(1)
			l.onSafe(c.leg)
		} else {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		return true
	}
	bodies := make([][]byte, len(left))
	for i, c := range left {
		bodies[i] = c.body
	}
	if err := l.spool.append(bodies); err != nil {
		l.client.log.Error("CDRs can neither be sent nor spooled, they are held in memory",
			slog.Int("cdrs", len(left)), slog.Any("error", err))
		l.mu.Lock()
		l.cdrs = append(left, l.cdrs...)
		l.spoolRetryAt = time.Now().Add(drainRetry)
		l.mu.Unlock()
		return false
	}
	l.counts.spooledCDRs.Add(uint64(len(left)))
	for _, c := range left {
		l.onSafe(c.leg)
	}
	return true
}

// settleJournal puts a batch back that the broker has not taken.
func (l *Ledger) settleJournal(b batch, taken bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.journal.firstAt = time.Now()
	if taken {
		l.counts.confirmedEntries.Add(uint64(b.entries))
		l.counts.batches.Add(1)
		l.journal.reuse(b)
		return true
	}
	l.journal.putBack(b)
	l.counts.droppedEntries.Add(uint64(l.journal.trim(MaxHeldJournalBytes)))
	return false
}
