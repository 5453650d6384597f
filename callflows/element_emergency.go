package callflows

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// EmergencyFlow is the id of the platform's own flow for emergency calls. No tenant can have a flow of this id: the
// first character of a tenant's id is a letter or a digit.
const EmergencyFlow = "*emergency"

const (
	emergencyType    = "emergency"
	emergencyRinging = 2 * time.Minute
)

var emergencyFlow = tenants.Flow{ID: EmergencyFlow, Name: "Emergency", Start: "dial",
	Elements: map[string]tenants.Element{"dial": {Type: emergencyType}}}

// emergencyElement dials the emergency trunk. It belongs to the platform and cannot stand in a tenant's flow.
type emergencyElement struct{}

var emergencyAbout = about{name: emergencyType, title: "Emergency", platform: true, settings: &schema{kind: recordValue}}

func (emergencyElement) about() *about { return &emergencyAbout }

func (emergencyElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

func (emergencyElement) enter(s *step, _ any) {
	if !s.config.Emergency.Is(s.state.Call.Dialled) {
		s.end("CALL_REJECTED", messages.FaultPlatform, because.New("not_emergency", "number", s.state.Call.Dialled))
		return
	}
	scheme, host, ok := strings.Cut(s.config.Emergency.TrunkURI, ":")
	if !ok {
		s.end("NORMAL_TEMPORARY_FAILURE", messages.FaultPlatform, because.New("emergency_trunk_missing"))
		return
	}
	call := s.state.Call
	s.explain("emergency_dialled", "number", call.Dialled)
	s.dial(Command{Kind: Ring, Wait: emergencyRinging, CallerID: CallerID{Number: s.callback()}, Location: s.location(), Targets: []Target{{
		Leg: legID(call, s.state.Commands+1, 0), URI: scheme + ":" + call.Dialled + "@" + host, Edge: call.Edge, Trunk: "emergency trunk"}}})
}

// callback is the number at which the emergency services reach the caller: an extension would tell them nothing.
func (s *step) callback() string {
	t, caller := s.config.Tenant, s.state.Call.Caller
	if t == nil {
		return caller.Number
	}
	if w := t.Whereabouts(caller.Device); w != nil && w.Number != "" {
		s.explain("callback_of_device", "number", w.Number)
		return w.Number
	}
	if d := t.Device(caller.Device); d != nil {
		if u := t.User(d.UserID); u != nil && u.Number != "" {
			s.explain("callback_of_user", "number", u.Number, "user", u.Name)
			return u.Number
		}
	}
	switch {
	case s.config.Ways.Owns(t.ID, caller.Number):
		s.explain("callback_of_caller", "number", caller.Number)
		return caller.Number
	case t.MainNumber != "":
		s.explain("callback_of_tenant", "number", t.MainNumber, "tenant", t.Name)
		return t.MainNumber
	}
	s.explain("callback_missing", "number", caller.Number)
	return caller.Number
}

// locationURI is a location that can be sent as one (RFC 6442 4.1). The letters are few, so that no rule of writing it into a
// header or a dial string could ever keep a call for help from being made.
var locationURI = regexp.MustCompile(`^(https|sips?|pres):[A-Za-z0-9._~:/?@=%+-]{1,256}$`)

// location tells where the caller's device stands, and gives it if it is a URI.
func (s *step) location() string {
	if s.config.Tenant == nil {
		return ""
	}
	w := s.config.Tenant.Whereabouts(s.state.Call.Caller.Device)
	if w == nil || w.Location == "" {
		return ""
	}
	s.explain("emergency_location", "location", w.Location)
	if !locationURI.MatchString(w.Location) {
		return ""
	}
	return w.Location
}

func (emergencyElement) on(s *step, _ any) {
	if !s.completes(stageRinging, RingEnded) {
		return
	}
	if s.state.Phase == Talking {
		s.ringEnded()
		return
	}
	s.end("NORMAL_TEMPORARY_FAILURE", messages.FaultCarrier, because.New("emergency_failed", "cause", s.event.Cause))
}

func (emergencyElement) reasons() because.Catalog {
	return because.Catalog{
		"emergency_dialled":       "{number} is an emergency number: it goes to the emergency trunk, past every limit.",
		"callback_of_device":      "The emergency services see {number}, which is set for the device, to call back.",
		"callback_of_user":        "The emergency services see {number}, the number of {user}, to call back.",
		"callback_of_caller":      "The emergency services see the caller's number {number} to call back.",
		"callback_of_tenant":      "The emergency services see {number}, the main number of {tenant}, to call back: the device has none of its own.",
		"callback_missing":        "The emergency services see {number}, which they cannot call back: neither device, user nor tenant has a number.",
		"emergency_location":      "The device stands here: {location}.",
		"not_emergency":           "{number} is no emergency number, so the emergency trunk is not for it.",
		"emergency_trunk_missing": "No emergency trunk is configured.",
		"emergency_failed":        "The emergency trunk did not take the call ({cause}).",
	}
}
