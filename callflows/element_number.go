package callflows

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// numberElement calls a number outside by the trunks that serve it, one attempt after another: each is a Ring of its own, with
// its own leg and record. Before each the calls that are out are counted, so that limits hold.
//
//	counting ── CallsCounted ──► ringing ── RingEnded: the trunk's own trouble ──► counting, with the next way
//	                (a trunk that registers: locating ── ContactsFound ──► ringing)
//	                                │  └── busy, no answer, wrong number, no way left ──► exit
//	                                └── talking
type numberElement struct{}

type numberSettings struct {
	Number  string `json:"number"`  // E.164, or as the tenant's people write it; empty: what the caller dialled
	Trunk   string `json:"trunk"`   // id of a trunk of the tenant's own that takes the number as it is, such as a PBX; empty: any
	Seconds int    `json:"seconds"` // how long it rings
}

const (
	numberType     = "number"
	numberRinging  = time.Minute
	stageCounting  = "counting"
	stageLocating  = "locating"  // of a trunk that is called where it is registered
	unknownCaller  = "anonymous" // RFC 3323 4.1.1.3
	maxNumberBytes = 32
)

var outboundFlow = tenants.Flow{ID: OutboundFlow, Name: "Calls out", Start: "dial", Elements: map[string]tenants.Element{
	"dial": {Type: numberType, Parsed: numberSettings{Seconds: int(numberRinging / time.Second)}}}}

var numberForm = regexp.MustCompile(`^\+?[0-9*#]+$`)

var numberAbout = about{
	name: numberType, title: "Number", description: "Calls a number outside by the trunks that serve it, one after another: when a carrier is in trouble the next is " +
		"tried, and a busy, wrong or silent number is so by any way. Or calls by one trunk of the tenant's own, such as its PBX.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "number", schema: schema{kind: textValue, max: maxNumberBytes, form: numberForm, formWords: "at most 32 digits, * and #, with + before them in the international form",
			description: "The number to call, in the international form or as the tenant's people write it. Left out: the number that the caller dialled."}},
		{name: "trunk", schema: schema{kind: textValue, reference: RefersToTrunk, min: 1, max: maxID,
			description: "A trunk of the tenant's own that takes the call alone, whatever the number, such as a PBX. Left out: whichever trunks serve the number."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: int(numberRinging / time.Second), min: 1, max: int(MaxRinging / time.Second), unit: "seconds",
			description: "How long it rings."}},
	}},
	exits: []Exit{
		{Name: "no_answer", Description: "It rang, and nobody answered in time.", Ends: "NO_ANSWER", Waits: true},
		{Name: "busy", Description: "It is busy.", Ends: "USER_BUSY"},
		{Name: "unavailable", Description: "There is no such number, or it cannot be reached now.", Ends: "UNALLOCATED_NUMBER, INVALID_NUMBER_FORMAT or USER_NOT_REGISTERED"},
		{Name: "rejected", Description: "The called side declined, or the tenant may not call this number or not so often.", Ends: "CALL_REJECTED or USER_BUSY"},
		{Name: "failed", Description: "No trunk serves the number, or none took the call.", Ends: causeOfBrokenFlow + ", NO_ROUTE_DESTINATION or EXCHANGE_ROUTING_ERROR"}},
	behaviour: Behaviour{EarlyMedia: "Passes on that of the last trunk that is tried, if the caller is not answered. Of those before, none: an announcement of a carrier " +
		"that fails must not end the hunt.",
		Answer:   "Answers the caller when the number answers.",
		Ringback: "Before the answer the caller's own phone rings; after it the media node plays ringing.",
		HangUp:   "A caller who hangs up cancels the attempt. When the called side hangs up after a talk the call ends.",
		Transfer: whileTalking},
	example: tenants.Element{Type: numberType, Settings: json.RawMessage(`{"number":"+12025550100","seconds":30}`),
		Exits: map[string]string{"no_answer": "sorry", "busy": "sorry", "unavailable": "sorry", "rejected": "sorry", "failed": "sorry"}},
}

func (numberElement) about() *about { return &numberAbout }

func (numberElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[numberSettings](numberAbout.settings, settings)
}

func (e numberElement) enter(s *step, settings any) { e.call(s, settings.(numberSettings)) }

// call begins to call a number: for this element, and for a ring that is forwarded.
func (numberElement) call(s *step, n numberSettings) {
	number, ok := s.numberToCall(n)
	if !ok {
		s.explain("number_not_outside", "number", number)
		s.exit("unavailable", "INVALID_NUMBER_FORMAT", messages.FaultCaller)
		return
	}
	if times := s.state.Call.Diversions + s.state.Transfer.Times; times >= MaxDiversions {
		s.explain("diverted_too_often", "times", strconv.Itoa(times), "limit", strconv.Itoa(MaxDiversions))
		s.exit("failed", "EXCHANGE_ROUTING_ERROR", messages.FaultTenant)
		return
	}
	out := s.waysOut(n, number)
	s.because = append(s.because, out.Because...)
	switch out.Refused {
	case NotAllowed, Blocked:
		s.exit("rejected", "CALL_REJECTED", messages.FaultTenant)
	case NoTrunk:
		s.exit("failed", "NO_ROUTE_DESTINATION", messages.FaultPlatform)
	default:
		s.count(out)
	}
}

// numberToCall is the number in E.164, or as it is written for a trunk of the tenant's own.
func (s *step) numberToCall(n numberSettings) (string, bool) {
	number := n.Number
	if number == "" {
		number = s.dialled()
	}
	if n.Trunk != "" {
		return number, numberForm.MatchString(number)
	}
	if outside, ok := OutsideNumber(s.config.Tenant, number); ok {
		return outside, true
	}
	return clip(number, maxNumberBytes), false
}

func (s *step) waysOut(n numberSettings, number string) Out {
	if n.Trunk != "" {
		return OwnWay(s.config.Tenant, s.config.Ways, n.Trunk)
	}
	return WaysOut(s.config.Tenant, s.config.Ways, number)
}

// count asks how many calls are out by the trunks of the ways that are left.
func (s *step) count(out Out) {
	var ids []string
	seen := map[string]bool{}
	for _, w := range out.Ways[min(s.state.Attempt, len(out.Ways)):] {
		if !seen[w.Trunk.ID] {
			seen[w.Trunk.ID] = true
			ids = append(ids, w.Trunk.ID)
		}
	}
	s.explain("ways_found", "ways", strconv.Itoa(len(out.Ways)-s.state.Attempt))
	s.await(stageCounting, Command{Kind: CountCalls, Trunks: ids})
}

func (e numberElement) on(s *step, settings any) {
	n := settings.(numberSettings)
	switch {
	case s.completes(stageCounting, CallsCounted):
		e.attempt(s, n)
	case s.completes(stageLocating, ContactsFound):
		e.located(s, n)
	case s.completes(stageRinging, RingEnded) && s.state.Phase == Talking:
		s.ringEnded()
	case s.completes(stageRinging, RingEnded):
		e.ended(s, n)
	}
}

// attempt takes the next way that is within its limits.
func (e numberElement) attempt(s *step, n numberSettings) {
	number, _ := s.numberToCall(n)
	out := s.waysOut(n, number)
	first := s.state.Attempt == 0
	if first && n.Trunk == "" && s.tenantOver() {
		s.exit("rejected", "USER_BUSY", messages.FaultTenant)
		return
	}
	var full string
	for i := s.state.Attempt; i < len(out.Ways); i++ {
		w := out.Ways[i]
		if w.Trunk.ID == full || s.trunkOver(w.Trunk) {
			full = w.Trunk.ID
			continue
		}
		s.state.Attempt = i + 1
		if w.Destination == registeredThere {
			s.await(stageLocating, Command{Kind: FindContacts, Devices: []string{w.Trunk.Device}})
			return
		}
		s.take(w, number, n, i+1 < len(out.Ways))
		return
	}
	e.noWay(s, number, first)
}

// located dials a trunk where it is registered, or goes on to the next way.
func (e numberElement) located(s *step, n numberSettings) {
	number, _ := s.numberToCall(n)
	out := s.waysOut(n, number)
	i := s.state.Attempt - 1
	if i < 0 || i >= len(out.Ways) {
		e.noWay(s, number, false)
		return
	}
	w, more := out.Ways[i], s.state.Attempt < len(out.Ways)
	for _, c := range s.event.Contacts {
		if c.Device != w.Trunk.Device || w.Destination != registeredThere {
			continue
		}
		w.Destination, w.edge = c.URI, c.Edge
		s.take(w, number, n, more)
		return
	}
	s.explain("trunk_not_registered", "trunk", w.Trunk.Name)
	if more {
		s.count(out)
		return
	}
	e.noWay(s, number, false)
}

// noWay leaves when no way is left.
func (numberElement) noWay(s *step, number string, first bool) {
	s.explain("no_way_left", "number", number)
	if first {
		s.exit("failed", causeOfBrokenFlow, messages.FaultPlatform) // every trunk is at its limit
		return
	}
	s.exit("failed", causeOfBrokenFlow, messages.FaultCarrier)
}

func (s *step) tenantOver() bool {
	t := s.config.Tenant
	limit, has, may := s.counts().Tenant.over(t.CallingOut.MaxCalls, t.CallingOut.PerSecond)
	switch limit {
	case "calls":
		s.explain("tenant_calls_out_full", "tenant", t.Name, "calls", strconv.Itoa(has), "limit", strconv.Itoa(may))
	case "per_second":
		s.explain("tenant_calls_out_fast", "tenant", t.Name, "calls", strconv.Itoa(has), "limit", strconv.Itoa(may))
	}
	return limit != ""
}

func (s *step) trunkOver(trunk *tenants.Trunk) bool {
	limit, has, may := s.counts().Trunks[trunk.ID].over(trunk.Outgoing.MaxCalls, trunk.Outgoing.PerSecond)
	switch limit {
	case "calls":
		s.explain("trunk_full", "trunk", trunk.Name, "calls", strconv.Itoa(has), "limit", strconv.Itoa(may))
	case "per_second":
		s.explain("trunk_fast", "trunk", trunk.Name, "calls", strconv.Itoa(has), "limit", strconv.Itoa(may))
	}
	return limit != ""
}

func (s *step) counts() Counts {
	if s.event.Counts == nil {
		return Counts{}
	}
	return *s.event.Counts
}

// take dials one way. more says that others follow: then early media is not passed on (an announcement of a carrier that fails
// would end the hunt, since the caller cannot be taken back from it).
func (s *step) take(w Way, number string, n numberSettings, more bool) {
	o, call := w.Trunk.Outgoing, s.state.Call
	written := number
	if n.Trunk == "" || strings.HasPrefix(number, "+") { // an extension of a PBX is written as it is
		written = o.Numbers.Write(number)
	}
	by := ""
	if f := s.forwarded(); f != nil {
		by = f.User
	}
	id := s.callerFor(w, by)
	if w.Trunk.ID == BetweenTrunk {
		s.explain("between_taken", "number", number, "shown", id.Number)
	} else {
		s.explain("way_taken", "trunk", w.Trunk.Name, "destination", w.Destination, "number", written, "shown", id.Number)
	}
	target := Target{Leg: legID(call, s.state.Commands+1, 0), URI: wayURI(w, written), Edge: cmp.Or(w.edge, call.Edge), Trunk: w.Trunk.ID, Number: number, Between: s.between(w)}
	if f := s.forwarded(); f != nil {
		target.Diverted = s.diversionBy(f.User, f.On, s.passedOn())
		target.Accept = s.ringAtWork().acceptance(s.confirms())
	}
	c := Command{Kind: Ring, Targets: []Target{target}, Wait: time.Duration(n.Seconds) * time.Second, Progress: o.Progress(), Hunting: more, CallerID: id}
	if s.state.Driven == "" && target.Diverted == nil && call.Caller.Trunk != "" && number != call.Dialled && s.config.Ways.Owns(call.Tenant, call.Dialled) { // from outside, and passed on by one of ours: RFC 5806
		c.DivertedBy, c.Diversions = call.Dialled, call.Diversions+1
	}
	s.dial(c)
}

// between is the tenant that calls, for a way to another's number.
func (s *step) between(w Way) string {
	if w.Trunk.ID != BetweenTrunk {
		return ""
	}
	return s.state.Call.Tenant
}

// callerFor is what a trunk is told of the caller. by is the id of the user who passes the call on, if one does.
func (s *step) callerFor(w Way, by string) CallerID {
	o, t := w.Trunk.Outgoing, s.config.Tenant
	shape := tenants.NumberFormat{Form: o.Numbers.Form, Country: o.Numbers.Country} // without what is added for dialling alone
	domain := o.Domain
	if domain == "" {
		domain = hostOf(w.Destination)
	}
	if w.edge != "" && t != nil { // it is registered in the tenant's domain
		domain = t.Domain
	}
	id := CallerID{Number: unknownCaller, Domain: domain, Nameless: true}
	number := s.numberShown(o.CallerID, by)
	if number != "" {
		id.Number = shape.Write(number)
		if o.CallerID.Carried == tenants.CarriedPAI {
			id.Asserted = id.Number
		}
	}
	if set := s.state.CallerID.Number; set != "" && set != number && o.CallerID.Show != tenants.CallerTrunk {
		s.explain("caller_id_not_shown", "number", set, "shown", cmp.Or(number, unknownCaller))
	}
	withheld := t != nil && t.CallingOut.Withheld && w.Trunk.Tenant == ""
	if withheld {
		s.explain("caller_withheld", "tenant", t.Name)
	}
	if s.caller().Private || s.state.CallerID.Private || withheld {
		id.Number, id.Private = unknownCaller, true
	}
	return id
}

// numberShown is the number that a rule lets a trunk know, in E.164, or "".
func (s *step) numberShown(rule tenants.CallerIDRule, by string) string {
	t, caller := s.config.Tenant, s.caller()
	caller.Number = cmp.Or(s.state.CallerID.Number, caller.Number) // what the flow has set is shown if it may be
	if rule.Show == tenants.CallerTrunk || t == nil {
		return rule.Number
	}
	if s.config.Ways.Owns(t.ID, caller.Number) || t.CallingOut.MayShow(caller.Number) {
		return caller.Number
	}
	if rule.Show == tenants.CallerAny {
		if number, ok := (tenants.Dialling{}).E164(caller.Number); ok && number == caller.Number {
			return number
		}
	}
	for _, id := range []string{caller.Device, s.state.Transfer.Device} { // who transfers a call lends it his number
		if d := t.Device(id); d != nil {
			if u := t.User(d.UserID); u != nil && u.Number != "" {
				return u.Number
			}
		}
	}
	if u := t.User(by); u != nil && u.Number != "" { // it is his call that goes out
		return u.Number
	}
	if t.MainNumber != "" {
		return t.MainNumber
	}
	return rule.Number
}

// ended goes on after an attempt that nobody answered, if the trunk's list says so and a way is left.
func (e numberElement) ended(s *step, n numberSettings) {
	number, _ := s.numberToCall(n)
	if s.notAccepted() {
		s.explain("not_accepted")
		s.exit("no_answer", "NO_ANSWER", messages.FaultCallee)
		return
	}
	out := s.waysOut(n, number)
	rang, code := s.lastAttempt()
	end := judgeAttempt(s.event.Cause, code, rang)
	name, goesOn := "", false
	if i := s.state.Attempt - 1; i >= 0 && i < len(out.Ways) {
		name, goesOn = out.Ways[i].Trunk.Name, out.Ways[i].Trunk.Outgoing.GoesOn(end.word)
	}
	switch {
	case goesOn && s.state.Attempt < len(out.Ways):
		s.explain("way_failed", "trunk", name, "outcome", end.word, "cause", s.event.Cause)
		s.count(out)
		return
	case goesOn:
		s.explain("last_way_failed", "trunk", name, "outcome", end.word, "cause", s.event.Cause)
		s.exit("failed", causeOfBrokenFlow, s.faultOfWay())
		return
	}
	e.leave(s, end, name, number)
}

// leave takes the exit for an attempt after which no other is made.
func (numberElement) leave(s *step, end attempted, trunk, number string) {
	switch end.exit {
	case "busy":
		s.explain("number_busy", "number", number, "outcome", end.word)
		s.exit("busy", end.cause, messages.FaultCallee)
	case "rejected":
		s.explain("number_declined", "number", number, "outcome", end.word)
		s.exit("rejected", end.cause, messages.FaultCallee)
	case "no_answer":
		s.explain("number_no_answer", "number", number)
		s.exit("no_answer", end.cause, messages.FaultCallee)
	case "unavailable":
		if end.word == "480" {
			s.explain("number_unavailable", "number", number, "outcome", end.word)
			s.exit("unavailable", end.cause, messages.FaultCallee)
			return
		}
		s.explain("number_wrong", "number", number, "trunk", trunk, "outcome", end.word)
		s.state.Fault = messages.FaultCaller // whatever the flow makes of it
		s.exit("unavailable", end.cause, messages.FaultCaller)
	default:
		s.explain("call_out_failed", "number", number, "trunk", trunk, "outcome", end.word)
		s.exit("failed", end.cause, s.faultOfWay())
	}
}

// faultOfWay says whose doing it is that the attempt made last has failed.
func (s *step) faultOfWay() messages.Fault {
	for i := len(s.state.Legs) - 1; i > 0; i-- {
		if l := s.state.Legs[i]; l.Trunk != "" {
			if l.Trunk == BetweenTrunk {
				return messages.FaultCallee
			}
			break
		}
	}
	return messages.FaultCarrier
}

// lastAttempt says of the leg that was dialled last whether it rang, and the SIP code that it or the Ring ended with.
func (s *step) lastAttempt() (rang bool, code int) {
	code = s.event.SIPCode
	for i := len(s.state.Legs) - 1; i > 0; i-- {
		if l := s.state.Legs[i]; l.Trunk != "" {
			if l.HungUp {
				code = l.SIPCode // the node's own word on the leg is of this attempt for certain
			}
			return l.Rang, code
		}
	}
	return false, code
}

func (numberElement) reasons() because.Catalog {
	return because.Catalog{
		"number_not_outside":    "{number} is no number outside as this tenant writes them.",
		"diverted_too_often":    "The call has been diverted {times} times, and {limit} is the limit: it may run in a circle.",
		"may_not_call_out":      "{tenant} may not call numbers outside, so {number} is not called.",
		"prefix_blocked":        "{tenant} may not call {number}: numbers that begin with {prefix} are blocked.",
		"no_trunk":              "There is no trunk by which {number} could be called.",
		"own_trunk_missing":     "The flow calls by the trunk {trunk}, which the tenant does not have.",
		"trunk_disabled":        "{trunk} is not taken: it is disabled.",
		"trunk_not_serving":     "{trunk} is not taken: it does not serve {number}.",
		"trunk_full":            "{trunk} is not taken: it has {calls} calls up, and its limit is {limit}.",
		"trunk_fast":            "{trunk} is not taken: {calls} calls went out by it within a second, and its limit is {limit}.",
		"tenant_calls_out_full": "{tenant} has {calls} calls out, and its limit is {limit}.",
		"tenant_calls_out_fast": "{tenant} has made {calls} calls out within a second, and its limit is {limit}.",
		"ways_found":            "Ways out that are left to try: {ways}.",
		"no_way_left":           "No way is left to call {number}.",
		"between_taken":         "{number} belongs to another customer of this platform: the call goes there without a carrier, showing {shown}.",
		"trunk_not_registered":  "{trunk} is not taken: it is not registered.",
		"caller_id_not_shown":   "The caller ID {number} is not shown outside, for it is neither the tenant's nor allowed to it: {shown} is shown.",
		"caller_withheld":       "{tenant} withholds who calls from all outside.",
		"way_taken":             "The call goes out by {trunk} ({destination}) to {number}, showing {shown}.",
		"way_failed":            "{trunk} did not take the call ({outcome}, {cause}): it goes on to the next way.",
		"last_way_failed":       "{trunk} did not take the call ({outcome}, {cause}), and no way is left.",
		"number_busy":           "{number} is busy ({outcome}).",
		"number_declined":       "{number} declined the call ({outcome}).",
		"number_no_answer":      "{number} did not answer in time.",
		"number_unavailable":    "{number} cannot be reached now ({outcome}).",
		"number_wrong":          "{trunk} knows no number {number} ({outcome}).",
		"call_out_failed":       "{trunk} refused the call to {number} ({outcome}).",
	}
}
