package tenants

import (
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// parseAny takes all settings but those that say "bad".
func parseAny(elementType string, settings json.RawMessage) (any, error) {
	if strings.Contains(string(settings), "bad") {
		return nil, errors.New("settings: bad")
	}
	return elementType + string(settings), nil
}

// world is two tenants that hold together.
func world() Data {
	flow := func(id string) Flow {
		return Flow{ID: id, Name: "Front", Start: "a", Elements: map[string]Element{
			"a": {Type: "play", Settings: json.RawMessage(`{"prompt":"hello"}`), Exits: map[string]string{"next": "b"}}, "b": {Type: "hangup"}}}
	}
	tenant := func(id, domain, number string) Tenant {
		return Tenant{ID: id, Name: strings.ToUpper(id), Domain: domain, TimeZone: "UTC", Language: "en", MaxCalls: 5,
			Users:   []User{{ID: id + "-anna", Name: "Anna", Extension: "101"}},
			Devices: []Device{{ID: id + "-desk", UserID: id + "-anna", Name: "Desk", Username: "anna-desk"}, {ID: id + "-mobile", UserID: id + "-anna", Name: "Mobile", Username: "anna-mobile"}},
			Numbers: []string{number},
			Published: Published{Version: 7, PublishedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Flows: []Flow{flow("front")},
				Schedules:      []Schedule{{ID: "office", Name: "Office", Weekly: []Hours{{Days: []time.Weekday{1}, From: 540, Until: 1020}}}},
				Routes:         []Route{{Dialled: "101", FlowID: "front"}, {Dialled: number, FlowID: "front"}},
				BlockedCallers: []string{"+15550199"}},
		}
	}
	return Data{LoadedAt: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), Revision: 42,
		Tenants:   []Tenant{tenant("a", "A.example", "+15550100"), tenant("b", "b.example", "+15550200")},
		Trunks:    []Trunk{{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("2001:db8::9"), netip.MustParseAddr("::ffff:192.0.2.8")}}},
		Emergency: Emergency{Numbers: []string{"112", "999"}, TestNumber: "999", TrunkURI: "sip:192.0.2.112"},
		Nodes:     []Node{{Name: "node-1", SIPURI: "sip:192.0.2.20:5080", EventSocket: "192.0.2.20:8021", MaxCalls: 10}},
	}
}

func TestASnapshotFindsEverythingByItsIndexes(t *testing.T) {
	s, faults := NewSnapshot(world(), parseAny)
	if len(faults) != 0 {
		t.Fatal(faults)
	}
	a := s.Tenant("a")
	for claim, ok := range map[string]bool{
		"a tenant by its domain in any case":          s.TenantByDomain("a.EXAMPLE") == a,
		"a tenant by its number":                      s.TenantByNumber("+15550100") == a,
		"a number of another tenant":                  s.TenantByNumber("+15550200") == s.Tenant("b"),
		"no tenant by a number without +":             s.TenantByNumber("15550100") == nil,
		"no tenant by an empty domain":                s.TenantByDomain("") == nil,
		"a trunk by its address":                      s.TrunkByAddress(netip.MustParseAddr("192.0.2.9")) != nil,
		"a trunk whose address is configured as IPv6": s.TrunkByAddress(netip.MustParseAddr("192.0.2.8")) != nil,
		"a trunk by its address, written as IPv6":     s.TrunkByAddress(netip.MustParseAddr("::ffff:192.0.2.9")) != nil,
		"no trunk by another address":                 s.TrunkByAddress(netip.MustParseAddr("192.0.2.10")) == nil,
		"no trunk by no address":                      s.TrunkByAddress(netip.Addr{}) == nil,
		"a device by its id":                          a.Device("a-desk") != nil && a.Device("b-desk") == nil,
		"a device by its user name":                   a.DeviceByUsername("anna-desk").ID == "a-desk" && s.Tenant("b").DeviceByUsername("anna-desk").ID == "b-desk",
		"no device by an empty user name":             a.DeviceByUsername("") == nil,
		"a user's devices in order":                   len(a.DevicesOf("a-anna")) == 2 && a.DevicesOf("a-anna")[0].ID == "a-desk",
		"no devices of nobody":                        len(a.DevicesOf("nobody")) == 0,
		"a user":                                      a.User("a-anna").Extension == "101" && a.User("b-anna") == nil,
		"a route":                                     a.Route("101").FlowID == "front" && a.Route("+15550200") == nil,
		"a flow, with its settings parsed":            a.Flow("front").Elements["a"].Parsed == `play{"prompt":"hello"}`,
		"a schedule":                                  a.Schedule("office").Name == "Office" && a.Schedule("none") == nil,
		"a blocked caller":                            a.Blocked("+15550199") && !a.Blocked("+15550198"),
		"an emergency number":                         s.Emergency().Is("112") && !s.Emergency().Is("11") && !s.Emergency().Is(""),
		"its revision":                                s.Revision() == 42 && !s.LoadedAt().IsZero(),
		"its nodes and trunks":                        len(s.Nodes()) == 1 && len(s.Trunks()) == 1,
		"the tenant's time zone":                      a.Location() == time.UTC,
		"no tenant that is not there":                 s.Tenant("c") == nil && s.TenantByDomain("c.example") == nil,
	} {
		if !ok {
			t.Errorf("it does not find %s", claim)
		}
	}
}

// TestAFaultStopsNobodyElse breaks tenant b, or the platform's part, in one place each.
func TestAFaultStopsNobodyElse(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*Data)
		fault string
		left  func(*Snapshot) bool // what must still work
	}{
		{"a number that another tenant has", func(d *Data) { d.Tenants[1].Numbers = []string{"+15550100"} },
			"tenants: tenant b: numbers/+15550100: belongs to tenant a",
			func(s *Snapshot) bool { return s.TenantByNumber("+15550100") == s.Tenant("a") }},
		{"a domain that another tenant has", func(d *Data) { d.Tenants[1].Domain = "a.example" },
			"tenants: tenant b: domain: belongs to tenant a",
			func(s *Snapshot) bool { return s.TenantByDomain("a.example") == s.Tenant("a") }},
		{"no domain", func(d *Data) { d.Tenants[1].Domain = "" }, "tenants: tenant b: domain: is empty",
			func(s *Snapshot) bool { return s.TenantByDomain("") == nil && s.TenantByNumber("+15550200") != nil }},
		{"a tenant that is there twice", func(d *Data) { d.Tenants = append(d.Tenants, Tenant{ID: "a", Domain: "thief.example"}) },
			"tenants: tenant a: id: is there twice; the first is used",
			func(s *Snapshot) bool { return s.TenantByDomain("thief.example") == nil && s.Tenant("a").Name == "A" }},
		{"a user name that another device has", func(d *Data) { d.Tenants[1].Devices[1].Username = "anna-desk" },
			"tenants: tenant b: devices/b-mobile/username: belongs to device b-desk",
			func(s *Snapshot) bool { return s.Tenant("b").DeviceByUsername("anna-desk").ID == "b-desk" }},
		{"a route to a flow that is not there", func(d *Data) { d.Tenants[1].Published.Routes[0].FlowID = "gone" },
			"tenants: tenant b: routes/101: leads to a flow that is not there",
			func(s *Snapshot) bool {
				return s.Tenant("b").Route("101") == nil && s.Tenant("b").Route("+15550200") != nil
			}},
		{"settings that cannot be read", func(d *Data) {
			d.Tenants[1].Published.Flows = append(d.Tenants[1].Published.Flows, Flow{ID: "x", Start: "a", Elements: map[string]Element{"a": {Settings: json.RawMessage(`"bad"`)}}})
		}, "tenants: tenant b: flows/x/elements/a/settings: settings: bad",
			func(s *Snapshot) bool { return s.Tenant("b").Flow("x") == nil && s.Tenant("b").Flow("front") != nil }},
		{"a flow without its start", func(d *Data) { d.Tenants[1].Published.Flows[0].Start = "z" },
			"tenants: tenant b: flows/front/start: names no element",
			func(s *Snapshot) bool { return s.Tenant("b").Route("101") == nil }},
		{"an exit that leads nowhere", func(d *Data) { d.Tenants[1].Published.Flows[0].Elements["a"].Exits["next"] = "z" },
			"tenants: tenant b: flows/front/elements/a/exits/next: leads to an element that is not there",
			func(s *Snapshot) bool { return s.Tenant("b").Flow("front") == nil }},
		{"a time zone that is not known", func(d *Data) { d.Tenants[1].TimeZone = "Mars/Olympus" },
			"tenants: tenant b: time_zone: is not known; UTC is used",
			func(s *Snapshot) bool { return s.Tenant("b").Location() == time.UTC }},
		{"the machine's own time zone", func(d *Data) { d.Tenants[1].TimeZone = "Local" },
			"tenants: tenant b: time_zone: is not known; UTC is used",
			func(s *Snapshot) bool { return s.Tenant("b").Location() == time.UTC }},
		{"a schedule's time zone that is not known", func(d *Data) { d.Tenants[1].Published.Schedules[0].TimeZone = "Mars/Olympus" },
			"tenants: tenant b: schedules/office/time_zone: is not known; the tenant's is used",
			func(s *Snapshot) bool {
				return s.Tenant("b").Schedule("office").At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)).Open
			}},
		{"a date that is none", func(d *Data) { d.Tenants[1].Published.Schedules[0].Dates = []Date{{Date: "25.12."}} },
			"tenants: tenant b: schedules/office/dates/25.12.: is not a date (2006-01-02); it is never met",
			func(s *Snapshot) bool { return s.Tenant("b").Schedule("office") != nil }},
		{"an address that another trunk has", func(d *Data) {
			d.Trunks = append(d.Trunks, Trunk{ID: "thief", Addresses: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.9")}})
		}, "tenants: trunks/thief/addresses/::ffff:192.0.2.9: belongs to trunk carrier",
			func(s *Snapshot) bool { return s.TrunkByAddress(netip.MustParseAddr("192.0.2.9")).ID == "carrier" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := world()
			c.spoil(&d)
			s, faults := NewSnapshot(d, parseAny)
			if len(faults) == 0 || faults[0].Error() != c.fault {
				t.Errorf("the faults are %v, want first %q", faults, c.fault)
			}
			if !c.left(s) {
				t.Error("what does not depend on it is gone or wrong too")
			}
			a := s.Tenant("a")
			if s.TenantByDomain("a.example") != a || s.TenantByNumber("+15550100") != a || a.Route("101") == nil || a.Flow("front") == nil || a.DeviceByUsername("anna-desk") == nil {
				t.Error("tenant a suffers from it")
			}
		})
	}
}

func TestDataSurvivesJSON(t *testing.T) {
	body, err := json.Marshal(world())
	if err != nil {
		t.Fatal(err)
	}
	var back Data
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	if want := world(); !reflect.DeepEqual(back, want) {
		t.Errorf("it came back as\n%+v\nwas\n%+v", back, want)
	}
}

func TestASnapshotGivesBackTheDataThatItWasMadeFrom(t *testing.T) {
	s, _ := NewSnapshot(world(), parseAny)
	want, _ := json.Marshal(world())
	if got, err := json.Marshal(s.Data()); err != nil || string(got) != string(want) {
		t.Errorf("it gives %s (%v)", got, err)
	}
}

func TestFaultsComeInTheSameOrderEachTime(t *testing.T) {
	var first []Fault
	for range 20 {
		d := world()
		for i := range d.Tenants {
			for key, e := range d.Tenants[i].Published.Flows[0].Elements {
				e.Settings = json.RawMessage(`"bad"`)
				d.Tenants[i].Published.Flows[0].Elements[key] = e
			}
		}
		_, faults := NewSnapshot(d, parseAny)
		if first == nil {
			first = faults
		}
		if !slices.Equal(faults, first) {
			t.Fatalf("%v, and before %v", faults, first)
		}
	}
}
