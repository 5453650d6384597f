package routing

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"tandem/callflows"
	"tandem/messages"
)

// requests are ten thousand INVITEs, good and hostile, the same in every run.
func requests(t testing.TB) []*messages.RouteRequest {
	t.Helper()
	const count = 10_000
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	users := []string{"101", "555", "112", "+15550100", "15550200", "0015550100", "desk", "", "199", "%0d%0aX: y", "%ff", "a b", "é", strings.Repeat("9", 128), strings.Repeat("9", 200), `"><x`}
	hosts := []string{"red.example", "blue.example", "192.0.2.9", "[2001:db8::9]", "[x]", "", "anonymous.invalid", "a@b"}
	uri := func() string {
		return pick("sip:", "sips:", "tel:", "<sip:", "urn:", `"x" <sip:`) + pick(users...) + "@" + pick(hosts...)
	}
	var all []*messages.RouteRequest
	for range count {
		m := invite(uri(), uri())
		m.SourceAddress = pick("192.0.2.9", "2001:db8::9", "203.0.113.5", "::ffff:192.0.2.9", "not an address", "")
		m.FromName = pick("", "Anna", "a\r\nb", strings.Repeat("é", 128), "\u202e")
		m.PAssertedIdentity = []string{uri(), uri()}[:r.IntN(3)]
		m.Privacy = pick("", "", "id", "none")
		m.SDP = descriptions[r.IntN(len(descriptions))].sdp
		m.CSeq, m.TIndex = r.IntN(1<<31-1), r.IntN(1<<20)
		if r.IntN(2) == 0 {
			m.AuthUser, m.AuthRealm = pick("desk", "lobby", "gone", "\r\n"), pick("red.example", "blue.example", "green.example", "")
		}
		all = append(all, m)
	}
	return all
}

func TestEveryAnswerIsOneThatAnEdgeTakes(t *testing.T) {
	s := world(t)
	verdicts, catalog := map[string]int{}, allWords(t)
	for i, m := range requests(t) {
		f := up("n1", "n2", "n3")
		f.TenantCalls = i % 3
		if i%7 == 0 {
			f.Nodes = nil
		}
		var d Decision
		r, err := Read(m)
		if err == nil {
			d = Decide(s, f, r)
		} else {
			d = Unreadable(r.Call, "request_uri")
		}
		a := Answer(m, d)
		if err := a.Validate(); err != nil {
			t.Fatalf("%v\nfor %s\nis %s", err, text(m), text(a))
		}
		if a.Verdict == messages.Reject && (d.Q850 < 1 || d.Q850 > 127 || d.Cause == "" || d.Fault == "") {
			t.Fatalf("a rejection without a cause or a fault: %s", text(d))
		}
		if a.Code == 503 && len(f.Nodes) > 0 {
			t.Fatalf("503 with nodes up: %s", text(d))
		}
		if len(d.Because) == 0 {
			t.Fatalf("no reason: %s", text(d))
		}
		for _, why := range d.Because {
			if words := catalog.Words(why); catalog[why.Code] == "" {
				t.Fatalf("%v is said as %q", why, words)
			}
		}
		verdicts[d.Because[len(d.Because)-1].Code]++
	}
	for _, code := range []string{"request_unreadable", "domain_unknown", "device_unknown", "source_unknown", "number_unowned", "number_unreadable", "number_unknown",
		"tenant_over_limit", "no_node", "nodes_chosen"} {
		if verdicts[code] == 0 {
			t.Errorf("no request ended with %s: %v", code, verdicts)
		}
	}
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	for field, spoil := range map[string]func(*messages.RouteRequest){
		"source_address": func(m *messages.RouteRequest) { m.SourceAddress = "phone.example" },
		"request_uri":    func(m *messages.RouteRequest) { m.RequestURI = "urn:x" },
		"from_uri":       func(m *messages.RouteRequest) { m.FromURI = "" },
	} {
		m := fromDevice(t, "desk@red.example", "101")
		spoil(m)
		r, err := Read(m)
		refusal, ok := err.(*messages.Refusal)
		if !ok || refusal.Field != field || r.Call != CallID(m) || strings.Contains(err.Error(), "phone.example") {
			t.Errorf("%s: %v", field, err)
		}
		d := Unreadable(r.Call, field)
		if a := Answer(m, d); a.Code != 400 || a.Reason != "Q.850;cause=111" || a.Validate() != nil || said(d) != "The INVITE cannot be read ("+field+")." {
			t.Errorf("%+v, %s", a, said(d))
		}
	}
}

func TestReadKeepsWhatTheEdgeSaw(t *testing.T) {
	m := fromDevice(t, "desk@red.example", "101")
	m.Diversion, m.HistoryInfo, m.Replaces, m.UserAgent, m.SDP = []string{"<sip:1@a>"}, []string{"<sip:2@b>"}, "x;to-tag=1", "Phone/1", sdp("m=audio 1 RTP/AVP 0")
	r, err := Read(m)
	want := Request{Call: CallID(m), Edge: "edge-1", Source: r.Source, Port: 5060, Transport: "udp", SIPCallID: "abc@phone", To: URI{"101", "red.example"}, From: URI{"desk", "red.example"},
		AuthUser: "desk", AuthRealm: "red.example", Diverted: []string{"<sip:1@a>", "<sip:2@b>"}, Replaces: "x;to-tag=1", UserAgent: "Phone/1", Media: Media{Codecs: []string{"PCMU/8000"}}}
	if err != nil || !reflect.DeepEqual(r, want) || r.Source.String() != "203.0.113.5" {
		t.Errorf("%+v (%v)", r, err)
	}
}

func TestACallIDIsItsINVITEs(t *testing.T) {
	m := fromDevice(t, "desk@red.example", "101")
	id := CallID(m)
	u, err := uuid.Parse(id)
	if err != nil || u.Version() != 8 || u.Variant() != uuid.RFC4122 || u.String() != id {
		t.Fatalf("%s is no uuid of version 8: %v", id, err)
	}
	same := *m
	same.SDP, same.UserAgent, same.SourcePort = "v=0", "another", 1 // what is asked again after a retransmission
	if CallID(&same) != id {
		t.Error("the same INVITE, asked about again, is another call")
	}
	seen := map[string]string{id: "the call itself"}
	for part, change := range map[string]func(*messages.RouteRequest){
		"the edge":         func(m *messages.RouteRequest) { m.Edge += "x" },
		"the queue":        func(m *messages.RouteRequest) { m.ServerID += "x" },
		"the index":        func(m *messages.RouteRequest) { m.TIndex++ },
		"the label":        func(m *messages.RouteRequest) { m.TLabel++ },
		"the Call-ID":      func(m *messages.RouteRequest) { m.CallID += "x" },
		"the From tag":     func(m *messages.RouteRequest) { m.FromTag += "x" },
		"the CSeq":         func(m *messages.RouteRequest) { m.CSeq++ },
		"a moved boundary": func(m *messages.RouteRequest) { m.CallID, m.FromTag = m.CallID+m.FromTag[:1], m.FromTag[1:] },
	} {
		other := *m
		change(&other)
		if was := seen[CallID(&other)]; was != "" {
			t.Errorf("%s does not tell calls apart from %s", part, was)
		}
		seen[CallID(&other)] = part
	}
}

// Workers of two releases may be asked about one INVITE.
func TestACallIDIsThatOfOtherReleases(t *testing.T) {
	m := invite("sip:1@red.example", "sip:2@red.example")
	if id := CallID(m); id != "10a017c6-512e-8227-a4a8-33474d23a7b4" {
		t.Errorf("%s", id)
	}
	m.TIndex, m.TLabel, m.CSeq, m.ServerID = 123456, -1, 0, ""
	if id := CallID(m); id != "a2020395-2852-8083-a167-c101c02e4b9c" {
		t.Errorf("%s", id)
	}
}

func TestTheHeadersForTheNode(t *testing.T) {
	m := fromDevice(t, "desk@red.example", "101")
	d := decide(t, world(t), up("n1"), m)
	want := "X-Tandem-Call: " + d.Call + "\r\nX-Tandem-Tenant: red\r\nX-Tandem-Version: 7\r\nX-Tandem-Flow: red-flow\r\n" +
		"X-Tandem-Dialled: 101\r\nX-Tandem-Number: 101\r\nX-Tandem-Device: red-desk\r\n"
	if got := Answer(m, d).NodeHeaders; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d.Caller.Number = "a\r\nX-Tandem-Tenant: blue"
	if got := nodeHeaders(d); strings.Contains(got, "Number") || strings.Contains(got, "blue") {
		t.Errorf("a hostile number gives %q", got)
	}
}

func FuzzNodeHeaders(f *testing.F) {
	f.Add("101", "desk", "+15550100", "carrier")
	f.Add("a\r\nb", "x: y", "\x00", "é")
	f.Fuzz(func(t *testing.T, dialled, number, device, trunk string) {
		d := Decision{Call: "c", Tenant: "red", FlowID: "f", Dialled: dialled, Caller: callflows.Caller{Number: number, Device: device, Trunk: trunk, Name: dialled}}
		headers := nodeHeaders(d)
		if !utf8.ValidString(headers) || !strings.HasSuffix(headers, "\r\n") {
			t.Fatalf("%q", headers)
		}
		seen := map[string]bool{}
		for line := range strings.SplitSeq(strings.TrimSuffix(headers, "\r\n"), "\r\n") {
			name, value, ok := strings.Cut(line, ": ")
			if !ok || !strings.HasPrefix(name, "X-Tandem-") || seen[name] || !token(value) || strings.ContainsAny(value, "\r\n\x00 :;,<>\"") {
				t.Fatalf("the line %q of %q", line, headers)
			}
			seen[name] = true
		}
		if token(dialled) != seen[HeaderDialled] || token(number) != seen[HeaderNumber] || !seen[HeaderCall] || !seen[HeaderTenant] {
			t.Fatalf("%q for %q and %q", headers, dialled, number)
		}
	})
}
