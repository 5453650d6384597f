package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/stack"
)

// TestOwnerDiesDuringATransfer: the node has carried out a REFER, and its owner is killed before it has ordered the new ring. The
// standby does that, once, whoever has transferred and whichever leg stays, whether the owner has died or is only silent.
func TestOwnerDiesDuringATransfer(t *testing.T) {
	worlds := 0
	for name, transfer := range map[string]func(t *testing.T, w *world, c *company, during, after func()){
		"by the callee": func(t *testing.T, w *world, c *company, during, after func()) {
			two := c.talker(t, "two")
			c.register(t, "three")
			three := c.listen(t, "three", sipptest.Behaviour{HangUp: true})
			one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
			talk := two.answered()
			c.awaitTold(t, "talking")
			during()
			talk.refer("103@" + c.domain)
			talk.ended()
			after()
			must(t, w.worker.Kill())
			expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "ringing", "talking", "leg_ended", "call_ended"},
				Legs: []leg{cleared("one-phone"), cleared("three-phone"), cleared("two-phone")}}.check(t, w.story(t, succeed(t, one, three), 3))
		},
		"by the caller": func(t *testing.T, w *world, c *company, during, after func()) {
			one := c.talker(t, "one")
			c.register(t, "two", "three")
			two, three := c.listen(t, "two", sipptest.Behaviour{}), c.listen(t, "three", sipptest.Behaviour{HangUp: true, Talk: 3 * time.Second})
			talk := one.call("102")
			c.awaitTold(t, "talking")
			during()
			talk.refer("103@" + c.domain)
			talk.ended()
			after()
			must(t, w.worker.Kill())
			succeed(t, three, two)
			expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred", "ringing", "talking_on", "driven_ended", "call_ended"},
				Legs: []leg{cleared("one-phone"), cleared("three-phone"), cleared("two-phone")}}.check(t, w.story(t, talk.id, 3))
		},
	} {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, silent %t", name, silent), func(t *testing.T) {
				worlds++ // what the log of an earlier one says is not meant
				w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: fmt.Sprintf("passed%d", worlds), Nodes: 1})
				must(t, err)
				w.tellOnFailure(t)
				standby, _ := w.startAs(t, "worker2", roleCalls, roleJobs, roleRoute, roleAPI)
				t.Cleanup(func() { _ = standby.Stop(context.Background()) })
				said := func(text string) func(context.Context) (bool, error) {
					return func(context.Context) (bool, error) {
						all, err := os.ReadFile(standby.Log())
						return strings.Contains(string(all), text), err
					}
				}
				awaitThat(t, "nobody stands by", said("has the whole picture"))
				c := w.company(t)
				c.publish(t)
				after := func() {
					if silent {
						awaitThat(t, "nobody follows the silent owner", said("owning the media node"))
					}
				}
				transfer(t, w, c, w.worker.Pause, after) // frozen, it sees nothing of the transfer
			})
		}
	}
}
