package callflows

import (
	"encoding/json"
	"slices"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// pullElement lets a talk go on at the phone that calls, which is another of the same user's.
type pullElement struct{}

var pullAbout = about{
	name: "pull", title: "Pull", description: "Takes over the talk that another phone of the caller's user has: it goes on at the phone that calls, and the other is hung up.",
	settings: &schema{kind: recordValue}, exits: fetchExits("No other phone of the caller's has a talk."), behaviour: fetchBehaviour(),
	example: tenants.Element{Type: "pull", Exits: map[string]string{"nothing": "sorry", "elsewhere": "sorry", "failed": "sorry"}},
}

func (pullElement) about() *about { return &pullAbout }

func (pullElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[struct{}](pullAbout.settings, settings)
}

func (e pullElement) enter(s *step, _ any) {
	w, ok := e.seeks(s, nil)
	if !ok {
		s.explain("pull_no_other")
		s.exit("nothing", causeOfBrokenFlow, messages.FaultCaller)
		return
	}
	s.explain("pull_looks")
	s.look(w)
}

func (pullElement) seeks(s *step, _ any) (Wanted, bool) {
	var devices []string
	if d := s.config.Tenant.Device(s.state.Call.Caller.Device); d != nil && d.UserID != "" {
		devices = slices.DeleteFunc(s.devicesOf([]string{d.UserID}, nil, ""), func(id string) bool { return id == d.ID })
	}
	return Wanted{What: TalkingAt, Devices: devices}, len(devices) > 0
}

func (pullElement) on(s *step, _ any) { s.fetch(ForPull) }

func (pullElement) reasons() because.Catalog {
	return because.Catalog{
		"pull_looks":    "A talk at another phone of the caller's is looked for.",
		"pull_no_other": "The caller is no user's phone, or the user has no other.",
	}
}
