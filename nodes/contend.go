package nodes

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"syscall"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
	"tandem/nodes/claim"
	"tandem/nodes/link"
)

// Bounds of sharing a node.
const (
	shipWait     = 5 * time.Millisecond   // a command waits so long for the standby to have what it follows from
	lookEvery    = 200 * time.Millisecond // how often a watcher looks at the node's two places
	probeWait    = 200 * time.Millisecond // of asking whether a worker's process is there
	evidenceWait = 25 * time.Millisecond  // a dead owner's last bytes are read by then: the node looks every 20 ms
	handOverWait = 2 * time.Second
	listLag      = time.Second // the node's list of channels is not further behind
)

// claims is what this worker knows of the node's places besides what the node says.
type claims struct {
	me      claim.Holder // this worker's own claim to the node, while it has one
	highest uint64
	gone    claim.Holder // an owner whose process has ended, or who has left
}

// contend finds out what this worker is to the node, again and again, while a connection is up.
func (n *Node) contend(ctx context.Context, c *esl.Conn) {
	node := claim.OnNode(c)
	for ctx.Err() == nil {
		if err := n.turn(ctx, c, node); err != nil && ctx.Err() == nil {
			var lost *claim.LostError
			if !errors.As(err, &lost) {
				n.log.WarnContext(ctx, "who owns the media node is not clear", slog.Any("error", err))
			}
			pause(ctx, lookEvery)
		}
	}
}

// turn looks at the node's places, makes a move, and takes the part that it has then, for as long as it lasts.
func (n *Node) turn(ctx context.Context, c *esl.Conn, node claim.Node) error {
	asked := time.Now()
	owner, standby, err := claim.Read(ctx, node)
	if err != nil {
		return err
	}
	n.claims.highest = max(n.claims.highest, owner.Epoch)
	view := claim.View{Worker: n.options.Worker, Link: n.options.Link.Addr(), OwnerClaim: owner, StandbyClaim: standby, Highest: n.claims.highest}
	view.OwnerGone = owner == n.claims.gone || !owner.Vacant() && owner.Worker != view.Worker && n.away(ctx, owner)
	view.StandbyGone = !standby.Vacant() && standby.Worker != view.Worker && n.away(ctx, standby)
	move := view.Next()
	if move.Action != claim.Stay {
		asked = time.Now()
		holder, err := move.Make(ctx, node)
		if err != nil {
			return err
		}
		if move.Action == claim.ClaimNode {
			owner = holder
		}
		if move.Action == claim.ClaimNode {
			return n.own(ctx, c, node, owner, asked)
		}
		return nil
	}
	switch view.Role() {
	case claim.Owner:
		return n.own(ctx, c, node, owner, asked)
	case claim.Standby:
		return n.standBy(ctx, owner)
	case claim.Watcher:
		n.become(watching)
		pause(ctx, lookEvery)
	}
	return nil
}

// away says whether the process that holds a claim is certainly not there: nothing listens at its link, or it is this
// process's own address of an earlier run.
func (n *Node) away(ctx context.Context, h claim.Holder) bool {
	if h.Link == n.options.Link.Addr() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, probeWait)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", h.Link)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// become changes what this worker is to the node. Who stops owning or standing by forgets the calls: another worker has
// them.
func (n *Node) become(role int32) {
	n.pauseSteps(func() { n.change(role) })
}

// change is become with the steps paused.
func (n *Node) change(role int32) {
	before := n.role.Swap(role)
	if role == owning && before != owning {
		for _, s := range n.shards {
			s.unsure, s.unheard = true, nil
		}
	}
	if before == role || before == watching || role == owning {
		return
	}
	for _, s := range n.shards {
		s.calls, s.gone = map[string]*call{}, remembered{}
	}
	n.live.Store(0)
	n.cdrsMu.Lock()
	clear(n.cdrs)
	n.cdrsMu.Unlock()
}

// own drives the node's calls until this worker is deposed or the connection ends.
func (n *Node) own(ctx context.Context, c *esl.Conn, node claim.Node, me claim.Holder, asked time.Time) error {
	again := n.role.Load() == owning && n.claims.me == me
	n.claims.me, n.claims.highest = me, max(n.claims.highest, me.Epoch)
	if !again {
		lease := &claim.Lease{}
		lease.Renewed(asked)
		n.lease.Store(lease)
		n.link.Store(n.options.Link.Own(n.options.Node.Name, me.Epoch, n.snapshot))
	}
	lease := n.lease.Load()
	ours, cancel := context.WithCancel(ctx)
	defer cancel()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		_ = claim.Keep(ours, node, me, lease, func(h claim.Holder) {
			n.log.WarnContext(ctx, "another worker owns the media node now", slog.String("owner", h.Worker), slog.Uint64("epoch", h.Epoch))
			cancel()
		})
	}()
	n.log.InfoContext(ctx, "owning the media node", slog.Uint64("epoch", me.Epoch))
	if n.role.Load() == standingBy {
		n.takeOver(ctx, c)
	} else {
		n.become(owning)
		n.reconcile(ctx, c)
	}
	n.announceNow(messages.NodeUp)
	n.started.Go(func() {
		// What began just before this worker owned the node may not have been listed yet.
		if pause(ours, listLag) {
			n.reconcile(ours, c)
		}
	})
	n.watchStandby(ours, node)
	<-kept
	if ctx.Err() == nil { // deposed
		n.release()
	}
	return nil
}

// release gives the node up without a word: another worker owns it.
func (n *Node) release() {
	n.become(watching)
	if owner := n.link.Swap(nil); owner != nil {
		owner.Release()
	}
}

// watchStandby vacates the standby's place when whoever holds it is not at the other end of the link.
func (n *Node) watchStandby(ctx context.Context, node claim.Node) {
	missing := time.Time{}
	for pause(ctx, lookEvery) {
		_, standby, err := claim.Read(ctx, node)
		if err != nil || standby.Vacant() {
			missing = time.Time{}
			continue
		}
		if there, ok := n.link.Load().Standby(); ok && there == standby.Worker {
			missing = time.Time{}
			continue
		}
		if missing.IsZero() {
			missing = time.Now()
		}
		if time.Since(missing) >= claim.ReplaceAfter {
			_ = claim.LeaveStandby(ctx, node, standby)
		}
	}
}

// snapshot gives a standby that comes every call and every record that is not safe. What changes meanwhile is shipped, and
// the link prefers that; so nothing is locked while it yields.
func (n *Node) snapshot(yield func(key string, value []byte) bool) {
	for _, s := range n.shards {
		for leg, value := range s.records() {
			if !yield(leg, value) {
				return
			}
		}
	}
	n.cdrsMu.Lock()
	cdrs := maps.Clone(n.cdrs)
	n.cdrsMu.Unlock()
	for leg, cdr := range cdrs {
		if !yield(cdrKey+leg, encode(cdr)) {
			return
		}
	}
}

// records writes every call of the shard.
func (s *shard) records() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]byte{}
	for leg, c := range s.calls {
		if leg == c.state.Call.Leg {
			all[leg] = encodeRecord(c)
		}
	}
	return all
}

// standBy follows the owner until the link ends, and says what that means.
func (n *Node) standBy(ctx context.Context, owner claim.Holder) error {
	n.become(watching)
	n.become(standingBy)
	f, err := link.Follow(ctx, link.FollowOptions{Address: owner.Link, Node: n.options.Node.Name, Worker: n.options.Worker, Epoch: owner.Epoch,
		Secret: n.options.Secret, Logger: n.log, Handle: n.told})
	if err != nil {
		n.become(watching)
		if errors.Is(err, link.ErrNotOwned) {
			n.claims.gone = owner
		}
		return err
	}
	defer f.Close()
	n.log.InfoContext(ctx, "standing by for the media node", slog.String("owner", owner.Worker), slog.Uint64("epoch", owner.Epoch))
	select {
	case <-ctx.Done():
		n.become(watching)
		return nil
	case <-f.Done():
	}
	switch err := f.Err(); {
	case errors.Is(err, link.ErrPeerClosed), errors.Is(err, link.ErrHandedOver), errors.Is(err, link.ErrReleased):
		n.claims.gone = owner
	case errors.Is(err, link.ErrSilent):
		if pause(ctx, claim.ReplaceAfter) {
			n.claims.gone = owner
		}
	default:
		return err
	}
	return nil
}

// told takes what the owner ships.
func (n *Node) told(r link.Record) {
	switch r.Kind {
	case link.KindSet:
		n.shipped(r.Key, r.Value)
	case link.KindForget, link.KindOversize: // a call that is too large to travel is adopted from its channel
		n.shipped(r.Key, nil)
	case link.KindComplete:
		n.log.Info("the standby has the whole picture", slog.Int64("calls", n.live.Load()))
	}
}

// takeOver makes the calls that this worker has stood by for its own: it steps the events that the dead owner had not,
// and sees to the commands of which it is not known that the node took them.
func (n *Node) takeOver(ctx context.Context, c *esl.Conn) {
	var open []order
	n.pauseSteps(func() {
		n.role.Store(owning)
		for _, s := range n.shards {
			open = append(open, s.inherit()...)
			s.unsure, s.unheard = false, nil
		}
	})
	n.cdrsMu.Lock()
	for _, cdr := range n.cdrs {
		n.options.Ledger.AddCDR(cdr)
	}
	n.cdrsMu.Unlock()
	n.settle(ctx, c, open)
	n.reconcile(ctx, c) // calls that the standby did not have yet
}

// inherit steps what was kept, and returns the commands that are open.
func (s *shard) inherit() []order {
	var open []order
	seen := map[*call]bool{}
	for _, c := range s.calls {
		if seen[c] {
			continue
		}
		seen[c] = true
		kept, orders := c.kept, c.orders
		c.kept = nil
		for _, h := range kept {
			orders = withoutAnswered(orders, h.event)
		}
		for _, command := range orders {
			if built, err := s.node.build(c.state.Call, command); err == nil {
				open = append(open, order{call: c, facts: c.state.Call, command: command, built: built, at: time.Now().UTC(), mark: encodeMark(c.state, c.steps)})
			}
		}
		for _, h := range kept {
			c.note(h.channel, h.sequence)
			s.step(c, h.event)
		}
	}
	return open
}

// withoutAnswered leaves out the commands that an event proves to have been taken.
func withoutAnswered(orders []callflows.Command, e callflows.Event) []callflows.Command {
	var left []callflows.Command
	for _, o := range orders {
		proven := e.Command == o.N || e.Kind == callflows.Answered && o.Kind == callflows.Answer
		for _, t := range o.Targets {
			proven = proven || t.Leg == e.Leg
		}
		if !proven {
			left = append(left, o)
		}
	}
	return left
}

// settle sends the commands that never reached the node, and leaves alone those that did. A hang-up is sent at once: twice
// is as good as once. For the others the dead owner's last bytes are waited for, and then the channel's mark says.
func (n *Node) settle(ctx context.Context, c *esl.Conn, open []order) {
	var unclear []order
	for _, o := range open {
		if o.command.Kind == callflows.HangUp {
			n.shardOf(o.facts.Leg).resend(o)
		} else {
			unclear = append(unclear, o)
		}
	}
	if len(unclear) == 0 || !pause(ctx, evidenceWait) {
		return
	}
	for _, o := range unclear {
		reply, err := c.Send(ctx, esl.UUIDGetvar(o.facts.Leg, markVariable))
		if err != nil {
			return
		}
		state, _, err := decodeMark(reply.Text, o.facts)
		if reply.Err() == nil && (err != nil || state.Commands < o.command.N) {
			n.shardOf(o.facts.Leg).resend(o)
		}
	}
}

// resend sends an order of the dead owner that never reached the node, if the call still waits for it.
func (s *shard) resend(o order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.command.Kind != callflows.HangUp && o.call.state.Awaited != o.command.N {
		return
	}
	select {
	case s.outbox <- o:
	default:
		s.node.log.Error("an order could not be sent after a takeover", slog.String("call_id", o.facts.ID))
	}
}

// handOver gives the node to the standby, if this worker owns it and there is one.
func (n *Node) handOver() {
	owner := n.link.Load()
	if owner == nil || n.role.Load() != owning {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), handOverWait)
	defer cancel()
	n.pauseSteps(func() {
		if err := owner.HandOver(ctx); err != nil {
			n.log.Warn("the media node was not handed over; a standby takes it when this process has ended", slog.Any("error", err))
		}
		n.role.Store(watching)
	})
	if c := n.up.Load(); c != nil {
		n.lease.Load().End()
		_ = claim.Leave(ctx, claim.OnNode(c), n.claims.me)
	}
}

// pauseSteps does something while no step runs. Orders that wait are part of the calls' states.
func (n *Node) pauseSteps(do func()) {
	for _, s := range n.shards {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	do()
}

// pause waits; false says that ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
