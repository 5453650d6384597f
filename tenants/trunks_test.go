package tenants

import (
	"net/netip"
	"slices"
	"testing"
)

func TestTheLongestPrefixSaysWhichTrunksServeANumber(t *testing.T) {
	d := world()
	out := &Outgoing{Destinations: []string{"sip:192.0.2.30"}}
	for _, id := range []string{"p1", "p2", "p3"} {
		d.Trunks = append(d.Trunks, Trunk{ID: id, Outgoing: out})
	}
	d.Trunks = append(d.Trunks, Trunk{ID: "a1", Tenant: "a", Outgoing: out}, Trunk{ID: "b1", Tenant: "b", Outgoing: out},
		Trunk{ID: "off", Disabled: true, Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.31")}, Outgoing: out},
		Trunk{ID: "stray", Tenant: "gone", Outgoing: out})
	d.Outbound = []OutboundRoute{{"", 2, "p2"}, {"", 1, "p1"}, {"+49", 1, "p3"}, {"+49", 2, "p1"}, {"+49", 3, "p3"}, {"", 1, "a1"}, {"+4930", 1, "b1"},
		{"+49", 0, "carrier"}, {"", 9, "stray"}}
	s, faults := NewSnapshot(d, parseAny)
	if len(faults) != 3 {
		t.Errorf("the faults are %v", faults) // a trunk of nobody, its route, and a route to one that is not called
	}
	for _, c := range []struct {
		tenant, number string
		want           []string
	}{
		{"a", "+12025550100", []string{"a1", "p1", "p2"}},
		{"a", "+493012345678", []string{"a1", "p3", "p1"}},
		{"b", "+12025550100", []string{"p1", "p2"}},
		{"b", "+493012345678", []string{"b1", "p3", "p1"}},
		{"", "+493012345678", []string{"p3", "p1"}},
		{"a", "", []string{"a1", "p1", "p2"}},
	} {
		var got []string
		for _, x := range s.Ways().Serving(c.tenant, c.number) {
			got = append(got, x.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s of %s goes by %v, want %v", c.number, c.tenant, got, c.want)
		}
	}
	for _, x := range s.Ways().Open("a") {
		if x.Tenant == "b" {
			t.Error("a tenant is offered another's trunk")
		}
	}
	if s.TrunkByAddress(netip.MustParseAddr("192.0.2.31")) != nil {
		t.Error("a disabled trunk calls")
	}
	if !s.Ways().Owns("a", "+15550100") || s.Ways().Owns("b", "+15550100") || s.Ways().Owns("a", "+15550999") {
		t.Error("whose a number is is not known")
	}
	var none *Ways
	if none.Serving("a", "+1") != nil || none.Open("a") != nil || none.Trunk("p1") != nil || none.Owns("a", "+15550100") {
		t.Error("no ways are some")
	}
}

func TestWhatGoesOnIsTheTrunksToSay(t *testing.T) {
	usual, own := &Outgoing{}, &Outgoing{Failover: []string{"486", "6xx", FailoverTimeout}}
	for _, c := range []struct {
		word       string
		usual, own bool
	}{
		{"408", true, false}, {"500", true, false}, {"503", true, false}, {FailoverTimeout, true, true}, {FailoverUnreachable, true, false},
		{"486", false, true}, {"600", false, true}, {"603", false, true}, {"404", false, false}, {"484", false, false}, {"480", false, false},
		{"5", false, false}, {"", false, false}, {"6xx", false, true},
	} {
		if usual.GoesOn(c.word) != c.usual || own.GoesOn(c.word) != c.own {
			t.Errorf("%s: by default %v, by its own list %v", c.word, usual.GoesOn(c.word), own.GoesOn(c.word))
		}
	}
}

func TestABlockedPrefixIsFound(t *testing.T) {
	c := CallingOut{BlockedPrefixes: []string{"+88", "+8835", "+1900"}}
	for number, want := range map[string]string{"+883510": "+8835", "+881": "+88", "+19005550100": "+1900", "+12025550100": "", "": ""} {
		if got, blocked := c.Blocks(number); got != want || blocked != (want != "") {
			t.Errorf("%q is blocked by %q", number, got)
		}
	}
}
