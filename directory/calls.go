package directory

import (
	"sync"
	"time"

	"tandem/messages"
)

// TentativeFor is how long a call counts that was decided and has not been seen on a node: longer than an edge tries.
const TentativeFor = 10 * time.Second

// endedFor is how long it is remembered that a call ended, so that a late event does not revive it.
const endedFor = 30 * time.Second

// sweepEvery is how often what is over is forgotten.
const sweepEvery = 5 * time.Second

// Calls counts live calls.
type Calls struct {
	mu      sync.Mutex
	live    map[string]liveCall
	tenants map[string]map[string]struct{} // tenant -> ids of its calls
	ended   map[string]time.Time
	swept   time.Time
}

type liveCall struct {
	tenant    string
	tentative time.Time // until when it counts; zero: until it ends
}

// NewCalls returns an empty one.
func NewCalls() *Calls {
	return &Calls{live: map[string]liveCall{}, tenants: map[string]map[string]struct{}{}, ended: map[string]time.Time{}}
}

// Tentative counts a call that was decided and is on its way to a node.
func (c *Calls) Tentative(call, tenant string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.live[call]; known {
		return
	}
	if _, over := c.ended[call]; !over {
		c.add(call, liveCall{tenant: tenant, tentative: now.Add(TentativeFor)})
	}
	c.sweep(now)
}

// Apply takes one event.
func (c *Calls) Apply(e messages.CallEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.State == messages.CallEnded {
		c.remove(e.Call)
		c.ended[e.Call] = e.At
		return
	}
	if _, over := c.ended[e.Call]; !over {
		c.add(e.Call, liveCall{tenant: e.Tenant})
	}
}

// CountTenant is the number of a tenant's live calls.
func (c *Calls) CountTenant(tenant string, now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(now)
	return len(c.tenants[tenant])
}

func (c *Calls) add(call string, l liveCall) {
	c.remove(call)
	c.live[call] = l
	of := c.tenants[l.tenant]
	if of == nil {
		of = map[string]struct{}{}
		c.tenants[l.tenant] = of
	}
	of[call] = struct{}{}
}

func (c *Calls) remove(call string) {
	l, known := c.live[call]
	if !known {
		return
	}
	delete(c.live, call)
	delete(c.tenants[l.tenant], call)
	if len(c.tenants[l.tenant]) == 0 {
		delete(c.tenants, l.tenant)
	}
}

// sweep forgets what is over, now and then.
func (c *Calls) sweep(now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = now
	for call, l := range c.live {
		if !l.tentative.IsZero() && l.tentative.Before(now) {
			c.remove(call)
		}
	}
	for call, at := range c.ended {
		if now.Sub(at) > endedFor {
			delete(c.ended, call)
		}
	}
}
