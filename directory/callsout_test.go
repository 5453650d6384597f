package directory

import (
	"testing"
	"time"

	"tandem/callflows"
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
