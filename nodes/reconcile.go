package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/esl"
)

// After a gap in the events, and when this worker takes a node that it has not followed, nothing that it remembers is
// certain, and the node may hold calls that it does not know. reconcile brings both together:
//
//	a leg that we know and the node does not      it has ended: an estimated record
//	a caller that the node holds and we do not    its call is adopted, from what its channel carries
//	another leg that a flow drives, likewise      the same, when no caller's leg of the call is there any more
//	a call from before the gap that is still there   what it waits for may be over: it is resumed
//
// The list of channels lags behind the node (it is a table that another thread fills), so a leg that is not in it counts
// as gone only when uuid_exists says so too, and a call that began after the gap is left alone.
func (n *Node) reconcile(ctx context.Context, c *esl.Conn) {
	n.rescueHere()
	there, err := channels(ctx, c)
	for _, s := range n.shards {
		if err == nil {
			err = s.reconcile(ctx, c, there)
		}
		s.sure()
	}
	if err != nil && ctx.Err() == nil {
		n.log.ErrorContext(ctx, "the node's channels could not be compared with our calls", slog.Any("error", err))
	}
}

// channel is one row of the list of channels.
type channel struct {
	UUID      string `json:"uuid"`
	Direction string `json:"direction"`
}

// channels lists the node's channels.
func channels(ctx context.Context, c *esl.Conn) (map[string]channel, error) {
	reply, err := c.Send(ctx, esl.ShowChannels())
	if err == nil {
		err = reply.Err()
	}
	if err != nil {
		return nil, err
	}
	var listed struct {
		Rows []channel `json:"rows"`
	}
	if err := json.Unmarshal(reply.Body, &listed); err != nil {
		return nil, fmt.Errorf("show channels: %w", err)
	}
	there := make(map[string]channel, len(listed.Rows))
	for _, row := range listed.Rows {
		there[row.UUID] = row
	}
	return there, nil
}

// reconcile brings one shard's calls and the node's channels together.
func (s *shard) reconcile(ctx context.Context, c *esl.Conn, there map[string]channel) error {
	gone := map[string]bool{}
	for _, leg := range s.unlisted(there) {
		reply, err := c.Send(ctx, esl.UUIDExists(leg))
		if err != nil {
			return err
		}
		gone[leg] = reply.Text == "false"
	}
	left, err := s.passedOn(ctx, c, gone, there)
	if err != nil {
		return err
	}
	s.end(gone, left, time.Now().UTC())
	callers := callersOf(there)
	for _, row := range there {
		switch {
		case s.node.shardOf(row.UUID) != s:
			continue
		case !s.leads(row, callers) || !s.stale(row.UUID):
			s.lookForStray(ctx, c, row, callers)
			continue
		}
		if err := s.readopt(ctx, c, row.UUID, there); err != nil {
			return err
		}
	}
	return nil
}

// callersOf gives the first digits of the uuids of callers' legs.
func callersOf(there map[string]channel) map[string]bool {
	callers := map[string]bool{}
	for uuid, row := range there {
		if row.Direction == "inbound" {
			callers[uuid[:min(len(uuid), sharedDigits)]] = true
		}
	}
	return callers
}

// leads says whether a channel is the one that its call is driven by, as far as is known: the caller's, unless that is gone.
func (s *shard) leads(row channel, callers map[string]bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.calls[row.UUID]; c != nil && (c.state.Phase != "" || c.state.Driven != "") {
		return row.UUID == c.state.DrivenLeg()
	}
	return row.Direction == "inbound" || !callers[row.UUID[:min(len(row.UUID), sharedDigits)]]
}

// readopt takes a leading leg up from what the node says of it; listed are the node's channels, if they are known.
func (s *shard) readopt(ctx context.Context, c *esl.Conn, leg string, listed map[string]channel) error {
	d, err := dumpOf(ctx, c, leg)
	if err == nil && s.endStray(ctx, c, d) {
		return nil
	}
	if err == nil && s.orphaned(d) && !s.has(leg) {
		s.node.log.WarnContext(ctx, "a leg was transferred while nobody was there, and nothing is known of its call: it is hung up", slog.String("leg", leg))
		_, err = c.Send(ctx, esl.UUIDKill(leg, "NORMAL_TEMPORARY_FAILURE"))
		return err
	}
	if err == nil {
		return s.takeUp(ctx, c, d, listed)
	}
	if c.Err() != nil || ctx.Err() != nil {
		return err
	}
	if !errors.Is(err, errNoChannel) { // it keeps no other call from being adopted
		s.node.log.ErrorContext(ctx, "what the node says of a channel cannot be read", slog.String("leg", leg), slog.Any("error", err))
	}
	return nil
}

// stale says whether a leading leg has no call yet, or one from before the last gap.
func (s *shard) stale(leg string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isStale(leg)
}

// isStale is stale under the shard's lock.
func (s *shard) isStale(leg string) bool {
	c := s.calls[leg]
	return c == nil && !s.gone.has(leg) || c != nil && !c.arriving && (c.late || c.gaps < s.node.gaps.Load() || c.moving && c.state.Moving())
}

// unlisted gives the live legs that the list lacks, of calls from before the last gap and of those whose legs are doubted.
func (s *shard) unlisted(there map[string]channel) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	gaps := s.node.gaps.Load()
	var legs []string
	missing := func(leg string) {
		if _, ok := there[leg]; !ok {
			legs = append(legs, leg)
		}
	}
	for uuid, c := range s.calls {
		if uuid != c.state.Call.Leg || c.gaps >= gaps && !c.doubted && !c.moving {
			continue
		}
		c.doubted = false
		for _, leg := range c.state.Legs {
			if leg.Created && !leg.HungUp {
				missing(leg.ID)
			}
		}
		if len(c.state.Legs) == 0 {
			missing(uuid) // it had not parked yet
		}
	}
	return legs
}

// passedOn gives, by driven legs that are gone, the leg of the same call that each has transferred before it went. That they talked may
// not have been told either, so the legs that are there are asked.
func (s *shard) passedOn(ctx context.Context, conn *esl.Conn, gone map[string]bool, there map[string]channel) (map[string]string, error) {
	left := map[string]string{}
	for leg, is := range gone {
		if !is || !s.drives(leg) {
			continue
		}
		for uuid := range there {
			if gone[uuid] || !shareDigits(uuid, leg) {
				continue
			}
			d, err := dumpOf(ctx, conn, uuid)
			if err != nil && (conn.Err() != nil || ctx.Err() != nil) {
				return nil, err
			}
			if e, transferred := transferOf(d); err == nil && transferred && e.ByLeg == leg {
				left[leg] = uuid
			}
		}
	}
	return left, nil
}

// drives says whether a leg is the one that its call is driven by.
func (s *shard) drives(leg string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[leg]
	return c != nil && c.state.DrivenLeg() == leg
}

// end closes legs that are gone, the driven after those that it has dialled, as the node itself would. left names those that a driven
// leg has transferred.
func (s *shard) end(gone map[string]bool, left map[string]string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var callers []string
	for leg, is := range gone {
		c := s.calls[leg]
		switch {
		case !is || c == nil:
		case leg == c.state.DrivenLeg():
			callers = append(callers, leg)
		default:
			s.step(c, lost(c, leg, "", at))
		}
	}
	for _, leg := range callers {
		if c := s.calls[leg]; c != nil {
			s.step(c, lost(c, leg, left[leg], at))
		}
	}
}

// lost is the end of a leg of which nobody was told. Who talked to it may have been transferred by it: then the call goes on. left is
// a leg that certainly was, or "".
func lost(c *call, leg, left string, at time.Time) callflows.Event {
	end := &callflows.LegEnd{Cause: "NORMAL_UNSPECIFIED", Q850: 31, By: callflows.ByUs, CreatedAt: c.state.Call.StartedAt, Estimated: true, Left: left}
	for _, l := range c.state.Legs {
		if left == "" && l.Bridged && !l.HungUp && l.ID != leg {
			end.Left = l.ID
		}
	}
	return callflows.Event{Kind: callflows.HungUp, At: at, Leg: leg, End: end}
}

// takeUp goes on with a call after a gap: one of ours, or one that is adopted from its channel. One that has begun, or has
// ended, while the node was asked goes on by itself: its events have come and are stepped.
func (s *shard) takeUp(ctx context.Context, conn *esl.Conn, d dump, listed map[string]channel) error {
	there, err := s.legsThere(ctx, conn, d, listed)
	caller := s.known(d).Call.Leg
	if err == nil && !anyThere(there, caller) && s.ringsUnheard(d) && pause(ctx, evidenceWait) {
		there, err = s.legsThere(ctx, conn, d, listed) // a ring that has just begun has its first leg by now
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	leg := d.Get("Unique-ID")
	if !s.isStale(leg) {
		s.mu.Unlock()
		return nil
	}
	c := s.calls[leg]
	if c == nil || c.late {
		c = s.restore(d)
		s.meet(c, there, d.at())
	}
	if c == nil {
		s.mu.Unlock()
		return nil // not Tandem's channel
	}
	c.gaps, c.moving = s.node.gaps.Load(), false
	s.learnAfterGap(c, d)
	event := resumption(c, d, anyThere(there, caller))
	answered := c.hasHeardAnswer() || c.asks() || c.state.Awaited != 0 && c.taken == c.state.Awaited && c.takenOn == conn
	if event.Kind == callflows.Resumed && answered || c.queued != 0 && c.queued == c.state.Awaited {
		event.Kind = "" // it goes on by what was heard, or by what comes of an order that is sent on this connection
	}
	pages := c.state.Paging() && (event.Kind == "" || event.Kind == callflows.Resumed)
	if pages {
		event = callflows.Event{Kind: callflows.Resumed, At: d.at(), Leg: c.state.DrivenLeg()}
	} else if event.Kind == callflows.Resumed {
		c.resuming = true
		c.state.Awaited = 0 // what it waits for is broken off, and its end is no answer
	}
	s.mu.Unlock()
	if event.Kind == callflows.Resumed && !pages {
		// A prompt that still plays would come before the one that is asked for again.
		if _, err := conn.Send(ctx, esl.UUIDBreak(event.Leg, true)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.resuming = false
	// What it waits for now, if for anything, was ordered while the rest was broken off, as a transfer may be.
	goesOn := event.Kind == callflows.Resumed && !pages && c.state.Awaited != 0
	if event.Kind != "" && c.state.Phase != callflows.Ended && !goesOn {
		s.step(c, event)
	}
	s.stepKept(c)
	return nil
}

// hasHeardAnswer says whether what the call waits for is among what was heard before its state was known.
func (c *call) hasHeardAnswer() bool {
	return c.state.Awaited != 0 && slices.ContainsFunc(c.kept, func(h heard) bool { return h.event.Command == c.state.Awaited })
}

// askFor has the node asked for a leading leg of whose call nothing is known but that it is there.
func (n *Node) askFor(leg string) {
	select {
	case n.asking <- leg:
	default: // the node is asked for all of them soon after this worker has become its owner
	}
}

// ask asks for such legs.
func (n *Node) ask(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case leg := <-n.asking:
			s := n.shardOf(leg)
			c := n.up.Load()
			if c == nil || n.role.Load() != owning || !s.stale(leg) {
				continue
			}
			if err := s.readopt(ctx, c, leg, nil); err != nil && ctx.Err() == nil {
				n.log.WarnContext(ctx, "a channel could not be asked for its call", slog.String("leg", leg), slog.Any("error", err))
			}
		}
	}
}

// legsThere says of a call's legs, beside the one that leads it, which live. The list of channels lags behind, so the node is
// asked for each: a phone that rings must not be rung again.
func (s *shard) legsThere(ctx context.Context, conn *esl.Conn, d dump, listed map[string]channel) (map[string]bool, error) {
	legs := s.dialled(d)
	for uuid, row := range listed { // a mark may have had no room for it
		if row.Direction == "outbound" && uuid != d.Get("Unique-ID") && shareDigits(uuid, d.Get("Unique-ID")) && !slices.Contains(legs, uuid) {
			legs = append(legs, uuid)
		}
	}
	there := map[string]bool{}
	for _, leg := range legs {
		reply, err := conn.Send(ctx, esl.UUIDExists(leg))
		if err != nil {
			return nil, err
		}
		there[leg] = reply.Text == "true"
	}
	return there, nil
}

// anyThere says whether any of the legs is there, beside the caller's own: nobody rings him.
func anyThere(legs map[string]bool, caller string) bool {
	for leg, is := range legs {
		if is && leg != caller {
			return true
		}
	}
	return false
}

// sharedDigits is how far the uuids of one call's legs are alike (callflows, legid.go).
const sharedDigits = 8

// shareDigits says whether two uuids begin alike.
func shareDigits(a, b string) bool {
	return len(a) > sharedDigits && len(b) > sharedDigits && a[:sharedDigits] == b[:sharedDigits]
}

// known is what we or its channel know of a call.
func (s *shard) known(d dump) callflows.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	var state callflows.State
	if c := s.calls[d.Get("Unique-ID")]; c != nil && !c.late {
		state = c.state
	} else if facts, ours := callOf(d, s.node.options.Node.Name); ours {
		state, _, _ = decodeMark(d.Variable(markVariable), facts)
	}
	return state
}

// dialled lists the legs of a call beside the one that leads it, as far as we or its channel know.
func (s *shard) dialled(d dump) (legs []string) {
	leading := d.Get("Unique-ID")
	for _, l := range s.known(d).Legs {
		if l.ID != leading && !l.HungUp {
			legs = append(legs, l.ID)
		}
	}
	return legs
}

// ringsUnheard says whether a call has ordered a ring of which nothing is known: neither a leg nor its end.
func (s *shard) ringsUnheard(d dump) bool {
	state := s.known(d)
	return state.Ringing() && (d.Variable(disposition) == "" || d.Variable(disposition) == dialling)
}

// meet tells an adopted call which of its legs are there: its mark is from before some of them came or went. One that came
// would have no record if the caller went first, and one that went would be waited for for ever.
func (s *shard) meet(c *call, there map[string]bool, at time.Time) {
	if c == nil || c.state.Phase == "" {
		return
	}
	for _, leg := range slices.Sorted(maps.Keys(there)) {
		i := slices.IndexFunc(c.state.Legs, func(l callflows.Leg) bool { return l.ID == leg })
		switch created := i >= 0 && c.state.Legs[i].Created; {
		case there[leg] && !created:
			s.bind(leg, c)
			s.step(c, callflows.Event{Kind: callflows.LegCreated, At: at, Leg: leg})
		case !there[leg] && created:
			s.step(c, lost(c, leg, "", at))
		}
	}
}

// restore makes a call of what the channel that leads it carries. Without a mark it has not begun yet; with one that cannot be
// read it begins anew, which is said.
func (s *shard) restore(d dump) *call {
	facts, ours := callOf(d, s.node.options.Node.Name)
	if !ours {
		return nil
	}
	c, leading := s.calls[facts.Leg], d.Get("Unique-ID")
	if c == nil {
		c = s.newCall(facts)
	}
	if c.late = false; leading != facts.Leg {
		c.state.Driven = leading
		s.bind(leading, c)
	}
	mark := d.Variable(markVariable)
	if mark == "" {
		return c
	}
	state, steps, err := decodeMark(mark, facts)
	if err != nil {
		s.node.log.Error("what a channel carries of its call cannot be read; its flow begins anew", slog.String("call_id", facts.ID),
			slog.String("tenant_id", facts.Tenant))
		c.steps = lateSteps
		return c
	}
	state.Driven = c.state.Driven
	restoreTransfer(&state, d.Variable(transferSource))
	c.state, c.steps = state, steps+adoptedSteps
	for i, leg := range state.Legs {
		s.bind(leg.ID, c)
		if leg.ID == leading && leg.Answered { // the mark has no times
			c.state.Legs[i].AnsweredAt = microseconds(d.Get("Caller-Channel-Answered-Time"))
		}
	}
	s.node.log.Info("a live call is adopted", slog.String("call_id", facts.ID), slog.String("tenant_id", facts.Tenant),
		slog.String("element", state.Element))
	return c
}

// resumption is the event by which a call goes on after a gap; callee says whether a leg that it has dialled lives. An event
// of no kind means that it goes on by itself.
func resumption(c *call, d dump, callee bool) callflows.Event {
	if e, unheard := unheardTransfer(c, d); unheard {
		return e
	}
	event := callflows.Event{At: d.at(), Leg: c.state.DrivenLeg()}
	with := d.Variable("bridge_to")
	foreign := len(with) >= legDigits && !shareDigits(event.Leg, with)
	switch {
	case c.state.Phase == "":
		event.Kind, event.Call = callflows.Parked, &c.state.Call
	case foreign && (c.state.Phase == callflows.Running || c.state.Phase == callflows.Talking):
		event.Kind, event.Other = callflows.Joined, &callflows.Party{Leg: with} // told twice it changes nothing
	case c.state.Joined():
		event.Kind, event.Other = callflows.Parted, &callflows.Party{}
	case callee && c.state.Phase == callflows.Running && d.Variable("bridge_to") != "":
		event.Kind, event.Leg = callflows.Bridged, d.Variable("bridge_to") // the mark is from before the answer
	case c.state.Moving(): // who else is there, such as listeners of a page, tells nothing of it
		event.Kind = callflows.Resumed
	case callee && (c.state.Ringing() || c.state.Phase == callflows.Talking): // any other is one of an earlier ring or page that leaves
		return callflows.Event{} // it rings or talks, and its end will be told
	case c.state.Phase == callflows.Talking:
		event.Kind, event.Command, event.Cause = callflows.RingEnded, c.state.Awaited, "NORMAL_CLEARING"
	case c.state.Ringing() && d.Variable(disposition) == dialling: // although no leg of it is there: its end will be told
		return callflows.Event{}
	case c.state.Ringing() && d.Variable(disposition) != "" && d.Variable(disposition) != "SUCCESS":
		event.Kind, event.Command, event.Cause = callflows.RingEnded, c.state.Awaited, d.Variable(disposition)
	default:
		event.Kind = callflows.Resumed
	}
	return event
}

// What a caller's leg says of its last dial (switch_ivr_originate.c): that it is under way, and afterwards the cause of its end.
const (
	disposition = "originate_disposition"
	dialling    = "failure"
)

// dump is all that a node says of a channel.
type dump map[string]string

// errNoChannel says that a channel is gone.
var errNoChannel = errors.New("nodes: no such channel")

func dumpOf(ctx context.Context, c *esl.Conn, leg string) (dump, error) {
	reply, err := c.Send(ctx, esl.UUIDDump(leg))
	if err != nil {
		return nil, err
	}
	if reply.Err() != nil {
		return nil, errNoChannel
	}
	var headers map[string]any
	if err := json.Unmarshal(reply.Body, &headers); err != nil {
		return nil, fmt.Errorf("uuid_dump: %w", err)
	}
	d := dump{}
	for name, value := range headers {
		if text, ok := value.(string); ok {
			d[name] = text
		} // a variable that was pushed to, such as originated_legs, is a list (switch_event_serialize_json_obj): none of ours is
	}
	return d, nil
}

// Get gives a header.
func (d dump) Get(name string) string { return d[name] }

// Variable gives a channel variable.
func (d dump) Variable(name string) string { return d["variable_"+name] }

// at is the node's time.
func (d dump) at() time.Time {
	if t := microseconds(d.Get("Event-Date-Timestamp")); !t.IsZero() {
		return t
	}
	return time.Now().UTC()
}
