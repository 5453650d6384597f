package conformance

import (
	"net"
	"strings"
	"testing"

	"tandem/esl"
)

func failureClaims() []Claim {
	return []Claim{
		{"a callee's code becomes a cause, and the caller goes on", calleeCodes},
		{"without continue_on_fail the caller ends with the callee's code", failureEndsCaller},
		{"no answer never ends the caller", noAnswerGoesOn},
		{"a dial that is under way has the disposition failure, whatever the last one ended with", dialUnderWay},
		{"a leg's own timeout is not NO_ANSWER", legTimeout},
		{"the dial's timeout is NO_ANSWER", originateTimeout},
		{"a dead port fails at once", deadPort},
		{"an endpoint that does not exist makes no channel", badEndpoint},
		{"a profile that does not exist leaves a lone CHANNEL_DESTROY", badProfile},
	}
}

// goingOn is an answered caller who survives failures.
func (e *engine) goingOn() (a string, caller *Dialog) {
	e.t.Helper()
	a, caller = e.answered(e.phone())
	e.send(esl.Set(a, "cof", "continue_on_fail", "true"))
	e.done("cof")
	return a, caller
}

func calleeCodes(t *testing.T, target Target) {
	for _, row := range []struct {
		code                int
		cause, dial, number string
	}{
		{486, "USER_BUSY", "BUSY", "17"},
		{603, "CALL_REJECTED", "DONTCALL", "21"},
		{404, "UNALLOCATED_NUMBER", "UNALLOCATED_NUMBER", "1"},
		{480, "NO_USER_RESPONSE", "NO_USER_RESPONSE", "18"},
		{503, "NORMAL_TEMPORARY_FAILURE", "NORMAL_TEMPORARY_FAILURE", "41"},
		{408, "RECOVERY_ON_TIMER_EXPIRE", "RECOVERY_ON_TIMER_EXPIRE", "102"},
		{488, "INCOMPATIBLE_DESTINATION", "INCOMPATIBLE_DESTINATION", "88"},
		{600, "USER_BUSY", "BUSY", "17"},
	} {
		e := open(t, target)
		a, caller := e.goingOn()
		q := e.phone()
		b := fresh(a)
		e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
		callee := q.Await()
		// A leg that fails within a few milliseconds may do so before the engine
		// has tied it to the caller: then last_bridge_* stay unset.
		callee.Respond(180, "Ringing", false)
		e.event(b, "CHANNEL_PROGRESS")
		callee.Respond(row.code, "Claimed", false)
		ev := e.done("bridge")
		specific := "sip:" + itoa(row.code)
		for name, want := range map[string]string{
			"originate_disposition": row.cause, "DIALSTATUS": row.dial, "last_bridge_hangup_cause": row.cause,
			"last_bridge_proto_specific_hangup_cause": specific, "originate_failed_cause": row.cause, "sip_term_status": "",
		} {
			equal(t, itoa(row.code)+" "+name, ev.Variable(name), want)
		}
		ended := e.event(b, "CHANNEL_HANGUP_COMPLETE")
		for name, want := range map[string]string{
			"Hangup-Cause": row.cause, "variable_sip_term_status": itoa(row.code), "variable_hangup_cause_q850": row.number,
			"variable_sip_hangup_disposition": "recv_refuse", "variable_proto_specific_hangup_cause": specific,
		} {
			equal(t, itoa(row.code)+" "+name, ended.Get(name), want)
		}
		equal(t, "the caller", e.text(esl.UUIDExists(a)), "true")
		caller.Bye()
	}
}

func failureEndsCaller(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	d := p.Call(target.SIP, "1000")
	a := e.parked(d)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
	q.Await().Respond(486, "Busy Here", false)
	res, _ := d.Final()
	equal(t, "the caller sees", res.StatusCode, 486)
	if h := res.GetHeader("Reason"); h == nil || h.Value() != `Q.850;cause=17;text="USER_BUSY"` {
		t.Errorf("Reason: %v", h)
	}
	e.event(a, "CHANNEL_DESTROY")
	e.inOrder(a, "CHANNEL_EXECUTE bridge", "CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE bridge", "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_HANGUP_COMPLETE")
	equal(t, "cause", e.event(a, "CHANNEL_HANGUP").Get("Hangup-Cause"), "USER_BUSY")
}

func noAnswerGoesOn(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, caller := e.answered(p)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
	q.Await().Respond(480, "Temporarily Unavailable", false)
	equal(t, "disposition", e.done("bridge").Variable("originate_disposition"), "NO_USER_RESPONSE")
	equal(t, "the caller", e.text(esl.UUIDExists(a)), "true")
	caller.Bye()
}

// dialUnderWay: a caller's leg that is asked in the middle of a dial must not be taken for one whose dial has ended.
func dialUnderWay(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	disposition := func() string { return e.text(esl.UUIDGetvar(a, "originate_disposition")) }
	equal(t, "before any dial", disposition(), "_undef_")
	for _, id := range []string{"first", "second"} {
		q := e.phone()
		b := fresh(a)
		e.send(esl.Bridge(a, id, legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
		callee := q.Await()
		callee.Respond(180, "Ringing", false)
		e.event(b, "CHANNEL_PROGRESS")
		equal(t, "while it rings", disposition(), "failure")
		callee.Respond(486, "Busy Here", false)
		e.done(id)
		equal(t, "afterwards", disposition(), "USER_BUSY")
	}
	q := e.phone()
	b := fresh(a)
	e.send(esl.Bridge(a, "third", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	q.Await().Respond(180, "Ringing", false)
	e.event(b, "CHANNEL_PROGRESS")
	equal(t, "reply", e.text(esl.UUIDTransferPark(a, false)), "+OK")
	e.done("third")
	if cause := disposition(); cause == "failure" {
		t.Error("a dial that the caller was taken out of seems to be under way")
	}
	caller.Bye()
}

func legTimeout(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	q := e.phone()
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b}, esl.Var{Name: "leg_timeout", Value: "1"})))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	receive(t, callee.Cancels, target.Patience, "a CANCEL")
	ev := e.done("bridge")
	equal(t, "disposition", ev.Variable("originate_disposition"), "ALLOTTED_TIMEOUT")
	equal(t, "DIALSTATUS", ev.Variable("DIALSTATUS"), "ALLOTTED_TIMEOUT")
	equal(t, "callee", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "ALLOTTED_TIMEOUT")
	caller.Bye()
}

func originateTimeout(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	q := e.phone()
	b := fresh(a)
	dial := legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})
	dial.Global = []esl.Var{{Name: "originate_timeout", Value: "1"}}
	e.send(esl.Bridge(a, "bridge", dial))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	receive(t, callee.Cancels, target.Patience, "a CANCEL")
	ev := e.done("bridge")
	equal(t, "disposition", ev.Variable("originate_disposition"), "NO_ANSWER")
	equal(t, "DIALSTATUS", ev.Variable("DIALSTATUS"), "NOANSWER")
	equal(t, "callee", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NO_ANSWER")
	caller.Bye()
}

// deadAddr is a loopback port that nobody listens on.
func deadAddr(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().String()
}

func deadPort(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	e.send(esl.Bridge(a, "bridge", esl.DialString{Legs: []esl.DialLeg{{Profile: target.Profile, URI: "sip:bob@" + deadAddr(t)}}}))
	ev := e.done("bridge")
	equal(t, "disposition", ev.Variable("originate_disposition"), "NORMAL_TEMPORARY_FAILURE")
	equal(t, "specific", ev.Variable("last_bridge_proto_specific_hangup_cause"), "sip:503")
	began := e.await("bridge", func(ev *esl.Event) bool { return label(ev) == "CHANNEL_EXECUTE bridge" })
	if took := ev.Time().Sub(began.Time()); took > target.Patience/4 {
		t.Errorf("it took %v", took)
	}
	caller.Bye()
}

func badEndpoint(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	r := openRaw(t, target)
	equal(t, "reply", r.command("sendmsg "+a, "call-command: execute", "execute-app-name: bridge", "execute-app-arg: nosuch/x", "event-uuid: bridge"), "+OK")
	ev := e.done("bridge")
	equal(t, "disposition", ev.Variable("originate_disposition"), "CHAN_NOT_IMPLEMENTED")
	equal(t, "DIALSTATUS", ev.Variable("DIALSTATUS"), "CHAN_NOT_IMPLEMENTED")
	for _, ev := range e.all() {
		if id := ev.Get("Unique-ID"); id != a && id != "" && strings.HasPrefix(ev.Name(), "CHANNEL_") && ev.Get("Call-Direction") == "outbound" {
			t.Errorf("a channel was made: %s", label(ev))
		}
	}
	caller.Bye()
}

func badProfile(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", esl.DialString{Legs: []esl.DialLeg{{
		Profile: "nosuchprofile", URI: "sip:bob@127.0.0.1:5099", Vars: []esl.Var{{Name: "origination_uuid", Value: b}},
	}}}))
	ev := e.done("bridge")
	equal(t, "disposition", ev.Variable("originate_disposition"), "INVALID_PROFILE")
	equal(t, "DIALSTATUS", ev.Variable("DIALSTATUS"), "INVALIDARGS")
	lone := e.await("a lone CHANNEL_DESTROY", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_DESTROY" && ev.Get("Channel-Name") == "N/A"
	})
	e.absent(lone.Get("Unique-ID"), "CHANNEL_CREATE")
	caller.Bye()
}
