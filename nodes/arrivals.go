package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
)

// Mover carries what the owners of two nodes say to each other about calls that move, and knows where calls can go. Its methods do
// not block.
type Mover interface {
	// Destination is the node that a call can go to now, "" for none.
	Destination(c callflows.Call) string
	SendMove(*messages.CallMove)
	SendMoved(*messages.CallMoved)
}

// arrivals are calls that come from other nodes, until they are driven here.
type arrivals struct {
	mu   sync.Mutex
	all  map[string]*arrival // by move
	legs map[string]chan int // those that are being fetched: what the phone refuses with
	over map[string]ended    // legs that were over before their call was driven here
	room chan struct{}       // one for each leg under way
}

type arrival struct {
	move    *messages.CallMove
	answer  *messages.CallMoved // nil while legs are fetched
	dropped bool
	asked   time.Time // when that was last asked for
}

// ended is the end of a leg that had come by a move.
type ended struct {
	move  string
	event callflows.Event
}

const (
	maxFetching = 32               // legs at once, so that a node is not flooded
	arrivalWait = 30 * time.Second // a call that is fetched and not adopted by then is hung up
	askedLately = 2 * moveRepeat
	maxOver     = 1024 // ends of legs that are kept until their calls are driven here
)

func (a *arrivals) init() {
	a.all, a.legs, a.over, a.room = map[string]*arrival{}, map[string]chan int{}, map[string]ended{}, make(chan struct{}, maxFetching)
}

func (a *arrivals) listen(leg string) <-chan int {
	a.mu.Lock()
	defer a.mu.Unlock()
	heard := make(chan int, 1)
	a.legs[leg] = heard
	return heard
}

func (a *arrivals) ignore(leg string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.legs, leg)
}

// notice takes the end of a leg that could not be fetched, or that is over before its call is driven here.
func (a *arrivals) notice(e *esl.Event) {
	if e.Name() != "CHANNEL_HANGUP_COMPLETE" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if heard := a.legs[e.UniqueID()]; heard != nil {
		select {
		case heard <- refusalOf(e):
		default:
		}
		return
	}
	if move := e.Variable(moveVariable); move != "" && a.all[move] != nil && len(a.over) < maxOver {
		event, _ := translate(e)
		a.over[e.UniqueID()] = ended{move, event}
	}
}

// lately says whether a move is asked for still: what nobody waits for any more is not begun.
func (a *arrivals) lately(move string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	had := a.all[move]
	return had == nil || time.Since(had.asked) < askedLately
}

// earlyEnds takes the ends of a move's legs.
func (a *arrivals) earlyEnds(move string) map[string]callflows.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := map[string]callflows.Event{}
	for leg, e := range a.over {
		if e.move == move {
			all[leg] = e.event
			delete(a.over, leg)
		}
	}
	return all
}

// TakeMove does what the owner of another node asks for, if this worker owns the node that it is for. It does not wait.
func (n *Node) TakeMove(m *messages.CallMove) {
	if m.To != n.options.Node.Name || n.options.Mover == nil || !n.speaks() {
		return
	}
	switch m.Step {
	case messages.MoveFetch:
		n.started.Go(func() { n.fetchCall(m) })
	case messages.MoveAdopt:
		n.started.Go(func() { n.adoptMoved(m) })
	case messages.MoveDrop:
		n.started.Go(func() { n.dropMoved(m) })
	}
}

func answerTo(m *messages.CallMove, step messages.MovedStep) *messages.CallMoved {
	return &messages.CallMoved{Type: messages.CallMovedV1, ID: m.ID, Step: step, Call: m.Call, Leg: m.Leg, From: m.From, To: m.To, At: time.Now().UTC()}
}

// fetchCall takes a call's legs over and says so. What was asked for already is answered again, or is being done; that it has failed,
// too: the next attempt has another name. What comes when the call is driven here, or was dropped, is late.
func (n *Node) fetchCall(m *messages.CallMove) {
	if s := n.shardOf(m.Leg); s.has(m.Leg) || s.knew(m.ID) {
		return
	}
	n.arrivals.mu.Lock()
	had := n.arrivals.all[m.ID]
	if had == nil {
		had = &arrival{move: m}
		n.arrivals.all[m.ID] = had
		defer n.fetchLegs(had)
	}
	answer := had.answer
	had.asked = time.Now()
	n.arrivals.mu.Unlock()
	if answer != nil {
		n.options.Mover.SendMoved(answer)
	}
}

func (n *Node) fetchLegs(a *arrival) {
	m, answer := a.move, n.fetchAll(a.move)
	n.arrivals.mu.Lock()
	dropped := a.dropped
	if a.answer = answer; dropped {
		delete(n.arrivals.all, m.ID)
	}
	n.arrivals.mu.Unlock()
	if dropped {
		n.hangUpFetched(m)
		return
	}
	n.options.Mover.SendMoved(answer)
	n.started.Go(func() {
		if pause(n.staying, arrivalWait) {
			n.abandon(a)
		}
	})
}

// fetchAll takes the legs of a move over, and says what came of it.
func (n *Node) fetchAll(m *messages.CallMove) *messages.CallMoved {
	answer := answerTo(m, messages.MoveFailed)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range m.Legs {
		d := &m.Legs[i]
		all.Go(func() {
			n.arrivals.room <- struct{}{}
			err := n.fetchLeg(n.staying, d, m.ID)
			<-n.arrivals.room
			mu.Lock()
			defer mu.Unlock()
			var refused *errNotFetched
			switch {
			case err == nil:
				answer.Legs = append(answer.Legs, d.Leg)
			case errors.As(err, &refused):
				answer.Code, answer.Why = refused.Code, text(refused.Why, messages.MaxName)
			default:
				answer.Why = text(err.Error(), messages.MaxName)
			}
		})
	}
	all.Wait()
	if len(answer.Legs) > 0 {
		answer.Step, answer.Code, answer.Why = messages.MoveFetched, 0, ""
	}
	return answer
}

// abandon hangs up a call whose last node has not handed it over in time.
func (n *Node) abandon(a *arrival) {
	n.arrivals.mu.Lock()
	waits := n.arrivals.all[a.move.ID] == a
	delete(n.arrivals.all, a.move.ID)
	n.arrivals.mu.Unlock()
	n.arrivals.earlyEnds(a.move.ID)
	if waits && a.answer.Step == messages.MoveFetched && !n.shardOf(a.move.Leg).has(a.move.Leg) {
		n.log.Error("a call that was fetched from another node was not handed over: it is hung up", slog.String("call_id", a.move.Call), slog.String("from", a.move.From))
		n.hangUpFetched(a.move)
	}
}

// dropMoved hangs up what was fetched of a call that has ended.
func (n *Node) dropMoved(m *messages.CallMove) {
	n.shardOf(m.Leg).know(m.ID)
	n.arrivals.mu.Lock()
	a := n.arrivals.all[m.ID]
	under := a != nil && a.answer == nil
	if a != nil {
		a.dropped = true
	}
	if !under {
		delete(n.arrivals.all, m.ID)
	}
	n.arrivals.mu.Unlock()
	switch {
	case a != nil && !under:
		n.hangUpFetched(a.move)
	case a == nil:
		n.hangUpFetched(m)
	}
}

// hangUpFetched hangs up those legs of a call that are here by its move. Their phones are told.
func (n *Node) hangUpFetched(m *messages.CallMove) {
	c := n.up.Load()
	if c == nil {
		return
	}
	for _, d := range m.Legs {
		reply, err := c.Send(n.staying, esl.UUIDGetvar(d.Leg, moveVariable))
		if err == nil && reply.Err() == nil && reply.Text == m.ID {
			_, _ = c.Send(n.staying, esl.UUIDKill(d.Leg, "NORMAL_CLEARING"))
		}
	}
}

// adoptMoved drives a call from now on whose legs are here.
func (n *Node) adoptMoved(m *messages.CallMove) {
	var r record
	if err := json.Unmarshal(m.State, &r); err != nil || r.State.Call.ID != m.Call || r.State.Call.Leg != m.Leg {
		n.log.Error("a call that moves here cannot be read", slog.String("call_id", m.Call), slog.Any("error", err))
		return
	}
	s := n.shardOf(m.Leg)
	var here map[string]bool
	if !s.has(m.Leg) && !s.knew(m.ID) {
		var err error
		if here, err = n.legsHere(m.ID, &r.State); err != nil {
			return // it is asked for again
		}
	}
	if s.adoptMoved(m, &r, here) {
		n.options.Mover.SendMoved(answerTo(m, messages.MoveAdopted))
	}
}

// legsHere says which legs of a call are here by a move.
func (n *Node) legsHere(move string, state *callflows.State) (map[string]bool, error) {
	c := n.up.Load()
	if c == nil {
		return nil, errNoChannel
	}
	here := map[string]bool{}
	for _, l := range state.Legs {
		if !l.Created || l.HungUp || l.Behind {
			continue
		}
		reply, err := c.Send(n.staying, esl.UUIDGetvar(l.ID, moveVariable))
		if err != nil {
			return nil, err
		}
		here[l.ID] = reply.Err() == nil && reply.Text == move
	}
	return here, nil
}

// adoptMoved drives a call from now on, unless it was driven here before, and says whether it is: one that waits for its version is not
// known to a standby yet.
func (s *shard) adoptMoved(m *messages.CallMove, r *record, here map[string]bool) bool {
	n := s.node
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.role.Load() != owning {
		return false
	}
	if s.calls[m.Leg] == nil && !s.gone.has(m.ID) {
		if here == nil {
			return false
		}
		n.arrivals.mu.Lock()
		a := n.arrivals.all[m.ID]
		delete(n.arrivals.all, m.ID)
		n.arrivals.mu.Unlock()
		s.gone.add(m.ID) // however often it is asked for
		if a != nil || !s.gone.has(m.Leg) || slices.Contains(slices.Collect(maps.Values(here)), true) {
			s.arrive(r, a, here, n.arrivals.earlyEnds(m.ID))
		} // or the last owner has driven it to its end
	}
	c := s.calls[m.Leg]
	return c == nil || !c.arriving
}

// knew says whether a move is over here: adopted, or dropped.
func (s *shard) knew(move string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone.has(move)
}

// know notes that.
func (s *shard) know(move string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone.add(move)
}

// arrive makes a call of what its last node's owner knew of it. Of its legs, here says which are there, and over how those that were told
// of have ended. Until these are stepped, too, a standby must not take the call for one that was compared with the node's channels.
func (s *shard) arrive(r *record, a *arrival, here map[string]bool, over map[string]callflows.Event) {
	n := s.node
	c := &call{gaps: beforeAnyGap, state: r.State, steps: r.Steps, arriving: true}
	s.pinned(c)
	s.bind(r.State.Call.Leg, c)
	for _, l := range r.State.Legs {
		if !l.HungUp {
			s.bind(l.ID, c)
		}
	}
	n.live.Add(1)
	if a != nil {
		c.dialogs = map[string]*messages.Dialog{}
		for i := range a.move.Legs {
			d := a.move.Legs[i]
			d.At, d.Inbound = time.Now().UTC(), false
			d.LocalCSeq = nextCSeq(&d, d.At) + 1
			d.Digest = d.Sum()
			c.dialogs[d.Leg] = &d
			n.looks.add(d.Leg)
		}
	}
	now := time.Now().UTC()
	n.announceCall(c, messages.CallAnswered, now)
	waits := slices.ContainsFunc(r.Waits, func(w wait) bool { return w.N == c.state.Awaited })
	for _, w := range r.Waits {
		s.await(c, w)
	}
	for _, q := range r.Asked {
		s.ask(c, q)
	}
	var answers []callflows.Event
	for _, q := range r.Inquiries {
		if answer, ok := s.inquire(c, q, now); ok {
			answers = append(answers, answer)
		}
	}
	s.step(c, callflows.Event{Kind: callflows.Moved, At: now, Leg: c.state.DrivenLeg(), Node: n.options.Node.Name, There: waits || c.asks() || len(answers) > 0})
	for _, answer := range answers {
		s.step(c, answer)
	}
	for _, l := range r.State.Legs {
		if is, looked := here[l.ID]; !is && looked && c.state.Phase != callflows.Ended {
			end, told := over[l.ID]
			if !told {
				end = lost(c, l.ID, "", now)
			}
			s.step(c, end)
		}
	}
	if c.gaps = n.gaps.Load(); c.state.Phase != callflows.Ended && !c.arriving {
		s.ship(c)
	}
}

// markMoved lets the driven leg carry what a worker needs that knows nothing of the call: its headers from the edge stayed behind.
func (s *shard) markMoved(c *call) {
	if c.state.Phase != callflows.Ended {
		s.mark(c)
	}
}

// sendRejoin joins two legs of one call again: each is to end with the other.
func (o order) sendRejoin(ctx context.Context, c *esl.Conn) (esl.Reply, error) {
	variables := append(joinVariables(), esl.Var{Name: markVariable, Value: o.mark}, esl.Var{Name: factsVariable, Value: encodeFacts(o.facts)})
	replies, err := c.SendInOneWrite(ctx, esl.UUIDSetvarMulti(o.command.Leg, append(variables, o.music...)...),
		esl.UUIDSetvarMulti(o.command.Other.Leg, joinVariables()...), o.built)
	if err != nil {
		return esl.Reply{}, err
	}
	return replies[len(replies)-1], nil
}
