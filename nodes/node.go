package nodes

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
	"tandem/nodes/claim"
	"tandem/nodes/link"
	"tandem/tenants"
)

// Ledger takes what must not be lost. None of its methods blocks.
type Ledger interface {
	AddCDR(messages.CDR)
	AddJournal(messages.JournalEntry) // of whose Input and Output nothing may be kept: their room is used again
	AddRecording(messages.Recording)
}

// Contacts answers where a tenant's device can be reached now.
type Contacts interface {
	Contacts(t *tenants.Tenant, device string, now time.Time) []callflows.Contact
}

// CallsOut counts the calls that are out by trunks.
type CallsOut interface {
	// Out says by which trunk a call is out from now on; "" is by none.
	Out(call, tenant, trunk string, now time.Time)
	// Count says how many calls of a tenant and by each of these trunks are out now, and were begun within the last second.
	// The call that asks is not counted among those that are out.
	Count(call, tenant string, trunks []string, now time.Time) callflows.Counts
}

// Finder answers which live call of a tenant is the wanted one.
type Finder interface {
	// FindCall looks among the calls of the tenant of the call that asks, that call aside. It gives nil when there is none.
	FindCall(asks callflows.Call, wanted callflows.Wanted, now time.Time) *callflows.Found
}

// Talking knows which devices are in a call.
type Talking interface {
	// Talks says which devices are in a call from now on; none when it is over, or another worker drives it.
	Talks(call, tenant string, devices []string)
	// Talking gives those of a tenant's devices that are in another call than the one that asks.
	Talking(call, tenant string, devices []string) []string
}

// Announcer tells the other workers. What cannot be sent now is dropped: the next announcement makes up for it.
type Announcer interface {
	AnnounceCall(messages.CallEvent)
	AnnounceNode(messages.NodeEvent)
}

// Options say which node to own and what to do it with. All fields but Versions, Live, Watcher, Shards, Announce and Logger are needed.
type Options struct {
	Node      tenants.Node
	Password  string // of the event socket
	Profile   string // sofia profile that calls leave by
	Worker    string // name of this worker
	Snapshot  func() *tenants.Snapshot
	Versions  Versions // nil: versions that the snapshot does not hold are not fetched
	Ledger    Ledger
	Contacts  Contacts
	Announcer Announcer
	Live      LiveAnnouncer                                // nil: live calls and dialogs are not announced
	CallsOut  CallsOut                                     // nil: calls out are not counted, so that no limit of theirs holds
	Finder    Finder                                       // nil: no other call is ever found
	Talking   Talking                                      // nil: nobody is known to be in a call
	Settings  Settings                                     // nil: no call can change a setting
	Prompts   func(tenant, language, prompt string) string // what a prompt's name is for the node: a file or a stream
	Media     string                                       // the media folder, as the node sees it; empty: nothing is recorded
	Mailboxes Mailboxes                                    // nil: no box can be opened
	Speech    Speech                                       // the zero value: nothing is spoken
	Fetcher   Fetcher                                      // nil: no HTTP server is asked
	Mover     Mover                                        // nil: no call moves to or from other nodes
	Rescuer   Rescuer                                      // nil: the calls of a node that is lost wait for it to come back
	// Link, when given, lets several workers share the node: one owns it, one stands by. Without it this worker takes the
	// node as its own, and must be the only one that does.
	Link     *link.Server
	Reached  string  // host:port by which other workers reach Link; empty: where it listens
	Secret   []byte  // that workers know each other by on their links
	Watcher  Watcher // may be nil
	Shards   int
	Announce time.Duration // how often the node's state is announced
	Logger   *slog.Logger
	// Unexplained leaves out reasons and journal: for measuring what they cost.
	Unexplained bool
}

// Bounds and defaults of owning a node.
const (
	maxRoom         = 64 << 10 // bytes that a shard keeps for writing entries of the journal
	defaultShards   = 8
	defaultAnnounce = 2 * time.Second
	outboxLength    = 1024             // commands of one shard that wait for the connection
	resendWait      = 10 * time.Second // a command that could not be sent by then is given up
	resendPause     = 20 * time.Millisecond
	dialWait        = time.Second // for a connection to a node that is shared
	maxAsked        = 1024        // legs that wait to be asked for
	maxUnheard      = 4096        // events of one shard that are kept until it is reconciled
)

// Node is one owned media node.
type Node struct {
	options Options
	shards  []*shard
	log     *slog.Logger
	up      atomic.Pointer[esl.Conn]   // nil while the event socket is down
	live    atomic.Int64               // calls that are not over
	role    atomic.Int32               // of this worker at the node
	link    atomic.Pointer[link.Owner] // to the standby, while this worker owns the node
	lease   atomic.Pointer[claim.Lease]
	owner   atomic.Pointer[claim.Holder] // who owns the node, as this worker saw it last
	traffic traffic
	gap     gap
	term    atomic.Int64 // counts the times that this worker became the owner
	asking  chan string  // callers' legs of whose calls nothing is known
	wanting chan wanted  // calls whose version is not in memory
	late    lateness
	gaps    atomic.Int64 // connections that have ended: what began before the last one may have missed events
	started sync.WaitGroup

	contending sync.Mutex // held by whoever makes moves at the node
	claims     claims
	staying    context.Context // ends when this worker is to leave
	leave      context.CancelFunc
	telling    telling // to the other workers
	looks      looks   // at legs whose dialogs are not known

	following int // counts the links to owners; of the goroutine that contends, and of what it starts

	arrivals  arrivals      // calls that come from other nodes
	departing chan struct{} // one token: calls that move are to be looked at
	departs   atomic.Bool   // there are some

	death    death
	deceased atomic.Bool // the node is dead, and this worker rescues its calls
	core     string      // what the node's process calls itself; of the goroutine that is connected
	reborn   atomic.Bool // another process is there, which has none of the calls

	cdrsMu sync.Mutex
	cdrs   map[string]heldCDR // records of legs that are not known to be safe yet

	recordings map[string]heldRecording // likewise, under the same lock
	inquiring  chan struct{}            // holds one for each inquiry under way
}

// heldCDR is a record that is kept until it is safe.
type heldCDR struct {
	messages.CDR
	told int // by which link to the owner; 0: it is our own
}

// What a worker is to a node.
const (
	watching   int32 = iota // another worker owns it
	standingBy              // keeps what the owner ships, and the events since
	owning
	stranded // keeps the calls of a node that it has lost, until that is back or dead
)

// shard drives the calls whose uuids fall to it. Its lock is held during a step: the connection's goroutine of the shard
// and the shard's own sender take turns.
type shard struct {
	node   *Node
	mu     sync.Mutex
	calls  map[string]*call // by the uuid of each leg
	outbox chan order

	room      []byte           // in which entries of the journal are written, one after the other
	elsewhere *callflows.Party // the leg of another call that the event being handled is about as well; nil: none

	unsure  bool         // calls may be adopted still, or told of by the owner
	doubts  *[]order     // while a silent owner's events are stepped: orders that it may have given itself
	unheard []*esl.Event // of channels that belong to no call yet
	gone    remembered   // channels of calls that the owner has brought to their end, while standing by
	since   uint64       // while standing by: Event-Sequence of the first event that was heard; 0: none yet
	abreast bool         // the owner has stepped that one or a later one: what came before it is in what it ships
}

// call is one call in progress.
type call struct {
	config  callflows.Config
	state   callflows.State
	out     string   // the trunk by which it is counted as out
	talking []string // devices that are told to be in it
	steps   int      // number of the next journal entry
	gaps    int64    // how many connections had ended when it began

	channels []string            // every channel that leads to this call
	stepped  map[string]uint64   // by channel: Event-Sequence of the last event that was stepped
	orders   []callflows.Command // commands of which it is not known that the node took them
	waits    []wait              // timers that have not fired
	asked    []question          // HTTP requests that are under way
	queued   int                 // the last command that waits to be sent; 0 for none
	taken    int                 // the last command that the node has taken of this worker,
	takenOn  *esl.Conn           // and on which connection
	resuming bool                // what it waited for is being broken off
	kept     []heard             // while standing by: events after those that the owner has stepped
	told     int                 // by which link to the owner; 0: by none
	pin      pin
	late     bool // it began under another worker, and nothing of its state is known yet
	moving   bool // its leg was being moved at a takeover, and that it has parked may have been told before this worker listened
	before   bool // it may have begun before this worker listened
	doubted  bool // the end of a leg may have been told before this worker listened, to an owner that never read it
	unclear  bool // it is not known yet what became of the last owner's orders
	unmarked bool // its driven leg is to be marked when it is known

	inquiries []callflows.Command // inquiries that are not answered

	departure *departure // nil: it is not on its way to another node
	arriving  bool       // it has come from another node, and waits for its version
	stays     time.Time  // it is not to be moved before

	dialogs map[string]*messages.Dialog // of answered legs; they never change
	early   map[string]earlyDialog      // of legs, since before they were answered
	news    uint64                      // digest of what was told of its legs last
}

// Own connects to a node and drives its calls until ctx ends, or stands by for whoever does. Lost connections are made
// again. When ctx ends, an owner hands the node over to its standby first.
func Own(ctx context.Context, o Options) { New(o).Run(ctx) }

// Run is Own for a Node that is made already.
func (n *Node) Run(ctx context.Context) {
	// What runs below ends a moment after ctx, so that there is a connection to hand over with.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer n.started.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		n.handOver()
		cancel()
	})
	defer stop()
	for _, s := range n.shards {
		n.started.Go(func() { s.send(running) })
	}
	n.started.Go(func() { n.announce(running) })
	if n.options.Live != nil {
		n.started.Go(func() { n.tell(running) })
		n.started.Go(func() { n.look(running) })
	}
	if n.options.Mover != nil {
		n.started.Go(func() { n.depart(running) })
	}
	if n.rescues() {
		n.started.Go(func() { n.mourn(running) })
	}
	n.started.Go(func() { n.ask(running) })
	n.started.Go(func() { n.fetch(running) })
	socket := esl.Options{
		Address: n.options.Node.EventSocket, Password: n.options.Password, Events: subscription(), Shards: len(n.shards),
		Handle: n.handle, Logger: n.log,
	}
	if n.options.Link != nil {
		// What the node has not got while this worker's lease lasts must not reach it when another worker owns it.
		socket.DialTimeout, socket.Unacknowledged = dialWait, claim.LeaseFor
	}
	esl.Supervise(running, socket, n.connected, n.lost)
}

// lost is told when a connection has ended or could not be made. An owner that cannot reach the node gives it up once its
// lease is over: its standby may reach it.
func (n *Node) lost(g esl.Gap) {
	n.contending.Lock()
	defer n.contending.Unlock()
	if n.options.Link != nil && n.role.Load() == owning && !n.mayWrite() {
		n.log.Warn("this worker gives the media node up: it cannot reach it")
		n.giveUp()
	}
	if n.rescues() && g.Attempt > 0 {
		n.suspect()
	}
	if g.Attempt == 1 {
		n.log.Warn("media node cannot be reached", slog.Any("error", g.Err))
	}
}

// New prepares to own a node, or to stand by.
func New(o Options) *Node {
	if o.Shards <= 0 {
		o.Shards = defaultShards
	}
	if o.Announce <= 0 {
		o.Announce = defaultAnnounce
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Link != nil && o.Reached == "" {
		o.Reached = o.Link.Addr()
	}
	n := &Node{options: o, log: o.Logger.With(slog.String("node", o.Node.Name)), cdrs: map[string]heldCDR{}, recordings: map[string]heldRecording{},
		inquiring: make(chan struct{}, maxInquiries), asking: make(chan string, maxAsked), wanting: make(chan wanted, maxWanted)}
	n.staying, n.leave = context.WithCancel(context.Background())
	n.telling.init()
	n.looks.init()
	n.arrivals.init()
	n.departing = make(chan struct{}, 1)
	n.death.suspected = make(chan struct{}, 1)
	if o.Link == nil {
		n.role.Store(owning) // from the first event on: nobody else will
	}
	for range o.Shards {
		n.shards = append(n.shards, &shard{node: n, calls: map[string]*call{}, unsure: true, outbox: make(chan order, outboxLength)})
	}
	return n
}

// shardOf gives the shard of a leg as package esl chooses it for the leg's events.
func (n *Node) shardOf(leg string) *shard { return n.shards[esl.ShardOf(leg, len(n.shards))] }

// connected runs while a connection is up. A worker that shares the node finds out what it is to it; one that does not
// owns it.
func (n *Node) connected(ctx context.Context, c *esl.Conn) {
	n.up.Store(c)
	n.log.InfoContext(ctx, "media node is up", slog.String("event_socket", n.options.Node.EventSocket))
	n.recognise(ctx, c)
	if n.options.Link != nil {
		n.contend(ctx, c)
		<-ctx.Done() // who leaves needs the connection still
	} else {
		n.reconcile(ctx, c)
		n.announceNow(messages.NodeUp)
		n.telling.soon()
		<-ctx.Done()
	}
	lost := time.Now().UTC()
	n.death.at.Store(&lost)
	n.up.CompareAndSwap(c, nil)
	n.gaps.Add(1)
	for _, s := range n.shards {
		s.doubt()
	}
	if n.speaks() {
		n.announceNow(messages.NodeDown)
	}
	n.log.WarnContext(ctx, "media node's event socket is lost", slog.Any("reason", c.Err()))
}

// announce tells the other workers regularly about the node.
func (n *Node) announce(ctx context.Context) {
	tick := time.NewTicker(n.options.Announce)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.Announce()
		}
	}
}

// Announce tells the other workers about the node at once, if it is for this worker to do so: its configuration has changed.
func (n *Node) Announce() {
	if !n.speaks() {
		return
	}
	state := messages.NodeDown
	if n.up.Load() != nil {
		state = messages.NodeUp
	}
	n.announceNow(state)
}

// speaks says whether this worker tells the others about the node: its owner does, as long as it certainly is the owner. One
// whose lease is over may have been replaced by a worker that reaches the node.
func (n *Node) speaks() bool { return n.role.Load() == owning && n.mayWrite() }

func (n *Node) announceNow(state messages.NodeState) {
	if state == messages.NodeUp && n.draining() {
		state = messages.NodeDraining
	}
	e := messages.NodeEvent{
		Type: messages.NodeEventV1, Node: n.options.Node.Name, SIPURI: n.options.Node.SIPURI, State: state,
		Calls: int(n.live.Load()), At: time.Now().UTC(), Worker: n.options.Worker, Load: n.traffic.load.Load(),
	}
	if owner := n.owner.Load(); owner != nil && owner.Worker == n.options.Worker {
		e.Epoch = owner.Epoch
	}
	n.options.Announcer.AnnounceNode(e)
}

// draining says whether the configuration of this moment wants no new calls on the node.
func (n *Node) draining() bool {
	return slices.ContainsFunc(n.options.Snapshot().Nodes(), func(o tenants.Node) bool { return o.Name == n.options.Node.Name && o.Draining })
}

// Owns says whether this worker is the node's owner.
func (n *Node) Owns() bool { return n.role.Load() == owning }

// Calls is the number of live calls.
func (n *Node) Calls() int { return int(n.live.Load()) }
