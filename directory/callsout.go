package directory

import (
	"sync"
	"time"

	"tandem/callflows"
)

// CallsOut are the calls that are out by trunks, as this worker's nodes tell of them: limits of trunks and of calling out are
// held against them. The zero value is empty and ready.
//
// A worker counts the calls of the nodes that it owns. Two workers each let a trunk's whole limit through.
type CallsOut struct {
	mu      sync.Mutex
	calls   map[string]outCall // by call id
	trunks  map[string]*pace
	tenants map[string]*pace
}

type outCall struct{ tenant, trunk string }

// pace is how many calls are out by one trunk or of one tenant, and when the last of them began.
type pace struct {
	calls int
	begun []time.Time // within the last second, oldest first
}

// maxBegunOut bounds what is remembered of one second: no limit that may be configured is near it.
const maxBegunOut = 10_000

// Out says by which trunk a call is out from now on; "" is by none.
func (c *CallsOut) Out(call, tenant, trunk string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls, c.trunks, c.tenants = map[string]outCall{}, map[string]*pace{}, map[string]*pace{}
	}
	had, was := c.calls[call]
	if was {
		release(c.trunks, had.trunk, now)
		release(c.tenants, had.tenant, now)
		delete(c.calls, call)
	}
	if trunk == "" {
		return
	}
	c.calls[call] = outCall{tenant, trunk}
	take(c.trunks, trunk, now)
	take(c.tenants, tenant, now)
}

func take(all map[string]*pace, id string, now time.Time) {
	p := all[id]
	if p == nil {
		p = &pace{}
		all[id] = p
	}
	p.calls++
	p.forget(now)
	if len(p.begun) < maxBegunOut {
		p.begun = append(p.begun, now)
	}
}

func release(all map[string]*pace, id string, now time.Time) {
	p := all[id]
	if p == nil {
		return
	}
	p.calls--
	if p.forget(now); p.calls <= 0 && len(p.begun) == 0 {
		delete(all, id)
	}
}

// forget drops what began more than a second ago.
func (p *pace) forget(now time.Time) {
	n := 0
	for n < len(p.begun) && now.Sub(p.begun[n]) >= time.Second {
		n++
	}
	p.begun = p.begun[n:]
}

func count(all map[string]*pace, id string, own bool, now time.Time) callflows.Count {
	p := all[id]
	if p == nil {
		return callflows.Count{}
	}
	p.forget(now)
	n := p.calls
	if own {
		n--
	}
	return callflows.Count{Calls: n, LastSecond: len(p.begun)}
}

// Count says how many calls of a tenant and by each of these trunks are out now, without the one that asks, and how many were
// begun within the last second.
func (c *CallsOut) Count(call, tenant string, trunks []string, now time.Time) callflows.Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	had := c.calls[call]
	out := callflows.Counts{Tenant: count(c.tenants, tenant, had.tenant == tenant && had.trunk != "", now), Trunks: map[string]callflows.Count{}}
	for _, id := range trunks {
		out.Trunks[id] = count(c.trunks, id, had.trunk == id, now)
	}
	return out
}

// Sweep forgets trunks and tenants that have no call out.
func (c *CallsOut) Sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, all := range []map[string]*pace{c.trunks, c.tenants} {
		for id, p := range all {
			if p.forget(now); p.calls <= 0 && len(p.begun) == 0 {
				delete(all, id)
			}
		}
	}
}
