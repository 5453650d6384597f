package routing

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

func TestWhoIsRefusedAndHow(t *testing.T) {
	suspended := func(d *tenants.Data) { d.Tenants[0].Suspended = true }
	blocks := func(names ...string) func(*tenants.Data) {
		return func(d *tenants.Data) { d.Tenants[0].Published.BlockedCallers = names }
	}
	busy := func(calls int) func(*Facts) { return func(f *Facts) { f.TenantCalls = calls } }
	nodes := func(states ...messages.NodeState) func(*Facts) {
		return func(f *Facts) {
			for i, s := range states {
				f.Nodes[i].State = s
			}
		}
	}
	withheld := func(m *messages.RouteRequest) *messages.RouteRequest {
		m.Privacy, m.PAssertedIdentity = "id", []string{"<sip:+15550666@carrier.example>"}
		m.FromURI = "sip:anonymous@anonymous.invalid"
		return m
	}
	stranger := func(m *messages.RouteRequest) *messages.RouteRequest {
		m.SourceAddress = "203.0.113.66"
		return m
	}
	none := func(*tenants.Data) {}
	still := func(*Facts) {}
	for _, c := range []struct {
		claim  string
		m      *messages.RouteRequest
		world  func(*tenants.Data)
		facts  func(*Facts)
		code   int
		q850   int
		cause  string
		fault  messages.Fault
		words  string
		tenant string
	}{
		{"a domain that no tenant has", fromDevice(t, "desk@green.example", "101"), none, still, 403, 21, "CALL_REJECTED", messages.FaultTenant, "No tenant has the domain green.example.", ""},
		{"a device that was deleted", fromDevice(t, "gone@red.example", "101"), none, still, 403, 21, "CALL_REJECTED", messages.FaultTenant, "Red has no device gone any more.", "red"},
		{"a stranger without credentials", stranger(fromTrunk("+15550777", "+15550100")), none, still, 403, 21, "CALL_REJECTED", messages.FaultCaller, "203.0.113.66 is no trunk's address, and the caller did not authenticate.", "red"},
		{"a stranger who dials an emergency number", stranger(fromTrunk("+15550777", "112")), none, still, 403, 21, "CALL_REJECTED", messages.FaultCaller, "203.0.113.66 is no trunk's address, and the caller did not authenticate.", ""},
		{"a number that nobody owns", fromTrunk("+15550777", "+15550999"), none, still, 404, 1, "UNALLOCATED_NUMBER", messages.FaultCaller, "No tenant owns the number +15550999.", ""},
		{"a device of a suspended tenant", fromDevice(t, "desk@red.example", "101"), suspended, still, 403, 21, "CALL_REJECTED", messages.FaultTenant, "Red is suspended.", "red"},
		{"a call to a suspended tenant", fromTrunk("+15550777", "+15550100"), suspended, still, 403, 21, "CALL_REJECTED", messages.FaultTenant, "Red is suspended.", "red"},
		{"a blocked number", fromTrunk("+15550666", "+15550100"), none, still, 603, 21, "CALL_REJECTED", messages.FaultCaller, "Red blocks calls from +15550666.", "red"},
		{"a blocked number written without +", fromTrunk("15550666", "+15550100"), none, still, 603, 21, "CALL_REJECTED", messages.FaultCaller, "Red blocks calls from +15550666.", "red"},
		{"a blocked number that is withheld, without naming it", withheld(fromTrunk("x", "+15550100")), none, still, 603, 21, "CALL_REJECTED", messages.FaultCaller, "Red blocks calls from anonymous.", "red"},
		{"any withheld number, where these are blocked", withheld(fromTrunk("x", "+15550100")), blocks("anonymous"), still, 603, 21, "CALL_REJECTED", messages.FaultCaller, "Red blocks calls from anonymous.", "red"},
		{"a device whose user name is blocked", fromDevice(t, "desk@red.example", "101"), blocks("desk"), still, 603, 21, "CALL_REJECTED", messages.FaultCaller, "Red blocks calls from 101.", "red"},
		{"a device whose extension is blocked", fromDevice(t, "desk@red.example", "101"), blocks("101"), still, 603, 21, "CALL_REJECTED", messages.FaultCaller, "Red blocks calls from 101.", "red"},
		{"an extension that is not there", fromDevice(t, "desk@red.example", "199"), none, still, 404, 1, "UNALLOCATED_NUMBER", messages.FaultCaller, "Red has no extension or number 199, and it is no number outside as its people write them.", "red"},
		{"what is no number", fromDevice(t, "desk@red.example", "%22%3Cx%3E"), none, still, 404, 28, "INVALID_NUMBER_FORMAT", messages.FaultCaller, "What was dialled is not a number.", "red"},
		{"no number at all", fromDevice(t, "desk@red.example", ""), none, still, 404, 28, "INVALID_NUMBER_FORMAT", messages.FaultCaller, "What was dialled is not a number.", "red"},
		{"a call at the tenant's limit", fromDevice(t, "desk@red.example", "101"), none, busy(2), 486, 17, "USER_BUSY", messages.FaultTenant, "Red has 2 calls up, and its limit is 2.", "red"},
		{"a call beyond the tenant's limit", fromTrunk("+15550777", "+15550100"), none, busy(9), 486, 17, "USER_BUSY", messages.FaultTenant, "Red has 9 calls up, and its limit is 2.", "red"},
		{"a call that no node can take", fromDevice(t, "desk@red.example", "101"), none, nodes(messages.NodeDown, messages.NodeDraining, messages.NodeDown), 503, 38, "NETWORK_OUT_OF_ORDER", messages.FaultPlatform, "No media node can take the call.", "red"},
		{"a call when every node is full", fromDevice(t, "desk@red.example", "101"), none, func(f *Facts) {
			for i := range f.Nodes {
				f.Nodes[i].Calls = 10
			}
		}, 503, 42, "SWITCH_CONGESTION", messages.FaultPlatform, "Every media node that is up is full or overloaded.", "red"},
		{"a call before any node is known", fromDevice(t, "desk@red.example", "101"), none, func(f *Facts) { f.Nodes = nil }, 503, 38, "NETWORK_OUT_OF_ORDER", messages.FaultPlatform, "No media node can take the call.", "red"},
		{"an emergency call when every node is down", fromDevice(t, "desk@red.example", "112"), none, nodes(messages.NodeDown, messages.NodeDown, messages.NodeDown), 503, 38, "NETWORK_OUT_OF_ORDER", messages.FaultPlatform, "No media node can take the call.", "red"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			f := up("n1", "n2", "n3")
			c.facts(&f)
			d := decide(t, world(t, c.world), f, c.m)
			if d.Verdict != messages.Reject || d.Code != c.code || d.Q850 != c.q850 || d.Cause != c.cause || d.Fault != c.fault || d.Tenant != c.tenant {
				t.Errorf("%s %d, Q.850 %d %s, the fault of %s, tenant %q", d.Verdict, d.Code, d.Q850, d.Cause, d.Fault, d.Tenant)
			}
			if said(d) != c.words {
				t.Errorf("because %q, want %q", said(d), c.words)
			}
			if len(d.Nodes) != 0 {
				t.Errorf("it goes to %v all the same", d.Nodes)
			}
			a := Answer(c.m, d)
			if err := a.Validate(); err != nil {
				t.Error(err)
			}
			if want := fmt.Sprintf("Q.850;cause=%d", c.q850); a.Code != c.code || a.Reason != want || a.Phrase == "" || a.NodeHeaders != "" {
				t.Errorf("the edge is told %d %q, Reason %q", a.Code, a.Phrase, a.Reason)
			}
		})
	}
}

func TestWhoPasses(t *testing.T) {
	asserted := func(m *messages.RouteRequest, pai ...string) *messages.RouteRequest {
		m.PAssertedIdentity = pai
		return m
	}
	from6 := fromTrunk("+15550777", "+15550100")
	from6.SourceAddress = "2001:db8::9"
	mapped := fromTrunk("+15550777", "+15550100")
	mapped.SourceAddress = "::ffff:192.0.2.9"
	capitals := fromDevice(t, "desk@red.example", "101")
	capitals.AuthRealm = "RED.Example"
	named := fromDevice(t, "lobby@red.example", "101")
	named.FromName = "Lobby <x>"
	private := fromTrunk("+15550777", "+15550100")
	private.Privacy = "id;critical"
	for _, c := range []struct {
		claim   string
		m       *messages.RouteRequest
		flow    string
		dialled string
		caller  callflows.Caller
		words   string
	}{
		{"a device to an extension", fromDevice(t, "desk@red.example", "101"), "red-flow", "101", callflows.Caller{Device: "red-desk", Number: "101", Name: "Anna of red"}, "The call comes from Anna's desk phone (101) of Red."},
		{"a device to a number of its own tenant", fromDevice(t, "desk@red.example", "+15550100"), "red-flow", "+15550100", callflows.Caller{Device: "red-desk", Number: "101", Name: "Anna of red"}, "The call comes from Anna's desk phone (101) of Red."},
		{"a device with 00 for +", fromDevice(t, "desk@red.example", "0015550100"), "red-flow", "+15550100", callflows.Caller{Device: "red-desk", Number: "101", Name: "Anna of red"}, "The call comes from Anna's desk phone (101) of Red."},
		{"a device with visual separators", fromDevice(t, "desk@red.example", "+1(555)01-00"), "red-flow", "+15550100", callflows.Caller{Device: "red-desk", Number: "101", Name: "Anna of red"}, "The call comes from Anna's desk phone (101) of Red."},
		{"a realm in capitals", capitals, "red-flow", "101", callflows.Caller{Device: "red-desk", Number: "101", Name: "Anna of red"}, "The call comes from Anna's desk phone (101) of Red."},
		{"a device of nobody's, by its user name", named, "red-flow", "101", callflows.Caller{Device: "red-lobby", Number: "lobby", Name: "Lobby <x>"}, "The call comes from the lobby phone (lobby) of Red."},
		{"a trunk to a number", fromTrunk("+15550777", "+15550100"), "red-flow", "+15550100", callflows.Caller{Trunk: "carrier", Number: "+15550777"}, "The call comes in over the trunk Carrier, from +15550777."},
		{"a trunk that leaves + out on both sides", fromTrunk("15550777", "15550100"), "red-flow", "+15550100", callflows.Caller{Trunk: "carrier", Number: "+15550777"}, "The call comes in over the trunk Carrier, from +15550777."},
		{"a trunk by its IPv6 address", from6, "red-flow", "+15550100", callflows.Caller{Trunk: "carrier", Number: "+15550777"}, "The call comes in over the trunk Carrier, from +15550777."},
		{"a trunk by its IPv4 address in IPv6", mapped, "red-flow", "+15550100", callflows.Caller{Trunk: "carrier", Number: "+15550777"}, "The call comes in over the trunk Carrier, from +15550777."},
		{"a number that the trunk asserts rather than From", asserted(fromTrunk("+15550001", "+15550100"), "tel:bad%", `"A, <sip:+15550002@x>" <sip:+15550777@carrier.example>`), "red-flow", "+15550100", callflows.Caller{Trunk: "carrier", Number: "+15550777"}, "The call comes in over the trunk Carrier, from +15550777."},
		{"a withheld number", private, "red-flow", "+15550100", callflows.Caller{Trunk: "carrier", Number: "anonymous"}, "The call comes in over the trunk Carrier, from anonymous."},
		{"a trunk to an emergency number", fromTrunk("+15550777", "112"), callflows.EmergencyFlow, "112", callflows.Caller{Trunk: "carrier", Number: "+15550777"}, "The call comes in over the trunk Carrier, from +15550777."},
		{"an emergency number with separators", fromDevice(t, "desk@red.example", "9-1-1"), callflows.EmergencyFlow, "911", callflows.Caller{Device: "red-desk", Number: "101", Name: "Anna of red"}, "The call comes from Anna's desk phone (101) of Red."},
	} {
		t.Run(c.claim, func(t *testing.T) {
			d := decide(t, world(t), up("n1", "n2", "n3"), c.m)
			if d.Verdict != messages.Route || d.FlowID != c.flow || d.Dialled != c.dialled || d.Caller != c.caller {
				t.Errorf("%s to flow %s as %s, from %+v: %v", d.Verdict, d.FlowID, d.Dialled, d.Caller, d.Because)
			}
			if words := Reasons().Words(d.Because[0]); words != c.words {
				t.Errorf("because %q", words)
			}
			a := Answer(c.m, d)
			if err := a.Validate(); err != nil {
				t.Error(err)
			}
			if a.TIndex != 7 || a.TLabel != 9 || a.CallID != c.m.CallID || a.Call != d.Call || len(a.Nodes) != 3 {
				t.Errorf("the edge is told %+v", a)
			}
		})
	}
}

// Suspension, limits, blocks, draining and full nodes stop no emergency call.
func TestAnEmergencyCallPassesEverything(t *testing.T) {
	s := world(t, func(d *tenants.Data) {
		d.Tenants[0].Suspended = true
		d.Tenants[0].MaxCalls = 1
		d.Tenants[0].Published.BlockedCallers = []string{"desk", "101", "+15550777", "anonymous"}
		d.Tenants[0].Published.Routes = append(d.Tenants[0].Published.Routes, tenants.Route{Dialled: "112", FlowID: "red-flow"}) // no way to take it over
	})
	f := up("n1", "n2", "n3")
	f.TenantCalls = 99
	f.Nodes[0].State, f.Nodes[1].Calls, f.Nodes[2].State = messages.NodeDraining, 10, messages.NodeDown
	for _, m := range []*messages.RouteRequest{fromDevice(t, "desk@red.example", "112"), fromTrunk("+15550777", "112")} {
		d := decide(t, s, f, m)
		if d.Verdict != messages.Route || d.FlowID != callflows.EmergencyFlow || len(d.Nodes) != 2 || slices.Contains(d.Nodes, f.Nodes[2].SIPURI) {
			t.Errorf("%s to %s on %v: %s", d.Verdict, d.FlowID, d.Nodes, said(d))
		}
	}
	f.Nodes[2].State = messages.NodeUp
	if d := decide(t, s, f, fromDevice(t, "desk@red.example", "112")); len(d.Nodes) != 3 || d.Nodes[0] != f.Nodes[2].SIPURI {
		t.Errorf("a node that is well is not tried first: %v", d.Nodes)
	}
}

// A device reaches its own tenant alone, whatever it writes into From, To, the request URI or any other header.
func TestADeviceNeverReachesAnotherTenant(t *testing.T) {
	s := world(t)
	hosts := []string{"red.example", "blue.example", "BLUE.EXAMPLE", "blue.example:5060", "[2001:db8::9]", "192.0.2.9", "anonymous.invalid"}
	users := []string{"101", "555", "+15550200", "15550200", "0015550200", "desk", "desk%40blue.example", "555;phone-context=blue.example", "blue-flow", "+1-555-0200", "555:x"}
	for _, host := range hosts {
		for _, user := range users {
			for _, from := range []string{"sip:desk@blue.example", "sip:101@" + host, "tel:+15550200"} {
				m := fromDevice(t, "desk@red.example", "101")
				m.RequestURI, m.ToURI, m.FromURI = "sip:"+user+"@"+host, "sip:555@blue.example", from
				m.PAssertedIdentity, m.Diversion, m.FromName = []string{"<sip:desk@blue.example>"}, []string{"<sip:+15550200@blue.example>"}, "blue-desk"
				m.SourceAddress = "192.0.2.9" // even from a trunk's address: who has authenticated is a device
				r, err := Read(m)
				if err != nil {
					t.Fatal(err)
				}
				if got := TenantOf(s, r); got != "red" {
					t.Fatalf("%s from %s is tenant %q's", m.RequestURI, from, got)
				}
				d := Decide(s, up("n1"), r)
				if strings.Contains(text(d), "blue-") || d.Tenant != "red" || d.Caller.Device != "red-desk" || d.Verdict == messages.Route && d.FlowID != "red-flow" {
					t.Fatalf("%s from %s gives %s", m.RequestURI, from, text(d))
				}
				if d.Verdict == messages.Route != (d.Dialled == "101") {
					t.Fatalf("%s is %s as %s", m.RequestURI, d.Verdict, d.Dialled)
				}
			}
		}
	}
}

func TestATrunkReachesTheOwnerOfTheNumber(t *testing.T) {
	s := world(t)
	for to, want := range map[string]string{"+15550100": "red-flow", "+15550200": "blue-flow", "555": "", "101": ""} {
		m := fromTrunk("+15550777", to)
		m.RequestURI = "sip:" + to + "@blue.example"
		if d := decide(t, s, up("n1"), m); d.FlowID != want {
			t.Errorf("%s leads to %q, want %q", to, d.FlowID, want)
		}
	}
}

func TestALimit(t *testing.T) {
	for _, c := range []struct {
		limit, calls int
		passes       bool
	}{{0, 0, true}, {0, 1 << 20, true}, {1, 0, true}, {1, 1, false}, {5, 4, true}, {5, 5, false}, {5, 6, false}} {
		f := up("n1")
		f.TenantCalls = c.calls
		d := decide(t, world(t, func(d *tenants.Data) { d.Tenants[0].MaxCalls = c.limit }), f, fromDevice(t, "desk@red.example", "101"))
		if got := d.Verdict == messages.Route; got != c.passes {
			t.Errorf("with a limit of %d and %d calls up, the next passes: %v", c.limit, c.calls, got)
		}
	}
}

func text(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(body)
}

func TestDecideChangesNothingThatItIsGiven(t *testing.T) {
	s, f := world(t), up("n1", "n2", "n3")
	r, err := Read(fromDevice(t, "desk@red.example", "101"))
	if err != nil {
		t.Fatal(err)
	}
	before := text(s.Data()) + text(f) + text(r)
	first := Decide(s, f, r)
	if again := Decide(s, f, r); !reflect.DeepEqual(first, again) || text(s.Data())+text(f)+text(r) != before {
		t.Error("the second decision differs, or the first has changed its arguments")
	}
}
