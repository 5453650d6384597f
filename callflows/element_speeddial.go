package callflows

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// speedDialElement calls, or keeps, the number that a digit or two of the calling user's stand for.
type speedDialElement struct{}

type speedDialSettings struct {
	Do          string `json:"do"` // call, set
	Dialled     string `json:"dialled"`
	Digits      int    `json:"digits"`
	Seconds     int    `json:"seconds"`
	PromptOn    string `json:"prompt_on"`
	PromptOff   string `json:"prompt_off"`
	PromptWrong string `json:"prompt_wrong"`
}

// maxSpeedDigits bounds the digits that stand for a number.
const maxSpeedDigits = 2

var speedDialAbout = about{
	name: "speed_dial", title: "Speed dial", description: "Calls the number that the calling user has kept under the digits that follow the feature code; or keeps one: " +
		"the digits first, then the number; without a number what was kept is forgotten.",
	settings: &schema{kind: recordValue, members: append([]member{
		{name: "do", schema: schema{kind: textValue, initial: "call", oneOf: []any{"call", "set"}, description: "Whether the number is called or kept."}},
		{name: "dialled", schema: withInitial(templateSchema("The digits, and what follows them."), "{dialled.rest}")},
		{name: "digits", schema: schema{kind: wholeValue, initial: 1, min: 1, max: maxSpeedDigits, unit: "digits", description: "How many digits stand for a number."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: 60, min: 1, max: 600, unit: "seconds", description: "How long a number outside rings."}},
	}, settingPrompts()...)},
	exits: append(settingExits(),
		Exit{Name: "no_answer", Description: "The number did not answer in time.", Ends: "NO_ANSWER", Waits: true},
		Exit{Name: "busy", Description: "The number is busy.", Ends: "USER_BUSY"},
		Exit{Name: "unavailable", Description: "There is nothing under these digits, or no such number.", Ends: "UNALLOCATED_NUMBER, INVALID_NUMBER_FORMAT or USER_NOT_REGISTERED"},
		Exit{Name: "rejected", Description: "The called side declined, or the tenant may not call this number or not so often.", Ends: "CALL_REJECTED or USER_BUSY"}),
	behaviour: Behaviour{EarlyMedia: "As with the element number.", Answer: "Answers to keep a number; to call, when the number answers.", Ringback: "Before the answer the caller's own phone rings.",
		HangUp: hangUpAnywhere, Transfer: "While they talk, as far as the media node does it by itself: the flow is not asked."},
	example: tenants.Element{Type: "speed_dial", Settings: json.RawMessage(`{"do":"call","digits":1}`),
		Exits: map[string]string{"next": "end", "failed": "end", "no_answer": "sorry", "busy": "sorry", "unavailable": "sorry", "rejected": "sorry"}},
}

func (speedDialElement) about() *about { return &speedDialAbout }

func (speedDialElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[speedDialSettings](speedDialAbout.settings, settings)
}

func (e speedDialElement) enter(s *step, settings any) {
	d := settings.(speedDialSettings)
	if d.Do == "call" {
		e.call(s, d)
		return
	}
	if s.answerFirst() {
		e.set(s, d)
	}
}

// read is the digits, and what follows them.
func (d speedDialSettings) read(s *step) (key, rest string, ok bool) {
	dialled := cleanDialled(s.expand(d.Dialled))
	if len(dialled) < d.Digits || strings.Trim(dialled[:d.Digits], "0123456789") != "" {
		return "", "", false
	}
	return dialled[:d.Digits], dialled[d.Digits:], true
}

// outside is the number that is called when it is one outside.
func (speedDialElement) outside(s *step, d speedDialSettings) (numberSettings, bool) {
	u := s.userOfCaller()
	key, _, ok := d.read(s)
	if u == nil || !ok {
		return numberSettings{}, false
	}
	to := s.destinationOf(s.config.Tenant.SettingsOf(u.ID).SpeedDials[key])
	return numberSettings{Number: to.number, Seconds: d.Seconds}, to.number != ""
}

func (e speedDialElement) call(s *step, d speedDialSettings) {
	u := s.callingUser()
	key, _, ok := d.read(s)
	if u == nil || !ok {
		s.explain("speed_dial_unknown", "key", cmp.Or(cleanNumber(s.expand(d.Dialled)), "no digits"))
		s.exit("unavailable", "UNALLOCATED_NUMBER", messages.FaultCaller)
		return
	}
	number := s.config.Tenant.SettingsOf(u.ID).SpeedDials[key]
	if number == "" {
		s.explain("speed_dial_unknown", "key", key)
		s.exit("unavailable", "UNALLOCATED_NUMBER", messages.FaultCaller)
		return
	}
	s.explain("speed_dialled", "user", u.Name, "key", key, "number", number)
	to := s.destinationOf(number)
	if to.user != nil { // as if it had been dialled
		if route := s.config.Tenant.Route(number); route != nil {
			to.flow = s.config.Tenant.Flow(route.FlowID)
		}
	}
	switch n, outside := e.outside(s, d); {
	case outside:
		numberElement{}.call(s, n)
	case to.flow != nil:
		s.state.FlowID = to.flow.ID
		s.explain("jumped", "flow", to.flow.Name, "flow_id", to.flow.ID, "element", to.flow.Start)
		s.enter(to.flow, to.flow.Start)
	default:
		s.explain("number_not_outside", "number", number)
		s.exit("unavailable", "INVALID_NUMBER_FORMAT", messages.FaultCaller)
	}
}

func (e speedDialElement) on(s *step, settings any) {
	d := settings.(speedDialSettings)
	if d.Do == "call" {
		if n, outside := e.outside(s, d); outside {
			numberElement{}.on(s, n)
		}
		return
	}
	if s.answerDone() {
		e.set(s, d)
		return
	}
	prompt := d.PromptOn
	if _, number, _ := d.read(s); number == "" {
		prompt = d.PromptOff
	}
	s.saved(prompt, d.PromptWrong)
}

func (speedDialElement) set(s *step, d speedDialSettings) {
	u := s.callingUser()
	key, number, ok := d.read(s)
	switch {
	case u == nil:
		s.refuseSetting(d.PromptWrong)
	case !ok:
		s.explain("speed_dial_needs_key", "digits", strconv.Itoa(d.Digits))
		s.refuseSetting(d.PromptWrong)
	case number == "":
		s.save(UserSetting{Name: SettingSpeedDial, User: u.ID, Key: key}, because.New("speed_dial_forgotten", "user", u.Name, "key", key))
	case s.destinationOf(number) == destination{}:
		s.explain("number_not_outside", "number", number)
		s.refuseSetting(d.PromptWrong)
	default:
		s.save(UserSetting{Name: SettingSpeedDial, User: u.ID, On: true, Key: key, Value: number}, because.New("speed_dial_kept", "user", u.Name, "key", key, "number", number))
	}
}

func (speedDialElement) reasons() because.Catalog {
	return because.Catalog{
		"speed_dialled":        "{user} has kept {number} under {key}.",
		"speed_dial_unknown":   "Nothing is kept under {key} for who calls.",
		"speed_dial_needs_key": "{digits|digit|digits} must follow the code, and then the number.",
		"speed_dial_kept":      "{user} keeps {number} under {key}.",
		"speed_dial_forgotten": "{user} keeps nothing under {key} any more.",
	}
}
