package client_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tandem/provisioning/client"
)

// asked is what a server was asked.
type asked struct {
	method, uri, body string
	header            http.Header
}

// answering is a client of a server that answers all the same.
func answering(t *testing.T, status int, header map[string]string, body string) (*client.Client, *asked) {
	t.Helper()
	got := &asked{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		*got = asked{r.Method, r.RequestURI, string(text), r.Header}
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return &client.Client{Server: server.URL + "/", Key: "tdm_KEY"}, got
}

func TestARequestIsSentAsTheDocumentSays(t *testing.T) {
	c, got := answering(t, 201, map[string]string{"ETag": `"a"`}, `{"id":"grace","name":"Grace","extension":"101","created_at":"2026-03-02T09:30:00Z"}`)
	made, err := c.CreateUser(client.WithKey(t.Context(), "once-and-no-more"), "a/../b", client.NewUserBody{Name: "Grace", Extension: "101"})
	if err != nil || made.Body.ID != "grace" || made.ETag() != `"a"` || made.Status != 201 {
		t.Fatalf("%+v %v", made, err)
	}
	if got.method != "POST" || got.uri != "/v1/tenants/a%2F..%2Fb/users" || got.body != `{"extension":"101","name":"Grace"}` ||
		got.header.Get("Authorization") != "Bearer tdm_KEY" || got.header.Get("Idempotency-Key") != "once-and-no-more" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("it is asked %+v", got)
	}
}

func TestParametersGoIntoTheQueryAndTheHeaders(t *testing.T) {
	c, got := answering(t, 200, nil, `{"items":[]}`)
	since := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	if _, err := c.ListCdrs(client.WithKey(t.Context(), "only-for-changes"), "ada", client.ListCdrsParams{Limit: 7, Since: since, Fault: "carrier"}); err != nil {
		t.Fatal(err)
	}
	if got.uri != "/v1/tenants/ada/cdrs?fault=carrier&limit=7&since=2026-03-02T09%3A30%3A00Z" || got.header.Get("Idempotency-Key") != "" {
		t.Errorf("it is asked %s %v", got.uri, got.header)
	}
	c, got = answering(t, 204, nil, "")
	if _, err := c.DeleteUser(t.Context(), "ada", "grace", client.DeleteUserParams{IfMatch: `"a"`}); err != nil || got.header.Get("If-Match") != `"a"` || got.method != "DELETE" {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestWhatIsNoJSONIsSentAndAnsweredAsItIs(t *testing.T) {
	c, got := answering(t, 200, map[string]string{"Content-Type": "audio/wav"}, "RIFF")
	sound, err := c.GetMessageSound(t.Context(), "ada", "grace", "call.1")
	if err != nil || string(sound.Body) != "RIFF" {
		t.Fatalf("%v %v", sound, err)
	}
	c, got = answering(t, 200, nil, `{"made_of":"x","summary":[],"changes":[],"waiting":[]}`)
	if _, err := c.PlanTenant(t.Context(), "ada", []byte("format: 1\n")); err != nil || got.body != "format: 1\n" || got.header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestARefusalIsAnErrorThatSaysWhy(t *testing.T) {
	c, _ := answering(t, 422, nil, `{"status":422,"title":"Unprocessable Entity","code":"invalid","detail":"name is missing.","errors":[{"location":"body.name","message":"is missing"}]}`)
	_, err := c.GetUser(t.Context(), "ada", "grace", client.GetUserParams{})
	refused := client.Refused(err)
	if refused == nil || refused.Status != 422 || refused.Code != "invalid" || len(refused.Errors) != 1 || err.Error() != "name is missing. (invalid)" {
		t.Fatalf("%v", err)
	}
	for _, foreign := range []string{"<html>", "{}", ""} {
		c, _ := answering(t, 502, nil, foreign)
		if _, err := c.GetSelf(t.Context()); err == nil || client.Refused(err) != nil || !strings.Contains(err.Error(), "502") {
			t.Errorf("%q: %v", foreign, err)
		}
	}
}

func TestTheKeyGoesToNoOtherServer(t *testing.T) {
	other, stolen := answering(t, 200, nil, "{}")
	c, _ := answering(t, 307, map[string]string{"Location": other.Server}, "")
	if _, err := c.GetSelf(t.Context()); err == nil {
		t.Error("a redirect is followed")
	}
	if stolen.method != "" {
		t.Errorf("the other server was asked %+v", stolen)
	}
}

func TestAStreamIsReadAsItComes(t *testing.T) {
	c, got := answering(t, 200, nil, "retry: 2000\n\n")
	stream, err := c.StreamEvents(t.Context(), "ada", client.StreamEventsParams{Types: []string{"call.started", "call.ended"}})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if text, err := io.ReadAll(stream); err != nil || string(text) != "retry: 2000\n\n" || got.uri != "/v1/tenants/ada/events?types=call.started%2Ccall.ended" {
		t.Errorf("%q %v %s", text, err, got.uri)
	}
	c, _ = answering(t, 429, nil, `{"status":429,"title":"","code":"too_many_streams","detail":"Close one."}`)
	if _, err := c.StreamEvents(t.Context(), "ada", client.StreamEventsParams{}); client.Refused(err) == nil {
		t.Errorf("%v", err)
	}
}

func TestAContextEndsARequest(t *testing.T) {
	c, _ := answering(t, 200, nil, "{}")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.GetSelf(over); err == nil {
		t.Error("it is asked")
	}
}
