package nodes

import (
	"context"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// server is a Fetcher whose answers the test gives.
type server struct {
	keys    chan string
	answers chan callflows.Reply
}

func newServer() *server {
	return &server{keys: make(chan string, 10), answers: make(chan callflows.Reply)}
}

func (v *server) Fetch(ctx context.Context, tenant, call, key string, r callflows.Request, _ time.Duration) callflows.Reply {
	v.keys <- tenant + " " + call + " " + key + " " + r.URL
	select {
	case reply := <-v.answers:
		return reply
	case <-ctx.Done():
		return callflows.Reply{Error: "broken off"}
	}
}

func (v *server) asked(t *testing.T) string {
	t.Helper()
	select {
	case key := <-v.keys:
		return key
	case <-time.After(patience):
		t.Fatal("nobody asks")
	}
	return ""
}

// asking is a node whose flow waits for the answer to an HTTP request.
func asking(t *testing.T, v *server) func(*Options) {
	t.Helper()
	snapshot, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{{ID: "office", Domain: "office.example", TimeZone: "UTC",
		Published: tenants.Published{Flows: []tenants.Flow{{ID: "sales", Start: "look", Elements: map[string]tenants.Element{
			"look": {Type: "lookup", Settings: []byte(`{"url":"http://crm.example/{caller.number}","name":"/name"}`), Exits: map[string]string{"found": "busy", "not_found": "bye", "failed": "bye"}},
			"busy": {Type: "hangup", Settings: []byte(`{"cause":"USER_BUSY"}`)}, "bye": {Type: "hangup"}}}}}}}}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return func(o *Options) { o.Snapshot, o.Fetcher = func() *tenants.Snapshot { return snapshot }, v }
}

const wantAsked = "office " + callID + " " + callID + "/1 http://crm.example/101"

func TestAnAnswerIsStepped(t *testing.T) {
	f, w, v := newFakeNode(t), newWorld(), newServer()
	o := options(t, f, w)
	asking(t, v)(&o)
	start(t, o)
	<-f.up
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	if got := v.asked(t); got != wantAsked {
		t.Errorf("it asks %s", got)
	}
	v.answers <- callflows.Reply{Status: 200, Body: `{"name":"Anna"}`}
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
}

// Without a Fetcher nobody waits.
func TestWithoutAFetcherTheFlowGoesOn(t *testing.T) {
	f, w := newFakeNode(t), newWorld()
	o := options(t, f, w)
	asking(t, nil)(&o)
	o.Fetcher = nil
	start(t, o)
	<-f.up
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	f.ordered("uuid_kill " + callerLeg + " NORMAL_CLEARING")
}

// TestAQuestionIsAskedAgainBySuccessor under the same key, when the owner leaves before it was answered; the flow goes on with
// the successor's answer.
func TestAQuestionIsAskedAgainBySuccessor(t *testing.T) {
	f, v := newFakeNode(t), newServer()
	first, stopFirst := workerThat(t, f, "worker1.a", asking(t, v))
	first.up(t)
	second, _ := workerThat(t, f, "worker2.b", asking(t, v))
	second.picture(t)
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	if got := v.asked(t); got != wantAsked {
		t.Errorf("the first asks %s", got)
	}
	stopFirst()
	second.up(t)
	if got := v.asked(t); got != wantAsked {
		t.Errorf("the successor asks %s", got)
	}
	v.answers <- callflows.Reply{Status: 200, Body: `{"name":"Anna"}`}
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
}
