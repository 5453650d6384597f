package claim

import (
	"testing"
	"time"
)

func TestTheTimesFitTogether(t *testing.T) {
	if LeaseFor+RenewEvery > ReplaceAfter {
		t.Errorf("a standby replaces after %v an owner that may write for %v after a renewal, which may be %v after its last sign", ReplaceAfter, LeaseFor, RenewEvery)
	}
	if 2*RenewEvery >= LeaseFor {
		t.Errorf("one lost renewal ends a lease of %v", LeaseFor)
	}
}

func TestLease(t *testing.T) {
	start := time.Now()
	ms := func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) }
	for _, c := range []struct {
		name    string
		renewed []int // milliseconds
		ended   bool
		until   int // -1: at no time
	}{
		{"new: valid at no time", nil, false, -1},
		{"renewed: valid from the send on", []int{0}, false, 400},
		{"renewed again: longer", []int{0, 100}, false, 500},
		{"an older renewal does not make it shorter", []int{100, 0}, false, 500},
		{"a late renewal counts from when it was due", []int{0, 130}, false, 500},
		{"after a break one renewal is not enough", []int{0, 5000}, false, 500},
		{"two are", []int{0, 5000, 5100}, false, 5500},
		{"the second one counts from when it was due", []int{0, 5000, 5300}, false, 5500},
		{"ended: for ever", []int{0}, true, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l Lease
			for _, at := range c.renewed {
				l.Renewed(ms(at))
			}
			if c.ended {
				l.End()
				l.Renewed(ms(1))
			}
			if c.until < 0 {
				if !l.Until().IsZero() || l.Valid(ms(1)) {
					t.Errorf("valid until %v", l.Until())
				}
				return
			}
			if !l.Until().Equal(ms(c.until)) || !l.Valid(ms(c.until-1)) || l.Valid(ms(c.until)) {
				t.Errorf("valid until %v", l.Until().Sub(start))
			}
		})
	}
}

func TestTheSignIsGivenBeforeTheRenewalCounts(t *testing.T) {
	now := time.Now()
	signs := 0
	var l Lease
	l.Sign = func() {
		signs++
		if l.Valid(now) {
			t.Error("the renewal counts already")
		}
	}
	l.Renewed(now)
	if signs != 1 || !l.Valid(now) {
		t.Errorf("%d signs, valid: %v", signs, l.Valid(now))
	}
}

// BenchmarkValid is what each write of an owner pays.
func BenchmarkValid(b *testing.B) {
	var l Lease
	l.Renewed(time.Now())
	for b.Loop() {
		l.Valid(time.Now())
	}
}
