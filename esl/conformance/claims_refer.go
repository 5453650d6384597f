package conformance

import (
	"strings"
	"testing"

	"tandem/esl"
)

func referClaims() []Claim {
	return []Claim{
		{"a callee's REFER parks the caller and ends the callee", referByCallee},
		{"a caller's REFER parks the callee and ends the caller", referByCaller},
		{"a REFER while the other is on hold does the same", referWhileHeld},
		{"a REFER to what stands for a talk on another engine parks the other party with it as its number", referToATalk},
		{"a REFER without a talk is refused in a NOTIFY and changes nothing", referWithoutATalk},
		{"a REFER with Replaces joins the parties of two talks, by the callee of one", attendedByCallee},
		{"a REFER with Replaces joins the parties of two talks, by the caller of both", attendedByCaller},
		{"a REFER with Replaces of a talk to the node sends the other party to its number", attendedToTheNode},
		{"a caller's REFER with Replaces of a talk to the node sends the called to its number, and the caller's end does not say so", attendedToTheNodeByCaller},
		{"a talk whose called leg is joined with another ends the caller before the end of its bridge is told", calledLegTaken},
		{"deny_refer_requests refuses a REFER with Replaces while the other call rings, and can be taken back", attendedTooSoon},
		{"uuid_transfer names each transfer, and can take the callee out", transferSourceOfAnOrder},
	}
}

// talk is a talk of two phones: the engine ends the caller after it, as Tandem has it.
func (e *engine) talk(p, q *Phone) (a, b string, caller, callee *Dialog) {
	e.t.Helper()
	a, caller = e.answered(p)
	b = fresh(a)
	e.text(esl.UUIDSetvarMulti(a, esl.Var{Name: "hangup_after_bridge", Value: "true"}, esl.Var{Name: "continue_on_fail", Value: "true"}))
	e.send(esl.Bridge(a, a+"/bridge", legTo(e.target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee = q.Await()
	callee.Respond(180, "Ringing", false)
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	receive(e.t, callee.Acks, e.target.Patience, "the ACK")
	return a, b, caller, callee
}

// transferred waits until a leg has parked by a transfer, and checks what that says.
func (e *engine) transferred(leg, by, number string) {
	e.t.Helper()
	ev := e.await("CHANNEL_PARK after the transfer", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_PARK" && ev.Get("Unique-ID") == leg && strings.Contains(ev.Variable("transfer_source"), ":bl_xfer:")
	})
	equal(e.t, "number", ev.Get("Caller-Destination-Number"), number)
	equal(e.t, "transferor", ev.Variable("last_bridge_to"), by)
	equal(e.t, "the leg", ev.Get("Answer-State"), "answered")
	if source := ev.Variable("transfer_source"); !strings.HasSuffix(source, ":bl_xfer:"+number+"/tandem/XML") {
		e.t.Errorf("transfer_source: %s", source)
	}
	e.send(esl.Set(leg, "after", "claim", "yes"))
	e.done("after")
}

func (d *Dialog) notified(what, text string) {
	d.phone.t.Helper()
	equal(d.phone.t, what, receive(d.phone.t, d.Notifies, d.phone.patience, "a NOTIFY"), text)
}

func referByCallee(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.talk(e.phone(), e.phone())
	equal(t, "REFER", callee.Refer("sip:103@127.0.0.1").StatusCode, 202)
	callee.notified("NOTIFY", "SIP/2.0 200 OK")
	receive(t, callee.Byes, target.Patience, "a BYE at the callee")
	ended := e.event(b, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "callee's endpoint_disposition", ended.Variable("endpoint_disposition"), "BLIND_TRANSFER")
	equal(t, "callee's disposition", ended.Variable("sip_hangup_disposition"), "send_bye")
	e.transferred(a, b, "103")
	over := e.done(a + "/bridge")
	equal(t, "the bridge ends while the caller is", over.Get("Answer-State"), "answered")
	if !strings.Contains(over.Variable("transfer_source"), ":bl_xfer:103/") {
		t.Errorf("the end of the bridge does not tell of the transfer: %s", over.Variable("transfer_source"))
	}
	e.inOrder(a, "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_EXECUTE_COMPLETE bridge", "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_EXECUTE park", "CHANNEL_PARK")
	caller.Bye()
}

func referByCaller(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.talk(e.phone(), e.phone())
	equal(t, "REFER", caller.Refer("sip:103@127.0.0.1").StatusCode, 202)
	caller.notified("NOTIFY", "SIP/2.0 200 OK")
	receive(t, caller.Byes, target.Patience, "a BYE at the caller")
	ended := e.event(a, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "caller's endpoint_disposition", ended.Variable("endpoint_disposition"), "BLIND_TRANSFER")
	equal(t, "caller's partner", ended.Variable("last_bridge_to"), b)
	e.transferred(b, a, "103")
	callee.Bye()
	e.event(b, "CHANNEL_HANGUP_COMPLETE")
}

func referWhileHeld(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.talk(e.phone(), e.phone())
	equal(t, "hold", callee.Reinvite("sendonly").StatusCode, 200)
	e.event(b, "CHANNEL_HOLD")
	equal(t, "REFER", callee.Refer("sip:103@127.0.0.1").StatusCode, 202)
	callee.notified("NOTIFY", "SIP/2.0 200 OK")
	e.transferred(a, b, "103")
	caller.Bye()
}

// referToATalk: the edge writes such a Refer-To in place of one with Replaces. It is longer than a number, and has a star and dots.
func referToATalk(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.talk(e.phone(), e.phone())
	number := "*across." + fresh(a) + "." + fresh(b)
	equal(t, "REFER", callee.Refer("sip:"+number+"@127.0.0.1").StatusCode, 202)
	callee.notified("NOTIFY", "SIP/2.0 200 OK")
	receive(t, callee.Byes, target.Patience, "a BYE at the callee")
	e.transferred(a, b, number)
	caller.Bye()
}

func referWithoutATalk(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.answered(e.phone())
	equal(t, "REFER", caller.Refer("sip:103@127.0.0.1").StatusCode, 202)
	caller.notified("NOTIFY", "SIP/2.0 403 Forbidden")
	e.send(esl.Set(a, "after", "claim", "yes"))
	e.done("after")
	caller.Bye()
}

// joinedByTransfer checks what the engine says of the four legs of two talks that have become one: the leg that asked, its
// party, the other leg of the phone, and its party.
func (e *engine) joinedByTransfer(asked, party, replaced, other string) {
	e.t.Helper()
	ended := e.event(asked, "CHANNEL_HANGUP_COMPLETE")
	equal(e.t, "who asked", ended.Variable("transfer_to"), "att:"+other)
	equal(e.t, "who asked talked to", ended.Variable("last_bridge_to"), party)
	gone := e.event(replaced, "CHANNEL_HANGUP_COMPLETE")
	equal(e.t, "the replaced leg", gone.Variable("endpoint_disposition"), "ATTENDED_TRANSFER")
	equal(e.t, "the replaced leg talked to", gone.Variable("last_bridge_to"), other)
	joined := e.await("CHANNEL_BRIDGE of both parties", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_BRIDGE" && (ev.Get("Unique-ID") == party && ev.Get("Bridge-B-Unique-ID") == other || ev.Get("Unique-ID") == other && ev.Get("Bridge-B-Unique-ID") == party)
	})
	if source := joined.Variable("transfer_source"); !strings.Contains(source, ":uuid_br:") {
		e.t.Errorf("transfer_source: %s", source)
	}
}

func attendedByCallee(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, b, caller, callee := e.talk(p, q)
	consult, c, second, third := e.talk(q, r)
	equal(t, "REFER", callee.Refer(second.Replacing("sip:103@127.0.0.1")).StatusCode, 202)
	callee.notified("NOTIFY", "SIP/2.0 200 OK")
	e.joinedByTransfer(b, a, consult, c)
	over := e.done(a + "/bridge")
	equal(t, "the bridge ends while the caller is", over.Get("Answer-State"), "answered")
	if !strings.Contains(over.Variable("transfer_source"), ":uuid_br:"+c) {
		t.Errorf("the end of the bridge does not tell of the transfer: %s", over.Variable("transfer_source"))
	}
	caller.Bye()
	receive(t, third.Byes, target.Patience, "a BYE at the other party")
}

func attendedByCaller(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, b, caller, callee := e.talk(p, q)
	consult, c, second, third := e.talk(p, r)
	equal(t, "REFER", caller.Refer(second.Replacing("sip:103@127.0.0.1")).StatusCode, 202)
	caller.notified("NOTIFY", "SIP/2.0 200 OK")
	e.joinedByTransfer(a, b, consult, c)
	third.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE at the other party")
}

func attendedToTheNode(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, b, caller, callee := e.talk(p, q)
	consult, second := e.answered(q)
	equal(t, "REFER", callee.Refer(second.Replacing("sip:103@127.0.0.1")).StatusCode, 202)
	callee.notified("NOTIFY", "SIP/2.0 200 OK")
	equal(t, "the replaced leg", e.event(consult, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "ATTENDED_TRANSFER")
	e.transferred(a, b, "1000") // the number that the second call was to
	caller.Bye()
}

func attendedToTheNodeByCaller(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, b, caller, callee := e.talk(p, q)
	consult, second := e.answered(p)
	equal(t, "REFER", caller.Refer(second.Replacing("sip:103@127.0.0.1")).StatusCode, 202)
	caller.notified("NOTIFY", "SIP/2.0 200 OK")
	equal(t, "the replaced leg", e.event(consult, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "ATTENDED_TRANSFER")
	e.transferred(b, a, "1000")
	ended := e.event(a, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "caller's endpoint_disposition", ended.Variable("endpoint_disposition"), "ANSWER")
	equal(t, "caller's transfer_to", ended.Variable("transfer_to"), "")
	callee.Bye()
}

func calledLegTaken(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.talk(e.phone(), e.phone())
	other, _ := e.answered(e.phone())
	e.text(esl.UUIDBridge(other, b))
	receive(t, caller.Byes, target.Patience, "a BYE at the caller")
	equal(t, "the caller when his bridge ends", e.done(a+"/bridge").Get("Answer-State"), "hangup")
	e.event(other, "CHANNEL_BRIDGE")
	callee.Bye()
}

func attendedTooSoon(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, _, caller, callee := e.talk(p, q)
	consult, second := e.answered(q)
	e.text(esl.UUIDSetvarMulti(consult, esl.Var{Name: "deny_refer_requests", Value: "true"}, esl.Var{Name: "hangup_after_bridge", Value: "true"}))
	e.send(esl.Bridge(consult, consult+"/bridge", legTo(target, r, "carol")))
	third := r.Await()
	third.Respond(180, "Ringing", false)
	equal(t, "REFER", callee.Refer(second.Replacing("sip:103@127.0.0.1")).StatusCode, 202)
	callee.notified("NOTIFY while it rings", "SIP/2.0 403 Forbidden")
	e.absent(a, "CHANNEL_UNBRIDGE")
	third.Respond(200, "OK", true)
	e.event(consult, "CHANNEL_BRIDGE")
	receive(t, third.Acks, target.Patience, "the ACK")
	e.text(esl.UUIDSetvar(consult, "deny_refer_requests", "false"))
	equal(t, "REFER", callee.Refer(second.Replacing("sip:103@127.0.0.1")).StatusCode, 202)
	callee.notified("NOTIFY when it was answered", "SIP/2.0 200 OK")
	e.until("the parties joined", func() bool { return strings.Count(strings.Join(e.labels(a), " "), "CHANNEL_BRIDGE") == 2 })
	caller.Bye()
	receive(t, third.Byes, target.Patience, "a BYE at the other party")
}

func transferSourceOfAnOrder(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.talk(e.phone(), e.phone())
	equal(t, "reply", e.text(esl.UUIDTransferPark(b, false)), "+OK")
	receive(t, caller.Byes, target.Patience, "a BYE at the caller")
	e.event(a, "CHANNEL_HANGUP_COMPLETE")
	first := e.event(b, "CHANNEL_PARK").Variable("transfer_source")
	equal(t, "reply", e.text(esl.UUIDTransferPark(b, false)), "+OK")
	e.await("another CHANNEL_PARK", func(ev *esl.Event) bool {
		source := ev.Variable("transfer_source")
		return ev.Name() == "CHANNEL_PARK" && ev.Get("Unique-ID") == b && source != first && strings.HasSuffix(source, "/inline") && strings.Contains(source, ":bl_xfer:park/")
	})
	callee.Bye()
}
