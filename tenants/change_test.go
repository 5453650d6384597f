package tenants

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// anyTenant draws a tenant whose numbers and extensions are among few, so that tenants take them from each other.
func anyTenant(r *rand.Rand, id string) Tenant {
	t := Tenant{ID: id, Name: fmt.Sprint("Tenant ", r.IntN(100)), Domain: id + ".example", TimeZone: "UTC"}
	for range r.IntN(4) {
		t.Users = append(t.Users, User{ID: fmt.Sprint("u", len(t.Users)), Extension: fmt.Sprint(100 + r.IntN(5))})
		t.Devices = append(t.Devices, Device{ID: fmt.Sprint("d", len(t.Devices)), Username: fmt.Sprint("phone", len(t.Devices))})
	}
	t.Published = Published{Version: r.Int64(), Flows: []Flow{{ID: "f", Name: fmt.Sprint(r.IntN(9)), Start: "a",
		Elements: map[string]Element{"a": {Type: "x", Settings: json.RawMessage(`{}`)}}}}}
	for _, u := range t.Users {
		t.Published.Routes = append(t.Published.Routes, Route{Dialled: u.Extension, FlowID: "f"})
	}
	return t
}

// claim gives a tenant numbers that nobody has.
func claim(r *rand.Rand, t *Tenant, all []Tenant) {
	taken := map[string]bool{}
	for _, other := range all {
		for _, n := range other.Numbers {
			taken[n] = other.ID != t.ID
		}
	}
	t.Numbers = nil
	for range r.IntN(6) {
		n := fmt.Sprintf("+1202555%04d", r.IntN(60))
		if r.IntN(20) == 0 {
			n = "front-desk"
		}
		if !taken[n] && !slices.Contains(t.Numbers, n) {
			t.Numbers = append(t.Numbers, n)
		}
	}
}

// Whatever changes in whichever order: a snapshot that follows on another is the one that all would give anew, and the one
// before it stays as it was.
func TestASnapshotThatFollowsIsTheOneMadeAnew(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var now []Tenant
		s, faults := NewSnapshot(Data{}, parseAny)
		for round := range 30 {
			before, was := s, told(s)
			c := Change{Revision: int64(round), Emergency: Emergency{Numbers: []string{fmt.Sprint(round)}}}
			for range r.IntN(4) {
				id := fmt.Sprint("t", r.IntN(6))
				i := slices.IndexFunc(now, func(t Tenant) bool { return t.ID == id })
				if slices.ContainsFunc(c.Tenants, func(t Tenant) bool { return t.ID == id }) || slices.Contains(c.Gone, id) {
					continue
				}
				if i >= 0 && r.IntN(3) == 0 {
					c.Gone, now = append(c.Gone, id), slices.Delete(now, i, i+1)
					continue
				}
				next := anyTenant(r, id)
				claim(r, &next, now)
				if i < 0 {
					now = append(now, next)
				} else {
					now[i] = next
				}
				c.Tenants = append(c.Tenants, copied(t, next))
			}
			s, faults = s.With(c, parseAny)
			whole, _ := NewSnapshot(Data{Revision: c.Revision, Emergency: c.Emergency, Tenants: copied(t, now)}, parseAny)
			if got, want := told(s), told(whole); got != want || len(faults) > 0 {
				t.Fatalf("seed %d, round %d:\n%s\nwant\n%s\n%v", seed, round, got, want, faults)
			}
			if told(before) != was {
				t.Fatalf("seed %d, round %d: the snapshot before has changed", seed, round)
			}
		}
	}
}

// told is all that a snapshot of these tenants answers.
func told(s *Snapshot) string {
	text := fmt.Sprint(s.Revision(), s.Emergency())
	for i := range 6 {
		id := fmt.Sprint("t", i)
		t := s.Tenant(id)
		if t == nil {
			text += fmt.Sprint("\n", id, " is not there ", s.TenantByDomain(id+".example"))
			continue
		}
		text += fmt.Sprint("\n", id, t.Name, t.Numbers, s.TenantByDomain(id+".example").ID, t.DeviceByUsername("phone1"), t.Device("d0"), t.User("u2"), t.Flow("f").Name)
		for e := range 5 {
			text += fmt.Sprint(t.Route(fmt.Sprint(100+e)), t.Leads(fmt.Sprint(100+e)).Name == t.Flow("f").Name)
		}
	}
	for n := range 61 {
		number := fmt.Sprintf("+1202555%04d", n)
		if n == 60 {
			number = "front-desk"
		}
		if owner := s.TenantByNumber(number); owner != nil {
			text += fmt.Sprint("\n", number, " is of ", owner.ID, s.Ways().Owns(owner.ID, number))
		}
	}
	return text
}

// copied makes a copy that shares nothing, as what was read from elsewhere.
func copied[T any](t *testing.T, v T) (c T) {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// Numbers that change hands often are put together anew now and then, and a snapshot before it does not notice.
func TestManyChangesOfNumbersArePutTogether(t *testing.T) {
	s, _ := NewSnapshot(Data{}, parseAny)
	for round := range 40 {
		a := Tenant{ID: "a", Domain: "a.example", TimeZone: "UTC"}
		for i := range 100 {
			a.Numbers = append(a.Numbers, fmt.Sprintf("+1%03d%06d", round, i))
		}
		s, _ = s.With(Change{Tenants: []Tenant{a}}, parseAny)
		if s.TenantByNumber(a.Numbers[7]) == nil || round > 0 && s.TenantByNumber(fmt.Sprintf("+1%03d%06d", round-1, 7)) != nil {
			t.Fatalf("round %d: a number is lost, or kept", round)
		}
	}
	if s.numbers.later.held > 1024+laterShare*100+200 {
		t.Errorf("%d changes are kept", s.numbers.later.held)
	}
}

// Two tenants that claim one number are told of, and it is the first one's, as if all were read anew.
func TestAContestedChangeIsReadAnew(t *testing.T) {
	tenant := func(id string, numbers ...string) Tenant {
		return Tenant{ID: id, Domain: id + ".example", TimeZone: "UTC", Numbers: numbers}
	}
	s, _ := NewSnapshot(Data{Tenants: []Tenant{tenant("b", "+12025550100")}}, parseAny)
	s, faults := s.With(Change{Tenants: []Tenant{tenant("a", "+12025550100")}}, parseAny)
	if len(faults) != 1 || s.TenantByNumber("+12025550100").ID != "a" {
		t.Errorf("%v, it is of %s", faults, s.TenantByNumber("+12025550100").ID)
	}
	s, faults = s.With(Change{Gone: []string{"a"}}, parseAny)
	if owner := s.TenantByNumber("+12025550100"); len(faults) != 0 || owner == nil || owner.ID != "b" {
		t.Errorf("%v, it is of %v", faults, owner)
	}
}

// Settings that are alike in a million flows are tried once.
func TestWhatFlowsHaveInCommonIsTriedOnce(t *testing.T) {
	flow := func(settings string) Flow {
		return Flow{ID: "f", Start: "a", Elements: map[string]Element{"a": {Type: "x", Settings: json.RawMessage(settings)}}}
	}
	parsed := 0
	parse := func(string, json.RawMessage) (any, error) { parsed++; return &parsed, nil }
	NewSnapshot(Data{Tenants: []Tenant{
		{ID: "a", Domain: "a", TimeZone: "UTC", Published: Published{Flows: []Flow{flow(`{"a":1}`)}}},
		{ID: "b", Domain: "b", TimeZone: "UTC", Published: Published{Flows: []Flow{flow(`{"a":1}`)}}},
		{ID: "c", Domain: "c", TimeZone: "UTC", Published: Published{Flows: []Flow{flow(`{"a":2}`)}}},
	}}, parse)
	if parsed != 2 {
		t.Errorf("settings were parsed %d times", parsed)
	}
}
