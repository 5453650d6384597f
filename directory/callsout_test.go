package directory

import (
	"testing"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

func TestCallsOutAreCountedByTrunkAndTenant(t *testing.T) {
	var c CallsOut
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	expect := func(when time.Duration, asks, tenant, trunk string, ofTenant, byTrunk callflows.Count) {
		t.Helper()
		got := c.Count(asks, tenant, []string{trunk, "unheard"}, at.Add(when))
		if got.Tenant != ofTenant || got.Trunks[trunk] != byTrunk || got.Trunks["unheard"] != (callflows.Count{}) {
			t.Errorf("after %v: %+v, want %+v and %+v", when, got, ofTenant, byTrunk)
		}
	}
	type n = callflows.Count
	expect(0, "x", "red", "a", n{}, n{})
	c.Out("1", "red", "a", at)
	c.Out("2", "red", "a", at.Add(400*time.Millisecond))
	c.Out("3", "blue", "a", at.Add(500*time.Millisecond))
	expect(600*time.Millisecond, "x", "red", "a", n{Calls: 2, LastSecond: 2}, n{Calls: 3, LastSecond: 3})
	expect(600*time.Millisecond, "1", "red", "a", n{Calls: 1, LastSecond: 2}, n{Calls: 2, LastSecond: 3}) // not against itself
	expect(1100*time.Millisecond, "x", "red", "a", n{Calls: 2, LastSecond: 1}, n{Calls: 3, LastSecond: 2})
	c.Out("1", "red", "b", at.Add(1200*time.Millisecond)) // it goes on by another trunk
	expect(2*time.Second, "x", "red", "a", n{Calls: 2, LastSecond: 1}, n{Calls: 2})
	expect(2*time.Second, "x", "red", "b", n{Calls: 2, LastSecond: 1}, n{Calls: 1, LastSecond: 1})
	for _, id := range []string{"1", "2", "3", "3", "never"} {
		c.Out(id, "red", "", at.Add(3*time.Second))
	}
	expect(3*time.Second, "x", "red", "a", n{}, n{})
	c.Sweep(at.Add(4 * time.Second))
	if len(c.calls)+len(c.trunks)+len(c.tenants) != 0 {
		t.Errorf("it remembers %v %v %v", c.calls, c.trunks, c.tenants)
	}
}

// Calls of other workers' nodes count as well; what their owners list is right in the end, and news counts for more than a list
// that was begun before it.
func TestCallsOutElsewhereAreCounted(t *testing.T) {
	var c CallsOut
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	expect := func(what string, when time.Duration, byA int) {
		t.Helper()
		if got := c.Count("x", "red", []string{"a"}, at.Add(when)).Trunks["a"].Calls; got != byA {
			t.Errorf("%s: %d, want %d", what, got, byA)
		}
	}
	list := func(when time.Duration, calls ...messages.NodeCall) {
		c.Listed(&messages.NodeCalls{Node: "n2", Of: 1, Calls: calls}, at.Add(when))
	}
	out := func(id, flow string) messages.NodeCall {
		return messages.NodeCall{Call: id, Tenant: "red", Flow: flow, Legs: []messages.NodeLeg{{ID: "in", Role: messages.RoleCaller, Trunk: "a"}, {ID: "out", Role: messages.RoleCallee, Trunk: "a"}}}
	}
	c.Out("1", "red", "a", at)
	c.Elsewhere("2", "red", "a", "n2", at)
	expect("one here, one elsewhere", 0, 2)
	list(time.Second)
	expect("a list that was begun before the news", time.Second, 2)
	list(10*time.Second, out("2", ""), out("3", ""), out("4", callflows.EmergencyFlow))
	expect("what is listed counts, a call for help does not", 10*time.Second, 3)
	list(20*time.Second, out("3", ""))
	expect("what is not listed any more is over", 20*time.Second, 2)
	c.Elsewhere("3", "red", "", "n2", at.Add(21*time.Second))
	expect("it is told to be over", 21*time.Second, 1)
	c.Elsewhere("5", "red", "a", "n2", at.Add(22*time.Second))
	c.Out("5", "red", "a", at.Add(23*time.Second)) // this worker has taken the node
	list(40 * time.Second)
	expect("a call of this worker's own is not touched by what another lists", 40*time.Second, 2)
	c.Elsewhere("6", "red", "a", "n3", at.Add(41*time.Second))
	c.Sweep(at.Add(41*time.Second + outUnheard + time.Second))
	expect("what nobody tells of is forgotten", 5*time.Minute, 2)
}
