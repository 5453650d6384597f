package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
	"tandem/tenants"
	"tandem/webhooks"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func addWebhook(t *testing.T, s *Store, tenant, id string, types ...string) {
	t.Helper()
	change(t, s, func(tx *Tx) error {
		return tx.InsertWebhook(testContext(t), tenant, Webhook{ID: id, URL: "https://receiver.example/" + id, Types: types}, []webhooks.Key{{Secret: testSecret}})
	})
}

func addEvent(t *testing.T, s *Store, e webhooks.Event) (id string) {
	t.Helper()
	change(t, s, func(tx *Tx) (err error) { id, err = tx.AddEvent(testContext(t), e); return err })
	return id
}

func dispatch(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Dispatch(testContext(t), 1000); err != nil {
		t.Fatal(err)
	}
}

func claim(t *testing.T, s *Store) []webhooks.Claim {
	t.Helper()
	all, err := s.Claim(testContext(t), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func settle(t *testing.T, s *Store, c webhooks.Claim, a webhooks.Answer, at time.Time) {
	t.Helper()
	if err := s.Settle(testContext(t), c, a, at, 0.5); err != nil {
		t.Fatal(err)
	}
}

// told lists the types of a tenant's events in their order, and checks each against what its type promises.
func told(t *testing.T, s *Store, tenant string) []string {
	t.Helper()
	dispatch(t, s)
	events, err := s.EventsAfter(testContext(t), tenant, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, e := range events {
		if err := webhooks.Check(e.Type, e.Data); err != nil {
			t.Errorf("%v: %s", err, e.Data)
		}
		types = append(types, e.Type)
	}
	return types
}

// deliveriesOf lists a webhook's deliveries, the newest first.
func deliveriesOf(ctx context.Context, s *Store, where ...string) ([]DeliveryRow, error) {
	q := Query{Sort: "-id", Where: map[string]string{"tenant": "acme", "webhook": "w"}}
	for i := 0; i < len(where); i += 2 {
		q.Where[where[i]] = where[i+1]
	}
	p, err := List(ctx, s, DeliveryRows(), q)
	return p.Items, err
}

func webhooksOf(ctx context.Context, s *Store) ([]Webhook, error) {
	p, err := List(ctx, s, WebhookRows(), Query{Where: map[string]string{"tenant": "acme"}})
	return p.Items, err
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func exec(t *testing.T, s *Store, sql string, args ...any) {
	t.Helper()
	if _, err := s.pool.Exec(testContext(t), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func publishedEvent(n int) webhooks.Event {
	return webhooks.Published("acme", int64(n), "anna", "", time.Now())
}

func TestAnEventGoesToEachWebhookThatWantsIt(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "acme")
	addTenant(t, s, "other")
	addWebhook(t, s, "acme", "all")
	addWebhook(t, s, "acme", "calls", webhooks.CallEnded)
	addWebhook(t, s, "acme", "some", webhooks.CallEnded, webhooks.ConfigPublished)
	addWebhook(t, s, "other", "all")
	id := addEvent(t, s, publishedEvent(1))
	dispatch(t, s)
	dispatch(t, s)
	got := claim(t, s)
	var hooks []string
	for _, c := range got {
		hooks = append(hooks, c.Event.Tenant+"/"+c.Webhook)
		if c.Event.ID != id || c.Lost() || !slices.Equal(c.Secrets, []string{testSecret}) || c.URL != "https://receiver.example/"+c.Webhook || c.Attempts != 0 {
			t.Errorf("%+v", c)
		}
	}
	slices.Sort(hooks)
	want(t, "webhooks", hooks, "acme/all", "acme/some")
	if again := claim(t, s); len(again) != 0 {
		t.Errorf("claimed twice: %+v", again)
	}
}

func TestATestGoesToItsWebhookAlone(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "a", webhooks.CallEnded)
	addWebhook(t, s, "acme", "b")
	addEvent(t, s, webhooks.TestOf("acme", "a", time.Now()))
	dispatch(t, s)
	if got := claim(t, s); len(got) != 1 || got[0].Webhook != "a" || got[0].Event.Type != webhooks.Test {
		t.Errorf("%+v", got)
	}
}

// A later event of a subject waits until the earlier one is taken or given up; other subjects do not wait.
func TestEventsOfOneSubjectAreSentInOrder(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	first, second := addEvent(t, s, publishedEvent(1)), addEvent(t, s, publishedEvent(2))
	test := addEvent(t, s, webhooks.TestOf("acme", "w", time.Now()))
	dispatch(t, s)
	ids := func() (all []string) {
		for _, c := range claim(t, s) {
			all = append(all, c.Event.ID)
			settle(t, s, c, webhooks.Answer{Status: 500}, time.Now().Add(-24*time.Hour)) // so that the next attempt is due
		}
		return all
	}
	got := ids()
	want(t, "at first", got, first, test)
	exec(t, s, `DELETE FROM webhook_health`)
	// Until it is given up the first stays ahead.
	for range webhooks.MaxAttempts - 1 {
		if got := ids(); slices.Contains(got, second) {
			t.Fatalf("the second overtook the first: %v", got)
		}
		exec(t, s, `UPDATE deliveries SET next_at = now() - interval '1 s' WHERE state = 'waiting' AND next_at > now()`)
		exec(t, s, `DELETE FROM webhook_health`)
	}
	want(t, "once the first is given up", ids(), second)
}

func TestWhatWaitsIsCounted(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	if got, err := s.Waiting(ctx); err != nil || got != (WaitingRow{}) {
		t.Errorf("nothing waits: %+v, %v", got, err)
	}
	addEvent(t, s, publishedEvent(1))
	addEvent(t, s, publishedEvent(2))
	dispatch(t, s)
	if got, err := s.Waiting(ctx); err != nil || got.Count != 2 || got.Oldest <= 0 || got.Overdue <= 0 {
		t.Errorf("two wait: %+v, %v", got, err)
	}
	settle(t, s, claim(t, s)[0], webhooks.Answer{Status: 200}, time.Now())
	if got, err := s.Waiting(ctx); err != nil || got.Count != 1 {
		t.Errorf("one waits: %+v, %v", got, err)
	}
}

func TestAnAttemptIsKeptWithItsState(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	addEvent(t, s, publishedEvent(1))
	dispatch(t, s)
	at := time.Now().Truncate(time.Millisecond)
	settle(t, s, claim(t, s)[0], webhooks.Answer{Status: 503, Problem: "it answered 503", Body: "busy\x00\xff", Took: 12 * time.Millisecond}, at)
	rows, err := deliveriesOf(ctx, s)
	if err != nil || len(rows) != 1 || rows[0].State != "waiting" || rows[0].Attempts != 1 || rows[0].Status != 503 || rows[0].NextAt.Sub(at) != 5*time.Second {
		t.Fatalf("%+v, %v", rows, err)
	}
	attempts, err := s.Attempts(ctx, "acme", "w", rows[0].ID)
	if err != nil || len(attempts) != 1 || attempts[0].Status != 503 || attempts[0].Answer != "busy\uFFFD\uFFFD" || attempts[0].TookMS != 12 || !attempts[0].At.Equal(at) {
		t.Errorf("%+v, %v", attempts, err)
	}
	if got, err := s.Attempts(ctx, "other", "w", rows[0].ID); err != nil || len(got) != 0 {
		t.Errorf("another tenant reads %v, %v", got, err)
	}
	if got := claim(t, s); len(got) != 0 {
		t.Errorf("tried again at once: %+v", got)
	}
	if in, err := s.NextDue(ctx); err != nil || in <= 0 || in > 5*time.Second {
		t.Errorf("next due in %s, %v", in, err)
	}
	exec(t, s, `UPDATE deliveries SET next_at = now()`)
	exec(t, s, `UPDATE webhook_health SET paused_until = now()`)
	settle(t, s, claim(t, s)[0], webhooks.Answer{Status: 204}, at)
	if rows, _ = deliveriesOf(ctx, s, "state", "delivered"); len(rows) != 1 || rows[0].Attempts != 2 || rows[0].DoneAt == nil || rows[0].NextAt != nil {
		t.Errorf("%+v", rows)
	}
	all, err := webhooksOf(ctx, s)
	if err != nil || len(all) != 1 || all[0].Failures != 0 || all[0].Failing != nil || all[0].Waiting != 0 {
		t.Errorf("a success leaves %+v, %v", all, err)
	}
}

// What a worker says that was overtaken changes nothing: its lease is over, and somebody else has a later one.
func TestAnOvertakenWorkerChangesNothing(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	addEvent(t, s, publishedEvent(1))
	dispatch(t, s)
	slow := claim(t, s)[0]
	exec(t, s, `UPDATE deliveries SET leased_until = now() - interval '1 s'`)
	quick := claim(t, s)
	if len(quick) != 1 || quick[0].Lease <= slow.Lease {
		t.Fatalf("after the lease: %+v", quick)
	}
	settle(t, s, slow, webhooks.Answer{Status: 500}, time.Now())
	if err := s.Release(testContext(t), slow); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, s); len(got) != 0 {
		t.Errorf("the slow worker has given away what is the quick one's: %+v", got)
	}
	settle(t, s, quick[0], webhooks.Answer{Status: 200}, time.Now())
	settle(t, s, quick[0], webhooks.Answer{Status: 500}, time.Now())
	rows, err := deliveriesOf(testContext(t), s)
	if err != nil || rows[0].State != "delivered" || rows[0].Attempts != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
}

func TestAReceiverThatIsGoneIsDisabled(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	addEvent(t, s, publishedEvent(1))
	addEvent(t, s, publishedEvent(2))
	dispatch(t, s)
	settle(t, s, claim(t, s)[0], webhooks.Answer{Status: 410}, time.Now())
	all, err := webhooksOf(ctx, s)
	if err != nil || all[0].DisabledAt == nil || all[0].Because != webhooks.Gone || all[0].Waiting != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if got := claim(t, s); len(got) != 0 {
		t.Errorf("it is asked: %+v", got)
	}
	addEvent(t, s, publishedEvent(3))
	dispatch(t, s)
	change(t, s, func(tx *Tx) error {
		w, err := tx.Webhook(ctx, "acme", "w")
		if err != nil {
			return err
		}
		w.Because = ""
		return tx.SaveWebhook(ctx, "acme", w)
	})
	if got := claim(t, s); len(got) != 1 || !strings.Contains(string(got[0].Event.Data), `"version":2`) {
		t.Errorf("enabled again it gets %+v", got)
	}
}

// A receiver that is overloaded is left alone with all its messages, and one that fails gets one at a time.
func TestABusyReceiverIsLeftAlone(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	for i := range 10 {
		addEvent(t, s, webhooks.Event{Tenant: "acme", Type: webhooks.ConfigPublished, Subject: fmt.Sprint(i), At: time.Now(), Data: []byte(`{}`)})
	}
	dispatch(t, s)
	got := claim(t, s)
	if len(got) != webhooks.MaxOfWebhook {
		t.Fatalf("%d at once", len(got))
	}
	for _, c := range got {
		settle(t, s, c, webhooks.Answer{Status: 429, RetryAfter: time.Minute}, time.Now())
	}
	if got := claim(t, s); len(got) != 0 {
		t.Errorf("it gets %d more", len(got))
	}
	exec(t, s, `UPDATE webhook_health SET paused_until = now() - interval '1 s'`)
	if got := claim(t, s); len(got) != 1 {
		t.Errorf("after the pause it gets %d", len(got))
	}
}

// However many webhooks a tenant has and however many wait, it has so many under way, and keeps no other tenant from its own.
func TestATenantHasItsShareOfAttempts(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "acme")
	addTenant(t, s, "small")
	for i := range webhooks.MaxOfTenant {
		addWebhook(t, s, "acme", fmt.Sprintf("w%02d", i))
	}
	addWebhook(t, s, "small", "w")
	for i := range 20 {
		addEvent(t, s, webhooks.Event{Tenant: "acme", Type: webhooks.ConfigPublished, Subject: fmt.Sprint(i), At: time.Now(), Data: []byte(`{}`)})
	}
	addEvent(t, s, webhooks.Published("small", 1, "", "", time.Now()))
	dispatch(t, s)
	count := func(all []webhooks.Claim) map[string]int {
		n := map[string]int{}
		for _, c := range all {
			n[c.Event.Tenant]++
		}
		return n
	}
	var mu sync.Mutex
	var all []webhooks.Claim
	var group sync.WaitGroup
	for range 4 { // workers that claim at once
		group.Go(func() {
			got, err := s.Claim(testContext(t), 30)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			all = append(all, got...)
			mu.Unlock()
		})
	}
	group.Wait()
	if n := count(all); n["acme"] != webhooks.MaxOfTenant || n["small"] != 1 {
		t.Errorf("under way: %v", n)
	}
}

func TestASecretThatWasReplacedSignsForAWhile(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	soon, over := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	change(t, s, func(tx *Tx) error {
		keys, err := tx.Keys(ctx, "acme", "w")
		if err != nil {
			return err
		}
		return tx.SetKeys(ctx, "acme", "w", append([]webhooks.Key{{Secret: "new"}, {Secret: "old", Until: &soon}, {Secret: "over", Until: &over}}, keys...))
	})
	addEvent(t, s, publishedEvent(1))
	dispatch(t, s)
	want(t, "secrets", claim(t, s)[0].Secrets, "new", "old", testSecret)
}

func TestEventsAreSentAgainWhenAskedFor(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w", webhooks.ConfigPublished)
	first := addEvent(t, s, publishedEvent(1))
	addEvent(t, s, publishedEvent(2))
	addEvent(t, s, webhooks.Event{Tenant: "acme", Type: webhooks.CallEnded, Subject: "c", At: time.Now(), Data: []byte(`{}`)})
	dispatch(t, s)
	settle(t, s, claim(t, s)[0], webhooks.Answer{Status: 200}, time.Now())
	again := func(delivery int64, from, until time.Time) (n int64) {
		change(t, s, func(tx *Tx) (err error) { n, err = tx.Again(ctx, "acme", "w", delivery, from, until, 100); return err })
		return n
	}
	rows, err := deliveriesOf(ctx, s, "event", first)
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	if n := again(rows[0].ID, time.Time{}, time.Time{}); n != 1 {
		t.Errorf("one: %d", n)
	}
	if got := claim(t, s); len(got) != 1 || got[0].Event.ID != first {
		t.Errorf("it is not sent first, with its id: %+v", got)
	}
	hour := time.Hour
	if n := again(0, time.Now().Add(-hour), time.Now().Add(hour)); n != 2 {
		t.Errorf("a range: %d, of which both wait already", n)
	}
	if rows, _ = deliveriesOf(ctx, s, "state", "waiting"); len(rows) != 2 {
		t.Errorf("%d wait: what waits already was doubled", len(rows))
	}
	if n := again(0, time.Now().Add(hour), time.Now().Add(2*hour)); n != 0 {
		t.Errorf("another time: %d", n)
	}
	if n := again(999999, time.Time{}, time.Time{}); n != 0 {
		t.Errorf("a delivery that is not there: %d", n)
	}
}

func TestWhatIsOldIsDeleted(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "acme")
	addWebhook(t, s, "acme", "w")
	for n := range 3 {
		addEvent(t, s, publishedEvent(n))
	}
	dispatch(t, s)
	settle(t, s, claim(t, s)[0], webhooks.Answer{Status: 200}, time.Now())
	if _, err := s.PruneEvents(ctx, time.Now().Add(webhooks.Keep+time.Hour), 100); err != nil {
		t.Fatal(err)
	}
	if n := len(told(t, s, "acme")); n != 0 {
		t.Errorf("%d events are left", n)
	}
	rows, _ := deliveriesOf(ctx, s, "state", "failed")
	if len(rows) != 2 || rows[0].Problem == "" {
		t.Errorf("what waited for them: %+v", rows)
	}
	if _, err := s.PruneEvents(ctx, time.Now().Add(webhooks.KeepLog+time.Hour), 100); err != nil {
		t.Fatal(err)
	}
	if rows, _ = deliveriesOf(ctx, s); len(rows) != 0 {
		t.Errorf("the log keeps %+v", rows)
	}
}

// However many write and dispatch at once, who reads behind the last position that he has seen misses no event, and a subject's
// events are in the order in which they were written.
func TestAReaderOfPositionsMissesNothing(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	const writers, each = 6, 40
	var writing, others sync.WaitGroup
	for i := range writers {
		writing.Go(func() {
			for n := range each {
				err := s.Change(ctx, func(tx *Tx) error {
					_, err := tx.AddEvent(ctx, webhooks.Event{Tenant: "acme", Type: webhooks.ConfigPublished, Subject: fmt.Sprint(i), At: time.Now(), Data: []byte(fmt.Sprint(n))})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		others.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.Dispatch(ctx, 7); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	seen, position := map[string][]string{}, int64(0)
	for got := 0; got < writers*each; {
		events, err := s.EventsAfter(ctx, "acme", position, 11)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			position = e.Position
			seen[e.Subject] = append(seen[e.Subject], string(e.Data))
			got++
		}
	}
	writing.Wait()
	cancel()
	others.Wait()
	for subject, numbers := range seen {
		for n, number := range numbers {
			if number != fmt.Sprint(n) {
				t.Fatalf("subject %s: %v", subject, numbers)
			}
		}
	}
}

func TestWhoListensHearsOfEventsAndOfGaps(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(testContext(t))
	heard := make(chan string, 100)
	ended := make(chan error, 1)
	go func() { ended <- s.Listen(ctx, EventsChannel, func(tenant string) { heard <- tenant }) }()
	if got := receive(t, "the beginning", heard); got != "" {
		t.Errorf("it begins with %q", got)
	}
	addTenant(t, s, "acme")
	addEvent(t, s, publishedEvent(1))
	dispatch(t, s)
	if got := receive(t, "the event", heard); got != "acme" {
		t.Errorf("heard %q", got)
	}
	cancel()
	if err := receive(t, "the end", ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The sources.

func callEvent(call string, state messages.CallState, at time.Time) messages.CallEvent {
	return messages.CallEvent{Type: messages.CallEventV1, Call: call, Tenant: "acme", State: state, Node: "n", At: at, From: "+4930", To: "101"}
}

func callCDR(call, leg string, role messages.LegRole, over bool, at time.Time) messages.CDR {
	return messages.CDR{Leg: leg, Call: call, Tenant: "acme", Role: role, Node: "n", From: "+4930", To: "101", StartedAt: at, EndedAt: at.Add(time.Minute), Cause: "NORMAL_CLEARING",
		Q850: 16, Fault: messages.FaultNone, Over: over}
}

func TestACallIsToldOfOnceAndInOrder(t *testing.T) {
	at := time.Now().Add(-time.Hour)
	answered := at.Add(time.Second)
	caller, callee := callCDR("c", "a", messages.RoleCaller, false, at), callCDR("c", "b", messages.RoleCallee, false, at)
	caller.AnsweredAt = &answered
	last := func(c messages.CDR) messages.CDR { c.Over = true; return c }
	event := func(states ...messages.CallState) func(*Store, context.Context) error {
		return func(s *Store, ctx context.Context) error {
			var all []messages.CallEvent
			for _, state := range states {
				all = append(all, callEvent("c", state, answered))
			}
			return s.SaveCallEvents(ctx, all)
		}
	}
	cdr := func(all ...messages.CDR) func(*Store, context.Context) error {
		return func(s *Store, ctx context.Context) error { _, err := s.InsertCDRs(ctx, all); return err }
	}
	started, ans, end, leg := webhooks.CallStarted, webhooks.CallAnswered, webhooks.CallEnded, webhooks.CallLegEnded
	type do = func(*Store, context.Context) error
	for name, c := range map[string]struct {
		do   []do
		want []string
	}{
		"as it happens":                    {[]do{event(messages.CallStarted), event(messages.CallAnswered), cdr(callee), cdr(last(caller)), event(messages.CallEnded)}, []string{started, ans, leg, leg, end}},
		"all twice":                        {[]do{event(messages.CallStarted, messages.CallStarted), event(messages.CallAnswered), event(messages.CallAnswered), cdr(callee), cdr(callee, last(caller)), cdr(callee, last(caller))}, []string{started, ans, leg, leg, end}},
		"the node's word is lost":          {[]do{cdr(callee), cdr(last(caller))}, []string{leg, started, ans, leg, end}},
		"the node's word is late":          {[]do{cdr(callee, last(caller)), event(messages.CallStarted, messages.CallAnswered)}, []string{started, ans, leg, leg, end}},
		"the caller's leg was taken away":  {[]do{event(messages.CallStarted, messages.CallAnswered), cdr(caller), cdr(last(callee))}, []string{started, ans, leg, leg, end}},
		"the last leg's record is first":   {[]do{event(messages.CallStarted, messages.CallAnswered), cdr(last(callee)), cdr(caller)}, []string{started, ans, leg, leg, end}},
		"a release that says no last leg":  {[]do{event(messages.CallStarted, messages.CallAnswered), cdr(callee, caller), event(messages.CallEnded)}, []string{started, ans, leg, leg, end}},
		"the end is known before any leg":  {[]do{event(messages.CallStarted), event(messages.CallEnded)}, []string{started}},
		"an answer that is known at once":  {[]do{event(messages.CallAnswered)}, []string{started, ans}},
		"refused, so that no node had it":  {[]do{cdr(last(callCDR("c", "c", messages.RoleCaller, true, at)))}, []string{started, leg, end}},
		"a record that was estimated once": {[]do{event(messages.CallStarted), cdr(func() messages.CDR { c := last(caller); c.Estimated = true; return c }()), cdr(last(caller))}, []string{started, ans, leg, end, leg}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			for _, step := range c.do {
				if err := step(s, testContext(t)); err != nil {
					t.Fatal(err)
				}
			}
			want(t, name, told(t, s, "acme"), c.want...)
		})
	}
}

// Whoever comes first of those who write of one call at once tells, and nobody else.
func TestManyWhoWriteOfOneCallTellOnce(t *testing.T) {
	s := newStore(t)
	at := time.Now().Add(-time.Hour)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, state := range []messages.CallState{messages.CallStarted, messages.CallAnswered, messages.CallEnded} {
				if err := s.SaveCallEvents(testContext(t), []messages.CallEvent{callEvent("c", state, at), callEvent("d", state, at)}); err != nil {
					t.Error(err)
				}
			}
			if _, err := s.InsertCDRs(testContext(t), []messages.CDR{callCDR("d", "d1", messages.RoleCaller, true, at), callCDR("c", "c1", messages.RoleCaller, true, at)}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got := told(t, s, "acme")
	slices.Sort(got)
	// An answer that is heard of after the end is not told.
	got = slices.DeleteFunc(got, func(kind string) bool { return kind == webhooks.CallAnswered })
	want(t, "told", got, webhooks.CallEnded, webhooks.CallEnded, webhooks.CallLegEnded, webhooks.CallLegEnded, webhooks.CallStarted, webhooks.CallStarted)
}

func TestTheEndOfACallWithoutARecordIsTold(t *testing.T) {
	s := newStore(t)
	at := time.Now().Add(-time.Hour)
	if err := s.SaveCallEvents(testContext(t), []messages.CallEvent{callEvent("c", messages.CallStarted, at), callEvent("c", messages.CallEnded, at.Add(time.Second)), callEvent("live", messages.CallStarted, at)}); err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{0, 1, 0} {
		before := time.Now().Add(-2 * time.Hour)
		if i > 0 {
			before = time.Now()
		}
		if got, err := s.TellOver(testContext(t), before, 10); err != nil || got != n {
			t.Errorf("round %d: %d, %v", i, got, err)
		}
	}
	want(t, "told", told(t, s, "acme"), webhooks.CallStarted, webhooks.CallStarted, webhooks.CallEnded)
}

func TestRegistrationsTellOfChangesAlone(t *testing.T) {
	s := newStore(t)
	addTenant(t, s, "acme")
	change(t, s, func(tx *Tx) error {
		return tx.InsertDevice(testContext(t), "acme", tenants.Device{ID: "desk", Name: "desk", Username: "anna"}, strings.Repeat("0", 32))
	})
	changed, on, off := webhooks.RegistrationChange, webhooks.DeviceRegistered, webhooks.DeviceUnregistered
	now := time.Now().Unix()
	register := func(event messages.RegistrationEvent, contact, address string, after int64) messages.Registration {
		return messages.Registration{Type: messages.RegistrationV1, Event: event, Username: "anna", Domain: "acme.example", Contact: contact, Expires: 600, At: now + after, CSeq: int(after),
			Edge: "e", EdgeURI: "sip:e", CallID: "x", SourceAddress: address, SourcePort: 5060, Transport: "udp", UserAgent: "phone"}
	}
	var all []string
	for i, step := range []struct {
		r    messages.Registration
		more []string
	}{
		{register(messages.Registered, "sip:a", "192.0.2.1", 0), []string{changed, on}},
		{register(messages.Registered, "sip:a", "192.0.2.1", 0), nil},                // twice
		{register(messages.Registered, "sip:a", "192.0.2.1", 10), nil},               // a refresh
		{register(messages.Registered, "sip:a", "192.0.2.2", 20), []string{changed}}, // moved
		{register(messages.Registered, "sip:b", "192.0.2.3", 30), []string{changed}}, // another phone
		{register(messages.Unregistered, "sip:a", "192.0.2.2", 25), []string{changed}},
		{register(messages.Unregistered, "sip:a", "192.0.2.2", 26), nil},
		{register(messages.Expired, "sip:b", "192.0.2.3", 40), []string{changed, off}},
		{register(messages.Registered, "sip:b", "192.0.2.3", 35), nil}, // late
		{register(messages.Registered, "sip:a", "192.0.2.1", 50), []string{changed, on}},
		{register(messages.Registered, "sip:b", "192.0.2.3", 51), []string{changed}},
		{register(messages.Unregistered, "*", "192.0.2.1", 60), []string{changed, changed, off}},
		{register(messages.Unregistered, "*", "192.0.2.1", 60), nil},
	} {
		if err := s.SaveRegistration(testContext(t), step.r); err != nil {
			t.Fatal(err)
		}
		all = append(all, step.more...)
		if got := told(t, s, "acme"); !slices.Equal(got, all) {
			t.Fatalf("step %d: %v, want %v", i, got, all)
		}
	}
}

func TestAMessageInABoxAndAVersionAreToldOnce(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "acme")
	for id, kind := range map[string]messages.RecordingKind{"c/1": messages.RecordingVoicemail, "c/2": messages.RecordingCall, "c/3": messages.RecordingVoicemail} {
		if _, err := s.InsertRecordings(ctx, []messages.Recording{{ID: id, Tenant: "acme", Kind: kind, Call: "c", Leg: "l", Box: "anna", File: id, At: time.Now(), From: "\x00\"1"}}); err != nil {
			t.Fatal(err)
		}
	}
	for id, f := range map[string]Filed{"c/1": {Hash: strings.Repeat("a", 64), LengthMS: 5}, "c/2": {Hash: strings.Repeat("b", 64)}, "c/3": {}} {
		for range 2 {
			if err := s.FileRecording(ctx, id, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	change(t, s, func(tx *Tx) error {
		return tx.Publish(ctx, "acme", tenants.Published{Version: 1, PublishedAt: time.Now()}, "anna", "first")
	})
	want(t, "told", told(t, s, "acme"), webhooks.VoicemailKept, webhooks.ConfigPublished)
	if err := s.Change(ctx, func(tx *Tx) error {
		if err := tx.Publish(ctx, "acme", tenants.Published{Version: 2, PublishedAt: time.Now()}, "anna", ""); err != nil {
			return err
		}
		return pgx.ErrTxClosed // it comes to nothing
	}); err == nil {
		t.Fatal("it was committed")
	}
	want(t, "what came to nothing is not told", told(t, s, "acme"), webhooks.VoicemailKept, webhooks.ConfigPublished)
}
