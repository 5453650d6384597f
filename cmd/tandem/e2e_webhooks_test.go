package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem/postgres"
	"tandem/sipptest"
	"tandem/webhooks"
)

// toldEvent is a message as a webhook or the stream has it.
type toldEvent struct {
	ID   string
	Type string
	Data json.RawMessage
	At   time.Time `json:"timestamp"`
	came time.Time
}

// listener collects messages.
type listener struct {
	mu     sync.Mutex
	events []toldEvent
	faults []string
}

func (l *listener) hear(body []byte) {
	e := toldEvent{came: time.Now()}
	err := json.Unmarshal(body, &e)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	if err == nil {
		err = webhooks.Check(e.Type, e.Data)
	}
	if err != nil {
		l.faults = append(l.faults, err.Error())
	}
}

// of lists what was told of a call, each event once.
func (l *listener) of(call string) (types []string, events []toldEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[string]bool{}
	for _, e := range l.events {
		if !seen[e.ID] && bytes.Contains(e.Data, []byte(call)) {
			seen[e.ID] = true
			types, events = append(types, e.Type), append(events, e)
		}
	}
	return types, events
}

// ask sends a request to the worker as its operator.
func (w *world) ask(ctx context.Context, t *testing.T, method, path, body string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+w.HTTPAddress+path, strings.NewReader(body))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+w.operatorKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	return response
}

// follow reads a tenant's stream until ctx ends.
func (w *world) follow(ctx context.Context, t *testing.T, tenant string) *listener {
	t.Helper()
	response := w.ask(ctx, t, http.MethodGet, "/v1/tenants/"+tenant+"/events", "")
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	l, began := &listener{}, make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), ": follows") {
				close(began)
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				l.hear([]byte(data))
			}
		}
	})
	t.Cleanup(reading.Wait)
	select {
	case <-began:
	case <-time.After(patience):
		t.Fatal("the stream does not begin")
	}
	return l
}

// A call's events reach the tenant's webhook, signed, and his stream while it lasts, in their order.
func TestACallIsToldToItsTenantAsItHappens(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	hook, secret := &listener{}, ""
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		hook.hear(body)
		if err := webhooks.Verify(secret, r.Header.Get(webhooks.HeaderID), r.Header.Get(webhooks.HeaderTimestamp), r.Header.Get(webhooks.HeaderSignature), body, time.Now()); err != nil {
			t.Error(err)
		}
	}))
	defer receiver.Close()
	made := w.ask(ctx, t, http.MethodPost, "/v1/tenants/"+c.id+"/webhooks", `{"id":"h","url":"`+receiver.URL+`"}`)
	var answer struct{ Secret string }
	err := json.NewDecoder(made.Body).Decode(&answer)
	made.Body.Close()
	if secret = answer.Secret; err != nil || made.StatusCode != http.StatusCreated {
		t.Fatal(made.Status, err)
	}
	stream := w.follow(ctx, t, c.id)

	c.register(t, "two")
	caller := c.call(t, "one", "102", sipptest.Call{})
	callee := c.listen(t, "two", sipptest.Behaviour{})
	x := w.story(t, succeed(t, caller, callee), 2)
	refused := w.story(t, succeed(t, c.call(t, "one", "999999", sipptest.Call{Expect: 404})), 1)

	want := []string{webhooks.CallStarted, webhooks.CallAnswered, webhooks.CallLegEnded, webhooks.CallLegEnded, webhooks.CallEnded}
	short := []string{webhooks.CallStarted, webhooks.CallLegEnded, webhooks.CallEnded}
	for name, l := range map[string]*listener{"the webhook": hook, "the stream": stream} {
		awaitThat(t, name+" is not told of the calls", func(context.Context) (bool, error) {
			got, _ := l.of(x.Call)
			none, _ := l.of(refused.Call)
			return len(got) >= len(want) && len(none) >= len(short), nil
		})
		got, events := l.of(x.Call)
		none, _ := l.of(refused.Call)
		if !slices.Equal(got, want) || !slices.Equal(none, short) {
			t.Errorf("%s is told %v and %v", name, got, none)
		}
		for _, e := range events {
			t.Logf("%s: %s %s after it happened", name, e.Type, e.came.Sub(e.At).Round(time.Millisecond))
		}
		l.mu.Lock()
		for _, fault := range l.faults {
			t.Errorf("%s: %s", name, fault)
		}
		l.mu.Unlock()
	}
	awaitThat(t, "metrics do not count what was delivered", func(ctx context.Context) (bool, error) {
		n, err := gauge(ctx, w.HTTPAddress, `webhook_attempts_total{outcome="delivered"}`)
		return n >= float64(len(want)+len(short)), err
	})
	registered, _ := stream.of(`"device"`)
	if !slices.Contains(registered, webhooks.DeviceRegistered) || !slices.Contains(registered, webhooks.RegistrationChange) {
		t.Errorf("of the registration it is told %v", registered)
	}
	cancel()
}

// What the commands say of a webhook whose receiver is gone, and how it gets what it has missed.
func TestAWebhookIsLookedAfterFromTheCommandLine(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	var gone atomic.Bool
	came := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			out.WriteHeader(http.StatusGone)
		}
		came <- r.Header.Get(webhooks.HeaderID)
	}))
	defer receiver.Close()
	hook := []string{c.id, "desk"}
	says := func(want []string, command string, more ...string) {
		t.Helper()
		w.says(t, want, slices.Concat([]string{"webhook", command}, hook, more)...)
	}
	w.says(t, []string{"There are no webhooks."}, "webhook", "list", c.id)
	w.says(t, []string{"Webhook desk is there.", "whsec_"}, "webhook", "add", c.id, receiver.URL, "--id", "desk", "--name", "Front desk", "--types", "call.ended,configuration.published")
	w.says(t, []string{"desk", "Front desk", "well", "call.ended,configuration.published"}, "webhook", "list", c.id)
	says([]string{"The test evt_"}, "test")
	first := receiveFrom(t, came)
	awaitThat(t, "the test is not settled", func(ctx context.Context) (bool, error) {
		page, err := postgres.List(ctx, w.Store, postgres.DeliveryRows(), postgres.Query{Where: map[string]string{"tenant": c.id, "state": "delivered"}})
		return len(page.Items) == 1, err
	})
	says([]string{"webhook.test", first, "delivered"}, "deliveries")
	says([]string{"whsec_", "signs beside it until"}, "secret")

	gone.Store(true)
	c.publish(t)
	missed := receiveFrom(t, came)
	awaitThat(t, "the webhook is not disabled", func(ctx context.Context) (bool, error) {
		page, err := postgres.List(ctx, w.Store, postgres.WebhookRows(), postgres.Query{Where: map[string]string{"tenant": c.id}})
		return len(page.Items) == 1 && page.Items[0].Because == webhooks.Gone, err
	})
	says([]string{"Webhook desk is disabled (gone).", "The receiver answered 410 Gone"}, "show")
	gone.Store(false)
	says([]string{"Webhook desk is well."}, "set", "--enable", "--all-types")
	says([]string{"event is sent again.", "1"}, "again", "--from", time.Now().Add(-time.Hour).Format(time.RFC3339))
	if got := receiveFrom(t, came); got != missed {
		t.Errorf("sent again as %s, want %s", got, missed)
	}
	says([]string{"Webhook desk is gone."}, "remove")
}

func receiveFrom(t *testing.T, came <-chan string) string {
	t.Helper()
	select {
	case id := <-came:
		return id
	case <-time.After(patience):
		t.Fatal("no message came")
		return ""
	}
}
