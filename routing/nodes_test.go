package routing

import (
	"fmt"
	"hash/fnv"
	"slices"
	"testing"

	"tandem/messages"
	"tandem/tenants"
)

// nodesOf decides for a tenant of its own and gives the nodes in order.
func nodesOf(tenant string, f Facts) []string {
	d := &decider{facts: f, snapshot: &tenants.Snapshot{}}
	d.Tenant = tenant
	d.place(false)
	return d.Nodes
}

func many(n int) Facts {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("node-%d", i+1))
	}
	return up(names...)
}

// TestAffinityIsFNV: the order of a tenant's nodes is the same in all releases, or its calls would be spread during an update.
func TestAffinityIsFNV(t *testing.T) {
	for _, c := range [][2]string{{"", ""}, {"red", "n1"}, {"7c9e6679-7425-40de-944b-e07fc1f90ae7", "fs-zürich.example"}} {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s\x00%s", c[0], c[1])
		x := h.Sum64()
		x = (x ^ x>>33) * 0xff51afd7ed558ccd
		x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
		if got := affinityOf(c[0]).to(c[1]); got != x^x>>33 {
			t.Errorf("%q to %q: %x, want %x", c[0], c[1], got, x^x>>33)
		}
	}
}

func TestANodeThatIsGoneMovesOnlyItsOwnTenants(t *testing.T) {
	const tenantCount = 2000
	before := many(4)
	after := before
	after.Nodes = slices.Delete(slices.Clone(before.Nodes), 1, 2)
	moved := 0
	for i := range tenantCount {
		tenant := fmt.Sprintf("tenant-%d", i)
		was, now := nodesOf(tenant, before), nodesOf(tenant, after)
		if was[0] == before.Nodes[1].SIPURI {
			moved++
			if now[0] != was[1] {
				t.Fatalf("%s goes to %s, its second node was %s", tenant, now[0], was[1])
			}
			continue
		}
		if now[0] != was[0] {
			t.Fatalf("%s has moved from %s to %s", tenant, was[0], now[0])
		}
	}
	if moved == 0 {
		t.Error("the node had no tenants")
	}
}

func TestNodesShareTheTenantsEvenly(t *testing.T) {
	const tenantCount = 6000
	for n := 2; n <= 6; n++ {
		f, share := many(n), map[string]int{}
		for i := range tenantCount {
			share[nodesOf(fmt.Sprintf("7c9e6679-7425-40de-944b-%012d", i), f)[0]]++
		}
		for _, node := range f.Nodes {
			if got, want := share[node.SIPURI], tenantCount/n; got < want*85/100 || got > want*115/100 {
				t.Errorf("of %d nodes, %s has %d of %d tenants", n, node.Name, got, tenantCount)
			}
		}
	}
}

func TestTheOrderOfTheFactsDoesNotMatter(t *testing.T) {
	f := many(5)
	back := f
	back.Nodes = slices.Clone(f.Nodes)
	slices.Reverse(back.Nodes)
	for i := range 100 {
		tenant := fmt.Sprintf("tenant-%d", i)
		if a, b := nodesOf(tenant, f), nodesOf(tenant, back); !slices.Equal(a, b) {
			t.Fatalf("%v and %v", a, b)
		}
	}
}

func TestADecisionNamesMaxNodesAtMost(t *testing.T) {
	if got := nodesOf("red", many(9)); len(got) != MaxNodes {
		t.Errorf("it names %d", len(got))
	}
}

func TestWhichNodesTakeNewCalls(t *testing.T) {
	for _, c := range []struct {
		claim string
		state messages.NodeState
		calls int
		limit int
		takes bool
		words string
	}{
		{"one that is up", messages.NodeUp, 0, 10, true, ""},
		{"one with a call to spare", messages.NodeUp, 9, 10, true, ""},
		{"one without a limit", messages.NodeUp, 1 << 20, 0, true, ""},
		{"not one that is full", messages.NodeUp, 10, 10, false, "The media node n1 is full (10 calls)."},
		{"not one that is overfull", messages.NodeUp, 11, 10, false, "The media node n1 is full (11 calls)."},
		{"not one that drains", messages.NodeDraining, 0, 10, false, "The media node n1 takes no new calls: it is being drained."},
		{"not one that is down", messages.NodeDown, 0, 10, false, "The media node n1 is down."},
	} {
		t.Run(c.claim, func(t *testing.T) {
			f := up("n1", "n2")
			f.Nodes[0].State, f.Nodes[0].Calls = c.state, c.calls
			d := decide(t, world(t, func(d *tenants.Data) { d.Nodes[0].MaxCalls = c.limit }), f, fromDevice(t, "desk@red.example", "101"))
			if got := slices.Contains(d.Nodes, f.Nodes[0].SIPURI); got != c.takes || d.Verdict != messages.Route {
				t.Errorf("n1 is among the nodes: %v (%s)", got, d.Verdict)
			}
			said := ""
			for _, r := range d.Because {
				if words := Reasons().Words(r); words == c.words {
					said = words
				}
			}
			if said != c.words {
				t.Errorf("it does not say %q: %v", c.words, d.Because)
			}
		})
	}
}

func TestANodeThatIsNotConfiguredHasNoLimit(t *testing.T) {
	f := up("n9")
	f.Nodes[0].Calls = 1 << 20
	if d := decide(t, world(t), f, fromDevice(t, "desk@red.example", "101")); d.Verdict != messages.Route {
		t.Errorf("%s: %s", d.Verdict, said(d))
	}
}
