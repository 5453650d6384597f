package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// unparkElement fetches the call that is parked in a slot.
type unparkElement struct{}

type unparkSettings struct {
	Slot string `json:"slot"`
}

var unparkAbout = about{
	name: "unpark", title: "Unpark", description: "Fetches the call that is parked in a slot.",
	settings: &schema{kind: recordValue, members: []member{{name: "slot", required: true,
		schema: neededTemplate("The slot. For a feature code, {dialled.rest}: what was dialled after the code.")}}},
	exits: fetchExits("Nobody is parked there."), behaviour: fetchBehaviour(),
	example: tenants.Element{Type: "unpark", Settings: json.RawMessage(`{"slot":"{dialled.rest}"}`),
		Exits: map[string]string{"nothing": "sorry", "elsewhere": "sorry", "failed": "sorry"}},
}

func (unparkElement) about() *about { return &unparkAbout }

func (unparkElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[unparkSettings](unparkAbout.settings, settings)
}

func (e unparkElement) enter(s *step, settings any) {
	w, ok := e.seeks(s, settings)
	if !ok {
		s.explain("unpark_no_slot")
		s.exit("nothing", causeOfBrokenFlow, messages.FaultCaller)
		return
	}
	s.explain("unpark_looks", "slot", w.Slot)
	s.look(w)
}

func (unparkElement) seeks(s *step, settings any) (Wanted, bool) {
	slot := s.slotNamed(settings.(unparkSettings).Slot)
	return Wanted{What: ParkedIn, Slot: slot}, slot != ""
}

func (unparkElement) on(s *step, _ any) { s.fetch(ForUnpark) }

func (unparkElement) reasons() because.Catalog {
	return because.Catalog{
		"unpark_looks":   "The call that is parked in the slot {slot} is looked for.",
		"unpark_no_slot": "No slot was named to fetch a call from.",
	}
}
