package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"tandem/esl"
)

// edgeClaims are about what is unusual on the wire.
func edgeClaims() []Claim {
	return []Claim{
		{"a call without a common codec ends with 488 when it is answered", noCodec},
		{"a call that requires 100rel is refused", require100rel},
		{"a request for a dialog that does not exist gets 481", unknownDialog},
		{"OPTIONS outside a dialog is answered", optionsAnswered},
		{"an answer is repeated until its ACK comes", answerRepeated},
		{"uuid_break all drops what is queued", breakAll},
		{"a variable that is exported reaches the callee's leg", exported},
		{"a key pressed in a bridge is an event of the leg that pressed it", keyInBridge},
		{"a callee who cannot be reached in time is retried by nobody", oneInvitePerLeg},
		{"hostile names do not become headers", hostileNames},
	}
}

func noCodec(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	p.codecs = "9 96\r\na=rtpmap:9 G722/8000\r\na=rtpmap:96 opus/48000/2"
	d := p.Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.send(esl.Answer(uuid, "answer"))
	res, _ := d.Final()
	equal(t, "final", res.StatusCode, 488)
	equal(t, "cause", e.event(uuid, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "INCOMPATIBLE_DESTINATION")
	e.absent(uuid, "CHANNEL_ANSWER")
}

func require100rel(t *testing.T, target Target) {
	e := open(t, target)
	res, _ := e.phone().callWith(target.SIP, "Require", "100rel").Final()
	equal(t, "final", res.StatusCode, 420)
}

func unknownDialog(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	d.answer.To().Params.Remove("tag")
	d.answer.To().Params.Add("tag", "nobody-s-tag")
	equal(t, "BYE", d.Do(sip.BYE, "", nil).StatusCode, 481)
	equal(t, "the call", e.text(esl.UUIDExists(uuid)), "true")
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	receive(t, d.Byes, target.Patience, "a BYE")
}

func optionsAnswered(t *testing.T, target Target) {
	e := open(t, target)
	equal(t, "OPTIONS", e.phone().options(target.SIP).StatusCode, 200)
}

func answerRepeated(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	p.slowAck = true
	d := p.Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.send(esl.Answer(uuid, "answer"))
	d.Final()
	d.again() // the second 200
	e.done("answer")
	d.Bye()
	e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
}

func breakAll(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "one", "silence_stream://60000").Locked())
	e.event(uuid, "PLAYBACK_START")
	e.send(esl.Playback(uuid, "two", "silence_stream://60000").Locked())
	e.text(esl.UUIDBreak(uuid, true))
	e.done("one")
	e.send(esl.Set(uuid, "after", "claim", "yes"))
	e.done("after")
	if slices.Contains(e.ends(uuid, "one", "two", "after"), "two") {
		t.Error("the second file was played")
	}
	d.Bye()
}

func exported(t *testing.T, target Target) {
	e := open(t, target)
	r := openRaw(t, target)
	a, caller := e.goingOn()
	q := e.phone()
	r.command("sendmsg "+a, "call-command: execute", "execute-app-name: export", "execute-app-arg: claim_export=7", "event-uuid: export")
	e.done("export")
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	equal(t, "on the callee's leg", e.event(b, "CHANNEL_CREATE").Variable("claim_export"), "7")
	callee.Respond(486, "Busy Here", false)
	e.done("bridge")
	caller.Bye()
}

func keyInBridge(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("true")
	caller.telephoneEvents("3", 3)
	e.until("the caller's key", func() bool { return e.keys(a) == "3" })
	callee.telephoneEvents("9", 3)
	e.until("the callee's key", func() bool { return e.keys(b) == "9" })
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func oneInvitePerLeg(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.goingOn()
	q := e.phone()
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
	q.Await().Respond(503, "Service Unavailable", false)
	e.done("bridge")
	select {
	case <-q.incoming:
		t.Error("a second INVITE came")
	default:
	}
	caller.Bye()
}

func hostileNames(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	p.name = `Eve" <sip:root@x>${hostname}, [a=b]|,'`
	d := p.Call(target.SIP, "1000", sip.NewHeader("X-Tandem-Note", "${hostname}"), sip.NewHeader("X-Tandem-Other", "%0d%0aX-Evil: 1"))
	a := e.parked(d)
	ev := e.event(a, "CHANNEL_PARK")
	equal(t, "a header that would be expanded", ev.Variable("sip_h_X-Tandem-Note"), "")
	equal(t, "a header that would not", ev.Variable("sip_h_X-Tandem-Other"), "%0d%0aX-Evil: 1")
	if name := ev.Get("Caller-Caller-ID-Name"); !strings.Contains(name, "%{hostname}") || strings.Contains(name, "${") {
		t.Errorf("the caller's name: %s", name)
	}
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
	callee := q.Await()
	if h := callee.invite.GetHeader("X-Evil"); h != nil {
		t.Errorf("a header was made: %v", h)
	}
	if from := callee.invite.From(); from.Address.User != "alice" || strings.Contains(from.Address.Host, "x") {
		t.Errorf("From: %v", from)
	}
	callee.Respond(486, "Busy Here", false)
	d.Final()
}
