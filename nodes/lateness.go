package nodes

import (
	"sync"
	"time"
)

// lateness is how late a node has lately been with its events. A node whose threads wait for a processor is late with what it
// tells and as late with what it reads, and the answer to a question says little about it: it comes from the one thread that
// is awake. Events carry the node's time; the smallest difference to ours is taken for that of the clocks.
//
//	late:  time here - time at the node - the smallest of these differences
type lateness struct {
	mu    sync.Mutex
	known bool
	least time.Duration
	peaks [2]time.Duration // of the spell before this one, and of this one
	began time.Time        // of this spell
}

// latelyFor is how long a spell lasts; what was measured counts for up to two.
const latelyFor = time.Second

// clockDrift is how much slower clocks drift apart than they run.
const clockDrift = 10_000

// note takes the difference between our time and the node's for one event.
func (l *lateness) note(difference time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.known {
		l.known, l.least, l.peaks, l.began = true, difference, [2]time.Duration{difference, difference}, now
	}
	l.turn(now)
	l.least = min(l.least, difference)
	l.peaks[1] = max(l.peaks[1], difference)
}

// forget begins anew: what came until now was late because this worker was away itself.
func (l *lateness) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.least, l.peaks = false, 0, [2]time.Duration{}
}

// lately is how late the latest events were at most.
func (l *lateness) lately(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(now)
	return max(0, max(l.peaks[0], l.peaks[1])-l.least)
}

// turn begins another spell when it is time. The caller holds the lock.
func (l *lateness) turn(now time.Time) {
	passed := now.Sub(l.began)
	if passed < latelyFor {
		return
	}
	l.least += passed / clockDrift
	before := l.peaks[1]
	if passed >= 2*latelyFor {
		before = l.least
	}
	l.peaks, l.began = [2]time.Duration{before, l.least}, now
}
