package callflows

import (
	"encoding/json"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// parkElement keeps the call in a slot until somebody fetches it from there (unpark), or time is up.
//
//	choosing ── CallFound ──► parked ── Played ──► parked, once more
//	   └── no slot ──► exit     │ └── the prompt is missing ──► quiet ──► parked, once more
//	                            └── TimerFired ──► leaving ── Played ──► exit timeout
type parkElement struct{}

type parkSettings struct {
	First   int    `json:"first"`
	Slots   int    `json:"slots"`
	Slot    string `json:"slot"`
	Seconds int    `json:"seconds"`
	Prompt  string `json:"prompt"`
}

// Bounds of parking.
const (
	maxSlot        = 99999
	maxSlots       = 1000 // of one element
	parkedSeconds  = 120
	maxParked      = time.Hour
	quietWait      = 5 * time.Second // after which a prompt that was missing is tried again
	stageChoosing  = "choosing"
	stageParked    = "parked"
	stageQuiet     = "quiet"
	stageLeaving   = "leaving"
	slotVariable   = "park_slot"
	defaultHold    = "tone:hold"
	firstSlot      = 701
	someSlots      = 20
	maxSlotAsGiven = 16 // characters
)

var parkAbout = about{
	name: "park", title: "Park", description: "Keeps the call in a slot until somebody fetches it with unpark, or time is up. The slot is the lowest that is free, or the one that " +
		"is named; its number is kept in the variable park_slot.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "first", schema: schema{kind: wholeValue, initial: firstSlot, min: 1, max: maxSlot, unit: "number", description: "The lowest slot."}},
		{name: "slots", schema: schema{kind: wholeValue, initial: someSlots, min: 1, max: maxSlots, unit: "slots", description: "How many slots there are, the lowest included."}},
		{name: "slot", schema: templateSchema("One slot alone, rather than the lowest that is free. For a feature code, {dialled.rest}: what was dialled after the code.")},
		{name: "seconds", schema: schema{kind: wholeValue, initial: parkedSeconds, min: 5, max: int(maxParked / time.Second), unit: "seconds", description: "How long it is kept."}},
		{name: "prompt", schema: holdSchema()},
	}},
	exits: []Exit{
		{Name: "timeout", Description: "Nobody has fetched the call in time: ring whoever parked it, for example.", Ends: "NO_ANSWER", Waits: true},
		{Name: "full", Description: "No slot is free, or the one that is named is not.", Ends: "USER_BUSY"}},
	behaviour: Behaviour{EarlyMedia: "None: it answers.", Answer: "Answers before it parks.", Ringback: "None: the prompt.", HangUp: hangUpAnywhere,
		Transfer: "Whoever fetches the call talks to it."},
	example: tenants.Element{Type: "park", Settings: json.RawMessage(`{"first":701,"slots":20,"seconds":60}`), Exits: map[string]string{"timeout": "ring", "full": "sorry"}},
}

func holdSchema() schema {
	s := promptSchema("What the parked hears, again and again.")
	s.initial = defaultHold
	return s
}

func (parkElement) about() *about { return &parkAbout }

func (parkElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[parkSettings](parkAbout.settings, settings)
}

func (e parkElement) enter(s *step, settings any) {
	if s.answerFirst() {
		e.choose(s, settings.(parkSettings))
	}
}

// choose asks for a slot. A call that begins anew keeps its own.
func (parkElement) choose(s *step, p parkSettings) {
	w := Wanted{What: FreeSlot, First: p.First, Last: p.First + p.Slots - 1, Slot: s.state.Slot}
	if p.Slot != "" && w.Slot == "" {
		w.Slot = s.slotNamed(p.Slot)
		if w.Slot == "" {
			s.explain("park_no_slot")
			s.exit("full", "USER_BUSY", messages.FaultCaller)
			return
		}
	}
	s.explain("park_looks")
	s.await(stageChoosing, Command{Kind: FindCall, Wanted: &w})
}

func (e parkElement) on(s *step, settings any) {
	p := settings.(parkSettings)
	timeUp := s.event.Kind == TimerFired && s.event.Command != 0 && s.event.Command == s.state.Attempt
	switch {
	case s.answerDone():
		e.choose(s, p)
	case s.completes(stageChoosing, CallFound):
		e.park(s, p)
	case timeUp && s.state.Stage == stageParked:
		s.explain("park_timeout", "slot", s.state.Slot)
		s.state.Stage = stageLeaving
		s.order(Command{Kind: StopPlaying})
	case timeUp && s.state.Stage == stageQuiet:
		s.explain("park_timeout", "slot", s.state.Slot)
		e.leave(s)
	case s.completes(stageQuiet, TimerFired):
		e.hold(s, p)
	case s.completes(stageLeaving, Played):
		e.leave(s)
	case s.completes(stageParked, Played) && s.event.Missing:
		s.explain("prompt_missing", "prompt", p.Prompt)
		s.await(stageQuiet, Command{Kind: SetTimer, Wait: quietWait})
	case s.completes(stageParked, Played):
		e.hold(s, p)
	}
}

// slotNamed is the slot that a template names: digits and the like, or nothing.
func (s *step) slotNamed(template string) string {
	return clip(cleanNumber(s.expand(template)), maxSlotAsGiven)
}

// park keeps the call in the slot that was found.
func (e parkElement) park(s *step, p parkSettings) {
	if s.event.Found == nil || cleanNumber(s.event.Found.Slot) == "" {
		s.explain("park_full")
		s.state.Slot = ""
		s.exit("full", "USER_BUSY", messages.FaultTenant)
		return
	}
	s.state.Slot = clip(cleanNumber(s.event.Found.Slot), maxSlotAsGiven)
	s.keep(slotVariable, s.state.Slot)
	s.explain("parked_in", "slot", s.state.Slot, "seconds", strconv.Itoa(p.Seconds))
	s.state.Attempt = s.order(Command{Kind: SetTimer, Wait: time.Duration(p.Seconds) * time.Second})
	e.hold(s, p)
}

func (parkElement) hold(s *step, p parkSettings) {
	s.explain("park_plays")
	prompt := p.Prompt
	if music := s.music(); prompt == defaultHold && music != "" {
		prompt = music
	}
	s.await(stageParked, Command{Kind: Play, Prompt: prompt, Language: s.language()})
}

func (parkElement) leave(s *step) {
	s.state.Slot = ""
	s.exit("timeout", "NO_ANSWER", messages.FaultCallee)
}

func (parkElement) reasons() because.Catalog {
	return because.Catalog{
		"park_no_slot": "No slot was named to park the call in.",
		"park_looks":   "A slot is looked for to park the call in.",
		"park_full":    "There is no free slot to park the call in.",
		"parked_in":    "The call is parked in the slot {slot} for up to {seconds|second|seconds}.",
		"park_plays":   "The parked caller hears the prompt.",
		"park_timeout": "Nobody has fetched the call from the slot {slot} in time.",
	}
}
