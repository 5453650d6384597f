package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/tenants"
)

// request sends a change to the worker's API, and gives status, ETag and body.
func (w *world) request(t *testing.T, method, path string, body any, headers ...string) (int, string, string) {
	t.Helper()
	text, err := json.Marshal(body)
	must(t, err)
	r, err := http.NewRequestWithContext(within(t), method, "http://"+w.HTTPAddress+path, bytes.NewReader(text))
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+testOperatorKey)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(answer.Body)
	must(t, err)
	return answer.StatusCode, answer.Header.Get("ETag"), out.String()
}

// A trunk is made, changed and removed over HTTP; a change that was made of an old state is refused, another tenant's trunk is not
// there, and a password never comes back. Calls go by it at once.
func TestTrunksOverHTTP(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c, other := w.company(t), w.company(t)
	out := &tenants.Outgoing{}
	phone := carrierLine(t, w, firstCarrier, out)
	id := c.id + "-http"
	path, own := "/v1/trunks/"+id, "/v1/tenants/"+c.id+"/trunks/"+id
	trunk := map[string]any{"name": "Own carrier", "addresses": []string{}, "outgoing": out, "login": provisioning.TrunkLogin{Username: "u", Password: "s3cret-of-ours"}}
	expect := func(what string, status, want int, body string) {
		t.Helper()
		if status != want {
			t.Fatalf("%s: %d, want %d: %s", what, status, want, body)
		}
		if strings.Contains(body, "s3cret") {
			t.Fatalf("%s: the password comes back: %s", what, body)
		}
	}
	status, tag, body := w.request(t, "PUT", own, trunk, "If-None-Match", "*")
	expect("made", status, 200, body)
	if !strings.Contains(body, `"has_login":true`) || !strings.Contains(body, `"tenant":"`+c.id+`"`) || tag == "" {
		t.Errorf("it is %s", body)
	}
	status, _, body = w.request(t, "PUT", own, trunk, "If-None-Match", "*")
	expect("made once more", status, 412, body)
	trunk["name"] = "Renamed"
	status, next, body := w.request(t, "PUT", path, map[string]any{"name": "Renamed", "tenant": c.id, "addresses": []string{}, "outgoing": out}, "If-Match", tag)
	expect("renamed by the platform", status, 200, body)
	if !strings.Contains(body, `"has_login":true`) || next == tag {
		t.Errorf("it is %s", body)
	}
	status, _, body = w.request(t, "PUT", own, trunk, "If-Match", tag)
	expect("changed from an old state", status, 412, body)
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		status, _, body = w.request(t, method, "/v1/tenants/"+other.id+"/trunks/"+id, trunk)
		expect(method+" by another tenant", status, 404, body)
	}
	status, _, body = w.request(t, "PUT", own, map[string]any{"name": "", "addresses": []string{}})
	expect("without a name", status, 422, body)
	status, _, body = w.request(t, "PUT", own, map[string]any{"nonsense": 1})
	expect("nonsense", status, 422, body)
	status, _, body = w.request(t, "GET", "/v1/tenants/"+other.id+"/trunks", nil)
	if status != 200 || strings.Contains(body, id) {
		t.Errorf("another tenant lists %s", body)
	}
	status, _, body = w.request(t, "PUT", "/v1/tenants/"+c.id+"/outbound-routes", map[string]any{"prefix": "", "trunks": []string{id}})
	expect("routed", status, 200, body)
	status, _, body = w.request(t, "POST", path+"/test", map[string]any{})
	expect("tested", status, 200, body)
	if !strings.Contains(body, `"error":"no answer"`) && !strings.Contains(body, `"error":"it cannot be reached"`) {
		t.Errorf("nobody is there, and the test says %s", body)
	}

	must(t, w.Provisioning.SetDialling(within(t), c.id, c.number, tenants.Dialling{Country: "DE"}))
	must(t, w.Provisioning.SetCallingOut(within(t), c.id, tenants.CallingOut{Allowed: true}))
	c.publish(t)
	first := listen(t, phone, sipptest.Behaviour{Challenge: "carrier.example"})
	x := w.story(t, succeed(t, c.call(t, "one", "+882130000000", sipptest.Call{}), first), 2)
	expected{Verdict: "The call was answered", Tells: []string{"way_taken", "talking"}, Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, answeredBy(id)}}.check(t, x)

	status, _, body = w.request(t, "DELETE", own, nil, "If-Match", tag)
	expect("removed from an old state", status, 412, body)
	status, _, body = w.request(t, "DELETE", own, nil)
	expect("removed", status, 200, body)
	status, _, body = w.request(t, "GET", path, nil)
	expect("looked for", status, 404, body)
}
