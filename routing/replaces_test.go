package routing

import (
	"encoding/json"
	"slices"
	"testing"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

func TestWhatAnInviteReplaces(t *testing.T) {
	for text, want := range map[string]struct {
		r  Replaces
		ok bool
	}{
		"a@b;to-tag=x;from-tag=y":                    {Replaces{CallID: "a@b", ToTag: "x", FromTag: "y"}, true},
		" a@b ; FROM-TAG = y ; To-Tag=x ;early-only": {Replaces{CallID: "a@b", ToTag: "x", FromTag: "y", EarlyOnly: true}, true},
		"a@b;to-tag=x":                               {Replaces{CallID: "a@b", ToTag: "x"}, false},
		";to-tag=x;from-tag=y":                       {Replaces{ToTag: "x", FromTag: "y"}, false},
		"":                                           {},
	} {
		if r, ok := ReadReplaces(text); r != want.r || ok != want.ok {
			t.Errorf("%q: %+v, %t", text, r, ok)
		}
	}
}

func TestWhoMayReplaceWhat(t *testing.T) {
	const header = "early@fs;to-tag=1;from-tag=2"
	rings := &Joins{Call: "c1", Leg: "l1", Node: "n2"}
	talks := &Joins{Call: "c1", Leg: "l1", Node: "n2", Answered: true}
	calls := &Joins{Call: "c1", Leg: "l1", Node: "n2", Caller: true}
	device := func() *messages.RouteRequest { return fromDevice(t, "desk@red.example", "101") }
	trunk := func() *messages.RouteRequest { return fromTrunk("+15551234567", "+15550100") }
	for claim, row := range map[string]struct {
		m        *messages.RouteRequest
		replaces string
		joins    *Joins
		code     int
		why      string
	}{
		"a phone that rings":                       {device(), header, rings, 0, "replaces"},
		"one that talks":                           {device(), header, talks, 0, "replaces"},
		"one that rings, early only":               {device(), header + ";early-only", rings, 0, "replaces"},
		"one that talks, early only":               {device(), header + ";early-only", talks, 486, "replaces_answered"},
		"one that calls and is not answered":       {device(), header, calls, 481, "replaces_caller"},
		"nothing that is there":                    {device(), header, nil, 481, "replaces_nothing"},
		"what a flow would fetch is not a dialog":  {device(), header, &Joins{Call: "c1", Node: "n2"}, 481, "replaces_nothing"},
		"a leg that would write a header":          {device(), header, &Joins{Call: "c1", Leg: "l\r\nX: y", Node: "n2"}, 481, "replaces_nothing"},
		"what cannot be read":                      {device(), "early@fs", rings, 400, "replaces_unreadable"},
		"a trunk replaces nobody":                  {trunk(), header, rings, 403, "replaces_not_allowed"},
		"an emergency number is one all the same":  {fromDevice(t, "desk@red.example", "112"), header, rings, 0, "emergency"},
		"a number that leads nowhere does no harm": {fromDevice(t, "desk@red.example", "999"), header, rings, 0, "replaces"},
	} {
		t.Run(claim, func(t *testing.T) {
			f := up("n1", "n2", "n3")
			f.Joins = row.joins
			row.m.Replaces = row.replaces
			d := decide(t, world(t), f, row.m)
			told := slices.ContainsFunc(d.Because, func(r because.Reason) bool { return r.Code == row.why })
			if d.Code != row.code || !told {
				t.Fatalf("%d %v", d.Code, d.Because)
			}
			if row.why == "replaces" && (d.FlowID != callflows.ReplaceFlow || d.Replaces != "c1.l1" || d.Nodes[0] != "sip:n2.example:5080") {
				t.Errorf("%s %s %v", d.FlowID, d.Replaces, d.Nodes)
			}
		})
	}
}

// TestACallGoesToTheNodeOfTheOneThatItIsToMeet as long as that takes calls, and to its tenant's otherwise.
func TestACallGoesToTheNodeOfTheOneThatItIsToMeet(t *testing.T) {
	s := world(t)
	first := decide(t, s, up("n1", "n2", "n3"), fromDevice(t, "desk@red.example", "101")).Nodes[0]
	other := "n1"
	if first == "sip:n1.example:5080" {
		other = "n2"
	}
	for claim, c := range map[string]struct {
		facts func(*Facts)
		near  bool
		why   string
	}{
		"what its flow fetches":         {func(f *Facts) { f.Joins = &Joins{Call: "c", Node: other} }, true, "node_of_call"},
		"the phone's other call":        {func(f *Facts) { f.DeviceNode = other }, true, "node_of_device"},
		"a node that is drained":        {func(f *Facts) { f.DeviceNode, f.Nodes[f.index(other)].State = other, messages.NodeDraining }, false, "node_draining"},
		"a node that is full":           {func(f *Facts) { f.DeviceNode, f.Nodes[f.index(other)].Calls = other, 10 }, false, "node_full"},
		"a node that nobody knows of":   {func(f *Facts) { f.DeviceNode = "gone" }, false, "node_of_device"},
		"the call before the phone's":   {func(f *Facts) { f.Joins, f.DeviceNode = &Joins{Call: "c", Node: other}, "n3" }, true, "node_of_call"},
		"a tenant's calls stay as ever": {func(*Facts) {}, false, "nodes_chosen"},
	} {
		t.Run(claim, func(t *testing.T) {
			f := up("n1", "n2", "n3")
			c.facts(&f)
			d := decide(t, s, f, fromDevice(t, "desk@red.example", "101"))
			if near := d.Nodes[0] == "sip:"+other+".example:5080"; near != c.near || !near && d.Nodes[0] != first {
				t.Errorf("%v", d.Nodes)
			}
			if !slices.ContainsFunc(d.Because, func(r because.Reason) bool { return r.Code == c.why }) {
				t.Errorf("%s is not told: %v", c.why, d.Because)
			}
		})
	}
}

func (f *Facts) index(node string) int {
	return slices.IndexFunc(f.Nodes, func(n Node) bool { return n.Name == node })
}

// TestWhatAFlowFetchesIsKnownBeforeTheCallIsPlaced: of flows whose first element fetches a call, and of no others.
func TestWhatAFlowFetchesIsKnownBeforeTheCallIsPlaced(t *testing.T) {
	s := world(t, func(d *tenants.Data) {
		p := &d.Tenants[0].Published
		for dialled, e := range map[string]tenants.Element{
			"801": {Type: "pickup", Settings: json.RawMessage(`{"devices":["red-lobby"]}`)},
			"802": {Type: "unpark", Settings: json.RawMessage(`{"slot":"{dialled}"}`)},
			"803": {Type: "pull"},
			"804": {Type: "eavesdrop", Settings: json.RawMessage(`{"extension":"101","allowed_devices":["red-lobby"]}`)},
			"805": {Type: "park"},
		} {
			p.Flows = append(p.Flows, tenants.Flow{ID: "f" + dialled, Name: dialled, Start: "a", Elements: map[string]tenants.Element{"a": e}})
			p.Routes = append(p.Routes, tenants.Route{Dialled: dialled, FlowID: "f" + dialled})
		}
	})
	for dialled, want := range map[string]callflows.Wanted{
		"801": {What: callflows.RingingAt, Devices: []string{"red-lobby"}}, "802": {What: callflows.ParkedIn, Slot: "802"},
		"803": {}, // anna has no other phone
		"804": {What: callflows.OverheardAt, Devices: []string{"red-desk"}}, "805": {}, "101": {}, "999": {},
	} {
		r, err := Read(fromDevice(t, "desk@red.example", dialled))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := SeeksOf(s, r)
		if ok != (want.What != "") || ok && (got.What != want.What || got.Slot != want.Slot || !slices.Equal(got.Devices, want.Devices)) {
			t.Errorf("%s: %+v, %t", dialled, got, ok)
		}
	}
	r, err := Read(fromDevice(t, "desk@blue.example", "801"))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := SeeksOf(s, r); ok {
		t.Errorf("another tenant's caller seeks %+v", got)
	}
}
