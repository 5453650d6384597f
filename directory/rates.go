package directory

import (
	"sync"
	"time"
)

// Rates remember which calls of a tenant have begun lately, on the whole platform: those that this worker has let pass, and those
// of which a node's owner has told. Only tenants with a limit need to be remembered.
//
// The picture is late by the time that a call which another worker let pass takes to reach its node, some tens of
// milliseconds: within it, each worker lets calls pass that the others do not count yet.
//
// The zero value is empty and ready.
type Rates struct {
	mu      sync.Mutex
	tenants map[string]*beginnings
}

// RateWindow is the second of "calls a second".
const RateWindow = time.Second

// maxBegun bounds the calls of one tenant that are remembered; the oldest make room.
const maxBegun = 100_000

// beginnings are a tenant's calls, the first remembered ones first, each once.
type beginnings struct {
	calls []beginning
	known map[string]struct{}
}

type beginning struct {
	call string
	at   time.Time
}

// Begun notes that a call has begun at that time, by this worker's clock. A call that is remembered began when it was first
// noted.
func (r *Rates) Begun(call, tenant string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.tenants[tenant]
	if b == nil {
		if r.tenants == nil {
			r.tenants = map[string]*beginnings{}
		}
		b = &beginnings{known: map[string]struct{}{}}
		r.tenants[tenant] = b
	}
	b.forget(at)
	if _, known := b.known[call]; known {
		return
	}
	b.known[call] = struct{}{}
	b.calls = append(b.calls, beginning{call, at})
}

// forget ends the memory of calls that a node's owner would have told of by now.
func (b *beginnings) forget(now time.Time) {
	n := 0
	for n < len(b.calls) && (len(b.calls)-n >= maxBegun || !now.Before(b.calls[n].at.Add(TentativeFor))) {
		delete(b.known, b.calls[n].call)
		n++
	}
	b.calls = b.calls[n:]
}

// Count is the number of a tenant's calls that began within the last RateWindow, without the call that is asked about: who
// asks twice about one call gets the same answer.
func (r *Rates) Count(tenant, but string, now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.tenants[tenant]
	if b == nil {
		return 0
	}
	count := 0
	for i := len(b.calls) - 1; i >= 0 && now.Sub(b.calls[i].at) < RateWindow; i-- {
		if b.calls[i].call != but {
			count++
		}
	}
	return count
}

// Sweep forgets tenants of which nothing is remembered. Calling it every minute or so keeps memory in bounds.
func (r *Rates) Sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for tenant, b := range r.tenants {
		if b.forget(now); len(b.calls) == 0 {
			delete(r.tenants, tenant)
		}
	}
}

// HasEnded says whether a call's end was heard of within the last TombstoneFor.
func (c *Calls) HasEnded(call string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ended := c.ended[call]
	return ended
}
