package conformance

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"tandem/esl"
)

// dialogClaims are about what carrying a dialog on elsewhere rests on: the facts of each answered leg in its variables
// (mod_sofia, sofia.c: extract_header_vars, extract_vars).
func dialogClaims() []Claim {
	return []Claim{
		{"after the ACK a caller's variables hold the whole dialog", callersDialog},
		{"at the answer a callee's variables hold the whole dialog", calleesDialog},
		{"the descriptions of both sides and what was agreed are variables", agreedMedia},
		{"the top Via tells whose request the variables are from", whoseRequest},
		{"a caller's re-INVITE moves his number and the node's description on", callersReinvite},
		{"a callee's re-INVITE turns From and To round", calleesReinvite},
	}
}

// dump are all facts about a leg.
func (e *engine) dump(uuid string) map[string]string {
	e.t.Helper()
	facts := map[string]string{}
	reply := e.send(esl.UUIDDump(uuid))
	if err := json.Unmarshal(reply.Body, &facts); err != nil {
		e.t.Fatalf("uuid_dump: %v: %s", err, reply.Body)
	}
	return facts
}

// party is a From or To without its display name.
func party(value string) string {
	if at := strings.LastIndexByte(value, '<'); at >= 0 {
		return value[at:]
	}
	return value
}

// line is the first line of a description that begins so.
func line(sdp, prefix string) string {
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimRight(l, "\r\n")
		}
	}
	return ""
}

// origin is the user, the id and the version of a description. The address is not that of the variable on the wire:
// sofia-sip chooses one of the machine's (soa.c, soa_init_sdp_origin_with_session).
func origin(sdp string) string {
	fields := strings.Fields(line(sdp, "o="))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func callersDialog(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	p.alias = "192.0.2.7~5060~1"
	route := "<sip:" + p.Addr() + ";lr>"
	d := p.Call(target.SIP, "1000", sip.NewHeader("Record-Route", route))
	uuid := e.parked(d)
	e.send(esl.Answer(uuid, "answer"))
	d.Final()
	e.done("answer")
	e.until("the ACK's arrival", func() bool { return e.text(esl.UUIDGetvar(uuid, "sip_to_tag")) != "_undef_" })
	facts, tag := e.dump(uuid), d.localTag
	ours, _ := d.answer.To().Params.Get("tag")
	for name, want := range map[string]string{
		"Answer-State": "answered", "Call-Direction": "inbound", "variable_sip_call_id": d.invite.CallID().Value(),
		"variable_sip_cseq": "1", "variable_sip_contact_uri": "alice@" + p.Addr(), "variable_sip_contact_params": "alias=" + p.alias,
		"variable_sip_invite_route_uri": route, "variable_sofia_profile_name": target.Profile, "variable_sip_via_protocol": "udp",
		"variable_sip_network_ip": p.host, "variable_sip_network_port": strings.TrimPrefix(p.Addr(), p.host+":"),
	} {
		equal(t, name, facts[name], want)
	}
	equal(t, "sip_full_from", party(facts["variable_sip_full_from"]), "<sip:alice@"+p.Addr()+">;tag="+tag)
	equal(t, "sip_full_to", party(facts["variable_sip_full_to"]), "<sip:1000@"+target.SIP+">;tag="+ours)
	for _, name := range []string{"Caller-Channel-Answered-Time", "Event-Date-Timestamp"} {
		equal(t, name+": digits", len(facts[name]), 16)
	}
	e.text(esl.UUIDKill(uuid, "NORMAL_CLEARING"))
}

func calleesDialog(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.answered(e.phone())
	q := e.phone()
	route := "<sip:" + q.Addr() + ";lr>"
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	callee.recordRoute = []string{route}
	callee.Respond(200, "OK", true)
	ev := e.event(b, "CHANNEL_ANSWER")
	ours, _ := callee.invite.From().Params.Get("tag")
	for name, want := range map[string]string{
		"Answer-State": "answered", "Call-Direction": "outbound", "variable_sip_call_id": callee.invite.CallID().Value(),
		"variable_sip_recover_contact": "<sip:bob@" + q.Addr() + ">", "variable_sip_invite_route_uri": route,
		"variable_sip_cseq":           callee.invite.CSeq().Value()[:strings.IndexByte(callee.invite.CSeq().Value(), ' ')],
		"variable_sofia_profile_name": target.Profile, "variable_sip_network_ip": q.host,
	} {
		equal(t, name, ev.Get(name), want)
	}
	equal(t, "sip_full_from: tag", strings.HasSuffix(ev.Variable("sip_full_from"), ">;tag="+ours), true)
	equal(t, "sip_full_to: tag", strings.HasSuffix(ev.Variable("sip_full_to"), ">;tag="+callee.localTag), true)
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func agreedMedia(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.answered(e.phone())
	q := e.phone()
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	for _, leg := range []struct{ uuid, sent, got string }{
		{a, string(caller.answer.Body()), string(caller.invite.Body())},
		{b, string(callee.invite.Body()), string(callee.answer.Body())},
	} {
		facts := e.dump(leg.uuid)
		equal(t, "rtp_local_sdp_str o=", origin(facts["variable_rtp_local_sdp_str"]), origin(leg.sent))
		equal(t, "switch_r_sdp o=", origin(facts["variable_switch_r_sdp"]), origin(leg.got))
		equal(t, "rtp_local_sdp_str m=", line(facts["variable_rtp_local_sdp_str"], "m=audio"), line(leg.sent, "m=audio"))
		equal(t, "switch_r_sdp m=", line(facts["variable_switch_r_sdp"], "m=audio"), line(leg.got, "m=audio"))
		for name, want := range map[string]string{"rtp_last_audio_codec_string": "PCMU@8000h@20i@1c", "rtp_use_pt": "0",
			"rtp_2833_send_payload": "101", "rtp_2833_recv_payload": "101"} {
			equal(t, name, facts["variable_"+name], want)
		}
	}
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

// sentBy is the host and port of the top Via.
func sentBy(via string) string {
	fields := strings.Fields(via)
	if len(fields) < 2 {
		return ""
	}
	host, _, _ := strings.Cut(fields[1], ";")
	return host
}

func whoseRequest(t *testing.T, target Target) {
	e := open(t, target)
	p, q := e.phone(), e.phone()
	a, caller := e.answered(p)
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	for uuid, want := range map[string]string{a: p.Addr(), b: target.SIP} {
		facts := e.dump(uuid)
		equal(t, "sip_full_via", sentBy(facts["variable_sip_full_via"]), want)
		_, us, _ := strings.Cut(facts["variable_sofia_profile_url"], "@")
		us, _, _ = strings.Cut(us, ";")
		equal(t, "sofia_profile_url", us, target.SIP)
	}
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}

func callersReinvite(t *testing.T, target Target) {
	e := open(t, target)
	uuid, d := e.answered(e.phone())
	before := e.dump(uuid)
	res := d.Reinvite("sendonly")
	equal(t, "re-INVITE", res.StatusCode, 200)
	e.event(uuid, "CHANNEL_HOLD")
	sent := origin(string(res.Body()))
	e.until("the description of the answer", func() bool {
		return origin(e.dump(uuid)["variable_rtp_local_sdp_str"]) == sent
	})
	if had := origin(before["variable_rtp_local_sdp_str"]); had == sent {
		t.Errorf("the version of the node's description stays: %s", had)
	}
	e.until("the number of the ACK", func() bool { return e.dump(uuid)["variable_sip_cseq"] == "2" })
	facts := e.dump(uuid)
	for _, name := range []string{"variable_sip_full_from", "variable_sip_full_to", "variable_sip_contact_uri"} {
		equal(t, name, facts[name], before[name])
	}
	d.Bye()
}

func calleesReinvite(t *testing.T, target Target) {
	e := open(t, target)
	a, caller := e.answered(e.phone())
	q := e.phone()
	b := fresh(a)
	e.send(esl.Bridge(a, "bridge", legTo(target, q, "bob", esl.Var{Name: "origination_uuid", Value: b})))
	callee := q.Await()
	callee.Respond(200, "OK", true)
	e.event(a, "CHANNEL_BRIDGE")
	equal(t, "re-INVITE", callee.Reinvite("sendonly").StatusCode, 200)
	e.until("the callee as From", func() bool {
		return strings.HasSuffix(e.dump(b)["variable_sip_full_from"], ">;tag="+callee.localTag)
	})
	facts := e.dump(b)
	ours, _ := callee.invite.From().Params.Get("tag")
	equal(t, "sip_full_to: tag", strings.HasSuffix(facts["variable_sip_full_to"], ">;tag="+ours), true)
	equal(t, "sip_full_via", sentBy(facts["variable_sip_full_via"]), q.Addr())
	equal(t, "sip_recover_contact, from the ACK", facts["variable_sip_recover_contact"], "<sip:alice@"+q.Addr()+">")
	caller.Bye()
	receive(t, callee.Byes, target.Patience, "a BYE")
}
