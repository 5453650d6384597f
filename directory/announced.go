package directory

import (
	"time"

	"tandem/messages"
)

// Announce takes one part of what a node's owner says of its calls; now is when it came. Calls of the part that it does not
// list are over, but for those of which there is newer word and those that are only decided. It mends what lost events have
// left.
func (c *Calls) Announce(m *messages.NodeCalls, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(now.Add(-TombstoneFor))
	node := c.node(m.Node)
	if !node.takeWord(m, now) {
		return
	}
	told, listed := word{m.Epoch, m.N}, make(map[string]bool, len(m.Calls))
	for i := range m.Calls {
		listed[m.Calls[i].Call] = true
		c.list(m, &m.Calls[i], now)
	}
	for id, had := range node.calls {
		if listed[id] || messages.PartOf(id, m.Of) != m.Part || had.told.after(told) {
			continue
		}
		if had.told == (word{}) && now.Sub(had.heard) < lateNews {
			continue
		}
		c.remove(id)
		c.bury(id, grave{at: now, missing: told})
	}
}

// News takes what a node's owner says of single calls; now is when it came.
func (c *Calls) News(m *messages.NodeNews, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	word := messages.NodeCalls{Node: m.Node, Worker: m.Worker, Epoch: m.Epoch, N: m.N, At: m.At, Of: 1}
	node := c.node(m.Node)
	if word.Epoch < node.epoch && word.Worker != node.worker && !node.uncertain(now) {
		return // of an owner that was replaced
	}
	for i := range m.Calls {
		c.list(&word, &m.Calls[i], now)
	}
}

// lateNews is how long a call without a number is kept beside an announcement that lacks it: it may be news.
const lateNews = 5 * time.Second

// takeWord notes who speaks for the node. A worker that was replaced is not heard, as long as its successor is: epochs grow,
// but they begin anew with an engine that is started anew when no worker remembers them.
func (n *nodeCalls) takeWord(m *messages.NodeCalls, now time.Time) bool {
	if m.Epoch < n.epoch {
		if m.Worker != n.worker && !n.uncertain(now) {
			return false
		}
		for _, had := range n.calls {
			had.told, had.listed, had.heard = word{}, word{}, time.Time{}
		}
	}
	n.worker, n.epoch, n.heard = m.Worker, m.Epoch, now
	n.covered.add(m)
	return true
}

// list makes a call live that its node's owner lists.
func (c *Calls) list(m *messages.NodeCalls, entry *messages.NodeCall, now time.Time) {
	told := word{m.Epoch, m.N}
	if c.over(entry.Call, told) {
		return
	}
	seen := &call{live: LiveCall{Call: entry.Call}, at: m.At}
	if had := c.calls[entry.Call]; had != nil {
		if had.live.Node != "" && had.live.Node != m.Node && now.Sub(had.heard) < movedFor {
			return // it was moved from here, or is listed there
		}
		*seen = *had
		seen.legs = had.legs[:len(had.legs):len(had.legs)]
	}
	if told.after(seen.told) {
		seen.told = told
	}
	seen.heard = now
	live := &seen.live
	live.Tenant, live.Node, live.Worker, live.From, live.To = entry.Tenant, m.Node, m.Worker, entry.From, entry.To
	if !entry.StartedAt.IsZero() {
		live.StartedAt = entry.StartedAt
	}
	if !entry.AnsweredAt.IsZero() {
		live.AnsweredAt = entry.AnsweredAt
	}
	live.State = messages.CallStarted
	if !live.AnsweredAt.IsZero() {
		live.State = messages.CallAnswered
	}
	if !seen.listed.after(told) {
		live.Flow, live.Element, live.Phase, live.Waits, live.Recorded = entry.Flow, entry.Element, entry.Phase, entry.Waits, entry.Recorded
		seen.listed, seen.legs = told, c.listLegs(m.Node, entry, seen.legs)
	}
	c.replace(seen)
}

// Heard takes the word of a node's owner that the node is there; now is when it came.
func (c *Calls) Heard(m *messages.NodeEvent, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.State != messages.NodeDown {
		c.node(m.Node).heard = now
	}
}

// Announced says whether a node's calls were announced as a whole, once.
func (c *Calls) Announced(node string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.nodes[node]
	return n != nil && n.covered.whole
}

// uncertain says whether nobody has spoken for the node for long.
func (n *nodeCalls) uncertain(now time.Time) bool { return now.Sub(n.heard) > UncertainAfter }

// coverage counts the parts of one announcement.
type coverage struct {
	of    word
	share float64 // of all calls
	whole bool
}

func (v *coverage) add(m *messages.NodeCalls) {
	if told := (word{m.Epoch, m.N}); told != v.of {
		v.of, v.share = told, 0
	}
	const almost = 1 - 1e-9 // thirds do not add up to a whole
	v.share += 1 / float64(m.Of)
	v.whole = v.whole || v.share >= almost
}
