package conformance

import (
	"strings"
	"testing"

	"tandem/esl"
)

func calleeByeParks(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("")
	callee.Bye()
	ended := e.event(b, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "callee's disposition", ended.Variable("sip_hangup_disposition"), "recv_bye")
	ev := e.done(a + "/bridge")
	equal(t, "response", ev.Get("Application-Response"), "_none_")
	equal(t, "bridge_hangup_cause", ev.Variable("bridge_hangup_cause"), "NORMAL_CLEARING")
	equal(t, "last_bridge_hangup_cause", ev.Variable("last_bridge_hangup_cause"), "NORMAL_CLEARING")
	e.send(esl.Set(a, "after", "claim", "yes"))
	e.done("after")
	equal(t, "the caller", e.text(esl.UUIDExists(a)), "true")
	caller.Bye()
}

func hangupAfterBridge(t *testing.T, target Target) {
	e := open(t, target)
	a, _, caller, callee := e.bridged("true")
	callee.Bye()
	receive(t, caller.Byes, target.Patience, "a BYE at the caller")
	equal(t, "cause", e.event(a, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
}

func parkAfterBridge(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, caller := e.answered(p)
	e.send(esl.Set(a, "set", "park_after_bridge", "true"))
	e.done("set")
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
	callee := q.Await()
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	receive(t, callee.Acks, target.Patience, "the ACK")
	callee.Bye()
	e.event(a, "CHANNEL_UNBRIDGE")
	e.until("the caller parked again", func() bool {
		parks := 0
		for _, l := range e.labels(a) {
			if l == "CHANNEL_PARK" {
				parks++
			}
		}
		return parks == 2
	})
	caller.Bye()
}

func callerBye(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("true")
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE at the callee")
	ended := e.event(b, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "callee's cause", ended.Get("Hangup-Cause"), "NORMAL_CLEARING")
	equal(t, "callee's disposition", ended.Variable("sip_hangup_disposition"), "send_bye")
	e.event(a, "CHANNEL_DESTROY")
	e.inOrder(a, "CHANNEL_HANGUP", "CHANNEL_UNBRIDGE", "CHANNEL_EXECUTE_COMPLETE bridge", "CHANNEL_EXECUTE_COMPLETE park",
		"CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")
}

func cancelWhileRinging(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	d := p.Call(target.SIP, "1000")
	a := e.parked(d)
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	d.NextResponse()
	d.Cancel()
	res, _ := d.Final()
	equal(t, "the caller's INVITE", res.StatusCode, 487)
	receive(t, callee.Cancels, target.Patience, "a CANCEL at the callee")
	ev := e.event(a, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "caller's cause", ev.Get("Hangup-Cause"), "ORIGINATOR_CANCEL")
	equal(t, "caller's disposition", ev.Variable("sip_hangup_disposition"), "recv_cancel")
	equal(t, "DIALSTATUS", ev.Variable("DIALSTATUS"), "CANCEL")
	equal(t, "callee's cause", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "ORIGINATOR_CANCEL")
	equal(t, "callee's disposition", e.event(b, "CHANNEL_HANGUP_COMPLETE").Variable("sip_hangup_disposition"), "send_cancel")
}

func uuidBridge(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, first := e.answered(p)
	b, second := e.answered(q)
	equal(t, "reply", e.text(esl.UUIDBridge(a, b)), "+OK "+b)
	ev := e.event(a, "CHANNEL_BRIDGE")
	equal(t, "with", ev.Get("Bridge-B-Unique-ID"), b)
	e.inOrder(a, "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_EXECUTE uuid_bridge", "CHANNEL_BRIDGE")
	e.inOrder(b, "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_EXECUTE uuid_bridge")
	e.absent(b, "CHANNEL_BRIDGE")
	second.Bye()
	receive(t, first.Byes, target.Patience, "a BYE at the other")
	e.event(a, "CHANNEL_DESTROY")
	e.inOrder(a, "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_HANGUP_COMPLETE")
}

func transferPark(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("")
	equal(t, "reply", e.text(esl.UUIDTransferPark(a, false)), "+OK")
	receive(t, callee.Byes, target.Patience, "a BYE at the callee")
	equal(t, "callee's cause", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
	e.send(esl.Set(a, "after", "claim", "yes"))
	e.done("after")
	e.inOrder(a, "CHANNEL_UNBRIDGE", "CHANNEL_EXECUTE_COMPLETE bridge", "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_EXECUTE park", "CHANNEL_PARK")
	caller.Bye()
}

func transferBoth(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("true")
	equal(t, "reply", e.text(esl.UUIDTransferPark(a, true)), "+OK")
	e.event(b, "CHANNEL_PARK")
	e.send(esl.Set(a, "after-a", "claim", "yes"))
	e.send(esl.Set(b, "after-b", "claim", "yes"))
	e.done("after-a")
	e.done("after-b")
	equal(t, "joined again", e.text(esl.UUIDBridge(a, b)), "+OK "+b)
	e.until("a second CHANNEL_BRIDGE", func() bool { return strings.Count(strings.Join(e.labels(a), " "), "CHANNEL_BRIDGE") == 2 })
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE at the callee")
}

func duplicateID(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	q := e.phone()
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: a})))
	ev := e.done("bridge")
	equal(t, "disposition", ev.Variable("originate_disposition"), "DESTINATION_OUT_OF_ORDER")
	equal(t, "the caller", e.text(esl.UUIDExists(a)), "true")
	caller.Bye()
}
