package callflows

import (
	"strings"
	"testing"
	"time"

	"tandem/tenants"
)

// started is when the calls of the tests begin: a Monday morning.
var started = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const callerLeg = "8adcdf28-8955-4dff-af12-e253ea68375b"

// demo is the tenant of the tests, with flows of its own.
//
//	anna (101)  anna-desk, anna-mobile    may be called from outside at +15550101
//	ben (102)   ben-desk
//	carl (103)  no device
//	            lobby                     a device of nobody's
//	priority    a list: +15550199, and all that begin with +4420
//	office      Monday to Friday 09:00 to 17:00
//
// It may call out, two calls at a time, and dials as Germans do:
//
//	+4930700700 is a number of the tenant other
//	office-pbx  a PBX of its own that registers as the device lobby
//	any number  Carrier A (digits, its own list of failover), then Carrier B (two destinations, P-Asserted-Identity), then C (disabled)
//	+49         Carrier B alone
//	+43         the tenant's own PBX before Carrier A; +1900 is blocked
func demo(t testing.TB, flows ...tenants.Flow) Config {
	t.Helper()
	return demoWith(t, nil, nil, flows...)
}

// demoWith is demo, with what users have set and routes of its own besides.
func demoWith(t testing.TB, settings []tenants.UserSettings, routes []tenants.Route, flows ...tenants.Flow) Config {
	t.Helper()
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	data := tenants.Data{
		Emergency: tenants.Emergency{Numbers: []string{"112"}, TrunkURI: "sip:192.0.2.112:5060"},
		Tenants: []tenants.Tenant{{
			ID: "demo", Name: "Demo", Domain: "demo.example", TimeZone: "UTC", Numbers: []string{"+15550100", "+15550101"}, MainNumber: "+15550100",
			Dialling: tenants.Dialling{Country: "DE"},
			Places: []tenants.Whereabouts{{Device: "anna-mobile", Number: "+15550100", Location: "https://places.example/hall?floor=2"},
				{Device: "ben-desk", Location: "Main Street 1, first floor"}},
			CallingOut: tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+1900"}, MaxCalls: 2, PerSecond: 3, Shown: []string{"+15550777"}},
			Users: []tenants.User{{ID: "anna", Name: "Anna", Extension: "101", Number: "+15550101"}, {ID: "ben", Name: "Ben", Extension: "102"},
				{ID: "carl", Name: "Carl", Extension: "103"}},
			Devices: []tenants.Device{{ID: "anna-desk", UserID: "anna", Name: "Anna's desk phone", Username: "anna-desk"},
				{ID: "anna-mobile", UserID: "anna", Name: "Anna's mobile", Username: "anna-mobile"},
				{ID: "ben-desk", UserID: "ben", Name: "Ben's desk phone", Username: "ben-desk"},
				{ID: "lobby", Name: "the lobby phone", Username: "lobby"}},
			Settings: settings,
			Published: tenants.Published{Version: 7, Flows: flows, Routes: routes,
				Lists:     []tenants.List{{ID: "priority", Name: "Priority", Entries: []string{"+15550199", "+4420*"}}},
				Schedules: []tenants.Schedule{{ID: "office", Name: "Office", Weekly: []tenants.Hours{{Days: weekdays, From: 9 * 60, Until: 17 * 60}}}}},
		}, {ID: "other", Name: "Other", Domain: "other.example", TimeZone: "UTC", Numbers: []string{"+4930700700"}}},
		Trunks: []tenants.Trunk{
			{ID: "a", Name: "Carrier A", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.50"}, Numbers: tenants.NumberFormat{Form: tenants.FormDigits, Add: "77"},
				MaxCalls: 10, PerSecond: 5, Failover: []string{"5xx", "403", tenants.FailoverTimeout}}},
			{ID: "b", Name: "Carrier B", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.51", "sip:b.example:5070;transport=tcp"}, Seconds: 3,
				CallerID: tenants.CallerIDRule{Show: tenants.CallerAny, Number: "+15550999", Carried: tenants.CarriedPAI}, Domain: "us.example"}},
			{ID: "c", Name: "Carrier C", Disabled: true, Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.53"}}},
			{ID: "pbx", Name: "PBX", Tenant: "demo", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.60"}, CallerID: tenants.CallerIDRule{Show: tenants.CallerAny}}},
			{ID: "office-pbx", Name: "Office PBX", Tenant: "demo", Device: "lobby", Outgoing: &tenants.Outgoing{}},
			{ID: "in", Name: "Comes in only"}},
		Outbound: []tenants.OutboundRoute{{Prefix: "", Position: 1, Trunk: "a"}, {Prefix: "", Position: 2, Trunk: "b"}, {Prefix: "", Position: 3, Trunk: "c"}, {Prefix: "+49", Position: 1, Trunk: "b"}, {Prefix: "+43", Position: 1, Trunk: "pbx"}, {Prefix: "+43", Position: 1, Trunk: "a"}},
	}
	for _, f := range flows {
		if strings.Trim(f.ID, "0123456789") == "" { // a flow with a number for its id is reached by it
			data.Tenants[0].Published.Routes = append(data.Tenants[0].Published.Routes, tenants.Route{Dialled: f.ID, FlowID: f.ID})
		}
	}
	s, faults := tenants.NewSnapshot(data, ParseSettings)
	for _, f := range faults {
		t.Fatalf("the flow does not hold together: %v", f)
	}
	return Config{Tenant: s.Tenant("demo"), Emergency: s.Emergency(), Ways: s.Ways()}
}

// call is a call of device lobby to the flow.
func call(flow string) Call {
	return Call{ID: "0b9f2e6c-5f0e-8c3a-9d61-6f0f5c1c2a10", Tenant: "demo", Version: 7, Leg: callerLeg, Node: "node-1", Edge: "sip:192.0.2.1:5070",
		FlowID: flow, Caller: Caller{Device: "lobby", Number: "lobby"}, Dialled: "200", SIPCallID: "abc@192.0.2.44", StartedAt: started}
}
