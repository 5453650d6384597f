package tenants

import (
	"encoding/json"
	"testing"
)

func TestTheLongestPrefixTakesWhatNoWholeNumberTakes(t *testing.T) {
	d := world()
	p := &d.Tenants[0].Published
	for _, r := range []Route{{Dialled: "*2", Prefix: true}, {Dialled: "*21", Prefix: true}, {Dialled: "*2149"}} {
		r.FlowID = p.Flows[0].ID
		p.Routes = append(p.Routes, r)
	}
	body, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var kept Data // as a worker reads it from its disk
	if err := json.Unmarshal(body, &kept); err != nil {
		t.Fatal(err)
	}
	s, _ := NewSnapshot(kept, parseAny)
	a := s.Tenant("a")
	for _, c := range []struct{ dialled, by, rest string }{
		{"*21030123", "*21", "030123"}, {"*21", "*21", ""}, {"*22", "*2", "2"}, {"*2149", "*21", "49"}, {"*", "", ""}, {"", "", ""}, {"21", "", ""},
		{"*2100000000000000000000000000000", "*21", "00000000000000000000000000000"},
	} {
		r, rest := a.RouteByPrefix(c.dialled)
		by := ""
		if r != nil {
			by = r.Dialled
		}
		if by != c.by || rest != c.rest {
			t.Errorf("%s is taken by %q with %q left, want %q with %q", c.dialled, by, rest, c.by, c.rest)
		}
	}
	if a.Route("*2149") == nil || a.Route("*21030123") != nil || a.Route("*21") == nil {
		t.Error("a whole number is found as it is written, and nothing else is")
	}
	if r, _ := s.Tenant("b").RouteByPrefix("*21"); r != nil {
		t.Error("another tenant's prefix is found")
	}
}
