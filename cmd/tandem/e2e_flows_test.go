package main

import (
	"strings"
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/tenants"
)

// menu rings the user two at the digit 1.
func menu(attempts, seconds int) map[string]tenants.Element {
	return map[string]tenants.Element{
		"menu": element("menu", map[string]any{"prompt": "tone:menu", "invalid_prompt": "tone:wrong", "attempts": attempts, "seconds": seconds},
			map[string]string{"1": "ring", "timeout": "goodbye", "invalid": "refused"}),
		"ring":     ringing("at_once", 10, "two"),
		"goodbye":  element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil),
		"refused":  element("play", map[string]any{"prompt": "tone:wrong"}, map[string]string{"next": "rejected"}),
		"rejected": element("hangup", map[string]any{"cause": "CALL_REJECTED"}, nil),
	}
}

// viaMenu is what a call through the menu to the user two comes to, the callee hanging up.
func viaMenu(tells ...string) expected {
	return expected{Verdict: "The call was answered", Tells: append(tells, "exit_taken", "ringing", "talking", "call_ended"), Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}
}

// throughMenu calls a menu and is put through to the user two.
func throughMenu(t *testing.T, w *world, call sipptest.Call, want expected) {
	t.Helper()
	c := w.company(t)
	c.flow(t, "300", "menu", menu(3, 5))
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", sipptest.Behaviour{HangUp: true, Talk: 2 * time.Second}) // longer than a caller still keys
	call.CalleeEnds = true
	want.check(t, w.story(t, succeed(t, c.call(t, "one", "300", call), callee), 2))
}

func TestMenuTakesDigits(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		call sipptest.Call
		want expected
	}{
		"by RFC 4733":             {sipptest.Call{Digits: "1", DigitMode: sipptest.RFC4733}, viaMenu("answering", "menu_asked", "menu_chosen")},
		"by INFO":                 {sipptest.Call{Digits: "1", DigitMode: sipptest.INFO}, viaMenu("answering", "menu_asked", "menu_chosen")},
		"a wrong one, then right": {sipptest.Call{Digits: "91", DigitMode: sipptest.INFO, DigitPause: 1500 * time.Millisecond}, viaMenu("menu_asked", "menu_invalid", "menu_asked", "menu_chosen")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			throughMenu(t, sharedWorld(t), row.call, row.want)
		})
	}
}

func TestMenuGivesUp(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		seconds int
		call    sipptest.Call
		tells   []string
		cause   string
	}{
		"when nothing is keyed":     {1, sipptest.Call{}, []string{"menu_asked", "menu_timeout", "menu_given_up", "exit_taken", "flow_hangs_up", "call_ended"}, "NORMAL_CLEARING"},
		"when the digits are wrong": {5, sipptest.Call{Digits: "9", DigitMode: sipptest.INFO}, []string{"menu_asked", "menu_invalid", "menu_given_up", "exit_taken", "flow_hangs_up", "call_ended"}, "CALL_REJECTED"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sharedWorld(t)
			c := w.company(t)
			c.flow(t, "300", "menu", menu(1, row.seconds))
			c.publish(t)
			row.call.CalleeEnds = true
			expected{Verdict: "The call was answered", Tells: row.tells, Legs: []leg{{Far: "one-phone", Cause: row.cause, Answered: true}}}.
				check(t, w.story(t, succeed(t, c.call(t, "one", "300", row.call)), 1))
		})
	}
}

func TestOpeningHoursDecide(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		closed bool
		want   expected
	}{
		"open": {want: expected{Verdict: "The call was answered", Tells: []string{"caller_trunk", "route_found", "hours_open", "exit_taken", "ringing", "talking"},
			Legs: []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}},
		"closed": {closed: true, want: expected{Verdict: "The call was answered",
			Tells: []string{"caller_trunk", "route_found", "hours_closed", "exit_taken", "playing", "flow_hangs_up", "call_ended"},
			Legs:  []leg{{Far: "carrier", Cause: "NORMAL_CLEARING", Answered: true}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sharedWorld(t)
			c := w.company(t)
			schedule := tenants.Schedule{ID: "always", Name: "Always", Weekly: allWeek()}
			if row.closed { // on a date that covers any clock on the way
				for _, day := range []int{-1, 0, 1} {
					schedule.Dates = append(schedule.Dates, tenants.Date{Date: time.Now().UTC().AddDate(0, 0, day).Format(time.DateOnly), Name: "Stocktaking"})
				}
			}
			must(t, w.Provisioning.SaveSchedule(within(t), c.id, schedule))
			c.flow(t, c.number, "hours", map[string]tenants.Element{
				"hours":   element("hours", map[string]any{"schedule": "always"}, map[string]string{"open": "ring", "closed": "closed"}),
				"ring":    ringing("at_once", 10, "two"),
				"closed":  element("play", map[string]any{"prompt": "tone:closed"}, map[string]string{"next": "goodbye"}),
				"goodbye": element("hangup", map[string]any{"cause": "NORMAL_CLEARING"}, nil),
			})
			c.publish(t)
			phones := []*sipptest.Running{}
			if !row.closed {
				c.register(t, "two")
				phones = append(phones, c.listen(t, "two", sipptest.Behaviour{HangUp: true}))
			}
			caller := w.incoming(t, "+12025550177", c.number, sipptest.Call{CalleeEnds: true})
			row.want.check(t, w.story(t, succeed(t, append([]*sipptest.Running{caller}, phones...)...), len(row.want.Legs)))
		})
	}
}

// firstToAnswer rings two phones at once.
func firstToAnswer(t *testing.T, w *world) {
	t.Helper()
	c := w.company(t)
	c.flow(t, "200", "group", map[string]tenants.Element{"group": ringing("at_once", 10, "two", "three")})
	c.publish(t)
	c.register(t, "two", "three")
	first, second := c.listen(t, "two", sipptest.Behaviour{After: 400 * time.Millisecond}), c.listen(t, "three", sipptest.Behaviour{NeverAnswer: true})
	id := succeed(t, c.call(t, "one", "200", sipptest.Call{}), first, second)
	if !strings.Contains(second.Messages(), `Reason: SIP;cause=200;text="Call completed elsewhere"`) { // RFC 3326: no missed call on its display
		t.Error("the phone that was too late is not told that another took the call")
	}
	expected{Verdict: "The call was answered", Tells: []string{"ringing", "ringing", "leg_answered", "talking", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "three-phone", Cause: "LOSE_RACE"}},
	}.check(t, w.story(t, id, 3))
}

func TestRingGroupGoesToTheFirstWhoAnswers(t *testing.T) {
	t.Parallel()
	firstToAnswer(t, sharedWorld(t))
}

func TestRingGroupWithNobodyRegistered(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.flow(t, "200", "group", map[string]tenants.Element{"group": ringing("at_once", 10, "two", "three")})
	c.publish(t)
	expected{Verdict: "(SIP 480, USER_NOT_REGISTERED): Phone three is not registered", Fault: messages.FaultCallee,
		Tells: []string{"flow_started", "device_not_registered", "device_not_registered", "exit_leads_nowhere", "call_ended"},
		Legs:  []leg{{Far: "one-phone", Cause: "USER_NOT_REGISTERED", Code: 480, Fault: messages.FaultCallee}},
	}.check(t, w.story(t, succeed(t, c.call(t, "one", "200", sipptest.Call{Expect: 480})), 1))
}

func TestRingGroupInOrder(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		first sipptest.Behaviour
		leg   leg
	}{
		"the first does not answer": {sipptest.Behaviour{NeverAnswer: true}, leg{Far: "two-phone", Cause: "ALLOTTED_TIMEOUT", Fault: messages.FaultCallee}},
		"the first is busy":         {sipptest.Behaviour{Code: 486, Phrase: "Busy Here"}, leg{Far: "two-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sharedWorld(t)
			c := w.company(t)
			c.flow(t, "200", "group", map[string]tenants.Element{"group": ringing("in_order", 1, "two", "three")})
			c.publish(t)
			c.register(t, "two", "three")
			first, second := c.listen(t, "two", row.first), c.listen(t, "three", sipptest.Behaviour{})
			id := succeed(t, c.call(t, "one", "200", sipptest.Call{}), first, second)
			expected{Verdict: "The call was answered", Tells: []string{"leg_ended", "leg_answered", "talking", "call_ended"}, Legs: []leg{
				{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, row.leg, {Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}},
			}.check(t, w.story(t, id, 3))
		})
	}
}

// TestFlowGoesOnAfterAFailedRing: that nobody answers is an exit of the flow and not the end of the call.
func TestFlowGoesOnAfterAFailedRing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		first sipptest.Behaviour
		exit  string
		leg   leg
	}{
		"busy":                  {sipptest.Behaviour{Code: 486, Phrase: "Busy Here"}, "busy", leg{Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}},
		"no answer":             {sipptest.Behaviour{NeverAnswer: true}, "no_answer", leg{Cause: "ALLOTTED_TIMEOUT", Fault: messages.FaultCallee}},
		"a phone that says 503": {sipptest.Behaviour{Silent: true, Code: 503, Phrase: "Service Unavailable"}, "failed", leg{Cause: "NORMAL_TEMPORARY_FAILURE", Code: 500, Fault: messages.FaultCallee}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sharedWorld(t)
			c := w.company(t)
			first := ringing("at_once", 1, "two")
			first.Exits = map[string]string{row.exit: "then"}
			c.flow(t, "200", "first", map[string]tenants.Element{"first": first, "then": ringing("at_once", 10, "three")})
			c.publish(t)
			c.register(t, "two", "three")
			row.leg.Far = "two-phone"
			two, three := c.listen(t, "two", row.first), c.listen(t, "three", sipptest.Behaviour{})
			id := succeed(t, c.call(t, "one", "200", sipptest.Call{}), two, three)
			expected{Verdict: "The call was answered", Tells: []string{"leg_ended", "exit_taken", "ringing", "talking", "call_ended"}, Legs: []leg{
				{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, row.leg, {Far: "three-phone", Cause: "NORMAL_CLEARING", Answered: true}},
			}.check(t, w.story(t, id, 3))
		})
	}
}

// TestCalleesServerErrorIsNotTheNodes: a phone that answers 503 at once must not make the edge try the call on the next
// node, where it would ring again, nor a carrier take its trunk out of service. (The node itself sees 500: the edge makes
// that of a 503, RFC 3261 16.7.)
func TestCalleesServerErrorIsNotTheNodes(t *testing.T) {
	t.Parallel()
	basic{caller: sipptest.Call{Expect: 480}, callee: sipptest.Behaviour{Silent: true, Code: 503, Phrase: "Service Unavailable"},
		want: expected{Verdict: "(SIP 480, NORMAL_UNSPECIFIED): Ringing failed", Fault: messages.FaultCallee, Tells: []string{"leg_ended", "ring_failed", "call_ended"},
			Legs: []leg{{Far: "one-phone", Cause: "NORMAL_UNSPECIFIED", Code: 480, Fault: messages.FaultCallee},
				{Far: "two-phone", Cause: "NORMAL_TEMPORARY_FAILURE", Code: 500, Fault: messages.FaultCallee}}},
	}.make(t, sharedWorld(t))
}
