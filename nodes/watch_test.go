package nodes

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"tandem/messages"
	"tandem/nodes/claim"
	"tandem/nodes/link"
	"tandem/tenants"
)

// announced keeps what a worker tells of its node.
type announced struct {
	*world
	events chan messages.NodeEvent
}

func (a announced) AnnounceNode(e messages.NodeEvent) {
	a.world.AnnounceNode(e)
	a.events <- e
}

// until waits for an announcement.
func (a announced) until(t *testing.T, what string, good func(messages.NodeEvent) bool) messages.NodeEvent {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case e := <-a.events:
			if good(e) {
				return e
			}
		case <-deadline:
			t.Fatalf("nobody is told %s", what)
		}
	}
}

// TestNodeIsAnnouncedAsItIs: draining as configured, and with the load that the node told.
func TestNodeIsAnnouncedAsItIs(t *testing.T) {
	f, w := newFakeNode(t), newWorld()
	o := options(t, f, w)
	told := announced{w, make(chan messages.NodeEvent, 1000)}
	drained := make(chan bool, 1)
	drained <- false
	o.Announcer, o.Announce = told, 5*time.Millisecond
	o.Snapshot = func() *tenants.Snapshot {
		draining := <-drained
		drained <- draining
		s, _ := tenants.NewSnapshot(tenants.Data{Nodes: []tenants.Node{{Name: "other"}, {Name: "node1", Draining: draining}}}, nil)
		return s
	}
	n := New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); n.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	first := told.until(t, "that it is up", func(e messages.NodeEvent) bool { return e.State == messages.NodeUp })
	if first.Load != nil {
		t.Errorf("a load that the node did not tell: %+v", first.Load)
	}

	<-drained
	drained <- true
	f.event("HEARTBEAT", "", "", "Session-Count: 84", "Max-Sessions: 1000", "Session-Per-Sec: 100", "Session-Per-Sec-Last: 3", "Idle-CPU: 64.666667")
	e := told.until(t, "that it is being drained, and its load", func(e messages.NodeEvent) bool { return e.State == messages.NodeDraining && e.Load != nil })
	if e.Load.At.IsZero() {
		t.Fatalf("no load: %+v", e)
	}
	load := *e.Load
	load.At = time.Time{}
	if load != (messages.NodeLoad{Sessions: 84, MaxSessions: 1000, SessionsPerSecond: 3, MaxSessionsPerSecond: 100, IdleCPUPercent: 64.666667}) {
		t.Errorf("load %+v", e.Load)
	}
	s := n.Stats()
	if s.Role != "owner" || !s.Connected || s.Owner != "worker1" || s.Events != 1 || s.Lag <= 0 || s.Lag > patience {
		t.Errorf("stats %+v", s)
	}
	<-drained
	drained <- false
	told.until(t, "that it takes calls again", func(e messages.NodeEvent) bool { return e.State == messages.NodeUp })
}

// TestHeartbeatOfAnyKindIsALoadThatCanBeTold: what a node does not tell, or tells in nonsense, keeps no calls away.
func TestHeartbeatOfAnyKindIsALoadThatCanBeTold(t *testing.T) {
	f, w := newFakeNode(t), newWorld()
	o := options(t, f, w)
	told := announced{w, make(chan messages.NodeEvent, 1000)}
	o.Announcer, o.Announce = told, 5*time.Millisecond
	start(t, o)
	<-f.up
	for _, headers := range [][]string{nil, {"Session-Count: -1", "Max-Sessions: 99999999999", "Session-Per-Sec: x", "Idle-CPU: nan"}, {"Idle-CPU: -1"}, {"Idle-CPU: 1e300"}} {
		f.event("HEARTBEAT", "", "", headers...)
		e := told.until(t, "the load", func(e messages.NodeEvent) bool { return e.Load != nil })
		if err := e.Validate(); err != nil || e.Load.IdleCPUPercent != 100 {
			t.Errorf("%q: %v, %+v", headers, err, e.Load)
		}
	}
}

// TestOrderedEndIsCarriedOutByTheOwnerAlone: the standby leaves it, and carries it out when it is the owner.
func TestOrderedEndIsCarriedOutByTheOwnerAlone(t *testing.T) {
	f := newFakeNode(t)
	run := func(name string) (*world, *Node, func()) {
		o, w := sharing(t, f, name)
		n := New(o)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { defer close(ended); n.Run(ctx) }()
		stop := func() { cancel(); <-ended }
		t.Cleanup(stop)
		return w, n, stop
	}
	first, owner, stopFirst := run("worker1.a")
	first.up(t)
	second, standby, _ := run("worker2.b")
	second.picture(t)
	callee := ring(t, f)
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	first.said(t, "leg_rang")

	if standby.HangUp(callID, "anna", "") || owner.HangUp("another", "anna", "") {
		t.Error("an order was taken by whom it does not concern")
	}
	stopFirst()
	second.up(t)
	for range 2 {
		if !standby.HangUp(callID, "anna", "fraud") {
			t.Fatal("the new owner does not take the order")
		}
	}
	second.said(t, "end_ordered")
	f.ordered("uuid_kill " + callerLeg + " MANAGER_REQUEST")
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: MANAGER_REQUEST")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: MANAGER_REQUEST")
	for _, leg := range []string{callee, callerLeg} {
		if c := second.cdr(t); c.Leg != leg || c.Cause != "MANAGER_REQUEST" || c.Fault != messages.FaultPlatform {
			t.Errorf("record %+v", c)
		}
	}
	select {
	case c := <-f.commands:
		t.Errorf("a further command: %s", c)
	default:
	}
	if standby.HangUp(callID, "anna", "") {
		t.Error("an order for a call that is over was taken")
	}
}

// watcher keeps what it is told.
type watcher struct {
	took chan string
	gaps chan [2]time.Duration
}

func (w watcher) TookOver(_, how string) { w.took <- how }

func (w watcher) Gap(_ string, noticed, sign time.Duration) {
	w.gaps <- [2]time.Duration{noticed, sign}
}

// TestTakeoversAreTold with what each came after. One whose owner left nothing undone has no gap: a new call's first command ends
// none.
func TestTakeoversAreTold(t *testing.T) {
	f := newFakeNode(t)
	seen := watcher{make(chan string, 10), make(chan [2]time.Duration, 10)}
	first, stopFirst := workerThat(t, f, "worker1.a", func(o *Options) { o.Watcher = seen })
	first.up(t)
	second, _ := workerThat(t, f, "worker2.b", func(o *Options) { o.Watcher = seen })
	second.picture(t)
	stopFirst()
	second.up(t)
	ring(t, f)
	if how := []string{<-seen.took, <-seen.took}; !slices.Equal(how, []string{"start", "handover"}) {
		t.Errorf("took over after %q", how)
	}
	select {
	case g := <-seen.gaps:
		t.Errorf("a gap of %v that nobody had to wait for", g)
	default:
	}
}

// TestGapEndsWithTheFirstCommandThatWasLeftUndone: it is told once, from both of its beginnings.
func TestGapEndsWithTheFirstCommandThatWasLeftUndone(t *testing.T) {
	seen := watcher{make(chan string, 10), make(chan [2]time.Duration, 10)}
	n := New(Options{Watcher: seen})
	for _, why := range []struct {
		err error
		how string
	}{{link.ErrPeerClosed, "death"}, {syscall.ECONNREFUSED, "death"}, {link.ErrSilent, "silence"}, {link.ErrReleased, "handover"}} {
		now := time.Now()
		n.gap.heard(now.Add(-time.Second), why.err)
		n.begin(now, claim.Holder{Worker: "w", Epoch: 2}, true)
		if how := <-seen.took; how != why.how {
			t.Errorf("%v is told as %s", why.err, how)
		}
		n.gap.queued()
		n.gap.inherited()
		n.commands()
		n.commands()
		g := <-seen.gaps
		if g[0] <= 0 || g[0] > patience || g[1] < time.Second || g[1] > patience {
			t.Errorf("%s: %v since it was noticed, %v since the last sign", why.how, g[0], g[1])
		}
	}
	if len(seen.gaps) > 0 {
		t.Error("a gap is told twice")
	}
}
