package directory

import (
	"sync"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// CallsOut are the calls that are out by trunks: limits of trunks and of calling out are held against them. The zero value is
// empty and ready.
//
// Of the nodes that this worker owns it knows at once (Out). Of the others it is told by their owners, as it happens (Elsewhere)
// and regularly (Listed), so that workers share a limit. Two of them that each let a call out before they have heard of the
// other's, within some milliseconds, may pass it by one call each.
type CallsOut struct {
	mu      sync.Mutex
	calls   map[string]outCall // by call id
	trunks  map[string]*pace
	tenants map[string]*pace
}

type outCall struct {
	tenant, trunk string
	node          string    // of another worker's; empty: of this worker's
	heard         time.Time // when its owner last told of it
}

// Bounds of what is told of other workers' nodes.
const (
	outNews    = 5 * time.Second // within which an event counts for more than a list
	outUnheard = 2 * time.Minute // after which a call that nobody has told of again is forgotten
)

// pace is how many calls are out by one trunk or of one tenant, and when the last of them began.
type pace struct {
	calls int
	begun []time.Time // within the last second, oldest first
}

// maxBegunOut bounds what is remembered of one second: no limit that may be configured is near it.
const maxBegunOut = 10_000

// Out says by which trunk a call of this worker's own nodes is out from now on; "" is by none.
func (c *CallsOut) Out(call, tenant, trunk string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(call, outCall{tenant: tenant, trunk: trunk}, now)
}

// Elsewhere says it of a call of another worker's node.
func (c *CallsOut) Elsewhere(call, tenant, trunk, node string, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(call, outCall{tenant: tenant, trunk: trunk, node: node, heard: now}, now)
}

// Listed takes a part of what the owner of another node tells of its calls: calls of the part that are not among those that are
// out are out no more, unless there is newer word. now is when it came.
func (c *CallsOut) Listed(m *messages.NodeCalls, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]bool{}
	for i := range m.Calls {
		entry := &m.Calls[i]
		trunk := outBy(entry)
		had, known := c.calls[entry.Call]
		if trunk == "" || known && had.node == m.Node && now.Sub(had.heard) < outNews {
			continue
		}
		out[entry.Call] = true
		if known && had.trunk == trunk {
			had.node, had.heard = m.Node, now
			c.calls[entry.Call] = had
			continue
		}
		c.set(entry.Call, outCall{tenant: entry.Tenant, trunk: trunk, node: m.Node, heard: now}, now)
	}
	for id, had := range c.calls {
		if had.node == m.Node && messages.PartOf(id, m.Of) == m.Part && !out[id] && now.Sub(had.heard) >= outNews {
			c.set(id, outCall{}, now)
		}
	}
}

// outBy is the trunk that a listed call is out by, or "".
func outBy(m *messages.NodeCall) (trunk string) {
	for _, l := range m.Legs {
		if l.Role == messages.RoleCallee && l.Trunk != "" && m.Flow != callflows.EmergencyFlow {
			trunk = l.Trunk
		}
	}
	return trunk
}

// set puts a call in place of what was known of it; one by no trunk is forgotten.
func (c *CallsOut) set(call string, is outCall, now time.Time) {
	if c.calls == nil {
		c.calls, c.trunks, c.tenants = map[string]outCall{}, map[string]*pace{}, map[string]*pace{}
	}
	had, was := c.calls[call]
	if was && had.tenant == is.tenant && had.trunk == is.trunk { // told once more
		c.calls[call] = is
		return
	}
	if was {
		release(c.trunks, had.trunk, now)
		release(c.tenants, had.tenant, now)
		delete(c.calls, call)
	}
	if is.trunk == "" {
		return
	}
	c.calls[call] = is
	take(c.trunks, is.trunk, now)
	take(c.tenants, is.tenant, now)
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

// Sweep forgets trunks and tenants that have no call out, and calls that nobody has told of for long.
func (c *CallsOut) Sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, had := range c.calls {
		if had.node != "" && now.Sub(had.heard) > outUnheard {
			c.set(id, outCall{}, now)
		}
	}
	for _, all := range []map[string]*pace{c.trunks, c.tenants} {
		for id, p := range all {
			if p.forget(now); p.calls <= 0 && len(p.begun) == 0 {
				delete(all, id)
			}
		}
	}
}
