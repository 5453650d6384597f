package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/deliver"
	fetcher "tandem/fetch"
	"tandem/postgres"
	"tandem/stack"
	"tandem/tenants"
	"tandem/webhooks"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// hookWorld is a database with one tenant that has one webhook, and the receiver of that.
type hookWorld struct {
	t     *testing.T
	url   string
	store *postgres.Store
	ctx   context.Context

	mu     sync.Mutex
	got    []received
	came   chan struct{} // one token: something was received
	answer func(received) int
}

// received is one message as its receiver saw it.
type received struct {
	id, kind, data string
	verified       error
}

func newHookWorld(t *testing.T, answer func(received) int) *hookWorld {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	w := &hookWorld{t: t, url: stack.ForTest(t).TestDatabase(t), ctx: ctx, came: make(chan struct{}, 1), answer: answer}
	if err := postgres.Migrate(ctx, w.url); err != nil {
		t.Fatal(err)
	}
	w.store = w.open()
	receiver := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(receiver.Close)
	err := w.store.Change(ctx, func(tx *postgres.Tx) error {
		if err := tx.InsertTenant(ctx, tenants.Tenant{ID: "acme", Name: "acme", Domain: "acme.example", TimeZone: "UTC", Language: "en"}, "customer", ""); err != nil {
			return err
		}
		return tx.InsertWebhook(ctx, "acme", postgres.Webhook{ID: "w", URL: receiver.URL}, []webhooks.Key{{Secret: hookSecret}})
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *hookWorld) open() *postgres.Store {
	s, err := postgres.Open(w.ctx, w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	return s
}

func (w *hookWorld) receive(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h := r.Header
	m := received{id: h.Get(webhooks.HeaderID), data: string(body)}
	m.verified = webhooks.Verify(hookSecret, m.id, h.Get(webhooks.HeaderTimestamp), h.Get(webhooks.HeaderSignature), body, time.Now())
	status := w.answer(m)
	w.mu.Lock()
	if status < 300 {
		w.got = append(w.got, m)
	}
	w.mu.Unlock()
	out.WriteHeader(status)
	select {
	case w.came <- struct{}{}:
	default:
	}
}

// event commits one event of a subject.
func (w *hookWorld) event(subject string, n int) (id string) {
	w.t.Helper()
	err := w.store.Change(w.ctx, func(tx *postgres.Tx) (err error) {
		id, err = tx.AddEvent(w.ctx, webhooks.Event{Tenant: "acme", Type: webhooks.ConfigPublished, Subject: subject, At: time.Now(), Data: fmt.Appendf(nil, `{"subject":%q,"n":%d}`, subject, n)})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// deliverer runs until stop, which waits for it.
func (w *hookWorld) deliverer(store deliver.Store, poster deliver.Poster) (stop func()) {
	ctx, cancel := context.WithCancel(w.ctx)
	d := &deliver.Worker{Store: store, Poster: poster, Log: slog.New(slog.DiscardHandler)}
	var running sync.WaitGroup
	running.Go(func() { d.Run(ctx) })
	running.Go(func() { _ = w.store.Listen(ctx, postgres.OutboxChannel, func(string) { d.Wake() }) })
	return func() { cancel(); running.Wait() }
}

func (w *hookWorld) poster() deliver.Poster {
	p := fetcher.NewPoster([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	w.t.Cleanup(p.Close)
	return p
}

// until waits for something that messages bring about.
func (w *hookWorld) until(what string, is func(got []received) bool) {
	w.t.Helper()
	for {
		w.mu.Lock()
		got := slices.Clone(w.got)
		w.mu.Unlock()
		if is(got) {
			return
		}
		select {
		case <-w.came:
		case <-w.ctx.Done():
			w.t.Fatalf("%s: %d messages came", what, len(got))
		}
	}
}

func takes(received) int { return http.StatusNoContent }

func TestAMessageArrivesSignedAndSoon(t *testing.T) {
	w := newHookWorld(t, takes)
	defer w.deliverer(w.store, w.poster())()
	id := w.event("s", 1)
	committed := time.Now()
	w.until("one message", func(got []received) bool { return len(got) == 1 })
	if m := w.got[0]; m.id != id || m.verified != nil {
		t.Errorf("%+v", m)
	}
	if d := time.Since(committed); d > 4*time.Second {
		t.Errorf("it took %s: the deliverer was not woken", d)
	}
}

// A receiver on a private address is not reached, whatever its URL says.
func TestAReceiverOnAPrivateAddressIsNotAsked(t *testing.T) {
	w := newHookWorld(t, func(received) int { t.Error("it was asked"); return 200 })
	p := fetcher.NewPoster(nil)
	defer p.Close()
	defer w.deliverer(w.store, p)()
	w.event("s", 1)
	for {
		page, err := postgres.List(w.ctx, w.store, postgres.DeliveryRows(), postgres.Query{})
		if err != nil {
			t.Fatal(err)
		}
		rows := page.Items
		if len(rows) == 1 && rows[0].Attempts == 1 {
			if rows[0].Problem != "the address is not allowed" {
				t.Errorf("%+v", rows[0])
			}
			return
		}
		runtime.Gosched()
	}
}

// errKilled is what a dead process hears of whatever it would do.
var errKilled = errors.New("killed")

// mortal is a worker's hands. At one of its actions it dies: before the action is done, or after it and before its answer is
// heard. From then on nothing that it does has any effect.
type mortal struct {
	store  *postgres.Store
	poster deliver.Poster

	mu     sync.Mutex
	at     string // action
	nth    int    // the how manyth of those
	after  bool
	dead   bool
	died   chan struct{}
	counts map[string]int
}

// act does an action as far as a mortal does it.
func (m *mortal) act(action string, do func() error) error {
	m.mu.Lock()
	m.counts[action]++
	mine := action == m.at && m.counts[action] == m.nth
	if m.dead || mine && !m.after {
		if !m.dead {
			m.dead = true
			close(m.died)
		}
		m.mu.Unlock()
		return errKilled
	}
	m.mu.Unlock()
	err := do()
	m.mu.Lock()
	defer m.mu.Unlock()
	if mine && !m.dead {
		m.dead = true
		close(m.died)
	}
	if m.dead {
		return errKilled
	}
	return err
}

func (m *mortal) Dispatch(ctx context.Context, most int) (n int, err error) {
	err = m.act("dispatch", func() (err error) { n, err = m.store.Dispatch(ctx, most); return err })
	return n, err
}

func (m *mortal) Claim(ctx context.Context, most int) (c []webhooks.Claim, err error) {
	err = m.act("claim", func() (err error) { c, err = m.store.Claim(ctx, most); return err })
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (m *mortal) Settle(ctx context.Context, c webhooks.Claim, a webhooks.Answer, at time.Time, chance float64) error {
	return m.act("settle", func() error { return m.store.Settle(ctx, c, a, at, chance) })
}

func (m *mortal) Release(ctx context.Context, c webhooks.Claim) error {
	return m.act("release", func() error { return m.store.Release(ctx, c) })
}

func (m *mortal) NextDue(ctx context.Context) (in time.Duration, err error) {
	err = m.act("next", func() (err error) { in, err = m.store.NextDue(ctx); return err })
	return in, err
}

func (m *mortal) PruneEvents(ctx context.Context, now time.Time, limit int) (n int64, err error) {
	err = m.act("prune", func() (err error) { n, err = m.store.PruneEvents(ctx, now, limit); return err })
	return n, err
}

func (m *mortal) Post(ctx context.Context, url string, header http.Header, body []byte) (a webhooks.Answer) {
	_ = m.act("post", func() error { a = m.poster.Post(ctx, url, header, body); return nil })
	return a
}

// Whatever a deliverer was about to do or had just done when it was killed, each event is taken, and each subject's in order. The
// next deliverer begins when the leases of the dead one are over, which the test brings about.
func TestNoEventIsLostWhereverADelivererIsKilled(t *testing.T) {
	const subjects, each = 3, 4
	lost, twice, rounds := 0, 0, 0
	w := newHookWorld(t, takes)
	poster := w.poster()
	for _, action := range []string{"dispatch", "claim", "post", "settle", "next", "prune"} {
		for _, nth := range []int{1, 2, 5} {
			for _, after := range []bool{false, true} {
				if action == "prune" && nth > 1 {
					continue // once a minute
				}
				rounds++
				l, d := w.killedRound(poster, action, nth, after, subjects, each)
				lost, twice = lost+l, twice+d
			}
		}
	}
	t.Logf("%d deaths, %d events, %d lost, %d sent twice", rounds, rounds*subjects*each, lost, twice)
	if lost > 0 {
		t.Errorf("%d events were lost", lost)
	}
}

// killedRound sends some events by a deliverer that is killed and one that comes after it, and counts.
func (w *hookWorld) killedRound(poster deliver.Poster, action string, nth int, after bool, subjects, each int) (lost, twice int) {
	w.t.Helper()
	name := fmt.Sprintf("%s %d after=%v", action, nth, after)
	w.mu.Lock()
	w.got = nil
	w.mu.Unlock()
	m := &mortal{store: w.store, poster: poster, at: action, nth: nth, after: after, died: make(chan struct{}), counts: map[string]int{}}
	stop := w.deliverer(m, m)
	sent := map[string][]string{} // ids by subject
	all := 0
	for n := range each {
		for s := range subjects {
			subject := fmt.Sprintf("%s/%d", name, s)
			sent[subject] = append(sent[subject], w.event(subject, n))
			all++
		}
	}
	select {
	case <-m.died:
	case <-w.ctx.Done():
		w.t.Fatalf("%s: it was not killed", name)
	}
	stop()
	w.expire(name)
	stop = w.deliverer(w.store, poster)
	defer stop()
	// What the round before has sent twice may come now.
	of := map[string]bool{}
	for _, ids := range sent {
		for _, id := range ids {
			of[id] = true
		}
	}
	w.until(name, func(got []received) bool {
		unique := map[string]bool{}
		for _, m := range got {
			unique[m.id] = of[m.id]
		}
		maps.DeleteFunc(unique, func(_ string, ours bool) bool { return !ours })
		return len(unique) == all
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.got {
		if of[m.id] {
			twice++
		}
	}
	twice -= all
	for subject, want := range sent {
		var got []string
		for _, m := range w.got {
			if slices.Contains(want, m.id) && !slices.Contains(got, m.id) {
				got = append(got, m.id)
			}
			if m.verified != nil {
				w.t.Errorf("%s: %v", name, m.verified)
			}
		}
		if lost += len(want) - len(got); !slices.Equal(got, want) {
			w.t.Errorf("%s: subject %s came as %v, want %v", name, subject, got, want)
		}
	}
	return lost, twice
}

// expire ends the leases that the dead one has left.
func (w *hookWorld) expire(name string) {
	w.t.Helper()
	if err := hookSQL(w.ctx, w.url, `UPDATE deliveries SET leased_until = now() - interval '1 s' WHERE leased_until IS NOT NULL`); err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
}

// hookSQL does to the database what only time would.
func hookSQL(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}
