package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/stack"
)

// twoTalks are two talks of a phone, two: it was called by one, and has called three while the first call's node takes no new calls.
// So they are on two nodes.
type twoTalks struct {
	one                  *sipptest.Running
	two                  *talker
	first, second, third *talk // of two, of two, of three
	node                 string
}

func (c *company) twoTalks(t *testing.T) twoTalks {
	t.Helper()
	k, three := twoTalks{two: c.talker(t, "two")}, c.talker(t, "three")
	k.one = c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	k.first = k.two.answered()
	k.node = c.leaveNode(t, c.awaitTold(t, "talking"))
	k.first.hold("sendonly")
	k.second = k.two.call("103")
	c.w.awaitTold(t, c, "talking", 2)
	k.third = three.answered()
	return k
}

// TestAttendedTransferAcrossNodes: who has two talks on two nodes makes one of the others', and is out of both.
func TestAttendedTransferAcrossNodes(t *testing.T) { attendedAcross(t, apart(t, "attended")) }

func attendedAcross(t *testing.T, c *company) {
	t.Helper()
	w, k := c.w, c.twoTalks(t)
	if code := k.first.refer(k.second.replacing("103")); code != "202" {
		t.Fatal("REFER: " + code)
	}
	k.first.told("SIP/2.0 200 OK")
	k.first.ended()
	k.second.ended()
	w.awaitTold(t, c, "joined", 2)
	k.third.bye()
	x, y := w.story(t, succeed(t, k.one), 3), w.story(t, k.second.id, 2)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred_attended", "attended_looks", "fetch_across", "talking", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("*across"), cleared("two-phone")}}.check(t, x)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "taken_transfer", "joined", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("three-phone")}}.check(t, y)
	came := w.story(t, c.across(t, x.Call, y.Call), 1)
	expected{Verdict: "The call was answered", Tells: []string{"across_looks", "fetch_found", "joined", "call_ended"}, Legs: []leg{cleared("*across")}}.check(t, came)
	names(t, x, y.Call)
	names(t, came, y.Call)
	names(t, y, came.Call)
	if x.Legs[0].Node != k.node || y.Legs[0].Node == k.node || came.Legs[0].Node == k.node {
		t.Errorf("the talks were on %s and %s, and what came across on %s", x.Legs[0].Node, y.Legs[0].Node, came.Legs[0].Node)
	}
}

// TestAttendedTransferByTheCallerAcrossNodes: the leg that stays is one that was called, and goes on without its call's caller.
func TestAttendedTransferByTheCallerAcrossNodes(t *testing.T) {
	c := apart(t, "attendedby")
	w := c.w
	two, one, three := c.talker(t, "two"), c.talker(t, "one"), c.talker(t, "three")
	first := two.call("101")
	c.leaveNode(t, c.awaitTold(t, "talking"))
	second := two.call("103")
	w.awaitTold(t, c, "talking", 2)
	called, third := one.answered(), three.answered()
	if code := first.refer(second.replacing("103")); code != "202" {
		t.Fatal("REFER: " + code)
	}
	first.told("SIP/2.0 200 OK")
	first.ended()
	second.ended()
	w.awaitTold(t, c, "joined", 2)
	called.bye()
	third.ended()
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transferred_attended", "talking_on", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("*across"), cleared("one-phone")}}.check(t, w.story(t, first.id, 3))
	expected{Verdict: "The call was answered", Tells: []string{"talking", "taken_transfer", "joined", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("three-phone")}}.check(t, w.story(t, second.id, 2))
}

// TestAttendedTransferAcrossNodesIsRefused: a phone names talks of its own alone, and none that is over. It keeps what it has.
func TestAttendedTransferAcrossNodesIsRefused(t *testing.T) {
	c := apart(t, "attendedno")
	w, k, other := c.w, c.twoTalks(t), c.w.company(t)
	other.publish(t)
	theirs := other.talker(t, "two")
	stranger := other.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	foreign := theirs.answered()
	w.awaitTold(t, other, "talking", 1)
	if code := k.first.refer(foreign.replacing("103")); code != "403" {
		t.Errorf("to another tenant's: %s", code)
	}
	if code := k.first.refer(k.third.replacing("103")); code != "403" {
		t.Errorf("to another phone's: %s", code)
	}
	if code := k.first.refer("*across.call.leg@" + c.domain); code != "400" {
		t.Errorf("to what only workers say: %s", code)
	}
	k.third.bye()
	k.second.ended()
	y := w.story(t, k.second.id, 2)
	if code := k.first.refer(k.second.replacing("103")); code != "202" {
		t.Errorf("to one that is over: %s", code)
	}
	k.first.told("SIP/2.0 403 Forbidden")
	k.first.bye()
	foreign.bye()
	x := w.story(t, succeed(t, k.one), 2)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transfer_not_own", "transfer_not_own", "transfer_talk_unknown", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("two-phone")}}.check(t, x)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transfer_to_refused", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("three-phone")}}.check(t, y)
	names(t, y, x.Call)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "call_ended"}, Legs: []leg{cleared("one-phone"), cleared("two-phone")}}.
		check(t, w.story(t, succeed(t, stranger), 2))
}

// TestAttendedTransferToANodeThatDies: the other talk went with its node, so the phone is rung back for whom it has transferred.
func TestAttendedTransferToANodeThatDies(t *testing.T) {
	c := apart(t, "attendeddead")
	w, k := c.w, c.twoTalks(t)
	for name, node := range w.nodes {
		if name != k.node {
			must(t, node.Kill())
			w.awaitNode(t, name, messages.NodeDown)
		}
	}
	if code := k.first.refer(k.second.replacing("103")); code != "202" {
		t.Fatal("REFER: " + code)
	}
	k.first.ended()
	k.two.answered().bye()
	expected{Verdict: "The call was answered", Tells: []string{"transferred_attended", "across_failed", "transfer_recalls", "talking", "call_ended"},
		Legs: []leg{cleared("one-phone"), {Far: "*across", Cause: "NORMAL_TEMPORARY_FAILURE", Code: 481, Fault: messages.FaultCallee}, cleared("two-phone"), cleared("two-phone")}}.check(t, w.story(t, succeed(t, k.one), 4))
}

// TestOwnerDiesDuringAnAttendedTransferAcrossNodes: the phone is out of its first talk, and the owner of both nodes is killed. The
// standby lets the two talk, once. What the owner has said last is lost with it.
func TestOwnerDiesDuringAnAttendedTransferAcrossNodes(t *testing.T) {
	w, err := newWorld(within(t), t, stack.ForTest(t), worldOptions{Name: "attendedowner", Nodes: 2})
	must(t, err)
	w.tellOnFailure(t)
	standby, _ := w.startAs(t, "worker2", roleCalls, roleJobs, roleRoute, roleAPI)
	t.Cleanup(func() { _ = standby.Stop(context.Background()) })
	awaitThat(t, "nobody stands by", func(context.Context) (bool, error) {
		text, err := os.ReadFile(standby.Log())
		return strings.Count(string(text), "has the whole picture") == 2, err
	})
	c := joining(t, w)
	k := c.twoTalks(t)
	if code := k.first.refer(k.second.replacing("103")); code != "202" {
		t.Fatal("REFER: " + code)
	}
	k.first.ended()
	must(t, w.worker.Kill())
	k.second.ended()
	k.third.bye()
	x, y := w.story(t, succeed(t, k.one), 3), w.story(t, k.second.id, 2)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("*across"), cleared("two-phone")}}.check(t, x)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("three-phone")}}.check(t, y)
}
