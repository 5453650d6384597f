package callflows

import (
	"cmp"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// A transfer takes one leg of a talk to another number. The node does the first part by itself when a phone asks for it (REFER,
// RFC 3515), or by our order (TakeOut): the leg parks, and whoever it talked to is hung up. What comes then is the flow that the
// number leads to, for the leg that parked: it is driven from then on. Who transfers decides what may be dialled, and is rung
// back when nobody is reached.
//
//	talking ── RingEnded: the node has moved the leg ──┐
//	talking ── HungUp of the driven leg, another stays ┼─► moving ── Transferred ──► running: the flow of the number
//	any     ── TransferOrdered ── TakeOut ─────────────┘      │                         │ nobody reached
//	                                                          └─ MoveWait ─► ending     └─► recall ─► talking, or ending

// Bounds of transfers.
const (
	MaxTransfers = 10               // of one call: more is a circle
	MoveWait     = 5 * time.Second  // a leg that the node has moved is told of by then
	RecallWait   = 30 * time.Second // how long who has transferred is rung back
)

// stageMoving is the stage of a call that waits for the node's word on a leg that was moved.
const stageMoving = "moving"

// Transfer is what a call keeps of its last transfer.
type Transfer struct {
	Times    int       `json:"times,omitempty"`    // how many there were
	Source   string    `json:"source,omitempty"`   // the node's own name for the last move of the driven leg
	Parked   bool      `json:"parked,omitempty"`   // which has parked since
	At       time.Time `json:"at,omitzero"`        // when that was told: what comes of an earlier move is told twice
	Target   string    `json:"target,omitempty"`   // the number; one outside is in E.164
	Device   string    `json:"device,omitempty"`   // id of the device that transferred; empty when it was ordered
	By       string    `json:"by,omitempty"`       // who ordered it
	Order    string    `json:"order,omitempty"`    // id of that order
	Leg      string    `json:"leg,omitempty"`      // the leg that is to be taken out, while the node has not told that it was
	Stage    string    `json:"stage,omitempty"`    // where the element was then, should the node refuse,
	Awaited  int       `json:"awaited,omitempty"`  // and what it waited for
	Reached  bool      `json:"reached,omitempty"`  // somebody has talked to the leg since
	Refused  string    `json:"refused,omitempty"`  // id of the last transfer to another talk that came to nothing
	Recalled bool      `json:"recalled,omitempty"` // who has transferred is, or was, rung back
}

// dialled is the number that the driven leg is on its way to.
func (s *step) dialled() string {
	return cmp.Or(numberOf(s.state.Transfer.Target), s.state.Call.Dialled)
}

// numberOf is a transfer's target, if that is a number.
func numberOf(target string) string {
	if _, talk := ReadConsulted(target); talk {
		return ""
	}
	return target
}

// caller is who is at the driven leg: who calls, or whom a transfer has made the caller.
func (s *step) caller() Caller {
	l := s.state.leg(s.state.Driven)
	if s.state.Driven == "" || l == nil || l.Role == messages.RoleCaller {
		return s.state.Call.Caller
	}
	c := Caller{Device: l.Device, Trunk: l.Trunk, Number: cmp.Or(l.Number, s.state.Call.Dialled)}
	if t := s.config.Tenant; t != nil && t.Device(l.Device) != nil {
		d := t.Device(l.Device)
		c.Number = d.Username
		if u := t.User(d.UserID); u != nil {
			c.Number, c.Name = u.Extension, u.Name
		}
	}
	return c
}

// who names a leg, in words.
func (s *step) who(l *Leg) string {
	if l != nil && l.Role == messages.RoleCaller {
		return cmp.Or(s.state.Call.Caller.Name, s.state.Call.Caller.Number, "The caller")
	}
	if l == nil {
		return "somebody"
	}
	return s.deviceName(l)
}

// moved says whether the event is the end of a ring or talk that the node has taken the leg out of.
func (s *step) moved() bool {
	return s.event.Kind == RingEnded && s.answers() && s.event.Moved != "" && s.event.Moved != s.state.Transfer.Source
}

// moving waits for what the node does with a leg that it has moved.
func (s *step) moving() {
	s.state.Transfer.Source, s.state.Transfer.Parked = s.event.Moved, false
	s.explain("leg_moved", "who", s.who(s.state.leg(s.state.DrivenLeg())))
	s.await(stageMoving, Command{Kind: SetTimer, Wait: MoveWait})
}

// handedOn gives the leg that stays when the driven one leaves by a transfer, or nil.
func (s *step) handedOn() *Leg {
	if s.state.Phase != Running && s.state.Phase != Talking {
		return nil
	}
	next := s.state.leg(cmp.Or(s.event.End.Left, s.state.Transfer.Leg))
	if next == nil || next.HungUp || next.ID == s.event.Leg {
		return nil
	}
	return next
}

// handOn drives the leg that stays.
func (s *step) handOn(gone, next *Leg) {
	next.Created = true // the node's word that it stays proves it
	s.explain("handed_on", "who", s.who(gone), "other", s.who(next))
	next.Created = true // as the node says; its own word on that may have been lost
	if next.Joined { // which was told first
		s.state.Driven = next.ID
		return
	}
	s.drive(next)
	s.await(stageMoving, Command{Kind: SetTimer, Wait: MoveWait})
}

// drive makes a leg the one that the flow plays to and dials from. What was settled for another person is not for this one.
func (s *step) drive(l *Leg) {
	s.leaveBehind()
	if l.ID != s.state.DrivenLeg() {
		s.state.CallerID = CallerID{}
	}
	s.state.Driven = l.ID
	if l.ID == s.state.Call.Leg {
		s.state.Driven = ""
	}
	for i := range s.state.Legs {
		s.state.Legs[i].Bridged, s.state.Legs[i].Early = false, false
	}
	s.state.Phase, s.state.Answered, s.state.Fault = Running, l.Answered, ""
	s.state.Stage, s.state.Attempt, s.state.Awaited = "", 0, 0
}

// waitMoved is progress while the node moves a leg.
func (s *step) waitMoved() {
	t := &s.state.Transfer
	switch {
	case !s.answers() && s.event.Kind != Resumed:
	case s.event.Kind == Refused && t.Leg != "":
		s.explain("transfer_not_taken", "detail", s.event.Cause)
		s.state.Stage, s.state.Awaited = t.Stage, t.Awaited
		t.Leg, t.Target, t.Stage, t.Awaited = "", "", "", 0
		if kind, settings := s.element(); kind != nil && s.state.Phase == Running && s.state.Awaited == 0 { // it was being taken up again
			s.explain("begins_anew", "element", s.state.Element)
			s.again(kind, settings)
		}
	case s.event.Kind == Resumed && t.Leg != "":
		s.explain("transfer_ordered_again")
		s.await(stageMoving, Command{Kind: TakeOut, Leg: t.Leg}) // a leg that has parked parks once more
	case s.event.Kind == Resumed:
		s.explain("moved_resumed")
		s.await(stageMoving, Command{Kind: SetTimer, Wait: MoveWait})
	case s.event.Kind == TimerFired:
		s.end("NORMAL_CLEARING", "", because.New("moved_nowhere"))
	}
}

// transferOrdered takes a leg out of what it does, if the number leads anywhere. Nothing is touched otherwise.
func (s *step) transferOrdered() {
	e, t := s.event, &s.state.Transfer
	l, by := s.state.leg(cmp.Or(e.Leg, s.state.DrivenLeg())), cmp.Or(clip(e.By, messages.MaxName), "somebody")
	switch {
	case e.Order != "" && e.Order == t.Order:
		return
	case s.state.Phase != Running && s.state.Phase != Talking || l == nil || !l.Created || l.HungUp:
		s.explain("transfer_leg_gone", "by", by)
		return
	case s.state.Stage == stageMoving:
		s.explain("transfer_under_way", "by", by)
		return
	case l.ID != s.state.DrivenLeg() && !l.Bridged || s.state.FlowID == EmergencyFlow || s.keepsSomething(), s.state.Summoning(), s.state.OnTheMove():
		s.explain("transfer_not_now", "by", by)
		return
	}
	if _, _, why := s.whither(clip(e.Target, messages.MaxName)); why != nil {
		s.because = append(s.because, *why)
		return
	}
	s.explain("transfer_ordered", "by", by, "who", s.who(l), "number", e.Target)
	t.Leg, t.Target, t.By, t.Device, t.Order = l.ID, clip(e.Target, messages.MaxName), by, "", clip(e.Order, messages.MaxName)
	t.Stage, t.Awaited = s.state.Stage, s.state.Awaited
	s.await(stageMoving, Command{Kind: TakeOut, Leg: l.ID})
}

// keepsSomething says whether the element at work records: what was said would be lost.
func (s *step) keepsSomething() bool {
	kind, _ := s.element()
	_, records := kind.(interface{ leaveBehind(*step, any) })
	return records
}

// transferred takes a leg that has parked to the number that was asked for.
func (s *step) transferred() {
	e, t := s.event, &s.state.Transfer
	l := s.seen()
	if l == nil || l.HungUp || s.state.Phase == Ended || e.Moved == "" || t.Parked && t.Source == e.Moved || e.At.Before(t.At) {
		return
	}
	if s.state.Phase == Ending && (s.state.Cause != "" || e.Target == "") {
		s.movedTooLate(l)
		return
	}
	if e.Target == "" && t.Leg != l.ID {
		s.takenOutAgain(l)
		return
	}
	ordered := e.Target == ""
	l.Answered = l.Answered || !ordered // nobody transfers a leg by phone that he does not talk to
	by, target := s.state.leg(e.ByLeg), clip(e.Target, messages.MaxName)
	device, trunk := e.Device, ""
	switch {
	case ordered:
		by, device, target = nil, "", t.Target
	case by != nil && by.ID == s.state.Call.Leg:
		device, trunk = s.state.Call.Caller.Device, s.state.Call.Caller.Trunk
	case by != nil:
		device, trunk = by.Device, by.Trunk
	}
	if l.Past != nil && l.Past.Leg == e.ByLeg { // whose call may be over by now
		device = cmp.Or(device, l.Past.Device)
	}
	l.With, l.Joined, l.Taken, l.Held, l.PlacedAt = nil, false, false, nil, e.At
	s.drive(l)
	*t = Transfer{Times: t.Times + 1, Source: e.Moved, Parked: true, At: e.At, Device: device, By: t.By, Order: t.Order}
	consulted, attended := ReadConsulted(target)
	attended = attended && !ordered
	if by == nil && device != "" {
		by = &Leg{ID: e.ByLeg, Device: device}
	}
	switch {
	case ordered:
		s.explain("transferred_by_order", "who", s.who(l), "number", target)
	case attended:
		s.explain("transferred_attended", "by", s.who(by), "who", s.who(l), "call", consulted.Call)
	default:
		s.explain("transferred", "by", s.who(by), "who", s.who(l), "number", target)
	}
	switch {
	case t.Times > MaxTransfers:
		s.end("EXCHANGE_ROUTING_ERROR", messages.FaultTenant, because.New("transferred_too_often", "limit", strconv.Itoa(MaxTransfers)))
	case trunk != "" && trunk != AcrossTrunk:
		s.end("CALL_REJECTED", messages.FaultCarrier, because.New("transfer_by_trunk"))
	case device == "" && !ordered:
		s.end("CALL_REJECTED", messages.FaultCaller, because.New("transfer_by_nobody"))
	case attended:
		s.goToTalk(target)
	default:
		s.goTo(target)
	}
}

// movedTooLate hangs up a leg that has parked while the call ends: nobody else would. A call whose driven leg has gone, and whose end
// nobody has ordered, is not over: the end of a phone's leg does not always say that it has passed the other on (a REFER with Replaces
// of a call that talks to the node: sofia.c, sofia_handle_sip_i_refer).
func (s *step) movedTooLate(l *Leg) {
	cause := cmp.Or(s.state.Cause, "NORMAL_CLEARING")
	s.explain("moved_too_late", "who", s.who(l), "cause", cause)
	s.state.Transfer.Source, s.state.Transfer.Parked, s.state.Transfer.At = s.event.Moved, true, s.event.At
	s.order(Command{Kind: HangUp, Leg: l.ID, Cause: cause})
}

// takenOutAgain is for a leg that has parked by an order that was given twice: what it did is over.
func (s *step) takenOutAgain(l *Leg) {
	kind, settings := s.element()
	if l.ID != s.state.DrivenLeg() || kind == nil {
		return
	}
	s.explain("parked_again")
	s.state.Transfer.Source, s.state.Transfer.Parked, s.state.Transfer.At = s.event.Moved, true, s.event.At
	s.drive(l)
	kind.enter(s, settings)
}

// goTo enters the flow of the number that the driven leg was transferred to.
func (s *step) goTo(target string) {
	if s.state.Call.FlowID == EmergencyFlow { // who needs help would be out of the talk
		s.state.Transfer.Target = target
		s.giveUp("CALL_REJECTED", messages.FaultCaller, because.New("transfer_of_emergency"))
		return
	}
	flow, number, why := s.whither(target)
	if why != nil {
		s.state.Transfer.Target = target
		s.giveUp("CALL_REJECTED", messages.FaultTenant, *why)
		return
	}
	s.state.Transfer.Target = number
	s.state.FlowID = flow.ID
	s.pinNow(flow)
	s.explain("transfer_leads", "number", number, "flow", flow.Name, "flow_id", flow.ID, "element", flow.Start)
	s.enter(flow, flow.Start)
}

// whither says which flow a number leads to that somebody of the tenant's wants a call transferred to, by the rules for what his
// devices dial, or why it may not be. Nobody is passed on to the emergency services: who needs them calls them.
func (s *step) whither(target string) (flow *tenants.Flow, number string, why *because.Reason) {
	refuse := func(reason because.Reason) (*tenants.Flow, string, *because.Reason) { return nil, "", &reason }
	t, shown := s.config.Tenant, cmp.Or(target, "no number")
	switch {
	case t == nil:
		return refuse(because.New("transfer_no_tenant", "number", shown))
	case s.config.Emergency.Is(target):
		return refuse(because.New("transfer_emergency", "number", target))
	case t.Suspended:
		return refuse(because.New("transfer_suspended", "tenant", t.Name))
	}
	to := Whither(t, s.config.Ways, target)
	if flow = s.flow(to.FlowID); to.FlowID == "" || flow == nil {
		return refuse(because.New("transfer_number_unknown", "number", shown, "tenant", t.Name))
	}
	if to.FlowID != OutboundFlow {
		return flow, to.Number, nil
	}
	if out := WaysOut(t, s.config.Ways, to.Number); out.Refused != "" {
		return refuse(out.Because[len(out.Because)-1])
	}
	return flow, to.Number, nil
}

// giveUp ends a call that reaches nobody, unless it was transferred: then who has done that is rung back first, once.
func (s *step) giveUp(cause string, fault messages.Fault, why because.Reason) {
	t := &s.state.Transfer
	if t.Times == 0 || t.Device == "" || t.Reached || t.Recalled {
		s.end(cause, fault, why)
		return
	}
	s.because = append(s.because, why)
	t.Recalled = true
	s.explain("transfer_recalls", "by", s.deviceName(&Leg{Device: t.Device}), "who", s.who(s.state.leg(s.state.DrivenLeg())),
		"flow_id", recallFlow.ID, "element", recallFlow.Start)
	s.state.FlowID = recallFlow.ID
	s.enter(&recallFlow, recallFlow.Start)
}

func transferReasons() because.Catalog {
	return because.Catalog{
		"leg_moved":               "{who} is being passed on.",
		"handed_on":               "{who} passes {other} on, and is out of the call.",
		"moved_resumed":           "Tandem took the call up again after a gap, while a leg was being passed on.",
		"moved_nowhere":           "It was not told in time where the call was passed on to.",
		"moved_too_late":          "{who} was being passed on while the call ended, and is hung up ({cause}).",
		"transfer_ordered":        "Ordered by {by} through the API: {who} is to be transferred to {number}.",
		"transfer_ordered_again":  "The transfer is ordered of the media node once more.",
		"transfer_not_taken":      "The media node refused to take the leg out of the call ({detail}), so nobody is transferred.",
		"transfer_leg_gone":       "{by} ordered a transfer of a leg that is not there, so nobody is transferred.",
		"transfer_under_way":      "{by} ordered a transfer while another was under way: the first is carried out.",
		"transfer_not_now":        "{by} ordered a transfer that cannot be at this moment, so nobody is transferred.",
		"transferred":             "{by} transfers {who} to {number}.",
		"transferred_by_order":    "{who} is on the way to {number}, as ordered.",
		"transfer_leads":          "{number} leads to the flow {flow}.",
		"transferred_too_often":   "The call was transferred more than {limit} times: it runs in a circle.",
		"transfer_by_trunk":       "The transfer was asked for from outside by a trunk, and is refused.",
		"transfer_by_nobody":      "It is not known who asked for the transfer, so it is refused.",
		"transfer_no_tenant":      "There is nobody by whose rules {number} could be dialled.",
		"transfer_emergency":      "{number} is an emergency number: no call is transferred to it.",
		"transfer_of_emergency":   "The emergency services are not passed on to anybody.",
		"transfer_suspended":      "{tenant} is suspended, so nobody is transferred.",
		"transfer_number_unknown": "{number} leads nowhere at {tenant}.",
		"transfer_recalls":        "Nobody was reached, so {by}, who transferred the call, is rung back for {who}.",
		"talking_on":              "{who} talks to {device}.",
		"driven_hung_up":          "{who} hung up ({cause}).",
		"driven_ended":            "The other side hung up, and the leg of {who} was ended with it ({cause}).",
		"driven_hung_up_by_us":    "The leg of {who} was ended with {cause}.",
	}
}
