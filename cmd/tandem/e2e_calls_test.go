package main

import (
	"testing"
	"time"

	"tandem/messages"
	"tandem/sipptest"
	"tandem/tenants"
)

// basic are the outcomes of a call from one phone to another. The same are made on the stand-in and, where there is one,
// on a real FreeSWITCH.
type basic struct {
	caller  sipptest.Call
	callee  sipptest.Behaviour
	seconds int // of ringing; 0: the user's own flow
	want    expected
}

func answered() basic {
	return basic{want: expected{Verdict: "The call was answered", Tells: []string{"caller_device", "route_found", "nodes_chosen", "flow_started", "ringing",
		"leg_answered", "talking", "caller_hung_up", "call_ended"}, Legs: []leg{
		{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}}
}

func busy() basic {
	return basic{caller: sipptest.Call{Expect: 486, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=17"}}},
		callee: sipptest.Behaviour{Code: 486, Phrase: "Busy Here"},
		want: expected{Verdict: "(SIP 486, USER_BUSY): Nobody took the call: busy or declined", Fault: messages.FaultCallee,
			Tells: []string{"ringing", "leg_ended", "ring_busy", "exit_leads_nowhere", "call_ended"}, Legs: []leg{
				{Far: "one-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee},
				{Far: "two-phone", Cause: "USER_BUSY", Code: 486, Fault: messages.FaultCallee}}}}
}

func endedByCallee() basic {
	return basic{caller: sipptest.Call{CalleeEnds: true}, callee: sipptest.Behaviour{HangUp: true},
		want: expected{Verdict: "The call was answered", Tells: []string{"talking", "leg_ended", "call_ended"}, Legs: []leg{
			{Far: "one-phone", Cause: "NORMAL_CLEARING", Answered: true}, {Far: "two-phone", Cause: "NORMAL_CLEARING", Answered: true}}}}
}

// make makes the call and checks its three sides: what both phones saw, what is told, what is recorded.
func (b basic) make(t *testing.T, w *world) {
	c := w.company(t)
	number := "102"
	if b.seconds > 0 {
		number = "200"
		c.flow(t, number, "ring", map[string]tenants.Element{"ring": ringing("at_once", b.seconds, "two")})
	}
	c.publish(t)
	c.register(t, "two")
	callee := c.listen(t, "two", b.callee)
	caller := c.call(t, "one", number, b.caller)
	b.want.check(t, w.story(t, succeed(t, caller, callee), len(b.want.Legs)))
	clean(t, callee)
}

func TestOneCallBetweenTwoPhones(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]basic{
		"answered, and the caller hangs up": answered(),
		"answered, and the callee hangs up": endedByCallee(),
		"busy":                              busy(),
		"declined": {caller: sipptest.Call{Expect: 603, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=21"}}},
			callee: sipptest.Behaviour{Code: 603, Phrase: "Decline"},
			want: expected{Verdict: "(SIP 603, CALL_REJECTED): Nobody took the call: busy or declined", Fault: messages.FaultCallee,
				Tells: []string{"leg_ended", "ring_busy", "exit_leads_nowhere", "call_ended"}, Legs: []leg{
					{Far: "one-phone", Cause: "CALL_REJECTED", Code: 603, Fault: messages.FaultCallee},
					{Far: "two-phone", Cause: "CALL_REJECTED", Code: 603, Fault: messages.FaultCallee}}}},
		"nobody answers in time": {seconds: 1, caller: sipptest.Call{Expect: 480, Checks: []sipptest.Check{{Header: "Reason", Pattern: "Q.850;cause=19"}}},
			callee: sipptest.Behaviour{NeverAnswer: true},
			want: expected{Verdict: "(SIP 480, NO_ANSWER): Nobody answered in time.", Fault: messages.FaultCallee,
				Tells: []string{"leg_rang", "leg_ended", "ring_no_answer", "exit_leads_nowhere", "call_ended"}, Legs: []leg{
					{Far: "one-phone", Cause: "NO_ANSWER", Code: 480, Fault: messages.FaultCallee},
					{Far: "two-phone", Cause: "ALLOTTED_TIMEOUT", Fault: messages.FaultCallee}}}},
		"cancelled while it rings": {caller: sipptest.Call{Ringing: true, CancelAfter: 200 * time.Millisecond}, callee: sipptest.Behaviour{NeverAnswer: true},
			want: expected{Verdict: "(SIP 487, ORIGINATOR_CANCEL): The caller gave up before anybody answered", Fault: messages.FaultCaller,
				Tells: []string{"leg_rang", "caller_gave_up", "call_ended"}, Legs: []leg{
					{Far: "one-phone", Cause: "ORIGINATOR_CANCEL", Code: 487, Fault: messages.FaultCaller},
					{Far: "two-phone", Cause: "ORIGINATOR_CANCEL", Fault: messages.FaultCaller}}}},
		"put on hold while they talk": {caller: sipptest.Call{ReInvite: true, Hold: true}, want: answered().want},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b.make(t, sharedWorld(t))
		})
	}
}

func TestUnknownNumberIsNotFound(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	c.publish(t)
	caller := c.call(t, "one", "999", sipptest.Call{Expect: 404, Checks: []sipptest.Check{{Header: "Reason", Pattern: "^ *Q.850;cause=1$"}}})
	expected{Verdict: "(SIP 404, UNALLOCATED_NUMBER): " + c.name + " has no extension or number 999", Fault: messages.FaultCaller,
		Tells: []string{"caller_device", "number_unknown"},
		Legs:  []leg{{Far: "one-phone", Cause: "UNALLOCATED_NUMBER", Code: 404, Fault: messages.FaultCaller}},
	}.check(t, w.story(t, succeed(t, caller), 1))
}
