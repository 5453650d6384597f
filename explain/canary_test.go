package explain

import (
	"strings"
	"testing"

	"tandem/messages"
	"tandem/tenants"
)

// tried gives version 9 of the shop to 99 % of calls: its flow main begins with a.
func tried(a tenants.Element) func(*tenants.Data) {
	return func(d *tenants.Data) {
		t := &d.Tenants[0]
		p := t.Published
		p.Version = 9
		p.Flows = []tenants.Flow{{ID: p.Flows[0].ID, Name: p.Flows[0].Name, Start: "a", Elements: elements{"a": a}}}
		var routes []tenants.Route
		for _, r := range p.Routes {
			if r.FlowID == p.Flows[0].ID {
				routes = append(routes, r)
			}
		}
		p.Routes = routes
		t.Versions, t.Candidate = []tenants.Published{p}, tenants.Candidate{Version: 9, Share: 99}
	}
}

// A dry run and a replay choose and run the version that the call itself would get, and name it.
func TestACallOnTrialIsDryRunAndReplayedUnderItsVersion(t *testing.T) {
	words, err := Catalog()
	if err != nil {
		t.Fatal(err)
	}
	q := asks()
	s := shop(t, elements{"a": ring()}, tried(busy()))
	x := DryRun(words, s, q)
	if x.Version != 9 || x.Canary != 99 || !strings.Contains(x.Text(), "version 9 (canary, 99 % of calls)") || !strings.Contains(x.Verdict, "USER_BUSY") {
		t.Errorf("the dry run says %s", x.Text())
	}
	entries := play(t, s, q)
	if entries[0].Source != messages.SourceRouting || entries[0].Version != 9 || entries[1].Version != 9 {
		t.Fatalf("the journal names versions %d and %d", entries[0].Version, entries[1].Version)
	}
	then := shop(t, elements{"a": ring()}, tried(busy()), func(d *tenants.Data) {
		d.Tenants[0].Published, d.Tenants[0].Versions, d.Tenants[0].Candidate = d.Tenants[0].Versions[0], nil, tenants.Candidate{}
	})
	if r := Replay(then, then, entries); r.Outcome != Same || r.Version != 9 {
		t.Errorf("under its version: %+v", r)
	}
	if r := Replay(then, shop(t, elements{"a": ring()}), entries); r.Outcome != Different || r.Version != 9 {
		t.Errorf("under the other: %+v", r)
	}
}
