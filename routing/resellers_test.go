package routing

import (
	"testing"

	"tandem/messages"
	"tandem/tenants"
)

// The limits of those above a tenant hold over all their customers. The nearest one that is reached is named; emergency calls pass.
func TestAResellersLimitsHoldOverAllItsCustomers(t *testing.T) {
	tree := func(calls, rate int) func(*tenants.Data) {
		return func(d *tenants.Data) {
			d.Tenants = append(d.Tenants, tenants.Tenant{ID: "north", Name: "North", Domain: "north.example", TimeZone: "UTC", Parent: "top", MaxCalls: calls, MaxCallsPerSecond: rate},
				tenants.Tenant{ID: "top", Name: "Top", Domain: "top.example", TimeZone: "UTC", MaxCalls: 9})
			d.Tenants[0].Parent = "north"
		}
	}
	for _, c := range []struct {
		claim       string
		calls, rate int
		above       []Above
		code        int
		words       string
	}{
		{"below both", 5, 2, []Above{{"north", 4, 1}, {"top", 8, 0}}, 0, ""},
		{"nobody above has limits", 0, 0, []Above{{"north", 400, 100}}, 0, ""},
		{"the reseller's calls", 5, 2, []Above{{"north", 5, 0}, {"top", 8, 0}}, 486, "North, whose customer Red is, has 5 calls up with all its customers, and its limit is 5."},
		{"the calls of who is above the reseller", 5, 2, []Above{{"north", 4, 0}, {"top", 9, 0}}, 486, "Top, whose customer Red is, has 9 calls up with all its customers, and its limit is 9."},
		{"the reseller's calls a second", 5, 2, []Above{{"north", 4, 2}, {"top", 8, 2}}, 480,
			"North, whose customer Red is, has begun 2 calls with all its customers within a second, and its limit is 2 a second."},
		{"one who is not there any more", 5, 2, []Above{{"gone", 100, 100}}, 0, ""},
	} {
		t.Run(c.claim, func(t *testing.T) {
			f, s := up("n1"), world(t, tree(c.calls, c.rate))
			f.Above = c.above
			d := decide(t, s, f, fromDevice(t, "desk@red.example", "101"))
			if d.Code != c.code || c.code != 0 && (said(d) != c.words || d.Fault != messages.FaultTenant) {
				t.Errorf("%s with %d: %s", d.Verdict, d.Code, said(d))
			}
			if d := decide(t, s, f, fromDevice(t, "desk@red.example", "112")); d.Verdict != messages.Route {
				t.Errorf("an emergency call is refused: %s", said(d))
			}
		})
	}
}
