package routing

import (
	"slices"
	"testing"

	"tandem/messages"
	"tandem/tenants"
)

func TestANodePastItsKneeTakesNoNewCallsWhileAnotherIsBelow(t *testing.T) {
	for _, c := range []struct {
		claim string
		busy  Busy
		takes bool
		words string
	}{
		{"one that has told nothing", Busy{}, true, ""},
		{"one that is below all bounds", Busy{Sessions: KneeSessionsPercent - 1, Rate: KneeRatePercent - 1, CPU: KneeCPUPercent - 1}, true, ""},
		{"not one with nearly all its sessions", Busy{Sessions: 90}, false,
			"The media node n1 takes no new calls while it is overloaded: its sessions stand at 90 %, and the bound is 90 %."},
		{"not one that gets calls too fast", Busy{Rate: 100}, false,
			"The media node n1 takes no new calls while it is overloaded: its new sessions a second stand at 100 %, and the bound is 80 %."},
		{"not one that computes too much", Busy{CPU: 97}, false,
			"The media node n1 takes no new calls while it is overloaded: its processors stand at 97 %, and the bound is 90 %."},
	} {
		t.Run(c.claim, func(t *testing.T) {
			f := up("n1", "n2")
			f.Nodes[0].Busy = c.busy
			d := decide(t, world(t), f, fromDevice(t, "desk@red.example", "101"))
			if got := slices.Contains(d.Nodes, f.Nodes[0].SIPURI); got != c.takes || d.Verdict != messages.Route {
				t.Errorf("n1 is among the nodes: %v (%s)", got, d.Verdict)
			}
			if words := Reasons().Words(d.Because[2]); c.words != "" && words != c.words {
				t.Errorf("it says %q", words)
			}
		})
	}
}

// Full, draining and down nodes leave no room either: which of these it is decides what is said, and 503 it is.
func TestWithoutRoomACallIsRefusedAtOnce(t *testing.T) {
	overloaded, full, draining, down := Node{Busy: Busy{CPU: 99}}, Node{Calls: 10}, Node{State: messages.NodeDraining}, Node{State: messages.NodeDown}
	for _, c := range []struct {
		claim string
		nodes []Node
		cause string
		q850  int
		words string
	}{
		{"all past their knee", []Node{overloaded, overloaded}, "SWITCH_CONGESTION", 42, "Every media node that is up is full or overloaded."},
		{"one full, one past its knee", []Node{full, overloaded}, "SWITCH_CONGESTION", 42, "Every media node that is up is full or overloaded."},
		{"one down, one past its knee", []Node{down, overloaded}, "SWITCH_CONGESTION", 42, "Every media node that is up is full or overloaded."},
		{"one down, one being drained", []Node{down, draining}, "NETWORK_OUT_OF_ORDER", 38, "No media node can take the call."},
		{"none", nil, "NETWORK_OUT_OF_ORDER", 38, "No media node can take the call."},
	} {
		t.Run(c.claim, func(t *testing.T) {
			f := up("n1", "n2")
			f.Nodes = f.Nodes[:len(c.nodes)]
			for i, n := range c.nodes {
				f.Nodes[i].Busy, f.Nodes[i].Calls = n.Busy, n.Calls
				if n.State != "" {
					f.Nodes[i].State = n.State
				}
			}
			d := decide(t, world(t), f, fromDevice(t, "desk@red.example", "101"))
			if d.Verdict != messages.Reject || d.Code != 503 || d.Cause != c.cause || d.Q850 != c.q850 || d.Fault != messages.FaultPlatform || said(d) != c.words {
				t.Errorf("%s with %d %s, Q.850 %d, fault %s: %s", d.Verdict, d.Code, d.Cause, d.Q850, d.Fault, said(d))
			}
			emergency := decide(t, world(t), f, fromDevice(t, "desk@red.example", "112"))
			if passes := slices.ContainsFunc(f.Nodes, func(n Node) bool { return n.State != messages.NodeDown }); passes != (emergency.Verdict == messages.Route) {
				t.Errorf("an emergency call: %s", emergency.Verdict)
			}
		})
	}
}

func TestANodeBelowItsKneeIsTriedFirstInAnEmergency(t *testing.T) {
	f := up("n1", "n2", "n3")
	f.Nodes[0].Busy, f.Nodes[1].Busy = Busy{CPU: 99}, Busy{Sessions: 95}
	if d := decide(t, world(t), f, fromDevice(t, "desk@red.example", "112")); len(d.Nodes) != 3 || d.Nodes[0] != f.Nodes[2].SIPURI {
		t.Errorf("the order is %v", d.Nodes)
	}
}

func TestALimitOfCallsASecond(t *testing.T) {
	for _, c := range []struct {
		limit, begun int
		passes       bool
	}{{0, 0, true}, {0, 1 << 20, true}, {1, 0, true}, {1, 1, false}, {5, 4, true}, {5, 5, false}, {5, 60, false}} {
		f := up("n1")
		f.TenantRate = c.begun
		s := world(t, func(d *tenants.Data) { d.Tenants[0].MaxCallsPerSecond = c.limit })
		d := decide(t, s, f, fromDevice(t, "desk@red.example", "101"))
		if got := d.Verdict == messages.Route; got != c.passes {
			t.Errorf("with a limit of %d a second and %d begun, the next passes: %v", c.limit, c.begun, got)
		}
		if !c.passes && (d.Code != 480 || d.Q850 != 31 || d.Fault != messages.FaultTenant) {
			t.Errorf("it is refused with %d, Q.850 %d, fault %s", d.Code, d.Q850, d.Fault)
		}
		if d := decide(t, s, f, fromDevice(t, "desk@red.example", "112")); d.Verdict != messages.Route {
			t.Errorf("an emergency call is refused: %s", said(d))
		}
	}
	f := up("n1")
	f.TenantRate = 5
	d := decide(t, world(t, func(d *tenants.Data) { d.Tenants[0].MaxCallsPerSecond = 5 }), f, fromDevice(t, "desk@red.example", "101"))
	if said(d) != "Red has begun 5 calls within a second, and its limit is 5 a second." {
		t.Errorf("it says %q", said(d))
	}
}

func TestWhatANodeTellsIsALoadInPercent(t *testing.T) {
	for _, c := range []struct {
		told *messages.NodeLoad
		want Busy
	}{
		{nil, Busy{}},
		{&messages.NodeLoad{IdleCPUPercent: 100}, Busy{}},
		{&messages.NodeLoad{Sessions: 5, SessionsPerSecond: 5, IdleCPUPercent: 100}, Busy{}}, // limits that it did not tell
		{&messages.NodeLoad{Sessions: 84, MaxSessions: 1000, SessionsPerSecond: 3, MaxSessionsPerSecond: 100, IdleCPUPercent: 64.666667}, Busy{8, 3, 35}},
		{&messages.NodeLoad{Sessions: 1200, MaxSessions: 1000, SessionsPerSecond: 300, MaxSessionsPerSecond: 100}, Busy{120, 300, 100}},
	} {
		if got := BusyOf(c.told); got != c.want {
			t.Errorf("%+v is %+v, want %+v", c.told, got, c.want)
		}
	}
}
