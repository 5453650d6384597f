package main

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
)

// awaitDialogs waits until the workers know so many dialogs as a whole: the ACK of an answer is told of by no event.
func (w *world) awaitDialogs(t *testing.T, n int) {
	t.Helper()
	awaitThat(t, "the dialogs are not known", func(context.Context) (bool, error) {
		return strings.Contains(w.metrics(t), "tandem_directory_dialogs "+strconv.Itoa(n)+"\n"), nil
	})
}

// TestATalkIsRescuedFromADeadNode: its node is killed, and the two go on talking on another.
func TestATalkIsRescuedFromADeadNode(t *testing.T) {
	c := apart(t, "rescuetalk")
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Moved: true})
	caller := c.call(t, "one", "102", sipptest.Call{Moved: true, Talk: 2 * time.Second})
	node := c.nodeOf(t, c.live(t, "talking"))
	c.w.awaitDialogs(t, 2)
	must(t, c.w.nodes[node].Kill())
	x := c.w.story(t, succeed(t, caller, callee), 2)
	oneDialog(t, caller, 0)
	oneDialog(t, callee, 1)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "node_died", "rescue_begins", "rescued", "move_rejoins", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
	movedOnce(t, x, node)
}

// TestATalkIsRescuedThoughItsWorkerDiesWithTheNode: by the node's standby.
func TestATalkIsRescuedThoughItsWorkerDiesWithTheNode(t *testing.T) {
	c := apart(t, "rescueboth")
	first := c.w.worker
	second, err := c.w.startWorker(within(t), "worker2")
	must(t, err)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Moved: true})
	caller := c.call(t, "one", "102", sipptest.Call{Moved: true, Talk: 2 * time.Second})
	node := c.nodeOf(t, c.live(t, "talking"))
	c.w.awaitDialogs(t, 2)
	must(t, c.w.nodes[node].Kill())
	must(t, first.Kill())
	c.w.worker = second
	x := c.w.story(t, succeed(t, caller, callee), 2)
	oneDialog(t, caller, 0)
	oneDialog(t, callee, 1)
	movedOnce(t, x, node)
}

// TestATalkOutlivesItsOnlyNode: the node is killed and started anew, and takes the talk over itself.
func TestATalkOutlivesItsOnlyNode(t *testing.T) {
	w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: "rescuealone", Nodes: 1})
	must(t, err)
	w.tellOnFailure(t)
	c := joining(t, w)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Moved: true})
	caller := c.call(t, "one", "102", sipptest.Call{Moved: true, Talk: 2 * time.Second})
	node := c.nodeOf(t, c.live(t, "talking"))
	w.awaitDialogs(t, 2)
	must(t, w.nodes[node].Kill())
	w.reviveNode(t, node)
	x := w.story(t, succeed(t, caller, callee), 2)
	oneDialog(t, caller, 0)
	oneDialog(t, callee, 1)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "node_died", "rescue_begins", "rescued_here", "move_rejoins", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
}

// TestANodeThatComesBackHasNoGhosts: it holds its connections and answers nobody, so that its talk goes on elsewhere. When it wakes up, what
// it still has of the talk is ended, no phone hears of it, and it takes calls again.
func TestANodeThatComesBackHasNoGhosts(t *testing.T) {
	c := apart(t, "rescueghost")
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Moved: true})
	caller := c.call(t, "one", "102", sipptest.Call{Moved: true, Talk: 6 * time.Second})
	node := c.nodeOf(t, c.live(t, "talking"))
	c.w.awaitDialogs(t, 2)
	c.w.nodes[node].Pause()
	c.live(t, "rescued")
	c.w.nodes[node].Resume()
	c.w.awaitNode(t, node, messages.NodeUp)
	c.w.logged(t, "the media node is back, without ghosts")
	x := c.w.story(t, succeed(t, caller, callee), 2)
	oneDialog(t, caller, 0)
	oneDialog(t, callee, 1)
	movedOnce(t, x, node)
	c.answeredBy(t)
}
