package routing

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
)

// appended is what writes itself as json.Marshal would.
type appended interface{ Append([]byte) []byte }

func sameJSON(t interface{ Fatalf(string, ...any) }, v appended) {
	want, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("%+v: %v", v, err)
	}
	if got := v.Append([]byte("before")); string(got) != "before"+string(want) {
		t.Fatalf("got  %s\nwant %s", got[len("before"):], want)
	}
}

// drawing makes values of every kind, the empty ones often.
type drawing struct{ *rapid.T }

func (d drawing) text() string {
	return rapid.OneOf(rapid.Just(""), rapid.Just("101"), rapid.String(), rapid.SampledFrom([]string{"<&>", "\r\n", "\xff", "\u2028", `"`})).Draw(d.T, "text")
}

func (d drawing) number() int { return rapid.OneOf(rapid.Just(0), rapid.Int()).Draw(d.T, "number") }

func (d drawing) flag() bool { return rapid.Bool().Draw(d.T, "flag") }

func (d drawing) texts() []string {
	if d.flag() {
		return nil
	}
	all := []string{}
	for range rapid.IntRange(0, 3).Draw(d.T, "texts") {
		all = append(all, d.text())
	}
	return all
}

func (d drawing) address() netip.Addr {
	a := rapid.SampledFrom([]string{"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "::", "fe80::1%<eth0>", "fe80::1%é"}).Draw(d.T, "address")
	if d.flag() {
		return netip.Addr{}
	}
	return netip.MustParseAddr(a)
}

func (d drawing) request() *Request {
	return &Request{Call: d.text(), Edge: d.text(), Source: d.address(), Port: d.number(), Transport: d.text(), SIPCallID: d.text(),
		To: URI{d.text(), d.text()}, Called: d.text(), From: URI{d.text(), d.text()}, FromName: d.text(), AuthUser: d.text(), AuthRealm: d.text(),
		Between: d.text(), Asserted: d.text(), Anonymous: d.flag(), Diverted: d.texts(), Replaces: d.text(), UserAgent: d.text(),
		Media: Media{LateOffer: d.flag(), Codecs: d.texts(), SRTP: d.flag(), T38: d.flag(), ICE: d.flag()}}
}

func (d drawing) facts() *Facts {
	f := &Facts{TenantCalls: d.number(), TenantRate: d.number(), DeviceNode: d.text()}
	if d.flag() {
		f.Joins = &Joins{Call: d.text(), Leg: d.text(), Node: d.text(), Answered: d.flag(), Caller: d.flag()}
	}
	for range rapid.IntRange(0, 2).Draw(d.T, "above") {
		f.Above = append(f.Above, Above{Tenant: d.text(), Calls: d.number(), Rate: d.number()})
	}
	if d.flag() {
		f.At = time.Unix(rapid.Int64Range(0, 1<<37).Draw(d.T, "at"), int64(d.number()%1e9)).UTC()
	}
	if d.flag() {
		f.Nodes = []Node{}
		for range rapid.IntRange(0, 3).Draw(d.T, "nodes") {
			f.Nodes = append(f.Nodes, Node{Name: d.text(), SIPURI: d.text(), State: messages.NodeState(d.text()), Calls: d.number(),
				Busy: Busy{Sessions: d.number(), Rate: d.number(), CPU: d.number()}})
		}
	}
	return f
}

func (d drawing) decision() *Decision {
	x := &Decision{Call: d.text(), Tenant: d.text(), Version: int64(d.number()), Verdict: messages.Verdict(d.text()), Nodes: d.texts(), FlowID: d.text(),
		Caller: callflows.Caller{Device: d.text(), Trunk: d.text(), Number: d.text(), Name: d.text(), Private: d.flag()}, Dialled: d.text(), Replaces: d.text(), Diversions: d.number(),
		Code: d.number(), Phrase: d.text(), Cause: d.text(), Q850: d.number(), Fault: messages.Fault(d.text())}
	for range rapid.IntRange(0, 2).Draw(d.T, "reasons") {
		x.Because = append(x.Because, because.New(d.text(), d.texts()...))
	}
	return x
}

func TestWhatIsJournalledIsAppendedAsJSONMarshalWritesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawing{t}
		sameJSON(t, d.request())
		sameJSON(t, d.facts())
		sameJSON(t, d.decision())
	})
}

// FuzzAppend: whatever a phone writes, what is kept of it is written as json.Marshal does.
func FuzzAppend(f *testing.F) {
	f.Add("desk", "red.example", "Front <Desk>", "203.0.113.5", 5060, true)
	f.Add("\xff", "\u2028", "\x00\r\n", "fe80::1%\"eth0", -1, false)
	f.Fuzz(func(t *testing.T, user, host, name, source string, n int, flag bool) {
		address, _ := netip.ParseAddr(source)
		u := URI{User: user, Host: host}
		sameJSON(t, &Request{Call: source, Edge: host, Source: address, Port: n, To: u, Called: "c", From: u, FromName: name, AuthUser: user, Anonymous: flag,
			Diverted: []string{name, user}, UserAgent: name, Media: Media{LateOffer: flag, Codecs: []string{host}, T38: !flag}})
		sameJSON(t, &Facts{TenantCalls: n, Nodes: []Node{{Name: name, SIPURI: host, State: messages.NodeState(user), Calls: n}}})
		sameJSON(t, &Decision{Call: user, Verdict: messages.Route, Nodes: []string{host}, FlowID: name, Dialled: user, Code: n, Q850: -n,
			Caller: callflows.Caller{Device: user, Number: host, Name: name}, Because: []because.Reason{because.New(name, user, host)}})
	})
}

// TestAppendKnowsEachMember: a member that was added to a struct and not to its Append would be missing when a decision is
// replayed.
func TestAppendKnowsEachMember(t *testing.T) {
	u := URI{User: "u", Host: "h"}
	r := &Request{Call: "c", Edge: "e", Source: netip.IPv6Loopback(), Port: 1, Transport: "t", SIPCallID: "s", To: u, Called: "c", From: u, FromName: "n", AuthUser: "a",
		AuthRealm: "r", Between: "b", Asserted: "a", Anonymous: true, Diverted: []string{"d"}, Replaces: "r", AgainAfter: "a", AgainNode: "n", UserAgent: "u",
		Media: Media{LateOffer: true, Codecs: []string{"c"}, SRTP: true, T38: true, ICE: true}}
	f := &Facts{At: time.Unix(1, 0).UTC(), TenantCalls: 1, TenantRate: 1, Above: []Above{{Tenant: "r", Calls: 1, Rate: 1}}, DeviceNode: "n", Joins: &Joins{Call: "c", Leg: "l", Node: "n", Answered: true, Caller: true}, Nodes: []Node{{Name: "n", SIPURI: "s", State: "u", Calls: 1,
		Busy: Busy{Sessions: 1, Rate: 1, CPU: 1}}}}
	d := &Decision{Call: "c", Tenant: "t", Version: 1, Verdict: "v", Nodes: []string{"n"}, FlowID: "f", Dialled: "d", Code: 1, Phrase: "p", Cause: "c", Q850: 1,
		Fault: "f", Caller: callflows.Caller{Device: "d", Trunk: "t", Number: "n", Name: "n", Private: true}, Replaces: "r", Diversions: 1, Because: []because.Reason{because.New("c")}}
	for _, whole := range []any{*r, r.To, r.Media, *f, *f.Joins, f.Above[0], f.Nodes[0], f.Nodes[0].Busy, *d, d.Caller} {
		v := reflect.ValueOf(whole)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("this test leaves %s of %s empty", v.Type().Field(i).Name, v.Type())
			}
		}
	}
	for _, v := range []appended{r, f, d} {
		sameJSON(t, v)
	}
}
