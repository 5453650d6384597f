package conformance

import (
	"testing"
	"time"

	"tandem/esl"
)

func groupClaims() []Claim {
	return []Claim{
		{"a leg that must key is answered alone and joined when it has keyed", confirmJoins},
		{"a leg that keys nothing in its time is hung up", confirmTimesOut},
		{"a leg that hangs up instead of keying fails like any other", confirmDeclined},
		{"while one leg is to key another may answer and win", confirmLosesRace},
		{"a caller who gives up while a leg is to key ends it", confirmCancelled},
		{"a delayed leg is dialled later", delayedLeg},
		{"a delayed leg is dialled when nobody else rings", delayedLegAlone},
		{"a delayed leg that is not dialled any more has its end told", delayedLegLoses},
		{"each leg of a group has its own time", ownTimes},
		{"a leg's own caller-id is told instead of that of all", ownCallerID},
		{"an unanswered caller is refused with a code of one's own", refusedWith},
	}
}

// confirming is what a leg needs so that its answer alone does not join it.
func confirming(id, seconds string) []esl.Var {
	return []esl.Var{{Name: "origination_uuid", Value: id}, {Name: "leg_timeout", Value: "30"}, {Name: "group_confirm_key", Value: "1"},
		{Name: "group_confirm_file", Value: "tone_stream://%(50,50,800)"}, {Name: "group_confirm_timeout", Value: seconds}}
}

// quiet is a dial string whose early media does not count as an answer.
func quiet(dial esl.DialString, more ...esl.DialLeg) esl.DialString {
	dial.Global = append(dial.Global, esl.Var{Name: "ignore_early_media", Value: "true"})
	dial.Legs = append(dial.Legs, more...)
	return dial
}

func confirmJoins(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	d := p.Call(target.SIP, "1000")
	a := e.parked(d)
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", quiet(legTo(target, q, "bob", confirming(b, "10")...))))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	callee.Respond(200, "OK", true)
	e.event(b, "CHANNEL_ANSWER")
	e.event(b, "PLAYBACK_STOP")
	callee.telephoneEvents("2", 3)
	e.await("the wrong key", func(ev *esl.Event) bool { return ev.Get("DTMF-Digit") == "2" && ev.Get("Unique-ID") == b })
	e.absent(a, "CHANNEL_BRIDGE")
	e.absent(a, "CHANNEL_ANSWER")
	callee.telephoneEventsFrom("1", 3, 1)
	joined := e.event(a, "CHANNEL_BRIDGE")
	equal(t, "joined with", joined.Get("Bridge-B-Unique-ID"), b)
	e.inOrder(a, "CHANNEL_EXECUTE bridge", "CHANNEL_ANSWER", "CHANNEL_BRIDGE")
	e.inOrder(b, "CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_ANSWER", "PLAYBACK_START", "DTMF", "DTMF")
	res, _ := d.Final()
	equal(t, "the caller gets", res.StatusCode, 200)
	d.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func confirmTimesOut(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, caller := e.answered(p)
	e.goesOn(a)
	b := fresh(a)
	e.send(esl.Bridge(a, a+"/bridge", quiet(legTo(target, q, "bob", confirming(b, "1")...))))
	callee := q.Await()
	callee.Respond(200, "OK", true)
	e.event(b, "CHANNEL_ANSWER")
	receive(t, callee.Byes, target.Patience, "a BYE")
	equal(t, "cause", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "ALLOTTED_TIMEOUT")
	equal(t, "disposition", e.done(a+"/bridge").Variable("originate_disposition"), "ALLOTTED_TIMEOUT")
	e.absent(a, "CHANNEL_BRIDGE")
	caller.Bye()
}

// goesOn lets a caller live on when a bridge fails.
func (e *engine) goesOn(a string) {
	e.t.Helper()
	e.send(esl.Set(a, a+"/goes-on", "continue_on_fail", "true"))
	e.done(a + "/goes-on")
}

func confirmDeclined(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, caller := e.answered(p)
	e.goesOn(a)
	b := fresh(a)
	e.send(esl.Bridge(a, a+"/bridge", quiet(legTo(target, q, "bob", confirming(b, "20")...))))
	callee := q.Await()
	callee.Respond(200, "OK", true)
	e.event(b, "CHANNEL_ANSWER")
	receive(t, callee.Acks, target.Patience, "the ACK")
	callee.Bye()
	equal(t, "cause", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_CLEARING")
	equal(t, "disposition", e.done(a+"/bridge").Variable("originate_disposition"), "NORMAL_CLEARING")
	e.absent(a, "CHANNEL_BRIDGE")
	caller.Bye()
}

func confirmLosesRace(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	one, two := fresh(a), fresh(a)
	dial := quiet(legTo(target, q, "bob", confirming(one, "20")...), legTo(target, r, "carol", esl.Var{Name: "origination_uuid", Value: two}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	bob, carol := q.Await(), r.Await()
	bob.Respond(200, "OK", true)
	e.event(one, "CHANNEL_ANSWER")
	carol.Respond(200, "OK", true)
	equal(t, "joined with", e.event(a, "CHANNEL_BRIDGE").Get("Bridge-B-Unique-ID"), two)
	receive(t, bob.Byes, target.Patience, "a BYE")
	equal(t, "cause", e.event(one, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "LOSE_RACE")
	caller.Bye()
	receive(t, carol.Byes, target.Patience, "a BYE")
}

func confirmCancelled(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	d := p.Call(target.SIP, "1000")
	a := e.parked(d)
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", quiet(legTo(target, q, "bob", confirming(b, "20")...))))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	d.NextResponse()
	callee.Respond(200, "OK", true)
	e.event(b, "CHANNEL_ANSWER")
	d.Cancel()
	receive(t, callee.Byes, target.Patience, "a BYE")
	equal(t, "cause", e.event(b, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "ORIGINATOR_CANCEL")
	e.event(a, "CHANNEL_HANGUP_COMPLETE")
	e.absent(a, "CHANNEL_BRIDGE")
}

func delayedLeg(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	one, two := fresh(a), fresh(a)
	dial := quiet(legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: one}), legTo(target, r, "carol",
		esl.Var{Name: "origination_uuid", Value: two}, esl.Var{Name: "leg_delay_start", Value: "1"}, esl.Var{Name: "leg_timeout", Value: "20"}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	bob := q.Await()
	bob.Respond(180, "Ringing", false)
	rang := time.Now()
	carol := r.Await()
	if after := time.Since(rang); after < 500*time.Millisecond || after > 4*time.Second {
		t.Errorf("she is dialled after %v", after)
	}
	carol.Respond(200, "OK", true)
	equal(t, "joined with", e.event(a, "CHANNEL_BRIDGE").Get("Bridge-B-Unique-ID"), two)
	receive(t, bob.Cancels, target.Patience, "a CANCEL")
	caller.Bye()
	receive(t, carol.Byes, target.Patience, "a BYE")
}

func delayedLegAlone(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	dial := quiet(legTo(target, q, "bob"), legTo(target, r, "carol", esl.Var{Name: "leg_delay_start", Value: "60"}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	q.Await().Respond(486, "Busy Here", false)
	carol := r.Await() // well within the patience
	carol.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	caller.Bye()
	receive(t, carol.Byes, target.Patience, "a BYE")
}

func delayedLegLoses(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	two := fresh(a)
	dial := quiet(legTo(target, q, "bob"), legTo(target, r, "carol", esl.Var{Name: "origination_uuid", Value: two}, esl.Var{Name: "leg_delay_start", Value: "60"}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	bob := q.Await()
	bob.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	equal(t, "cause", e.event(two, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "LOSE_RACE")
	e.absent(two, "CHANNEL_PROGRESS")
	caller.Bye()
	receive(t, bob.Byes, target.Patience, "a BYE")
}

func ownTimes(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	one := fresh(a)
	dial := quiet(legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: one}, esl.Var{Name: "leg_timeout", Value: "1"}),
		legTo(target, r, "carol", esl.Var{Name: "leg_timeout", Value: "30"}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	bob, carol := q.Await(), r.Await()
	bob.Respond(180, "Ringing", false)
	carol.Respond(180, "Ringing", false)
	receive(t, bob.Cancels, target.Patience, "a CANCEL")
	equal(t, "cause", e.event(one, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "ALLOTTED_TIMEOUT")
	carol.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	caller.Bye()
	receive(t, carol.Byes, target.Patience, "a BYE")
}

func ownCallerID(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	dial := quiet(legTo(target, q, "bob"), legTo(target, r, "carol", esl.Var{Name: "origination_caller_id_number", Value: "15550100"},
		esl.Var{Name: "origination_caller_id_name", Value: "Front desk"}).Legs...)
	dial.Global = append(dial.Global, esl.Var{Name: "origination_caller_id_number", Value: "101"}, esl.Var{Name: "origination_caller_id_name", Value: "Anna"})
	e.send(esl.Bridge(a, "bridge", dial))
	bob, carol := q.Await(), r.Await()
	equal(t, "of all", bob.invite.From().Address.User+" "+bob.invite.From().DisplayName, "101 Anna")
	equal(t, "of one", carol.invite.From().Address.User+" "+carol.invite.From().DisplayName, "15550100 Front desk")
	bob.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	caller.Bye()
	receive(t, bob.Byes, target.Patience, "a BYE")
}

func refusedWith(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	a := e.parked(d)
	e.send(esl.Respond(a, a+"/2", 433))
	res, _ := d.Final()
	equal(t, "the caller gets", res.StatusCode, 433)
	equal(t, "with", res.Reason, "Anonymity Disallowed")
	end := e.event(a, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "cause", end.Get("Hangup-Cause"), "NORMAL_UNSPECIFIED")
}
