package explain

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// playedAt is within the opening hours of shop: a Monday.
var playedAt = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// elements are of one flow.
type elements map[string]tenants.Element

// element makes one; exits are alternating names and keys.
func element(kind, settings string, exits ...string) tenants.Element {
	e := tenants.Element{Type: kind, Settings: json.RawMessage(settings), Exits: map[string]string{}}
	for i := 0; i+1 < len(exits); i += 2 {
		e.Exits[exits[i]] = exits[i+1]
	}
	return e
}

// busy, ring and bye are elements to lead to.
func busy() tenants.Element { return element("hangup", `{"cause":"USER_BUSY"}`) }
func ring() tenants.Element { return element("ring", `{"users":["sales"],"seconds":20}`) }

// shop is a tenant whose number 300 starts the flow main, which begins with the element a.
//
//	anna (101)   her desk phone, which calls      sales (102)  the sales phone, which is registered
//	day, night   flows to jump to: day rings sales, night is busy
//	hours        a schedule: Monday 09:00 to 17:00
//	vip          a list: 101
//	Carrier      calls in from 192.0.2.1, to +12025550100, which starts main too; calls out
func shop(t testing.TB, main elements, changes ...func(*tenants.Data)) *tenants.Snapshot {
	t.Helper()
	d := tenants.Data{
		Nodes:     []tenants.Node{{Name: "node1", SIPURI: "sip:127.0.0.1:5080"}},
		Emergency: tenants.Emergency{Numbers: []string{"112"}, TrunkURI: "sip:192.0.2.112"},
		Trunks: []tenants.Trunk{{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
			Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.1"}}}},
		Outbound: []tenants.OutboundRoute{{Trunk: "carrier"}},
		Tenants: []tenants.Tenant{{
			ID: "shop", Name: "Shop", Domain: "shop.example", TimeZone: "UTC", Numbers: []string{"+12025550100"},
			CallingOut: tenants.CallingOut{Allowed: true}, Dialling: tenants.Dialling{Country: "DE"},
			Users:   []tenants.User{{ID: "anna", Name: "Anna", Extension: "101"}, {ID: "sales", Name: "Sales", Extension: "102"}},
			Devices: []tenants.Device{{ID: "d1", UserID: "anna", Name: "Desk phone", Username: "101"}, {ID: "d2", UserID: "sales", Name: "Sales phone", Username: "102"}},
			Published: tenants.Published{Version: 7,
				Flows: []tenants.Flow{{ID: "main", Name: "Main", Start: "a", Elements: maps.Clone(main)},
					{ID: "day", Name: "Day", Start: "ring", Elements: elements{"ring": ring()}},
					{ID: "night", Name: "Night", Start: "busy", Elements: elements{"busy": busy()}}},
				Routes: []tenants.Route{{Dialled: "300", FlowID: "main"}, {Dialled: "+12025550100", FlowID: "main"}},
				Lists:  []tenants.List{{ID: "vip", Name: "Priority", Entries: []string{"101"}}},
				Schedules: []tenants.Schedule{{ID: "hours", Name: "Hours",
					Weekly: []tenants.Hours{{Days: []time.Weekday{time.Monday}, From: 9 * 60, Until: 17 * 60}}}}},
		}},
	}
	for _, change := range changes {
		change(&d)
	}
	s, faults := tenants.NewSnapshot(d, callflows.ParseSettings)
	for _, f := range faults {
		t.Fatal(f)
	}
	return s
}

// asks is a question of Anna's phone about 300, with the sales phone registered and the digit 1 keyed at each prompt.
func asks(changes ...func(*Question)) Question {
	q := Question{From: "101@shop.example", To: "300", At: playedAt, Digits: []string{"1", "1", "1"},
		Contacts: map[string][]callflows.Contact{"d1": {{Device: "d1", URI: "sip:101@192.0.2.6"}}, "d2": {{Device: "d2", URI: "sip:102@192.0.2.7"}}}}
	q.Facts.Nodes = []routing.Node{{Name: "node1", SIPURI: "sip:127.0.0.1:5080", State: messages.NodeUp}}
	for _, change := range changes {
		change(&q)
	}
	return q
}

// play makes the call of a question and gives its journal as the ledger keeps it. The world is that of dry runs; a caller who
// talks, or to whom nothing happens any more, hangs up.
func play(t testing.TB, s *tenants.Snapshot, q Question) []messages.JournalEntry {
	t.Helper()
	q.Facts.At = q.At
	request, ok := q.request(s)
	if !ok {
		t.Fatal("nobody can ask this")
	}
	d := routing.Decide(s, q.Facts, request)
	e, _ := routing.Journal(nil, q.Facts, request, d)
	entries := []messages.JournalEntry{e}
	if d.Verdict == messages.Route {
		entries = append(entries, playFlow(t, s, q, d)...)
	}
	var kept []messages.JournalEntry
	if err := json.Unmarshal(marshalled(t, entries), &kept); err != nil {
		t.Fatal(err)
	}
	return kept
}

// playFlow steps through the flow and journals each step as package nodes does.
func playFlow(t testing.TB, s *tenants.Snapshot, q Question, d routing.Decision) (entries []messages.JournalEntry) {
	t.Helper()
	run := &dryRun{question: q, at: q.At}
	call := callflows.Call{ID: d.Call, Tenant: d.Tenant, Version: d.Version, Leg: "8adcdf28-8955-4dff-af12-e253ea68375b", Node: "node1",
		FlowID: d.FlowID, Caller: d.Caller, Dialled: d.Dialled, Diversions: d.Diversions, StartedAt: q.At}
	config, _ := callflows.Pinned(s, callflows.State{Call: call})
	var state callflows.State
	for events := []callflows.Event{{Kind: callflows.Parked, Leg: call.Leg, Call: &call, At: q.At}}; len(events) > 0; events = events[1:] {
		event := events[0]
		run.at = event.At
		out := callflows.Step(config, state, event)
		entries = append(entries, messages.JournalEntry{Call: call.ID, Tenant: call.Tenant, Source: messages.SourceCallflow, Leg: call.Leg,
			N: len(entries), At: event.At, Version: out.State.DrivenBy(), Element: callflows.ElementBefore(config, state, event), Because: out.Because,
			Input: marshalled(t, event), Output: marshalled(t, out.Commands)})
		state = out.State
		for _, c := range out.Commands {
			events = append(events, run.obey(state, c)...)
		}
		if len(events) == 1 && state.Phase != callflows.Ended {
			events = append(events, hangUps(state, run.at.Add(time.Minute))...)
		}
		if len(entries) > maxDrySteps {
			t.Fatal("the call does not end")
		}
	}
	return entries
}

// hangUps end all legs, the caller's first and by him.
func hangUps(s callflows.State, at time.Time) (events []callflows.Event) {
	for _, l := range s.Legs {
		by := callflows.ByUs
		if l.Role == messages.RoleCaller {
			by = callflows.ByFarEnd
		}
		events = append(events, callflows.Event{Kind: callflows.HungUp, Leg: l.ID, At: at,
			End: &callflows.LegEnd{Cause: "NORMAL_CLEARING", Q850: 16, By: by, CreatedAt: s.Call.StartedAt}})
	}
	return events
}

func marshalled(t testing.TB, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// published makes a change of the shop's document.
func published(change func(*tenants.Published)) func(*tenants.Data) {
	return func(d *tenants.Data) { change(&d.Tenants[0].Published) }
}

// unrelated changes much that no call of the tests meets.
func unrelated(d *tenants.Data) {
	p := &d.Tenants[0].Published
	p.Version = 8
	p.Flows[0].Name = "Front"
	p.Flows = append(p.Flows, tenants.Flow{ID: "new", Name: "New", Start: "busy", Elements: elements{"busy": busy()}})
	p.Routes = append(p.Routes, tenants.Route{Dialled: "999", FlowID: "new"})
	p.BlockedCallers = append(p.BlockedCallers, "+12025550199")
	slices.Reverse(p.Flows)
}
