package deliver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tandem/webhooks"
)

// fake is a database with so many deliveries that are due.
type fake struct {
	mu                          sync.Mutex
	due                         int
	err                         error
	asked                       int // rounds
	settled, released, underWay int
	most                        int // under way at once
	hold                        chan struct{}
}

func (f *fake) Dispatch(context.Context, int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	return 0, f.err
}

func (f *fake) Claim(_ context.Context, most int) ([]webhooks.Claim, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(most, f.due)
	f.due -= n
	claims := make([]webhooks.Claim, n)
	for i := range claims {
		claims[i] = webhooks.Claim{Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, Event: webhooks.Event{ID: "evt_1", Data: []byte(`{}`)}}
	}
	return claims, nil
}

func (f *fake) Settle(context.Context, webhooks.Claim, webhooks.Answer, time.Time, float64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settled++
	return nil
}

func (f *fake) Release(context.Context, webhooks.Claim) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.released++
	return nil
}

func (f *fake) NextDue(context.Context) (time.Duration, error) { return 0, errors.New("none") }
func (f *fake) PruneEvents(context.Context, time.Time, int) (int64, error) {
	return 0, nil
}

func (f *fake) Post(ctx context.Context, _ string, _ http.Header, _ []byte) webhooks.Answer {
	f.mu.Lock()
	f.underWay++
	f.most = max(f.most, f.underWay)
	f.mu.Unlock()
	defer func() { f.mu.Lock(); f.underWay--; f.mu.Unlock() }()
	select {
	case <-f.hold:
		return webhooks.Answer{Status: 200}
	case <-ctx.Done():
		return webhooks.Answer{Problem: "no answer in time"}
	}
}

func running(f *fake) (w *Worker, stop func()) {
	w = &Worker{Store: f, Poster: f, Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	return w, func() { cancel(); <-done }
}

// What the end of a worker cuts off is given back, and counts as no attempt.
func TestWhatIsUnderWayAtTheEndIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{due: 3, hold: make(chan struct{})}
		_, stop := running(f)
		synctest.Wait()
		stop()
		if f.released != 3 || f.settled != 0 || f.underWay != 0 {
			t.Errorf("%d given back, %d settled, %d under way", f.released, f.settled, f.underWay)
		}
	})
}

func TestSoManyAreUnderWayAtOnceAndAllAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{due: 3*MaxAtOnce + 1, hold: make(chan struct{})}
		_, stop := running(f)
		defer stop()
		synctest.Wait()
		if f.underWay != MaxAtOnce {
			t.Errorf("%d are under way", f.underWay)
		}
		close(f.hold)
		synctest.Wait()
		if f.settled != 3*MaxAtOnce+1 || f.most != MaxAtOnce {
			t.Errorf("%d are settled, %d were under way at most", f.settled, f.most)
		}
	})
}

// Each attempt that is kept is counted by what came of it.
func TestWhatCameOfAttemptsIsTold(t *testing.T) {
	event := webhooks.Event{Data: []byte(`{}`)}
	for _, c := range []struct {
		claim  webhooks.Claim
		answer webhooks.Answer
		want   webhooks.State
	}{
		{webhooks.Claim{Event: event}, webhooks.Answer{Status: 204}, webhooks.Delivered},
		{webhooks.Claim{Event: event}, webhooks.Answer{Status: 503}, webhooks.Waiting},
		{webhooks.Claim{Event: event, Attempts: webhooks.MaxAttempts - 1}, webhooks.Answer{Status: 503}, webhooks.Failed},
		{webhooks.Claim{Event: event}, webhooks.Answer{Status: 410}, webhooks.Failed},
		{webhooks.Claim{}, webhooks.Answer{Status: 0}, webhooks.Failed},
	} {
		if got := standing(c.claim, c.answer); got != c.want {
			t.Errorf("%+v, %+v: %s, want %s", c.claim, c.answer, got, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		f := &fake{due: 3, hold: make(chan struct{})}
		told := map[webhooks.State]int{}
		close(f.hold)
		w := &Worker{Store: f, Poster: f, Log: slog.New(slog.DiscardHandler), Settled: func(s webhooks.State) { f.mu.Lock(); told[s]++; f.mu.Unlock() }}
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if told[webhooks.Delivered] != 3 || len(told) != 1 {
			t.Errorf("told: %v", told)
		}
	})
}

// Nothing to do costs the database one look each lookEvery, and an announcement one more.
func TestAnIdleWorkerLeavesTheDatabaseAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		w, stop := running(f)
		defer stop()
		time.Sleep(10*lookEvery + lookEvery/2)
		synctest.Wait()
		if f.asked > 11 {
			t.Errorf("it looked %d times", f.asked)
		}
		before := f.asked
		for range 100 {
			w.Wake()
		}
		synctest.Wait()
		if n := f.asked - before; n < 1 || n > 2 {
			t.Errorf("a hundred announcements at once made it look %d times", n)
		}
	})
}

// A database that is away is asked again after a pause, and all goes on when it is back.
func TestADatabaseThatIsAwayIsNotStormed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{due: 1, err: errors.New("away"), hold: make(chan struct{})}
		close(f.hold)
		_, stop := running(f)
		defer stop()
		time.Sleep(10*failurePause + failurePause/2)
		synctest.Wait()
		f.mu.Lock()
		if f.asked > 11 || f.settled > 0 {
			t.Errorf("it was asked %d times", f.asked)
		}
		f.err = nil
		f.mu.Unlock()
		time.Sleep(2 * failurePause)
		synctest.Wait()
		if f.settled != 1 {
			t.Error("nothing was sent when it was back")
		}
	})
}
