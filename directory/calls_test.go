package directory_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/directory"
	"tandem/messages"
)

func news(id string, state messages.CallState, seconds int) *messages.CallEvent {
	return &messages.CallEvent{Type: messages.CallEventV1, Call: id, Tenant: "demo", State: state, Node: "fs1", At: at(seconds)}
}

func TestACallCountsOnceFromItsDecisionToItsEnd(t *testing.T) {
	var c directory.Calls
	count := func(when string, tenant, node int) {
		t.Helper()
		if got := c.CountTenant("demo", at(3)); got != tenant {
			t.Errorf("%s: tenant has %d, want %d", when, got, tenant)
		}
		if got := c.CountNode("fs1"); got != node {
			t.Errorf("%s: node has %d, want %d", when, got, node)
		}
	}
	c.Tentative("a", "demo", at(0))
	c.Tentative("a", "demo", at(0)) // asked twice, as a hedged request is
	count("decided", 1, 0)
	c.Apply(news("a", messages.CallStarted, 1), at(1))
	count("started", 1, 1)
	c.Tentative("a", "demo", at(2)) // a late answer of another worker
	c.Apply(news("a", messages.CallAnswered, 2), at(2))
	count("answered", 1, 1)
	c.Apply(news("a", messages.CallEnded, 3), at(3))
	count("ended", 0, 0)
	c.Apply(news("a", messages.CallStarted, 1), at(3))
	c.Tentative("a", "demo", at(3))
	count("late news", 0, 0)
}

func TestADecidedCallThatNeverCameStopsCounting(t *testing.T) {
	var c directory.Calls
	c.Tentative("a", "demo", at(0))
	c.Tentative("b", "demo", at(5))
	c.Apply(news("b", messages.CallStarted, 6), at(6))
	for _, tt := range []struct{ seconds, want int }{{9, 2}, {10, 1}, {30, 1}} {
		if got := c.CountTenant("demo", at(tt.seconds)); got != tt.want {
			t.Errorf("after %d s: %d, want %d", tt.seconds, got, tt.want)
		}
	}
}

func TestTenantsAreCountedApart(t *testing.T) {
	var c directory.Calls
	c.Tentative("a", "one", at(0))
	c.Tentative("b", "two", at(0))
	if one, two, none := c.CountTenant("one", at(1)), c.CountTenant("two", at(1)), c.CountTenant("", at(1)); one != 1 || two != 1 || none != 0 {
		t.Errorf("%d, %d, %d", one, two, none)
	}
}

func TestAMovedCallCountsOnItsNewNode(t *testing.T) {
	var c directory.Calls
	c.Apply(news("a", messages.CallStarted, 0), at(0))
	moved := news("a", messages.CallAnswered, 5)
	moved.Node = "fs2"
	c.Apply(moved, at(5))
	c.Apply(news("a", messages.CallAnswered, 1), at(6)) // late, from the old node
	if c.CountNode("fs1") != 0 || c.CountNode("fs2") != 1 || c.CountTenant("demo", at(6)) != 1 {
		t.Errorf("%d, %d", c.CountNode("fs1"), c.CountNode("fs2"))
	}
}

// In whatever order and however often the news of some calls come: as soon as all ends are known, nothing is left, and
// never does anything count below zero.
func TestNoOrderOfEventsLeavesACallBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type step func(*directory.Calls)
		var steps []step
		for i := range rapid.IntRange(1, 5).Draw(t, "calls") {
			id := fmt.Sprint(i)
			steps = append(steps, func(c *directory.Calls) { c.Tentative(id, "demo", at(0)) })
			for s, state := range []messages.CallState{messages.CallStarted, messages.CallAnswered, messages.CallEnded} {
				for range rapid.IntRange(1, 2).Draw(t, "copies") {
					steps = append(steps, func(c *directory.Calls) { c.Apply(news(id, state, s), at(s)) })
				}
			}
		}
		var c directory.Calls
		for _, s := range rapid.Permutation(steps).Draw(t, "order") {
			s(&c)
			if c.CountTenant("demo", at(5)) < 0 || c.CountNode("fs1") < 0 {
				t.Fatal("counted below zero")
			}
		}
		if n, m := c.CountTenant("demo", at(5)), c.CountNode("fs1"); n != 0 || m != 0 {
			t.Fatalf("%d and %d left", n, m)
		}
	})
}

func TestManyMayUseTheDirectoryAtOnce(t *testing.T) {
	var c directory.Calls
	var r directory.Registrations
	var n directory.Nodes
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 200 {
				id := fmt.Sprint(g, i)
				c.Tentative(id, "demo", at(0))
				c.Apply(news(id, messages.CallStarted, 1), at(1))
				c.CountTenant("demo", at(1))
				c.Apply(news(id, messages.CallEnded, 2), at(2))
				r.Apply(event(messages.Registered, "sip:"+id, i, i, 60))
				r.Contacts("101", "demo.example.com", at(i))
				n.Apply(nodeNews("fs1", "w1", messages.NodeUp, i), at(i))
				n.List(at(i))
			}
			c.Sweep(at(2))
			r.Sweep(at(2))
		})
	}
	group.Wait()
	if got := c.CountTenant("demo", at(3)); got != 0 {
		t.Errorf("%d calls left", got)
	}
}

func BenchmarkDirectory(b *testing.B) {
	b.Run("a call's life", func(b *testing.B) {
		var c directory.Calls
		now := at(0)
		for i := range b.N {
			id := fmt.Sprint(i)
			now = now.Add(time.Millisecond)
			c.Tentative(id, "demo", now)
			c.CountTenant("demo", now)
			c.Apply(&messages.CallEvent{Call: id, Tenant: "demo", State: messages.CallStarted, Node: "fs1", At: now}, now)
			c.Apply(&messages.CallEvent{Call: id, Tenant: "demo", State: messages.CallEnded, Node: "fs1", At: now}, now)
		}
	})
	b.Run("finding a device", func(b *testing.B) {
		var r directory.Registrations
		r.Apply(event(messages.Registered, "sip:a", 0, 1, 60))
		for b.Loop() {
			r.Contacts("101", "demo.example.com", at(1))
		}
	})
}
