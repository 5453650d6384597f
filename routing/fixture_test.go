package routing

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// world is two tenants of equal shape, so that what reaches the wrong one shows.
//
//	red    red.example    +15550100   devices desk (anna, extension 101) and lobby, limit 2 calls, blocks +15550666, 101's "desk" not
//	blue   blue.example   +15550200   the same names, and extension 555 of its own
//	trunk  carrier        192.0.2.9, 2001:db8::9
//	nodes  n1, n2, n3, at most 10 calls each
func world(t testing.TB, change ...func(*tenants.Data)) *tenants.Snapshot {
	t.Helper()
	tenant := func(id, number string, routes ...string) tenants.Tenant {
		x := tenants.Tenant{ID: id, Name: strings.ToUpper(id[:1]) + id[1:], Domain: id + ".example", TimeZone: "UTC", MaxCalls: 2, Numbers: []string{number},
			Users:   []tenants.User{{ID: id + "-anna", Name: "Anna of " + id, Extension: "101"}},
			Devices: []tenants.Device{{ID: id + "-desk", UserID: id + "-anna", Name: "Anna's desk phone", Username: "desk"}, {ID: id + "-lobby", Name: "the lobby phone", Username: "lobby"}},
			Published: tenants.Published{Version: 7, BlockedCallers: []string{"+15550666"},
				Flows: []tenants.Flow{{ID: id + "-flow", Name: "Front of " + id, Start: "a", Elements: map[string]tenants.Element{"a": {Type: "hangup"}}}}}}
		for _, dialled := range append(routes, "101", number) {
			x.Published.Routes = append(x.Published.Routes, tenants.Route{Dialled: dialled, FlowID: id + "-flow"})
		}
		return x
	}
	d := tenants.Data{
		Tenants:   []tenants.Tenant{tenant("red", "+15550100"), tenant("blue", "+15550200", "555")},
		Trunks:    []tenants.Trunk{{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::9")}}},
		Emergency: tenants.Emergency{Numbers: []string{"112", "911"}, TrunkURI: "sip:192.0.2.112"},
	}
	for _, n := range up("n1", "n2", "n3").Nodes {
		d.Nodes = append(d.Nodes, tenants.Node{Name: n.Name, SIPURI: n.SIPURI, MaxCalls: 10})
	}
	for _, c := range change {
		c(&d)
	}
	s, faults := tenants.NewSnapshot(d, callflows.ParseSettings)
	for _, f := range faults {
		t.Fatal(f)
	}
	return s
}

// up is a platform whose nodes are all up and empty.
func up(names ...string) Facts {
	f := Facts{At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	for _, n := range names {
		f.Nodes = append(f.Nodes, Node{Name: n, SIPURI: "sip:" + n + ".example:5080", State: messages.NodeUp})
	}
	return f
}

// fromDevice is an INVITE of an authenticated device: "desk@red.example".
func fromDevice(t testing.TB, who, to string) *messages.RouteRequest {
	t.Helper()
	user, realm, _ := strings.Cut(who, "@")
	m := invite("sip:"+to+"@"+realm, "sip:"+who)
	m.AuthUser, m.AuthRealm = user, realm
	return m
}

// fromTrunk is an INVITE without credentials from the carrier's address.
func fromTrunk(from, to string) *messages.RouteRequest {
	m := invite("sip:"+to+"@198.51.100.1", "sip:"+from+"@carrier.example")
	m.SourceAddress = "192.0.2.9"
	return m
}

func invite(to, from string) *messages.RouteRequest {
	return &messages.RouteRequest{Type: messages.RouteRequestV1, ServerID: "edge-1-queue", TIndex: 7, TLabel: 9, Edge: "edge-1", Socket: "udp:198.51.100.1:5060",
		SourceAddress: "203.0.113.5", SourcePort: 5060, Transport: "udp", CallID: "abc@phone", FromTag: "t1", CSeq: 1, RequestURI: to, FromURI: from, ToURI: to}
}

// decide reads and decides.
func decide(t testing.TB, s *tenants.Snapshot, f Facts, m *messages.RouteRequest) Decision {
	t.Helper()
	r, err := Read(m)
	if err != nil {
		t.Fatal(err)
	}
	return Decide(s, f, r)
}

// said gives the words of a decision's last reason.
func said(d Decision) string {
	if len(d.Because) == 0 {
		return ""
	}
	last := d.Because[len(d.Because)-1]
	if words := Reasons(); words[last.Code] != "" {
		return words.Words(last)
	}
	flows, err := callflows.Reasons() // why a number outside is not called is the engine's to say
	if err != nil {
		panic(err)
	}
	return flows.Words(last)
}

// allWords is the words for every reason that a decision may give.
func allWords(t testing.TB) because.Catalog {
	t.Helper()
	flows, err := callflows.Reasons()
	if err != nil {
		t.Fatal(err)
	}
	all, err := because.Merge(Reasons(), flows)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
