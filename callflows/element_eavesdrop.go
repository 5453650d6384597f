package callflows

import (
	"encoding/json"
	"slices"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// eavesdropElement lets the caller hear a talk, and be heard in it as the mode says.
type eavesdropElement struct{}

type eavesdropSettings struct {
	whoseSettings
	Mode           EavesdropMode `json:"mode"`
	AllowedUsers   []string      `json:"allowed_users"`
	AllowedDevices []string      `json:"allowed_devices"`
}

// EavesdropMode says who hears one who listens in.
type EavesdropMode string

// The modes.
const (
	Listen  EavesdropMode = "listen"  // nobody
	Whisper EavesdropMode = "whisper" // the phone that is listened to, and not whom it talks to
	Barge   EavesdropMode = "barge"   // both
)

const stageListening = "listening"

var eavesdropAbout = about{
	name: "eavesdrop", title: "Eavesdrop", description: "Lets the caller hear the talk of one of these phones: alone, speaking to the phone (whisper), or to both sides (barge). " +
		"Only users and devices that the settings name may do so; the law of many countries wants those who talk to be told.",
	settings: &schema{kind: recordValue, someOf: []string{"users", "devices", "extension"}, members: append(whoseMembers("whose talks can be heard."), []member{
		{name: "mode", schema: schema{kind: textValue, initial: string(Listen), oneOf: []any{string(Listen), string(Whisper), string(Barge)},
			description: "Who hears the caller: nobody (listen), the phone (whisper), or both sides of the talk (barge)."}},
		{name: "allowed_users", schema: schema{kind: listValue, max: maxRung, description: "Users who may listen in, from any phone of theirs.",
			items: &schema{kind: textValue, reference: RefersToUser, min: 1, max: maxID}}},
		{name: "allowed_devices", schema: schema{kind: listValue, max: maxRung, description: "Devices that may listen in.",
			items: &schema{kind: textValue, reference: RefersToDevice, min: 1, max: maxID}}},
	}...)},
	exits: []Exit{
		{Name: "next", Description: "The talk is over.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "not_allowed", Description: "The caller is not among those who may.", Ends: "CALL_REJECTED"},
		{Name: "nothing", Description: "None of the phones has a talk.", Ends: causeOfBrokenFlow},
		{Name: "elsewhere", Description: "The call is on another media node, so it cannot be heard now.", Ends: causeOfBrokenFlow}},
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Answers before the caller hears the talk.", Ringback: "None: it takes a moment.",
		HangUp: "A caller who hangs up leaves the talk as it is.", Transfer: notWhileAlone},
	example: tenants.Element{Type: "eavesdrop", Settings: json.RawMessage(`{"users":["support"],"mode":"whisper","allowed_users":["boss"]}`),
		Exits: map[string]string{"next": "goodbye", "not_allowed": "sorry", "nothing": "sorry", "elsewhere": "sorry"}},
}

func (eavesdropElement) about() *about { return &eavesdropAbout }

func (eavesdropElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[eavesdropSettings](eavesdropAbout.settings, settings)
}

func (e eavesdropElement) enter(s *step, settings any) {
	if !s.mayListen(settings.(eavesdropSettings)) {
		s.explain("eavesdrop_not_allowed")
		s.exit("not_allowed", "CALL_REJECTED", messages.FaultCaller)
		return
	}
	w, ok := e.seeks(s, settings)
	if !ok {
		s.explain("pickup_nobody")
		s.exit("nothing", causeOfBrokenFlow, messages.FaultTenant)
		return
	}
	s.explain("eavesdrop_looks")
	s.look(w)
}

func (eavesdropElement) seeks(s *step, settings any) (Wanted, bool) {
	e := settings.(eavesdropSettings)
	devices := s.devicesOf(e.Users, e.Devices, s.expand(e.Extension))
	return Wanted{What: OverheardAt, Devices: devices}, len(devices) > 0
}

// mayListen says whether the caller's device, or its user, is on the list. A trunk never is.
func (s *step) mayListen(e eavesdropSettings) bool {
	d := s.config.Tenant.Device(s.state.Call.Caller.Device)
	if d == nil {
		return false
	}
	return slices.Contains(e.AllowedDevices, d.ID) || d.UserID != "" && slices.Contains(e.AllowedUsers, d.UserID)
}

func (e eavesdropElement) on(s *step, settings any) {
	switch {
	case s.completes(stageLooking, CallFound):
		e.found(s, settings.(eavesdropSettings))
	case s.answerDone():
		e.listen(s, settings.(eavesdropSettings))
	case s.completes(stageListening, Done):
		s.explain("eavesdrop_over")
		s.exit("next", "NORMAL_CLEARING", messages.FaultNone)
	}
}

func (e eavesdropElement) found(s *step, settings eavesdropSettings) {
	switch f := s.event.Found; {
	case f == nil:
		s.explain("fetch_nothing")
		s.exit("nothing", causeOfBrokenFlow, messages.FaultCaller)
	case !f.Local:
		s.explain("fetch_elsewhere", "call", f.Call, "node", f.Node)
		s.exit("elsewhere", causeOfBrokenFlow, messages.FaultPlatform)
	default:
		other := s.named(f.Party)
		s.state.Sought = &other
		if s.answerFirst() {
			e.listen(s, settings)
		}
	}
}

func (eavesdropElement) listen(s *step, settings eavesdropSettings) {
	other := s.state.Sought
	s.state.Sought = nil
	if other == nil {
		s.exit("nothing", causeOfBrokenFlow, messages.FaultPlatform)
		return
	}
	s.explain("eavesdrop_begins", "other", other.who(), "call", other.Call, "mode", string(settings.Mode))
	s.await(stageListening, Command{Kind: Eavesdrop, Other: other, Mode: settings.Mode})
}

func (eavesdropElement) reasons() because.Catalog {
	return because.Catalog{
		"eavesdrop_not_allowed": "The caller is not among those who may listen in.",
		"eavesdrop_looks":       "A talk there is looked for.",
		"eavesdrop_begins":      "The caller hears the talk of {other} (call {call}), mode {mode}.",
		"eavesdrop_over":        "The talk that the caller heard is over.",
		"overheard":             "{other} hears the talk (call {call}), mode {mode}.",
	}
}
