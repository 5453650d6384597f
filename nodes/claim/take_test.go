package claim

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// memory is a node in memory, with hooks for what goes wrong.
type memory struct {
	values map[string]string
	swap   func(apply func()) error // around a swap; nil: apply it
	get    func(name string) error  // before a read
	log    []string
}

func newMemory(owner, standby Holder) *memory {
	return &memory{values: map[string]string{OwnerVariable: owner.String(), StandbyVariable: standby.String()}}
}

func (m *memory) Get(_ context.Context, name string) (string, error) {
	if m.get != nil {
		if err := m.get(name); err != nil {
			return "", err
		}
	}
	value, ok := m.values[name]
	if !ok {
		return "", ErrUnset
	}
	return value, nil
}

func (m *memory) Swap(_ context.Context, name, value, old string) error {
	m.log = append(m.log, name+"="+value+"="+old)
	apply := func() {
		if m.values[name] == old {
			m.values[name] = value
		}
	}
	if m.swap != nil {
		return m.swap(apply)
	}
	apply()
	return nil
}

func TestTake(t *testing.T) {
	lost := errors.New("the reply is lost")
	seen, me, rival := Holder{7, "old", "h:1"}, Holder{8, "me", "h:2"}, Holder{8, "rival", "h:3"}
	first := func(m *memory) func(func()) error {
		return func(apply func()) error { m.values[OwnerVariable] = rival.String(); apply(); return nil }
	}
	for _, c := range []struct {
		name    string
		prepare func(*memory)
		holder  Holder
		err     error // nil, ErrUnknown or a *LostError
	}{
		{"the swap wins", func(*memory) {}, me, nil},
		{"another was first", func(m *memory) { m.swap = first(m) }, rival, &LostError{rival}},
		{"a swap whose reply is lost is read back: won", func(m *memory) { m.swap = func(apply func()) error { apply(); return lost } }, me, nil},
		{"a swap whose reply is lost is read back: another was first", func(m *memory) {
			m.swap = func(apply func()) error { _ = first(m)(apply); return lost }
		}, rival, &LostError{rival}},
		{"a lost swap that has done nothing yet may do it later", func(m *memory) { m.swap = func(func()) error { return lost } }, Holder{}, ErrUnknown},
		{"a reading that fails leaves it open", func(m *memory) { m.get = func(string) error { return lost } }, Holder{}, ErrUnknown},
		{"the node held something else", func(m *memory) { m.values[OwnerVariable] = Holder{Epoch: 7}.String() }, Holder{Epoch: 7}, &LostError{Holder{Epoch: 7}}},
		{"the node went back to what was seen", func(m *memory) { m.swap = func(func()) error { return nil } }, seen, &LostError{seen}},
		{"the node holds no claim", func(m *memory) { m.values[OwnerVariable] = "nobody" }, Holder{}, ErrUnreadable},
		{"the node holds nothing", func(m *memory) { delete(m.values, OwnerVariable) }, Holder{}, ErrUnset},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory(seen, Holder{})
			c.prepare(m)
			got, err := Take(t.Context(), m, seen, me)
			var won, want *LostError
			switch {
			case got != c.holder:
				t.Errorf("got %+v, %v", got, err)
			case errors.As(c.err, &want):
				if !errors.As(err, &won) || *won != *want {
					t.Errorf("got %v", err)
				}
			case !errors.Is(err, c.err):
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAClaimThatDoesNotGrowIsNotMade(t *testing.T) {
	for _, c := range []struct {
		name     string
		seen, me Holder
		want     error
	}{
		{"the same epoch", Holder{7, "a", "h:1"}, Holder{7, "b", "h:1"}, ErrEpoch},
		{"a lower one", Holder{7, "a", "h:1"}, Holder{6, "b", "h:1"}, ErrEpoch},
		{"nobody", Holder{7, "a", "h:1"}, Holder{Epoch: 8}, ErrEpoch},
		{"a name that is two parts", Holder{7, "a", "h:1"}, Holder{8, "b@c", "h:1"}, ErrUnreadable},
		{"the name of a vacant place", Holder{7, "a", "h:1"}, Holder{8, "nobody", "h:1"}, ErrUnreadable},
		{"a link that is none", Holder{7, "a", "h:1"}, Holder{8, "b", ""}, ErrUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory(c.seen, c.seen)
			_, err := Take(t.Context(), m, c.seen, c.me)
			_, standby := TakeStandby(t.Context(), m, c.seen, c.me)
			if !errors.Is(err, c.want) || !errors.Is(standby, c.want) || len(m.log) != 0 {
				t.Errorf("got %v, %v, sent %v", err, standby, m.log)
			}
		})
	}
}

func TestThePlacesAreTakenAndLeftApart(t *testing.T) {
	m := newMemory(Holder{}, Holder{})
	owner, standby := Holder{1, "a", "h:1"}, Holder{1, "b", "h:2"}
	check := func(step string, err error, wantOwner, wantStandby Holder) {
		t.Helper()
		gotOwner, gotStandby, readErr := Read(t.Context(), m)
		if err != nil || readErr != nil || gotOwner != wantOwner || gotStandby != wantStandby {
			t.Errorf("%s: %v, %v, owner %s, standby %s", step, err, readErr, gotOwner, gotStandby)
		}
	}
	_, err := Take(t.Context(), m, Holder{}, owner)
	check("take", err, owner, Holder{})
	_, err = TakeStandby(t.Context(), m, Holder{}, standby)
	check("take standby", err, owner, standby)
	check("leave, by one who does not hold it", Leave(t.Context(), m, standby), owner, standby)
	check("leave", Leave(t.Context(), m, owner), Holder{Epoch: 1}, standby)
	check("leave again", Leave(t.Context(), m, owner), Holder{Epoch: 1}, standby)
	check("leave standby", LeaveStandby(t.Context(), m, standby), Holder{Epoch: 1}, Holder{Epoch: 1})
	check("leave nothing", Leave(t.Context(), m, Holder{Epoch: 1}), Holder{Epoch: 1}, Holder{Epoch: 1})
	m.swap = func(func()) error { return errors.New("lost") }
	m.values[OwnerVariable] = owner.String()
	if err := Leave(t.Context(), m, owner); !errors.Is(err, ErrUnknown) {
		t.Errorf("a leave that did nothing: %v", err)
	}
}

func TestMovesAreMade(t *testing.T) {
	seen, mine := Holder{3, "old", "h:1"}, Holder{4, "me", "h:2"}
	for _, c := range []struct {
		move           Move
		owner, standby Holder
	}{
		{Move{}, seen, seen},
		{Move{ClaimNode, seen, mine}, mine, seen},
		{Move{ClaimStandby, seen, mine}, seen, mine},
		{Move{Action: VacateStandby, Seen: seen}, seen, Holder{Epoch: 3}},
	} {
		t.Run(fmt.Sprint("action ", c.move.Action), func(t *testing.T) {
			m := newMemory(seen, seen)
			holder, err := c.move.Make(t.Context(), m)
			owner, standby, _ := Read(t.Context(), m)
			if err != nil || holder != c.move.Mine || owner != c.owner || standby != c.standby {
				t.Errorf("got %s, %v; owner %s, standby %s", holder, err, owner, standby)
			}
		})
	}
}
