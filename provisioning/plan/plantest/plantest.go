// Package plantest draws tenants for tests: one in which every field is set, and random ones that hold together.
package plantest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"tandem/provisioning/plan"
	"tandem/tenants"
)

func to[T any](v T) *T { return &v }

// Full is a tenant in which every field is set.
func Full() plan.Document {
	return plan.Document{Format: plan.Format, Tenant: "acme",
		Settings: &plan.Settings{Name: to("Acme"), TimeZone: to("Europe/Paris"), Language: to("en"), MaxCalls: to(20), MaxCallsPerSecond: to(5),
			MainNumber: to("+12025550100"), MusicOnHold: to("hold"),
			Dialling:   &tenants.Dialling{Country: "FR", InternationalPrefix: "00", NationalPrefix: "0", AreaCode: "1"},
			CallingOut: &tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+1900"}, MaxCalls: 4, PerSecond: 1, Shown: []string{"+12025550155"}, Withheld: true}},
		Users: []plan.User{{ID: "ada", Name: "Ada", Extension: "101", Number: "+12025550101"}, {ID: "bob", Name: "Bob", Extension: "102", Number: "+12025550100"}},
		UserSettings: []plan.UserSettings{{User: "ada", ForwardAll: plan.Forward{On: true, To: "102", Confirm: true}, ForwardBusy: plan.Forward{On: true, To: "103", Confirm: true}, ForwardNoAnswer: plan.Forward{On: true, To: "104", Confirm: true},
			NoAnswerSeconds: 20, DoNotDisturb: true, NoCallWaiting: true, RejectAnonymous: true, SpeedDials: map[string]string{"1": "102"}}},
		VoicemailBoxes: []plan.Box{{User: "ada"}},
		Devices:        []plan.Device{{ID: "desk", UserID: "ada", Name: "Desk", Username: "ada"}, {ID: "pbx", UserID: "bob", Name: "PBX", Username: "pbx"}},
		Phones: []plan.Phone{{Device: "desk", MAC: "001565000001", Vendor: "yealink", Model: "T46U", TimeZone: "Europe/Paris", Codecs: []string{"g722", "pcma"},
			Keys: []plan.PhoneKey{{Type: "blf", Label: "Bob", Value: "102"}, {Type: "line", Label: "Desk"}}, Note: "Firmware 108 or later."}},
		Whereabouts: []tenants.Whereabouts{{Device: "desk", Number: "+12025550101", Location: "2nd floor"}},
		Trunks: []plan.Trunk{{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, Disabled: true, MayCallOut: true, Device: "pbx",
			Registrar: "sip:carrier.example", Renew: 600, Incoming: tenants.NumberFormat{Form: "national", Country: "FR", Strip: "9", Add: "8"},
			Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.1:5060"}, Numbers: tenants.NumberFormat{Form: "national", Country: "FR", Strip: "9", Add: "8"},
				CallerID: tenants.CallerIDRule{Show: "trunk", Number: "+12025550100", Carried: "pai"}, MaxCalls: 3, PerSecond: 2, Failover: []string{"408"}, Seconds: 5, Domain: "acme.example"}}},
		OutboundRoutes: []plan.OutboundRoute{{Prefix: "+33", Trunks: []string{"carrier"}}},
		Schedules: []tenants.Schedule{{ID: "office", Name: "Office", TimeZone: "Europe/Paris",
			Weekly: []tenants.Hours{{Days: []time.Weekday{1, 2}, From: 9 * 60, Until: 17 * 60}},
			Dates:  []tenants.Date{{Date: "2030-01-01", Name: "New Year", Hours: []tenants.Span{{From: 600, Until: 660}}}}}},
		Lists: []tenants.List{{ID: "vip", Name: "VIP", Entries: []string{"+4420*", "101"}}},
		Flows: []tenants.Flow{{ID: "main", Name: "Main", Start: "menu", Elements: map[string]tenants.Element{
			"menu": {Type: "menu", Settings: json.RawMessage(`{"attempts":3,"prompt":"tone:menu"}`), Exits: map[string]string{"1": "end"}},
			"end":  {Type: "hangup", Settings: json.RawMessage(`{"cause":"USER_BUSY"}`)}}}},
		Numbers:        []plan.Number{{Number: "+12025550100", FlowID: "main"}, {Number: "+12025550101"}},
		Routes:         []plan.Route{{Dialled: "*8", Prefix: true, FlowID: "main"}, {Dialled: "200", FlowID: "user-ada"}},
		BlockedCallers: []string{"+12025550199"}}
}

// Owned are the numbers of each of these tenants.
func Owned() []string { return []string{"+12025550100", "+12025550101", "+12025550102"} }

// Maker draws tenants of few ids and values, so that two of them have much in common.
type Maker struct{ *rapid.T }

func (m Maker) pick(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(m.T, label)
}

// Yes draws yes or no.
func (m Maker) Yes(label string) bool         { return rapid.Bool().Draw(m.T, label) }
func (m Maker) below(label string, n int) int { return rapid.IntRange(0, n-1).Draw(m.T, label) }

// some draws a part of the texts, in any order.
func (m Maker) some(label string, from ...string) []string {
	shuffled := rapid.Permutation(from).Draw(m.T, label)
	return shuffled[:m.below(label+" count", len(from)+1)]
}

// text draws a name with whatever YAML might stumble over.
func (m Maker) text(label string) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"Ada", "yes", "0101", "+1202", "a: b", "- c", "# d", " e ", "Ünal", "x\ny", "'", "\"", "~", "<<", "2030-01-01", "{{", "null", "1e3", "=cmd()"}),
		rapid.StringN(1, 6, 20)).Draw(m.T, label)
}

// Tenant draws a tenant that holds together, with every section.
func (m Maker) Tenant() plan.Document {
	d := plan.Document{Format: plan.Format, Tenant: "acme"}
	number := func(label string) string { return m.pick(label, "", Owned()[0], Owned()[1]) }
	d.Settings = &plan.Settings{Name: to(m.text("tenant name")), TimeZone: to(m.pick("zone", "UTC", "Europe/Paris")), Language: to("en"), MaxCalls: to(m.below("calls", 3)),
		MaxCallsPerSecond: to(m.below("rate", 3)), MainNumber: to(number("main number")), MusicOnHold: to(m.pick("music", "", "hold")),
		Dialling:   &tenants.Dialling{Country: m.pick("country", "", "FR")},
		CallingOut: &tenants.CallingOut{Allowed: m.Yes("may call out"), BlockedPrefixes: m.some("blocked prefixes", "+1900", "+1976"), Shown: m.some("shown", "+12025550155", "+12025550156")}}
	extensions := rapid.Permutation([]string{"101", "102", "103", "104"}).Draw(m.T, "extensions")
	d.Users = []plan.User{}
	for i, id := range m.some("users", "ada", "bob", "cem", "dot") {
		d.Users = append(d.Users, plan.User{ID: id, Name: m.text("user name"), Extension: extensions[i], Number: number("number")})
	}
	m.belongings(&d)
	m.trunks(&d)
	m.versioned(&d)
	return d.Normal()
}

func (m Maker) belongings(d *plan.Document) {
	d.UserSettings, d.VoicemailBoxes, d.Devices, d.Phones, d.Whereabouts = []plan.UserSettings{}, []plan.Box{}, []plan.Device{}, []plan.Phone{}, []tenants.Whereabouts{}
	owners := []string{""}
	for _, u := range d.Users {
		owners = append(owners, u.ID)
		if m.Yes("has settings") {
			s := plan.UserSettings{User: u.ID, ForwardAll: plan.Forward{To: m.pick("forward", "102", "103"), On: m.Yes("on")}, NoAnswerSeconds: m.below("seconds", 3)}
			for _, key := range m.some("speed dials", "1", "2") {
				if s.SpeedDials == nil {
					s.SpeedDials = map[string]string{}
				}
				s.SpeedDials[key] = m.pick("speed dial", "101", "+12025550100")
			}
			d.UserSettings = append(d.UserSettings, s)
		}
		if m.Yes("has a PIN") {
			d.VoicemailBoxes = append(d.VoicemailBoxes, plan.Box{User: u.ID})
		}
	}
	names := rapid.Permutation([]string{"n1", "n2", "n3"}).Draw(m.T, "user names")
	macs := rapid.Permutation([]string{"001565000001", "001565000002", "001565000003"}).Draw(m.T, "hardware addresses")
	for i, id := range m.some("devices", "d1", "d2", "d3") {
		d.Devices = append(d.Devices, plan.Device{ID: id, UserID: rapid.SampledFrom(owners).Draw(m.T, "owner"), Name: m.text("device name"), Username: names[i]})
		if m.Yes("provisions itself") {
			d.Phones = append(d.Phones, m.phone(id, macs[i]))
		}
		if m.Yes("stands somewhere") {
			d.Whereabouts = append(d.Whereabouts, tenants.Whereabouts{Device: id, Number: m.pick("callback", "", Owned()[0]), Location: m.pick("location", "1st floor", "2nd floor")})
		}
	}
}

func (m Maker) phone(device, mac string) plan.Phone {
	p := plan.Phone{Device: device, MAC: mac, Vendor: m.pick("vendor", "yealink", "snom"), TimeZone: m.pick("phone's zone", "", "Europe/Paris"), Codecs: m.some("codecs", "pcma", "g722"),
		Note: m.pick("note", "", "Firmware 1: or later", "- 'x'")}
	for range m.below("keys", 3) {
		p.Keys = append(p.Keys, plan.PhoneKey{Type: "speed_dial", Label: m.pick("label", "", "Taxi: Süd", "yes"), Value: m.pick("value", "101", "*8", "0101")})
	}
	return p
}

func (m Maker) trunks(d *plan.Document) {
	d.Trunks, d.OutboundRoutes = []plan.Trunk{}, []plan.OutboundRoute{}
	addresses := rapid.Permutation([]string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}).Draw(m.T, "addresses")
	var called []string
	for i, id := range m.some("trunks", "t1", "t2", "t3") {
		t := plan.Trunk{ID: id, Name: m.pick("trunk name", "Carrier", "PBX"), Addresses: []netip.Addr{netip.MustParseAddr(addresses[i])}}
		if i < len(d.Devices) && m.Yes("registers") {
			t.Device = d.Devices[i].ID
			t.Outgoing = &tenants.Outgoing{Destinations: []string{}}
		}
		if m.Yes("is called") {
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
			d.OutboundRoutes = append(d.OutboundRoutes, plan.OutboundRoute{Prefix: prefix, Trunks: serve})
		}
	}
}

func (m Maker) versioned(d *plan.Document) {
	d.Schedules, d.Lists, d.Flows, d.Numbers, d.Routes = []tenants.Schedule{}, []tenants.List{}, []tenants.Flow{}, []plan.Number{}, []plan.Route{}
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
		leads = append(leads, "user-"+u.ID)
	}
	for _, number := range Owned() {
		n := plan.Number{Number: number}
		if len(leads) > 0 && m.Yes("leads") {
			n.FlowID = rapid.SampledFrom(leads).Draw(m.T, "number leads to")
		}
		d.Numbers = append(d.Numbers, n)
	}
	if len(leads) > 0 {
		for _, dialled := range m.some("routes", "200", "201", "*8") {
			d.Routes = append(d.Routes, plan.Route{Dialled: dialled, Prefix: m.Yes("prefix"), FlowID: rapid.SampledFrom(leads).Draw(m.T, "route leads to")})
		}
	}
	d.BlockedCallers = m.some("blocked", "+12025550199", "n1")
}

// Part draws a file that leaves sections out.
func (m Maker) Part(d plan.Document) plan.Document {
	for _, leave := range []func(){func() { d.Settings = nil }, func() { d.Users = nil }, func() { d.UserSettings = nil }, func() { d.VoicemailBoxes = nil },
		func() { d.Devices = nil }, func() { d.Whereabouts = nil }, func() { d.Phones = nil }, func() { d.Trunks = nil }, func() { d.OutboundRoutes = nil }, func() { d.Schedules = nil },
		func() { d.Lists = nil }, func() { d.Flows = nil }, func() { d.Numbers = nil }, func() { d.Routes = nil }, func() { d.BlockedCallers = nil }} {
		if m.below("leave out", 3) == 0 {
			leave()
		}
	}
	return d
}
