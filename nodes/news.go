package nodes

import (
	"context"
	"hash/maphash"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// News are what other calls can find a call by: its legs, whom they lead to, whether they are answered, parked or joined. This
// worker knows them with the step that changes them; the others a moment later, gathered.
const (
	gatherNews  = 50 * time.Millisecond
	maxToldNews = 8192 // calls that wait to be told; further ones are told by the next announcement
)

// earlyDialog names the SIP dialog of a leg (RFC 3261 12), as soon as there is one: what an INVITE with Replaces names it by.
type earlyDialog struct{ callID, local, remote string }

// learnEarly takes it from the leg's variables: a dialled one's has both tags when the far end rings.
func (s *shard) learnEarly(c *call, leg string, h headers) {
	d := earlyDialog{callID: h.Variable("sip_call_id"), local: h.Variable("sip_to_tag"), remote: h.Variable("sip_from_tag")}
	if h.Get("Call-Direction") == "outbound" {
		d.local, d.remote = d.remote, d.local
	}
	if d.callID == "" || c.early[leg] == d || len(d.callID) > messages.MaxURI || len(d.local) > messages.MaxName || len(d.remote) > messages.MaxName {
		return
	}
	if c.early == nil {
		c.early = map[string]earlyDialog{}
	}
	c.early[leg] = d
	s.tellNews(c)
}

// tellNews tells what has changed of a call's legs since it was told last.
func (s *shard) tellNews(c *call) {
	n := s.node
	if n.options.Live == nil || n.role.Load() != owning || c.late || c.state.Phase == "" || c.state.Phase == callflows.Ended {
		return
	}
	sum := s.sumNews(c)
	if sum == c.news {
		return
	}
	told, ok := s.tellCall(c, false)
	if !ok {
		return
	}
	c.news = sum
	t := &n.telling
	t.mu.Lock()
	message := n.newsOf(t.n.Add(1), []messages.NodeCall{told})
	if _, waits := t.news[told.Call]; waits || len(t.news) < maxToldNews {
		t.news[told.Call] = told
	}
	t.mu.Unlock()
	n.options.Live.NoteNews(message)
	select {
	case t.newsCame <- struct{}{}:
	default:
	}
}

// newsOf makes a message. Numbers are taken under the lock of what waits to be told, so that a later one is never older news.
func (n *Node) newsOf(number uint64, calls []messages.NodeCall) *messages.NodeNews {
	return &messages.NodeNews{Type: messages.NodeNewsV1, Node: n.options.Node.Name, Worker: n.options.Worker, Epoch: n.telling.epoch.Load(),
		N: number, At: time.Now().UTC(), Calls: calls}
}

// sumNews is a digest of what news tell of a call.
func (s *shard) sumNews(c *call) uint64 {
	var h maphash.Hash
	h.SetSeed(s.node.telling.seed)
	flag := func(set bool) {
		if set {
			_ = h.WriteByte('1')
		} else {
			_ = h.WriteByte('0')
		}
	}
	text := func(t string) { _, _ = h.WriteString(t); _ = h.WriteByte(0) }
	text(c.state.Slot)
	text(c.state.DrivenLeg())
	flag(c.state.Phase == callflows.Talking)
	flag(c.state.Recording.File != "" && c.state.Recording.Stop == 0)
	for _, l := range c.state.Legs {
		if l.HungUp || !l.Created {
			continue
		}
		text(l.ID)
		flag(l.Answered)
		flag(l.Bridged)
		if l.With != nil {
			text(l.With.Leg)
		}
		d := c.dialogNames(l.ID)
		text(d.callID)
		text(d.local)
		text(d.remote)
	}
	return h.Sum64()
}

// dialogNames is what names a leg's SIP dialog, as far as it is known. Workers that only route hold no whole dialogs.
func (c *call) dialogNames(leg string) earlyDialog {
	d := c.dialogs[leg]
	if !complete(d) {
		return c.early[leg]
	}
	names := earlyDialog{callID: d.CallID, local: tagOf(d.Local), remote: tagOf(d.Remote)}
	if len(names.callID) > messages.MaxURI || len(names.local) > messages.MaxName || len(names.remote) > messages.MaxName {
		return earlyDialog{}
	}
	return names
}

// tellFinding adds to a leg what another call can find it by.
func (c *call) tellFinding(told *messages.NodeLeg, l callflows.Leg) {
	driven := c.state.DrivenLeg()
	if l.ID == driven {
		told.Parked = text(c.state.Slot, messages.MaxName)
	}
	switch {
	case l.With != nil:
		told.With = text(l.With.Leg, messages.MaxName)
	case c.state.Phase != callflows.Talking:
	case l.ID != driven && l.Bridged:
		told.With = driven
	case l.ID == driven:
		for _, other := range c.state.Legs {
			if other.ID != driven && other.Bridged && !other.HungUp && other.With == nil {
				told.With = other.ID
			}
		}
	}
	d := c.dialogNames(l.ID)
	told.CallID, told.LocalTag, told.RemoteTag = d.callID, d.local, d.remote
}

// tellAllNews tells the other workers what is new, gathered for a moment, until ctx ends.
func (n *Node) tellAllNews(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.telling.newsCame:
		}
		if !pause(ctx, gatherNews) {
			return
		}
		t := &n.telling
		t.mu.Lock()
		news, number := t.news, t.n.Add(1)
		t.news = map[string]messages.NodeCall{}
		t.mu.Unlock()
		all := make([]messages.NodeCall, 0, len(news))
		for _, c := range news {
			all = append(all, c)
		}
		for some := range slices.Chunk(all, callsPerPart) {
			if !n.speaks() {
				break
			}
			n.options.Live.AnnounceNews(n.newsOf(number, some))
		}
	}
}
