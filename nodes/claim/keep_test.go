package claim

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a node whose replies take time. Its answer can be changed under way.
type slow struct {
	reply  time.Duration // from the execution to the reply
	reads  atomic.Int64
	answer atomic.Pointer[answer]
}

type answer struct {
	value string
	err   error
}

func newSlow(value string, reply time.Duration) *slow {
	s := &slow{reply: reply}
	s.answer.Store(&answer{value: value})
	return s
}

func (s *slow) Get(ctx context.Context, _ string) (string, error) {
	s.reads.Add(1)
	a := s.answer.Load()
	select {
	case <-time.After(s.reply):
		return a.value, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (*slow) Swap(context.Context, string, string, string) error { return errors.New("no swap here") }

// keeping runs Keep in the background until the test ends or stop is called; holders are those by whom it was deposed.
func keeping(t *testing.T, n Node, me Holder, lease *Lease) (stop func() error, holders chan Holder) {
	ctx, cancel := context.WithCancel(t.Context())
	ended, holders := make(chan error, 1), make(chan Holder, 2)
	go func() { ended <- Keep(ctx, n, me, lease, func(h Holder) { holders <- h }) }()
	return func() error { cancel(); return <-ended }, holders
}

func TestAnOwnerKeepsItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		me := Holder{7, "me", "h:1"}
		var lease Lease
		node := newSlow(me.String(), time.Millisecond)
		stop, holders := keeping(t, node, me, &lease)
		time.Sleep(RenewEvery / 2)
		for range 100 {
			if !lease.Valid(time.Now()) {
				t.Fatal("not valid")
			}
			time.Sleep(RenewEvery)
		}
		if reads := node.reads.Load(); reads != 101 {
			t.Errorf("%d renewals", reads)
		}
		if err := stop(); !errors.Is(err, context.Canceled) || len(holders) > 0 {
			t.Errorf("%v, deposed %d times", err, len(holders))
		}
		if left := time.Until(lease.Until()); left > LeaseFor-RenewEvery/2 {
			t.Errorf("%v left", left)
		}
	})
}

func TestTheLeaseCountsFromTheSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		me, start := Holder{7, "me", "h:1"}, time.Now()
		var lease Lease
		stop, _ := keeping(t, newSlow(me.String(), 150*time.Millisecond), me, &lease)
		time.Sleep(151 * time.Millisecond) // the second renewal waits for its reply
		if got := lease.Until().Sub(start); got != LeaseFor {
			t.Errorf("until %v", got)
		}
		_ = stop()
	})
}

func TestAReplyThatComesAfterItsLeaseIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		me := Holder{7, "me", "h:1"}
		var lease Lease
		node := newSlow(me.String(), time.Hour)
		stop, _ := keeping(t, node, me, &lease)
		time.Sleep(2*LeaseFor + time.Millisecond)
		if reads := node.reads.Load(); reads != 3 || lease.Valid(time.Now()) {
			t.Errorf("%d renewals, valid: %v", reads, lease.Valid(time.Now()))
		}
		_ = stop()
	})
}

func TestAnOwnerIsDeposedByAnotherClaimAlone(t *testing.T) {
	me := Holder{7, "me", "h:1"}
	for _, c := range []struct {
		name    string
		answer  answer
		deposed bool
		by      Holder
	}{
		{"another worker", answer{"8@other@h:2", nil}, true, Holder{8, "other", "h:2"}},
		{"a node that has restarted", answer{Seed, nil}, true, Holder{}},
		{"another claim of its own name", answer{"8@me@h:1", nil}, true, Holder{8, "me", "h:1"}},
		{"a connection that is lost", answer{"", errors.New("connection lost")}, false, Holder{}},
		{"a node that is still starting", answer{"", ErrUnset}, false, Holder{}},
		{"a node that says nonsense", answer{"nobody", nil}, false, Holder{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lease Lease
				node := newSlow(me.String(), 0)
				stop, holders := keeping(t, node, me, &lease)
				time.Sleep(RenewEvery / 2)
				node.answer.Store(&c.answer)
				time.Sleep(RenewEvery)
				if lease.Valid(time.Now()) == c.deposed {
					t.Errorf("valid: %v", !c.deposed)
				}
				time.Sleep(LeaseFor)
				if lease.Valid(time.Now()) {
					t.Error("the lease did not run out")
				}
				node.answer.Store(&answer{value: me.String()})
				time.Sleep(3 * RenewEvery) // two of them count after the break
				if lease.Valid(time.Now()) == c.deposed {
					t.Errorf("afterwards, valid: %v", !c.deposed)
				}
				err := stop()
				if !c.deposed {
					if len(holders) > 0 || !errors.Is(err, context.Canceled) {
						t.Errorf("deposed by %s, %v", <-holders, err)
					}
					return
				}
				if len(holders) != 1 || err != nil {
					t.Fatalf("deposed %d times, %v", len(holders), err)
				}
				if by := <-holders; by != c.by {
					t.Errorf("by %s", by)
				}
			})
		})
	}
}

func TestTheLeaseHasEndedWhenDeposedIsCalled(t *testing.T) {
	var lease Lease
	lease.Renewed(time.Now())
	called := false
	err := Keep(t.Context(), newMemory(Holder{8, "other", "h:2"}, Holder{}), Holder{7, "me", "h:1"}, &lease, func(Holder) {
		called = true
		if lease.Valid(time.Now()) {
			t.Error("still valid")
		}
	})
	if err != nil || !called {
		t.Errorf("%v, called: %v", err, called)
	}
}
