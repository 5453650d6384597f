package callflows

import (
	"cmp"
	"slices"
	"strconv"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// Step takes a call one event further. It changes nothing that it is given: the caller keeps the old state if it fails to
// carry out the commands.
func Step(config Config, state State, event Event) Outcome {
	state.Legs = slices.Clone(state.Legs)
	s := &step{config: config, state: &state, event: event}
	switch state.Phase {
	case "":
		s.begin()
	case Running, Talking:
		if state.Move.Away {
			if event.Kind == Moved {
				s.keepVersion()
				s.arrived()
			}
			break
		}
		s.keepVersion()
		s.bookkeep()
		if s.state.Phase == Running || s.state.Phase == Talking {
			s.progress()
		}
	case Ending:
		if s.summonedLate() {
			s.explain("summoned_late")
			s.order(Command{Kind: HangUp, Leg: s.event.Leg, Cause: s.state.Cause})
		}
		s.bookkeep()
		if s.event.Kind == Resumed && s.state.Cause != "" {
			s.explain("hung_up_again", "cause", s.state.Cause)
			s.order(Command{Kind: HangUp, Leg: s.state.remaining(), Cause: s.state.Cause}) // hanging up twice harms nobody
		}
	case Ended:
		s.late()
	}
	s.callMoveOff()
	s.hangUpApart()
	return Outcome{State: state, Commands: s.commands, Because: s.because}
}

// step is one call of Step: what elements work with.
type step struct {
	config   Config
	state    *State
	event    Event
	commands []Command
	because  []because.Reason
	joinLost bool // the event means that a join that was ordered will not be
}

func (s *step) explain(code string, args ...string) {
	if s.config.Unexplained {
		return
	}
	s.because = append(s.because, because.New(code, args...))
}

// order numbers a command and adds it. Unless the command names another leg, it is for the one that the flow drives.
func (s *step) order(c Command) int {
	s.state.Commands++
	c.N = s.state.Commands
	if c.Leg == "" {
		c.Leg = s.state.DrivenLeg()
	}
	if c.Kind == Ring {
		c.Music = s.music()
	}
	s.commands = append(s.commands, c)
	return c.N
}

// await orders a command whose answer the element at work waits for.
func (s *step) await(stage string, c Command) {
	s.state.Stage = stage
	s.state.Awaited = s.order(c)
}

// answers says whether the event answers the awaited command.
func (s *step) answers() bool {
	return s.event.Command != 0 && s.event.Command == s.state.Awaited
}

// completes says whether the event is the answer, of this kind, that the element waits for in this stage.
func (s *step) completes(stage string, kind EventKind) bool {
	return s.state.Stage == stage && s.event.Kind == kind && s.answers()
}

// begin takes a parked call into its flow. A caller who gave up before the node had parked him comes with HungUp first:
// his leg gets its CDR all the same.
func (s *step) begin() {
	if !s.opens() {
		s.explain("event_before_park", "event", string(s.event.Kind))
		return
	}
	call := *s.event.Call
	call.Caller.Number, call.Caller.Name = clip(call.Caller.Number, messages.MaxName), clip(call.Caller.Name, messages.MaxName)
	call.Dialled, call.SIPCallID = clip(call.Dialled, messages.MaxName), clip(call.SIPCallID, messages.MaxURI)
	s.state.Call = call
	s.state.Phase = Running
	s.state.Legs = []Leg{{ID: call.Leg, Role: messages.RoleCaller, Device: call.Caller.Device, Trunk: call.Caller.Trunk, Created: true}}
	if s.event.Kind == HungUp {
		s.hungUp()
		return
	}
	s.keepVersion()
	if s.event.Kind == CallOrdered {
		s.state.Legs = nil // who is to be the caller has not been reached
		s.beginOrdered()
		return
	}
	if call.Ordered != nil { // it was answered while nobody was there
		s.state.Legs[0] = Leg{ID: cmp.Or(s.event.Leg, call.Leg), Role: messages.RoleCaller, Device: call.Caller.Device, Created: true}
		s.drive(&s.state.Legs[0])
		s.state.Legs[0].Answered, s.state.Answered = true, true
	}
	flow := s.flow(call.FlowID)
	if flow == nil {
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("flow_missing", "flow", call.FlowID))
		return
	}
	s.state.FlowID = flow.ID
	s.explain("flow_started", "flow", flow.Name, "caller", cmp.Or(call.Caller.Number, "An unknown caller"), "dialled", call.Dialled)
	s.enter(flow, flow.Start)
}

// opens says whether a call can begin with the event.
func (s *step) opens() bool {
	e := s.event
	return e.Call != nil && (e.Kind == Parked || e.Kind == CallOrdered && e.Call.Ordered != nil || e.Kind == HungUp && e.End != nil && e.Leg == e.Call.Leg)
}

// flow finds a flow of the tenant, or one of the platform's own.
func (s *step) flow(id string) *tenants.Flow {
	switch id {
	case EmergencyFlow:
		return &emergencyFlow
	case OutboundFlow:
		return &outboundFlow
	case ReplaceFlow:
		return &replaceFlow
	case AcrossFlow:
		return &acrossFlow
	case ListenFlow:
		return &listenFlow
	case AttendedFlow:
		return &attendedFlow
	case OrderedFlow:
		return &orderedFlow
	case RecallFlow:
		return &recallFlow
	case PivotFlow:
		return s.pivoted()
	}
	if s.config.Tenant == nil {
		return nil
	}
	return s.config.Tenant.Flow(id)
}

// enter starts an element.
func (s *step) enter(flow *tenants.Flow, key string) {
	s.state.Entered++
	if s.state.Entered > MaxElements {
		s.end("EXCHANGE_ROUTING_ERROR", messages.FaultTenant, because.New("too_many_elements", "limit", strconv.Itoa(MaxElements)))
		return
	}
	e, ok := flow.Elements[key]
	kind := elementOf(e.Type)
	if !ok || kind == nil {
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("element_missing", "element", key))
		return
	}
	s.state.Element, s.state.Stage, s.state.Attempt, s.state.Awaited = key, "", 0, 0
	s.state.Chain, s.state.Refusal = len(s.state.Forwards), 0
	kind.enter(s, e.Parsed)
}

// element gives the element at work, or nil.
func (s *step) element() (element, any) {
	flow := s.flow(s.state.FlowID)
	if flow == nil {
		return nil, nil
	}
	e, ok := flow.Elements[s.state.Element]
	if !ok {
		return nil, nil
	}
	return elementOf(e.Type), e.Parsed
}

// atWork gives the element that events are for, or nil: a page that is under way is one, whatever the version that drives the call
// now has in its place.
func (s *step) atWork() (element, any) {
	kind, settings := s.element()
	if _, pages := settings.(pageSettings); s.state.Paging() && !pages {
		return pageElement{}, pageSettings{Seconds: pageSeconds}
	}
	return kind, settings
}

// exit leaves the element at work by one of its exits. The call ends with cause when the exit leads nowhere.
func (s *step) exit(name, cause string, fault messages.Fault) {
	flow := s.flow(s.state.FlowID)
	next, ok := flow.Elements[s.state.Element].Exits[name]
	if !ok {
		s.giveUp(cause, fault, because.New("exit_leads_nowhere", "exit", name, "cause", cause))
		return
	}
	if fault == messages.FaultCallee || fault == messages.FaultCarrier {
		s.state.Fault = fault // what the flow does about it does not change why nobody was reached
	}
	s.explain("exit_taken", "exit", name, "element", next)
	s.enter(flow, next)
}

// end hangs the driven leg up with a cause and says why.
func (s *step) end(cause string, fault messages.Fault, why because.Reason) {
	if s.state.FlowID == OrderedFlow {
		s.dismiss(cause, fault, why)
		return
	}
	s.because = append(s.because, why)
	s.state.Phase, s.state.Awaited = Ending, 0
	s.state.Cause, s.state.Fault = cause, fault
	c := Command{Kind: HangUp, Leg: s.state.remaining(), Cause: cause}
	if !s.state.Answered {
		c.Code = s.state.Refusal
	}
	s.order(c)
}

// progress gives the event to the element at work.
func (s *step) progress() {
	switch {
	case s.guards():
		s.guard()
		if !s.joinLost {
			return
		}
	case s.state.Stage == stageJoining && s.event.Kind == Refused && s.answers():
		s.loseJoin()
	}
	if s.state.OnTheMove() && s.event.Kind != Transferred {
		s.state.Move.Missed = s.state.Move.Missed || s.answers() || s.event.Kind == Resumed || s.event.Kind == TimerFired
		return
	}
	if s.suspended() {
		s.state.Missed = s.state.Missed || s.answers() || s.event.Kind == Resumed || s.event.Kind == TimerFired
		return
	}
	switch {
	case s.state.Stage == stageMoving:
		s.waitMoved()
		return
	case s.moved():
		s.moving()
		return
	}
	if s.event.Kind == Refused && s.answers() && !s.joinLost {
		s.state.Stage = "" // nothing has come of it
		if s.state.Recording.N == s.event.Command {
			s.state.Recording = Tape{}
		}
		s.giveUp("NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform, because.New("node_refused", "detail", s.event.Cause))
		return
	}
	kind, settings := s.atWork()
	switch {
	case kind == nil && s.state.Phase == Running && s.pivotLost() && (s.event.Kind == Resumed || s.answers()):
		s.beginAnew()
	case kind != nil && s.event.Kind == Resumed:
		s.resume(kind, settings)
	case kind != nil:
		awaited, commands := s.state.Awaited, len(s.commands)
		kind.on(s, settings)
		if s.misfits(awaited, commands) {
			s.explain("element_anew", "element", s.state.Element)
			s.again(kind, settings)
		}
	case s.state.Phase == Running && s.state.Version != 0:
		s.elsewhere()
	case s.state.Phase == Running:
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("element_missing", "element", s.state.Element))
	case s.completes(stageRinging, RingEnded):
		s.ringEnded() // people who talk are not cut off because their flow is gone
	}
}

// resume lets the element at work begin anew: whether what it waits for has happened can no longer be known, and a caller
// who hears a prompt twice is better off than one who hears nothing. A talk goes on by itself.
func (s *step) resume(kind element, settings any) {
	if s.state.Phase != Running {
		return
	}
	if p, pages := settings.(pageSettings); pages && s.state.Stage == stagePaging { // who is heard already goes on
		s.pageLasts(p)
		return
	}
	s.explain("resumed", "element", s.state.Element)
	s.again(kind, settings)
}

// again enters the element at work anew.
func (s *step) again(kind element, settings any) {
	for i := range s.state.Legs {
		if l := &s.state.Legs[i]; !l.Joined && !l.Taken {
			l.With = nil // what was ordered is ordered anew
		}
	}
	s.leaveBehind()
	s.state.Stage, s.state.Attempt, s.state.Awaited = "", 0, 0
	kind.enter(s, settings)
}

// late notes an event for a call that is over.
func (s *step) late() { s.explain("event_after_end", "event", string(s.event.Kind)) }
