package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tandem/postgres"
	"tandem/provisioning/api"
	"tandem/webhooks"
)

func TestAWebhookIsMadeChangedAndRemoved(t *testing.T) {
	w := newWorld(t)
	key := w.key("ada", api.WebhooksRead, api.WebhooksWrite)
	var made struct {
		ID, Secret string
	}
	first := w.ask(key, "POST", "/v1/tenants/ada/webhooks", object{"url": "https://receiver.example/h", "types": []string{"call.ended", "call.started", "call.ended"}})
	first.into(201, &made)
	if _, err := webhooks.ParseSecret(made.Secret); err != nil || !strings.HasPrefix(made.ID, "wh_") {
		t.Fatalf("%+v, %v", made, err)
	}
	path := "/v1/tenants/ada/webhooks/" + made.ID
	got := w.ask(key, "GET", path, nil)
	var row postgres.Webhook
	got.into(200, &row)
	if fmt.Sprint(row.Types) != "[call.ended call.started]" || strings.Contains(got.Text, "whsec_") || got.Header.Get("ETag") != first.Header.Get("ETag") {
		t.Errorf("%s", got.Text)
	}
	w.ask(key, "PUT", path, object{"url": "https://receiver.example/i", "disabled": true}, "If-Match", got.Header.Get("ETag")).into(200, &row)
	if row.Because != webhooks.Asked || row.DisabledAt == nil || row.URL != "https://receiver.example/i" {
		t.Errorf("%+v", row)
	}
	w.ask(key, "PUT", path, object{"url": "https://receiver.example/j"}, "If-Match", got.Header.Get("ETag")).is(412, "stale")
	w.ask(key, "POST", path+"/test", nil).is(409, "conflict")
	w.ask(key, "POST", path+"/again", object{"from": time.Now().Add(-time.Hour), "until": time.Now()}).is(409, "conflict")
	w.ask(key, "PUT", path, object{"url": "https://receiver.example/j"}).is(200, "")
	var rotated struct {
		Secret   string
		OldUntil time.Time `json:"old_until"`
	}
	w.ask(key, "POST", path+"/secret", nil).into(200, &rotated)
	if rotated.Secret == made.Secret || time.Until(rotated.OldUntil) < 23*time.Hour {
		t.Errorf("%+v", rotated)
	}

	// What is removed by mistake comes back with its secrets.
	w.ask(key, "DELETE", path, nil).is(204, "")
	w.ask(key, "GET", path, nil).is(404, "not_found")
	admin := w.key("ada")
	var audit struct{ Items []postgres.AuditEntry }
	trail := w.ask(admin, "GET", "/v1/tenants/ada/audit?object=webhooks", nil)
	trail.into(200, &audit)
	if strings.Contains(trail.Text, "whsec_") {
		t.Error("the audit shows a secret")
	}
	w.ask(admin, "POST", fmt.Sprintf("/v1/tenants/ada/audit/%d/undo", audit.Items[0].ID), nil).is(200, "")
	must(t, w.owner.Store.Change(w.ctx, func(tx *postgres.Tx) error {
		keys, err := tx.Keys(w.ctx, "ada", made.ID)
		if len(keys) != 2 || keys[0].Secret != rotated.Secret || keys[1].Secret != made.Secret {
			t.Errorf("after the undo: %+v", keys)
		}
		return err
	}))
}

func TestBadWebhooksAreRefused(t *testing.T) {
	w := newWorld(t)
	key := w.key("ada")
	for name, body := range map[string]object{
		"private address": {"url": "https://10.1.2.3/"}, "metadata": {"url": "https://169.254.169.254/latest"}, "loopback": {"url": "https://localhost/"},
		"no TLS": {"url": "http://receiver.example/"}, "no URL": {"url": "receiver"}, "credentials": {"url": "https://user:hush@receiver.example/"}, "unknown type": {"url": "https://receiver.example/", "types": []string{"call.sung"}},
		"the type of tests": {"url": "https://receiver.example/", "types": []string{"webhook.test"}}, "bad id": {"id": "a b", "url": "https://receiver.example/"},
		"unknown member": {"url": "https://receiver.example/", "secret": "whsec_x"}, "long name": {"url": "https://receiver.example/", "name": strings.Repeat("x", 257)},
	} {
		got := w.ask(key, "POST", "/v1/tenants/ada/webhooks", body)
		if got.Status != http.StatusUnprocessableEntity || strings.Contains(got.Text, "hush") {
			t.Errorf("%s: %d %s", name, got.Status, got.Text)
		}
	}
	w.ask(key, "POST", "/v1/tenants/ada/webhooks", object{"id": "w", "url": "https://receiver.example/"}).is(201, "")
	w.ask(key, "POST", "/v1/tenants/ada/webhooks", object{"id": "w", "url": "https://receiver.example/"}).is(409, "conflict")
	w.ask(w.key("bob"), "POST", "/v1/tenants/bob/webhooks", object{"id": "w", "url": "https://receiver.example/"}).is(201, "")
	w.ask(key, "POST", "/v1/tenants/ada/webhooks/w/again", object{"from": time.Now(), "until": time.Now().Add(-time.Hour)}).is(422, "invalid")
	w.ask(key, "POST", "/v1/tenants/ada/webhooks/w/deliveries/1/again", nil).is(404, "not_found")
	w.ask(key, "GET", "/v1/tenants/ada/webhooks/other/deliveries", nil).is(404, "not_found")
	w.ask(key, "GET", "/v1/tenants/ada/webhooks/w/deliveries/1", nil).is(404, "not_found")
	w.ask(w.key("ada", api.WebhooksRead), "POST", "/v1/tenants/ada/webhooks/w/test", nil).is(403, "scope_missing")
}

func TestWhatWasSentIsListedAndSentAgain(t *testing.T) {
	w := newWorld(t)
	key := w.key("ada", api.WebhooksRead, api.WebhooksWrite)
	w.ask(key, "POST", "/v1/tenants/ada/webhooks", object{"id": "w", "url": "https://receiver.example/"}).is(201, "")
	var test struct{ Event string }
	w.ask(key, "POST", "/v1/tenants/ada/webhooks/w/test", nil).into(202, &test)
	s := w.owner.Store
	deliver := func(status int) {
		t.Helper()
		_, err := s.Dispatch(w.ctx, 10)
		must(t, err)
		claims, err := s.Claim(w.ctx, 10)
		must(t, err)
		if len(claims) != 1 || claims[0].Event.ID != test.Event {
			t.Fatalf("%+v", claims)
		}
		must(t, s.Settle(w.ctx, claims[0], webhooks.Answer{Status: status, Body: "as you like"}, time.Now(), 0.5))
	}
	deliver(200)
	var page struct{ Items []postgres.DeliveryRow }
	w.ask(key, "GET", "/v1/tenants/ada/webhooks/w/deliveries?state=delivered&event="+test.Event, nil).into(200, &page)
	if len(page.Items) != 1 || page.Items[0].Status != 200 || page.Items[0].Type != webhooks.Test {
		t.Fatalf("%+v", page)
	}
	one := fmt.Sprintf("/v1/tenants/ada/webhooks/w/deliveries/%d", page.Items[0].ID)
	var tried struct{ Tried []postgres.AttemptRow }
	w.ask(key, "GET", one, nil).into(200, &tried)
	if len(tried.Tried) != 1 || tried.Tried[0].Answer != "as you like" {
		t.Errorf("%+v", tried)
	}
	w.ask(key, "POST", one+"/again", nil).is(202, "")
	deliver(500)
	w.ask(key, "GET", "/v1/tenants/ada/webhooks/w/deliveries", nil).into(200, &page)
	if len(page.Items) != 2 || !page.Items[0].Again || page.Items[0].State != "waiting" || page.Items[0].Event != test.Event {
		t.Errorf("%+v", page.Items)
	}

	// Another tenant's webhook of the same name has a log of its own, and nobody else reads this one.
	other := w.key("bob")
	w.ask(other, "POST", "/v1/tenants/bob/webhooks", object{"id": "w", "url": "https://receiver.example/"}).is(201, "")
	w.ask(other, "GET", "/v1/tenants/bob/webhooks/w/deliveries", nil).into(200, &page)
	if len(page.Items) != 0 {
		t.Errorf("bob reads %+v", page.Items)
	}
	w.ask(other, "GET", strings.Replace(one, "ada", "bob", 1), nil).is(404, "not_found")
	w.ask(other, "POST", strings.Replace(one, "ada", "bob", 1)+"/again", nil).is(404, "not_found")
	w.ask(other, "GET", one, nil).is(404, "not_found")
	var count struct{ Events int }
	event := webhooks.Published("ada", 1, "anna", "", time.Now())
	must(t, s.Change(w.ctx, func(tx *postgres.Tx) error { _, err := tx.AddEvent(w.ctx, event); return err }))
	_, err := s.Dispatch(w.ctx, 10)
	must(t, err)
	w.ask(key, "POST", "/v1/tenants/ada/webhooks/w/again", object{"from": time.Now().Add(-time.Hour), "until": time.Now().Add(time.Hour)}).into(202, &count)
	if count.Events != 1 {
		t.Errorf("%d events of the hour, and tests are none", count.Events)
	}
}

func TestTheTypesOfEventsAreListedWithTheirSchemas(t *testing.T) {
	w := newWorld(t)
	var page struct {
		Items []struct {
			Type   string
			Schema map[string]any
		}
	}
	w.ask(w.key("ada", api.WebhooksRead), "GET", "/v1/event-types", nil).into(200, &page)
	if len(page.Items) != len(webhooks.Types()) || page.Items[0].Type != webhooks.CallStarted || page.Items[0].Schema["type"] != "object" {
		t.Errorf("%+v", page)
	}
}

// follower reads a stream.
type follower struct {
	t     *testing.T
	lines chan string
	stop  func()
}

func (w *world) follow(server *httptest.Server, key, path string, headers ...string) *follower {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
	must(w.t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := server.Client().Do(request)
	must(w.t, err)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("%s %s", response.Status, response.Header.Get("Content-Type"))
	}
	f := &follower{t: w.t, lines: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(f.lines)
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			f.lines <- lines.Text()
		}
	}()
	f.stop = func() { cancel(); response.Body.Close(); <-done }
	w.t.Cleanup(f.stop)
	return f
}

// next gives the next event's id, type and message.
func (f *follower) next() (id, kind string, message map[string]any) {
	f.t.Helper()
	for {
		select {
		case line, open := <-f.lines:
			if !open {
				f.t.Fatal("the stream ended")
			}
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "id":
				id = value
			case "event":
				kind = value
			case "data":
				must(f.t, json.Unmarshal([]byte(value), &message))
				return id, kind, message
			}
		case <-time.After(20 * time.Second):
			f.t.Fatal("no event came")
		}
	}
}

// begun waits until it follows.
func (f *follower) begun() {
	f.t.Helper()
	for line := range f.lines {
		if strings.HasPrefix(line, ": follows") {
			return
		}
	}
}

func (w *world) streams() (server *httptest.Server, happens func(tenant string, version int64)) {
	w.t.Helper()
	w.api.Streams = &api.Streams{}
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); w.api.Streams.Run(ctx, w.owner.Store) }()
	server = httptest.NewServer(w.http)
	w.t.Cleanup(func() { cancel(); <-ended; server.Close() })
	return server, func(tenant string, version int64) {
		w.t.Helper()
		must(w.t, w.owner.Store.Change(w.ctx, func(tx *postgres.Tx) error {
			_, err := tx.AddEvent(w.ctx, webhooks.Published(tenant, version, "anna", "", time.Now()))
			return err
		}))
		_, err := w.owner.Store.Dispatch(w.ctx, 100)
		must(w.t, err)
	}
}

func version(message map[string]any) any {
	data, _ := message["data"].(map[string]any)
	return data["version"]
}

func TestAStreamTellsItsTenantsEventsAndGoesOnWhereItWas(t *testing.T) {
	w := newWorld(t)
	server, happens := w.streams()
	key := w.key("ada", api.WebhooksRead)
	happens("ada", 1)
	f := w.follow(server, key, "/v1/tenants/ada/events")
	f.begun()
	happens("bob", 2)
	happens("ada", 3)
	began := time.Now()
	id, kind, message := f.next()
	if kind != webhooks.ConfigPublished || version(message) != 3.0 || message["tenant"] != "ada" || message["id"] != id {
		t.Errorf("%s %s %v", id, kind, message)
	}
	t.Logf("told after %s", time.Since(began))
	f.stop()
	happens("ada", 4)
	happens("ada", 5)
	again := w.follow(server, key, "/v1/tenants/ada/events", "Last-Event-ID", id)
	for _, want := range []float64{4, 5} {
		if _, _, message := again.next(); version(message) != want {
			t.Errorf("%v, want version %v", message, want)
		}
	}
	happens("ada", 6)
	if _, _, message := again.next(); version(message) != 6.0 {
		t.Errorf("%v", message)
	}
	// Another tenant's event is not known here.
	gap := w.follow(server, w.key("bob"), "/v1/tenants/bob/events?after="+id)
	if _, kind, _ := gap.next(); kind != "stream.gap" {
		t.Errorf("it begins with %s", kind)
	}
	if _, _, message := gap.next(); version(message) != 2.0 {
		t.Errorf("%v", message)
	}
	none := w.follow(server, key, "/v1/tenants/ada/events?types=call.ended,configuration.published&after="+id)
	if _, _, message := none.next(); version(message) != 4.0 {
		t.Errorf("%v", message)
	}
}

// TestTheStreamOverAllTenants: the platform's own follow everybody in one stream, which goes on where it was; a tenant's do not, and
// there are only so many.
func TestTheStreamOverAllTenants(t *testing.T) {
	w := newWorld(t)
	server, happens := w.streams()
	w.ask(w.key("ada", api.WebhooksRead), "GET", "/v1/events", nil).is(403, "platform_only")
	key := w.key("", api.WebhooksRead)
	happens("ada", 1)
	f := w.follow(server, key, "/v1/events?types=configuration.published")
	f.begun()
	happens("bob", 2)
	id, _, message := f.next()
	if version(message) != 2.0 || message["tenant"] != "bob" {
		t.Errorf("%v", message)
	}
	happens("ada", 3)
	if _, _, message := f.next(); version(message) != 3.0 || message["tenant"] != "ada" {
		t.Errorf("%v", message)
	}
	f.stop()
	again := w.follow(server, key, "/v1/events", "Last-Event-ID", id)
	if _, _, message := again.next(); version(message) != 3.0 {
		t.Errorf("%v", message)
	}
	for range api.MaxStreamsOfAll - 1 {
		w.follow(server, key, "/v1/events").begun()
	}
	w.ask(key, "GET", "/v1/events", nil).is(429, "too_many_streams")
	w.follow(server, w.key("ada", api.WebhooksRead), "/v1/tenants/ada/events").begun() // a tenant's are others
}

func TestStreamsAreBoundedAndForThoseWhoMay(t *testing.T) {
	w := newWorld(t)
	w.ask(w.key("ada"), "GET", "/v1/tenants/ada/events", nil).is(503, "no_stream")
	server, _ := w.streams()
	key := w.key("ada", api.WebhooksRead)
	w.ask(w.key("bob"), "GET", "/v1/tenants/ada/events", nil).is(404, "not_found")
	w.ask(w.key("ada", api.CallsRead), "GET", "/v1/tenants/ada/events", nil).is(403, "scope_missing")
	w.ask(key, "GET", "/v1/tenants/ada/events?types=call.sung", nil).is(422, "invalid")
	var all []*follower
	for range api.MaxStreamsOfTenant {
		f := w.follow(server, key, "/v1/tenants/ada/events")
		f.begun()
		all = append(all, f)
	}
	w.ask(key, "GET", "/v1/tenants/ada/events", nil).is(429, "too_many_streams")
	w.follow(server, w.key("bob"), "/v1/tenants/bob/events").begun()
	for _, f := range all {
		f.stop()
	}
}
