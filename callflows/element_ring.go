package callflows

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// ringElement rings devices, and the devices of users, at once, in order or in an order drawn by weight; who answers first talks to
// the caller. One leg is dialled for each registered contact.
//
// A user's own settings act when he is rung. One who is rung alone is reached by all of them, one after another (ringuser.go); of
// several, each forwards all his calls or takes none (ringgroup.go).
//
//	finding ── ContactsFound ──► ringing ── RingEnded ──► exit, or where the user forwards: finding, or counting
//	counting ── CallsCounted ──► ringing (a number outside: element_number.go)
type ringElement struct{}

type ringSettings struct {
	Users        []string     `json:"users"`
	Devices      []string     `json:"devices"`
	Targets      []ringTarget `json:"targets"`
	Strategy     string       `json:"strategy"`      // at_once, in_order, weighted
	Seconds      int          `json:"seconds"`       // how long each target rings
	AcceptPrompt string       `json:"accept_prompt"` // played to who must accept the call
}

// ringTarget is one that is rung with settings of its own. One of User, Device and Number is set.
type ringTarget struct {
	User     string `json:"user"`
	Device   string `json:"device"`
	Number   string `json:"number"`  // outside
	Delay    int    `json:"delay"`   // seconds; at once alone
	Seconds  int    `json:"seconds"` // 0: those of the element
	Confirm  bool   `json:"confirm"`
	SkipBusy bool   `json:"skip_busy"`
	Weight   int    `json:"weight"`
}

// maxRung bounds the users, the devices and the targets that one element names.
const maxRung = 200

// maxWeight bounds the weight of a target.
const maxWeight = 1000

// stageRinging is the stage of an element whose Ring is under way.
const (
	stageRinging = "ringing"
	stageFinding = "finding"
)

var ringAbout = about{
	name: "ring", title: "Ring", description: "Rings devices, and the devices of users, at once, in order, or in an order that is drawn by weight for each call; who " +
		"answers first talks to the caller. Each place where a device is registered rings. What a user has set for himself acts: do not disturb, " +
		"call waiting, forwarding, no anonymous calls. A user who is rung alone forwards all calls, those that find him busy and those that he does not answer; " +
		"of several who are rung, each forwards all his calls or none.",
	settings: &schema{kind: recordValue, someOf: []string{"users", "devices", "targets"}, members: []member{
		{name: "users", schema: schema{kind: listValue, max: maxRung, description: "Users whose devices ring.",
			items: &schema{kind: textValue, reference: RefersToUser, min: 1, max: maxID}}},
		{name: "devices", schema: schema{kind: listValue, max: maxRung, description: "Devices that ring, whosever they are.",
			items: &schema{kind: textValue, reference: RefersToDevice, min: 1, max: maxID}}},
		{name: "targets", schema: schema{kind: listValue, max: maxRung, description: "Users, devices and numbers that ring with settings of their own, after the others.",
			items: &schema{kind: recordValue, least: 1, members: []member{
				{name: "user", schema: schema{kind: textValue, reference: RefersToUser, min: 1, max: maxID, description: "A user. A target is a user, a device or a number."}},
				{name: "device", schema: schema{kind: textValue, reference: RefersToDevice, min: 1, max: maxID, description: "A device."}},
				{name: "number", schema: schema{kind: textValue, min: 1, max: maxNumberBytes, form: numberForm, formWords: "at most 32 digits, * and #, with + before them in the international form",
					description: "A number outside, as the tenant's people dial it."}},
				{name: "delay", schema: schema{kind: wholeValue, initial: 0, min: 0, max: int(MaxRinging / time.Second), unit: "seconds",
					description: "How much later it rings than the others. It rings at once when nobody else does any more. Only where all ring at once."}},
				{name: "seconds", schema: schema{kind: wholeValue, initial: 0, min: 0, max: int(MaxRinging / time.Second), unit: "seconds",
					description: "How long it rings; 0 is as long as the others."}},
				{name: "confirm", schema: schema{kind: flagValue, initial: false, description: "Whoever answers must key 1 to take the call, so that a mobile's voice mail does not."}},
				{name: "skip_busy", schema: schema{kind: flagValue, initial: false, description: "It is left out while it is in a call."}},
				{name: "weight", schema: schema{kind: wholeValue, initial: 1, min: 1, max: maxWeight, unit: "parts", description: "How often it comes first where the order is drawn by weight: as often as its weight among the others'."}},
			}}}},
		{name: "strategy", schema: schema{kind: textValue, initial: "at_once", oneOf: []any{"at_once", "in_order", "weighted"},
			description: "Whether all ring at once, or one after the other, or one after the other in an order drawn by weight for each call."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: int(DefaultRinging / time.Second), min: 1, max: int(MaxRinging / time.Second), unit: "seconds",
			description: "How long each of them rings."}},
		{name: "accept_prompt", schema: promptSchema("What whoever must accept the call hears. Left out: a tone.")},
	}},
	exits: []Exit{
		{Name: "no_answer", Description: "Nobody answered in time, or accepted the call.", Ends: "NO_ANSWER", Waits: true},
		{Name: "busy", Description: "Nobody took the call: busy, declined or not to be disturbed.", Ends: "USER_BUSY or CALL_REJECTED"},
		{Name: "unavailable", Description: "No device is registered, or there is none, or there is no such number where the call is forwarded to.",
			Ends: "USER_NOT_REGISTERED, UNALLOCATED_NUMBER or INVALID_NUMBER_FORMAT"},
		{Name: "rejected", Description: "The caller hides his number, and the user takes no such calls; or the tenant may not call where the call is forwarded to.",
			Ends: "CALL_REJECTED or USER_BUSY"},
		{Name: "failed", Description: "Ringing failed, or forwarding did: it runs in a circle, or leads nowhere.",
			Ends: causeOfBrokenFlow + ", NO_ROUTE_DESTINATION or EXCHANGE_ROUTING_ERROR"}},
	behaviour: Behaviour{EarlyMedia: "Passes on that of the one phone that rings, if it is one alone, need not accept the call, and the caller is not answered. Of several, none: an " +
		"announcement of one must not cover the ringing of the others.",
		Answer:   "Answers the caller when somebody answers, or has accepted the call.",
		Ringback: "Before the answer the caller's own phone rings; after it the media node plays ringing.",
		HangUp:   "A caller who hangs up cancels the ringing. When the called side hangs up after a talk the call ends.",
		Transfer: whileTalking},
	example: tenants.Element{Type: "ring", Settings: json.RawMessage(`{"users":["sales","support"],"strategy":"at_once","seconds":20}`),
		Exits: map[string]string{"no_answer": "sorry", "busy": "sorry", "unavailable": "sorry", "rejected": "sorry", "failed": "sorry"}},
}

func (ringElement) about() *about { return &ringAbout }

func (ringElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read(ringAbout.settings, settings, func(r *ringSettings) (faults []FlowFault) {
		for i, t := range r.Targets {
			n := 0
			for _, id := range []string{t.User, t.Device, t.Number} {
				if id != "" {
					n++
				}
			}
			if n != 1 {
				faults = append(faults, FlowFault{Path: "/targets/" + strconv.Itoa(i), Code: "settings_contradict",
					Detail: "The target is not one of a user, a device and a number.", Mend: "Give exactly one of them."})
			}
		}
		return faults
	})
}

// single is the user who is rung alone, or "".
func (r ringSettings) single() string {
	switch {
	case len(r.Devices) > 0 || len(r.Users)+len(r.Targets) != 1:
		return ""
	case len(r.Users) == 1:
		return r.Users[0]
	}
	return r.Targets[0].User
}

func (e ringElement) enter(s *step, settings any) {
	r := settings.(ringSettings)
	s.state.Chain = len(s.state.Forwards)
	if user := r.single(); user != "" {
		e.reach(s, r, user)
		return
	}
	e.enterGroup(s, r)
}

func (e ringElement) on(s *step, settings any) {
	r := settings.(ringSettings)
	if f := s.forwarded(); f != nil && f.Number != "" && s.state.Phase != Talking {
		numberElement{}.on(s, s.forwardedNumber(r))
		return
	}
	switch alone := r.single() != ""; {
	case s.completes(stageFinding, ContactsFound) && alone:
		e.ringUser(s, r)
	case s.completes(stageFinding, ContactsFound):
		e.ringGroup(s, r)
	case s.completes(stageRinging, RingEnded) && alone && s.state.Phase != Talking:
		e.userRang(s, r)
	case s.completes(stageRinging, RingEnded):
		s.ringEnded()
	}
}

// dial orders a Ring and books its legs. Every element that dials uses it. One target alone may send early media; of
// several, none may, and none while another attempt follows: an announcement of one must not cover the ringing of the others.
func (s *step) dial(c Command) {
	if len(s.state.Legs)+len(c.Targets) > MaxLegs {
		s.end("EXCHANGE_ROUTING_ERROR", messages.FaultTenant, because.New("too_many_legs", "limit", strconv.Itoa(MaxLegs)))
		return
	}
	c.Ringback = s.state.Answered
	c.EarlyOK = len(c.Targets) == 1 && c.Targets[0].Accept == nil && !c.Hunting && !s.state.Answered
	if !c.CallerID.Nameless {
		c.CallerID = s.presented(c.CallerID.Number)
	}
	s.state.Rung = len(s.state.Legs)
	for _, t := range c.Targets {
		s.state.Legs = append(s.state.Legs, Leg{ID: t.Leg, Role: messages.RoleCallee, Device: t.Device, Trunk: t.Trunk, Number: t.Number, Accepts: t.Accept != nil})
		name, seconds := s.deviceName(&s.state.Legs[len(s.state.Legs)-1]), strconv.Itoa(int(cmp.Or(t.Wait, c.Wait)/time.Second))
		if t.Delay > 0 {
			s.explain("ringing_later", "device", name, "delay", strconv.Itoa(int(t.Delay/time.Second)), "seconds", seconds)
		} else {
			s.explain("ringing", "device", name, "seconds", seconds)
		}
	}
	s.await(stageRinging, c)
}

// ringEnded goes on when nobody talks to the caller any more.
func (s *step) ringEnded() {
	if s.state.Phase == Talking {
		s.end("NORMAL_CLEARING", "", because.New("callee_hung_up"))
		return
	}
	if s.notAccepted() {
		s.explain("not_accepted")
		s.exit("no_answer", "NO_ANSWER", messages.FaultCallee)
		return
	}
	switch exit := exitOfCause(s.event.Cause); exit {
	case "busy":
		s.explain("ring_busy", "cause", s.event.Cause)
		s.exit(exit, s.event.Cause, messages.FaultCallee)
	case "no_answer":
		s.explain("ring_no_answer")
		s.exit(exit, "NO_ANSWER", messages.FaultCallee)
	case "unavailable":
		s.explain("ring_unavailable", "cause", s.event.Cause)
		s.exit(exit, "USER_NOT_REGISTERED", messages.FaultCallee)
	default:
		s.explain("ring_failed", "cause", s.event.Cause)
		s.exit("failed", causeOfBrokenFlow, messages.FaultCallee)
	}
}

// notAccepted says whether one who was dialled last answered, and did not accept.
func (s *step) notAccepted() bool {
	return slices.ContainsFunc(s.state.Legs[min(s.state.Rung, len(s.state.Legs)):], func(l Leg) bool { return l.Accepts && l.Answered && !l.Bridged })
}

func (ringElement) reasons() because.Catalog {
	return because.Catalog{
		"nobody_to_ring":        "There is no device to ring.",
		"user_missing":          "The flow rings the user {user}, who is not there.",
		"user_without_device":   "{user} has no device.",
		"device_missing":        "The flow rings the device {device}, which is not there.",
		"device_not_registered": "{device} is not registered, so it cannot ring.",
		"too_many_targets":      "Only the first {limit} contacts are rung.",
		"too_many_legs":         "The call has used up its {limit} legs.",
		"ringing":               "{device} is rung for up to {seconds|second|seconds}.",
		"ringing_later":         "{device} is rung after {delay|second|seconds} for up to {seconds|second|seconds}.",
		"must_accept":           "{device} gets the call by keying {key}.",
		"not_accepted":          "The call was answered and not accepted.",
		"do_not_disturb":        "{user} is not to be disturbed (set {set}).",
		"call_waiting_off":      "{user} is in a call, and has call waiting switched off.",
		"skipped_busy":          "{device} is left out: it is in a call.",
		"anonymous_rejected":    "{user} takes no calls from people who hide their number.",
		"forwards_all":          "{user} forwards all calls to {to} (set {set}).",
		"forwards_busy":         "{user} is busy, and forwards to {to} then (set {set}).",
		"forwards_no_answer":    "{user} did not answer, and forwards to {to} then (set {set}).",
		"forward_circle":        "{user} forwards to {to}, who has had the call already: it would run in a circle.",
		"forward_to_flow":       "The call goes on with the flow {flow}.",
		"forward_nowhere":       "{to}, where {user} forwards to, leads nowhere.",
		"forward_left_out":      "{to}, where {user} forwards to, is no phone: among several who are rung it is left out.",
		"weighted_order":        "By weight the order of this call is {order}.",
		"number_left_out":       "{number} is not rung.",
		"callee_hung_up":        "The called side hung up.",
		"ring_busy":             "Nobody took the call: busy or declined ({cause}).",
		"ring_no_answer":        "Nobody answered in time.",
		"ring_unavailable":      "Nobody could be reached ({cause}).",
		"ring_failed":           "Ringing failed ({cause}).",
	}
}
