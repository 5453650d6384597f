package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// pickupElement answers a call that rings at somebody else's phone.
type pickupElement struct{}

type whoseSettings struct {
	Users     []string `json:"users"`
	Devices   []string `json:"devices"`
	Extension string   `json:"extension"`
}

var pickupAbout = about{
	name: "pickup", title: "Pick up", description: "Answers a call that rings at one of these phones, as if it were there: of several the one that rings longest. " +
		"Those that ring stop, and their displays show no missed call.",
	settings: &schema{kind: recordValue, someOf: []string{"users", "devices", "extension"}, members: whoseMembers("whose ringing calls can be picked up.")},
	exits:    fetchExits("Nothing rings there."), behaviour: fetchBehaviour(),
	example: tenants.Element{Type: "pickup", Settings: json.RawMessage(`{"users":["sales","support"]}`),
		Exits: map[string]string{"nothing": "sorry", "elsewhere": "sorry", "failed": "sorry"}},
}

func (pickupElement) about() *about { return &pickupAbout }

func (pickupElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[whoseSettings](pickupAbout.settings, settings)
}

func (e pickupElement) enter(s *step, settings any) {
	w, ok := e.seeks(s, settings)
	if !ok {
		s.explain("pickup_nobody")
		s.exit("nothing", causeOfBrokenFlow, messages.FaultTenant)
		return
	}
	s.explain("pickup_looks")
	s.look(w)
}

func (pickupElement) seeks(s *step, settings any) (Wanted, bool) {
	w := settings.(whoseSettings)
	devices := s.devicesOf(w.Users, w.Devices, s.expand(w.Extension))
	return Wanted{What: RingingAt, Devices: devices}, len(devices) > 0
}

func (pickupElement) on(s *step, _ any) { s.fetch(ForPickup) }

func (pickupElement) reasons() because.Catalog {
	return because.Catalog{
		"pickup_looks":  "A call that rings there is looked for.",
		"pickup_nobody": "Nobody whose calls could be taken is there, or has a phone.",
	}
}
