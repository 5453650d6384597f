package tenants

import (
	"strings"
	"testing"
)

func TestAListHoldsValuesAndBeginnings(t *testing.T) {
	l := List{Entries: []string{"101", "+44*", "+4420*", "+1555*", "a*b"}}
	l.index()
	for _, c := range []struct{ value, entry string }{
		{"101", "101"}, {"1011", ""}, {"10", ""}, {"", ""},
		{"+44201234", "+4420*"}, {"+44", "+44*"}, {"+4", ""}, {"+15550100", "+1555*"},
		{"a*b", "a*b"}, {"axb", ""}, {"+44*", "+44*"}, {strings.Repeat("9", 10_000), ""},
	} {
		if entry, found := l.Match(c.value); entry != c.entry || found != (c.entry != "") {
			t.Errorf("%q is in the list by %q (%v), want %q", c.value, entry, found, c.entry)
		}
	}
}

func TestAnEntryOfOneStarIsEverything(t *testing.T) {
	l := List{Entries: []string{"*"}}
	l.index()
	if entry, found := l.Match("anything"); !found || entry != "*" {
		t.Errorf("by %q, %v", entry, found)
	}
	if _, found := l.Match(""); found {
		t.Error("nothing at all is in it")
	}
}

func TestATenantFindsItsListsAlone(t *testing.T) {
	s, faults := NewSnapshot(Data{Tenants: []Tenant{
		{ID: "one", Domain: "one.example", TimeZone: "UTC", Published: Published{Lists: []List{{ID: "vip", Entries: []string{"101"}}}}},
		{ID: "two", Domain: "two.example", TimeZone: "UTC"}}}, nil)
	if len(faults) != 0 {
		t.Fatal(faults)
	}
	list := s.Tenant("one").List("vip")
	if list == nil || s.Tenant("two").List("vip") != nil {
		t.Fatal("a list is not where it should be")
	}
	if _, found := list.Match("101"); !found {
		t.Error("the list of a snapshot cannot be asked")
	}
}
