package nodes

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
	"tandem/tenants"
)

// A node that is to be emptied by moving (tenants.Node.Moving) lets its calls go one after the other, some at a time. The owner looks
// at its calls; whatever stands in a call's state is asked for again until it is answered, so that a successor goes on in the middle.
const (
	moveLook    = 100 * time.Millisecond
	moveRepeat  = 500 * time.Millisecond // between two times that the same is asked for
	maxMoving   = 16                     // calls of one node at once
	moveGiveUp  = 25 * time.Second       // legs that are not fetched by then are not waited for
	moveAgain   = 3 * time.Second        // after the first failure; longer after each
	maxAgain    = time.Minute
	handOverLag = 300 * time.Millisecond // for what the old node is ordered with a hand-over

	goneVariable = "tandem_gone"             // of a leg that another node has: by which move
	goneHeader   = "sip_bye_h_X-Tandem-Gone" // marks its BYE, which the edge answers itself
)

// departure is a call on its way to another node, as far as this worker alone needs to know.
type departure struct {
	begun, sent, away time.Time
	dialogs           []messages.Dialog
	firsts            map[string]*callflows.LegEnd
}

// movingOut says whether the configuration of this moment wants the node's calls moved.
func (n *Node) movingOut() bool {
	return slices.ContainsFunc(n.options.Snapshot().Nodes(), func(o tenants.Node) bool { return o.Name == n.options.Node.Name && o.Draining && o.Moving })
}

// depart moves calls until ctx ends.
func (n *Node) depart(ctx context.Context) {
	tick := time.NewTicker(moveLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.departing:
		}
		if n.deceased.Load() {
			continue // its calls do not wait to be let go
		}
		if wanted := n.movingOut(); n.speaks() && (wanted || n.departs.Load()) {
			n.departs.Store(false)
			n.departRound(ctx, wanted)
		}
	}
}

// departSoon has the calls that move looked at.
func (n *Node) departSoon() {
	n.departs.Store(true)
	select {
	case n.departing <- struct{}{}:
	default:
	}
}

// departRound asks once more for what is not answered, and lets further calls go if that is wanted.
func (n *Node) departRound(ctx context.Context, wanted bool) {
	under, now := 0, time.Now()
	var due, ready []*call
	for _, s := range n.shards {
		s.mu.Lock()
		for leg, c := range s.calls {
			switch {
			case leg != c.state.Call.Leg || c.late:
			case c.state.OnTheMove():
				under++
				if s.departDue(c, now) {
					due = append(due, c)
				}
			case wanted && (c.state.Phase == callflows.Running || c.state.Phase == callflows.Talking) && now.After(c.stays):
				ready = append(ready, c)
			}
		}
		s.mu.Unlock()
	}
	if under > 0 {
		n.departs.Store(true)
	}
	for _, c := range due {
		n.started.Go(func() { n.askForMove(ctx, c) })
	}
	begun := false
	for _, c := range ready {
		if under >= maxMoving {
			break
		}
		if n.letGo(c) {
			under++
			begun = true
		}
	}
	if begun {
		n.departSoon()
	}
}

// departDue says whether it is time to ask (again) for what a call waits for.
func (s *shard) departDue(c *call, now time.Time) bool {
	if c.departure == nil {
		c.departure = &departure{begun: now}
	}
	d := c.departure
	giveUp := moveGiveUp
	if c.state.Move.Dead {
		giveUp = rescueGiveUp
	}
	if c.state.Move.Away && d.away.IsZero() {
		d.away, d.sent = now, time.Time{}
	}
	ordered := slices.ContainsFunc(c.orders, func(o callflows.Command) bool { return o.Kind == callflows.HandOver })
	switch {
	case now.Sub(d.sent) < moveRepeat, c.state.Move.Away && ordered && !c.state.Move.Dead && now.Sub(d.away) < handOverLag:
		return false
	case !c.state.Move.Away && now.Sub(d.begun) > giveUp:
		s.moveFailed(c, "no answer", 0)
		return false
	}
	d.sent = now
	return true
}

// letGo begins to move a call if it can go now.
func (n *Node) letGo(c *call) bool {
	s := n.shardOf(c.state.Call.Leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.role.Load() != owning || c.state.OnTheMove() || c.state.Phase == callflows.Ended {
		return false
	}
	why, to := c.state.WaitsToMove(), ""
	if why == "" {
		why = s.obstacle(c, c.state.Legs)
	}
	if why == "" {
		if to = n.options.Mover.Destination(c.state.Call); to == "" {
			why = callflows.WaitsNowhere
		}
	}
	if why != "" && why == c.state.Move.Waits {
		return false
	}
	s.step(c, callflows.Event{Kind: callflows.MoveOrdered, At: time.Now().UTC(), Leg: c.state.DrivenLeg(), Node: cmp.Or(to, n.options.Node.Name), Cause: string(why)})
	s.tellNews(c)
	return c.state.OnTheMove()
}

// obstacle says what is known of a call's dialogs against moving these legs.
func (s *shard) obstacle(c *call, legs []callflows.Leg) callflows.MoveWaits {
	if len(encode(c.state)) > messages.MaxMoveState/2 { // its timers and questions need room too
		return callflows.WaitsSize
	}
	for _, l := range legs {
		if l.HungUp || !l.Created {
			continue
		}
		switch d := c.dialogs[l.ID]; {
		case !complete(d):
			s.node.looks.add(l.ID)
			return callflows.WaitsDialog
		case !movableMedia(d):
			return callflows.WaitsMedia
		}
	}
	return ""
}

// askForMove tells the owner of the new node what is wanted of it.
func (n *Node) askForMove(ctx context.Context, c *call) {
	s := n.shardOf(c.state.Call.Leg)
	n.learnDeparting(ctx, s, c)
	s.mu.Lock()
	m := s.moveOf(c)
	s.mu.Unlock()
	if m != nil {
		n.options.Mover.SendMove(m)
	}
}

// learnDeparting asks the node for what it says last of the legs that are to leave it.
func (n *Node) learnDeparting(ctx context.Context, s *shard, c *call) {
	s.mu.Lock()
	d := c.departure
	var legs []string
	if d != nil && d.firsts == nil && (c.state.Move.Dead || n.deceased.Load()) {
		s.learnDead(c)
	}
	if d != nil && d.firsts == nil {
		for _, l := range c.state.Legs {
			if l.Created && !l.HungUp {
				legs = append(legs, l.ID)
			}
		}
	}
	s.mu.Unlock()
	conn := n.up.Load()
	if len(legs) == 0 || conn == nil {
		return
	}
	firsts, dumps := map[string]*callflows.LegEnd{}, map[string]dump{}
	for _, leg := range legs {
		said, err := dumpOf(ctx, conn, leg)
		if err != nil {
			continue // it is gone, and will be told of
		}
		firsts[leg], dumps[leg] = firstOf(said), said
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.departure != d || c.state.Phase == callflows.Ended {
		return
	}
	d.dialogs = nil
	for _, leg := range legs {
		if said := dumps[leg]; said != nil {
			s.learnDialog(c, leg, said)
		}
		if known := c.dialogs[leg]; firsts[leg] != nil && complete(known) {
			d.dialogs = append(d.dialogs, *known)
		}
	}
	d.firsts = firsts
}

// moveOf is what is to be asked for now, or nil.
func (s *shard) moveOf(c *call) *messages.CallMove {
	m, d := &c.state.Move, c.departure
	if m.N == 0 || d == nil || d.firsts == nil || s.node.role.Load() != owning {
		return nil
	}
	message := s.message(c, messages.MoveFetch, m.N, m.To)
	switch {
	case m.Away:
		message.Step, message.Legs = messages.MoveAdopt, nil
		message.State = encode(record{State: c.state, Steps: c.steps, Waits: c.waits, Asked: c.asked, Inquiries: c.inquiries})
	case len(d.dialogs) == 0:
		return nil
	}
	return message
}

func (s *shard) message(c *call, step messages.MoveStep, n int, to string) *messages.CallMove {
	m := &messages.CallMove{Type: messages.CallMoveV1, ID: commandID(c.state.Call, n), Step: step, Call: c.state.Call.ID, Tenant: c.state.Call.Tenant,
		Leg: c.state.Call.Leg, From: s.node.options.Node.Name, To: to, At: time.Now().UTC()}
	if c.departure != nil {
		m.Legs = c.departure.dialogs
	}
	return m
}

// MoveAnswered takes what the owner of a call's new node says, if this worker owns the old one.
func (n *Node) MoveAnswered(m *messages.CallMoved) {
	if m.From != n.options.Node.Name || n.options.Mover == nil || !n.speaks() {
		return
	}
	s := n.shardOf(m.Leg)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[m.Leg]
	if c == nil || c.late || c.state.Move.N == 0 || commandID(c.state.Call, c.state.Move.N) != m.ID {
		return
	}
	switch m.Step {
	case messages.MoveFetched:
		s.legsMoved(c, m.Legs)
	case messages.MoveFailed:
		s.moveFailed(c, m.Why, m.Code)
	case messages.MoveAdopted:
		if c.state.Move.Away {
			s.leave(c)
		}
	}
}

// legsMoved hands a call over whose legs are at the new node. A worker that has taken over in between asks again first.
func (s *shard) legsMoved(c *call, legs []string) {
	d := c.departure
	if c.state.Move.Away || d == nil || d.firsts == nil {
		return
	}
	s.step(c, movedEvent(c, legs))
	s.node.departSoon()
}

// movedEvent tells that legs of a call are at the new node.
func movedEvent(c *call, legs []string) callflows.Event {
	d := c.departure
	e := callflows.Event{Kind: callflows.LegsMoved, At: time.Now().UTC(), Leg: c.state.DrivenLeg(), Command: c.state.Move.N}
	for _, leg := range slices.Sorted(maps.Keys(d.firsts)) {
		e.Legs = append(e.Legs, callflows.MovedLeg{Leg: leg, Lost: !slices.Contains(legs, leg), First: d.firsts[leg]})
	}
	for _, leg := range legs {
		if d.firsts[leg] == nil { // it went in the meantime, and will be told of
			e.Legs = append(e.Legs, callflows.MovedLeg{Leg: leg})
		}
	}
	return e
}

// moveFailed lets a call stay, and be tried again after a while.
func (s *shard) moveFailed(c *call, why string, code int) {
	if c.state.Move.Away {
		return
	}
	if code == 0 {
		s.node.options.Mover.SendMove(s.message(c, messages.MoveDrop, c.state.Move.N, c.state.Move.To))
	}
	s.step(c, callflows.Event{Kind: callflows.MoveFailed, At: time.Now().UTC(), Leg: c.state.DrivenLeg(), Command: c.state.Move.N, Cause: why, SIPCode: code})
	again := moveAgain
	if c.state.Move.Dead {
		again = rescueAgain
	}
	c.departure, c.stays = nil, time.Now().Add(min(maxAgain, again*time.Duration(max(1, c.state.Move.Tries))))
	s.node.log.Warn("a call could not be moved", slog.String("call_id", c.state.Call.ID), slog.String("why", why), slog.Int("sip", code))
}

// leave forgets a call that another node's owner drives. Its channels are hung up; their BYEs are marked since the hand-over.
func (s *shard) leave(c *call) {
	var commands []esl.Command
	for _, l := range c.state.Legs {
		if l.Created && !l.HungUp {
			commands = append(commands, esl.UUIDKill(l.ID, "NORMAL_CLEARING"))
		}
	}
	s.unbind(c)
	s.node.live.Add(-1)
	c.state.Phase = callflows.Ended // for what waits for the lock
	if owner := s.node.link.Load(); owner != nil {
		owner.Ship(c.state.Call.Leg, nil)
	}
	s.node.started.Go(func() {
		conn := s.node.up.Load()
		if conn == nil || len(commands) == 0 {
			return // whoever finds the channels hangs them up (goneVariable)
		}
		if _, err := conn.SendInOneWrite(s.node.staying, commands...); err != nil {
			s.node.log.Warn("the channels of a call that has moved could not be hung up", slog.String("call_id", c.state.Call.ID), slog.Any("error", err))
		}
	})
}

// handOver is what the old node is ordered when a call leaves it: what plays and records there ends, and whoever hangs the channels up
// sends marked BYEs.
func (s *shard) handOver(c *call, command callflows.Command) []esl.Command {
	var all []esl.Command
	id := commandID(c.state.Call, c.state.Move.N)
	for _, l := range c.state.Legs {
		if l.Created && !l.HungUp && !l.Behind {
			all = append(all, esl.UUIDSetvarMulti(l.ID, esl.Var{Name: goneVariable, Value: id}, esl.Var{Name: goneHeader, Value: "true"}))
		}
	}
	if command.File != "" && s.node.options.Media != "" {
		all = append(all, esl.StopRecordSession(c.state.Recording.Leg, "", s.node.recordedTo(command.File)))
	}
	s.tellOut(c, callflows.State{Call: c.state.Call}) // the new node's owner counts it
	return all
}
