package callflows

import (
	"tandem/because"
	"tandem/messages"
)

// Elements that fetch another call have these steps in common: it is looked for, the caller is answered, the two are joined.
//
//	looking ── CallFound ──► answering ──► joining ── Joined ──► they talk
//	   ├── none ──► exit nothing                      └── it was gone by then ──► exit failed
//	   └── on another media node ──► ringing: it is called there (across.go)
const stageLooking = "looking"

// Exits of elements that fetch another call.
func fetchExits(nothing string) []Exit {
	return []Exit{
		{Name: "nothing", Description: nothing, Ends: causeOfBrokenFlow},
		{Name: "elsewhere", Description: "The call is on another media node, and the caller was brought from another one already: calls are not sent on twice.", Ends: causeOfBrokenFlow},
		{Name: "failed", Description: "The other side was gone before they could talk.", Ends: causeOfBrokenFlow}}
}

// fetchBehaviour is that of elements that fetch another call.
func fetchBehaviour() Behaviour {
	return Behaviour{EarlyMedia: "None.", Answer: "Answers when the other call is found, and both before they talk.", Ringback: "None: it takes a moment.",
		HangUp:   "A caller who hangs up before they talk leaves the other call where it was. When one of the two hangs up the other is hung up too.",
		Transfer: "While they talk."}
}

// Seeks says which live call the flow of a new call looks for first, so that the new one can be brought to the media node of that
// one: the two can be joined there alone.
func Seeks(config Config, call Call) (Wanted, bool) {
	s := &step{config: config, state: &State{Call: call}}
	flow := s.flow(call.FlowID)
	if flow == nil {
		return Wanted{}, false
	}
	e := flow.Elements[flow.Start]
	switch e.Type { // asked of every new call
	case pickupAbout.name, pullAbout.name, unparkAbout.name, eavesdropAbout.name:
	default:
		return Wanted{}, false
	}
	seeker, ok := elementOf(e.Type).(interface {
		seeks(s *step, settings any) (Wanted, bool)
	})
	if !ok || config.Tenant == nil {
		return Wanted{}, false
	}
	return seeker.seeks(s, e.Parsed)
}

// look asks which call is the wanted one.
func (s *step) look(w Wanted) { s.await(stageLooking, Command{Kind: FindCall, Wanted: &w}) }

// fetch goes on with fetching a call, whatever the stage.
func (s *step) fetch(purpose Purpose) {
	switch {
	case s.completes(stageLooking, CallFound):
		s.foundOne(purpose)
	case s.answerDone():
		s.joinSought(purpose)
	case s.completes(stageRinging, RingEnded):
		s.wentAcross()
	case s.joinFailed():
		s.explain("fetch_failed")
		s.exit("failed", causeOfBrokenFlow, messages.FaultCaller)
	}
}

func (s *step) foundOne(purpose Purpose) {
	f := s.event.Found
	switch {
	case f == nil:
		s.explain("fetch_nothing")
		s.exit("nothing", causeOfBrokenFlow, messages.FaultCaller)
	case !f.Local:
		s.callThere(f, purpose)
	default:
		other := s.named(f.Party)
		s.explain("fetch_found", "other", other.who(), "call", other.Call)
		s.state.Sought = &other
		if s.answerFirst() {
			s.joinSought(purpose)
		}
	}
}

// named gives a party the extension of whoever its device belongs to: that of a called leg is told by what was dialled.
func (s *step) named(p Party) Party {
	if s.config.Tenant == nil {
		return p
	}
	if d := s.config.Tenant.Device(p.Device); d != nil {
		if u := s.config.Tenant.User(d.UserID); u != nil {
			p.Number, p.Name = u.Extension, u.Name
		}
	}
	return p
}

func (s *step) joinSought(purpose Purpose) {
	if s.state.Sought == nil { // the answer is to another flow's order
		s.exit("failed", causeOfBrokenFlow, messages.FaultPlatform)
		return
	}
	other := *s.state.Sought
	s.state.Sought = nil
	s.join(s.state.DrivenLeg(), other, purpose)
}

// devicesOf lists the devices that settings name, and those of the users, each once: at most so many as one Ring dials.
func (s *step) devicesOf(users, devices []string, extension string) []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		if !seen[id] && s.config.Tenant.Device(id) != nil {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	if extension != "" {
		if u := s.config.Tenant.UserByExtension(extension); u != nil {
			users = append(users[:len(users):len(users)], u.ID)
		}
	}
	for _, id := range users {
		for _, d := range s.config.Tenant.DevicesOf(id) {
			add(d.ID)
		}
	}
	for _, id := range devices {
		add(id)
	}
	return ids
}

// whoseMembers are the settings by which an element names people.
func whoseMembers(does string) []member {
	return []member{
		{name: "users", schema: schema{kind: listValue, max: maxRung, description: "Users " + does,
			items: &schema{kind: textValue, reference: RefersToUser, min: 1, max: maxID}}},
		{name: "devices", schema: schema{kind: listValue, max: maxRung, description: "Devices " + does,
			items: &schema{kind: textValue, reference: RefersToDevice, min: 1, max: maxID}}},
		{name: "extension", schema: neededTemplate("The extension of a user " + does + " For a feature code, {dialled.rest}: what was dialled after the code.")},
	}
}

// neededTemplate is the schema of a template that is not empty.
func neededTemplate(description string) schema {
	s := templateSchema(description)
	s.min = 1
	return s
}

func fetchReasons() because.Catalog {
	return because.Catalog{
		"fetch_nothing":   "There is no such call of this tenant.",
		"fetch_elsewhere": "The call {call} is on the media node {node}: it cannot be heard from another.",
		"fetch_found":     "Found: {other} (call {call}).",
		"fetch_failed":    "The other side was gone before they could talk.",
	}
}
