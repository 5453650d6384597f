package nodes

import (
	"cmp"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"tandem/because"
	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
	"tandem/tenants"
)

// lateSteps is where a worker numbers the entries of a call that it has not seen begin: more than any call's steps.
// adoptedSteps is how far it goes on beyond a mark, which is not written at every step.
const (
	lateSteps    = 1 << 19
	adoptedSteps = 1000
)

// handle takes one event of a node. It runs on the connection's goroutine for the shard.
func (n *Node) handle(index int, e *esl.Event) {
	defer e.Release() // what is kept longer is a copy
	n.traffic.notice(e)
	n.arrivals.notice(e)
	s, elsewhere := n.shards[index%len(n.shards)], n.elsewhere(e)
	s.mu.Lock()
	s.elsewhere = elsewhere
	s.notice(e)
	s.mu.Unlock()
	n.across(e)
}

// notice is what this worker does with an event, as what it is to the node.
func (s *shard) notice(e *esl.Event) {
	switch s.node.role.Load() {
	case owning:
		s.hear(e)
	case standingBy:
		if at := e.Time(); !at.IsZero() {
			now := time.Now()
			s.node.late.note(now.Sub(at), now)
		}
		s.keep(e)
	}
	s.learn(e)
}

// hear steps the call that an event is about. Until the shard has been reconciled, what is said of calls that it does not
// know yet is kept: they may be adopted in a moment.
func (s *shard) hear(e *esl.Event) {
	event, ok := s.translate(e)
	s.noticeStray(e)
	c := s.calls[e.UniqueID()]
	if c == nil && s.gone.has(e.UniqueID()) {
		return // words on a call that is over; on a late connection even its first ones
	}
	if c == nil && s.unsure && !begins(e) {
		if len(s.unheard) < maxUnheard {
			s.unheard = append(s.unheard, e.Clone())
		}
		return
	}
	if c == nil {
		c = s.adopt(e, &event)
	}
	if c == nil && e.Name() == "CHANNEL_PARK" && s.orphaned(e) { // it talked on with another call's leg while nobody was there
		s.node.askFor(e.UniqueID())
	}
	if c == nil || !ok {
		return
	}
	number := sequence(e)
	if c.late && !(event.Kind == callflows.HungUp && event.Leg == c.state.DrivenLeg()) {
		c.keep(heard{event: event, channel: e.UniqueID(), sequence: number})
		s.node.askFor(c.state.DrivenLeg())
		return
	}
	c.late = false
	if !s.pinned(c) {
		c.keep(heard{event: event, channel: e.UniqueID(), sequence: number})
		return
	}
	c.note(e.UniqueID(), number)
	s.step(c, event)
	s.stepKept(c)
}

// stepKept steps what was heard of a call before its state was known.
func (s *shard) stepKept(c *call) {
	if len(c.kept) == 0 || !s.pinned(c) {
		return
	}
	kept := c.kept
	c.kept = nil
	for _, h := range kept {
		c.note(h.channel, h.sequence)
		s.step(c, h.event)
	}
}

// note keeps which of a channel's events were stepped.
func (c *call) note(channel string, sequence uint64) {
	if c.stepped == nil {
		c.stepped = map[string]uint64{}
	}
	c.stepped[channel] = max(c.stepped[channel], sequence)
}

// begins says whether an event is the first of a caller's leg.
func begins(e *esl.Event) bool {
	return e.Get("Call-Direction") == "inbound" && (e.Name() == "CHANNEL_CREATE" || parksFirst(e))
}

// parksFirst says whether an event is of a leg that parks for the first time: no transfer has taken it out of a talk.
func parksFirst(e *esl.Event) bool {
	_, transferred := transferOf(e)
	return e.Name() == "CHANNEL_PARK" && !transferred
}

// sure ends the time in which calls may be adopted, and hears what was kept.
func (s *shard) sure() {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.unheard
	s.unsure, s.unheard = false, nil
	for _, e := range kept {
		s.hear(e)
	}
}

// doubt begins that time: the connection is lost.
func (s *shard) doubt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listenAnew()
}

// listenAnew notes that events were missed: what is there already may be told of still.
func (s *shard) listenAnew() {
	s.unsure, s.unheard, s.since, s.abreast = true, nil, 0, false
}

// adopt makes a call of the first event of a caller's leg, or of another that leads its call, and joins a dialled leg to the call
// that dialled it. An event that starts a call carries it.
func (s *shard) adopt(e *esl.Event, event *callflows.Event) *call {
	if other := s.calls[e.Get("Other-Leg-Unique-ID")]; other != nil && e.Get("Call-Direction") == "outbound" {
		s.bind(e.UniqueID(), other)
		return other
	}
	facts, ours := callOf(e, s.node.options.Node.Name)
	if !ours || e.Name() == "CHANNEL_EXECUTE_COMPLETE" {
		return nil
	}
	if facts.StartedAt.IsZero() {
		facts.StartedAt = e.Time()
	}
	if facts.Leg != e.UniqueID() {
		return s.adoptLed(e, facts)
	}
	c := s.newCall(facts)
	if !begins(e) {
		c.steps, c.late = lateSteps, true // it began under another worker, whose entries are numbered from 0
	}
	event.Call = &c.state.Call
	return c
}

// adoptLed makes a call of an event of the leg that leads it in its caller's stead.
func (s *shard) adoptLed(e *esl.Event, facts callflows.Call) *call {
	c := s.calls[facts.Leg]
	switch {
	case c != nil:
	case e.Name() == "CHANNEL_HANGUP_COMPLETE": // nothing is left to be driven
		return nil
	default:
		c = s.newCall(facts)
		c.state.Driven, c.steps, c.late = e.UniqueID(), lateSteps, true
	}
	s.bind(e.UniqueID(), c)
	return c
}

// newCall begins to drive a call, under the version that routing decided with.
func (s *shard) newCall(facts callflows.Call) *call {
	if user := userOf(s.node.options.Snapshot().Tenant(facts.Tenant), facts.Caller.Device); user != nil {
		facts.Caller.Name = user.Name // a phone's own display name is only what it claims
	}
	c := &call{gaps: s.node.gaps.Load()}
	c.state.Call = facts
	s.pinned(c) // what is not there is fetched from now on
	s.bind(facts.Leg, c)
	s.node.live.Add(1)
	if s.node.role.Load() == owning {
		s.node.announceCall(c, messages.CallStarted, facts.StartedAt)
	}
	return c
}

// bind lets the events of a channel lead to a call.
func (s *shard) bind(channel string, c *call) {
	if s.calls[channel] == nil {
		c.channels = append(c.channels, channel)
	}
	s.calls[channel] = c
}

// unbind ends that for all channels of a call.
func (s *shard) unbind(c *call) {
	for _, channel := range c.channels {
		delete(s.calls, channel)
		s.gone.add(channel)
	}
}

// userOf finds the user of a device, or nil.
func userOf(t *tenants.Tenant, device string) *tenants.User {
	if t == nil {
		return nil
	}
	d := t.Device(device)
	if d == nil {
		return nil
	}
	return t.User(d.UserID)
}

// step takes a call one event further and carries out what comes of it.
func (s *shard) step(c *call, event callflows.Event) {
	if c.state.Move.Away && event.Kind != callflows.Moved {
		if c.arriving {
			c.hold(event)
		}
		return // it is another worker's
	}
	if !s.pinned(c) {
		c.hold(event)
		return
	}
	switch {
	case c.state.Phase != "":
	case event.Leg != c.state.Call.Leg && event.Leg == c.state.Driven && event.Kind == callflows.HungUp: // nothing else is known of it
		c.state.Phase, c.state.Legs = callflows.Ending, []callflows.Leg{{ID: event.Leg, Role: messages.RoleCallee, Created: true}}
	case event.Leg != c.state.Call.Leg && !(c.state.Call.Ordered != nil && event.Kind == callflows.Parked):
		return // of a leg that it has dialled under another worker
	default:
		facts := c.state.Call
		event.Call = &facts
		if event.Kind != callflows.Parked && event.Kind != callflows.HungUp && event.Kind != callflows.CallOrdered {
			return // a call begins when it parks or is ordered, or ends before that
		}
	}
	defer func() {
		if fault := recover(); fault != nil {
			s.panicked(c, event, fault)
		}
	}()
	var orders []order
	led := c.state.DrivenLeg()
	for queue := []callflows.Event{event}; len(queue) > 0; queue = queue[1:] {
		out := s.decide(c, queue[0])
		wasAnswered, talked := c.state.Answered, c.state.Phase == callflows.Talking
		s.tellOut(c, out.State)
		c.state, c.arriving = out.State, false
		c.moving = c.moving && c.state.Moving()
		if c.state.Answered && !wasAnswered {
			s.node.announceCall(c, messages.CallAnswered, queue[0].At)
		}
		if c.state.Phase == callflows.Talking && !talked {
			s.allowRefer(c)
		}
		for _, command := range out.Commands {
			if answer, ok := s.obey(c, command, queue[0].At, &orders); ok {
				queue = append(queue, answer)
			}
		}
		if len(queue) == 1 {
			queue = append(queue, s.dispatch(c, orders)...)
			orders = nil
		}
	}
	if c.state.Phase == callflows.Ended {
		s.ship(c)
		s.forget(c, event.At)
	} else if c.state.Move.Away {
		return
	} else if event.Kind == callflows.Moved {
		s.markMoved(c)
	} else if c.state.DrivenLeg() != led {
		s.markLed(c)
	}
	s.tellNews(c)
}

// tellOut says by which trunk a call is out, when that changes. A call for help counts against no limit, and one to another node leaves the platform by none.
func (s *shard) tellOut(c *call, now callflows.State) {
	trunk := now.OutBy()
	if s.node.options.CallsOut != nil && trunk != c.out {
		c.out = trunk
		s.node.options.CallsOut.Out(now.Call.ID, now.Call.Tenant, trunk, time.Now())
		s.tellOthersOut(now, trunk)
	}
	s.tellTalking(c, now)
}

// tellOthersOut lets the other workers count it too. That a call is over they are told anyhow.
func (s *shard) tellOthersOut(now callflows.State, trunk string) {
	if s.node.options.Announcer == nil || now.Phase == callflows.Ended || s.node.role.Load() != owning {
		return
	}
	state := messages.CallStarted
	if now.Answered {
		state = messages.CallAnswered
	}
	s.node.announceMoment(now.Call, state, time.Now().UTC(), cmp.Or(trunk, messages.OutByNone))
}

// tellTalking says which devices are in a call, when that changes: the caller's from the beginning, a called one from its answer.
func (s *shard) tellTalking(c *call, now callflows.State) {
	if s.node.options.Talking == nil {
		return
	}
	var devices []string
	for _, l := range now.Legs {
		if l.Device != "" && !l.HungUp && (l.Answered || l.ID == now.Call.Leg) && now.Phase != callflows.Ended {
			devices = append(devices, l.Device)
		}
	}
	if !slices.Equal(devices, c.talking) {
		c.talking = devices
		s.node.options.Talking.Talks(now.Call.ID, now.Call.Tenant, devices)
	}
}

// tellNoneOut says that no call of this shard is counted here any more: another worker drives them.
func (s *shard) tellNoneOut() {
	for _, c := range s.calls {
		s.tellOut(c, callflows.State{Call: c.state.Call})
	}
}

// decide runs the engine and keeps its reasons.
func (s *shard) decide(c *call, event callflows.Event) callflows.Outcome {
	state := c.state
	if state.Phase == "" {
		state = callflows.State{}
	}
	out := callflows.Step(c.config, state, event)
	s.journal(c, event, out)
	return out
}

// panicked ends a call whose step failed, and no other: the caller hears an end rather than silence, the reason is in the
// journal, the stack in the log. The call stays known until its legs are gone, so that each gets its CDR.
func (s *shard) panicked(c *call, event callflows.Event, fault any) {
	facts := c.state.Call
	s.node.log.Error("a step panicked", slog.String("call_id", facts.ID), slog.String("tenant_id", facts.Tenant),
		slog.String("event", string(event.Kind)), slog.Any("panic", fault), slog.String("stack", string(debug.Stack())))
	c.state.Phase, c.state.Cause, c.state.Fault, c.state.Awaited = callflows.Ending, "NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform, 0
	if len(c.state.Legs) == 0 {
		c.state.Legs = []callflows.Leg{{ID: facts.Leg, Role: messages.RoleCaller, Created: true}}
	}
	c.state.Commands++
	hangUp := callflows.Command{Kind: callflows.HangUp, N: c.state.Commands, Leg: c.state.DrivenLeg(), Cause: c.state.Cause}
	s.journal(c, event, callflows.Outcome{State: c.state, Commands: []callflows.Command{hangUp},
		Because: []because.Reason{because.New("step_panicked", "event", string(event.Kind), "detail", fmt.Sprint(fault))}})
	select {
	case s.outbox <- order{call: c, facts: facts, command: hangUp, built: esl.UUIDKill(hangUp.Leg, hangUp.Cause), at: event.At, term: s.node.term.Load()}:
	default:
		s.node.log.Error("a call that failed could not be hung up", slog.String("call_id", facts.ID), slog.String("tenant_id", facts.Tenant))
	}
}

// journal records one step.
func (s *shard) journal(c *call, event callflows.Event, out callflows.Outcome) {
	if s.node.options.Unexplained {
		return
	}
	room := callflows.AppendEvent(s.room[:0], &event)
	input := len(room)
	room = callflows.AppendCommands(room, out.Commands)
	if s.room = room; cap(room) > maxRoom {
		s.room = nil
	}
	call := out.State.Call
	s.node.options.Ledger.AddJournal(messages.JournalEntry{
		Call: call.ID, Tenant: call.Tenant, Source: messages.SourceCallflow, Leg: call.Leg, N: c.steps, At: event.At, Version: out.State.DrivenBy(),
		Element: callflows.ElementBefore(c.config, c.state, event), Because: out.Because, Input: room[:input:input], Output: room[input:],
	})
	c.steps++
}

// obey carries out one command. What can be answered at once is answered by an event; the rest goes to the node.
func (s *shard) obey(c *call, command callflows.Command, at time.Time, orders *[]order) (callflows.Event, bool) {
	if !s.node.has(command.Kind) {
		answer := lacking(command)
		answer.At = at
		return answer, true
	}
	switch command.Kind {
	case callflows.FileRecording:
		s.node.fileRecording(*command.Recording)
		filed := callflows.Event{Kind: callflows.Done, At: at, Leg: command.Leg, Command: command.N}
		return filed, c.state.Awaited == command.N // nobody waits for it when the leg is gone
	case callflows.FindMessages, callflows.MarkMessage, callflows.CheckPIN, callflows.SaveSetting:
		return s.inquire(c, command, at)
	case callflows.WriteCDR:
		s.node.shipCDR(command.CDR)
		s.node.options.Ledger.AddCDR(*command.CDR)
		return callflows.Event{}, false
	case callflows.FindContacts:
		found := callflows.Event{Kind: callflows.ContactsFound, At: at, Leg: command.Leg, Command: command.N}
		for _, device := range command.Devices {
			found.Contacts = append(found.Contacts, s.node.options.Contacts.Contacts(c.config.Tenant, device, at)...)
		}
		if command.Talking && s.node.options.Talking != nil {
			found.Talking = s.node.options.Talking.Talking(c.state.Call.ID, c.state.Call.Tenant, command.Devices)
		}
		if len(command.Trunks) > 0 {
			found.Counts = s.count(c, command)
		}
		return found, true
	case callflows.CountCalls:
		counted := callflows.Event{Kind: callflows.CallsCounted, At: at, Leg: command.Leg, Command: command.N, Counts: s.count(c, command)}
		return counted, true
	case callflows.SetTimer:
		s.await(c, wait{N: command.N, Leg: command.Leg, Due: time.Now().Add(command.Wait), At: at.Add(command.Wait)})
		return callflows.Event{}, false
	case callflows.Fetch:
		if s.node.options.Fetcher == nil {
			return callflows.Event{Kind: callflows.Fetched, At: at, Leg: command.Leg, Command: command.N, Reply: &callflows.Reply{Error: nobodyAsks}}, true
		}
		s.ask(c, question{Command: command, At: at})
		return callflows.Event{}, false
	case callflows.Ring, callflows.Invite, callflows.Summon:
		for _, target := range command.Targets {
			s.bind(target.Leg, c)
		}
	case callflows.FindCall:
		return s.findCall(c, command, at), true
	case callflows.MoveLegs:
		c.departure = nil
		s.node.departSoon()
		return callflows.Event{}, false
	case callflows.LeaveMove:
		s.node.options.Mover.SendMove(s.message(c, messages.MoveDrop, command.Legs, command.Node))
		return callflows.Event{}, false
	case callflows.HandOver:
		*orders = append(*orders, order{call: c, facts: c.state.Call, command: command, built: esl.UUIDBreak(command.Leg, true), at: at, with: s.handOver(c, command)})
		return callflows.Event{}, false
	case callflows.Answer, callflows.SignalRinging, callflows.Play, callflows.CollectDigits, callflows.HangUp, callflows.Join, callflows.TakeOut,
		callflows.Record, callflows.StartRecording, callflows.StopRecording, callflows.Speak, callflows.Rejoin:
	}
	built, err := s.node.build(c.state.Call, command)
	if err != nil {
		return refused(command, at, err), true
	}
	*orders = append(*orders, order{call: c, facts: c.state.Call, command: command, music: s.node.musicVariables(c.state.Call.Tenant, command), built: built, at: at})
	return callflows.Event{}, false
}

// count says how many calls are out besides this one.
func (s *shard) count(c *call, command callflows.Command) *callflows.Counts {
	if s.node.options.CallsOut == nil {
		return &callflows.Counts{}
	}
	counts := s.node.options.CallsOut.Count(c.state.Call.ID, c.state.Call.Tenant, command.Trunks, time.Now())
	return &counts
}

// dispatch hands a step's orders to the shard's sender, together with the mark that the channel is to carry: the state
// after the whole step. It returns what the engine must be told of those that there is no room for.
func (s *shard) dispatch(c *call, orders []order) (answers []callflows.Event) {
	for _, o := range orders {
		c.orders = append(c.orders, o.command)
	}
	ticket := s.ship(c)
	if len(orders) == 0 {
		return nil
	}
	last, mark := orders[len(orders)-1].command.N, encodeMark(c.state, c.steps)
	for _, o := range orders {
		if o.mark = mark; o.command.N != last { // it says nothing of those that come after it
			until := c.state
			until.Commands = o.command.N
			o.mark = encodeMark(until, c.steps)
		}
		o.ticket, o.term, o.moved = ticket, s.node.term.Load(), len(c.state.Segments) > 0
		if s.doubts != nil {
			c.unclear = c.unclear || o.command.Kind != callflows.HangUp
			*s.doubts = append(*s.doubts, o)
			continue
		}
		s.node.gap.queued()
		select {
		case s.outbox <- o:
			c.queued = o.command.N
		default:
			answers = append(answers, refused(o.command, o.at, errOutboxFull))
		}
	}
	return answers
}

// refused tells the engine that a command was not carried out.
func refused(command callflows.Command, at time.Time, err error) callflows.Event {
	return callflows.Event{Kind: callflows.Refused, At: at, Leg: command.Leg, Command: command.N, Cause: err.Error()}
}

// await starts a timer. The standby knows of it, and starts it anew when it takes over.
func (s *shard) await(c *call, w wait) {
	c.waits = append(c.waits, w)
	time.AfterFunc(time.Until(w.Due), func() { s.fire(c, w) })
}

// fire ends the wait of a timer. At a takeover it waits until it is known what became of the last owner's orders: what follows from it
// would be written on the channel, and be taken for evidence that the node has got those, too.
func (s *shard) fire(c *call, w wait) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.unclear && c.state.Phase != callflows.Ended {
		time.AfterFunc(evidenceWait, func() { s.fire(c, w) })
		return
	}
	if c.state.Move.Away && !c.arriving {
		return // it travels with the call
	}
	if s.node.role.Load() == stranded && c.state.Phase != callflows.Ended {
		time.AfterFunc(suspectEvery, func() { s.fire(c, w) })
		return
	}
	c.waits = slices.DeleteFunc(c.waits, func(other wait) bool { return other.N == w.N })
	if c.state.Phase != callflows.Ended && s.node.role.Load() == owning {
		s.step(c, callflows.Event{Kind: callflows.TimerFired, At: w.At, Leg: w.Leg, Command: w.N})
	}
}

// forget drops a call that is over.
func (s *shard) forget(c *call, at time.Time) {
	s.unbind(c)
	s.node.live.Add(-1)
	s.node.announceCall(c, messages.CallEnded, at)
}

func (n *Node) announceCall(c *call, state messages.CallState, at time.Time) {
	n.announceMoment(c.state.Call, state, at, "")
}

// announceMoment tells the other workers of a moment in a call's life. out is the trunk by which it is out from then on, OutByNone, or
// empty when nothing is said of that.
func (n *Node) announceMoment(facts callflows.Call, state messages.CallState, at time.Time, out string) {
	n.options.Announcer.AnnounceCall(messages.CallEvent{
		Type: messages.CallEventV1, Call: facts.ID, Tenant: facts.Tenant, State: state, Node: n.options.Node.Name, At: at,
		From: facts.Caller.Number, To: facts.Dialled, Out: out, Epoch: n.telling.epoch.Load(), N: n.telling.n.Add(1),
	})
}

// commandID is how the node names a command: it comes back as Application-UUID.
func commandID(c callflows.Call, n int) string { return c.ID + "/" + strconv.Itoa(n) }
