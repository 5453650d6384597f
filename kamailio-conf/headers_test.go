package kamailioconf_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
	"tandem/sipptest"
)

// forged are headers that only a trusted peer may write.
var forged = []string{
	"X-Tandem-Call: forged", "x-tandem-tenant: forged", "X-Private: forged", "X-Tandem-Trunk: *across", "X-Tandem-Between: forged", "X-Tandem-Replaces: c.l.forged",
	"P-Asserted-Identity: <sip:boss@example.test>", "Remote-Party-ID: <sip:boss@example.test>;party=calling",
	"Diversion: <sip:first@example.test>;reason=no-answer", "Diversion: <sip:second@example.test>;reason=user-busy",
	"History-Info: <sip:first@example.test>;index=1", "Identity: forged", "y: forged", "P-Charging-Vector: forged",
}

func TestAPhoneCannotClaimWhatOnlyAPeerMay(t *testing.T) {
	n := startNode(t, answers)
	e := startEdge(t, []string{n.address()}, nil, nil)
	e.worker.answerWith(routeTo("X-Tandem-Call: ours\r\n", n.uri()))
	e.mustCall(t, e.phone("alice"), "1", sipptest.Call{Headers: append([]string{
		"P-Preferred-Identity: <sip:+15550100@example.test>", "Privacy: id", "Call-Info: <http://example.test/a>", "Call-Info: <http://example.test/b>",
		"Replaces: early@node;to-tag=1;from-tag=2",
	}, forged...)})
	r := next(t, e.worker.requests)
	if r.Replaces != "early@node;to-tag=1;from-tag=2" {
		t.Errorf("the question does not say what the INVITE replaces: %q", r.Replaces)
	}
	if r.Between != "" {
		t.Errorf("a phone passes for a media node: %+v", r)
	}
	if r.PAssertedIdentity != nil || r.RemotePartyID != nil || r.Diversion != nil || r.HistoryInfo != nil || r.Identity != nil {
		t.Errorf("the question carries a phone's claims: %+v", r)
	}
	if len(r.PPreferredIdentity) != 1 || r.Privacy != "id" || len(r.CallInfo) != 2 || !strings.HasSuffix(r.CallInfo[0], "/a>") {
		t.Errorf("the question lacks what a phone may say: %+v", r)
	}
	invite := n.expect("INVITE")
	if strings.Contains(invite.text, "forged") || strings.Contains(invite.text, "boss") || strings.Contains(invite.text, "Diversion") || strings.Contains(invite.text, "History-Info") {
		t.Errorf("the node sees a phone's claims:\n%s", invite.text)
	}
	if got := invite.headers("X-Tandem-Call"); len(got) != 1 || got[0] != "ours" {
		t.Errorf("X-Tandem-Call at the node: %q", got)
	}
	if got := invite.headers("Replaces"); len(got) > 0 {
		t.Errorf("the node is told what to replace by a phone: %q", got)
	}
}

func TestATrunkNeedsNoLoginAndKeepsItsHeaders(t *testing.T) {
	n := startNode(t, answers)
	e := startEdge(t, []string{n.address()}, []string{"127.0.0.77"}, nil)
	e.worker.answerWith(routeTo("X-Tandem-Call: ours\r\n", n.uri()))
	carrier := &sipptest.Phone{Edge: e.values.Outside, User: "+15550100", Domain: "carrier.test", Address: "127.0.0.77"}
	e.mustCall(t, carrier, "+15550199", sipptest.Call{NoLogin: true, Target: "sip:+15550199@" + e.values.Outside, Headers: forged})
	r := next(t, e.worker.requests)
	if r.AuthUser != "" || r.AuthRealm != "" || r.SourceAddress != "127.0.0.77" {
		t.Errorf("%+v", r)
	}
	if r.Between != "" || r.Replaces != "" {
		t.Errorf("a trunk passes for a media node: %+v", r)
	}
	if len(r.PAssertedIdentity) != 1 || len(r.RemotePartyID) != 1 || len(r.HistoryInfo) != 1 || len(r.Identity) != 2 ||
		!cmp.Equal(r.Diversion, []string{"<sip:first@example.test>;reason=no-answer", "<sip:second@example.test>;reason=user-busy"}) {
		t.Errorf("the question lacks a carrier's headers: %+v", r)
	}
	invite := n.expect("INVITE")
	if len(invite.headers("Diversion")) != 2 || len(invite.headers("X-Private")) != 1 {
		t.Errorf("the node lacks a carrier's headers:\n%s", invite.text)
	}
	if got := invite.headers("X-Tandem-Call"); len(got) != 1 || got[0] != "ours" || strings.Contains(invite.text, "X-Tandem-Tenant") {
		t.Errorf("X-Tandem headers at the node: %q", got)
	}
	t.Run("a refusal of the platform is 503, of a tenant it is not", func(t *testing.T) {
		e.worker.answerWith(reject(480, "Temporarily Unavailable", "Q.850;cause=34"))
		e.mustCall(t, carrier, "1", sipptest.Call{NoLogin: true, Expect: 480})
		e.worker.answerWith(nil)
		e.mustCall(t, carrier, "1", sipptest.Call{NoLogin: true, Expect: 503})
	})
	t.Run("once it is no trunk any more, it must log in", func(t *testing.T) {
		before := e.shared("generation")
		e.worker.configure([]string{n.address()}, nil)
		e.await("the new configuration", func() bool { return e.shared("generation") != before })
		e.mustCall(t, carrier, "1", sipptest.Call{NoLogin: true, Expect: 407})
	})
}

// TestHostileTextsComeToADefinedEnd: each is either asked in a form that workers accept, or refused by the edge itself.
func TestHostileTextsComeToADefinedEnd(t *testing.T) {
	e := startEdge(t, nil, []string{"127.0.0.77", "127.0.0.1"}, nil)
	e.worker.answerWith(reject(404, "Not Found", ""))
	carrier := &sipptest.Phone{Edge: e.values.Outside, User: "1", Domain: "carrier.test", Address: "127.0.0.77"}
	uri := "<sip:1@carrier.test>"
	for _, test := range []struct {
		name, from string
		headers    []string
		code       int
		want       func(*messages.RouteRequest) string // what is wrong
	}{
		{"quotes", `"Alice \"the\" Boss" ` + uri, nil, 404, name(`Alice \"the\" Boss`)},
		{"no quotes", `Alice ` + uri, nil, 404, name("Alice")},
		{"UTF-8", `"Zoë 电话" ` + uri, nil, 404, name("Zoë 电话")},
		{"Latin-1", "\"Zo\xeb\" " + uri, nil, 404, name("")},
		{"dollars and quotes", `"$(rm -rf) ' ${x} \\" ` + uri, nil, 404, name(`$(rm -rf) ' ${x} \\`)},
		{"1000 letters", `"` + strings.Repeat("A", 1000) + `" ` + uri, nil, 404, name("")},
		{"256 letters", `"` + strings.Repeat("A", 256) + `" ` + uri, nil, 404, name(strings.Repeat("A", 256))},
		{"long header", uri, []string{"Diversion: <sip:" + strings.Repeat("d", 1100) + "@example.test>", "Diversion: <sip:short@example.test>"}, 404,
			func(r *messages.RouteRequest) string {
				return cmp.Diff([]string{"<sip:short@example.test>"}, r.Diversion)
			}},
		{"many headers", uri, slices("Diversion: <sip:%d@example.test>", 40), 404,
			func(r *messages.RouteRequest) string { return cmp.Diff(messages.MaxHeaders, len(r.Diversion)) }},
		{"Latin-1 in a list", uri, []string{"Diversion: <sip:\xeb@example.test>", "Diversion: <sip:b@example.test>"}, 404,
			func(r *messages.RouteRequest) string { return cmp.Diff([]string{"<sip:b@example.test>"}, r.Diversion) }},
		{"control characters", "\"A\x01B\" " + uri, nil, 400, nil},
		{"Latin-1 in a URI", "<sip:\xeb@carrier.test>", nil, 400, nil},
		{"Latin-1 in Replaces", uri, []string{"Replaces: \xeb"}, 400, nil},
		{"long From", "<sip:" + strings.Repeat("f", 1100) + "@carrier.test>", nil, 400, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			e.mustCall(t, carrier, "1", sipptest.Call{NoLogin: true, From: test.from, Headers: test.headers, Expect: test.code})
			if test.want == nil {
				none(t, e.worker.requests)
				return
			}
			if wrong := test.want(next(t, e.worker.requests)); wrong != "" {
				t.Error(wrong)
			}
		})
	}
	t.Run("folded lines", func(t *testing.T) { // RFC 3261 7.3.1
		n := startNode(t, nil)
		text := strings.ReplaceAll(options(n, e.values.Outside, 1), "OPTIONS", "INVITE")
		text = strings.Replace(text, "From: ", "From: \"Alice Boss\"\r\n\t", 1)
		text = strings.Replace(text, "CSeq:", "Contact: <"+n.uri()+">\r\nDiversion: <sip:a@example.test>;\r\n reason=unknown\r\nCSeq:", 1)
		n.sendTo(e.values.Outside, text)
		if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 404") {
			t.Fatal(reply)
		}
		r := next(t, e.worker.requests)
		if r.FromName != "Alice Boss" || !cmp.Equal(r.Diversion, []string{"<sip:a@example.test>; reason=unknown"}) {
			t.Errorf("%q %q", r.FromName, r.Diversion)
		}
	})
	t.Run("long Request-URI", func(t *testing.T) {
		e.mustCall(t, carrier, "1", sipptest.Call{NoLogin: true, Target: "sip:" + strings.Repeat("9", 1100) + "@example.test", Expect: 414})
	})
}

func name(want string) func(*messages.RouteRequest) string {
	return func(r *messages.RouteRequest) string { return cmp.Diff(want, r.FromName) }
}

func slices(format string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(format, i))
	}
	return all
}

func TestOnlyInvitesOpenDialogs(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	for _, test := range []struct{ method, want string }{
		{"OPTIONS", "200"}, {"MESSAGE", "405"}, {"SUBSCRIBE", "405"}, {"PUBLISH", "405"}, {"REFER", "405"}, {"NOTIFY", "405"}, {"INFO", "405"}, {"BYE", "405"},
	} {
		t.Run(test.method, func(t *testing.T) {
			n := startNode(t, nil)
			n.sendTo(e.values.Outside, strings.ReplaceAll(options(n, e.values.Outside, 1), "OPTIONS", test.method))
			reply := n.final()
			if !strings.HasPrefix(reply, "SIP/2.0 "+test.want) {
				t.Errorf("%s: %s", test.method, reply)
			}
			if headersOf(reply, "Server") != nil || headersOf(reply, "Warning") != nil {
				t.Errorf("the edge says what it is: %s", reply)
			}
		})
	}
	t.Run("within a dialog nobody knows", func(t *testing.T) {
		n := startNode(t, nil)
		bye := strings.ReplaceAll(options(n, e.values.Outside, 1), "OPTIONS", "BYE")
		n.sendTo(e.values.Outside, strings.Replace(bye, "To: <sip:"+e.values.Outside+">", "To: <sip:"+e.values.Outside+">;tag=x", 1))
		if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 481") {
			t.Error(reply)
		}
	})
	t.Run("forged Route headers lead nowhere", func(t *testing.T) {
		n, victim := startNode(t, nil), startNode(t, nil)
		bye := strings.ReplaceAll(options(n, victim.address(), 1), "OPTIONS", "BYE")
		bye = strings.Replace(bye, "To: <sip:"+victim.address()+">", "To: <sip:"+victim.address()+">;tag=x\r\nRoute: <sip:"+e.values.Outside+";lr>", 1)
		n.sendTo(e.values.Outside, bye)
		if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 403") {
			t.Error(reply)
		}
		none(t, victim.requests)
	})
}

func TestNodesAloneCallPhones(t *testing.T) {
	n, stranger := startNode(t, nil), startNode(t, nil)
	e := startEdge(t, []string{n.address()}, nil, func(v *kamailioconf.Values) {})
	bob := e.phone("bob")
	if err := bob.Register(t.Context(), sipptest.Registration{Contact: "<sip:bob@10.0.0.1:5062>"}); err != nil {
		t.Fatal(err)
	}
	contact := next(t, e.worker.registrations).Contact
	invite := func(from *node) string {
		text := strings.ReplaceAll(options(from, contact, 7), "OPTIONS", "INVITE")
		text = strings.Replace(text, "sip:"+contact, contact, 2)
		return strings.Replace(text, "CSeq:", "Route: <sip:"+e.values.Inside+";lr>\r\nX-Tandem-Call: 1\r\nContact: <"+from.uri()+">\r\nCSeq:", 1)
	}
	t.Run("a stranger does not", func(t *testing.T) {
		stranger.sendTo(e.values.Inside, invite(stranger))
		if reply := stranger.final(); !strings.HasPrefix(reply, "SIP/2.0 403") {
			t.Error(reply)
		}
	})
	t.Run("a node does, at the address behind the NAT", func(t *testing.T) {
		ringing, err := bob.Listen(t.Context(), sipptest.Behaviour{Checks: []sipptest.Check{{Header: "Record-Route", Pattern: "127.0.0.1"}}})
		if err != nil {
			t.Fatal(err)
		}
		n.sendTo(e.values.Inside, invite(n))
		ok := n.final()
		if !strings.HasPrefix(ok, "SIP/2.0 200") {
			t.Fatal(ok)
		}
		if got := headersOf(ok, "Contact"); len(got) != 1 || !strings.Contains(got[0], fmt.Sprintf(";alias=127.0.0.1~%d~1", bob.Port)) {
			t.Errorf("the answer's contact has no alias: %q", got)
		}
		routes := strings.Split(strings.Join(headersOf(ok, "Record-Route"), ", "), ", ")
		if len(routes) != 2 || !strings.Contains(routes[1], e.values.Inside) {
			t.Fatalf("Record-Route in the answer: %q", routes)
		}
		inDialog := func(method string, number int) string {
			return fmt.Sprintf("%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bKd%[4]d\r\nMax-Forwards: 70\r\nRoute: %[5]s\r\nRoute: %[6]s\r\n"+
				"From: %[7]s\r\nTo: %[8]s\r\nCall-ID: options-7\r\nCSeq: %[4]d %[1]s\r\nContent-Length: 0\r\n\r\n",
				method, strings.Trim(headersOf(ok, "Contact")[0], "<>"), n.address(), number, routes[1], routes[0],
				headersOf(ok, "From")[0], headersOf(ok, "To")[0])
		}
		n.sendTo(e.values.Inside, inDialog("ACK", 1))
		n.sendTo(e.values.Inside, inDialog("BYE", 2))
		if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 200") {
			t.Error(reply)
		}
		if err := ringing.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if strings.Contains(ringing.Messages(), "X-Tandem") {
			t.Error("the phone sees what is between us")
		}
	})
}
