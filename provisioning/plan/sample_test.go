package plan

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"tandem/tenants"
)

func to[T any](v T) *T { return &v }

// full is a tenant in which every field is set.
func full() Document {
	return Document{Format: Format, Tenant: "acme",
		Settings: &Settings{Name: to("Acme"), TimeZone: to("Europe/Paris"), Language: to("en"), MaxCalls: to(20), MaxCallsPerSecond: to(5),
			MainNumber: to("+12025550100"), MusicOnHold: to("hold"),
			Dialling:   &tenants.Dialling{Country: "FR", InternationalPrefix: "00", NationalPrefix: "0", AreaCode: "1"},
			CallingOut: &tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+1900"}, MaxCalls: 4, PerSecond: 1, Shown: []string{"+12025550155"}, Withheld: true}},
		Users: []User{{"ada", "Ada", "101", "+12025550101"}, {"bob", "Bob", "102", "+12025550100"}},
		UserSettings: []UserSettings{{User: "ada", ForwardAll: Forward{true, "102", true}, ForwardBusy: Forward{true, "103", true}, ForwardNoAnswer: Forward{true, "104", true},
			NoAnswerSeconds: 20, DoNotDisturb: true, NoCallWaiting: true, RejectAnonymous: true, SpeedDials: map[string]string{"1": "102"}}},
		VoicemailBoxes: []Box{{"ada"}},
		Devices:        []Device{{"desk", "ada", "Desk", "ada"}, {"pbx", "bob", "PBX", "pbx"}},
		Whereabouts:    []tenants.Whereabouts{{Device: "desk", Number: "+12025550101", Location: "2nd floor"}},
		Trunks: []Trunk{{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, Disabled: true, MayCallOut: true, Device: "pbx",
			Registrar: "sip:carrier.example", Renew: 600, Incoming: tenants.NumberFormat{Form: "national", Country: "FR", Strip: "9", Add: "8"},
			Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.1:5060"}, Numbers: tenants.NumberFormat{Form: "national", Country: "FR", Strip: "9", Add: "8"},
				CallerID: tenants.CallerIDRule{Show: "trunk", Number: "+12025550100", Carried: "pai"}, MaxCalls: 3, PerSecond: 2, Failover: []string{"408"}, Seconds: 5, Domain: "acme.example"}}},
		OutboundRoutes: []OutboundRoute{{"+33", []string{"carrier"}}},
		Schedules: []tenants.Schedule{{ID: "office", Name: "Office", TimeZone: "Europe/Paris",
			Weekly: []tenants.Hours{{Days: []time.Weekday{1, 2}, From: 9 * 60, Until: 17 * 60}},
			Dates:  []tenants.Date{{Date: "2030-01-01", Name: "New Year", Hours: []tenants.Span{{From: 600, Until: 660}}}}}},
		Lists: []tenants.List{{ID: "vip", Name: "VIP", Entries: []string{"+4420*", "101"}}},
		Flows: []tenants.Flow{{ID: "main", Name: "Main", Start: "menu", Elements: map[string]tenants.Element{
			"menu": {Type: "menu", Settings: json.RawMessage(`{"attempts":3,"prompt":"tone:menu"}`), Exits: map[string]string{"1": "end"}},
			"end":  {Type: "hangup", Settings: json.RawMessage(`{"cause":"USER_BUSY"}`)}}}},
		Numbers:        []Number{{"+12025550100", "main"}, {Number: "+12025550101"}},
		Routes:         []Route{{"*8", true, "main"}, {"200", false, "user-ada"}},
		BlockedCallers: []string{"+12025550199"}}
}

func owned() []string { return []string{"+12025550100", "+12025550101", "+12025550102"} }

// maker draws tenants of few ids and values, so that two of them have much in common.
type maker struct{ *rapid.T }

func (m maker) pick(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(m.T, label)
}
func (m maker) yes(label string) bool         { return rapid.Bool().Draw(m.T, label) }
func (m maker) below(label string, n int) int { return rapid.IntRange(0, n-1).Draw(m.T, label) }

// some draws a part of the texts, in any order.
func (m maker) some(label string, from ...string) []string {
	shuffled := rapid.Permutation(from).Draw(m.T, label)
	return shuffled[:m.below(label+" count", len(from)+1)]
}

// text draws a name with whatever YAML might stumble over.
func (m maker) text(label string) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"Ada", "yes", "0101", "+1202", "a: b", "- c", "# d", " e ", "Ünal", "x\ny", "'", "\"", "~", "<<", "2030-01-01", "{{", "null", "1e3", "=cmd()"}),
		rapid.StringN(1, 6, 20)).Draw(m.T, label)
}

// tenant draws a tenant that holds together, with every section.
func (m maker) tenant() Document {
	d := Document{Format: Format, Tenant: "acme"}
	number := func(label string) string { return m.pick(label, "", owned()[0], owned()[1]) }
	d.Settings = &Settings{Name: to(m.text("tenant name")), TimeZone: to(m.pick("zone", "UTC", "Europe/Paris")), Language: to("en"), MaxCalls: to(m.below("calls", 3)),
		MaxCallsPerSecond: to(m.below("rate", 3)), MainNumber: to(number("main number")), MusicOnHold: to(m.pick("music", "", "hold")),
		Dialling:   &tenants.Dialling{Country: m.pick("country", "", "FR")},
		CallingOut: &tenants.CallingOut{Allowed: m.yes("may call out"), BlockedPrefixes: m.some("blocked prefixes", "+1900", "+1976"), Shown: m.some("shown", "+12025550155", "+12025550156")}}
	extensions := rapid.Permutation([]string{"101", "102", "103", "104"}).Draw(m.T, "extensions")
	d.Users = []User{}
	for i, id := range m.some("users", "ada", "bob", "cem", "dot") {
		d.Users = append(d.Users, User{id, m.text("user name"), extensions[i], number("number")})
	}
	m.belongings(&d)
	m.trunks(&d)
	m.versioned(&d)
	return d.Normal()
}

func (m maker) belongings(d *Document) {
	d.UserSettings, d.VoicemailBoxes, d.Devices, d.Whereabouts = []UserSettings{}, []Box{}, []Device{}, []tenants.Whereabouts{}
	owners := []string{""}
	for _, u := range d.Users {
		owners = append(owners, u.ID)
		if m.yes("has settings") {
			s := UserSettings{User: u.ID, ForwardAll: Forward{To: m.pick("forward", "102", "103"), On: m.yes("on")}, NoAnswerSeconds: m.below("seconds", 3)}
			for _, key := range m.some("speed dials", "1", "2") {
				if s.SpeedDials == nil {
					s.SpeedDials = map[string]string{}
				}
				s.SpeedDials[key] = m.pick("speed dial", "101", "+12025550100")
			}
			d.UserSettings = append(d.UserSettings, s)
		}
		if m.yes("has a PIN") {
			d.VoicemailBoxes = append(d.VoicemailBoxes, Box{u.ID})
		}
	}
	names := rapid.Permutation([]string{"n1", "n2", "n3"}).Draw(m.T, "user names")
	for i, id := range m.some("devices", "d1", "d2", "d3") {
		d.Devices = append(d.Devices, Device{id, rapid.SampledFrom(owners).Draw(m.T, "owner"), m.text("device name"), names[i]})
		if m.yes("stands somewhere") {
			d.Whereabouts = append(d.Whereabouts, tenants.Whereabouts{Device: id, Number: m.pick("callback", "", owned()[0]), Location: m.pick("location", "1st floor", "2nd floor")})
		}
	}
}

func (m maker) trunks(d *Document) {
	d.Trunks, d.OutboundRoutes = []Trunk{}, []OutboundRoute{}
	addresses := rapid.Permutation([]string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}).Draw(m.T, "addresses")
	var called []string
	for i, id := range m.some("trunks", "t1", "t2", "t3") {
		t := Trunk{ID: id, Name: m.pick("trunk name", "Carrier", "PBX"), Addresses: []netip.Addr{netip.MustParseAddr(addresses[i])}}
		if i < len(d.Devices) && m.yes("registers") {
			t.Device = d.Devices[i].ID
			t.Outgoing = &tenants.Outgoing{Destinations: []string{}}
		}
		if m.yes("is called") {
			t.Outgoing = &tenants.Outgoing{Destinations: []string{"sip:192.0.2.9"}, MaxCalls: m.below("trunk calls", 3)}
		}
		if t.Outgoing != nil {
			called = append(called, id)
		}
		d.Trunks = append(d.Trunks, t)
	}
	if len(called) == 0 {
		return
	}
	for _, prefix := range m.some("prefixes", "", "+33", "+44") {
		if serve := m.some("serving", called...); len(serve) > 0 {
			d.OutboundRoutes = append(d.OutboundRoutes, OutboundRoute{prefix, serve})
		}
	}
}

func (m maker) versioned(d *Document) {
	d.Schedules, d.Lists, d.Flows, d.Numbers, d.Routes = []tenants.Schedule{}, []tenants.List{}, []tenants.Flow{}, []Number{}, []Route{}
	for _, id := range m.some("schedules", "office", "shop") {
		from := tenants.Clock(60 * m.below("opens", 20))
		d.Schedules = append(d.Schedules, tenants.Schedule{ID: id, Name: m.text("schedule name"), Weekly: []tenants.Hours{{Days: []time.Weekday{1}, From: from, Until: from + 60}}})
	}
	for _, id := range m.some("lists", "vip", "foes") {
		d.Lists = append(d.Lists, tenants.List{ID: id, Name: m.text("list name"), Entries: m.some("entries", "1", "2", "3*")})
	}
	leads := []string{}
	for _, id := range m.some("flows", "main", "night", "sales") {
		d.Flows = append(d.Flows, tenants.Flow{ID: id, Name: m.text("flow name"), Start: "p", Elements: map[string]tenants.Element{
			"p": {Type: "play", Settings: json.RawMessage(`{"prompt":` + strconv.Quote("tone:"+m.pick("prompt", "a", "b")) + `}`), Exits: map[string]string{"next": "e"}},
			"e": {Type: "hangup", Settings: json.RawMessage(fmt.Sprintf(`{"cause":%q}`, m.pick("cause", "USER_BUSY", "NORMAL_CLEARING")))}}})
		leads = append(leads, id)
	}
	for _, u := range d.Users {
		leads = append(leads, userFlow+u.ID)
	}
	for _, number := range owned() {
		n := Number{Number: number}
		if len(leads) > 0 && m.yes("leads") {
			n.FlowID = rapid.SampledFrom(leads).Draw(m.T, "number leads to")
		}
		d.Numbers = append(d.Numbers, n)
	}
	if len(leads) > 0 {
		for _, dialled := range m.some("routes", "200", "201", "*8") {
			d.Routes = append(d.Routes, Route{dialled, m.yes("prefix"), rapid.SampledFrom(leads).Draw(m.T, "route leads to")})
		}
	}
	d.BlockedCallers = m.some("blocked", "+12025550199", "n1")
}

// part draws a file that leaves sections out.
func (m maker) part(d Document) Document {
	for _, leave := range []func(){func() { d.Settings = nil }, func() { d.Users = nil }, func() { d.UserSettings = nil }, func() { d.VoicemailBoxes = nil },
		func() { d.Devices = nil }, func() { d.Whereabouts = nil }, func() { d.Trunks = nil }, func() { d.OutboundRoutes = nil }, func() { d.Schedules = nil },
		func() { d.Lists = nil }, func() { d.Flows = nil }, func() { d.Numbers = nil }, func() { d.Routes = nil }, func() { d.BlockedCallers = nil }} {
		if m.below("leave out", 3) == 0 {
			leave()
		}
	}
	return d
}
