package directory

import (
	"sync"
	"time"

	"tandem/messages"
)

// Calls are the live calls of all tenants.
//
//	Tentative ---> decided --started, answered--> live --ended--> tombstone ---> forgotten
//	                  |  '------------ended------------------------^  (TombstoneFor)
//	                  '--- TentativeFor ---> forgotten
//
// The zero value is empty and ready.
type Calls struct {
	mu      sync.Mutex
	calls   map[string]*call
	tenants map[string]*tally
	nodes   map[string]int
	ended   map[string]time.Time
	graves  []grave // of ended, in order of arrival
}

type call struct {
	tenant, node string    // node is empty while the call is only decided
	at           time.Time // of the decision, or of the newest event by its sender's clock
	heard        time.Time // when that was, by our clock

	from, to              string
	state                 messages.CallState
	startedAt, answeredAt time.Time
}

// tally counts a tenant's calls, and knows those that are only decided, oldest first, so that they expire in passing.
type tally struct {
	calls   int
	decided []decision
}

type decision struct {
	call string
	at   time.Time
}

type grave struct {
	call string
	at   time.Time
}

// Tentative counts a call that has been decided at that time and not been seen on a node yet, for TentativeFor. A call
// that is known, or has ended, is left as it is.
func (c *Calls) Tentative(id, tenant string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ended := c.ended[id]; ended || c.calls[id] != nil {
		return
	}
	c.expire(tenant, at)
	c.add(id, &call{tenant: tenant, at: at, heard: at})
	t := c.tenants[tenant]
	t.decided = append(t.decided, decision{id, at})
}

// Apply takes a valid call event into account; now is when it came. Events are ordered by their own time, what is
// remembered lasts by ours: a node's wrong clock must not make it last for ever.
func (c *Calls) Apply(m *messages.CallEvent, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now.Add(-TombstoneFor))
	if _, ended := c.ended[m.Call]; ended {
		return
	}
	switch m.State {
	case messages.CallEnded:
		c.remove(m.Call)
		c.bury(m.Call, now)
	case messages.CallStarted, messages.CallAnswered:
		c.see(m, now)
	}
}

// see makes a call live on its node. A later event for another node means that the call was moved.
func (c *Calls) see(m *messages.CallEvent, now time.Time) {
	had := c.calls[m.Call]
	if had != nil && had.node != "" && m.At.Before(had.at) {
		return
	}
	seen := &call{tenant: m.Tenant, node: m.Node, at: m.At, heard: now, from: m.From, to: m.To, state: m.State}
	if had != nil {
		seen.startedAt, seen.answeredAt = had.startedAt, had.answeredAt
		if had.state == messages.CallAnswered {
			seen.state = had.state
		}
	}
	if m.State == messages.CallAnswered {
		seen.answeredAt = m.At
	} else {
		seen.startedAt = m.At
	}
	c.remove(m.Call)
	c.add(m.Call, seen)
}

func (c *Calls) add(id string, added *call) {
	if c.calls == nil {
		c.calls, c.tenants, c.nodes = map[string]*call{}, map[string]*tally{}, map[string]int{}
	}
	c.calls[id] = added
	t := c.tenants[added.tenant]
	if t == nil {
		t = &tally{}
		c.tenants[added.tenant] = t
	}
	t.calls++
	if added.node != "" {
		c.nodes[added.node]++
	}
}

func (c *Calls) remove(id string) {
	had := c.calls[id]
	if had == nil {
		return
	}
	delete(c.calls, id)
	t := c.tenants[had.tenant]
	if t.calls--; t.calls == 0 {
		delete(c.tenants, had.tenant) // its decisions are of calls that are gone
	}
	if had.node == "" {
		return
	}
	if c.nodes[had.node]--; c.nodes[had.node] == 0 {
		delete(c.nodes, had.node)
	}
}

func (c *Calls) bury(id string, at time.Time) {
	if c.ended == nil {
		c.ended = map[string]time.Time{}
	}
	c.ended[id] = at
	c.graves = append(c.graves, grave{id, at})
}

// forget removes the tombstones of before the horizon.
func (c *Calls) forget(horizon time.Time) {
	n := 0
	for n < len(c.graves) && c.graves[n].at.Before(horizon) {
		delete(c.ended, c.graves[n].call)
		n++
	}
	c.graves = c.graves[n:]
}

// expire ends a tenant's decided calls that were never seen on a node.
func (c *Calls) expire(tenant string, now time.Time) {
	t := c.tenants[tenant]
	if t == nil {
		return
	}
	n := 0
	for n < len(t.decided) && !now.Before(t.decided[n].at.Add(TentativeFor)) {
		d := t.decided[n]
		n++
		if had := c.calls[d.call]; had != nil && had.node == "" && had.at.Equal(d.at) {
			c.remove(d.call)
		}
	}
	t.decided = t.decided[n:]
}

// CountTenant is the number of a tenant's calls, decided ones included.
func (c *Calls) CountTenant(tenant string, now time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(tenant, now)
	if t := c.tenants[tenant]; t != nil {
		return t.calls
	}
	return 0
}

// CountNode is the number of calls seen on a node.
func (c *Calls) CountNode(node string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nodes[node]
}

// Keep is the word of a node's owner on all calls that are live there at that time, by the owner's clock: others that were
// seen on the node before are gone. It mends what lost events have left. now is when it came.
func (c *Calls) Keep(node string, live []string, at, now time.Time) {
	there := make(map[string]bool, len(live))
	for _, id := range live {
		there[id] = true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, had := range c.calls {
		if had.node == node && !there[id] && had.at.Before(at) {
			c.remove(id)
			c.bury(id, now)
		}
	}
}

// Sweep forgets calls beyond MaxCallAge, decided ones that never came, and old tombstones. Calling it every minute or so
// keeps memory in bounds.
func (c *Calls) Sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, had := range c.calls {
		if had.heard.Before(now.Add(-MaxCallAge)) {
			c.remove(id)
		}
	}
	for tenant := range c.tenants {
		c.expire(tenant, now)
	}
	c.forget(now.Add(-TombstoneFor))
}
