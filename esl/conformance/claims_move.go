package conformance

import (
	"context"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"

	"tandem/esl"
)

// moveClaims are about taking a SIP dialog over that another engine has opened: a re-INVITE by originate (mod_sofia, sofia_glue.c:
// sofia_glue_do_invite reads the variables), and letting one go whose BYE is marked.
func moveClaims() []Claim {
	return []Claim{
		{"originate takes a dialog over by a re-INVITE with its tags, a CSeq one above, its routes, and a header", takesOver},
		{"a leg that was taken over parks under its uuid, and its variables hold the dialog", takenLegsDialog},
		{"a leg that was taken over hangs up with a BYE in the dialog, above the re-INVITE", takenLegsBye},
		{"a phone's BYE ends a leg that was taken over", takenLegEnded},
		{"a phone that knows no dialog refuses the takeover, and its code is in the last event", takeoverRefused(481)},
		{"a phone that has asked for something itself refuses the takeover, and its code is in the last event", takeoverRefused(491)},
		{"a refused takeover can be tried again under the same uuid", takeoverAgain},
		{"two legs that were taken over are joined, and end with each other", takenLegsJoined},
		{"a BYE carries the header that was set for it", markedBye},
	}
}

// foreign is a dialog between a phone and an engine that is no more.
type foreign struct {
	leg, callID, local, remote string
	phone                      *Phone
}

func (e *engine) foreign(p *Phone, user string) foreign {
	leg := uuid.NewString()
	e.calls = append(e.calls, leg[:8])
	return foreign{leg: leg, callID: sip.GenerateTagN(16) + "@gone", local: "<sip:1000@" + e.target.SIP + ">;tag=engine" + sip.GenerateTagN(6),
		remote: "<" + p.URI(user) + ">;tag=phone" + sip.GenerateTagN(6), phone: p}
}

const foreignCSeq = 4711

// dial is what takes the dialog over.
func (f foreign) dial(target Target, more ...esl.Var) esl.DialString {
	vars := append([]esl.Var{{Name: "origination_uuid", Value: f.leg}, {Name: "sip_invite_call_id", Value: f.callID},
		{Name: "sip_handle_full_from", Value: f.local}, {Name: "sip_handle_full_to", Value: f.remote}, {Name: "sip_invite_cseq", Value: "4711"},
		{Name: "originate_timeout", Value: "5"}, {Name: "absolute_codec_string", Value: "PCMU@8000h@20i"}, {Name: "sip_cid_type", Value: "none"},
		{Name: "origination_caller_id_number", Value: "anonymous"}, {Name: "origination_caller_id_name", Value: "anonymous"},
		{Name: "tandem_move", Value: "claim/1"}, {Name: "sip_h_X-Tandem-Move", Value: "FreeSWITCH 1 2 -"}}, more...)
	_, uri, _ := strings.Cut(f.remote, "<")
	uri, _, _ = strings.Cut(uri, ">")
	return esl.DialString{Legs: []esl.DialLeg{{Profile: target.Profile, URI: uri, Vars: vars}}}
}

// take carries the takeover out and gives the engine's reply.
func (e *engine) take(f foreign, more ...esl.Var) esl.Reply {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), e.target.Patience)
	defer cancel()
	reply, err := e.conn.Background(ctx, esl.Originate(f.dial(e.target, more...)))
	if err != nil {
		e.t.Fatal(err)
	}
	return reply
}

// taken is take that succeeds, with the phone's re-INVITE.
func (e *engine) taken(f foreign, more ...esl.Var) *sip.Request {
	e.t.Helper()
	if reply := e.take(f, more...); reply.Err() != nil || strings.TrimSpace(reply.Text) != "+OK "+f.leg && !strings.Contains(reply.Text, f.leg) {
		e.t.Fatalf("takeover: %q", reply.Text)
	}
	return receive(e.t, f.phone.offered, e.target.Patience, "a re-INVITE")
}

func takesOver(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	f := e.foreign(p, "bob")
	req := e.taken(f, esl.Var{Name: "sip_invite_route_uri", Value: "<sip:" + p.Addr() + ";lr>,<sip:" + p.Addr() + ";lr;second>"})
	equal(t, "From", party(req.From().Value()), f.local)
	equal(t, "To", party(req.To().Value()), f.remote)
	equal(t, "Call-ID", req.CallID().Value(), f.callID)
	equal(t, "CSeq", req.CSeq().SeqNo, uint32(foreignCSeq+1))
	equal(t, "Request-URI", req.Recipient.String(), p.URI("bob"))
	var routes []string
	for _, h := range req.GetHeaders("Route") {
		for _, r := range strings.Split(h.Value(), ",") {
			routes = append(routes, strings.TrimSpace(r))
		}
	}
	equal(t, "Route", strings.Join(routes, ","), "<sip:"+p.Addr()+";lr>,<sip:"+p.Addr()+";lr;second>")
	if h := req.GetHeader("X-Tandem-Move"); h == nil || h.Value() != "FreeSWITCH 1 2 -" {
		t.Errorf("X-Tandem-Move: %v", h)
	}
	if h := req.GetHeader("Remote-Party-ID"); h != nil {
		t.Errorf("Remote-Party-ID: %v", h)
	}
	equal(t, "m=", strings.HasPrefix(line(string(req.Body()), "m=audio"), "m=audio "), true)
	e.text(esl.UUIDKill(f.leg, "NORMAL_CLEARING"))
}

func takenLegsDialog(t *testing.T, target Target) {
	e := open(t, target)
	f := e.foreign(e.phone(), "bob")
	e.taken(f)
	park := e.event(f.leg, "CHANNEL_PARK")
	equal(t, "direction", park.Get("Call-Direction"), "outbound")
	equal(t, "tandem_move", e.text(esl.UUIDGetvar(f.leg, "tandem_move")), "claim/1")
	facts := e.dump(f.leg)
	equal(t, "sip_full_from", party(facts["variable_sip_full_from"]), f.local)
	equal(t, "sip_full_to", party(facts["variable_sip_full_to"]), f.remote)
	equal(t, "sip_call_id", facts["variable_sip_call_id"], f.callID)
	equal(t, "sip_cseq", facts["variable_sip_cseq"], "4712")
	equal(t, "Answer-State", facts["Answer-State"], "answered")
	e.text(esl.UUIDKill(f.leg, "NORMAL_CLEARING"))
}

func takenLegsBye(t *testing.T, target Target) {
	e := open(t, target)
	f := e.foreign(e.phone(), "bob")
	e.taken(f)
	e.text(esl.UUIDKill(f.leg, "NORMAL_CLEARING"))
	bye := receive(t, f.phone.hungUp, target.Patience, "a BYE")
	equal(t, "From", party(bye.From().Value()), f.local)
	equal(t, "To", party(bye.To().Value()), f.remote)
	equal(t, "CSeq above the re-INVITE's", bye.CSeq().SeqNo > foreignCSeq+1, true)
}

func takenLegEnded(t *testing.T, target Target) {
	e := open(t, target)
	f := e.foreign(e.phone(), "bob")
	req := e.taken(f)
	e.event(f.leg, "CHANNEL_PARK")
	bye := sip.NewRequest(sip.BYE, req.Contact().Address)
	from, to := req.To(), req.From()
	bye.AppendHeader(&sip.FromHeader{Address: from.Address, Params: from.Params.Clone()})
	bye.AppendHeader(&sip.ToHeader{Address: to.Address, Params: to.Params.Clone()})
	bye.AppendHeader(sip.HeaderClone(req.CallID()))
	bye.AppendHeader(&sip.CSeqHeader{SeqNo: 3, MethodName: sip.BYE})
	ctx, cancel := context.WithTimeout(context.Background(), target.Patience)
	defer cancel()
	res, err := f.phone.client.Do(ctx, bye)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "BYE", res.StatusCode, 200)
	equal(t, "disposition", e.event(f.leg, "CHANNEL_HANGUP_COMPLETE").Variable("sip_hangup_disposition"), "recv_bye")
}

func takeoverRefused(code int) func(*testing.T, Target) {
	return func(t *testing.T, target Target) {
		e := open(t, target)
		p := e.phone()
		f := e.foreign(p, "bob")
		p.refuses = []int{code, code, code, code}
		if reply := e.take(f); reply.Err() == nil {
			t.Fatalf("takeover: %q", reply.Text)
		}
		ended := e.event(f.leg, "CHANNEL_HANGUP_COMPLETE")
		equal(t, "sip_term_status", ended.Variable("sip_term_status"), map[int]string{481: "481", 491: "491"}[code])
	}
}

func takeoverAgain(t *testing.T, target Target) {
	e := open(t, target)
	p := e.phone()
	f := e.foreign(p, "bob")
	p.refuses = []int{491}
	if reply := e.take(f); reply.Err() == nil {
		t.Fatalf("takeover: %q", reply.Text)
	}
	receive(t, p.offered, target.Patience, "the first re-INVITE")
	e.until("the leg's end", func() bool { return e.text(esl.UUIDExists(f.leg)) == "false" })
	e.taken(f)
	e.text(esl.UUIDKill(f.leg, "NORMAL_CLEARING"))
}

func takenLegsJoined(t *testing.T, target Target) {
	e := open(t, target)
	a, b := e.foreign(e.phone(), "alice"), e.foreign(e.phone(), "bob")
	e.taken(a)
	e.taken(b)
	ends := []esl.Var{{Name: "hangup_after_bridge", Value: "true"}, {Name: "park_after_bridge", Value: "false"}}
	e.text(esl.UUIDSetvarMulti(a.leg, ends...))
	e.text(esl.UUIDSetvarMulti(b.leg, ends...))
	e.text(esl.UUIDBridge(a.leg, b.leg))
	e.await("CHANNEL_BRIDGE", func(ev *esl.Event) bool {
		return ev.Name() == "CHANNEL_BRIDGE" && (ev.UniqueID() == a.leg || ev.UniqueID() == b.leg)
	})
	e.text(esl.UUIDKill(a.leg, "NORMAL_CLEARING"))
	receive(t, b.phone.hungUp, target.Patience, "a BYE at the other")
	e.event(b.leg, "CHANNEL_HANGUP_COMPLETE")
}

func markedBye(t *testing.T, target Target) {
	e := open(t, target)
	a, b, caller, callee := e.bridged("")
	for _, leg := range []string{a, b} {
		e.text(esl.UUIDSetvarMulti(leg, esl.Var{Name: "tandem_gone", Value: "claim/1"}, esl.Var{Name: "sip_bye_h_X-Tandem-Gone", Value: "true"}))
	}
	e.text(esl.UUIDKill(a, "NORMAL_CLEARING"))
	for _, d := range []*Dialog{caller, callee} {
		if h := receive(t, d.Byes, target.Patience, "a BYE").GetHeader("X-Tandem-Gone"); h == nil || h.Value() != "true" {
			t.Errorf("X-Tandem-Gone: %v", h)
		}
	}
}
