package postgres

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses between attempts to reach the server: the first, and the bound of those that follow, which double.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
)

// backoff counts failures in a row.
type backoff struct{ failures int }

func (b *backoff) reset() { b.failures = 0 }

// next is how long to pause after one more failure: between half and all of a doubling bound, so that workers which
// lost the server together do not come back together.
func (b *backoff) next() time.Duration {
	bound := longestPause
	if b.failures < 16 {
		bound = min(longestPause, firstPause<<b.failures)
	}
	b.failures++
	return bound/2 + rand.N(bound/2+1)
}

// pause waits, or returns the context's error when that comes first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
