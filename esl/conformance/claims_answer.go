package conformance

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"tandem/esl"
)

func answerClaims() []Claim {
	return []Claim{
		{"a call parks without ringing, and its events are full", callParks},
		{"private headers become variables", privateHeaders},
		{"a command's id comes back", idComesBack},
		{"ring_ready rings once", ringReady},
		{"pre_answer is early media", preAnswer},
		{"answer passes through early media and reaches the phone", answerReaches},
		{"our tag is known only after the ACK", tagAfterAck},
		{"hold and its end are events", hold},
		{"a session refresh is answered and changes nothing", refresh},
		{"a request older than the last is refused", oldRequest},
		{"the route set of the INVITE is followed", routeSet},
		{"the route set of a callee's answer is followed", answeredRouteSet},
	}
}

func callParks(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.inOrder(uuid, "CHANNEL_CREATE", "CHANNEL_EXECUTE park", "CHANNEL_PARK")
	ev := e.event(uuid, "CHANNEL_PARK")
	for name, want := range map[string]string{
		"Call-Direction": "inbound", "Answer-State": "ringing", "Channel-State": "CS_EXECUTE", "Channel-Call-State": "RINGING",
		"Caller-Caller-ID-Name": "Alice", "Caller-Caller-ID-Number": "alice", "Caller-Destination-Number": "1000",
		"Caller-Channel-Answered-Time": "0", "Caller-Network-Addr": "127.0.0.1", "Caller-Unique-ID": uuid,
		"variable_sip_req_user": "1000", "variable_sip_from_tag": d.localTag,
		"variable_sip_contact_uri":    "alice@" + d.phone.Addr(),
		"variable_sofia_profile_name": target.Profile, "variable_current_application": "park",
	} {
		equal(t, name, ev.Get(name), want)
	}
	if got := ev.Variable("sip_full_from"); !strings.HasSuffix(got, "<sip:alice@"+d.phone.Addr()+">;tag="+d.localTag) {
		t.Errorf("sip_full_from: %q", got)
	}
	if got := ev.Variable("switch_r_sdp"); !strings.Contains(got, "m=audio") {
		t.Errorf("switch_r_sdp: %q", got)
	}
	if got := ev.Get("Caller-Channel-Created-Time"); len(got) != 16 {
		t.Errorf("Caller-Channel-Created-Time is not in microseconds: %q", got)
	}
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	if _, provisional := d.Final(); len(provisional) != 0 {
		t.Errorf("the phone heard %v before anyone said so", provisional)
	}
}

func privateHeaders(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000", sip.NewHeader("X-Tandem-Call", "9f1c"), sip.NewHeader("X-Tandem-Caller", "+49 30; a=b"),
		sip.NewHeader("P-Asserted-Identity", "<sip:+4930@x.invalid>"))
	uuid := e.parked(d)
	ev := e.event(uuid, "CHANNEL_PARK")
	equal(t, "X-Tandem-Call", ev.Variable("sip_h_X-Tandem-Call"), "9f1c")
	equal(t, "X-Tandem-Caller", ev.Variable("sip_h_X-Tandem-Caller"), "+49 30; a=b")
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	d.Final()
}

func idComesBack(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.send(esl.Set(uuid, "8a1f/2", "claim", "hello, world"))
	ev := e.done("8a1f/2")
	equal(t, "Application", ev.Get("Application"), "set")
	equal(t, "Application-Data", ev.Get("Application-Data"), "claim=hello, world")
	equal(t, "Application-Response", ev.Get("Application-Response"), "_none_")
	equal(t, "variable", ev.Variable("claim"), "hello, world")
	equal(t, "uuid_getvar", e.text(esl.UUIDGetvar(uuid, "claim")), "hello, world")
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	d.Final()
}

func ringReady(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.send(esl.RingReady(uuid, "ring-1"))
	e.done("ring-1")
	e.send(esl.RingReady(uuid, "ring-2"))
	e.done("ring-2")
	e.inOrder(uuid, "CHANNEL_EXECUTE ring_ready", "CHANNEL_PROGRESS", "CHANNEL_EXECUTE_COMPLETE ring_ready")
	e.text(esl.UUIDKill(uuid, "USER_BUSY"))
	res, provisional := d.Final()
	equal(t, "final", res.StatusCode, 486)
	if len(provisional) != 1 || provisional[0] != 180 {
		t.Errorf("provisional responses %v", provisional)
	}
}

func preAnswer(t *testing.T, target Target) {
	e := open(t, target)
	d := e.phone().Call(target.SIP, "1000")
	uuid := e.parked(d)
	e.send(esl.PreAnswer(uuid, "pre"))
	ev := e.event(uuid, "CHANNEL_PROGRESS_MEDIA")
	equal(t, "Answer-State", ev.Get("Answer-State"), "early")
	res := d.NextResponse()
	equal(t, "status", res.StatusCode, 183)
	if !strings.Contains(string(res.Body()), "m=audio ") {
		t.Errorf("no description in the 183:\n%s", res.Body())
	}
	e.done("pre")
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	d.Final()
}

func answerReaches(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	e.inOrder(uuid, "CHANNEL_EXECUTE answer", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER", "CHANNEL_EXECUTE_COMPLETE answer")
	ev := e.event(uuid, "CHANNEL_ANSWER")
	equal(t, "Answer-State", ev.Get("Answer-State"), "answered")
	for _, header := range []string{"Caller-Channel-Answered-Time", "Channel-Read-Codec-Name", "variable_rtp_local_sdp_str", "variable_local_media_port", "variable_remote_media_ip"} {
		if value := ev.Get(header); value == "" || value == "0" {
			t.Errorf("%s: %q", header, value)
		}
	}
	equal(t, "codec", ev.Get("Channel-Read-Codec-Name"), "PCMU")
	body := string(d.answer.Body())
	if !strings.Contains(body, "RTP/AVP 0 101\r\n") || !strings.Contains(body, "telephone-event/8000") {
		t.Errorf("the answer's description:\n%s", body)
	}
	if d.answer.Contact() == nil {
		t.Error("no Contact in the answer")
	}
	d.Bye()
	ev = e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
	equal(t, "cause", ev.Get("Hangup-Cause"), "NORMAL_CLEARING")
	equal(t, "disposition", ev.Variable("sip_hangup_disposition"), "recv_bye")
}

func tagAfterAck(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	if tag := e.event(uuid, "CHANNEL_ANSWER").Variable("sip_to_tag"); tag != "" {
		t.Errorf("CHANNEL_ANSWER has the tag %q already", tag)
	}
	tag, _ := d.answer.To().Params.Get("tag")
	e.until("the tag in the dump", func() bool { return e.text(esl.UUIDGetvar(uuid, "sip_to_tag")) == tag })
	d.Bye()
}

func hold(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	res := d.Reinvite("sendonly")
	equal(t, "re-INVITE", res.StatusCode, 200)
	if body := string(res.Body()); !strings.Contains(body, "a=recvonly") {
		t.Errorf("the answer to sendonly:\n%s", body)
	}
	equal(t, "state", e.event(uuid, "CHANNEL_HOLD").Get("Channel-Call-State"), "HELD")
	equal(t, "re-INVITE", d.Reinvite("sendrecv").StatusCode, 200)
	equal(t, "state", e.event(uuid, "CHANNEL_UNHOLD").Get("Channel-Call-State"), "UNHELD")
	d.Bye()
}

func refresh(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	equal(t, "re-INVITE", d.Reinvite("").StatusCode, 200)
	equal(t, "OPTIONS", d.Do(sip.OPTIONS, "", nil).StatusCode, 200)
	e.absent(uuid, "CHANNEL_HOLD")
	d.Bye()
	e.event(uuid, "CHANNEL_HANGUP_COMPLETE")
	e.absent(uuid, "CHANNEL_HOLD")
}

func oldRequest(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	equal(t, "re-INVITE", d.Reinvite("").StatusCode, 200)
	d.seq -= 2
	equal(t, "an older BYE", d.Do(sip.BYE, "", nil).StatusCode, 500)
	equal(t, "the call", e.text(esl.UUIDExists(uuid)), "true")
	d.seq += 5
	d.Bye()
}

func routeSet(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	first, second := "<sip:"+p.Addr()+";r2=on;lr>", "<sip:127.0.0.9:5099;r2=on;lr>"
	d := p.Call(target.SIP, "1000", sip.NewHeader("Record-Route", first), sip.NewHeader("Record-Route", second))
	uuid := e.parked(d)
	e.send(esl.Answer(uuid, "answer"))
	d.Final()
	e.done("answer")
	equal(t, "sip_invite_route_uri", e.text(esl.UUIDGetvar(uuid, "sip_invite_route_uri")), first+","+second)
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
	bye := receive(t, d.Byes, target.Patience, "a BYE")
	equal(t, "Route", routes(bye), first+","+second)
	equal(t, "Request-URI", bye.Recipient.User, "alice")
}

func answeredRouteSet(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.answered(e.phone())
	q := e.phone()
	inner, outer := "<sip:127.0.0.9:5099;r2=on;lr>", "<sip:"+q.Addr()+";r2=on;lr>"
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	callee.recordRoute = []string{inner, outer} // as a proxy between would have left them
	callee.Respond(200, "OK", true)
	ack := receive(t, callee.Acks, target.Patience, "the ACK")
	equal(t, "Route of the ACK", routes(ack), outer+","+inner)
	equal(t, "sip_invite_route_uri", e.text(esl.UUIDGetvar(b, "sip_invite_route_uri")), outer+","+inner)
	caller.Bye()
	bye := receive(t, callee.Byes, target.Patience, "a BYE")
	equal(t, "Route of the BYE", routes(bye), outer+","+inner)
	equal(t, "Request-URI", bye.Recipient.User, "bob")
}

// routes are a request's Route headers.
func routes(req *sip.Request) string {
	var routes []string
	for _, h := range req.GetHeaders("Route") {
		routes = append(routes, h.Value())
	}
	return strings.Join(routes, ",")
}
