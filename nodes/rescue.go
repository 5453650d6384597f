package nodes

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
)

// A node that has died leaves its calls behind, in the memory of its owner and of its standby (docs/decisions/0022). One of them
// rescues them:
//
//	event socket lost, not to be had again ─► the edges are asked: none reaches the node, one at least says so
//	   ─► this worker's turn: the owner's, or the standby's when the owner's process is not there ─► locked
//	   ─► the edges refuse what comes from the node ─► what was answered goes to other nodes, as when it moves; the rest is closed
//
// While it does so this worker counts as the node's owner, and writes nothing to it.
const (
	suspectEvery  = 200 * time.Millisecond // how often a node that is missing is asked after
	heirPatience  = time.Second            // an owner of whom nothing at all is heard counts as gone after
	hungLook      = 500 * time.Millisecond
	hungAfter     = time.Second // beyond its lease, a node that says nothing is looked after
	rescueLook    = 50 * time.Millisecond
	maxRescuing   = 32              // calls of one dead node at once
	rescueGiveUp  = 8 * time.Second // legs that are not fetched by then are tried elsewhere
	rescueAgain   = 300 * time.Millisecond
	rescueTries   = 3
	rescueFor     = 30 * time.Second // what is not rescued by then is closed
	nowherePause  = 2 * time.Second  // for a node to turn up that can take calls
	causeNowhere  = "no media node can take it"
	causeTooLate  = "it took too long"
	causeTooOften = "it was tried in vain"
)

// Rescuer is what a worker needs besides a Mover to rescue the calls of a dead node.
type Rescuer interface {
	// Dead asks all edges whether they reach the node now, and says whether it is dead: one at least has answered, and none reaches it.
	Dead(ctx context.Context, node string, epoch uint64) bool
	// Fence lets the edges refuse what comes from the node from now on, and begin anew the calls that ring there. False: no edge has heard it.
	Fence(ctx context.Context, node string, epoch uint64) bool
	// Fenced is the epoch at which edges refuse the node, as far as this worker has heard; 0: they do not.
	Fenced(node string) uint64
	// Lift ends that, for fences of that epoch and older ones.
	Lift(ctx context.Context, node string, epoch uint64)
	// Lock makes sure that one worker alone rescues the node's calls, until it unlocks or dies.
	Lock(ctx context.Context, node string) (unlock func(), ok bool)
	// Known says on which node a call is live, as all workers know it, and its legs' dialogs; "" for none. Over says that its end was told.
	Known(call string) (node string, dialogs []messages.Dialog, over bool)
	// Takes says whether there is a node besides this one that can take calls at all.
	Takes(node string) bool
}

// death is what a worker knows of a node that it has lost.
type death struct {
	suspected chan struct{}             // one token: the node is missing
	at        atomic.Pointer[time.Time] // when its event socket was lost
	heir      bool                      // this worker stood by; under contending
	epoch     uint64                    // of the ownership that it knows; likewise
	since     time.Time                 // the owner was asked after in vain since; of the goroutine that mourns
}

// suspect has the missing node looked after.
func (n *Node) suspect() {
	select {
	case n.death.suspected <- struct{}{}:
	default:
	}
}

// missing says whether this worker knows the calls of a node that nobody reaches.
func (n *Node) missing() bool {
	role := n.role.Load()
	return n.up.Load() == nil && (role == owning || role == stranded) && n.staying.Err() == nil
}

// strand keeps the calls of a node that this worker can neither drive nor follow at the moment.
func (n *Node) strand(heir bool) {
	n.death.heir, n.death.epoch = heir, n.claims.highest.Epoch
	n.pauseSteps(func() { n.role.Store(stranded) })
	n.suspect()
}

// mourn looks after a node that is missing until ctx ends.
func (n *Node) mourn(ctx context.Context) {
	tick := time.NewTicker(hungLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.cutOff(ctx)
			continue
		case <-n.death.suspected:
		}
		for n.missing() {
			if n.inherits(ctx) && n.options.Rescuer.Takes(n.options.Node.Name) && n.dead(ctx) {
				n.rescue(ctx)
			}
			if !pause(ctx, suspectEvery) {
				return
			}
		}
		n.death.since = time.Time{}
	}
}

// cutOff ends the connection to a node that holds it and says nothing, if the edges do not reach it either: then it is missing.
func (n *Node) cutOff(ctx context.Context) {
	c, lease := n.up.Load(), n.lease.Load()
	if c == nil || lease == nil || n.role.Load() != owning || lease.Lapsed(time.Now()) < hungAfter || !n.options.Rescuer.Takes(n.options.Node.Name) {
		return
	}
	if n.options.Rescuer.Dead(ctx, n.options.Node.Name, n.telling.epoch.Load()) && lease.Lapsed(time.Now()) >= hungAfter {
		n.log.WarnContext(ctx, "the media node holds its connection and answers nobody: it is cut off")
		go func() { _ = c.Close() }()
	}
}

// dead says whether the node is: this worker has lost it, and so have the edges.
func (n *Node) dead(ctx context.Context) bool {
	return n.options.Rescuer.Dead(ctx, n.options.Node.Name, n.telling.epoch.Load()) && n.missing()
}

// inherits says whether it is for this worker to rescue the calls: its owner does if it lives.
func (n *Node) inherits(ctx context.Context) bool {
	owner := n.owner.Load()
	n.contending.Lock()
	heir := n.role.Load() == stranded && n.death.heir
	n.contending.Unlock()
	if !heir || owner == nil || owner.Vacant() || owner.Worker == n.options.Worker {
		return true
	}
	switch n.presence(ctx, *owner, probeWait) {
	case present:
		n.death.since = time.Time{}
		return false
	case absent:
		return true
	case unknown:
	}
	if n.death.since.IsZero() {
		n.death.since = time.Now()
	}
	return time.Since(n.death.since) >= heirPatience
}

// rescue brings the calls of the dead node to others, and closes what cannot be brought.
func (n *Node) rescue(ctx context.Context) {
	unlock, ok := n.options.Rescuer.Lock(ctx, n.options.Node.Name)
	if !ok {
		return
	}
	defer unlock()
	n.contending.Lock()
	defer n.contending.Unlock()
	if !n.missing() {
		return
	}
	epoch := max(n.claims.highest.Epoch, n.claims.tried) + 1
	if !n.options.Rescuer.Fence(ctx, n.options.Node.Name, epoch) {
		return
	}
	began := time.Now()
	heir := n.role.Load() == stranded && n.death.heir
	n.inheritDead(epoch, heir)
	n.log.WarnContext(ctx, "the media node is dead: its calls are rescued", slog.Uint64("epoch", epoch), slog.Int64("calls", n.live.Load()), slog.Bool("standby", heir))
	n.announceNow(messages.NodeDown)
	tick := time.NewTicker(rescueLook)
	defer tick.Stop()
	for n.rescueRound(ctx, began, heir) > 0 && n.staying.Err() == nil {
		select {
		case <-n.staying.Done():
		case <-tick.C:
		case <-n.departing:
		}
	}
	if n.staying.Err() == nil && n.options.Live != nil {
		_ = n.announceCalls(ctx) // nothing is left: whoever kept the calls as a standby need not look after them
		n.log.InfoContext(ctx, "the dead media node's calls are rescued or closed", slog.Duration("took", time.Since(began)))
	}
	n.deceased.Store(false)
	n.release()
}

// inheritDead makes the calls this worker's own, with what it has heard of them since their owner told of them last.
func (n *Node) inheritDead(epoch uint64, heir bool) {
	n.claims.tried = epoch
	n.telling.epoch.Store(epoch)
	n.deceased.Store(true)
	n.pauseSteps(func() {
		n.role.Store(owning)
		n.term.Add(1)
		for _, s := range n.shards {
			s.unsure, s.unheard = false, nil // nothing more will be heard
			if heir {
				s.inherit(false) // the node takes no orders: what they were for begins anew elsewhere
			}
		}
	})
	if !heir {
		return
	}
	n.cdrsMu.Lock()
	for _, cdr := range n.cdrs {
		n.options.Ledger.AddCDR(cdr.CDR)
	}
	for _, r := range n.recordings {
		n.options.Ledger.AddRecording(r.Recording)
	}
	n.cdrsMu.Unlock()
	n.settled()
}

// rescueRound looks at each call once, and says how many are left.
func (n *Node) rescueRound(ctx context.Context, began time.Time, heir bool) (left int) {
	now := time.Now()
	var due, ready []*call
	under := 0
	for _, s := range n.shards {
		s.mu.Lock()
		for leg, c := range s.calls {
			if leg != c.state.Call.Leg {
				continue
			}
			left++
			switch {
			case c.state.OnTheMove() && (c.state.Move.Dead || c.state.Move.Away):
				under++
				if s.departDue(c, now) {
					due = append(due, c)
				}
			case now.After(c.stays):
				ready = append(ready, c)
			}
		}
		s.mu.Unlock()
	}
	for _, c := range due {
		n.started.Go(func() { n.askForMove(ctx, c) })
	}
	for _, c := range ready {
		if under >= maxRescuing {
			break
		}
		if n.rescueCall(c, now.Sub(began), heir) {
			under++
		}
	}
	return left
}

// rescueCall does the next thing for a call of a dead node, and says whether its legs are being fetched now.
func (n *Node) rescueCall(c *call, since time.Duration, heir bool) bool {
	s := n.shardOf(c.state.Call.Leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[c.state.Call.Leg] != c || c.state.Phase == callflows.Ended {
		return false
	}
	node, dialogs, over := n.options.Rescuer.Known(c.state.Call.ID)
	if n.elsewhereNow(node, over, heir) {
		s.disown(c)
		return false
	}
	if c.state.Phase == "" || c.late { // nothing is known of it but that it was there
		c.late = false
		s.step(c, callflows.Event{Kind: callflows.HungUp, At: time.Now().UTC(), Leg: c.state.DrivenLeg(), End: &callflows.LegEnd{
			Cause: "NETWORK_OUT_OF_ORDER", Q850: 38, By: callflows.ByUs, CreatedAt: c.state.Call.StartedAt, Estimated: true}})
		return false
	}
	s.learnFrom(c, dialogs)
	event := callflows.Event{Kind: callflows.RescueOrdered, At: time.Now().UTC(), Leg: c.state.DrivenLeg(), Since: *n.death.at.Load()}
	why := string(c.state.Rescuable())
	if why == "" {
		why = string(s.obstacle(c, c.state.Rescued()))
	}
	if event.Node = n.options.Mover.Destination(c.state.Call); event.Node == "" && why == "" {
		if since < nowherePause {
			return false
		}
		why = causeNowhere
	}
	switch {
	case why != "":
	case c.state.Move.Tries >= rescueTries:
		why = causeTooOften
	case since > rescueFor:
		why = causeTooLate
	default:
		s.step(c, event)
		s.tellNews(c)
		n.departSoon()
		return c.state.OnTheMove()
	}
	s.farewell(c, event.Node)
	s.step(c, callflows.Event{Kind: callflows.RescueFailed, At: event.At, Leg: event.Leg, Since: event.Since, Cause: why})
	return false
}

// learnFrom takes what all workers know of a call's dialogs where this one has less, or older word: the owner has looked at the legs since.
func (s *shard) learnFrom(c *call, dialogs []messages.Dialog) {
	for i := range dialogs {
		d := &dialogs[i]
		if had := c.dialogs[d.Leg]; complete(had) && !d.At.After(had.At) || !complete(d) {
			continue
		}
		if c.dialogs == nil {
			c.dialogs = map[string]*messages.Dialog{}
		}
		c.dialogs[d.Leg] = d
	}
}

// learnDead is what is known of the legs that are to leave a dead node, which says nothing any more.
func (s *shard) learnDead(c *call) {
	d := c.departure
	d.dialogs, d.firsts = nil, map[string]*callflows.LegEnd{}
	for _, l := range c.state.Rescued() {
		if known := c.dialogs[l.ID]; complete(known) {
			d.dialogs = append(d.dialogs, *known)
			d.firsts[l.ID] = firstKnown(l, known, c.state.Call)
		}
	}
}

// firstKnown is firstOf without the node.
func firstKnown(l callflows.Leg, d *messages.Dialog, call callflows.Call) *callflows.LegEnd {
	first := &callflows.LegEnd{CreatedAt: l.CreatedAt, SIPCallID: d.CallID, From: userPart(d.Local), To: userPart(d.Remote)}
	if first.CreatedAt.IsZero() {
		first.CreatedAt = call.StartedAt
	}
	if d.Inbound {
		first.From, first.To = call.Caller.Number, call.Dialled
	}
	switch {
	case !d.AnsweredAt.IsZero():
		first.AnsweredAt = &d.AnsweredAt
	case !l.AnsweredAt.IsZero():
		first.AnsweredAt = &l.AnsweredAt
	}
	return first
}

// farewell has another node hang up the phones of a call that ends here: it takes their dialogs over, and says BYE in the dead node's
// stead. Nobody waits for what comes of it.
func (s *shard) farewell(c *call, node string) {
	if node == "" || c.state.Move.Away {
		return
	}
	m := s.message(c, messages.MoveFetch, c.state.Commands+1, node)
	m.Legs = nil
	for _, l := range c.state.Legs {
		if known := c.dialogs[l.ID]; l.Created && !l.HungUp && l.Answered && complete(known) && movableMedia(known) && len(m.Legs) < messages.MaxMoveLegs {
			m.Legs = append(m.Legs, *known)
		}
	}
	if len(m.Legs) == 0 {
		return
	}
	drop := *m
	drop.Step = messages.MoveDrop
	s.node.started.Go(func() {
		s.node.options.Mover.SendMove(m)
		if pause(s.node.staying, farewellPause) {
			s.node.options.Mover.SendMove(&drop)
		}
	})
}

// farewellPause keeps the two in order.
const farewellPause = 200 * time.Millisecond

// TakeBye takes an edge's word that a phone has hung up on a node that is dead or silent: what the node would have told.
func (n *Node) TakeBye(callID, tag string, at time.Time) {
	if n.options.Rescuer == nil || n.role.Load() != owning || n.up.Load() != nil && !n.deceased.Load() {
		return
	}
	for _, s := range n.shards {
		s.mu.Lock()
		for leg, c := range s.calls {
			if d := c.dialogNames(leg); d.callID == callID && d.remote == tag && !c.late {
				s.goneInGap(c, leg, at)
				break
			}
		}
		s.mu.Unlock()
	}
}

// goneInGap ends a leg whose phone has hung up while no node had it.
func (s *shard) goneInGap(c *call, leg string, at time.Time) {
	end := &callflows.LegEnd{Cause: "NORMAL_CLEARING", Q850: 16, By: callflows.ByFarEnd, CreatedAt: c.state.Call.StartedAt, Estimated: true}
	for _, l := range c.state.Legs {
		if d := c.dialogs[leg]; l.ID == leg && d != nil {
			first := firstKnown(l, d, c.state.Call)
			end.CreatedAt, end.AnsweredAt, end.SIPCallID, end.From, end.To = first.CreatedAt, first.AnsweredAt, first.SIPCallID, first.From, first.To
		}
	}
	s.step(c, callflows.Event{Kind: callflows.HungUp, At: at, Leg: leg, End: end})
}

// userPart is the user of a From or To: what a node shows as a number.
func userPart(party string) string {
	_, rest, ok := strings.Cut(party, "sip:")
	user, _, at := strings.Cut(rest, "@")
	if !ok || !at {
		return ""
	}
	return user
}

// rescues says whether this worker may rescue the node's calls.
func (n *Node) rescues() bool {
	return n.options.Rescuer != nil && n.options.Mover != nil && n.options.Link != nil
}

// elsewhereNow says whether a call of which this worker knows an old state is another's by now, or over. A standby's is its own only as long
// as all workers know it to be at this node: its owner may have rescued it, or brought it to its end, unheard.
func (n *Node) elsewhereNow(node string, over, heir bool) bool {
	return over || node != "" && node != n.options.Node.Name || heir && node == ""
}

// disown forgets a call that is another worker's.
func (s *shard) disown(c *call) {
	s.unbind(c)
	s.node.live.Add(-1)
	s.tellOut(c, callflows.State{Call: c.state.Call})
}

// returned sorts out what this worker kept of a node that it has lost and that is back, and says whether it stood by for it.
func (n *Node) returned() (heir bool) {
	for _, s := range n.shards {
		s.mu.Lock()
		for leg, c := range s.calls {
			if leg != c.state.Call.Leg {
				continue
			}
			if node, _, over := n.options.Rescuer.Known(c.state.Call.ID); n.elsewhereNow(node, over, n.death.heir) {
				s.disown(c)
			}
		}
		s.mu.Unlock()
	}
	return n.death.heir
}

// Bounds of ending ghosts.
const (
	ghostsWait = 2 * time.Second
	ghostsLook = 50 * time.Millisecond
)

// endGhosts ends what a node still holds of the calls that were rescued from it, before anybody takes them for live: it was cut off, and is
// back. No phone hears of it, as edges refuse whatever comes from the node until then.
func (n *Node) endGhosts(ctx context.Context, c *esl.Conn) {
	if n.options.Rescuer == nil {
		return
	}
	epoch := n.options.Rescuer.Fenced(n.options.Node.Name)
	if epoch == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, ghostsWait)
	defer cancel()
	for ended := 0; ; {
		there, err := channels(ctx, c)
		if err != nil {
			return
		}
		if len(there) == 0 {
			n.log.InfoContext(ctx, "the media node is back, without ghosts", slog.Int("ended", ended))
			break
		}
		for uuid := range there {
			if ended++; ctx.Err() == nil {
				_, _ = c.SendInOneWrite(ctx, esl.UUIDSetvarMulti(uuid, esl.Var{Name: goneVariable, Value: n.options.Node.Name}, esl.Var{Name: goneHeader, Value: "true"}),
					esl.UUIDKill(uuid, "NORMAL_CLEARING"))
			}
		}
		if !pause(ctx, ghostsLook) {
			return
		}
	}
	n.options.Rescuer.Lift(ctx, n.options.Node.Name, epoch)
}

// recognise finds out whether the node is the process that it was: one that was started anew has none of the calls.
func (n *Node) recognise(ctx context.Context, c *esl.Conn) {
	reply, err := c.Send(ctx, esl.GlobalGetvar("core_uuid"))
	if err != nil || reply.Err() != nil || reply.Text == "" {
		return
	}
	if n.core != "" && n.core != reply.Text {
		n.reborn.Store(true)
	}
	n.core = reply.Text
}

// rescueHere lets a node that was started anew take its own calls over, if nobody else has: they are as dead to it as to any other.
func (n *Node) rescueHere() {
	if !n.reborn.Swap(false) || n.options.Mover == nil {
		return
	}
	for _, s := range n.shards {
		s.mu.Lock()
		for leg, c := range s.calls {
			if m := s.takeHere(leg, c); m != nil {
				n.started.Go(func() { s.bringHere(c, m) })
			}
		}
		s.mu.Unlock()
	}
}

// takeHere prepares a call to be taken over, or gives nil: then it is closed like any other whose legs are gone.
func (s *shard) takeHere(leg string, c *call) *messages.CallMove {
	n := s.node
	at := n.death.at.Load()
	if leg != c.state.Call.Leg || c.late || at == nil || c.state.OnTheMove() || c.state.Rescuable() != "" || s.obstacle(c, c.state.Rescued()) != "" {
		return nil
	}
	s.step(c, callflows.Event{Kind: callflows.RescueOrdered, At: time.Now().UTC(), Leg: c.state.DrivenLeg(), Since: *at, Node: n.options.Node.Name})
	if !c.state.OnTheMove() {
		return nil
	}
	c.departure = &departure{}
	s.learnDead(c)
	for _, channel := range c.channels { // what is told of its legs from now on is about those that are fetched
		delete(s.calls, channel)
	}
	c.channels = nil
	n.live.Add(-1)
	return s.message(c, messages.MoveFetch, c.state.Move.N, n.options.Node.Name)
}

// bringHere fetches the legs of a call and goes on with it.
func (s *shard) bringHere(c *call, m *messages.CallMove) {
	answer := s.node.fetchAll(m)
	s.mu.Lock()
	defer s.mu.Unlock()
	var e callflows.Event
	if answer.Step == messages.MoveFetched {
		e = movedEvent(c, answer.Legs)
		c.state = s.decide(c, e).State // what it orders is for a node that the call leaves
		s.arrive(&record{State: c.state, Steps: c.steps, Waits: c.waits, Asked: c.asked, Inquiries: c.inquiries}, &arrival{move: m}, nil, nil)
		return
	}
	s.node.live.Add(1)
	e = callflows.Event{Kind: callflows.MoveFailed, At: time.Now().UTC(), Leg: c.state.DrivenLeg(), Command: c.state.Move.N, Cause: answer.Why, SIPCode: answer.Code}
	s.step(c, e)
	if c.state.Phase != callflows.Ended {
		s.step(c, callflows.Event{Kind: callflows.RescueFailed, At: e.At, Leg: e.Leg, Since: c.state.Move.Died, Cause: answer.Why})
	}
}
