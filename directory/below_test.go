package directory_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tandem/directory"
	"tandem/messages"
)

// above is a tree: two customers of a reseller that is below another, and one of nobody's.
func above(tenant string) []string {
	return map[string][]string{"ada": {"north", "top"}, "bob": {"north", "top"}, "north": {"top"}}[tenant]
}

func of(tenant, id string, state messages.CallState, node string, seconds int) *messages.CallEvent {
	return &messages.CallEvent{Type: messages.CallEventV1, Call: id, Tenant: tenant, State: state, Node: node, At: at(seconds)}
}

func TestCallsCountForAllAboveTheirTenant(t *testing.T) {
	c := directory.Calls{Above: above}
	count := func(when string, want map[string]int) {
		t.Helper()
		for _, tenant := range []string{"ada", "bob", "north", "top", "eve"} {
			if got := c.CountTenant(tenant, at(3)); got != want[tenant] {
				t.Errorf("%s: %s has %d calls, want %d", when, tenant, got, want[tenant])
			}
		}
	}
	c.Tentative("1", "ada", at(0))
	c.Apply(of("bob", "2", messages.CallStarted, "fs1", 1), at(1)) // another worker let it pass
	c.Apply(of("eve", "3", messages.CallStarted, "fs1", 1), at(1))
	count("three calls", map[string]int{"ada": 1, "bob": 1, "north": 2, "top": 2, "eve": 1})
	if got := c.CountOthers("north", "2", at(3)); got != 1 {
		t.Errorf("without the call that is asked about %d are left", got)
	}
	if got := c.CountOthers("north", "3", at(3)); got != 2 {
		t.Errorf("without a call of somebody else's %d are left", got)
	}
	c.Apply(of("ada", "1", messages.CallStarted, "fs2", 2), at(2))
	count("one came to its node", map[string]int{"ada": 1, "bob": 1, "north": 2, "top": 2, "eve": 1})
	c.Apply(of("ada", "1", messages.CallAnswered, "fs1", 3), at(3)) // moved
	count("one was moved", map[string]int{"ada": 1, "bob": 1, "north": 2, "top": 2, "eve": 1})
	c.Apply(of("ada", "1", messages.CallEnded, "fs1", 3), at(3))
	c.Apply(of("bob", "2", messages.CallEnded, "fs1", 3), at(3))
	count("two are over", map[string]int{"eve": 1})
}

// A decided call that never came stops counting above its tenant, whoever is asked about.
func TestADecidedCallExpiresAboveItsTenant(t *testing.T) {
	c := directory.Calls{Above: above}
	c.Tentative("1", "ada", at(0))
	for _, tt := range []struct{ seconds, want int }{{9, 1}, {10, 0}} {
		if got := c.CountTenant("top", at(tt.seconds)); got != tt.want {
			t.Errorf("after %d s: %d, want %d", tt.seconds, got, tt.want)
		}
	}
}

// Calls of a tenant that is moved count for its new reseller from the next sweep on.
func TestCallsMoveWithTheirTenant(t *testing.T) {
	reseller := "north"
	c := directory.Calls{Above: func(string) []string { return []string{reseller} }}
	c.Apply(of("ada", "1", messages.CallStarted, "fs1", 0), at(0))
	reseller = "south"
	c.Sweep(at(1))
	if north, south := c.CountTenant("north", at(1)), c.CountTenant("south", at(1)); north != 0 || south != 1 {
		t.Errorf("the old one has %d, the new one %d", north, south)
	}
	c.Apply(of("ada", "1", messages.CallEnded, "fs1", 2), at(2))
	if south := c.CountTenant("south", at(2)); south != 0 {
		t.Errorf("%d left", south)
	}
}

// Whatever comes in whatever order, a reseller has as many calls as its customers together.
func TestAResellerHasTheCallsOfItsCustomers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := directory.Calls{Above: above}
		for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
			id, tenant := fmt.Sprint(rapid.IntRange(1, 6).Draw(t, "call")), rapid.SampledFrom([]string{"ada", "bob", "north", "eve"}).Draw(t, "tenant")
			node := rapid.SampledFrom([]string{"fs1", "fs2"}).Draw(t, "node")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				c.Tentative(id, tenant, at(i))
			case 1:
				c.Apply(of(tenant, id, messages.CallStarted, node, i), at(i))
			case 2:
				c.Apply(of(tenant, id, messages.CallAnswered, node, i), at(i))
			case 3:
				c.Apply(of(tenant, id, messages.CallEnded, node, i), at(i))
			case 4:
				c.Sweep(at(i))
			}
			ada, bob, north, top := c.CountTenant("ada", at(i)), c.CountTenant("bob", at(i)), c.CountTenant("north", at(i)), c.CountTenant("top", at(i))
			if north < ada+bob || north != top || ada < 0 || bob < 0 {
				t.Fatalf("ada %d, bob %d, north %d, top %d", ada, bob, north, top)
			}
		}
	})
}
