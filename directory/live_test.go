package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/directory"
	"tandem/messages"
)

func TestLiveCallsAreListedOldestFirst(t *testing.T) {
	var c directory.Calls
	c.Tentative("decided", "demo", at(0))
	for i, id := range []string{"b", "a"} {
		started := news(id, messages.CallStarted, 2-i)
		started.From, started.To = "101", "102"
		c.Apply(started, at(2))
	}
	c.Apply(news("other", messages.CallStarted, 3), at(3))
	c.Apply(news("other", messages.CallEnded, 3), at(3))
	answered := news("a", messages.CallAnswered, 5)
	answered.From, answered.To = "101", "102"
	c.Apply(answered, at(5))

	want := []directory.LiveCall{
		{Call: "a", Tenant: "demo", Node: "fs1", From: "101", To: "102", State: messages.CallAnswered, StartedAt: at(1), AnsweredAt: at(5)},
		{Call: "b", Tenant: "demo", Node: "fs1", From: "101", To: "102", State: messages.CallStarted, StartedAt: at(2)},
	}
	if diff := cmp.Diff(want, c.List(directory.CallFilter{}, at(6))); diff != "" {
		t.Error(diff)
	}
	for _, f := range []directory.CallFilter{{Tenant: "demo", Limit: 1}, {Node: "fs1", Limit: 1}} {
		if diff := cmp.Diff(want[:1], c.List(f, at(6))); diff != "" {
			t.Errorf("%+v: %s", f, diff)
		}
	}
	second := directory.CallFilter{After: &directory.LivePlace{StartedAt: at(1), Call: "a"}}
	if diff := cmp.Diff(want[1:], c.List(second, at(6))); diff != "" {
		t.Error(diff)
	}
	for _, f := range []directory.CallFilter{{State: messages.CallAnswered, Number: "102"}, {Tenant: "demo", State: messages.CallAnswered}} {
		if diff := cmp.Diff(want[:1], c.List(f, at(6))); diff != "" {
			t.Errorf("%+v: %s", f, diff)
		}
	}
	for _, f := range []directory.CallFilter{{Tenant: "two"}, {Node: "fs2"}, {Number: "103"}, {Device: "desk"}, {Trunk: "carrier"}, {State: messages.CallEnded},
		{After: &directory.LivePlace{StartedAt: at(2), Call: "b"}}} {
		if got := c.List(f, at(6)); len(got) != 0 {
			t.Errorf("%+v: %v", f, got)
		}
	}
	if got, ok := c.Get("a", at(6)); !ok || !cmp.Equal(got, want[0]) {
		t.Errorf("%+v, %v", got, ok)
	}
	for _, id := range []string{"other", "decided", "none"} {
		if _, ok := c.Get(id, at(6)); ok {
			t.Errorf("%s is shown as live", id)
		}
	}
}
