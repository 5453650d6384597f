package main

import (
	"context"
	"slices"
	"testing"
	"time"

	"tandem/explain"
	"tandem/messages"
	"tandem/sipptest"
	"tandem/tenants"
)

// mover of calls: what the tests of this file have in common.

// emptyByMoving lets the calls of a node move to the other one, and waits until none is left.
func (c *company) emptyByMoving(t *testing.T, node string) {
	t.Helper()
	must(t, c.w.Provisioning.MoveCalls(within(t), node))
	awaitThat(t, "the node keeps calls", func(ctx context.Context) (bool, error) {
		var n nodeView
		err := c.w.get(ctx, "/v1/nodes/"+node, &n)
		return n.Calls == 0 && n.State == messages.NodeDraining, err
	})
}

// live finds the live call that tells of something.
func (c *company) live(t *testing.T, code string) (id string) {
	t.Helper()
	awaitThat(t, "no live call tells of "+code, func(ctx context.Context) (bool, error) {
		var answer struct{ Calls []callView }
		if err := c.w.get(ctx, "/v1/tenants/"+c.id+"/calls?live", &answer); err != nil {
			return false, err
		}
		for _, call := range answer.Calls {
			x, err := explainCall(ctx, c.w.Store, c.w.words, call.Call)
			if err == nil && slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == code }) {
				id = call.Call
			}
		}
		return id != "", nil
	})
	return id
}

// nodeOf is the node that a call is on.
func (c *company) nodeOf(t *testing.T, call string) string {
	t.Helper()
	var up callView
	must(t, c.w.get(within(t), "/v1/calls/"+call, &up))
	return up.Node
}

// movedOnce says whether each leg of a call was on two nodes, one after the other, without a gap.
func movedOnce(t *testing.T, x explain.Explanation, from string) {
	t.Helper()
	for _, l := range x.Legs {
		if len(l.Segments) != 2 || l.Segments[0].Node != from || l.Segments[1].Node == from || l.Node != l.Segments[1].Node || l.Estimated ||
			!l.Segments[0].From.Equal(l.StartedAt) || !l.Segments[1].From.Equal(l.Segments[0].Until) || !l.Segments[1].Until.Equal(l.EndedAt) {
			t.Errorf("leg %s, from %v to %v on %s, has the segments %+v", l.Leg, l.StartedAt, l.EndedAt, l.Node, l.Segments)
		}
		if l.AnsweredAt == nil || !l.AnsweredAt.Before(l.Segments[0].Until) {
			t.Errorf("leg %s was answered at %v, and moved at %v", l.Leg, l.AnsweredAt, l.Segments[0].Until)
		}
	}
}

// oneDialog says whether a phone has seen one dialog, with so many BYEs of the other side.
func oneDialog(t *testing.T, p *sipptest.Running, byes int) {
	t.Helper()
	if err := sipptest.CheckDialog(p.Messages()); err != nil {
		t.Error(err)
	}
	if n := sipptest.Requests(p.Messages(), "BYE"); n != byes {
		t.Errorf("the phone got %d BYEs, want %d", n, byes)
	}
}

// TestATalkMovesToAnotherNode: both phones are told by one re-INVITE each, and either can end the talk.
func TestATalkMovesToAnotherNode(t *testing.T) { talkMoves(t, apart(t, "movetalk")) }

func talkMoves(t *testing.T, c *company) {
	t.Helper()
	c.register(t, "two")
	for name, calleeEnds := range map[string]bool{"the caller ends it": false, "the callee ends it": true} {
		callee := c.listen(t, "two", sipptest.Behaviour{Moved: true, HangUp: calleeEnds})
		caller := c.call(t, "one", "102", sipptest.Call{Moved: true, CalleeEnds: calleeEnds})
		node := c.nodeOf(t, c.live(t, "talking"))
		c.emptyByMoving(t, node)
		x := c.w.story(t, succeed(t, caller, callee), 2)
		oneDialog(t, caller, map[bool]int{true: 1}[calleeEnds])
		oneDialog(t, callee, map[bool]int{false: 1}[calleeEnds])
		expected{Verdict: "The call was answered", Tells: []string{"talking", "move_begins", "move_there", "moved", "move_rejoins", "call_ended"}, Legs: []leg{
			{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, x)
		movedOnce(t, x, node)
		must(t, c.w.Provisioning.ResumeNode(within(t), node))
		c.w.awaitNode(t, node, messages.NodeUp)
		must(t, c.w.awaitNodes(within(t)))
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestACallerInAMenuMoves: he hears the menu again, and what he keys then counts.
func TestACallerInAMenuMoves(t *testing.T) { menuMoves(t, apart(t, "movemenu")) }

func menuMoves(t *testing.T, c *company) {
	t.Helper()
	c.flow(t, "601", "main", map[string]tenants.Element{
		"main": element("menu", map[string]any{"prompt": "welcome", "attempts": 1, "seconds": 4}, map[string]string{"1": "bye", "timeout": "bye", "invalid": "bye"}),
		"bye":  element("hangup", map[string]any{}, nil)})
	c.publish(t)
	caller := c.call(t, "one", "601", sipptest.Call{Moved: true, CalleeEnds: true})
	node := c.nodeOf(t, c.live(t, "menu_asked"))
	c.emptyByMoving(t, node)
	x := c.w.story(t, succeed(t, caller), 1)
	oneDialog(t, caller, 1)
	movedOnce(t, x, node)
}

// TestTheCommandTellsOfEachCallThatMoves, and ends when the node is empty.
func TestTheCommandTellsOfEachCallThatMoves(t *testing.T) {
	c := apart(t, "movetold")
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Moved: true})
	caller := c.call(t, "one", "102", sipptest.Call{Moved: true, Talk: 4 * time.Second})
	id := c.live(t, "talking")
	c.w.says(t, []string{"its calls move to other nodes. 1 call is left.", id + "  has moved to node", "No call is left."}, "node", "drain", c.nodeOf(t, id), "--move")
	succeed(t, caller, callee)
}

// TestAPhoneThatIsBusyWithItselfMovesLater: its 491 is no refusal (RFC 3261 14.1), and the other phone talks to the new node meanwhile.
func TestAPhoneThatIsBusyWithItselfMovesLater(t *testing.T) {
	c := apart(t, "moveglare")
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Moved: true, MoveRefused: 491})
	caller := c.call(t, "one", "102", sipptest.Call{Moved: true, Talk: 8 * time.Second})
	node := c.nodeOf(t, c.live(t, "talking"))
	c.emptyByMoving(t, node)
	x := c.w.story(t, succeed(t, caller, callee), 2)
	oneDialog(t, caller, 0)
	oneDialog(t, callee, 1)
	movedOnce(t, x, node)
}

// TestAPhoneThatKnowsNothingOfItsCallEndsTheTalk: its 481 is as good as a BYE, and who talked to it is hung up by the new node.
func TestAPhoneThatKnowsNothingOfItsCallEndsTheTalk(t *testing.T) {
	c := apart(t, "movegone")
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{Moved: true, MoveRefused: 481})
	caller := c.call(t, "one", "102", sipptest.Call{Moved: true, CalleeEnds: true})
	c.emptyByMoving(t, c.nodeOf(t, c.live(t, "talking")))
	x := c.w.story(t, succeed(t, caller, callee), 2)
	oneDialog(t, caller, 1)
	for _, code := range []string{"move_there", "moved", "move_leg_lost", "call_ended"} {
		if !slices.ContainsFunc(x.Lines, func(l explain.Line) bool { return l.Code == code }) {
			t.Errorf("the explanation does not tell of %s:\n%s", code, x.Text())
		}
	}
	// The old node's last word on the leg is not waited for.
	if len(x.Legs) != 2 || x.Legs[0].Estimated || x.Legs[0].Cause != "NORMAL_CLEARING" || !x.Legs[1].Estimated || x.Legs[1].Device != "two-phone" || x.Legs[1].AnsweredAt == nil {
		t.Errorf("the records are %+v", x.Legs)
	}
}
