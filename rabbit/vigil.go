package rabbit

import (
	"context"
	"sync"
	"time"
)

// PauseNoticed is how long this process may stand still (stopped, starved of processor time, its machine frozen) before it
// takes what it holds for stale. With RouteTTL and RouteBudget it stays below the edge's own deadline.
const PauseNoticed = 150 * time.Millisecond

// vigilBeat is how often the clock is looked at.
const vigilBeat = PauseNoticed / 5

// vigil notices that this process stood still. Whoever looks first after a pause finds it, the beat or a lane: so nobody
// can go on with what was there before it. The zero value is ready.
type vigil struct {
	mu     sync.Mutex
	last   time.Time
	pauses int
}

// beat looks at the clock and returns how many pauses were found so far.
func (v *vigil) beat() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	if !v.last.IsZero() && now.Sub(v.last) >= PauseNoticed {
		v.pauses++
	}
	v.last = now
	return v.pauses
}

// keep beats until ctx ends, so that an idle process is not taken for one that stood still.
func (v *vigil) keep(ctx context.Context) {
	tick := time.NewTicker(vigilBeat)
	defer tick.Stop()
	for {
		v.beat()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
