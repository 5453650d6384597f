package conformance

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"tandem/esl"
)

func bridgeClaims() []Claim {
	return []Claim{
		{"a bridge rings, answers and joins in this order", bridgeOrder},
		{"an unanswered caller hears ringing and is answered with the callee", bridgeAnswersCaller},
		{"what a leg's variables say is in its INVITE", legVariables},
		{"a leg goes through the proxy that its path names", legPath},
		{"the caller's private headers are copied unless told otherwise", copiedHeaders},
		{"the first to answer wins and the others are cancelled", loseRace},
		{"targets in sequence are tried one after the other", sequential},
		{"a callee's BYE returns the caller to park", calleeByeParks},
		{"hangup_after_bridge ends the caller with the callee", hangupAfterBridge},
		{"park_after_bridge parks the caller again", parkAfterBridge},
		{"a caller's BYE ends the callee", callerBye},
		{"early media is passed on", earlyMedia},
		{"ignored early media leaves the caller ringing", ignoredEarlyMedia},
		{"a caller who cancels while it rings cancels the callee", cancelWhileRinging},
		{"uuid_bridge joins two parked calls", uuidBridge},
		{"uuid_transfer parks a bridged caller and ends the callee", transferPark},
		{"uuid_transfer -both parks both", transferBoth},
		{"an id that is taken makes no leg", duplicateID},
	}
}

// legTo is a dial string to one phone.
func legTo(target Target, p *Phone, user string, vars ...esl.Var) esl.DialString {
	return esl.DialString{Legs: []esl.DialLeg{{Profile: target.Profile, URI: p.URI(user), Vars: vars}}}
}

// fresh makes an id for a leg that shares its first eight digits with another.
func fresh(uuidA string) string { return uuidA[:8] + uuid.NewString()[8:] }

// bridged brings a caller and a callee together.
func (e *engine) bridged(hangupAfter string) (a, b string, caller, callee *Dialog) {
	e.t.Helper()
	p, q := e.phone(), e.phone()
	a, caller = e.answered(p)
	if hangupAfter != "" {
		e.send(esl.Set(a, "hab", "hangup_after_bridge", hangupAfter))
		e.done("hab")
	}
	b = fresh(a)
	e.send(esl.Bridge(a, a+"/bridge", legTo(e.target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee = q.Await()
	callee.Respond(180, "Ringing", false)
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	receive(e.t, callee.Acks, e.target.Patience, "the ACK")
	return a, b, caller, callee
}

func bridgeOrder(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("")
	ev := e.event(a, "CHANNEL_BRIDGE")
	for name, want := range map[string]string{
		"Bridge-A-Unique-ID": a, "Bridge-B-Unique-ID": b, "Other-Leg-Unique-ID": b, "Other-Type": "originatee",
		"Caller-Callee-ID-Number": "bob", "variable_originate_disposition": "SUCCESS", "variable_DIALSTATUS": "SUCCESS", "variable_signal_bond": b,
	} {
		equal(t, name, ev.Get(name), want)
	}
	e.inOrder(b, "CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_ANSWER")
	e.absent(b, "CHANNEL_BRIDGE")
	answer := e.event(b, "CHANNEL_ANSWER")
	for name, want := range map[string]string{
		"Call-Direction": "outbound", "Other-Type": "originator", "Other-Leg-Unique-ID": a, "Channel-Call-UUID": a,
		"Caller-Destination-Number": "bob", "Caller-Caller-ID-Name": "Alice",
	} {
		equal(t, name, answer.Get(name), want)
	}
	if answer.Variable("sip_to_tag") != callee.localTag || answer.Variable("sip_from_tag") == "" || answer.Variable("sip_call_id") != callee.invite.CallID().Value() {
		t.Errorf("the outbound CHANNEL_ANSWER lacks the dialog: to %q, from %q, Call-ID %q",
			answer.Variable("sip_to_tag"), answer.Variable("sip_from_tag"), answer.Variable("sip_call_id"))
	}
	equal(t, "From", callee.invite.From().DisplayName, "Alice")
	equal(t, "From user", callee.invite.From().Address.User, "alice")
	callee.Bye()
	e.event(b, "CHANNEL_DESTROY")
	e.done(a + "/bridge")
	e.inOrder(a, "CHANNEL_EXECUTE bridge", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_EXECUTE_COMPLETE bridge")
	caller.Bye()
}

func bridgeAnswersCaller(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	d := p.Call(target.SIP, "1000")
	a := e.parked(d)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	equal(t, "first", d.NextResponse().StatusCode, 180)
	callee.Respond(200, "OK", true)
	res, _ := d.Final()
	equal(t, "then", res.StatusCode, 200)
	e.event(a, "CHANNEL_BRIDGE")
	e.inOrder(a, "CHANNEL_EXECUTE bridge", "CHANNEL_PROGRESS", "CHANNEL_ANSWER", "CHANNEL_BRIDGE")
	d.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func legVariables(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, caller := e.answered(p)
	b := fresh(a)
	dial := legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})
	dial.Global = []esl.Var{
		{Name: "origination_caller_id_name", Value: "Front desk"}, {Name: "origination_caller_id_number", Value: "+4930123"},
		{Name: "sip_h_X-Tandem-Leg", Value: "4"}, {Name: "claim", Value: "one, two"},
	}
	e.send(esl.Bridge(a, "bridge", dial))
	callee := q.Await()
	equal(t, "name", callee.invite.From().DisplayName, "Front desk")
	equal(t, "number", strings.ReplaceAll(callee.invite.From().Address.User, "%2B", "+"), "+4930123")
	if h := callee.invite.GetHeader("X-Tandem-Leg"); h == nil || h.Value() != "4" {
		t.Errorf("X-Tandem-Leg: %v", h)
	}
	equal(t, "Request-URI", callee.invite.Recipient.User, "bob")
	create := e.event(b, "CHANNEL_CREATE")
	equal(t, "variable", create.Variable("claim"), "one, two")
	equal(t, "caller", create.Get("Caller-Caller-ID-Number"), "+4930123")
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func legPath(t *testing.T, target Target) {
	e := open(t, target)
	p, edge := e.phone(), e.phone()
	a, caller := e.answered(p)
	dial := esl.DialString{Legs: []esl.DialLeg{{Profile: target.Profile, URI: "sip:bob@192.0.2.77:5062;ob", Path: "sip:" + edge.Addr()}}}
	e.send(esl.Bridge(a, "bridge", dial))
	callee := edge.Await()
	equal(t, "Request-URI host", callee.invite.Recipient.Host, "192.0.2.77")
	if route := callee.invite.Route(); route == nil || route.Address.HostPort() != edge.Addr() || !route.Address.UriParams.Has("lr") {
		t.Errorf("Route: %v", route)
	}
	callee.Respond(486, "Busy Here", false)
	e.event(a, "CHANNEL_HANGUP_COMPLETE")
	receive(t, caller.Byes, target.Patience, "a BYE")
}

func copiedHeaders(t *testing.T, target Target) {
	for _, row := range []struct{ setting, want string }{{"", "9f1c"}, {"false", ""}} {
		e := open(t, target)
		p, q := e.phone(), e.phone()
		d := p.callWith(target.SIP, "X-Tandem-Call", "9f1c")
		a := e.parked(d)
		if row.setting != "" {
			e.send(esl.Set(a, "copy", "sip_copy_custom_headers", row.setting))
			e.done("copy")
		}
		e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob")))
		callee := q.Await()
		got := ""
		if h := callee.invite.GetHeader("X-Tandem-Call"); h != nil {
			got = h.Value()
		}
		equal(t, "with sip_copy_custom_headers="+row.setting, got, row.want)
		callee.Respond(486, "Busy Here", false)
		d.Final()
	}
}

func loseRace(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	one, two := fresh(a), fresh(a)
	dial := legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: one})
	dial.Legs = append(dial.Legs, legTo(target, r, "carol", esl.Var{Name: "origination_uuid", Value: two}).Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	bob, carol := q.Await(), r.Await()
	bob.Respond(180, "Ringing", false)
	carol.Respond(180, "Ringing", false)
	e.event(one, "CHANNEL_PROGRESS")
	e.event(two, "CHANNEL_PROGRESS")
	carol.Respond(200, "OK", true)
	ev := e.event(a, "CHANNEL_BRIDGE")
	equal(t, "joined with", ev.Get("Bridge-B-Unique-ID"), two)
	cancel := receive(t, bob.Cancels, target.Patience, "a CANCEL")
	if h := cancel.GetHeader("Reason"); h == nil || h.Value() != `SIP;cause=200;text="Call completed elsewhere"` {
		t.Errorf("Reason: %v", h)
	}
	lost := e.event(one, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "cause", lost.Get("Hangup-Cause"), "LOSE_RACE")
	equal(t, "disposition", lost.Variable("sip_hangup_disposition"), "send_cancel")
	equal(t, "billsec", lost.Variable("billsec"), "0")
	caller.Bye()
	receive(t, carol.Byes, target.Patience, "a BYE")
}

func sequential(t *testing.T, target Target) {
	e := open(t, target)
	p, q, r := e.phone(), e.phone(), e.phone()
	a, caller := e.answered(p)
	dial := legTo(target, q, "bob")
	dial.Mode = esl.Sequential
	dial.Legs = append(dial.Legs, legTo(target, r, "carol").Legs...)
	e.send(esl.Bridge(a, "bridge", dial))
	q.Await().Respond(503, "Service Unavailable", false)
	carol := r.Await()
	carol.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	caller.Bye()
	receive(t, carol.Byes, target.Patience, "a BYE")
}

func earlyMedia(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	d := p.Call(target.SIP, "1000")
	a := e.parked(d)
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	callee.Respond(183, "Session Progress", true)
	equal(t, "the caller hears", d.NextResponse().StatusCode, 183)
	e.event(b, "CHANNEL_PROGRESS_MEDIA")
	callee.Respond(200, "OK", true)
	res, _ := d.Final()
	equal(t, "then", res.StatusCode, 200)
	e.event(a, "CHANNEL_ANSWER")
	e.event(a, "CHANNEL_BRIDGE")
	e.inOrder(a, "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER")
	d.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func ignoredEarlyMedia(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	d := p.Call(target.SIP, "1000")
	a := e.parked(d)
	dial := legTo(target, q, "bob")
	dial.Global = []esl.Var{{Name: "ignore_early_media", Value: "true"}}
	e.send(esl.Bridge(a, "bridge", dial))
	callee := q.Await()
	callee.Respond(180, "Ringing", false)
	equal(t, "the caller hears", d.NextResponse().StatusCode, 180)
	callee.Respond(183, "Session Progress", true)
	callee.Respond(486, "Busy Here", false)
	res, provisional := d.Final()
	equal(t, "then", res.StatusCode, 486)
	if len(provisional) != 0 {
		t.Errorf("and %v between", provisional)
	}
	e.event(a, "CHANNEL_HANGUP_COMPLETE")
	e.absent(a, "CHANNEL_PROGRESS_MEDIA")
	e.absent(a, "CHANNEL_BRIDGE")
}
