package main

import (
	"testing"

	"tandem/sipptest"
)

// twoTalks lets user two, who is called by one, call three while the first call's node takes no new calls: so the two talks are on two
// nodes.
func (c *company) twoTalks(t *testing.T) (one *sipptest.Running, first, second, third *talk, node string) {
	t.Helper()
	two, three := c.talker(t, "two"), c.talker(t, "three")
	one = c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	first = two.answered()
	node = c.leaveNode(t, c.awaitTold(t, "talking"))
	first.hold("sendonly")
	second = two.call("103")
	c.w.awaitTold(t, c, "talking", 2)
	return one, first, second, three.answered(), node
}

// TestAttendedTransferAcrossNodes: who has two talks on two nodes makes one of the others', and is out of both.
func TestAttendedTransferAcrossNodes(t *testing.T) {
	c := apart(t, "attended")
	w := c.w
	one, first, second, third, node := c.twoTalks(t)
	if code := first.refer(second.replacing("103")); code != "202" {
		t.Fatal("REFER: " + code)
	}
	first.told("SIP/2.0 200 OK")
	first.ended()
	second.ended()
	w.awaitTold(t, c, "taken_transfer", 1)
	w.awaitTold(t, c, "joined", 2)
	third.bye()
	x, y := w.story(t, succeed(t, one), 3), w.story(t, second.id, 2)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred_attended", "attended_looks", "fetch_across", "talking", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("*across"), cleared("two-phone")}}.check(t, x)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "taken_transfer", "joined", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("three-phone")}}.check(t, y)
	came := w.story(t, c.across(t, x.Call, y.Call), 1)
	expected{Verdict: "The call was answered", Tells: []string{"across_looks", "fetch_found", "joined", "call_ended"}, Legs: []leg{cleared("*across")}}.check(t, came)
	names(t, x, y.Call)
	names(t, came, y.Call)
	names(t, y, came.Call)
	if x.Legs[0].Node != node || y.Legs[0].Node == node || came.Legs[0].Node == node {
		t.Errorf("the talks were on %s and %s, and what came across on %s", x.Legs[0].Node, y.Legs[0].Node, came.Legs[0].Node)
	}
}
