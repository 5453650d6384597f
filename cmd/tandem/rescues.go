package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"tandem/messages"
	"tandem/rabbit"
)

// Bounds of asking edges about a node.
const (
	lookWait      = 1200 * time.Millisecond // an edge gives a node some 700 ms
	fenceWait     = 500 * time.Millisecond
	edgeForgotten = 150 * time.Second // edges say hello each minute
)

// fences is what this worker knows of edges, and of nodes that they refuse.
type fences struct {
	mu      sync.Mutex
	edges   map[string]time.Time                 // heard of when
	waiting map[string]chan *messages.EdgeFenced // by id of the question
	stand   map[string]uint64                    // by node: the epoch of the highest fence
}

// saw notes that an edge lives.
func (f *fences) saw(edge string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.edges == nil {
		f.edges = map[string]time.Time{}
	}
	f.edges[edge] = now
	for name, at := range f.edges {
		if now.Sub(at) > edgeForgotten {
			delete(f.edges, name)
		}
	}
}

// answered takes an edge's answer to any worker's question.
func (f *fences) answered(m *messages.EdgeFenced, now time.Time) {
	f.saw(m.Edge, now)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch had := f.stand[m.Node]; {
	case m.Step == messages.FenceLift && m.Epoch == 0:
		delete(f.stand, m.Node)
	case m.Epoch > had:
		if f.stand == nil {
			f.stand = map[string]uint64{}
		}
		f.stand[m.Node] = m.Epoch
	}
	if waits := f.waiting[m.ID]; waits != nil {
		select {
		case waits <- m:
		default:
		}
	}
}

// expect makes room for answers, and gives the number of edges that are to answer.
func (f *fences) expect(id string) (answers <-chan *messages.EdgeFenced, edges int, done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		f.waiting = map[string]chan *messages.EdgeFenced{}
	}
	waits := make(chan *messages.EdgeFenced, maxEdgesAsked)
	f.waiting[id] = waits
	return waits, len(f.edges), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.waiting, id)
	}
}

// maxEdgesAsked bounds the answers that are taken.
const maxEdgesAsked = 64

// fenced is the epoch at which edges refuse a node; 0: they do not.
func (f *fences) fenced(node string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stand[node]
}

// rescuer is what the nodes of this worker need to rescue the calls of one that has died.
type rescuer struct{ worker *worker }

// ask asks all edges and gives their answers, until all that are known have answered, or the time is over, or enough says so.
func (r rescuer) ask(ctx context.Context, step messages.FenceStep, node string, epoch uint64, wait time.Duration, enough func(*messages.EdgeFenced) bool) (answers []*messages.EdgeFenced) {
	m, ok := r.question(step, node, epoch)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	heard, edges, done := r.worker.fences.expect(m.ID)
	defer done()
	if err := r.worker.rabbit.Publish(ctx, rabbit.ExchangeEdges, "", m); err != nil {
		r.worker.log.WarnContext(ctx, "edges could not be asked about a media node", slog.String("node", node), slog.Any("error", err))
		return nil
	}
	for len(answers) < max(1, edges) {
		select {
		case <-ctx.Done():
			return answers
		case answer := <-heard:
			if answers = append(answers, answer); enough != nil && enough(answer) {
				return answers
			}
		}
	}
	return answers
}

func (r rescuer) question(step messages.FenceStep, node string, epoch uint64) (*messages.EdgeFence, bool) {
	for _, n := range r.worker.source.Current().Nodes() {
		if address, ok := hostPort(n.SIPURI); ok && n.Name == node {
			return &messages.EdgeFence{EventCategory: "edge", EventName: "fence", Type: messages.EdgeFenceV1, ID: rand.Text(), Step: step, Node: node, Address: address,
				Epoch: epoch, Worker: r.worker.settings.Name, At: time.Now().UTC()}, true
		}
	}
	return nil, false
}

// Dead says whether one edge at least has looked for the node, and none has found it.
func (r rescuer) Dead(ctx context.Context, node string, epoch uint64) bool {
	reached := func(m *messages.EdgeFenced) bool { return m.Reachable }
	answers := r.ask(ctx, messages.FenceLook, node, epoch, lookWait, reached)
	return len(answers) > 0 && !reached(answers[len(answers)-1])
}

// Fence says whether an edge refuses the node at this epoch from now on.
func (r rescuer) Fence(ctx context.Context, node string, epoch uint64) bool {
	stands := false
	for _, m := range r.ask(ctx, messages.FenceSet, node, epoch, fenceWait, nil) {
		if m.Epoch > epoch {
			return false
		}
		stands = stands || m.Epoch == epoch
	}
	return stands
}

// Fenced is the epoch of the fence, as far as this worker has heard.
func (r rescuer) Fenced(node string) uint64 { return r.worker.fences.fenced(node) }

// Lift lets the node speak again.
func (r rescuer) Lift(ctx context.Context, node string, epoch uint64) {
	r.ask(ctx, messages.FenceLift, node, epoch, fenceWait, nil)
}

// Lock makes this worker the only one that rescues the node's calls.
func (r rescuer) Lock(ctx context.Context, node string) (unlock func(), ok bool) {
	unlock, ok, err := r.worker.rabbit.Lock(ctx, "rescue."+node)
	if err != nil {
		r.worker.log.WarnContext(ctx, "whether another worker rescues the calls of a dead media node could not be found out", slog.String("node", node), slog.Any("error", err))
	}
	return unlock, ok
}

// Known says where all workers know a call to be.
func (r rescuer) Known(call string) (node string, dialogs []messages.Dialog, over bool) {
	live, ok := r.worker.facts.calls.Get(call, time.Now())
	if !ok {
		return "", nil, r.worker.facts.calls.HasEnded(call)
	}
	for _, l := range live.Legs {
		if l.Dialog != nil {
			dialogs = append(dialogs, *l.Dialog)
		}
	}
	return live.Node, dialogs, false
}

// Takes says whether another node is up.
func (r rescuer) Takes(node string) bool {
	for _, n := range r.worker.facts.routable(time.Now()) {
		if n.Name != node && n.State == messages.NodeUp {
			return true
		}
	}
	return false
}

// askFences finds out which nodes edges refuse: this worker may have missed it.
func (w *worker) askFences(ctx context.Context) {
	for _, n := range w.source.Current().Nodes() {
		if m, ok := (rescuer{w}).question(messages.FenceLook, n.Name, 0); ok {
			_ = w.rabbit.Publish(ctx, rabbit.ExchangeEdges, "", m)
		}
	}
}

// fenceAgain tells an edge that has come up which nodes are refused: fences are in its memory alone.
func (w *worker) fenceAgain(ctx context.Context) {
	for _, n := range w.source.Current().Nodes() {
		if epoch := w.fences.fenced(n.Name); epoch != 0 {
			if m, ok := (rescuer{w}).question(messages.FenceSet, n.Name, epoch); ok {
				_ = w.rabbit.Publish(ctx, rabbit.ExchangeEdges, "", m)
			}
		}
	}
}

// takeBye passes on that a phone has hung up on a node that does not answer.
func (w *worker) takeBye(m *messages.EdgeBye) {
	for _, n := range w.nodes.list() {
		n.TakeBye(m.CallID, m.FromTag, time.Now().UTC()) // the edge tells whole seconds
	}
}
