package nodes

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"syscall"
	"time"

	"tandem/esl"
	"tandem/messages"
	"tandem/nodes/claim"
	"tandem/nodes/link"
)

// Bounds of sharing a node.
const (
	shipWait     = 5 * time.Millisecond   // a command waits so long for the standby to have what it follows from
	writeWait    = 2 * link.StallLimit    // and so long for the kernel to have it; a standby that takes nothing is cut off before
	lookEvery    = 200 * time.Millisecond // how often a watcher looks at the node's two places
	probeWait    = 200 * time.Millisecond // of asking whether a worker's process is there
	lookWait     = 50 * time.Millisecond  // the same when a caller waits
	evidenceWait = 25 * time.Millisecond  // a dead owner's last bytes are read by then
	nodeLooks    = 20 * time.Millisecond  // FreeSWITCH looks so often what its clients say, and tells them what is new
	maxEvidence  = 425 * time.Millisecond // the longest wait for these bytes, at a node that is late
	slowAnswer   = 30 * time.Millisecond  // a node that takes longer to say what it has may not have read them yet
	maxLooks     = 8                      // at a node that is slow
	handOverWait = 2 * time.Second
	listLag      = time.Second // the node's list of channels is not further behind
)

// claims is what this worker knows of the node's places besides what the node says.
type claims struct {
	me      claim.Holder // this worker's own claim to the node, while it has one
	highest claim.Holder // the owner with the highest epoch that was seen
	tried   uint64       // the highest epoch that this worker has asked for
	gone    claim.Holder // an owner whose process has ended, or who has left
	silent  bool         // gone is only known to be silent: it may have ordered what nobody was told of
}

// see remembers the latest owner.
func (c *claims) see(owner claim.Holder) {
	if owner.Epoch > c.highest.Epoch {
		c.highest = owner
	}
}

// contend finds out what this worker is to the node, again and again, while a connection is up and this worker does not leave.
func (n *Node) contend(ctx context.Context, c *esl.Conn) {
	n.contending.Lock()
	defer n.contending.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(n.staying, cancel)()
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
	n.claims.see(owner)
	n.owner.Store(&owner)
	if n.role.Load() == stranded && owner.Epoch > n.death.epoch { // another worker has driven its calls since
		n.release()
	}
	view := claim.View{Worker: n.options.Worker, Link: n.options.Reached, Held: n.claims.me, OwnerClaim: owner, StandbyClaim: standby,
		Highest: n.claims.highest, Tried: n.claims.tried}
	view.OwnerGone = owner == n.claims.gone || !owner.Vacant() && owner.Worker != view.Worker && n.away(ctx, owner)
	view.StandbyGone = !standby.Vacant() && standby.Worker != view.Worker && n.away(ctx, standby)
	move := view.Next()
	if move.Action != claim.Stay {
		asked = time.Now()
		if move.Action == claim.ClaimNode {
			n.claims.tried = move.Mine.Epoch
		}
		holder, err := move.Make(ctx, node)
		if err == nil && move.Action == claim.ClaimNode {
			return n.own(ctx, c, node, holder, asked)
		}
		return err
	}
	switch view.Role() {
	case claim.Owner:
		return n.own(ctx, c, node, owner, asked)
	case claim.Standby:
		if err := n.standBy(ctx, owner); err != nil || n.claims.gone != owner {
			return err
		}
		return n.succeed(ctx, c, node, owner)
	case claim.Watcher:
		n.release()
		pause(ctx, lookEvery)
	}
	return nil
}

// succeed claims the node in the place of an owner that is gone, without a further look at it: a caller waits.
func (n *Node) succeed(ctx context.Context, c *esl.Conn, node claim.Node, owner claim.Holder) error {
	asked := time.Now()
	me := owner.By(n.options.Worker, n.options.Reached, max(n.claims.highest.Epoch, n.claims.tried))
	n.claims.tried = me.Epoch
	_, err := claim.Take(ctx, node, owner, me)
	var lost *claim.LostError
	switch {
	case errors.As(err, &lost): // an owner that hands over vacates its place, perhaps before this
		return nil
	case err != nil:
		return err
	}
	return n.own(ctx, c, node, me, asked)
}

// away says whether the process that holds a claim is certainly not there.
func (n *Node) away(ctx context.Context, h claim.Holder) bool {
	return n.presence(ctx, h, probeWait) == absent
}

// presence is what can be told of the process that holds a claim.
type presence int

const (
	unknown presence = iota // no answer
	present                 // something listens at its link
	absent                  // nothing does, or the link is this process's own, of an earlier run
)

func (n *Node) presence(ctx context.Context, h claim.Holder, wait time.Duration) presence {
	if h.Link == n.options.Reached {
		return absent
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", h.Link)
	switch {
	case err == nil:
		conn.Close()
		return present
	case errors.Is(err, syscall.ECONNREFUSED):
		return absent
	}
	return unknown
}

// become changes what this worker is to the node. Who stops owning or standing by forgets the calls: another worker has
// them.
func (n *Node) become(role int32) {
	n.pauseSteps(func() { n.change(role) })
}

// change is become with the steps paused.
func (n *Node) change(role int32) {
	before := n.role.Swap(role)
	if role != before && role != watching {
		for _, s := range n.shards {
			s.listenAnew()
		}
	}
	if role == owning && before != owning {
		n.term.Add(1)
	}
	if before == role || before == watching || role == owning {
		return
	}
	for _, s := range n.shards {
		s.tellNoneOut()
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
	n.claims.me = me
	n.claims.see(me)
	n.telling.epoch.Store(me.Epoch)
	if !again {
		shared := n.options.Link.Own(n.options.Node.Name, me.Epoch, n.snapshot)
		lease := &claim.Lease{Sign: shared.Sign}
		lease.Renewed(asked)
		n.lease.Store(lease)
		n.link.Store(shared)
		n.begin(asked, me, n.role.Load() == standingBy)
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
	if !again {
		n.endGhosts(ctx, c)
	}
	switch role := n.role.Load(); {
	case role == standingBy:
		n.takeOver(ctx, c, n.claims.silent)
	case role == stranded && n.returned():
		n.takeOver(ctx, c, true)
	default:
		n.become(owning)
		n.reconcile(ctx, c)
	}
	n.announceNow(messages.NodeUp)
	n.telling.soon()
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

// giveUp lets the standby have the node, which may reach it. Should nobody reach it, its calls are known here.
func (n *Node) giveUp() {
	if !n.rescues() {
		n.release()
		return
	}
	n.claims.me = claim.Holder{}
	n.strand(false)
	if owner := n.link.Swap(nil); owner != nil {
		owner.Release()
	}
}

// release ends what this worker was to the node. A standby of its own is told.
func (n *Node) release() {
	n.claims.me = claim.Holder{}
	n.become(watching)
	if owner := n.link.Swap(nil); owner != nil {
		owner.Release()
	}
}

// watchStandby vacates the standby's place when whoever holds it is not at the other end of the link, at once when it is
// this worker itself, who was the standby until now.
func (n *Node) watchStandby(ctx context.Context, node claim.Node) {
	missing := time.Time{}
	for first := true; first || pause(ctx, lookEvery); first = false {
		_, standby, err := claim.Read(ctx, node)
		if err != nil || standby.Vacant() {
			missing = time.Time{}
			continue
		}
		if standby.Worker == n.options.Worker {
			_ = claim.LeaveStandby(ctx, node, standby)
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

// handOver gives the node to the standby, if this worker owns it and there is one. This worker makes no further move at the
// node, not even when it sees its place vacated by itself.
func (n *Node) handOver() {
	n.leave()
	n.contending.Lock()
	defer n.contending.Unlock()
	owner := n.link.Load()
	if owner == nil || n.role.Load() != owning {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), handOverWait)
	defer cancel()
	me := n.claims.me
	n.claims.me = claim.Holder{}
	n.pauseSteps(func() {
		n.role.Store(watching) // what waits to be sent is part of the calls' states
		n.lease.Load().End()
		if err := owner.HandOver(ctx); err != nil {
			n.log.Warn("the media node was not handed over; a standby takes it when this process has ended", slog.Any("error", err))
		}
	})
	if c := n.up.Load(); c != nil {
		_ = claim.Leave(ctx, claim.OnNode(c), me)
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
