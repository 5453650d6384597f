package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"tandem/tenants"
)

// The customers of the measurements: each has a main number with opening hours, a menu, two groups and an announcement, and for
// each further number a person with a phone and the flow that provisioning makes for one. No two tenants have an id in common, so
// that nothing is small because it is the same.
const (
	customerNumbers = 100 // of each tenant
	customerTeam    = 5   // people of a group
	customerFirst   = 2_000_000_000
)

// customerNumber is the n-th number of all.
func customerNumber(n int) string { return fmt.Sprintf("+1%010d", customerFirst+n) }

func customerID(t int) string      { return fmt.Sprintf("c%05d", t) }
func customerUser(t, u int) string { return fmt.Sprintf("c%05d-u%03d", t, u) }

// customerCarrier is where calls come from.
var customerCarrier = netip.AddrFrom4([4]byte{198, 51, 100, 7})

// customers is the configuration of a platform with so many of them.
func customers(count, numbersEach int) tenants.Data {
	data := tenants.Data{
		LoadedAt: time.Now().UTC(), Revision: 1, Tenants: make([]tenants.Tenant, 0, count),
		Trunks: []tenants.Trunk{
			{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{customerCarrier},
				Outgoing: &tenants.Outgoing{Destinations: []string{"sip:198.51.100.7:5060"}, CallerID: tenants.CallerIDRule{Number: "+12025550100"}}},
			{ID: "second", Name: "Second carrier", Addresses: []netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, 8})},
				Outgoing: &tenants.Outgoing{Destinations: []string{"sip:198.51.100.8:5060"}, CallerID: tenants.CallerIDRule{Number: "+12025550100"}}}},
		Outbound:  []tenants.OutboundRoute{{Trunk: "carrier"}, {Trunk: "second", Position: 1}},
		Emergency: tenants.Emergency{Numbers: []string{"112", "911"}, TrunkURI: "sip:192.0.2.112:5060"},
	}
	for n := range benchNodes {
		data.Nodes = append(data.Nodes, tenants.Node{Name: fmt.Sprintf("node%d", n+1), SIPURI: fmt.Sprintf("sip:192.0.2.%d:5080", 20+n), MaxCalls: 1000})
	}
	for t := range count {
		data.Tenants = append(data.Tenants, customer(t, numbersEach))
		data.Tenants[t].Published.Pack() // as what is loaded
	}
	return data
}

// customer is the t-th of them.
func customer(t, numbers int) tenants.Tenant {
	id := customerID(t)
	c := tenants.Tenant{ID: id, Name: "Customer " + id, Domain: id + ".example.com", TimeZone: "America/New_York", Language: "en", MaxCalls: 200,
		MainNumber: customerNumber(t * numbers), Dialling: tenants.Dialling{Country: "US", AreaCode: "202"}, CallingOut: tenants.CallingOut{Allowed: true, MaxCalls: 100}}
	p := &c.Published
	p.Version, p.PublishedAt = 1, time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	p.Schedules = []tenants.Schedule{{ID: id + "-office", Name: "Office", Weekly: []tenants.Hours{{Days: []time.Weekday{1, 2, 3, 4, 5}, From: 9 * 60, Until: 17 * 60}},
		Dates: []tenants.Date{{Date: "2027-01-01", Name: "New Year"}}}}
	p.Lists = []tenants.List{{ID: id + "-priority", Name: "Priority", Entries: []string{"+15550100*", "+15550200", "+15550300"}}}
	p.BlockedCallers = []string{"+15550666", "+15550667"}
	people := max(numbers-1, 1)
	for u := range people {
		user := tenants.User{ID: customerUser(t, u), Name: fmt.Sprintf("Person %d of %s", u, id), Extension: fmt.Sprint(1000 + u)}
		if u+1 < numbers {
			user.Number = customerNumber(t*numbers + u + 1)
		}
		c.Users = append(c.Users, user)
		c.Devices = append(c.Devices, tenants.Device{ID: user.ID + "-desk", UserID: user.ID, Name: "Desk phone", Username: user.ID})
	}
	p.Flows = companyFlows(id, t, people)
	p.Routes = []tenants.Route{{Dialled: c.MainNumber, FlowID: id + "-main"}, {Dialled: "200", FlowID: id + "-main"}}
	for _, u := range c.Users { // as provisioning does for each user
		p.Flows = append(p.Flows, tenants.Flow{ID: "user-" + u.ID, Name: u.Name, Start: "ring",
			Elements: map[string]tenants.Element{"ring": settled("ring", map[string]any{"users": []string{u.ID}, "strategy": "at_once", "seconds": 25})}})
		p.Routes = append(p.Routes, tenants.Route{Dialled: u.Extension, FlowID: "user-" + u.ID})
	}
	for n := range numbers {
		c.Numbers = append(c.Numbers, customerNumber(t*numbers+n))
		if n > 0 {
			p.Routes = append(p.Routes, tenants.Route{Dialled: c.Numbers[n], FlowID: "user-" + c.Users[n-1].ID})
		}
	}
	return c
}

// companyFlows are those of the main number.
func companyFlows(id string, t, people int) []tenants.Flow {
	team := func(first int) (users []string) {
		for u := range min(customerTeam, people) {
			users = append(users, customerUser(t, (first+u)%people))
		}
		return users
	}
	group := func(first int, strategy string) tenants.Element {
		return settled("ring", map[string]any{"users": team(first), "strategy": strategy, "seconds": 30}, "no_answer", "sorry", "busy", "sorry", "unavailable", "sorry", "failed", "sorry")
	}
	return []tenants.Flow{{ID: id + "-main", Name: "Main number", Start: "hours", Elements: map[string]tenants.Element{
		"hours":    settled("hours", map[string]any{"schedule": id + "-office"}, "open", "priority", "closed", "announce"),
		"priority": settled("branch", map[string]any{"cases": []any{map[string]any{"exit": "priority", "caller_number": map[string]any{"in_list": id + "-priority"}}}}, "priority", "sales", "otherwise", "menu"),
		"menu": settled("menu", map[string]any{"prompt": id + "/welcome", "attempts": 2, "seconds": 4},
			"1", "sales", "2", "service", "0", "mobile", "timeout", "service", "invalid", "service"),
		"sales":    group(0, "at_once"),
		"service":  group(customerTeam, "in_order"),
		"mobile":   settled("number", map[string]any{"number": "+442079460000", "seconds": 30}, "no_answer", "sorry", "busy", "sorry", "unavailable", "sorry", "rejected", "sorry", "failed", "sorry"),
		"sorry":    settled("play", map[string]any{"prompt": id + "/sorry"}, "next", "end"),
		"announce": settled("play", map[string]any{"prompt": id + "/closed"}, "next", "end"),
		"end":      settled("hangup", map[string]any{}),
	}}}
}

// settled makes an element; exits are alternating names and keys.
func settled(kind string, settings map[string]any, exits ...string) tenants.Element {
	body, err := json.Marshal(settings)
	if err != nil {
		panic(err) // texts, numbers and lists of them
	}
	e := tenants.Element{Type: kind, Settings: body}
	for i := 0; i+1 < len(exits); i += 2 {
		if e.Exits == nil {
			e.Exits = map[string]string{}
		}
		e.Exits[exits[i]] = exits[i+1]
	}
	return e
}
