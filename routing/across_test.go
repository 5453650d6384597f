package routing

import (
	"slices"
	"testing"

	"tandem/because"
	"tandem/callflows"
	"tandem/messages"
)

// TestACallThatCameFromAnotherNode meets a call of its own tenant's alone, on that one's node, whatever that node's state and the
// tenant's limits.
func TestACallThatCameFromAnotherNode(t *testing.T) {
	there := &Joins{Call: "c1", Leg: "l1", Node: "n2"}
	draining, down := up("n1", "n2", "n3"), up("n1", "n2", "n3")
	draining.Nodes[1].State, down.Nodes[1].State = messages.NodeDraining, messages.NodeDown
	busy := up("n1", "n2", "n3")
	busy.TenantCalls, busy.TenantRate = 10_000, 10_000
	for claim, row := range map[string]struct {
		tenant, replaces string
		facts            Facts
		joins            *Joins
		code             int
		why              string
	}{
		"goes to the node of the one it is to meet":   {"red", "c1.l1.pickup", up("n1", "n2", "n3"), there, 0, "caller_node"},
		"goes there although it takes no new calls":   {"red", "c1.l1.unpark", draining, there, 0, "node_of_call"},
		"is within no limit":                          {"red", "c1.l1.pull", busy, there, 0, "node_of_call"},
		"is refused when that node is down":           {"red", "c1.l1.pickup", down, there, 481, "across_gone"},
		"is refused when the other is over":           {"red", "c1.l1.pickup", up("n1", "n2"), nil, 481, "across_gone"},
		"is refused for a tenant that is not there":   {"gone", "c1.l1.pickup", up("n1", "n2"), there, 403, "between_unknown"},
		"is refused for what no such call may do":     {"red", "c1.l1.eavesdrop", up("n1", "n2"), there, 400, "across_unreadable"},
		"is refused with a dialog that a phone names": {"red", "a@b;to-tag=1;from-tag=2", up("n1", "n2"), there, 400, "across_unreadable"},
	} {
		t.Run(claim, func(t *testing.T) {
			m := invite("sip:across@across.tandem.invalid", "sip:101@across.tandem.invalid")
			m.Between, m.Replaces = row.tenant, row.replaces
			row.facts.Joins = row.joins
			d := decide(t, world(t), row.facts, m)
			if d.Code != row.code || !slices.ContainsFunc(d.Because, func(r because.Reason) bool { return r.Code == row.why }) {
				t.Fatalf("%d %v", d.Code, d.Because)
			}
			if row.code == 0 && (d.Tenant != "red" || d.FlowID != callflows.AcrossFlow || d.Replaces != row.replaces || !slices.Equal(d.Nodes, []string{"sip:n2.example:5080"}) || d.Caller.Trunk != callflows.AcrossTrunk || d.Caller.Number != "101") {
				t.Errorf("%+v", d)
			}
		})
	}
}

// TestWhatACallFromAnotherNodeIsToMeet: only a node's word counts.
func TestWhatACallFromAnotherNodeIsToMeet(t *testing.T) {
	w, ok := AcrossWanted(Request{Between: "red", Replaces: "c1.l1.pickup"})
	if !ok || w.What != callflows.LegWaiting || w.Call != "c1" || w.Leg != "l1" {
		t.Errorf("%+v", w)
	}
	if _, ok := AcrossWanted(Request{AuthUser: "desk", Replaces: "c1.l1.pickup"}); ok {
		t.Error("a phone passes for a node")
	}
}
