package claim

import (
	"sync"
	"time"
)

// The times of ownership; package doc says how they depend on each other.
const (
	// RenewEvery is the pause between two renewals.
	RenewEvery = 100 * time.Millisecond
	// LeaseFor is how long the owner may write after the send of a good renewal.
	LeaseFor = 400 * time.Millisecond
	// ReplaceAfter is how long an owner has to be silent before its standby may replace it; not less than
	// LeaseFor + RenewEvery.
	ReplaceAfter = 500 * time.Millisecond
	// Overlap bounds how long an old owner's lease can be valid after another worker's claim.
	Overlap = LeaseFor
)

// Lease is an owner's right to write to its node, for one claim: the next claim gets a new Lease. The zero value is valid
// at no time. Its methods may be called from any number of goroutines.
//
// All times have to come from one clock that never jumps: time.Now carries the monotonic one.
type Lease struct {
	// Sign, if set, writes a sign of life to the standby; Renewed calls it before the renewal counts. It must hand the sign
	// to the kernel and not wait for anything. Set it before the lease is used.
	Sign func()

	mu    sync.RWMutex
	last  time.Time // the latest renewal, whether it prolonged the lease or not
	until time.Time
	ended bool
}

// Renewed tells of a renewal: at is an instant before the read, or before the Take, that showed this worker as the owner.
// The lease then lasts for LeaseFor from at, but from RenewEvery after the renewal before this one if at is later than
// that: so after a break it takes two renewals to make a lease valid. It is never made shorter.
func (l *Lease) Renewed(at time.Time) {
	if l.Sign != nil {
		l.Sign() // first: see package doc
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	from := at
	if latest := l.last.Add(RenewEvery); !l.last.IsZero() && latest.Before(from) {
		from = latest
	}
	if at.After(l.last) {
		l.last = at
	}
	if until := from.Add(LeaseFor); !l.ended && until.After(l.until) {
		l.until = until
	}
}

// Lapsed is how long the lease has been over; 0 while it is valid, and before its first renewal.
func (l *Lease) Lapsed(now time.Time) time.Duration {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.until.IsZero() {
		return 0
	}
	return max(0, now.Sub(l.until))
}

// Valid says whether the owner may write at this moment. The write itself happens later: keep what lies between short.
func (l *Lease) Valid(now time.Time) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return !l.ended && now.Before(l.until)
}

// Until is the end of the lease as it stands; the zero time when it never was valid or has been ended.
func (l *Lease) Until() time.Time {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.ended {
		return time.Time{}
	}
	return l.until
}

// End ends the lease for ever: its claim was replaced, or is about to be given up.
func (l *Lease) End() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}
