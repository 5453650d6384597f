package main

import (
	"context"
	"strings"
	"testing"

	"tandem/explain"
	"tandem/sipptest"
)

// namesCall says whether an explanation names another call.
func namesCall(t *testing.T, x explain.Explanation, call string) {
	t.Helper()
	if !strings.Contains(x.Text(), call) {
		t.Errorf("the explanation does not name the other call, %s:\n%s", call, x.Text())
	}
}

// TestAttendedTransferJoinsTwoTalks: who has two talks makes one of the others', and is out of both. Each call keeps its legs.
func TestAttendedTransferJoinsTwoTalks(t *testing.T) {
	t.Parallel()
	for name, transfer := range map[string]func(*testing.T, *world){
		"by who was called, and has called a third":                attendedByCallee,
		"by who has called both":                                   attendedByCaller,
		"of a talk that is not there is refused":                   attendedInVain,
		"and who was joined can be passed on by the other's phone": passedOnAfterwards,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			transfer(t, sharedWorld(t))
		})
	}
}

func attendedByCallee(t *testing.T, w *world) {
	c := w.company(t)
	c.publish(t)
	two, three := c.talker(t, "two"), c.talker(t, "three")
	one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	first := two.answered()
	first.hold("sendonly")
	second := two.call("103")
	w.awaitTold(t, c, "talking", 2)
	if code := first.refer(second.replacing("103")); code != "202" {
		t.Fatal("REFER: " + code)
	}
	first.told("SIP/2.0 200 OK")
	first.ended()
	second.ended()
	w.awaitTold(t, c, "joined", 2)
	three.answered().bye()
	x := w.story(t, succeed(t, one), 2)
	y := w.story(t, second.id, 2)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "joined", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("two-phone")}}.check(t, x)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "joined", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("three-phone")}}.check(t, y)
	namesCall(t, x, y.Call)
	namesCall(t, y, x.Call)
}

func attendedByCaller(t *testing.T, w *world) {
	c := w.company(t)
	c.publish(t)
	c.register(t, "one")
	two := c.talker(t, "two")
	one, three := c.listen(t, "one", sipptest.Behaviour{}), c.talker(t, "three")
	first := two.call("101")
	second := two.call("103")
	w.awaitTold(t, c, "talking", 2)
	if code := first.refer(second.replacing("103")); code != "202" {
		t.Fatal("REFER: " + code)
	}
	first.told("SIP/2.0 200 OK")
	first.ended()
	second.ended()
	w.awaitTold(t, c, "joined", 2)
	three.answered().bye()
	succeed(t, one)
	x, y := w.story(t, first.id, 2), w.story(t, second.id, 2)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "joined", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("one-phone")}}.check(t, x)
	expected{Verdict: "The call was answered", Tells: []string{"talking", "joined", "call_ended"},
		Legs: []leg{cleared("two-phone"), cleared("three-phone")}}.check(t, y)
	namesCall(t, x, y.Call)
	namesCall(t, y, x.Call)
}

func attendedInVain(t *testing.T, w *world) {
	c := w.company(t)
	c.publish(t)
	two := c.talker(t, "two")
	one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	first := two.answered()
	c.awaitTold(t, "talking")
	if code := first.refer("103@" + c.domain + "?Replaces=nobody%3Bto-tag%3D1%3Bfrom-tag%3D2"); code != "202" {
		t.Fatal("REFER: " + code)
	}
	first.told("SIP/2.0 403 Forbidden")
	first.bye()
	expected{Verdict: "The call was answered", Tells: []string{"talking", "leg_ended", "call_ended"}, Legs: []leg{cleared("one-phone"), cleared("two-phone")}}.
		check(t, w.story(t, succeed(t, one), 2))
}

func passedOnAfterwards(t *testing.T, w *world) {
	c := w.company(t)
	c.publish(t)
	two, three := c.talker(t, "two"), c.talker(t, "three")
	one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	first := two.answered()
	second := two.call("103")
	w.awaitTold(t, c, "talking", 2)
	third := three.answered()
	first.refer(second.replacing("103"))
	first.ended()
	second.ended()
	w.awaitTold(t, c, "joined", 2)
	third.refer("102@" + c.domain)
	third.ended()
	two.answered().bye()
	expected{Verdict: "The call was answered", Tells: []string{"joined", "transferred", "ringing", "talking", "leg_ended", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("two-phone"), cleared("two-phone")}}.check(t, w.story(t, succeed(t, one), 3))
	w.story(t, second.id, 2)
}

// awaitTold waits until so many calls of a company tell of a code.
func (w *world) awaitTold(t *testing.T, c *company, code string, calls int) {
	t.Helper()
	awaitThat(t, "calls do not tell of "+code, func(ctx context.Context) (bool, error) {
		all, err := w.callsOf(ctx, c.id)
		if err != nil {
			return false, err
		}
		n := 0
		for _, one := range all {
			x, err := explainCall(ctx, w.Store, w.words, one.Call)
			if err != nil {
				return false, err
			}
			for _, l := range x.Lines {
				if l.Code == code {
					n++
					break
				}
			}
		}
		return n >= calls, nil
	})
}

// TestTransferByOrder: somebody at a console takes the caller to another phone.
func TestTransferByOrder(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	c.register(t, "three")
	two := c.talker(t, "two")
	three := c.listen(t, "three", sipptest.Behaviour{HangUp: true})
	one := c.call(t, "one", "102", sipptest.Call{CalleeEnds: true, Talk: patience})
	talk := two.answered()
	call := c.awaitTold(t, "talking")
	if status, answer := askAPI(t, "POST", w.HTTPAddress, "/v1/calls/"+call+"/transfer", map[string]string{"to": "999", "by": "anna"}); status != 409 {
		t.Errorf("to a number that nobody has: %d %v", status, answer)
	}
	w.says(t, []string{"The leg is on its way."}, "call", "transfer", call, "--to", "103", "--by", "anna")
	talk.ended()
	expected{Verdict: "The call was answered", Tells: []string{"talking", "transfer_number_unknown", "transfer_ordered", "transferred_by_order", "ringing", "talking", "leg_ended", "call_ended"},
		Legs: []leg{cleared("one-phone"), cleared("three-phone"), cleared("two-phone")}}.check(t, w.story(t, succeed(t, one, three), 3))
}
