package conformance

import (
	"strconv"
	"testing"

	"tandem/esl"
)

func hangupClaims() []Claim {
	return []Claim{
		{"a cause becomes a SIP code with a Reason", causesAtPhone},
		{"an answered call ends with BYE and a Reason", byeReason},
		{"a failed callee's code overrides the cause, unless told otherwise", remoteCause},
		{"a caller who cancels while parked ends with ORIGINATOR_CANCEL", cancelWhileParked},
		{"the last event has the figures of a bill", billFigures},
		{"a dead call has no variables", deadCallHasNothing},
		{"an unknown application is accepted and hangs up", unknownApplication},
		{"the message to hang up runs from the call's own thread", hangupMessage},
		{"respond answers with a code of one's own", respondCode},
		{"a peer's Q.850 reason becomes the cause", peerReason},
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func causesAtPhone(t *testing.T, target Target) {
	for _, row := range []struct {
		cause  string
		code   int
		reason string
	}{
		{"NORMAL_CLEARING", 480, `Q.850;cause=16;text="NORMAL_CLEARING"`},
		{"USER_BUSY", 486, `Q.850;cause=17;text="USER_BUSY"`},
		{"NO_USER_RESPONSE", 408, `Q.850;cause=18;text="NO_USER_RESPONSE"`},
		{"NO_ANSWER", 480, `Q.850;cause=19;text="NO_ANSWER"`},
		{"CALL_REJECTED", 603, `Q.850;cause=21;text="CALL_REJECTED"`},
		{"UNALLOCATED_NUMBER", 404, `Q.850;cause=1;text="UNALLOCATED_NUMBER"`},
		{"INVALID_NUMBER_FORMAT", 484, `Q.850;cause=28;text="INVALID_NUMBER_FORMAT"`},
		{"NORMAL_TEMPORARY_FAILURE", 503, `Q.850;cause=41;text="NORMAL_TEMPORARY_FAILURE"`},
		{"DESTINATION_OUT_OF_ORDER", 502, `Q.850;cause=27;text="DESTINATION_OUT_OF_ORDER"`},
		{"OUTGOING_CALL_BARRED", 403, `Q.850;cause=52;text="OUTGOING_CALL_BARRED"`},
		{"INCOMPATIBLE_DESTINATION", 488, `Q.850;cause=88;text="INCOMPATIBLE_DESTINATION"`},
		{"EXCHANGE_ROUTING_ERROR", 483, `Q.850;cause=25;text="EXCHANGE_ROUTING_ERROR"`},
		{"RECOVERY_ON_TIMER_EXPIRE", 504, `Q.850;cause=102;text="RECOVERY_ON_TIMER_EXPIRE"`},
		{"ALLOTTED_TIMEOUT", 480, `SIP;cause=802;text="ALLOTTED_TIMEOUT"`},
		{"ORIGINATOR_CANCEL", 487, `SIP;cause=487;text="ORIGINATOR_CANCEL"`},
	} {
		e := open(t, target)
		d := e.phone().Call(target.SIP, "1000")
		uuid := e.parked(d)
		e.text(esl.UUIDKill(uuid, row.cause))
		res, _ := d.Final()
		equal(t, row.cause, res.StatusCode, row.code)
		if h := res.GetHeader("Reason"); h == nil || h.Value() != row.reason {
			t.Errorf("%s: Reason %v, not %s", row.cause, h, row.reason)
		}
		ev := e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
		equal(t, row.cause, ev.Variable("hangup_cause"), row.cause)
		equal(t, row.cause, ev.Variable("sip_hangup_disposition"), "send_refuse")
	}
}

func byeReason(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.text(esl.UUIDKill(uuid, "CALL_REJECTED"))
	bye := receive(t, d.Byes, target.Patience, "a BYE")
	if h := bye.GetHeader("Reason"); h == nil || h.Value() != `Q.850;cause=21;text="CALL_REJECTED"` {
		t.Errorf("Reason: %v", h)
	}
	equal(t, "disposition", e.event(uuid, "CHANNEL_HANGUP_COMPLETE").Variable("sip_hangup_disposition"), "send_bye")
}

func remoteCause(t *testing.T, target Target) {
	for _, row := range []struct {
		ignore string
		code   int
	}{{"", 486}, {"true", 404}} {
		e := open(t, target)
		p, q := e.phone(), e.phone()
		d := p.Call(target.SIP, "1000")
		a := e.parked(d)
		e.send(esl.Set(a, "cof", "continue_on_fail", "true"))
		e.done("cof")
		if row.ignore != "" {
			e.send(esl.Set(a, "ignore", "sip_ignore_remote_cause", row.ignore))
			e.done("ignore")
		}
		e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
		callee := q.Await()
		callee.Respond(180, "Ringing", false)
		d.NextResponse()
		callee.Respond(486, "Busy Here", false)
		e.done("bridge")
		e.text(esl.UUIDKill(a, "UNALLOCATED_NUMBER"))
		res, _ := d.Final()
		equal(t, "with sip_ignore_remote_cause="+row.ignore, res.StatusCode, row.code)
	}
}

func cancelWhileParked(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	d.Cancel()
	res, _ := d.Final()
	equal(t, "INVITE", res.StatusCode, 487)
	ev := e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
	for name, want := range map[string]string{
		"Hangup-Cause": "ORIGINATOR_CANCEL", "variable_hangup_cause_q850": "16", "variable_sip_hangup_disposition": "recv_cancel",
		"variable_sip_term_status": "487", "variable_sip_invite_failure_status": "487", "variable_proto_specific_hangup_cause": "sip:487",
		"variable_billsec": "0",
	} {
		equal(t, name, ev.Get(name), want)
	}
	e.event(uuid, "CHANNEL_DESTROY")
	e.inOrder(uuid, "CHANNEL_PARK", "CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY")
}

func billFigures(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Sleep(uuid, "talk", 1_100_000_000))
	e.done("talk")
	d.Bye()
	ev := e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
	for _, name := range []string{"start_uepoch", "answer_uepoch", "end_uepoch", "start_epoch", "answer_epoch", "end_epoch",
		"start_stamp", "answer_stamp", "end_stamp", "duration", "billsec", "mduration", "billmsec", "billusec", "uduration"} {
		if value := ev.Variable(name); value == "" || value == "0" {
			t.Errorf("%s: %q", name, value)
		}
	}
	number := func(name string) int {
		n, err := strconv.Atoi(ev.Variable(name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return n
	}
	equal(t, "billusec is end less answer", number("billusec"), number("end_uepoch")-number("answer_uepoch"))
	if ms := number("billmsec"); ms < 1000 || ms > int(target.Patience.Milliseconds()) {
		t.Errorf("billmsec: %d", ms)
	}
	equal(t, "bridge_epoch", ev.Variable("bridge_epoch"), "0")
	equal(t, "Caller-Channel-Hangup-Time", ev.Get("Caller-Channel-Hangup-Time"), ev.Variable("end_uepoch"))
}

func deadCallHasNothing(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	d.Bye()
	e.event(uuid, "CHANNEL_DESTROY")
	equal(t, "uuid_getvar", e.text(esl.UUIDGetvar(uuid, "billsec")), "-ERR No such channel!")
	equal(t, "uuid_dump", e.text(esl.UUIDDump(uuid)), "-ERR No such channel!")
	equal(t, "uuid_exists", e.text(esl.UUIDExists(uuid)), "false")
	equal(t, "sendmsg", e.send(esl.Answer(uuid, "late")).Text, "-ERR invalid session id ["+uuid+"]")
}

func unknownApplication(t *testing.T, target Target) {
	e := open(t, target)
	r := openRaw(t, target)
	uuid, d := e.answered(e.phone())
	equal(t, "reply", r.command("sendmsg "+uuid, "call-command: execute", "execute-app-name: nosuchapp", "execute-app-arg: x", "event-uuid: bad-app"), "+OK")
	receive(t, d.Byes, target.Patience, "a BYE")
	equal(t, "cause", e.event(uuid, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "DESTINATION_OUT_OF_ORDER")
	e.absent(uuid, "CHANNEL_EXECUTE nosuchapp")
}

func hangupMessage(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.send(esl.Playback(uuid, "play", "silence_stream://300").Locked())
	e.send(esl.Hangup(uuid, "NORMAL_CLEARING"))
	receive(t, d.Byes, target.Patience, "a BYE")
	e.event(uuid, "CHANNEL_DESTROY")
	equal(t, "the file before", e.done("play").Get("Application-Response"), "FILE PLAYED")
	e.inOrder(uuid, "CHANNEL_EXECUTE_COMPLETE playback", "CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE park", "CHANNEL_HANGUP_COMPLETE")
}

func respondCode(t *testing.T, target Target) {
	e := open(t, target)
	r := openRaw(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	r.command("sendmsg "+uuid, "call-command: execute", "execute-app-name: respond", "execute-app-arg: 480 Tenant is full")
	res, _ := d.Final()
	equal(t, "code", res.StatusCode, 480)
	equal(t, "phrase", res.Reason, "Tenant is full")
	e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
}

func peerReason(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	d.byeWithReason(`Q.850;cause=31;text="local"`)
	equal(t, "cause", e.event(uuid, "CHANNEL_HANGUP_COMPLETE").Get("Hangup-Cause"), "NORMAL_UNSPECIFIED")
}
