package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/sipptest"
	"tandem/tenants"
)

// asks sends a question to the API and reads the explanation that it is answered with.
func (w *world) asks(t *testing.T, path string, body any) (x explain.Explanation) {
	t.Helper()
	status, _, text := w.request(t, "POST", path, body)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, text)
	}
	must(t, json.Unmarshal([]byte(text), &x))
	return x
}

// What support does: a call is found by its number, it is said what to do about it, and after that was done the same call would go through.
func TestAFailedCallIsFoundAndAdvisedAndWouldSucceedNow(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c, other := w.company(t), w.company(t)
	c.flow(t, c.number, "ring", map[string]tenants.Element{"ring": ringing("at_once", 20, "one")})
	c.publish(t)
	caller := "+12025550188"
	id := succeed(t, w.incoming(t, caller, c.number, sipptest.Call{Expect: 480}))
	x := w.story(t, id, 1)
	if len(x.Advice) == 0 || x.Flow == "" || !strings.Contains(x.Advice[len(x.Advice)-1].Words+x.Advice[0].Words, "Phone one") {
		t.Errorf("advised %+v about the flow %s:\n%s", x.Advice, x.Flow, x.Text())
	}
	var found postgres.Found
	must(t, w.get(within(t), "/v1/tenants/"+c.id+"/search?q="+url.QueryEscape("+1 (202) 555-0188"), &found))
	if len(found.Calls) == 0 || found.Calls[0].Call != x.Call {
		t.Errorf("found: %+v", found)
	}
	must(t, w.get(within(t), "/v1/tenants/"+other.id+"/search?q="+url.QueryEscape(id), &found))
	if len(found.Calls) != 0 {
		t.Errorf("another tenant's search finds it: %+v", found.Calls)
	}

	again := "/v1/calls/" + x.Call + "/again"
	if now := w.asks(t, again, member{}); !strings.Contains(now.Verdict, x.Verdict[strings.LastIndex(x.Verdict, ":")+1:]) && now.Fault != x.Fault {
		t.Errorf("nothing has changed, and it would go otherwise:\n%s", now.Text())
	}
	c.register(t, "one")
	if now := w.asks(t, again, member{}); now.Verdict != "The call would be answered." || now.Fault != messages.FaultNone {
		t.Errorf("with the phone registered:\n%s", now.Text())
	}
	dry := "/v1/tenants/" + c.id + "/dry-run"
	if now := w.asks(t, dry, member{"from": "two@" + c.domain, "to": "101"}); now.Tenant != c.id {
		t.Errorf("from a device:\n%s", now.Text())
	}
	for _, foreign := range []member{{"from": "two@" + other.domain, "to": "101"}, {"from": caller, "to": other.number}} {
		if status, _, text := w.request(t, "POST", dry, foreign); status != http.StatusUnprocessableEntity || strings.Contains(text, other.name) {
			t.Errorf("another tenant's call is told of: %d %s", status, text)
		}
	}

	// Under the drafts the phone is not rung; live it is still.
	c.flow(t, c.number, "bye", map[string]tenants.Element{"bye": element("hangup", map[string]any{"cause": "USER_BUSY"}, nil)})
	if now := w.asks(t, again, member{"draft": true}); !strings.Contains(now.Verdict, "USER_BUSY") {
		t.Errorf("under the drafts:\n%s", now.Text())
	}
	if now := w.asks(t, again, member{}); now.Verdict != "The call would be answered." {
		t.Errorf("live, after a draft was saved:\n%s", now.Text())
	}
}
