package numbers

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func steps() (all []Step) {
	for _, t := range Transitions() {
		all = append(all, t.Step)
	}
	return all
}

func TestEachStepStandsOnceInTheTable(t *testing.T) {
	seen := map[Step]bool{}
	for _, s := range steps() {
		if seen[s] {
			t.Errorf("%s stands twice", s)
		}
		seen[s] = true
	}
}

// From anywhere a way leads back to where a number can be given to somebody: none is lost.
func TestNoPathLosesANumber(t *testing.T) {
	for _, from := range append(States(), NotOurs) {
		reached := []State{from}
		for i := 0; i < len(reached); i++ {
			for _, step := range steps() {
				if to, ok := reached[i].After(step); ok && !slices.Contains(reached, to) {
					reached = append(reached, to)
				}
			}
		}
		if len(reached) != len(States())+1 {
			t.Errorf("from %q only %q are reached", from, reached)
		}
	}
}

// Nor has one to leave the inventory for that.
func TestFromEachStateAWayLeadsBackWithinTheInventory(t *testing.T) {
	for _, from := range States() {
		reached := []State{from}
		for i := 0; i < len(reached); i++ {
			for _, step := range steps() {
				if to, ok := reached[i].After(step); ok && to != NotOurs && !slices.Contains(reached, to) {
					reached = append(reached, to)
				}
			}
		}
		if !slices.Contains(reached, Available) {
			t.Errorf("from %q only %q are reached", from, reached)
		}
	}
}

func TestAStateThatNobodyKnowsLeadsNowhere(t *testing.T) {
	for _, step := range steps() {
		if _, ok := State("lost").After(step); ok {
			t.Errorf("%s leads on", step)
		}
	}
	if _, ok := Available.After("eat"); ok {
		t.Error("a step that nobody knows leads on")
	}
}

func asks(now time.Time) *rapid.Generator[Ask] {
	tenant := rapid.SampledFrom([]string{"", "a", "b"})
	holder := rapid.SampledFrom([]string{"", "r", "s"})
	return rapid.Custom(func(t *rapid.T) Ask {
		return Ask{Step: rapid.SampledFrom(steps()).Draw(t, "step"), Tenant: tenant.Draw(t, "tenant"), Holder: holder.Draw(t, "holder"),
			Until: now.Add(time.Duration(rapid.IntRange(-2, 20).Draw(t, "until")) * time.Hour), Now: now}
	})
}

// What holds of a number holds after any steps that anybody takes: the claims of the package's doc, one by one.
func TestWhateverHappensTheInventoryHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Number{Number: "+493012345678"}
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "hours")) * time.Hour)
			a := asks(now).Draw(t, "ask")
			after, err := n.Do(a)
			var refused *Refusal
			if err != nil && (!errors.As(err, &refused) || refused.Words == "" || refused.Code == "") {
				t.Fatalf("%s: %v is no refusal in words", a.Step, err)
			}
			if err != nil && after != n {
				t.Fatalf("%s is refused, and makes %+v of %+v", a.Step, after, n)
			}
			if err := after.Check(); err != nil {
				t.Fatalf("%+v after %s: %v", after, a.Step, err)
			}
			claims(t, n, after, a)
			n = after
		}
	})
}

func claims(t *rapid.T, n, after Number, a Ask) {
	if n == after {
		return
	}
	if after.Number != n.Number {
		t.Fatalf("%s makes another number of it", a.Step)
	}
	if n.Tenant != "" && after.Tenant != "" && n.Tenant != after.Tenant {
		t.Fatalf("%s: goes from one tenant straight to another", a.Step)
	}
	if n.State == Ageing && after.State == Available && a.Now.Before(n.Until) {
		t.Fatalf("its rest ends %s before its time", n.Until.Sub(a.Now))
	}
	if n.State == Ageing && after.Tenant != "" && after.Tenant != n.LastTenant {
		t.Fatalf("goes to %q while it rests after %q", after.Tenant, n.LastTenant)
	}
	if n.State == Reserved && after.Tenant != "" && n.ReservedFor != "" && after.Tenant != n.ReservedFor {
		t.Fatalf("is kept for %q and goes to %q", n.ReservedFor, after.Tenant)
	}
	if after.State == Ageing && after.LastTenant != n.Tenant {
		t.Fatalf("rests after %q, whose it never was", after.LastTenant)
	}
	if n.State == InUse && after.State == Ageing && a.Step != Withdraw {
		t.Fatalf("%s takes it from a tenant who uses it", a.Step)
	}
	if n.State != NotOurs && after.State != NotOurs && n.Holder != after.Holder && a.Step != Hand {
		t.Fatalf("%s: its stock changes", a.Step)
	}
}

// An automaton that does no step at all would keep all of the above.
func TestEachStepOfTheTableCanBeTaken(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	full := map[State]Number{
		NotOurs: {}, Available: {Holder: "r"}, Reserved: {Holder: "r", ReservedFor: "a", Until: now}, Assigned: {Holder: "r", Tenant: "a"},
		InUse: {Holder: "r", Tenant: "a"}, Ageing: {Holder: "r", LastTenant: "a", Until: now}, PortingIn: {Holder: "r", ReservedFor: "a"},
		PortingOut: {Holder: "r", Tenant: "a"}, Blocked: {Holder: "r"},
	}
	for _, row := range Transitions() {
		for _, from := range row.From {
			n := full[from]
			n.Number, n.State = "+493012345678", from
			a := Ask{Step: row.Step, Tenant: "a", Holder: "s", Until: now.Add(time.Hour), Now: now}
			if after, err := n.Do(a); err != nil || after.State != row.To {
				t.Errorf("%s from %q: %+v %v", row.Step, from, after, err)
			}
		}
	}
}

func TestRefusalsAreInWords(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	n := Number{Number: "+493012345678", Holder: "r"}
	with := func(s State, change func(*Number)) Number {
		n := n
		n.State = s
		change(&n)
		return n
	}
	for _, c := range []struct {
		name string
		n    Number
		ask  Ask
		code Code
	}{
		{"of another", with(Assigned, func(n *Number) { n.Tenant = "a" }), Ask{Step: Assign, Tenant: "b"}, WrongState},
		{"in use", with(InUse, func(n *Number) { n.Tenant = "a" }), Ask{Step: Release, Until: now}, WrongState},
		{"kept for another", with(Reserved, func(n *Number) { n.ReservedFor, n.Until = "a", now }), Ask{Step: Assign, Tenant: "b"}, ForAnother},
		{"to nobody", with(Available, func(*Number) {}), Ask{Step: Assign}, Incomplete},
		{"rests", with(Ageing, func(n *Number) { n.LastTenant, n.Until = "a", now.Add(time.Hour) }), Ask{Step: Age}, NotYet},
		{"rests after another", with(Ageing, func(n *Number) { n.LastTenant, n.Until = "a", now }), Ask{Step: Retake, Tenant: "b"}, NotTheLast},
		{"reserved until yesterday", with(Available, func(*Number) {}), Ask{Step: Reserve, Until: now.Add(-time.Hour)}, Incomplete},
		{"into the same stock", with(Available, func(*Number) {}), Ask{Step: Hand, Holder: "r"}, SameHolder},
	} {
		c.ask.Now = now
		_, err := c.n.Do(c.ask)
		var refused *Refusal
		if !errors.As(err, &refused) || refused.Code != c.code {
			t.Errorf("%s: %v, not %s", c.name, err, c.code)
		}
	}
}
