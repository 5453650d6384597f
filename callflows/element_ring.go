package callflows

import (
	"encoding/json"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// ringElement rings devices, and the devices of users, at once or in order; who answers first talks to the caller.
// One leg is dialled for each registered contact.
type ringElement struct{}

type ringSettings struct {
	Users    []string `json:"users"`
	Devices  []string `json:"devices"`
	Strategy string   `json:"strategy"` // at_once, in_order
	Seconds  int      `json:"seconds"`  // how long each target rings
}

// maxRung bounds the users, and the devices, that one element names.
const maxRung = 200

// stageRinging is the stage of an element whose Ring is under way.
const stageRinging = "ringing"

var ringAbout = about{
	name: "ring", title: "Ring", description: "Rings devices, and the devices of users, at once or in order; who answers first talks to the caller. " +
		"Each place where a device is registered rings.",
	settings: &schema{kind: recordValue, someOf: []string{"users", "devices"}, members: []member{
		{name: "users", schema: schema{kind: listValue, max: maxRung, description: "Users whose devices ring.",
			items: &schema{kind: textValue, reference: RefersToUser, min: 1, max: maxID}}},
		{name: "devices", schema: schema{kind: listValue, max: maxRung, description: "Devices that ring, whosever they are.",
			items: &schema{kind: textValue, reference: RefersToDevice, min: 1, max: maxID}}},
		{name: "strategy", schema: schema{kind: textValue, initial: "at_once", oneOf: []any{"at_once", "in_order"},
			description: "Whether all ring at once, or one after the other."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: int(DefaultRinging / time.Second), min: 1, max: int(MaxRinging / time.Second), unit: "seconds",
			description: "How long each of them rings."}},
	}},
	exits: []Exit{
		{Name: "no_answer", Description: "Nobody answered in time.", Ends: "NO_ANSWER", Waits: true},
		{Name: "busy", Description: "Nobody took the call: busy or declined.", Ends: "USER_BUSY or CALL_REJECTED"},
		{Name: "unavailable", Description: "No device is registered, or there is none.", Ends: "USER_NOT_REGISTERED"},
		{Name: "failed", Description: "Ringing failed.", Ends: causeOfBrokenFlow}},
	behaviour: Behaviour{EarlyMedia: "Passes on that of the one phone that rings, if it is one alone and the caller is not answered. Of several, none: an " +
		"announcement of one must not cover the ringing of the others.",
		Answer:   "Answers the caller when somebody answers.",
		Ringback: "Before the answer the caller's own phone rings; after it the media node plays ringing.",
		HangUp:   "A caller who hangs up cancels the ringing. When the called side hangs up after a talk the call ends.",
		Transfer: "While they talk, as far as the media node does it by itself: the flow is not asked."},
	example: tenants.Element{Type: "ring", Settings: json.RawMessage(`{"users":["sales","support"],"strategy":"at_once","seconds":20}`),
		Exits: map[string]string{"no_answer": "sorry", "busy": "sorry", "unavailable": "sorry", "failed": "sorry"}},
}

func (ringElement) about() *about { return &ringAbout }

func (ringElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[ringSettings](ringAbout.settings, settings)
}

func (e ringElement) enter(s *step, settings any) {
	devices, missing := s.ringDevices(settings.(ringSettings))
	s.because = append(s.because, missing...)
	if len(devices) == 0 {
		s.explain("nobody_to_ring")
		s.exit("unavailable", "USER_NOT_REGISTERED", messages.FaultTenant)
		return
	}
	s.await("finding", Command{Kind: FindContacts, Devices: devices})
}

// ringDevices lists the devices to ring, each once, in the order of the settings, and what the settings name in vain.
func (s *step) ringDevices(r ringSettings) (ids []string, missing []because.Reason) {
	seen := map[string]bool{}
	add := func(d *tenants.Device) {
		if !seen[d.ID] {
			seen[d.ID] = true
			ids = append(ids, d.ID)
		}
	}
	for _, id := range r.Users {
		u := s.config.Tenant.User(id)
		if u == nil {
			missing = append(missing, because.New("user_missing", "user", id))
			continue
		}
		devices := s.config.Tenant.DevicesOf(id)
		if len(devices) == 0 {
			missing = append(missing, because.New("user_without_device", "user", u.Name))
		}
		for _, d := range devices {
			add(d)
		}
	}
	for _, id := range r.Devices {
		if d := s.config.Tenant.Device(id); d != nil {
			add(d)
		} else {
			missing = append(missing, because.New("device_missing", "device", id))
		}
	}
	return ids, missing
}

func (e ringElement) on(s *step, settings any) {
	switch {
	case s.completes("finding", ContactsFound):
		e.ring(s, settings.(ringSettings))
	case s.completes(stageRinging, RingEnded):
		s.ringEnded()
	}
}

// ring dials every contact that was found, in the order of the settings. A contact of a device that was not asked for is
// not dialled.
func (e ringElement) ring(s *step, r ringSettings) {
	var targets []Target
	left := 0
	devices, _ := s.ringDevices(r)
	for _, id := range devices {
		registered := false
		for _, c := range s.event.Contacts {
			if c.Device != id {
				continue
			}
			registered = true
			if len(targets) == MaxTargets {
				left++
				continue
			}
			targets = append(targets, Target{Leg: legID(s.state.Call, s.state.Commands+1, len(targets)), URI: c.URI, Edge: c.Edge, Device: id})
		}
		if !registered {
			s.explain("device_not_registered", "device", s.config.Tenant.Device(id).Name)
		}
	}
	if left > 0 {
		s.explain("too_many_targets", "limit", strconv.Itoa(MaxTargets))
	}
	if len(targets) == 0 {
		s.exit("unavailable", "USER_NOT_REGISTERED", messages.FaultCallee)
		return
	}
	s.dial(Command{Kind: Ring, Targets: targets, InOrder: r.Strategy == "in_order", Wait: time.Duration(r.Seconds) * time.Second})
}

// dial orders a Ring and books its legs. Every element that dials uses it. One target alone may send early media; of
// several, none may, and none while another attempt follows: an announcement of one must not cover the ringing of the others.
func (s *step) dial(c Command) {
	if len(s.state.Legs)+len(c.Targets) > MaxLegs {
		s.end("EXCHANGE_ROUTING_ERROR", messages.FaultTenant, because.New("too_many_legs", "limit", strconv.Itoa(MaxLegs)))
		return
	}
	c.Ringback = s.state.Answered
	c.EarlyOK = len(c.Targets) == 1 && !c.Hunting && !s.state.Answered
	if !c.CallerID.Nameless {
		c.CallerID = s.presented(c.CallerID.Number)
	}
	for _, t := range c.Targets {
		s.state.Legs = append(s.state.Legs, Leg{ID: t.Leg, Role: messages.RoleCallee, Device: t.Device, Trunk: t.Trunk})
		s.explain("ringing", "device", s.deviceName(&s.state.Legs[len(s.state.Legs)-1]), "seconds", strconv.Itoa(int(c.Wait/time.Second)))
	}
	s.await(stageRinging, c)
}

// ringEnded goes on when nobody talks to the caller any more.
func (s *step) ringEnded() {
	if s.state.Phase == Talking {
		s.end("NORMAL_CLEARING", "", because.New("callee_hung_up"))
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
		"callee_hung_up":        "The called side hung up.",
		"ring_busy":             "Nobody took the call: busy or declined ({cause}).",
		"ring_no_answer":        "Nobody answered in time.",
		"ring_unavailable":      "Nobody could be reached ({cause}).",
		"ring_failed":           "Ringing failed ({cause}).",
	}
}
