// Package deliver sends the events of the outbox to the webhooks that want them.
//
// It guarantees, with package postgres under it:
//   - An event whose transaction was committed is sent to each webhook that wants it until the webhook takes it or its attempts are
//     used up, whichever worker dies at whatever instruction, and however many there are. It may be sent more than once.
//   - Events of one subject are sent to a webhook one after another, in their order.
//   - It never asks the database more often than every lookEvery unless something has happened: it is woken by announcements, by
//     the end of an attempt, and by the next attempt's time.
//   - A receiver that is slow holds up its own tenant's messages alone: attempts are bounded for each webhook, tenant and worker.
//
// What one round does, and where a worker may die:
//
//	outbox --Dispatch--> events + deliveries --Claim--> leased --Post--> answered --Settle--> delivered, or waiting again
//	                                              ^                  |
//	                                              '-- lease is over -'  whoever died between the two; the receiver may see it twice
//
// It refuses to count what its own end has cut off: such an attempt is given back, and was none.
package deliver

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tandem/webhooks"
)

// Bounds of a worker.
const (
	MaxAtOnce     = 64               // attempts under way
	dispatchBatch = 500              // events in one transaction
	lookEvery     = 5 * time.Second  // when nothing announces anything; leases that are over are found so
	leastPause    = time.Millisecond // between rounds
	storeWait     = 10 * time.Second // for one question to the database
	failurePause  = time.Second      // when it does not answer
	// overtakenAfter is how long this process may stand still before it leaves a delivery to whoever has claimed it meanwhile.
	overtakenAfter = 2 * webhooks.AttemptFor
	pruneEvery     = time.Minute
	pruneBatch     = 10_000
)

// Store is what the database does.
type Store interface {
	Dispatch(ctx context.Context, most int) (dispatched int, err error)
	Claim(ctx context.Context, most int) ([]webhooks.Claim, error)
	Settle(ctx context.Context, c webhooks.Claim, a webhooks.Answer, at time.Time, chance float64) error
	Release(ctx context.Context, c webhooks.Claim) error
	// NextDue says in how long the next delivery is due; an error when there is none.
	NextDue(ctx context.Context) (time.Duration, error)
	PruneEvents(ctx context.Context, now time.Time, limit int) (int64, error)
}

// Poster sends one message.
type Poster interface {
	Post(ctx context.Context, url string, header http.Header, body []byte) webhooks.Answer
}

// Worker delivers. Store, Poster and Log are required; it is used once.
type Worker struct {
	Store  Store
	Poster Poster
	Log    *slog.Logger
	// Settled is told where a delivery stands after each attempt that was kept: Delivered, Failed (given up), or Waiting for the next one.
	// It may be nil.
	Settled func(webhooks.State)

	once     sync.Once
	woken    chan struct{}
	attempts sync.WaitGroup
	mu       sync.Mutex
	busy     int
}

func (w *Worker) init() { w.once.Do(func() { w.woken = make(chan struct{}, 1) }) }

// Wake has it look at once. It may be called at any time, from anywhere.
func (w *Worker) Wake() {
	w.init()
	select {
	case w.woken <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends, and returns when no attempt is under way any more.
func (w *Worker) Run(ctx context.Context) {
	w.init()
	defer w.attempts.Wait()
	var pruned time.Time
	for ctx.Err() == nil {
		sleep := w.round(ctx)
		if now := time.Now(); now.Sub(pruned) >= pruneEvery {
			pruned = now
			w.prune(ctx, now)
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-w.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round does what there is to do, and says how long it may sleep.
func (w *Worker) round(ctx context.Context) time.Duration {
	more, err := w.dispatch(ctx)
	if err == nil {
		err = w.claim(ctx)
	}
	if err != nil {
		if ctx.Err() == nil {
			w.Log.WarnContext(ctx, "webhooks could not be looked after; trying again", slog.Any("error", err))
		}
		return failurePause
	}
	if more {
		return 0
	}
	limited, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	next, err := w.Store.NextDue(limited)
	if err != nil {
		return lookEvery
	}
	return min(max(next, leastPause), lookEvery)
}

// dispatch brings events into their order, and says whether more may wait.
func (w *Worker) dispatch(ctx context.Context) (more bool, err error) {
	limited, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	n, err := w.Store.Dispatch(limited, dispatchBatch)
	return n == dispatchBatch, err
}

// claim begins as many attempts as there is room for.
func (w *Worker) claim(ctx context.Context) error {
	w.mu.Lock()
	room := MaxAtOnce - w.busy
	w.mu.Unlock()
	if room == 0 {
		return nil // the end of one wakes
	}
	limited, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	claims, err := w.Store.Claim(limited, room)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.busy += len(claims)
	w.mu.Unlock()
	claimed := time.Now()
	for _, c := range claims {
		w.attempts.Go(func() {
			if time.Since(claimed) < overtakenAfter {
				w.attempt(ctx, c)
			}
			w.mu.Lock()
			w.busy--
			w.mu.Unlock()
			w.Wake()
		})
	}
	return nil
}

// attempt makes one attempt and keeps what came of it.
func (w *Worker) attempt(ctx context.Context, c webhooks.Claim) {
	began := time.Now()
	a := w.send(ctx, c, began)
	// What was sent is kept although this worker is about to end.
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
	defer cancel()
	var err error
	if ctx.Err() != nil && a.Status == 0 {
		err = w.Store.Release(kept, c)
	} else {
		err = w.Store.Settle(kept, c, a, time.Now(), rand.Float64())
	}
	if err != nil {
		w.Log.WarnContext(ctx, "what came of a webhook's message could not be kept; it will be sent again", slog.String("tenant_id", c.Event.Tenant),
			slog.String("webhook", c.Webhook), slog.String("event", c.Event.ID), slog.Any("error", err))
		return
	}
	if w.Settled != nil && (ctx.Err() == nil || a.Status != 0) {
		w.Settled(standing(c, a))
	}
	w.Log.DebugContext(ctx, "a webhook's message was sent", slog.String("tenant_id", c.Event.Tenant), slog.String("webhook", c.Webhook),
		slog.String("event", c.Event.ID), slog.Int("attempt", c.Attempts+1), slog.Int("status", a.Status), slog.String("problem", a.Problem))
}

// standing is where a delivery stands after an attempt.
func standing(c webhooks.Claim, a webhooks.Answer) webhooks.State {
	if c.Lost() {
		return webhooks.Failed
	}
	return webhooks.Delivery{State: webhooks.Waiting, Attempts: c.Attempts}.After(a, time.Time{}, 0).State
}

// send signs a message and sends it.
func (w *Worker) send(ctx context.Context, c webhooks.Claim, at time.Time) webhooks.Answer {
	if c.Lost() {
		return webhooks.Answer{Problem: "the event is not kept any longer"}
	}
	body, err := c.Event.Body()
	if err != nil {
		return webhooks.Answer{Problem: "the event cannot be written"}
	}
	signature, err := webhooks.Sign(c.Secrets, c.Event.ID, at, body)
	if err != nil {
		return webhooks.Answer{Problem: "the webhook has no secret to sign with"}
	}
	header := http.Header{}
	header.Set(webhooks.HeaderID, c.Event.ID)
	header.Set(webhooks.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(webhooks.HeaderSignature, signature)
	return w.Poster.Post(ctx, c.URL, header, body)
}

// prune deletes what is kept no longer.
func (w *Worker) prune(ctx context.Context, now time.Time) {
	limited, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	if n, err := w.Store.PruneEvents(limited, now, pruneBatch); err != nil && ctx.Err() == nil {
		w.Log.WarnContext(ctx, "old events could not be deleted", slog.Any("error", err))
	} else if n > 0 {
		w.Log.InfoContext(ctx, "old events and deliveries were deleted", slog.Int64("rows", n))
	}
}
