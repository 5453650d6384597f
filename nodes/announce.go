package nodes

import (
	"context"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tandem/callflows"
	"tandem/messages"
)

// LiveAnnouncer tells all workers which calls are live on a node, and the dialogs of their answered legs. An error says that
// a part was not sent: all calls are announced again. A dialog that was not sent is dropped: who lacks it asks.
type LiveAnnouncer interface {
	AnnounceCalls(*messages.NodeCalls) error
	AnnounceDialogs(*messages.NodeDialogs)
	// NoteNews lets this worker alone know, at once; AnnounceNews tells the others.
	NoteNews(*messages.NodeNews)
	AnnounceNews(*messages.NodeNews)
}

// The owner of a node is the authority on its calls:
//
//	event ─► step ─► call.event.v1 {epoch, n}                                          at once
//	taking the node, being asked, every announceCallsEvery ─► node.calls.v1 {epoch, n}   all calls, in parts
//	answered leg, its dialog changed, being asked ─► node.dialogs.v1                     gathered for gatherDialogs
//
// A part names all calls of its share, and the number of the last event before the owner began to look, so that each part
// is taken by itself and events may come before or after it. All of this is written by a goroutine of its own: a step waits
// for none of it.
const (
	announceCallsEvery = 30 * time.Second
	askedPause         = time.Second // between two announcements, however many ask
	announceAgain      = time.Second // after that, when the last could not be sent
	callsPerPart       = 100         // about 70 kB
	partPause          = 5 * time.Millisecond
	lookedAtOnce       = 64 // calls that are read under one hold of a shard's lock
	gatherDialogs      = 50 * time.Millisecond
	maxToldDialogs     = 8192 // that wait to be told; further ones are asked for
)

// telling is what waits to be told to the other workers.
type telling struct {
	n     atomic.Uint64 // number of the last call event
	epoch atomic.Uint64 // of this worker's ownership
	calls chan struct{} // one token: all calls are to be announced

	mu      sync.Mutex
	dialogs map[string]*messages.Dialog // by leg
	changed chan struct{}               // one token: there are some

	news     map[string]messages.NodeCall // by call
	newsCame chan struct{}                // one token: there are some
	seed     maphash.Seed                 // of the digests of news
}

// init prepares it. The first event is number 2, so that an announcement before it has a number too.
func (t *telling) init() {
	t.n.Store(1)
	t.calls, t.changed, t.dialogs = make(chan struct{}, 1), make(chan struct{}, 1), map[string]*messages.Dialog{}
	t.news, t.newsCame, t.seed = map[string]messages.NodeCall{}, make(chan struct{}, 1), maphash.MakeSeed()
}

// soon has all calls announced.
func (t *telling) soon() {
	select {
	case t.calls <- struct{}{}:
	default:
	}
}

// dialog has a dialog told.
func (t *telling) dialog(d *messages.Dialog) {
	t.mu.Lock()
	if t.dialogs[d.Leg] != nil || len(t.dialogs) < maxToldDialogs {
		t.dialogs[d.Leg] = d
	}
	t.mu.Unlock()
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// Ask answers another worker's question, if this one owns the node: all live calls when no legs are named, and the dialogs
// of the legs otherwise.
func (n *Node) Ask(legs []string) {
	if n.options.Live == nil || !n.speaks() {
		return
	}
	if len(legs) == 0 {
		n.telling.soon()
		return
	}
	for _, leg := range legs {
		s := n.shardOf(leg)
		s.mu.Lock()
		if c := s.calls[leg]; c != nil && complete(c.dialogs[leg]) {
			n.telling.dialog(c.dialogs[leg])
		}
		s.mu.Unlock()
	}
}

// tell announces until ctx ends.
func (n *Node) tell(ctx context.Context) {
	const jitter = 0.2
	every := func() time.Duration {
		return time.Duration((1 - jitter + 2*jitter*rand.Float64()) * float64(announceCallsEvery))
	}
	timer := time.NewTimer(every())
	defer timer.Stop()
	n.started.Go(func() { n.tellDialogs(ctx) })
	n.started.Go(func() { n.tellAllNews(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-n.telling.calls:
		}
		n.Announce()
		timer.Reset(every())
		if n.announceCalls(ctx) != nil {
			timer.Reset(announceAgain)
		}
		if !pause(ctx, askedPause) {
			return
		}
	}
}

// announceCalls tells all live calls, unless this worker has no certain picture of them at the moment.
func (n *Node) announceCalls(ctx context.Context) error {
	now := messages.NodeCalls{Type: messages.NodeCallsV1, Node: n.options.Node.Name, Worker: n.options.Worker,
		Epoch: n.telling.epoch.Load(), N: n.telling.n.Load(), At: time.Now().UTC()}
	var all []messages.NodeCall
	for _, s := range n.shards {
		calls, sure := s.liveCalls(now.Epoch)
		if !sure {
			return nil
		}
		all = append(all, calls...)
	}
	parts := make([]messages.NodeCalls, 1+len(all)/callsPerPart)
	for i := range parts {
		parts[i] = now
		parts[i].Part, parts[i].Of, parts[i].Calls = i, len(parts), []messages.NodeCall{}
	}
	for _, c := range all {
		part := &parts[messages.PartOf(c.Call, len(parts))]
		part.Calls = append(part.Calls, c)
	}
	for i := range parts {
		if i > 0 && !pause(ctx, partPause) || !n.speaks() {
			return nil
		}
		if err := n.options.Live.AnnounceCalls(&parts[i]); err != nil {
			return err
		}
	}
	return nil
}

// liveCalls gives the shard's live calls. It is not sure while this worker is not the owner with this epoch, or may have
// missed events. Answered legs whose dialogs are not known are looked at.
func (s *shard) liveCalls(epoch uint64) (all []messages.NodeCall, sure bool) {
	for legs := s.callers(); ; {
		var few []string
		few, legs = legs[:min(lookedAtOnce, len(legs))], legs[min(lookedAtOnce, len(legs)):]
		s.mu.Lock()
		sure = !s.unsure && s.node.role.Load() == owning && s.node.telling.epoch.Load() == epoch
		for _, leg := range few {
			if c := s.calls[leg]; c != nil && c.state.Phase != callflows.Ended {
				if told, ok := s.tellCall(c, true); ok {
					all = append(all, told)
				}
			}
		}
		s.mu.Unlock()
		if !sure || len(legs) == 0 {
			return all, sure
		}
	}
}

// callers are the callers' legs of the shard's calls.
func (s *shard) callers() (legs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for leg, c := range s.calls {
		if leg == c.state.Call.Leg {
			legs = append(legs, leg)
		}
	}
	return legs
}

// tellCall is a call as the other workers are told of it. It is false for one that no message can carry. With look, dialogs that
// should be known by now and are not are asked for.
func (s *shard) tellCall(c *call, look bool) (messages.NodeCall, bool) {
	facts, state := &c.state.Call, &c.state
	flow := state.FlowID
	if flow == "" {
		flow = facts.FlowID
	}
	told := messages.NodeCall{Call: facts.ID, Tenant: facts.Tenant, From: text(facts.Caller.Number, messages.MaxURI), To: text(facts.Dialled, messages.MaxURI),
		Flow: text(flow, messages.MaxName), Element: text(state.Element, messages.MaxName), Phase: string(state.Phase), StartedAt: facts.StartedAt, Waits: string(state.Move.Waits),
		Recorded: state.Recording.File != "" && state.Recording.Stop == 0}
	for _, l := range state.Legs {
		if l.HungUp {
			delete(c.dialogs, l.ID)
		}
		if l.HungUp || !l.Created && c.dialogs[l.ID] == nil || len(told.Legs) == messages.MaxCallLegs {
			continue
		}
		leg := s.tellLeg(c, l, look)
		if told.Legs = append(told.Legs, leg); l.ID == state.DrivenLeg() {
			told.AnsweredAt = leg.AnsweredAt
		}
	}
	named := func(id string) bool { return id != "" && id == text(id, messages.MaxName) }
	return told, named(told.Call) && named(told.Tenant) && !slices.ContainsFunc(told.Legs, func(l messages.NodeLeg) bool { return !named(l.ID) })
}

func (s *shard) tellLeg(c *call, l callflows.Leg, look bool) messages.NodeLeg {
	told := messages.NodeLeg{ID: l.ID, Role: l.Role, Device: text(l.Device, messages.MaxName), Trunk: text(l.Trunk, messages.MaxName), AnsweredAt: l.AnsweredAt}
	c.tellFinding(&told, l)
	d := c.dialogs[l.ID]
	if told.AnsweredAt.IsZero() && d != nil { // the event was missed
		told.AnsweredAt = d.AnsweredAt
	}
	if complete(d) {
		told.Dialog = d.Digest
	} else if look && (l.Answered || l.Bridged || d != nil) {
		s.node.looks.add(l.ID)
	}
	return told
}

// text makes a foreign text fit into a message.
func text(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return strings.ToValidUTF8(s, "")
}

// tellDialogs tells dialogs that are new, gathered for a moment.
func (n *Node) tellDialogs(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.telling.changed:
		}
		if !pause(ctx, gatherDialogs) {
			return
		}
		n.telling.mu.Lock()
		dialogs := n.telling.dialogs
		n.telling.dialogs = map[string]*messages.Dialog{}
		n.telling.mu.Unlock()
		all := make([]messages.Dialog, 0, len(dialogs))
		for _, d := range dialogs {
			all = append(all, *d)
		}
		for some := range slices.Chunk(all, messages.MaxNodeDialogs) {
			if !n.speaks() {
				break
			}
			n.options.Live.AnnounceDialogs(&messages.NodeDialogs{Type: messages.NodeDialogsV1, Node: n.options.Node.Name,
				Worker: n.options.Worker, Epoch: n.telling.epoch.Load(), At: time.Now().UTC(), Dialogs: some})
		}
	}
}
