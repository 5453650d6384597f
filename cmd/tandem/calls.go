package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"tandem/messages"
	"tandem/nodes"
	"tandem/nodes/link"
	"tandem/rabbit"
	"tandem/tenants"
)

// nodesLook is how often the configuration is compared with the nodes that are owned.
const nodesLook = 500 * time.Millisecond

// calls shares every configured media node with the other workers, those that are added later included: it owns it,
// stands by for its owner, or watches.
func (w *worker) calls(ctx context.Context) error {
	// Processes are told apart at the nodes, two runs of one worker too.
	name := claimName(w.settings.Name) + "." + rand.Text()[:runLetters]
	w.facts.self.Store(&name)
	secret := sha256.Sum256([]byte("tandem link " + w.settings.NodePassword))
	server, err := link.Listen(ctx, link.Options{Address: w.settings.LinkAddress, Secret: secret[:], Worker: name, Logger: w.log})
	if err != nil {
		return err
	}
	defer server.Close()
	boxes := newMailboxes(w.store)
	var running sync.WaitGroup
	defer running.Wait()
	if w.media != nil {
		listed := make(chan struct{})
		running.Go(func() { _ = w.prompts.Run(ctx, w.media, w.log, func() { close(listed) }) })
		<-listed
	}
	tick := time.NewTicker(nodesLook)
	defer tick.Stop()
	var seen *tenants.Snapshot
	for {
		if now := w.source.Current(); now != seen {
			seen = now
			w.configureEdges(ctx)
			for n, nodeCtx := range w.nodes.change(ctx, now.Nodes()) {
				node := nodes.New(nodes.Options{
					Node:      n,
					Password:  w.settings.NodePassword,
					Profile:   w.settings.NodeProfile,
					Worker:    name,
					Link:      server,
					Reached:   w.settings.LinkReached,
					Secret:    secret[:],
					Snapshot:  w.source.Current,
					Versions:  w.source,
					Ledger:    w.ledger,
					Contacts:  w.facts,
					CallsOut:  &w.facts.out,
					Finder:    &w.facts.calls,
					Talking:   w.facts,
					Settings:  settingsKeeper{w},
					Fetcher:   w.fetcher,
					Mover:     mover{w},
					Rescuer:   rescuer{w},
					Announcer: announcer{w},
					Live:      announcer{w},
					Watcher:   w.meters,
					Prompts:   nodes.Prompts(nodes.Sounds{Folder: w.settings.Sounds, Media: w.nodeMedia(), Find: w.prompts.Find}),
					Logger:    w.log,
					Media:     w.nodeMedia(),
					Mailboxes: boxes,
					Speech:    w.speech(),
				})
				w.nodes.add(n, node)
				running.Go(func() { node.Run(nodeCtx) })
			}
			for _, node := range w.nodes.list() {
				node.Announce() // it may be drained now, or resumed
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// claimName makes a worker's name fit to stand in a claim on a node: short, and of letters, digits, "-", "_" and ".".
func claimName(name string) string {
	const limit = 30
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r)) {
			return r
		}
		return '-'
	}, name)
	return name[:min(len(name), limit)]
}

// runLetters is how many random letters tell two runs of one worker apart.
const runLetters = 8

// ownedNodes are the nodes that this worker takes part in.
type ownedNodes struct {
	mu   sync.Mutex
	all  map[tenants.Node]*nodes.Node
	stop map[tenants.Node]context.CancelFunc
}

// identity is a node without what may change while it is owned: a drain or another limit is no reason to leave it.
func identity(n tenants.Node) tenants.Node {
	return tenants.Node{Name: n.Name, SIPURI: n.SIPURI, EventSocket: n.EventSocket}
}

// change ends the parts in nodes that are not wanted any more, and gives those that are new with the context that each is
// to run in. A node whose addresses changed is both.
func (o *ownedNodes) change(ctx context.Context, wanted []tenants.Node) map[tenants.Node]context.Context {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stop == nil {
		o.all, o.stop = map[tenants.Node]*nodes.Node{}, map[tenants.Node]context.CancelFunc{}
	}
	fresh, there := map[tenants.Node]context.Context{}, map[tenants.Node]bool{}
	for _, n := range wanted {
		n = identity(n)
		there[n] = true
		if o.stop[n] == nil {
			fresh[n], o.stop[n] = context.WithCancel(ctx)
		}
	}
	for n, stop := range o.stop {
		if !there[n] {
			stop()
			delete(o.stop, n)
			delete(o.all, n)
		}
	}
	return fresh
}

func (o *ownedNodes) add(n tenants.Node, node *nodes.Node) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[n] = node
}

// owns says whether this worker owns a node.
func (o *ownedNodes) owns(name string) bool {
	for _, n := range o.list() {
		if n.Name() == name && n.Owns() {
			return true
		}
	}
	return false
}

// list gives the nodes that this worker takes part in.
func (o *ownedNodes) list() []*nodes.Node {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Values(o.all))
}

// safe tells the nodes that a leg's record can no longer be lost with this process.
func (o *ownedNodes) safe(leg string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.all {
		n.Safe(leg)
	}
}

// ask puts another worker's question to the nodes that this one takes part in.
func (o *ownedNodes) ask(m *messages.NodeAsk) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, node := range o.all {
		if m.Node == "" || m.Node == n.Name {
			node.Ask(m.Legs)
		}
	}
}

// announcer publishes events, and keeps this worker's own facts right even while the broker is away.
type announcer struct{ worker *worker }

// AnnounceCall tells of a call.
func (a announcer) AnnounceCall(e messages.CallEvent) {
	a.worker.facts.calls.Apply(&e, time.Now())
	_ = a.publish(&e)
}

// AnnounceNode tells of a node.
func (a announcer) AnnounceNode(e messages.NodeEvent) {
	a.worker.facts.nodes.Apply(&e, time.Now())
	a.worker.facts.calls.Heard(&e, time.Now())
	_ = a.publish(&e)
}

// AnnounceCalls tells of a node's live calls, in as many messages as it takes.
func (a announcer) AnnounceCalls(m *messages.NodeCalls) error {
	a.worker.facts.calls.Announce(m, time.Now())
	return a.publishCalls(m)
}

func (a announcer) publishCalls(m *messages.NodeCalls) error {
	err := a.publish(m)
	if !tooLarge(err) || len(m.Calls) < 2 {
		return err
	}
	low, high := m.Split()
	return errors.Join(a.publishCalls(low), a.publishCalls(high))
}

// AnnounceDialogs tells of dialogs, in as many messages as it takes.
func (a announcer) AnnounceDialogs(m *messages.NodeDialogs) {
	a.worker.facts.calls.Learn(m)
	a.publishDialogs(m)
}

// NoteNews lets this worker know what is new of a node's calls.
func (a announcer) NoteNews(m *messages.NodeNews) { a.worker.facts.calls.News(m, time.Now()) }

// AnnounceNews tells it, in as many messages as it takes.
func (a announcer) AnnounceNews(m *messages.NodeNews) {
	if !tooLarge(a.publish(m)) || len(m.Calls) < 2 {
		return
	}
	first, second := m.Split()
	a.AnnounceNews(first)
	a.AnnounceNews(second)
}

func (a announcer) publishDialogs(m *messages.NodeDialogs) {
	if !tooLarge(a.publish(m)) || len(m.Dialogs) < 2 {
		return
	}
	first, second := m.Split()
	a.publishDialogs(first)
	a.publishDialogs(second)
}

// tooLarge says whether a message was not sent because it is too long.
func tooLarge(err error) bool {
	var refusal *messages.Refusal
	return errors.As(err, &refusal) && (refusal.Reason == "too_large" || refusal.Reason == "too_long")
}

func (a announcer) publish(m messages.Message) error {
	err := a.worker.rabbit.Publish(context.Background(), rabbit.ExchangeEvents, string(m.MessageType()), m)
	if err != nil {
		a.worker.log.Debug("an event was not announced", slog.String("type", string(m.MessageType())), slog.Any("error", err))
	}
	return err
}
