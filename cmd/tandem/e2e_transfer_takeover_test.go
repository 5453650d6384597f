package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/stack"
)

// TestOwnerDiesDuringATransfer: the node has carried out a REFER, and its owner is killed before it has ordered the new ring. The
// standby does that, once, whoever has transferred and whichever leg stays.
func TestOwnerDiesDuringATransfer(t *testing.T) {
	for name, transfer := range map[string]func(*testing.T, *world, *company, func()){
		"by the callee": func(t *testing.T, w *world, c *company, during func()) {
			two := c.talker(t, "two")
			c.register(t, "three")
			three := c.listen(t, "three", sipptest.Behaviour{HangUp: true})
			one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
			talk := two.answered()
			c.awaitTold(t, "talking")
			during()
			talk.refer("103@" + c.domain)
			talk.ended()
			must(t, w.worker.Kill())
			expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "ringing", "talking", "leg_ended", "call_ended"},
				Legs: []leg{cleared("one-phone"), cleared("three-phone"), cleared("two-phone")}}.check(t, w.story(t, succeed(t, one, three), 3))
		},
		"by the caller": func(t *testing.T, w *world, c *company, during func()) {
			one := c.talker(t, "one")
			c.register(t, "two", "three")
			two, three := c.listen(t, "two", sipptest.Behaviour{}), c.listen(t, "three", sipptest.Behaviour{HangUp: true, Talk: 3 * time.Second})
			talk := one.call("102")
			c.awaitTold(t, "talking")
			during()
			talk.refer("103@" + c.domain)
			talk.ended()
			must(t, w.worker.Kill())
			succeed(t, three, two)
			expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "ringing", "talking_on", "driven_ended", "call_ended"},
				Legs: []leg{cleared("one-phone"), cleared("three-phone"), cleared("two-phone")}}.check(t, w.story(t, talk.id, 3))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: "passed", Nodes: 1})
			must(t, err)
			w.tellOnFailure(t)
			standby, _ := w.startAs(t, "worker2", roleCalls, roleJobs, roleRoute, roleAPI)
			t.Cleanup(func() { _ = standby.Stop(context.Background()) })
			awaitThat(t, "nobody stands by", func(context.Context) (bool, error) {
				text, err := os.ReadFile(standby.Log())
				return strings.Contains(string(text), "has the whole picture"), err
			})
			c := w.company(t)
			c.publish(t)
			transfer(t, w, c, w.worker.Pause) // frozen, it sees nothing of the transfer
		})
	}
}
