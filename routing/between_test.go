package routing

import (
	"slices"
	"testing"

	"tandem/callflows"
	"tandem/messages"
	"tandem/tenants"
)

// registering gives red a PBX that registers as its lobby phone, another that is disabled, and a carrier at which an edge registers.
func registering(d *tenants.Data) {
	outside(d)
	d.Tenants[0].Devices = append(d.Tenants[0].Devices, tenants.Device{ID: "red-old", Name: "Old PBX's login", Username: "old"})
	d.Trunks = append(d.Trunks, tenants.Trunk{ID: "registers", Name: "PBX in the lobby", Tenant: "red", Device: "red-lobby", MayCallOut: true},
		tenants.Trunk{ID: "off", Name: "Old PBX", Tenant: "red", Device: "red-old", Disabled: true})
	d.Trunks[0].Registrar = "sip:carrier.example"
}

func TestCallsOfOtherTenantsAndOfTrunksThatRegister(t *testing.T) {
	between := func(tenant, from, to string, change ...func(*messages.RouteRequest)) *messages.RouteRequest {
		m := invite("sip:"+to+"@between.tandem.invalid", "sip:"+from+"@between.tandem.invalid")
		m.Between = tenant
		for _, c := range change {
			c(m)
		}
		return m
	}
	withheld := func(m *messages.RouteRequest) {
		m.FromURI, m.Privacy, m.PAssertedIdentity = "sip:anonymous@anonymous.invalid", "id", []string{"<sip:+15550200@between.tandem.invalid>"}
	}
	forContact := func(called string) *messages.RouteRequest {
		m := fromTrunk("+15559990000", "carrier")
		m.ToURI = "sip:" + called + "@carrier.example"
		return m
	}
	for _, c := range []struct {
		claim  string
		m      *messages.RouteRequest
		tenant string
		caller callflows.Caller
		flow   string
		code   int
		says   string
	}{
		{"another tenant", between("blue", "+15550200", "+15550100"), "red", callflows.Caller{Trunk: callflows.BetweenTrunk, Number: "+15550200"}, "red-flow", 0, "caller_tenant"},
		{"another tenant's caller who is withheld", between("blue", "", "+15550100", withheld), "red", callflows.Caller{Trunk: callflows.BetweenTrunk, Number: anonymous}, "red-flow", 0, "caller_tenant"},
		{"a blocked caller of another tenant", between("blue", "+15550666", "+15550100"), "red", callflows.Caller{Trunk: callflows.BetweenTrunk, Number: "+15550666"}, "", 603, "caller_blocked"},
		{"a number that nobody owns any more", between("blue", "+15550200", "+15550109"), "", callflows.Caller{Trunk: callflows.BetweenTrunk, Number: "+15550200"}, "", 404, "number_unowned"},
		{"another tenant does not call out at this one's cost", between("blue", "+15550200", "+493098765"), "", callflows.Caller{Trunk: callflows.BetweenTrunk, Number: "+15550200"}, "", 404, "number_unowned"},
		{"a tenant that is not there", between("gone", "+15550200", "+15550100"), "red", callflows.Caller{}, "", 403, "between_unknown"},
		{"a PBX that registers", fromDevice(t, "lobby@red.example", "101"), "red", callflows.Caller{Trunk: "registers", Number: "lobby"}, "red-flow", 0, "caller_own_trunk"},
		{"a PBX that registers dials as the tenant's people do", fromDevice(t, "lobby@red.example", "03098765"), "red", callflows.Caller{Trunk: "registers", Number: "lobby"}, callflows.OutboundFlow, 0, "calls_out"},
		{"a PBX that is disabled", fromDevice(t, "old@red.example", "101"), "red", callflows.Caller{}, "", 403, "trunk_off"},
		{"another device is a device", fromDevice(t, "desk@red.example", "101"), "red", callflows.Caller{Device: "red-desk", Number: "101", Name: "Anna of red"}, "red-flow", 0, "caller_device"},
		{"a carrier that calls the contact registered at it", forContact("+15550100"), "red", callflows.Caller{Trunk: "carrier", Number: "+15559990000"}, "red-flow", 0, "caller_trunk"},
		{"a carrier that calls the contact for nobody's number", forContact("account"), "", callflows.Caller{Trunk: "carrier", Number: "+15559990000"}, "", 404, "number_unowned"},
	} {
		t.Run(c.claim, func(t *testing.T) {
			s := world(t, registering)
			d := decide(t, s, up("n1"), c.m)
			var codes []string
			for _, why := range d.Because {
				codes = append(codes, why.Code)
			}
			if d.Tenant != c.tenant || d.Caller != c.caller || d.FlowID != c.flow || d.Code != c.code || !slices.Contains(codes, c.says) {
				t.Errorf("tenant %q, caller %+v, flow %q, %d: %q", d.Tenant, d.Caller, d.FlowID, d.Code, codes)
			}
		})
	}
}
