package directory

import (
	"slices"
	"sync"
	"time"

	"tandem/messages"
)

// Calls are the live calls of all tenants, and the dialogs of their answered legs.
//
//	Tentative ---> decided --started, answered, announced--> live --ended--------> tombstone ---> forgotten
//	                  |                                       |  '-not announced-> tombstone, until newer word of it
//	                  '--- TentativeFor ---> forgotten        '--- nobody speaks for its node: uncertain ---> forgotten
//
// The owner of a node is the authority on its calls. Each event carries the owner's epoch and number, and each
// announcement the number of the last event before it: so it is known which of the two is news, in whatever order they come.
//
// The zero value is empty and ready.
type Calls struct {
	// Above names the tenants above a tenant, to whose calls its calls are counted, too; nil: there are none. It is set before the first
	// call, and is called while c is locked.
	Above func(tenant string) []string

	mu      sync.Mutex
	calls   map[string]*call
	tenants map[string]*tally
	nodes   map[string]*nodeCalls
	ended   map[string]grave
	graves  []buried                          // of ended, in order of arrival
	lacking map[string]lackedBy               // by leg: dialogs that were announced and have not come
	dialogs int                               // that are held
	slots   map[string]map[string]reservation // by tenant and slot
}

type call struct {
	above  []string  // tenants to whose calls it counts besides its own
	live   LiveCall  // without its legs; Node is empty while the call is only decided
	legs   []liveLeg // as announced
	told   word      // the newest on the call
	listed word      // the announcement that legs are from
	at     time.Time // of the decision, or of the newest event by its sender's clock
	heard  time.Time // when anything was last said of it, by our clock
}

// word puts what a node's owners say into order: by epoch, then by the owner's own number. A release that had neither says
// the zero word.
type word struct{ epoch, n uint64 }

func (s word) after(other word) bool {
	return s.epoch > other.epoch || s.epoch == other.epoch && s.n > other.n
}

// tally is a tenant's calls. It knows those that are only decided, oldest first, so that they expire in passing.
type tally struct {
	calls   map[string]*call
	byNode  map[string]int // "": decided
	below   map[string]int // those of tenants below it, in the same way
	decided []decision     // by tenants below it, too
}

type decision struct {
	call string
	at   time.Time
}

// nodeCalls are those seen on one node, and what is known of who speaks for it.
type nodeCalls struct {
	calls   map[string]*call
	worker  string // the owner who announced last
	epoch   uint64 // and its epoch
	heard   time.Time
	covered coverage
}

// grave remembers that a call is over. One that its owner's announcement lacked is not final: newer word opens it.
type grave struct {
	at      time.Time
	final   bool // its end was told
	missing word // of the announcement that lacked it
}

type buried struct {
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
	c.add(&call{live: LiveCall{Call: id, Tenant: tenant}, at: at, heard: at})
	c.tenants[tenant].decided = append(c.tenants[tenant].decided, decision{id, at})
	for _, above := range c.calls[id].above {
		c.expire(above, at)
		if t := c.tenants[above]; t != nil { // the call itself is there, unless it has just expired
			t.decided = append(t.decided, decision{id, at})
		}
	}
}

// Apply takes a valid call event into account; now is when it came. Events are ordered by their owner's numbers, or their
// own time where there are none; what is remembered lasts by our clock: a node's wrong one must not make it last for ever.
func (c *Calls) Apply(m *messages.CallEvent, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now.Add(-TombstoneFor))
	c.node(m.Node).heard = now
	if c.over(m.Call, word{m.Epoch, m.N}) {
		return
	}
	switch m.State {
	case messages.CallEnded:
		c.remove(m.Call)
		c.bury(m.Call, grave{at: now, final: true})
	case messages.CallStarted, messages.CallAnswered:
		c.see(m, now)
	}
}

// see makes a call live on its node. A later event for another node means that the call was moved.
func (c *Calls) see(m *messages.CallEvent, now time.Time) {
	told, had := word{m.Epoch, m.N}, c.calls[m.Call]
	if had != nil && had.live.Node != "" {
		numbered := had.live.Node == m.Node && told != word{} && had.told != word{}
		if numbered && !told.after(had.told) || !numbered && m.At.Before(had.at) {
			return
		}
	}
	seen := &call{live: LiveCall{Call: m.Call, State: m.State}}
	if had != nil {
		*seen = *had
	}
	seen.live.Tenant, seen.live.Node, seen.live.From, seen.live.To = m.Tenant, m.Node, m.From, m.To
	seen.told, seen.at, seen.heard = told, m.At, now
	switch {
	case m.State == messages.CallAnswered:
		seen.live.State, seen.live.AnsweredAt = m.State, m.At
	case seen.live.State == "":
		seen.live.State, seen.live.StartedAt = m.State, m.At
	default:
		seen.live.StartedAt = m.At
	}
	c.replace(seen)
}

// over says whether a call has ended, as far as this word can know. Word of a call that was only missing from
// an older announcement opens its grave.
func (c *Calls) over(id string, told word) bool {
	g, ended := c.ended[id]
	if ended && !g.final && told.after(g.missing) {
		delete(c.ended, id)
		return false
	}
	return ended
}

// replace puts a call in the place of what was known of it.
func (c *Calls) replace(seen *call) {
	if had := c.calls[seen.live.Call]; had != nil {
		if had.live.Tenant == seen.live.Tenant && had.live.Node == seen.live.Node {
			seen.above = had.above
			*had = *seen
			return
		}
		c.detach(had)
	}
	c.add(seen)
}

func (c *Calls) add(added *call) {
	if c.calls == nil {
		c.calls, c.tenants = map[string]*call{}, map[string]*tally{}
	}
	id := added.live.Call
	c.calls[id] = added
	t := c.tally(added.live.Tenant)
	t.calls[id] = added
	t.byNode[added.live.Node]++
	added.above = c.tenantsAbove(added.live.Tenant)
	for _, above := range added.above {
		c.tally(above).below[added.live.Node]++
	}
	if added.live.Node != "" {
		c.node(added.live.Node).calls[id] = added
	}
}

// tally gives a tenant's calls.
func (c *Calls) tally(tenant string) *tally {
	t := c.tenants[tenant]
	if t == nil {
		t = &tally{calls: map[string]*call{}, byNode: map[string]int{}, below: map[string]int{}}
		c.tenants[tenant] = t
	}
	return t
}

func (c *Calls) tenantsAbove(tenant string) []string {
	if c.Above == nil || tenant == "" {
		return nil
	}
	return c.Above(tenant)
}

// drop forgets a tenant without calls: its decisions are of calls that are gone.
func (c *Calls) drop(tenant string) {
	if t := c.tenants[tenant]; t != nil && len(t.calls) == 0 && len(t.below) == 0 {
		delete(c.tenants, tenant)
	}
}

// less counts one less.
func less(counts map[string]int, node string) {
	if counts[node]--; counts[node] == 0 {
		delete(counts, node)
	}
}

// node gives what is known of a node's calls.
func (c *Calls) node(name string) *nodeCalls {
	n := c.nodes[name]
	if n == nil {
		if c.nodes == nil {
			c.nodes = map[string]*nodeCalls{}
		}
		n = &nodeCalls{calls: map[string]*call{}}
		c.nodes[name] = n
	}
	return n
}

func (c *Calls) remove(id string) {
	had := c.calls[id]
	if had == nil {
		return
	}
	for _, l := range had.legs {
		c.dropLeg(l)
	}
	c.detach(had)
}

// detach takes a call out of the maps, and leaves what it says of its legs.
func (c *Calls) detach(had *call) {
	id, node := had.live.Call, had.live.Node
	delete(c.calls, id)
	t := c.tenants[had.live.Tenant]
	delete(t.calls, id)
	less(t.byNode, node)
	c.drop(had.live.Tenant)
	for _, above := range had.above {
		less(c.tenants[above].below, node)
		c.drop(above)
	}
	if node != "" {
		delete(c.nodes[node].calls, id)
	}
}

func (c *Calls) bury(id string, g grave) {
	if c.ended == nil {
		c.ended = map[string]grave{}
	}
	c.ended[id] = g
	c.graves = append(c.graves, buried{id, g.at})
}

// forget removes the tombstones of before the horizon.
func (c *Calls) forget(horizon time.Time) {
	n := 0
	for n < len(c.graves) && c.graves[n].at.Before(horizon) {
		b := c.graves[n]
		if c.ended[b.call].at.Equal(b.at) { // and was not opened and closed again
			delete(c.ended, b.call)
		}
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
		if had := c.calls[d.call]; had != nil && had.live.Node == "" && had.at.Equal(d.at) {
			c.remove(d.call)
		}
	}
	t.decided = t.decided[n:]
}

// CountTenant is the number of calls of a tenant and of all below it, decided ones included and uncertain ones left out: nobody is refused for
// a call that may be over.
func (c *Calls) CountTenant(tenant string, now time.Time) int { return c.CountOthers(tenant, "", now) }

// CountOthers is CountTenant without a call that is asked about, however often that is.
func (c *Calls) CountOthers(tenant, but string, now time.Time) (calls int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expire(tenant, now)
	t := c.tenants[tenant]
	if t == nil {
		return 0
	}
	counts := func(node string) bool { return node == "" || !c.nodes[node].uncertain(now) }
	for _, some := range []map[string]int{t.byNode, t.below} {
		for node, n := range some {
			if counts(node) {
				calls += n
			}
		}
	}
	if had := c.calls[but]; had != nil && (had.live.Tenant == tenant || slices.Contains(had.above, tenant)) && counts(had.live.Node) {
		calls--
	}
	return calls
}

// CountNode is the number of calls seen on a node.
func (c *Calls) CountNode(node string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes[node]; n != nil {
		return len(n.calls)
	}
	return 0
}

// regroup counts live calls for those who are above their tenants now: tenants are moved, and a call may have come before its tenant
// was known.
func (c *Calls) regroup() {
	if c.Above == nil {
		return
	}
	for _, had := range c.calls {
		if had.live.Node != "" && !slices.Equal(had.above, c.tenantsAbove(had.live.Tenant)) {
			c.detach(had)
			c.add(had)
		}
	}
}

// Sweep forgets calls beyond MaxCallAge, those of nodes that nobody has spoken for since CallsForgottenAfter, decided ones
// that never came, and old tombstones. Calling it every minute or so keeps memory in bounds.
func (c *Calls) Sweep(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, had := range c.calls {
		if had.heard.Before(now.Add(-MaxCallAge)) {
			c.remove(id)
		}
	}
	for name, n := range c.nodes {
		if now.Sub(n.heard) < CallsForgottenAfter {
			continue
		}
		for id := range n.calls {
			c.remove(id)
		}
		delete(c.nodes, name)
	}
	for tenant := range c.tenants {
		c.expire(tenant, now)
	}
	c.regroup()
	c.forget(now.Add(-TombstoneFor))
}
