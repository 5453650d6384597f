package main

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tandem/callflows"
	"tandem/directory"
	"tandem/messages"
	"tandem/rabbit"
	"tandem/routing"
	"tandem/tenants"
)

// facts is what this worker knows besides configuration, fed by events: who is registered, which calls are live, which
// nodes are up.
type facts struct {
	worker        *worker
	registrations directory.Registrations
	calls         directory.Calls
	nodes         directory.Nodes
	rates         directory.Rates
	made          atomic.Pointer[routableNodes] // of nodes, last
	out           directory.CallsOut
	talking       directory.Talking
	self          atomic.Pointer[string] // by which other workers know this one's ownership of nodes
}

// reloadWait bounds the reading of registrations after a gap.
const reloadWait = 5 * time.Second

// beginWait bounds the first reading of them: a worker that knows nobody is better than none.
const beginWait = 2 * time.Second

// sweepEvery is how often what is over is forgotten.
const sweepEvery = time.Minute

// sweep keeps the facts' memory in bounds.
func (f *facts) sweep(ctx context.Context) error {
	return every(ctx, sweepEvery, func(now time.Time) {
		f.registrations.Sweep(now)
		f.calls.Sweep(now)
		f.rates.Sweep(now)
		f.out.Sweep(now)
	})
}

// follow takes events until ctx ends. After each gap the registrations are read again from PostgreSQL, and the owners of
// nodes are asked for their live calls.
func (f *facts) follow(ctx context.Context) error {
	return f.worker.rabbit.SubscribeEvents(ctx, f.keys(), func(m messages.Message) { f.apply(ctx, m) }, func() {
		f.worker.running.Go(func() { f.askCalls(ctx) })
		if f.carries() {
			f.worker.running.Go(func() { f.worker.askFences(ctx) })
		}
		read := f.reload(ctx)
		f.worker.running.Go(func() { f.catchUp(ctx, read) })
	})
}

// settleWait is how long registrations that came during a gap may take to PostgreSQL, and the pause between attempts to
// read them.
const settleWait = 3 * time.Second

// catchUp reads registrations after a gap until that works, and then once more: those that came during the gap may have
// been on their way to PostgreSQL while it was read, and their phones may not register again for an hour.
func (f *facts) catchUp(ctx context.Context, read bool) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(settleWait):
		}
		again := f.reload(ctx)
		if read && again {
			return
		}
		read = again
	}
}

// Owners announce their nodes every two seconds (package nodes). Who has heard of none by then waits no longer.
const (
	nodesWait = 2500 * time.Millisecond
	nodesPoll = 10 * time.Millisecond
)

// awaitNodes waits until a node is known to be up and those that are have announced their calls, or none can be expected to.
func (f *facts) awaitNodes(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, nodesWait)
	defer cancel()
	for !f.knowNodes() && len(f.worker.source.Current().Nodes()) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(nodesPoll):
		}
	}
}

func (f *facts) knowNodes() bool {
	up, unknown := false, false
	for _, n := range f.nodes.List(time.Now()) {
		up = up || n.State == messages.NodeUp
		unknown = unknown || n.State == messages.NodeUp && !f.calls.Announced(n.Name)
	}
	return up && !unknown
}

func (f *facts) apply(ctx context.Context, m messages.Message) {
	switch m := m.(type) {
	case *messages.Registration:
		f.registrations.Apply(m)
	case *messages.CallEvent:
		f.calls.Apply(m, time.Now())
		f.hearOut(m)
		if m.State == messages.CallStarted {
			f.begun(m.Call, m.Tenant, time.Now())
		}
	case *messages.CallOrder:
		f.worker.carryOut(m)
	case *messages.CallStart:
		f.worker.startCall(m)
	case *messages.CallMove:
		f.worker.takeMove(m)
	case *messages.CallMoved:
		f.worker.moveAnswered(m)
	case *messages.TransferRefused:
		f.worker.noteRefused(m)
	case *messages.NodeEvent:
		f.nodes.Apply(m, time.Now())
		f.calls.Heard(m, time.Now())
	case *messages.NodeCalls:
		f.calls.Announce(m, time.Now())
		if !f.worker.nodes.owns(m.Node) {
			f.out.Listed(m, time.Now())
		}
	case *messages.NodeNews:
		f.calls.News(m, time.Now())
	case *messages.NodeDialogs:
		f.calls.Learn(m)
	case *messages.NodeAsk:
		f.answer(m)
	case *messages.EdgeFenced:
		f.worker.fences.answered(m, time.Now())
	case *messages.EdgeBye:
		f.worker.takeBye(m)
	case *messages.EdgeHello:
		f.worker.fences.saw(m.Edge, time.Now())
		f.worker.fenceAgain(ctx)
		f.worker.sawEdge(ctx, m.Edge)
		f.worker.configureEdges(ctx)
	}
}

// hearOut counts a call that is out from a node of another worker's. Of its own nodes a worker knows before it is told.
func (f *facts) hearOut(m *messages.CallEvent) {
	switch {
	case f.worker.nodes.owns(m.Node):
	case m.State == messages.CallEnded || m.Out == messages.OutByNone:
		f.out.Elsewhere(m.Call, m.Tenant, "", m.Node, time.Now())
	case m.Out != "":
		f.out.Elsewhere(m.Call, m.Tenant, m.Out, m.Node, time.Now())
	}
}

// begin reads who is registered before this worker decides anything, or stands by for who does: its first call may be one that
// it takes over in the next moment, and RabbitMQ may be away.
func (f *facts) begin(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beginWait)
	defer cancel()
	f.read(ctx)
}

// reload reads what was missed and says whether it could. Edges may have missed something too.
func (f *facts) reload(ctx context.Context) bool {
	read := f.read(ctx)
	if read {
		f.worker.configureEdges(ctx)
	}
	return read
}

// read reads registrations. Without PostgreSQL the events alone must do.
func (f *facts) read(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, reloadWait)
	defer cancel()
	all, err := f.worker.store.LoadRegistrations(ctx, time.Now())
	if err != nil {
		f.worker.log.WarnContext(ctx, "registrations could not be read; those that are refreshed from now on are known", slog.Any("error", err))
		return false
	}
	f.registrations.Load(all)
	return true
}

// routing gives the facts for one decision.
//
// The call that is asked about counts for none of its tenant's limits: an edge that asks twice gets the same answer.
func (f *facts) routing(s *tenants.Snapshot, r routing.Request, tenant string, now time.Time) routing.Facts {
	call := r.Call
	facts := routing.Facts{At: now, TenantCalls: f.calls.CountOthers(tenant, call, now), TenantRate: f.rates.Count(tenant, call, now), Above: f.countAbove(s, tenant, call, now),
		Nodes: f.routable(now)}
	facts.Joins = f.joins(s, r, tenant, now)
	if facts.Joins == nil {
		facts.DeviceNode = f.calls.NodeOfDevice(tenant, routing.DeviceOf(s, r))
	}
	return facts
}

// countAbove gives what the limits of the resellers above a tenant are held against.
func (f *facts) countAbove(s *tenants.Snapshot, tenant, but string, now time.Time) (above []routing.Above) {
	t := s.Tenant(tenant)
	for depth := 0; t != nil && t.Parent != "" && depth < maxAbove; depth++ {
		if t = s.Tenant(t.Parent); t != nil && (t.MaxCalls > 0 || t.MaxCallsPerSecond > 0) {
			above = append(above, routing.Above{Tenant: t.ID, Calls: f.calls.CountOthers(t.ID, but, now), Rate: f.rates.Count(t.ID, but, now)})
		}
	}
	return above
}

// maxAbove is how many tenants are above one at most, as migration 0014 has it.
const maxAbove = 16

// tenantsAbove names the tenants above one, as the configuration has it now.
func (w *worker) tenantsAbove(tenant string) (above []string) {
	s := w.source.Current()
	if s == nil {
		return nil
	}
	for t := s.Tenant(tenant); t != nil && t.Parent != "" && len(above) < maxAbove; t = s.Tenant(t.Parent) {
		above = append(above, t.Parent)
	}
	return above
}

// joins is the live call that a request is to be joined with, or nil.
func (f *facts) joins(s *tenants.Snapshot, r routing.Request, tenant string, now time.Time) *routing.Joins {
	if wanted, ok := routing.AcrossWanted(r); ok {
		found := f.calls.Find(tenant, r.Call, wanted, now)
		if found == nil {
			return nil
		}
		return &routing.Joins{Call: found.Call, Leg: found.Leg, Node: found.Node}
	}
	if replaces, ok := routing.ReadReplaces(r.Replaces); ok {
		d := f.calls.FindDialog(tenant, replaces.CallID, replaces.ToTag, replaces.FromTag)
		if d == nil {
			return nil
		}
		return &routing.Joins{Call: d.Call, Leg: d.Leg, Node: d.Node, Answered: d.Answered, Caller: d.Caller}
	}
	wanted, ok := routing.SeeksOf(s, r)
	if !ok {
		return nil
	}
	found := f.calls.Find(tenant, r.Call, wanted, now)
	if found == nil {
		return nil
	}
	return &routing.Joins{Call: found.Call, Node: found.Node}
}

// routableNodes are nodes as routing takes them, and the directory's list that they were made of.
type routableNodes struct {
	known []directory.NodeFact
	nodes []routing.Node
}

// routable gives the nodes as routing takes them. They are made once for each list that the directory gives, and must not be
// changed.
func (f *facts) routable(now time.Time) []routing.Node {
	known := f.nodes.List(now)
	if len(known) == 0 {
		return nil
	}
	if made := f.made.Load(); made != nil && &made.known[0] == &known[0] {
		return made.nodes
	}
	made := &routableNodes{known: known, nodes: make([]routing.Node, len(known))}
	for i, n := range known {
		made.nodes[i] = routing.Node{Name: n.Name, SIPURI: n.SIPURI, State: n.State, Calls: n.Calls, Busy: f.worker.busy(n.Load)}
	}
	f.made.Store(made)
	return made.nodes
}

// busy is how loaded a node is, as far as this worker is to judge by it.
func (w *worker) busy(l *messages.NodeLoad) routing.Busy {
	b := routing.BusyOf(l)
	if w.settings.IgnoreCPU {
		b.CPU = 0
	}
	return b
}

// begun notes a call for the limits of calls a second that its tenant and those above it have.
func (f *facts) begun(call, tenant string, at time.Time) {
	s := f.worker.source.Current()
	for t, depth := s.Tenant(tenant), 0; t != nil && depth <= maxAbove; t, depth = s.Tenant(t.Parent), depth+1 {
		if t.MaxCallsPerSecond > 0 {
			f.rates.Begun(call, t.ID, at)
		}
	}
}

// callsOn is how many calls are up on a node: what its owner told, some seconds ago, or what was heard of single calls since,
// whichever is more. A node that is being emptied must not look empty too early.
func (f *facts) callsOn(n directory.NodeFact) int { return max(n.Calls, f.calls.CountNode(n.Name)) }

// liveCalls is how many calls are up on all nodes.
func (f *facts) liveCalls() int {
	sum := 0
	for _, n := range f.nodes.List(time.Now()) {
		if n.State != messages.NodeDown {
			sum += f.callsOn(n)
		}
	}
	return sum
}

// Contacts says where a device can be reached now.
func (f *facts) Contacts(t *tenants.Tenant, device string, now time.Time) []callflows.Contact {
	if t == nil {
		return nil
	}
	d := t.Device(device)
	if d == nil {
		return nil
	}
	var out []callflows.Contact
	for _, c := range f.registrations.Contacts(d.Username, t.Domain, now) {
		out = append(out, callflows.Contact{Device: d.ID, URI: c.URI, Edge: c.EdgeURI})
	}
	return out
}

// Talks says which devices are in a call that this worker drives.
func (f *facts) Talks(call, tenant string, devices []string) { f.talking.Talks(call, tenant, devices) }

// Talking says which devices are in another call: at this worker's nodes as of now, at others' as of their last announcement.
func (f *facts) Talking(call, tenant string, devices []string) []string {
	talking, self := f.talking.Among(call, tenant, devices), ""
	if name := f.self.Load(); name != nil {
		self = *name
	}
	for _, d := range f.calls.Talking(call, tenant, devices, self, time.Now()) {
		if !slices.Contains(talking, d) {
			talking = append(talking, d)
		}
	}
	return talking
}

// configureEdges tells every edge all that it must know. It is sent when an edge asks and when the configuration changes.
func (w *worker) configureEdges(ctx context.Context) {
	snapshot := w.source.Current()
	if snapshot == nil {
		return
	}
	config := &messages.EdgeConfig{EventCategory: "edge", EventName: "config", Type: messages.EdgeConfigV1, Nodes: []string{}, Trunks: []string{}}
	for _, n := range snapshot.Nodes() {
		if address, ok := hostPort(n.SIPURI); ok {
			config.Nodes = append(config.Nodes, address)
		} else {
			w.log.WarnContext(ctx, "a media node's SIP URI has no address and port, so edges cannot tell its calls", slog.String("node", n.Name))
		}
	}
	for _, t := range snapshot.Trunks() {
		if t.Disabled {
			continue
		}
		for _, a := range t.Addresses {
			config.Trunks = append(config.Trunks, a.String())
		}
	}
	w.nameRegistrar(ctx, snapshot, config)
	if err := w.rabbit.Publish(ctx, rabbit.ExchangeEdges, "", config); err != nil {
		w.log.WarnContext(ctx, "edges could not be told their configuration; they ask when they are connected", slog.Any("error", err))
	}
}

// hostPort reads address:port from a node's SIP URI: what edges recognise its requests by.
func hostPort(uri string) (string, bool) {
	_, rest, _ := strings.Cut(uri, ":")
	rest, _, _ = strings.Cut(rest, ";")
	a, err := netip.ParseAddrPort(rest)
	return a.String(), err == nil
}
