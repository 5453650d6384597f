package explain_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/explain"
	"tandem/messages"
	"tandem/routing"
	"tandem/tenants"
)

// monday is within the opening hours of office.
var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

// office is a tenant with two phones, a menu that rings the second, and opening hours before it.
func office(t *testing.T) *tenants.Snapshot {
	t.Helper()
	settings := func(v any) json.RawMessage {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	ring := tenants.Element{Type: "ring", Settings: settings(map[string]any{"users": []string{"u2"}, "seconds": 20})}
	s, faults := tenants.NewSnapshot(tenants.Data{
		Nodes:  []tenants.Node{{Name: "node1", SIPURI: "sip:127.0.0.1:5080"}},
		Trunks: []tenants.Trunk{{ID: "t1", Name: "Carrier", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}},
		Tenants: []tenants.Tenant{{
			ID: "office", Name: "Office", Domain: "office.example", TimeZone: "UTC", MaxCalls: 2,
			Users:   []tenants.User{{ID: "u1", Name: "Reception", Extension: "101"}, {ID: "u2", Name: "Sales", Extension: "102"}},
			Devices: []tenants.Device{{ID: "d1", UserID: "u1", Name: "Desk phone", Username: "101"}, {ID: "d2", UserID: "u2", Name: "Sales phone", Username: "102"}},
			Numbers: []string{"+12025550100"},
			Published: tenants.Published{Version: 7,
				Schedules: []tenants.Schedule{{ID: "s", Name: "Opening hours", Weekly: []tenants.Hours{{Days: []time.Weekday{time.Monday}, From: 9 * 60, Until: 17 * 60}}}},
				Flows: []tenants.Flow{
					{ID: "sales", Name: "Sales", Start: "ring", Elements: map[string]tenants.Element{"ring": ring}},
					{ID: "main", Name: "Main number", Start: "hours", Elements: map[string]tenants.Element{
						"hours": {Type: "hours", Settings: settings(map[string]string{"schedule": "s"}), Exits: map[string]string{"open": "menu", "closed": "bye"}},
						"menu":  {Type: "menu", Settings: settings(map[string]any{"prompt": "tone:menu", "attempts": 2}), Exits: map[string]string{"1": "ring", "timeout": "bye"}},
						"ring":  ring,
						"bye":   {Type: "hangup"},
					}}},
				Routes:         []tenants.Route{{Dialled: "102", FlowID: "sales"}, {Dialled: "+12025550100", FlowID: "main"}},
				BlockedCallers: []string{"+12025550199"},
			},
		}},
	}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return s
}

func words(t *testing.T) because.Catalog {
	t.Helper()
	c, err := explain.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDryRun: each question gets the verdict and the reasons that a real call would get.
func TestDryRun(t *testing.T) {
	registered := map[string][]callflows.Contact{"d2": {{Device: "d2", URI: "sip:102@192.0.2.7:5060"}}}
	up := []routing.Node{{Name: "node1", SIPURI: "sip:127.0.0.1:5080", State: messages.NodeUp}}
	sunday := monday.AddDate(0, 0, -1)
	for _, c := range []struct {
		claim    string
		question explain.Question
		verdict  string
		fault    messages.Fault
		lines    []string
	}{
		{"a registered phone would answer", explain.Question{From: "101@office.example", To: "102", Contacts: registered},
			"The call would be answered.", messages.FaultNone, []string{"Desk phone (101) of Office", "Sales phone is rung for up to 20 seconds", "The caller talks to Sales phone"}},
		{"a phone that is not registered cannot ring", explain.Question{From: "101@office.example", To: "102"},
			"The call was not answered (SIP 480, USER_NOT_REGISTERED): Sales phone is not registered, so it cannot ring. It failed on the called side.",
			messages.FaultCallee, nil},
		{"nobody answers", explain.Question{From: "101@office.example", To: "102", Contacts: registered, NobodyAnswers: true},
			"The call was not answered (SIP 480, NO_ANSWER): Nobody answered in time. It failed on the called side.", messages.FaultCallee, nil},
		{"an unknown number", explain.Question{From: "101@office.example", To: "999999"},
			"The call was not answered (SIP 404, UNALLOCATED_NUMBER): Office has no extension or number 999999, and it is no number outside as its people write them. It ended by the caller's doing.",
			messages.FaultCaller, nil},
		{"a blocked caller", explain.Question{From: "+12025550199", To: "+12025550100"},
			"The call was not answered (SIP 603, CALL_REJECTED): Office blocks calls from +12025550199. It ended by the caller's doing.", messages.FaultCaller, nil},
		{"past the limit", explain.Question{From: "101@office.example", To: "102", Facts: routing.Facts{TenantCalls: 2}},
			"The call was not answered (SIP 486, USER_BUSY): Office has 2 calls up, and its limit is 2. It failed on the tenant's configuration or limits.",
			messages.FaultTenant, nil},
		{"the menu's digit leads to the ring", explain.Question{From: "+12025550150", To: "+12025550100", Digits: []string{"1"}, Contacts: registered},
			"The call would be answered.", messages.FaultNone,
			[]string{"Opening hours is open at Monday 10:00 UTC: Monday 09:00 to 17:00.", "The caller keyed 1.", "Exit 1 leads to ring."}},
		{"no digit at all", explain.Question{From: "+12025550150", To: "+12025550100"},
			"The call was answered after 0.0 s and lasted 10.0 s.", messages.FaultNone, []string{"The menu gives up after 2 attempts."}},
		{"closed on Sunday", explain.Question{From: "+12025550150", To: "+12025550100", At: sunday},
			"The call was not answered (SIP 480, NORMAL_CLEARING): The flow ends the call here (bye) with NORMAL_CLEARING.", messages.FaultNone,
			[]string{"Opening hours is closed at Sunday 10:00 UTC"}},
		{"no media node", explain.Question{From: "101@office.example", To: "102", Facts: routing.Facts{Nodes: []routing.Node{{Name: "node1", State: messages.NodeDown}}}},
			"The call was not answered (SIP 503, NETWORK_OUT_OF_ORDER): No media node can take the call. It failed on the platform.", messages.FaultPlatform,
			[]string{"The media node node1 is down."}},
	} {
		t.Run(c.claim, func(t *testing.T) {
			if c.question.At.IsZero() {
				c.question.At = monday
			}
			if c.question.Facts.Nodes == nil {
				c.question.Facts.Nodes = up
			}
			x := explain.DryRun(words(t), office(t), c.question)
			if !strings.HasPrefix(x.Verdict, c.verdict) {
				t.Errorf("verdict:\n got %s\nwant %s", x.Verdict, c.verdict)
			}
			if c.fault != "" && x.Fault != c.fault {
				t.Errorf("fault: got %s, want %s", x.Fault, c.fault)
			}
			for _, line := range c.lines {
				if !strings.Contains(x.Text(), line) {
					t.Errorf("no line says %q in:\n%s", line, x.Text())
				}
			}
			if x.Version != 7 {
				t.Errorf("version: got %d, want 7", x.Version)
			}
		})
	}
}

// TestCallInAnyOrder: entries and records that arrive in another order give the same explanation.
func TestCallInAnyOrder(t *testing.T) {
	entry := func(source messages.JournalSource, n int, code string) messages.JournalEntry {
		return messages.JournalEntry{Call: "c", Source: source, N: n, At: monday, Because: []because.Reason{because.New(code)}}
	}
	answered := monday.Add(time.Second)
	caller := messages.CDR{Leg: "a", Role: messages.RoleCaller, StartedAt: monday, AnsweredAt: &answered, EndedAt: monday.Add(11 * time.Second), Fault: messages.FaultNone}
	callee := messages.CDR{Leg: "b", Role: messages.RoleCallee, StartedAt: monday, EndedAt: monday}
	entries := []messages.JournalEntry{entry(messages.SourceRouting, 0, "emergency"), entry(messages.SourceCallflow, 0, "parked_again"), entry(messages.SourceCallflow, 1, "call_ended")}
	want := explain.Call(words(t), "c", entries, []messages.CDR{caller, callee})
	got := explain.Call(words(t), "c", []messages.JournalEntry{entries[2], entries[1], entries[0]}, []messages.CDR{callee, caller})
	if got.Text() != want.Text() {
		t.Errorf("got\n%s\nwant\n%s", got.Text(), want.Text())
	}
	if want.Verdict != "The call was answered after 1.0 s and lasted 10.0 s." {
		t.Errorf("verdict: %s", want.Verdict)
	}
}

// TestUnknownCall: nothing is invented about a call that nobody knows.
func TestUnknownCall(t *testing.T) {
	if x := explain.Call(words(t), "c", nil, nil); x.Verdict != "Nothing is known of this call." {
		t.Errorf("verdict: %s", x.Verdict)
	}
}
