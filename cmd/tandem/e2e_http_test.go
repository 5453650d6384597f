package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/tenants"
)

// asked is one request that a server of a test got.
type asked struct {
	method, path, query, key, body string
}

// httpServer is a company's server, on loopback: the workers of these tests may ask it.
func httpServer(t *testing.T, handle func(w http.ResponseWriter, r *http.Request)) (url string, got chan asked) {
	t.Helper()
	got = make(chan asked, 16)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- asked{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Idempotency-Key"), string(body)}
		if handle != nil {
			handle(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

// A webhook is told of a call from outside, which goes on at once although the server takes its time.
func TestWebhookIsToldOfACall(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	slow := make(chan struct{})
	url, got := httpServer(t, func(http.ResponseWriter, *http.Request) { <-slow })
	t.Cleanup(func() { close(slow) }) // before the server is closed, which waits for its requests
	c.flow(t, c.number, "line", map[string]tenants.Element{
		"line": element("set", map[string]any{"variables": []map[string]string{{"name": "line", "value": "sales"}}}, map[string]string{"next": "tell"}),
		"tell": element("webhook", map[string]any{"url": url + "/calls?from={caller.number}", "send": []string{"line"}}, map[string]string{"next": "ring"}),
		"ring": ringing("at_once", 10, "two"),
	})
	c.publish(t)
	c.register(t, "two")
	two := c.listen(t, "two", sipptest.Behaviour{})
	x := c.w.story(t, succeed(t, c.w.incoming(t, "+12025550177", c.number, sipptest.Call{}), two), 2)
	expected{Verdict: "The call was answered", Tells: []string{"caller_trunk", "webhook_told", "ringing", "talking", "call_ended"},
		Legs: []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	request := <-got
	var told struct {
		Purpose, Call, Tenant, Dialled string
		Caller                         struct{ Number, Trunk string }
		Variables                      map[string]string
	}
	if err := json.Unmarshal([]byte(request.body), &told); err != nil || request.method != "POST" || request.path != "/calls" || request.query != "from=%2B12025550177" ||
		request.key != x.Call+"/1" || told.Purpose != "webhook" || told.Call != x.Call || told.Tenant != c.id || told.Dialled != c.number ||
		told.Caller.Number != "+12025550177" || told.Caller.Trunk != "carrier" || told.Variables["line"] != "sales" {
		t.Errorf("the server is told %+v (%v)", request, err)
	}
	if len(got) > 0 {
		t.Error("it is told again")
	}
}

// A look-up names the caller for the phone that is rung, and decides where the call goes; a server that is late or in trouble
// holds up nobody.
func TestLookupNamesTheCaller(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	late := make(chan struct{})
	url, _ := httpServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/people/+12025550177":
			fmt.Fprint(w, `{"name":"Anna Example","customer":{"rank":"gold"}}`)
		case "/late":
			<-late
		default:
			http.NotFound(w, r)
		}
	})
	t.Cleanup(func() { close(late) })
	lookup := func(path string) tenants.Element {
		return element("lookup", map[string]any{"url": url + path, "seconds": 1, "name": "/name", "variables": []map[string]string{{"name": "rank", "member": "/customer/rank"}}},
			map[string]string{"found": "rank", "not_found": "three", "failed": "three"})
	}
	rest := map[string]tenants.Element{
		"rank": element("branch", map[string]any{"cases": []map[string]any{{"exit": "gold", "variables": []map[string]any{{"name": "rank", "equals": []string{"gold"}}}}}},
			map[string]string{"gold": "two", "otherwise": "three"}),
		"two":   ringing("at_once", 10, "two"),
		"three": ringing("at_once", 10, "three"),
	}
	for dialled, path := range map[string]string{c.number: "/people/{caller.number}", "301": "/late", "302": "/people/{caller.number}"} {
		elements := map[string]tenants.Element{"look": lookup(path)}
		for key, e := range rest {
			elements[key] = e
		}
		c.flow(t, dialled, "look", elements)
	}
	c.publish(t)
	c.register(t, "two", "three")

	two := c.listen(t, "two", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "From", Pattern: `Anna Example.*<sip:\+12025550177@`}}})
	x := c.w.story(t, succeed(t, c.w.incoming(t, "+12025550177", c.number, sipptest.Call{}), two), 2)
	expected{Verdict: "The call was answered", Tells: []string{"lookup_asked", "lookup_named", "lookup_kept", "exit_taken", "ringing", "talking"},
		Legs: []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)

	for dialled, tells := range map[string]string{"301": "lookup_failed", "302": "lookup_unknown"} {
		three := c.listen(t, "three", sipptest.Behaviour{})
		x := c.w.story(t, succeed(t, c.call(t, "one", dialled, sipptest.Call{}), three), 2)
		expected{Verdict: "The call was answered", Tells: []string{"lookup_asked", tells, "exit_taken", "ringing", "talking"},
			Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	}
}

// A flow that is fetched drives the call; one that is faulty is told of, and the call goes on without it.
func TestPivotFetchesTheFlow(t *testing.T) {
	t.Parallel()
	c := sharedWorld(t).company(t)
	url, _ := httpServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/good" {
			fmt.Fprint(w, `{"start":"a","elements":{"a":{"type":"ring","settings":{"users":["two"],"seconds":10},"exits":{"busy":"b"}},
				"b":{"type":"jump","settings":{"flow":"flow900"}}}}`)
			return
		}
		fmt.Fprint(w, `{"start":"a","elements":{"a":{"type":"ring","settings":{"users":["nobody"]}}}}`)
	})
	pivot := func(path string) map[string]tenants.Element {
		return map[string]tenants.Element{"ask": element("pivot", map[string]any{"url": url + path}, map[string]string{"failed": "three"}), "three": ringing("at_once", 10, "three")}
	}
	c.flow(t, "900", "three", map[string]tenants.Element{"three": ringing("at_once", 10, "three")})
	c.flow(t, "300", "ask", pivot("/good"))
	c.flow(t, "301", "ask", pivot("/faulty"))
	c.publish(t)
	c.register(t, "two", "three")

	two, three := c.listen(t, "two", sipptest.Behaviour{Code: 486, Phrase: "Busy Here"}), c.listen(t, "three", sipptest.Behaviour{})
	x := c.w.story(t, succeed(t, c.call(t, "one", "300", sipptest.Call{Talk: time.Second}), two, three), 3)
	expected{Verdict: "The call was answered", Tells: []string{"pivot_asked", "pivoted", "ringing", "ring_busy", "exit_taken", "jumped", "ringing", "talking"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee},
			{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)

	three = c.listen(t, "three", sipptest.Behaviour{})
	x = c.w.story(t, succeed(t, c.call(t, "one", "301", sipptest.Call{}), three), 2)
	expected{Verdict: "The call was answered", Tells: []string{"pivot_asked", "pivot_faulty", "exit_taken", "ringing", "talking"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	if !strings.Contains(x.Text(), `There is no user "nobody" in this tenant`) {
		t.Errorf("the faults are not told:\n%s", x.Text())
	}
}
