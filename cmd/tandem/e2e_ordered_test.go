package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tandem/messages"
	"tandem/sipptest"
)

// start orders a call of one of the company's users, and gives its id.
func (c *company) start(t *testing.T, body map[string]any, state string) string {
	t.Helper()
	status, answer := askAPI(t, http.MethodPost, c.w.HTTPAddress, "/v1/tenants/"+c.id+"/calls", body)
	if status != http.StatusAccepted || answer["state"] != state {
		t.Fatalf("%d %v", status, answer)
	}
	id, _ := answer["call"].(string)
	return id
}

// orderedStory is what an ordered call that succeeds leaves: the phone that rang first is the caller's.
func orderedStory() expected {
	return expected{Verdict: "rang first was answered after", Tells: []string{"call_ordered", "ringing", "leg_answered", "summoned", "ringing", "leg_answered", "talking", "call_ended"},
		Legs: []leg{{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}
}

// TestCallIsOrdered: the user's phone rings first and shows whom it is about to call, the other one shows him. Ordered twice it is one call.
func TestCallIsOrdered(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "one", "two")
	first := c.listen(t, "one", sipptest.Behaviour{Checks: []sipptest.Check{{Header: "Call-Info", Pattern: "answer-after=0"}, {Header: "From", Pattern: "Ben.*sip:102@"}}, Talk: 5 * time.Second})
	second := c.listen(t, "two", sipptest.Behaviour{HangUp: true, Checks: []sipptest.Check{{Header: "From", Pattern: "sip:101@"}}})
	body := map[string]any{"user": "one", "to": "102", "auto_answer": true, "show": map[string]string{"name": "Ben"}, "call": uuid.NewString(), "by": "anna"}
	id := c.start(t, body, "ringing")
	if again := c.start(t, body, "ringing"); again != id || id != body["call"] {
		t.Errorf("ordered again it is the call %s, not %s", again, id)
	}
	succeed(t, first, second)
	x := w.story(t, id, 2)
	orderedStory().check(t, x)
	t.Log(x.Text())
	c.start(t, body, "ended")
}

// TestOrderedCallThatIsDeclined: nobody else is called; what cannot be is refused before anything rings.
func TestOrderedCallThatIsDeclined(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "one", "two")
	first := c.listen(t, "one", sipptest.Behaviour{Code: 486, Phrase: "Busy Here"})
	second := c.listen(t, "two", sipptest.Behaviour{})
	w.says(t, []string{"Call ", "The first phones ring."}, "call", "originate", "--tenant", c.id, "--user", "one", "--to", "102", "--by", "anna")
	id := c.awaitTold(t, "call_ordered")
	succeed(t, first)
	x := w.story(t, id, 1)
	told := strings.Contains(x.Verdict, "Nobody answered the phones that rang first")
	if l := x.Legs[0]; len(x.Legs) != 1 || !told || x.Fault != messages.FaultCallee || l.Role != messages.RoleCallee || l.Cause != "USER_BUSY" || l.SIPCode != 486 || l.Fault != messages.FaultCallee {
		t.Errorf("%s\n%s", x.Text(), legsOf(x))
	}
	silent(t, second)
	for _, refused := range []struct {
		name   string
		body   map[string]any
		status int
		code   string
	}{
		{"nobody rings first", map[string]any{"user": "three", "to": "102"}, http.StatusConflict, "nobody_rings"},
		{"a number that leads nowhere", map[string]any{"user": "one", "to": "999999"}, http.StatusUnprocessableEntity, "call_refused"},
		{"no such user", map[string]any{"user": "nobody", "to": "102"}, http.StatusUnprocessableEntity, "no_phone"},
		{"the emergency services", map[string]any{"user": "one", "to": "112"}, http.StatusUnprocessableEntity, "emergency"},
		{"no number", map[string]any{"user": "one", "to": "10 2"}, http.StatusUnprocessableEntity, "call_invalid"},
		{"both", map[string]any{"user": "one", "device": "one-phone", "to": "102"}, http.StatusUnprocessableEntity, "call_invalid"},
	} {
		if status, answer := askAPI(t, http.MethodPost, w.HTTPAddress, "/v1/tenants/"+c.id+"/calls", refused.body); status != refused.status || answer["code"] != refused.code {
			t.Errorf("%s: %d %v", refused.name, status, answer)
		}
	}
}

// TestOrderedCallIsTakenOver: the worker that drives it is killed while the first phone rings, and the next goes on with it.
func TestOrderedCallIsTakenOver(t *testing.T) {
	w := sharedWorld(t)
	owner := w.HTTPAddress
	second, err := w.startWorker(within(t), "worker2")
	must(t, err)
	w.HTTPAddress = owner
	c := w.company(t)
	c.publish(t)
	c.register(t, "one", "two")
	caller := c.listen(t, "one", sipptest.Behaviour{After: 4 * time.Second, Talk: 5 * time.Second})
	callee := c.listen(t, "two", sipptest.Behaviour{HangUp: true})
	id := c.start(t, map[string]any{"device": "one-phone", "to": "102"}, "ringing")
	c.awaitTold(t, "leg_rang")
	must(t, w.worker.Kill())
	succeed(t, caller, callee)
	orderedStory().check(t, w.story(t, id, 2))
	w.worker, err = w.startWorker(within(t), "worker1")
	must(t, err)
	must(t, second.Stop(within(t)))
	awaitThat(t, "the first worker owns no node", func(ctx context.Context) (bool, error) { return w.awaitNodes(ctx) == nil, nil })
}

// TestOrderedCallIsAnsweredWhileNobodyIsThere: the only worker is killed while the first phone rings. What that phone's leg carries is
// enough for the next one to go on with, after the answer.
func TestOrderedCallIsAnsweredWhileNobodyIsThere(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "one", "two")
	caller := c.listen(t, "one", sipptest.Behaviour{After: 2 * time.Second, Talk: 20 * time.Second, Patience: time.Minute})
	callee := c.listen(t, "two", sipptest.Behaviour{HangUp: true, Patience: time.Minute})
	id := c.start(t, map[string]any{"user": "one", "to": "102"}, "ringing")
	c.awaitTold(t, "leg_rang")
	must(t, w.worker.Kill())
	awaitThat(t, "the first phone does not answer", func(context.Context) (bool, error) { return strings.Contains(caller.Seen(), "SIP/2.0 200"), nil })
	var err error
	w.worker, err = w.startWorker(within(t), "worker1")
	must(t, err)
	succeed(t, callee, caller)
	x := w.story(t, id, 2)
	if l := x.Legs[0]; len(x.Legs) != 2 || l.Role != messages.RoleCaller || l.Device != "one-phone" || l.AnsweredAt == nil || x.Legs[1].Device != "two-phone" {
		t.Errorf("%s\n%s", x.Text(), legsOf(x))
	}
}
