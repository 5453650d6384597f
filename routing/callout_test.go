package routing

import (
	"net/netip"
	"strings"
	"testing"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// outside lets red call out as Germans dial, by one trunk of the platform for +49 and +1, and gives it a PBX at 192.0.2.70 and a
// carrier of its own at 192.0.2.71. Blue may not call out.
func outside(d *tenants.Data) {
	red := &d.Tenants[0]
	red.Dialling = tenants.Dialling{Country: "DE"}
	red.CallingOut = tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+49900"}}
	red.Numbers = append(red.Numbers, "+493012340")
	out := &tenants.Outgoing{Destinations: []string{"sip:192.0.2.30"}}
	at := func(a string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(a)} }
	d.Trunks = append(d.Trunks, tenants.Trunk{ID: "out", Name: "Out", Outgoing: out},
		tenants.Trunk{ID: "pbx", Name: "PBX", Tenant: "red", Addresses: at("192.0.2.70"), MayCallOut: true, Incoming: tenants.NumberFormat{Form: tenants.FormNational, Country: "DE"}},
		tenants.Trunk{ID: "own", Name: "Own carrier", Tenant: "red", Addresses: at("192.0.2.71")})
	d.Outbound = []tenants.OutboundRoute{{Prefix: "+49", Trunk: "out"}, {Prefix: "+1", Trunk: "out"}}
}

func from(address string, m *messages.RouteRequest) *messages.RouteRequest {
	m.SourceAddress = address
	return m
}

func TestANumberOutsideGoesOut(t *testing.T) {
	for _, c := range []struct {
		claim   string
		m       *messages.RouteRequest
		flow    string // "": refused
		dialled string
		code    int
		words   string // of the last reason, or the last but the nodes'
	}{
		{"a device, in its country's form", fromDevice(t, "desk@red.example", "03098765"), callflows.OutboundFlow, "+493098765", 0, "+493098765 is a number outside: the call goes out."},
		{"a device, with 00", fromDevice(t, "desk@red.example", "0012025550100"), callflows.OutboundFlow, "+12025550100", 0, "+12025550100 is a number outside: the call goes out."},
		{"a device, with separators", fromDevice(t, "desk@red.example", "+49-30-98765"), callflows.OutboundFlow, "+493098765", 0, "+493098765 is a number outside: the call goes out."},
		{"a device to its own tenant's number, in its country's form", fromDevice(t, "desk@red.example", "+15550100"), "red-flow", "+15550100", 0, ""},
		{"a device to a number of its own that nothing answers", fromDevice(t, "desk@red.example", "03012340"), "", "", 404, "Red has no extension or number 03012340, and it is no number outside as its people write them."},
		{"a device to another tenant's number", fromDevice(t, "desk@red.example", "+15550200"), callflows.OutboundFlow, "+15550200", 0, "+15550200 is a number outside: the call goes out."},
		{"a device to a blocked prefix", fromDevice(t, "desk@red.example", "0900123456"), "", "", 403, "Red may not call +49900123456: numbers that begin with +49900 are blocked."},
		{"a device to a country that no trunk serves", fromDevice(t, "desk@red.example", "0043151234567"), "", "", 404, "There is no trunk by which +43151234567 could be called."},
		{"a device of a tenant that may not", fromDevice(t, "desk@blue.example", "+12025550100"), "", "", 403, "Blue may not call numbers outside, so +12025550100 is not called."},
		{"a device of a tenant that does not say how it dials", fromDevice(t, "desk@blue.example", "03098765"), "", "", 404, "Blue has no extension or number 03098765, and it is no number outside as its people write them."},
		{"an emergency number", fromDevice(t, "desk@blue.example", "112"), callflows.EmergencyFlow, "112", 0, ""},
		{"the tenant's PBX", from("192.0.2.70", fromTrunk("03012340", "03098765")), callflows.OutboundFlow, "+493098765", 0, "+493098765 is a number outside: the call goes out."},
		{"the tenant's PBX to an extension", from("192.0.2.70", fromTrunk("03012340", "101")), "red-flow", "101", 0, ""},
		{"the tenant's PBX to an emergency number", from("192.0.2.70", fromTrunk("03012340", "112")), callflows.EmergencyFlow, "112", 0, ""},
		{"the tenant's own carrier to the tenant", from("192.0.2.71", fromTrunk("+4930555", "+15550100")), "red-flow", "+15550100", 0, ""},
		{"the tenant's own carrier to a number outside", from("192.0.2.71", fromTrunk("+4930555", "+493098765")), "", "", 404, "Own carrier may not call +493098765: calls that come in by it do not go out again."},
		{"the tenant's own carrier to another tenant", from("192.0.2.71", fromTrunk("+4930555", "+15550200")), "", "", 404, "Own carrier may not call +15550200: calls that come in by it do not go out again."},
		{"the platform's carrier to a number outside", fromTrunk("+4930555", "+493098765"), "", "", 404, "No tenant owns the number +493098765."},
	} {
		t.Run(c.claim, func(t *testing.T) {
			d := decide(t, world(t, outside), up("n1", "n2", "n3"), c.m)
			if d.Code != c.code || d.FlowID != c.flow && c.code == 0 || c.flow != "" && d.Dialled != c.dialled {
				t.Errorf("%s %d to %s as %s: %s", d.Verdict, d.Code, d.FlowID, d.Dialled, said(d))
			}
			if c.code == 0 && len(d.Because) > 0 { // the nodes come last
				d.Because = d.Because[:len(d.Because)-1]
			}
			if c.words != "" && said(d) != c.words {
				t.Errorf("because %q, want %q", said(d), c.words)
			}
			if c.code != 0 && (d.Q850 == 0 || d.Fault == "" || Answer(c.m, d).Validate() != nil) {
				t.Errorf("refused with Q.850 %d, the fault of %s", d.Q850, d.Fault)
			}
		})
	}
}

func TestWhatTheNodeMustKnowOfACallThatGoesOn(t *testing.T) {
	m := fromTrunk("+4930555", "+15550100")
	m.Diversion = []string{`"a, <sip:x@y>;counter=9" <sip:+4930111@carrier.example>;reason=no-answer;counter=3, <sip:+4930222@carrier.example>`}
	headers := Answer(m, decide(t, world(t, outside), up("n1"), m)).NodeHeaders
	if !strings.Contains(headers, HeaderDiversions+": 4\r\n") {
		t.Errorf("the node is told\n%s", headers)
	}
	m = fromDevice(t, "desk@red.example", "03098765")
	m.Privacy = "id"
	if headers := Answer(m, decide(t, world(t, outside), up("n1"), m)).NodeHeaders; !strings.Contains(headers, HeaderPrivacy+": id\r\n") {
		t.Errorf("the node is told\n%s", headers)
	}
}

func TestHowOftenACallWasDiverted(t *testing.T) {
	for _, c := range []struct {
		headers []string
		want    int
	}{
		{nil, 0},
		{[]string{""}, 0},
		{[]string{"<sip:a@b>"}, 1},
		{[]string{"<sip:a@b>;counter=1", "<sip:c@d>"}, 2},
		{[]string{"<sip:a@b>;index=1, <sip:c@d>;index=1.1"}, 2},
		{[]string{"<sip:a@b>;Counter=5"}, 5},
		{[]string{"<sip:a@b>;counter=-7"}, 1},
		{[]string{"<sip:a@b>;counter=999999999999999999999"}, 1},
		{[]string{"<sip:a@b>;counter=1000000"}, maxCounter},
		{[]string{`"\", sip:x" <sip:a@b>`}, 1},
		{[]string{`"unclosed, sip:a@b`}, 0},
	} {
		if got := diversions(c.headers); got != c.want {
			t.Errorf("%q were %d, want %d", c.headers, got, c.want)
		}
	}
}
