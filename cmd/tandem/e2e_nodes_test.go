package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/tenants"
)

// None of the tests in this file is parallel: each breaks what all others use, and mends it again.

// answeredBy makes a call that is answered, and says on which node.
func (c *company) answeredBy(t *testing.T) (node string, told []string) {
	t.Helper()
	callee := c.listen(t, "two", sipptest.Behaviour{})
	x := c.w.story(t, succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee), 2)
	answered().want.check(t, x)
	if x.Legs[0].Node != x.Legs[1].Node {
		t.Errorf("the legs are on %s and %s", x.Legs[0].Node, x.Legs[1].Node)
	}
	for _, l := range x.Lines {
		told = append(told, l.Code)
	}
	return x.Legs[0].Node, told
}

func TestDeadNodeIsPassedOver(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	preferred, _ := c.answeredBy(t)
	must(t, w.nodes[preferred].Kill())
	// Whether the worker has noticed yet or the edge finds out, the call is answered.
	if other, _ := c.answeredBy(t); other == preferred {
		t.Errorf("the call was answered on %s, which is dead", other)
	}
	awaitThat(t, "the worker does not notice", func(ctx context.Context) (bool, error) {
		var health struct {
			Nodes []struct{ Name, State string }
		}
		err := w.get(ctx, "/health", &health)
		return slices.ContainsFunc(health.Nodes, func(n struct{ Name, State string }) bool { return n.Name == preferred && n.State == "down" }), err
	})
	if other, told := c.answeredBy(t); other == preferred || !slices.Contains(told, "node_down") {
		t.Errorf("the call was answered on %s and tells of %q, want the other node and node_down", other, told)
	}
	must(t, w.restartNode(within(t), preferred))
	must(t, w.awaitNodes(within(t)))
	if again, _ := c.answeredBy(t); again != preferred {
		t.Errorf("the call was answered on %s, and %s is back", again, preferred)
	}
}

// TestSilentNodeIsPassedOver: a node that is frozen looks well to everybody until the edge sends it a call. When it wakes
// up, what was sent to it meanwhile is cancelled: it is recorded as such, and a phone can ring for that moment at most.
func TestSilentNodeIsPassedOver(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	preferred, _ := c.answeredBy(t)
	w.nodes[preferred].Pause()
	t.Cleanup(w.nodes[preferred].Resume)
	callee := c.listen(t, "two", sipptest.Behaviour{})
	id := succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee)
	x := w.story(t, id, 2)
	answered().want.check(t, x)
	if x.Legs[0].Node == preferred || strings.Contains(x.Text(), "is down") {
		t.Errorf("the call was answered on %s, want the other node, found by the edge:\n%s", x.Legs[0].Node, x.Text())
	}

	w.nodes[preferred].Resume()
	x = w.story(t, id, 3)
	slices.SortStableFunc(x.Legs, func(a, b messages.CDR) int { return a.StartedAt.Compare(b.StartedAt) })
	if last := x.Legs[len(x.Legs)-1]; last.Node != preferred || last.Cause != "ORIGINATOR_CANCEL" || last.AnsweredAt != nil {
		t.Errorf("the node that woke up has kept the call: %s", legsOf(x))
	}
}

// TestWorkerRestarts says what becomes of calls when the only worker ends and another one starts: those who talk go on
// talking and whoever hangs up ends the call for both; who was in a menu is asked again; all of it is told and recorded to
// the end. New calls are served.
func TestWorkerRestarts(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *world){
		"in order": func(t *testing.T, w *world) { must(t, w.worker.Stop(within(t))) },
		"killed":   func(t *testing.T, w *world) { must(t, w.worker.Kill()) },
	} {
		t.Run(name, func(t *testing.T) {
			w := sharedWorld(t)
			const rest = 4 * time.Second // of the calls, which is enough for a restart
			talks, hangs, waits := w.company(t), w.company(t), w.company(t)
			waits.flow(t, "300", "menu", map[string]tenants.Element{"ring": ringing("at_once", 10, "two"),
				"menu": element("menu", map[string]any{"prompt": "tone:menu", "attempts": 3, "seconds": 60}, map[string]string{"1": "ring"})})
			for _, c := range []*company{talks, hangs, waits} {
				c.publish(t)
				c.register(t, "two")
			}
			talking := inOrder(talks.listen(t, "two", sipptest.Behaviour{}), talks.call(t, "one", "102", sipptest.Call{Talk: rest}))
			hanging := inOrder(hangs.listen(t, "two", sipptest.Behaviour{HangUp: true, Talk: rest}), hangs.call(t, "one", "102", sipptest.Call{CalleeEnds: true}))
			waiting := inOrder(waits.listen(t, "two", sipptest.Behaviour{HangUp: true, Talk: rest + time.Second}),
				waits.call(t, "one", "300", sipptest.Call{Digits: "91", DigitMode: sipptest.INFO, DigitPause: rest, CalleeEnds: true}))
			talks.awaitTold(t, "talking")
			hangs.awaitTold(t, "talking")
			waits.awaitTold(t, "menu_invalid")

			end(t, w)
			must(t, w.restartWorker(within(t)))
			fresh := w.company(t)
			fresh.publish(t)
			fresh.register(t, "two")
			fresh.answeredBy(t)

			told := func(phones []*sipptest.Running, codes ...string) {
				want := answered().want
				want.Tells = append(codes, "call_ended")
				want.check(t, w.story(t, succeed(t, phones...), len(want.Legs)))
			}
			told(talking, "talking", "caller_hung_up")
			told(hanging, "talking", "callee_ended_call")
			told(waiting, "menu_asked", "menu_invalid", "menu_asked", "resumed", "menu_asked", "menu_chosen", "talking", "callee_ended_call")
		})
	}
}

// TestPhoneRegistersWithoutAWorker: its registration waits in the broker and is known to the next worker.
func TestPhoneRegistersWithoutAWorker(t *testing.T) {
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	must(t, w.worker.Kill())
	must(t, c.users["two"].Register(within(t), sipptest.Registration{}))
	must(t, w.restartWorker(within(t)))
	must(t, w.awaitRegistered(within(t), "two", c.domain))
	c.answeredBy(t)
}

// inOrder lists a call's phones as succeed wants them, the callee having been started first.
func inOrder(callee, caller *sipptest.Running) []*sipptest.Running {
	return []*sipptest.Running{caller, callee}
}
