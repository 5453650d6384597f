package main

import (
	"context"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
)

// apart is a company of a world with two nodes.
func apart(t *testing.T, name string) *company {
	t.Helper()
	w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: name, Nodes: 2})
	must(t, err)
	w.tellOnFailure(t)
	return joining(t, w)
}

// leaveNode drains the node of a call, so that the calls that come after it go to the other one. It gives the drained node's name.
func (c *company) leaveNode(t *testing.T, call string) string {
	t.Helper()
	var up callView
	must(t, c.w.get(within(t), "/v1/calls/"+call, &up))
	must(t, c.w.Provisioning.DrainNode(within(t), up.Node))
	c.w.awaitNode(t, up.Node, messages.NodeDraining)
	return up.Node
}

// across finds the call that came across on the other node.
func (c *company) across(t *testing.T, besides ...string) (id string) {
	t.Helper()
	known := map[string]bool{}
	for _, call := range besides {
		known[call] = true
	}
	awaitThat(t, "no call came from the other node", func(ctx context.Context) (bool, error) {
		calls, err := c.w.callsOf(ctx, c.id)
		for _, call := range calls {
			if !known[call.Call] {
				id = call.Call
			}
		}
		return id != "", err
	})
	return id
}

// TestCallsMeetAcrossNodes: the node of a parked and of a ringing call takes no new calls, so those that fetch them come to the other
// one, and call there. Whoever hangs up ends all.
func TestCallsMeetAcrossNodes(t *testing.T) {
	c := apart(t, "across")
	w := c.w
	c.register(t, "two")

	parked := c.call(t, "one", parks, sipptest.Call{Talk: 4 * time.Second})
	node := c.leaveNode(t, c.awaitTold(t, "parked_in"))
	fetcher := c.call(t, "three", fetches, sipptest.Call{CalleeEnds: true})
	first, second := w.story(t, succeed(t, parked), 1), w.story(t, succeed(t, fetcher), 2)
	expected{Verdict: "The call was answered", Tells: []string{"parked_in", "taken_unpark", "joined", "caller_hung_up"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"node_of_call", "node_draining", "fetch_across", "talking", "call_ended"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "*across", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
	came := w.story(t, c.across(t, first.Call, second.Call), 1)
	expected{Verdict: "The call was answered", Tells: []string{"caller_node", "node_of_call", "across_looks", "fetch_found", "joined", "call_ended"}, Legs: []leg{
		{Far: "*across", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, came)
	if first.Legs[0].Node != node || second.Legs[0].Node == node || came.Legs[0].Node != node {
		t.Errorf("the parked call was on %s, its fetcher on %s, and what came across on %s", first.Legs[0].Node, second.Legs[0].Node, came.Legs[0].Node)
	}
	names(t, second, first.Call)
	names(t, came, first.Call)
	names(t, first, came.Call)
	must(t, w.Provisioning.ResumeNode(within(t), node))
	w.awaitNode(t, node, messages.NodeUp)
	must(t, w.awaitNodes(within(t)))
}

// TestARingingCallIsPickedUpAcrossNodes: those that rang are told that it was answered elsewhere.
func TestARingingCallIsPickedUpAcrossNodes(t *testing.T) {
	c := apart(t, "pickacross")
	w := c.w
	c.register(t, "two")
	rings := c.listen(t, "two", sipptest.Behaviour{NeverAnswer: true})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{CalleeEnds: true})
	c.leaveNode(t, c.awaitTold(t, "leg_rang"))
	picker := c.call(t, "three", picksUp, sipptest.Call{Talk: time.Second})
	called, picked := succeed(t, caller, rings), succeed(t, picker)
	first, second := w.story(t, called, 2), w.story(t, picked, 2)
	expected{Verdict: "The call was answered", Tells: []string{"leg_rang", "taken_pickup", "joined", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "LOSE_RACE"}}}.check(t, first)
	expected{Verdict: "The call was answered", Tells: []string{"fetch_across", "talking", "caller_hung_up"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "*across", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, second)
}

// TestAnInviteReplacesADialogOfAnotherNode: as by a lamp on a phone.
func TestAnInviteReplacesADialogOfAnotherNode(t *testing.T) {
	c := apart(t, "replaceacross")
	w := c.w
	c.register(t, "two")
	rings := c.listen(t, "two", sipptest.Behaviour{NeverAnswer: true})
	caller := c.call(t, "one", ringsTwo, sipptest.Call{CalleeEnds: true})
	c.leaveNode(t, c.awaitTold(t, "leg_rang"))
	picker := c.call(t, "three", "102", sipptest.Call{Headers: []string{replaces(t, rings, ";early-only")}})
	called, picked := succeed(t, caller, rings), succeed(t, picker)
	expected{Verdict: "The call was answered", Tells: []string{"leg_rang", "taken_replace", "joined", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "LOSE_RACE"}}}.check(t, w.story(t, called, 2))
	expected{Verdict: "The call was answered", Tells: []string{"replaces", "fetch_across", "talking"}, Legs: []leg{
		{Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "*across", Cause: "NORMAL_CLEARING", Answered: true}}}.check(t, w.story(t, picked, 2))
}
