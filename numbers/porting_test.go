package numbers

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever steps are taken: a number of a porting order follows it, and what has ended never changes.
func TestNumbersFollowTheirPortingOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		direction := rapid.SampledFrom([]Direction{In, Out}).Draw(t, "direction")
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		n := Number{Number: "+493012345678"}
		if direction == Out {
			n.State, n.Holder, n.Tenant = Assigned, "r", "a"
		}
		state, on := PortDraft, time.Time{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
			a := PortAsk{Step: rapid.SampledFrom([]PortStep{Submit, Accept, Reject, Schedule, Ported, Cancel}).Draw(t, "step"),
				Decider: rapid.Bool().Draw(t, "decider"), Comment: rapid.SampledFrom([]string{"", "why"}).Draw(t, "comment"),
				On: now.AddDate(0, 0, rapid.IntRange(-2, 3).Draw(t, "on")), Now: now}
			after, err := state.After(a, on)
			if err != nil {
				var refused *Refusal
				if after != state || !errors.As(err, &refused) {
					t.Fatalf("%s in %s is refused with %v, and leads to %s", a.Step, state, err, after)
				}
				continue
			}
			if state == PortPorted || state == PortCancelled {
				t.Fatalf("%s leads on from %s", a.Step, state)
			}
			if !a.Decider && (after == PortPorted || after == PortAccepted || state == PortScheduled) {
				t.Fatalf("the tenant takes the step %s by himself", a.Step)
			}
			if after == PortPorted && day(now).Before(day(on)) {
				t.Fatalf("is ported before its day")
			}
			if a.Step == Schedule {
				on = a.On
			}
			if step := direction.NumberStep(state, after); step != "" {
				if n, err = n.Do(Ask{Step: step, Tenant: "a", Holder: "r", Now: now}); err != nil {
					t.Fatalf("the order goes from %s to %s, its number does not: %v", state, after, err)
				}
			}
			want := map[Direction][3]State{In: {NotOurs, PortingIn, Assigned}, Out: {Assigned, PortingOut, NotOurs}}[direction]
			switch {
			case after.Open() && n.State != want[1], after == PortPorted && n.State != want[2],
				!after.Open() && after != PortPorted && n.State != want[0]:
				t.Fatalf("the order is %s, its number %q", after, n.State)
			}
			state = after
		}
	})
}

func TestFromEachOpenStateAPortingOrderCanEnd(t *testing.T) {
	for _, from := range PortStates() {
		reached := []PortState{from}
		for i := 0; i < len(reached); i++ {
			for _, row := range PortTransitions() {
				if slices.Contains(row.From, reached[i]) && !slices.Contains(reached, row.To) {
					reached = append(reached, row.To)
				}
			}
		}
		over := from == PortPorted || from == PortCancelled
		if over != (len(reached) == 1) || !over && (!slices.Contains(reached, PortPorted) || !slices.Contains(reached, PortCancelled)) {
			t.Errorf("from %s %s are reached", from, reached)
		}
	}
}

func TestRefusalsOfPortingSteps(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		from PortState
		ask  PortAsk
		on   time.Time
		code Code
	}{
		{"a step there is not", PortDraft, PortAsk{Step: "fly", Decider: true}, now, PortNoSuchStep},
		{"accept what is a draft", PortDraft, PortAsk{Step: Accept, Decider: true}, now, PortWrongState},
		{"accept one's own", PortSubmitted, PortAsk{Step: Accept}, now, PortDecides},
		{"cancel what is scheduled", PortScheduled, PortAsk{Step: Cancel}, now, PortDecides},
		{"reject without a word", PortSubmitted, PortAsk{Step: Reject, Decider: true}, now, PortNeedsWords},
		{"schedule for yesterday", PortAccepted, PortAsk{Step: Schedule, Decider: true, On: now.AddDate(0, 0, -1)}, now, PortNeedsDate},
		{"port a day early", PortScheduled, PortAsk{Step: Ported, Decider: true}, now.AddDate(0, 0, 1), PortNotYet},
		{"cancel what is ported", PortPorted, PortAsk{Step: Cancel, Decider: true}, now, PortWrongState},
	} {
		c.ask.Now = now
		_, err := c.from.After(c.ask, c.on)
		var refused *Refusal
		if !errors.As(err, &refused) || refused.Code != c.code {
			t.Errorf("%s: %v, not %s", c.name, err, c.code)
		}
	}
}
