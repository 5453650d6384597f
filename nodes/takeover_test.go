package nodes

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
	"tandem/nodes/claim"
	"tandem/nodes/link"
	"tandem/tenants"
)

// secret is what the workers of these tests know each other by.
var secret = []byte("0123456789abcdef0123456789abcdef")

// pair starts two workers that share a fake node: the first owns it, the second stands by.
func pair(t *testing.T) (f *fakeNode, first, second *world, stopFirst func()) {
	t.Helper()
	f = newFakeNode(t)
	first, stopFirst = worker(t, f, "worker1.a")
	first.up(t)
	second, _ = worker(t, f, "worker2.b")
	second.picture(t)
	return f, first, second, stopFirst
}

func worker(t *testing.T, f *fakeNode, name string) (*world, func()) {
	t.Helper()
	return workerThat(t, f, name, func(*Options) {})
}

// workerThat is worker with other options.
func workerThat(t *testing.T, f *fakeNode, name string, change func(*Options)) (*world, func()) {
	t.Helper()
	o, w := sharing(t, f, name)
	change(&o)
	return w, start(t, o)
}

// sharing are the options of a worker that shares the node.
func sharing(t *testing.T, f *fakeNode, name string) (Options, *world) {
	t.Helper()
	server, err := link.Listen(t.Context(), link.Options{Address: "127.0.0.1:0", Secret: secret, Worker: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	w := newWorld()
	o := options(t, f, w)
	o.Worker, o.Link, o.Secret, o.Logger = name, server, secret, w.logger()
	return o, w
}

// TestStandbyGoesOnWithARingingCall: the owner leaves while a phone rings; what the phone does then is answered by the
// standby, and each leg gets its record once.
func TestStandbyGoesOnWithARingingCall(t *testing.T) {
	f, first, second, stopFirst := pair(t)
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	first.said(t, "leg_rang")
	stopFirst()
	second.up(t)
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17",
		"variable_sip_term_status: 486", "variable_sip_hangup_disposition: recv_refuse")
	if c := second.cdr(t); c.Leg != callee || c.Call != callID || c.SIPCode != 486 {
		t.Errorf("callee's record: %+v", c)
	}
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: ringing",
		"variable_originate_disposition: USER_BUSY")
	f.ordered("uuid_kill " + callerLeg + " USER_BUSY")
	f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17")
	if c := second.cdr(t); c.Leg != callerLeg || c.Role != messages.RoleCaller {
		t.Errorf("caller's record: %+v", c)
	}
	select {
	case c := <-f.commands:
		t.Errorf("a command was doubled: %s", c)
	case c := <-first.cdrs:
		t.Errorf("a record from the worker that left: %+v", c)
	default:
	}
}

// relay leads to a link, and falls silent when the test wants it to: nothing passes, and nobody is told.
type relay struct {
	listener net.Listener
	target   atomic.Pointer[string]
	mu       sync.RWMutex // held for writing while it is silent
	conns    chan net.Conn
	closes   atomic.Bool // each connection at once
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, conns: make(chan net.Conn, 100)}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			if r.closes.Load() {
				near.Close()
				continue
			}
			go func() {
				far, err := net.Dial("tcp", *r.target.Load())
				if err != nil {
					near.Close()
					return
				}
				r.conns <- near
				go r.carry(near, far)
				r.carry(far, near)
			}()
		}
	}()
	return r
}

// before makes others reach a worker through the relay.
func (r *relay) before(o *Options) {
	address := o.Link.Addr()
	r.target.Store(&address)
	o.Reached = r.listener.Addr().String()
}

// end ends the relay and what it carries: its address refuses from then on.
func (r *relay) end() {
	r.listener.Close()
	r.reset()
}

// reset closes what the relay carries. It goes on listening.
func (r *relay) reset() {
	for {
		select {
		case c := <-r.conns:
			c.Close()
		default:
			return
		}
	}
}

func (r *relay) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	_, _ = io.Copy(writerFunc(func(b []byte) (int, error) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		return to.Write(b)
	}), from)
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(b []byte) (int, error) { return w(b) }

// logged waits until a worker logs a line that holds a text.
func (w *world) logged(t *testing.T, text string) string {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case line := <-w.lines:
			if strings.Contains(line, text) {
				return line
			}
		case <-deadline:
			t.Fatalf("no log line with %q", text)
		}
	}
}

// global reads a variable of the node's.
func (f *fakeNode) global(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.globals[name]
}

// TestASilentLinkDeposesNobody: a standby that hears nothing for a while, as on a busy machine, looks for the owner before
// it takes its place. An owner that answers stays the owner, and is followed on.
func TestASilentLinkDeposesNobody(t *testing.T) {
	f := newFakeNode(t)
	r := newRelay(t)
	first, _ := workerThat(t, f, "worker1.a", r.before)
	first.up(t)
	owner := f.global(claim.OwnerVariable)
	second, _ := worker(t, f, "worker2.b")
	second.picture(t)
	r.mu.Lock()
	second.logged(t, "the other side is silent")
	r.mu.Unlock()
	second.picture(t)
	if now := f.global(claim.OwnerVariable); now != owner {
		t.Errorf("the owner %s was replaced: %s", owner, now)
	}
}

// TestALinkThatIsResetDeposesNobody: something between two workers resets their link. The owner is there, and is followed on.
func TestALinkThatIsResetDeposesNobody(t *testing.T) {
	f := newFakeNode(t)
	r := newRelay(t)
	first, _ := workerThat(t, f, "worker1.a", r.before)
	first.up(t)
	owner := f.global(claim.OwnerVariable)
	second, _ := worker(t, f, "worker2.b")
	second.picture(t)
	r.reset()
	second.picture(t)
	if now := f.global(claim.OwnerVariable); now != owner {
		t.Errorf("the owner %s was replaced: %s", owner, now)
	}
}

// TestAStandbyThatIsTurnedAwayKeepsItsCalls: a standby that loses its link reaches something that closes each connection before
// it has answered, as a process does that ends or is overrun. That is no refusal: the standby knows the owner's calls, and
// goes on with them when the owner's lease is over.
func TestAStandbyThatIsTurnedAwayKeepsItsCalls(t *testing.T) {
	f := newFakeNode(t)
	r := newRelay(t)
	first, _ := workerThat(t, f, "worker1.a", r.before)
	first.up(t)
	second, _ := worker(t, f, "worker2.b")
	second.picture(t)
	callee := ring(t, f)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_PROGRESS", callee, "outbound")
	first.said(t, "leg_rang")
	r.closes.Store(true)
	r.reset()
	second.up(t)
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17")
	if c := second.cdr(t); c.Leg != callee || c.Device != "d2" {
		t.Errorf("record %+v", c)
	}
}

// TestAnOwnerThatStaysSilentIsReplaced, when its lease is over.
func TestAnOwnerThatStaysSilentIsReplaced(t *testing.T) {
	f := newFakeNode(t)
	r := newRelay(t)
	first, _ := workerThat(t, f, "worker1.a", r.before)
	first.up(t)
	second, _ := worker(t, f, "worker2.b")
	second.picture(t)
	before := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	second.up(t)
	if took := time.Since(before); took < claim.LeaseFor {
		t.Errorf("replaced after %s, while its lease of %s lasted", took, claim.LeaseFor)
	}
}

// TestWhatASilentOwnerHasOrderedIsNotOrderedAgain: an owner whose link falls silent drives a call on. Its standby does not
// hear of the order, but of the event that it follows from; before it orders the same it asks the node.
func TestWhatASilentOwnerHasOrderedIsNotOrderedAgain(t *testing.T) {
	f := newFakeNode(t)
	r := newRelay(t)
	first, _ := workerThat(t, f, "worker1.a", r.before)
	first.up(t)
	second, _ := worker(t, f, "worker2.b")
	second.picture(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	callee := ring(t, f)
	second.up(t)
	f.event("CHANNEL_CREATE", callee, "outbound")
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2", "Answer-State: ringing",
		"variable_originate_disposition: USER_BUSY")
	if next := <-f.commands; !strings.Contains(next, "uuid_kill "+callerLeg) {
		t.Errorf("ordered again: %s", next)
	}
}

// TestWhatASilentOwnerHasNotOrderedIsOrdered: the same, but its order does not reach the node.
func TestWhatASilentOwnerHasNotOrderedIsOrdered(t *testing.T) {
	f := newFakeNode(t)
	link, socket := newRelay(t), newRelay(t)
	address := f.listener.Addr().String()
	socket.target.Store(&address)
	first, _ := workerThat(t, f, "worker1.a", func(o *Options) {
		link.before(o)
		o.Node.EventSocket = socket.listener.Addr().String()
	})
	first.up(t)
	second, _ := worker(t, f, "worker2.b")
	second.picture(t)
	link.mu.Lock()
	defer link.mu.Unlock()
	socket.mu.Lock()
	defer socket.mu.Unlock()
	ring(t, f)
}

// TestATransferUnderASilentOwnerRingsOnce: it makes another leg the one that leads its call, whose mark proves whether the last owner
// has ordered the new ring. Whoever follows must not write that mark before it has asked.
func TestATransferUnderASilentOwnerRingsOnce(t *testing.T) {
	for name, sees := range map[string]bool{"it has ordered the ring": true, "it has not": false} {
		t.Run(name, func(t *testing.T) {
			f := newFakeNode(t)
			link, socket := newRelay(t), newRelay(t)
			address := f.listener.Addr().String()
			socket.target.Store(&address)
			begin := func(name string, change func(*Options)) *world {
				o, w := sharing(t, f, name)
				o.Snapshot = transferable(t, f, w).Snapshot
				change(&o)
				start(t, o)
				return w
			}
			begin("worker1.a", func(o *Options) { link.before(o); o.Node.EventSocket = socket.listener.Addr().String() }).up(t)
			second := begin("worker2.b", func(*Options) {})
			second.picture(t)
			callee := talking(t, f)
			marks := make(chan string, 8)
			f.beforeAnswers(func(command string) {
				if strings.HasPrefix(command, "api uuid_setvar_multi "+callee) {
					marks <- command
				}
			})
			link.mu.Lock()
			defer link.mu.Unlock()
			if !sees {
				socket.mu.Lock()
				defer socket.mu.Unlock()
			}
			f.event("CHANNEL_PARK", callee, "outbound", "Answer-State: answered", referSource, referNumber, "variable_last_bridge_to: "+callerLeg)
			f.event("CHANNEL_HANGUP_COMPLETE", callerLeg, "inbound", "Hangup-Cause: NORMAL_CLEARING", "variable_hangup_cause_q850: 16",
				"variable_sip_hangup_disposition: send_bye", "Caller-Channel-Answered-Time: 1795332486052393", referGone, "variable_last_bridge_to: "+callee)
			if bridge := f.ordered("execute-app-name: bridge"); !strings.Contains(bridge, "sendmsg "+callee) {
				t.Errorf("the callee dials: %s", bridge)
			}
			second.up(t)
			written := 2 // with the order, and when it is settled
			if sees {
				written = 3 // the first owner has marked it too
			}
			for range written {
				select {
				case <-marks:
				case <-time.After(patience):
					t.Fatal("the leg is not marked")
				}
			}
			for {
				select {
				case c := <-f.commands:
					if strings.Contains(c, "execute-app-name: bridge") {
						t.Errorf("ordered again: %s", c)
					}
					continue
				default:
				}
				break
			}
		})
	}
}

// TestAnOwnerThatCannotReachTheNodeGivesItUp: its link to the standby is whole, and the standby reaches the node.
func TestAnOwnerThatCannotReachTheNodeGivesItUp(t *testing.T) {
	f := newFakeNode(t)
	r := newRelay(t)
	address := f.listener.Addr().String()
	r.target.Store(&address)
	first, _ := workerThat(t, f, "worker1.a", func(o *Options) { o.Node.EventSocket = r.listener.Addr().String() })
	first.up(t)
	second, _ := worker(t, f, "worker2.b")
	second.picture(t)
	callee := ring(t, f)
	f.list(callerLeg, callee)
	r.end()
	second.up(t)
	f.event("CHANNEL_HANGUP_COMPLETE", callee, "outbound", "Hangup-Cause: USER_BUSY", "variable_hangup_cause_q850: 17")
	if c := second.cdr(t); c.Leg != callee || c.Call != callID {
		t.Errorf("record %+v", c)
	}
}

// TestAnOwnerGetsAStandbyAtOnce: who was the standby and owns the node now leaves the standby's place to the next.
// One time of three is enough, for a machine with something else to do.
func TestAnOwnerGetsAStandbyAtOnce(t *testing.T) {
	var took []time.Duration
	for range 3 {
		f, _, second, stopFirst := pair(t)
		stopFirst()
		second.up(t)
		third, _ := worker(t, f, "worker3.c")
		before := time.Now()
		third.picture(t)
		took = append(took, time.Since(before))
	}
	if slices.Min(took) > 2*lookEvery+claim.LeaseFor/2 {
		t.Errorf("the standby's place was free after %v", took)
	}
}

// standby is a node of which this worker follows the owner over its first link, without I/O.
func standby(t *testing.T) *Node {
	t.Helper()
	f := newFakeNode(t)
	n := New(options(t, f, newWorld()))
	n.role.Store(standingBy)
	n.following = 1
	return n
}

// shipment is a call as its owner ships it.
func shipment(leg string) []byte {
	return encode(record{State: callflows.State{Call: callflows.Call{ID: callID, Tenant: "office", Leg: leg, Node: "node1"}, Phase: callflows.Running,
		Legs: []callflows.Leg{{ID: leg, Role: messages.RoleCaller, Created: true}}}})
}

// TestACallTooLargeToTravelIsNotOver: the standby forgets its state, and adopts it from its channel when it takes over.
func TestACallTooLargeToTravelIsNotOver(t *testing.T) {
	n := standby(t)
	s := n.shardOf(callerLeg)
	n.told(link.Record{Kind: link.KindSet, Key: callerLeg, Value: shipment(callerLeg)}, claim.Holder{})
	n.told(link.Record{Kind: link.KindOversize, Key: callerLeg}, claim.Holder{})
	if !s.stale(callerLeg) || n.Calls() != 0 {
		t.Errorf("adopted at a takeover: %t; %d calls", s.stale(callerLeg), n.Calls())
	}
	n.told(link.Record{Kind: link.KindSet, Key: callerLeg, Value: shipment(callerLeg)}, claim.Holder{})
	n.told(link.Record{Kind: link.KindForget, Key: callerLeg}, claim.Holder{})
	if s.stale(callerLeg) {
		t.Error("a call that is over would be adopted")
	}
}

// TestALegThatEndedUnreadIsFoundAtATakeover: the owner was late and died before it had read of the leg's end, which was told before this
// worker listened. An owner that has stepped what this worker has heard was not late: the end of a leg that is gone will be told.
func TestALegThatEndedUnreadIsFoundAtATakeover(t *testing.T) {
	for name, abreast := range map[string]bool{"the owner was late": false, "the owner was abreast": true} {
		t.Run(name, func(t *testing.T) {
			f, w := newFakeNode(t), newWorld()
			n := New(options(t, f, w))
			n.role.Store(watching)
			n.become(standingBy)
			n.following = 1
			r := record{State: ringing()}
			r.State.Call = callflows.Call{ID: callID, Leg: callerLeg, Tenant: "office", Version: 3, FlowID: "sales"}
			if abreast {
				rang := heardFrom(t, f, func() { f.event("CHANNEL_PROGRESS", calleeLeg, "outbound") })
				r.Stepped = map[string]uint64{calleeLeg: sequence(rang)}
				n.handle(esl.ShardOf(callerLeg, len(n.shards)), rang)
			}
			n.told(link.Record{Kind: link.KindSet, Key: callerLeg, Value: encode(r)}, claim.Holder{})
			n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
			c, err := esl.Dial(t.Context(), esl.Options{Address: f.listener.Addr().String(), Password: "secret", Events: subscription(), Handle: func(int, *esl.Event) {}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			n.takeOver(t.Context(), c, false)
			if abreast && (n.Calls() != 1 || len(w.cdrs) != 0) {
				t.Errorf("%d calls, %d records", n.Calls(), len(w.cdrs))
			}
			if !abreast && (n.Calls() != 0 || len(w.cdrs) != 2) {
				t.Errorf("%d calls, %d records", n.Calls(), len(w.cdrs))
			}
		})
	}
}

// TestALegThatIsBeingMovedIsLookedAfterAtATakeover: the owner may have been late, and may have died before it read that the leg had parked.
func TestALegThatIsBeingMovedIsLookedAfterAtATakeover(t *testing.T) {
	s := ringing()
	s.Call = callflows.Call{ID: callID, Leg: callerLeg, Tenant: "office", Version: 3, FlowID: "sales"}
	s.Stage, s.Legs, s.Transfer = "moving", s.Legs[:1], callflows.Transfer{Leg: callerLeg, Target: "102", By: "Eve"}
	f := holding(t, "", callerLeg)
	f.dump = strings.Replace(f.dump, "{", `{"variable_transfer_source":"1795376032:9b017880-1325-4c2d-a832-fdec00a7affb:bl_xfer:park/inline",`, 1)
	w := newWorld()
	n := New(transferable(t, f, w))
	n.role.Store(watching)
	n.become(standingBy)
	n.following = 1
	n.told(link.Record{Kind: link.KindSet, Key: callerLeg, Value: encode(record{State: s})}, claim.Holder{})
	n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
	c, err := esl.Dial(t.Context(), esl.Options{Address: f.listener.Addr().String(), Password: "secret", Events: subscription(), Handle: func(int, *esl.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	n.takeOver(t.Context(), c, false)
	w.said(t, "transferred_by_order")
}

// TestALegThatParksDuringATakeoverIsNotLookedAfter: that it has parked is told before the node is asked. The call goes on by that, and what
// it rings then is not rung once more.
func TestALegThatParksDuringATakeoverIsNotLookedAfter(t *testing.T) {
	s := ringing()
	s.Call = callflows.Call{ID: callID, Leg: callerLeg, Tenant: "office", Version: 3, FlowID: "sales"}
	s.Stage, s.Legs, s.Transfer = "moving", s.Legs[:1], callflows.Transfer{Leg: callerLeg, Target: "102", By: "Eve"}
	const source = "1795376032:9b017880-1325-4c2d-a832-fdec00a7affb:bl_xfer:park/inline"
	f := holding(t, "", callerLeg)
	f.dump = strings.Replace(f.dump, "{", `{"variable_transfer_source":"`+source+`",`, 1)
	w := newWorld()
	n := New(transferable(t, f, w))
	n.role.Store(watching)
	n.become(standingBy)
	n.following = 1
	n.told(link.Record{Kind: link.KindSet, Key: callerLeg, Value: encode(record{State: s})}, claim.Holder{})
	n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
	parked := heardFrom(t, f, func() {
		f.event("CHANNEL_PARK", callerLeg, "inbound", "Answer-State: answered", "variable_transfer_source: "+source)
	})
	c, err := esl.Dial(t.Context(), esl.Options{Address: f.listener.Addr().String(), Password: "secret", Events: subscription(), Handle: func(int, *esl.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f.beforeAnswers(func(command string) {
		if strings.HasPrefix(command, "api show") {
			n.handle(esl.ShardOf(callerLeg, len(n.shards)), parked)
			sh := n.shardOf(callerLeg)
			sh.mu.Lock()
			sh.calls[callerLeg].queued = 0 // it has been sent
			sh.mu.Unlock()
		}
	})
	n.takeOver(t.Context(), c, false)
	w.said(t, "transferred_by_order")
	for len(w.reasons) > 0 {
		if code := <-w.reasons; code == "resumed" {
			t.Error("it is rung anew")
		}
	}
}

// TestWhatEndedWhileTheLinkWasDownIsForgotten: the picture of the next link decides.
func TestWhatEndedWhileTheLinkWasDownIsForgotten(t *testing.T) {
	n := standby(t)
	const other = "aaaaaaaa-2222-4222-8222-222222222222"
	for _, leg := range []string{callerLeg, other} {
		n.told(link.Record{Kind: link.KindSet, Key: leg, Value: shipment(leg)}, claim.Holder{})
		n.told(link.Record{Kind: link.KindSet, Key: cdrKey + leg, Value: encode(messages.CDR{Leg: leg})}, claim.Holder{})
	}
	n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
	n.following++
	n.told(link.Record{Kind: link.KindSet, Key: other, Value: shipment(other)}, claim.Holder{})
	n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
	s := n.shardOf(callerLeg)
	if s.calls[callerLeg] != nil || s.calls[other] == nil || n.Calls() != 1 || len(n.cdrs) != 0 {
		t.Errorf("calls %v, %d live, records %v", s.calls, n.Calls(), n.cdrs)
	}
}

// heardFrom gives an event as a worker gets it.
func heardFrom(t *testing.T, f *fakeNode, say func()) *esl.Event {
	t.Helper()
	events := make(chan *esl.Event, 1)
	c, err := esl.Dial(t.Context(), esl.Options{Address: f.listener.Addr().String(), Password: "secret", Events: subscription(),
		Handle: func(_ int, e *esl.Event) { events <- e.Clone() }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	<-f.up
	say()
	select {
	case e := <-events:
		return e
	case <-time.After(patience):
		t.Fatal("no event")
	}
	return nil
}

// TestWhatIsHeardBeforeThePictureIsKept: a standby that has just come hears of a call's next event before the owner has told
// of that call. Should the owner end before it has stepped the event, the standby steps it.
func TestWhatIsHeardBeforeThePictureIsKept(t *testing.T) {
	f := newFakeNode(t)
	n := New(options(t, f, newWorld()))
	n.role.Store(watching)
	n.become(standingBy)
	n.following = 1
	s := n.shardOf(callerLeg)
	ended := heardFrom(t, f, func() {
		f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: bridge", "Application-UUID: "+callID+"/2",
			"variable_originate_disposition: USER_BUSY")
	})
	n.handle(esl.ShardOf(callerLeg, len(n.shards)), ended)
	n.told(link.Record{Kind: link.KindSet, Key: callerLeg, Value: shipment(callerLeg)}, claim.Holder{})
	n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
	if c := s.calls[callerLeg]; c == nil || len(c.kept) != 1 || c.kept[0].event.Kind != callflows.RingEnded {
		t.Errorf("the call is %+v", c)
	}
}

// TestAWorkerThatLeavesAloneVacatesItsPlace and makes no move at the node any more: its claim is over, and the next worker
// finds a vacant place.
func TestAWorkerThatLeavesAloneVacatesItsPlace(t *testing.T) {
	f := newFakeNode(t)
	first, stop := worker(t, f, "worker1.a")
	first.up(t)
	stop()
	if owner := f.global(claim.OwnerVariable); owner != "1@nobody@-" {
		t.Errorf("the node is held by %s", owner)
	}
	second, _ := worker(t, f, "worker2.b")
	second.up(t)
	if owner := f.global(claim.OwnerVariable); !strings.HasPrefix(owner, "2@worker2.b@") {
		t.Errorf("the node is held by %s", owner)
	}
}

// TestAWaitEndsAtTheSuccessor: the owner leaves while a call waits for a timer. The standby knows when it is over.
func TestAWaitEndsAtTheSuccessor(t *testing.T) {
	f := newFakeNode(t)
	sleeps, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{{ID: "office", Domain: "office.example", TimeZone: "UTC",
		Published: tenants.Published{Flows: []tenants.Flow{{ID: "sales", Start: "wait", Elements: map[string]tenants.Element{
			"wait": {Type: "sleep", Settings: []byte(`{"seconds":1}`), Exits: map[string]string{"next": "bye"}}, "bye": {Type: "hangup"}}}}}}}}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	waiting := func(o *Options) { o.Snapshot = func() *tenants.Snapshot { return sleeps } }
	first, stopFirst := workerThat(t, f, "worker1.a", waiting)
	first.up(t)
	second, _ := workerThat(t, f, "worker2.b", waiting)
	second.picture(t)
	f.event("CHANNEL_CREATE", callerLeg, "inbound")
	f.event("CHANNEL_PARK", callerLeg, "inbound")
	f.ordered("execute-app-name: ring_ready")
	f.event("CHANNEL_EXECUTE_COMPLETE", callerLeg, "inbound", "Application: ring_ready", "Application-UUID: "+callID+"/1", "Answer-State: ringing")
	first.said(t, "sleeping")
	stopFirst()
	second.up(t)
	f.ordered("uuid_kill " + callerLeg + " NORMAL_CLEARING")
}

// TestATimerWaitsForTheLastOwnersOrders: what follows from a timer is written on the channel. Before the node is asked for an order of the last
// owner's, that would be taken for evidence that it has got the order: its prompt would be waited for for ever.
func TestATimerWaitsForTheLastOwnersOrders(t *testing.T) {
	sleeps, faults := tenants.NewSnapshot(tenants.Data{Tenants: []tenants.Tenant{{ID: "office", Domain: "office.example", TimeZone: "UTC",
		Published: tenants.Published{Flows: []tenants.Flow{{ID: "sales", Start: "wait", Elements: map[string]tenants.Element{
			"wait": {Type: "sleep", Settings: []byte(`{"seconds":1}`)}}}}}}}}, callflows.ParseSettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	w := newWorld()
	o := options(t, newFakeNode(t), w)
	o.Snapshot = func() *tenants.Snapshot { return sleeps }
	n := New(o)
	n.role.Store(watching)
	n.become(standingBy)
	n.following = 1
	due := wait{N: 2, Leg: callerLeg, Due: time.Now().Add(time.Hour)}
	n.told(link.Record{Kind: link.KindSet, Key: callerLeg, Value: encode(record{
		State: callflows.State{Call: callflows.Call{ID: callID, Leg: callerLeg, Tenant: "office", FlowID: "sales"}, Phase: callflows.Running, FlowID: "sales",
			Element: "wait", Stage: "sleeping", Commands: 2, Awaited: 2, Legs: []callflows.Leg{{ID: callerLeg, Role: messages.RoleCaller, Created: true}}},
		Orders: []callflows.Command{{Kind: callflows.SignalRinging, N: 1, Leg: callerLeg}}, Waits: []wait{due},
	})}, claim.Holder{})
	n.told(link.Record{Kind: link.KindComplete}, claim.Holder{})
	n.role.Store(owning)
	s := n.shardOf(callerLeg)
	s.mu.Lock()
	open, c := s.inherit(false), s.calls[callerLeg]
	s.mu.Unlock()
	if len(open) != 1 {
		t.Fatalf("%d orders are open, not one", len(open))
	}
	s.fire(c, due)
	if len(s.outbox) > 0 {
		t.Error("a timer went ahead of an order of the last owner's")
	}
	n.settled()
	s.fire(c, due)
	if len(s.outbox) == 0 {
		t.Error("the timer has no effect")
	}
}
