package callflows

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// menuElement plays a prompt and branches on one digit. It answers the call first. Each digit is an exit of its own;
// after the last attempt it leaves by timeout or invalid, whichever came last.
type menuElement struct{}

type menuSettings struct {
	Prompt        string `json:"prompt"`
	InvalidPrompt string `json:"invalid_prompt"` // played before another attempt; empty: none
	Attempts      int    `json:"attempts"`
	Seconds       int    `json:"seconds"` // wait for the digit after the prompt
}

// Bounds of a menu.
const (
	MaxMenuAttempts = 10
	MaxMenuSeconds  = 60
	menuDigits      = "0123456789*#"
)

var menuAbout = about{
	name: "menu", title: "Menu",
	description: "Plays a prompt and branches on one digit. Each digit is an exit of its own; those that lead somewhere are the choices. " +
		"After the last attempt it leaves by timeout or invalid, whichever came last.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "prompt", required: true, schema: promptSchema("The prompt that tells the choices.")},
		{name: "invalid_prompt", schema: promptSchema("The prompt played before another attempt, after a digit that is no choice. Left out: none.")},
		{name: "attempts", schema: schema{kind: wholeValue, initial: 3, min: 1, max: MaxMenuAttempts, description: "How many times the caller is asked."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: 5, min: 1, max: MaxMenuSeconds, unit: "seconds",
			description: "How long to wait for the digit after the prompt."}},
	}},
	exits: menuExits(),
	behaviour: Behaviour{EarlyMedia: "None: it answers first.", Answer: "Answers before the prompt.", Ringback: "None: the prompt.", HangUp: hangUpAnywhere,
		Transfer: notWhileAlone},
	example: tenants.Element{Type: "menu", Settings: json.RawMessage(`{"prompt":"menu/main","attempts":3,"seconds":5}`),
		Exits: map[string]string{"1": "sales", "2": "support", "timeout": "sales", "invalid": "goodbye"}},
}

func menuExits() []Exit {
	var all []Exit
	for _, digit := range strings.Split(menuDigits, "") {
		all = append(all, Exit{Name: digit, Description: "The caller keyed " + digit + ".", Ends: "NORMAL_CLEARING", Choice: true, Waits: true})
	}
	return append(all, Exit{Name: "timeout", Description: "The caller keyed nothing at the last attempt.", Ends: "NORMAL_CLEARING", Waits: true},
		Exit{Name: "invalid", Description: "What the caller keyed at the last attempt is no choice.", Ends: "NORMAL_CLEARING", Waits: true})
}

func (menuElement) about() *about { return &menuAbout }

func (menuElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[menuSettings](menuAbout.settings, settings)
}

func (e menuElement) enter(s *step, settings any) {
	if s.menuChoices() == "" {
		s.explain("menu_without_choices")
		s.exit("timeout", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	if s.answerFirst() {
		e.ask(s, settings.(menuSettings))
	}
}

func (menuElement) ask(s *step, m menuSettings) {
	s.state.Attempt++
	allowed := s.menuChoices()
	s.explain("menu_asked", "prompt", m.Prompt, "choices", strings.Join(strings.Split(allowed, ""), ", "),
		"attempt", strconv.Itoa(s.state.Attempt), "attempts", strconv.Itoa(m.Attempts))
	s.await("asked", Command{Kind: CollectDigits, Prompt: m.Prompt, Language: s.language(), Digits: &DigitsWanted{
		Min: 1, Max: 1, Allowed: allowed, First: time.Duration(m.Seconds) * time.Second, Between: BetweenDigits}})
}

// menuChoices lists the digits that the menu at work has exits for.
func (s *step) menuChoices() string {
	var digits []string
	for exit := range s.flow(s.state.FlowID).Elements[s.state.Element].Exits {
		if len(exit) == 1 && strings.Contains(menuDigits, exit) {
			digits = append(digits, exit)
		}
	}
	sort.Strings(digits)
	return strings.Join(digits, "")
}

func (e menuElement) on(s *step, settings any) {
	m := settings.(menuSettings)
	switch {
	case s.answerDone():
		e.ask(s, m)
	case s.completes("asked", DigitsCollected):
		e.keyed(s, m)
	case s.completes("invalid", Played):
		e.ask(s, m)
	}
}

// keyed judges what the caller keyed.
func (e menuElement) keyed(s *step, m menuSettings) {
	exit := string(s.event.Outcome)
	switch s.event.Outcome {
	case DigitsGood:
		if strings.Contains(s.menuChoices(), s.event.Digits) && len(s.event.Digits) == 1 {
			s.explain("menu_chosen", "digit", s.event.Digits)
			s.exit(s.event.Digits, "NORMAL_CLEARING", messages.FaultNone)
			return
		}
		exit = string(DigitsInvalid)
		s.explain("menu_invalid")
	case DigitsInvalid:
		s.explain("menu_invalid")
	default: // DigitsTimeout
		exit = string(DigitsTimeout)
		s.explain("menu_timeout", "seconds", strconv.Itoa(m.Seconds))
	}
	if s.state.Attempt >= m.Attempts {
		s.explain("menu_given_up", "attempts", strconv.Itoa(m.Attempts))
		s.exit(exit, "NORMAL_CLEARING", messages.FaultCaller)
		return
	}
	if exit == string(DigitsInvalid) && m.InvalidPrompt != "" {
		s.await("invalid", Command{Kind: Play, Prompt: m.InvalidPrompt, Language: s.language()})
		return
	}
	e.ask(s, m)
}

func (menuElement) reasons() because.Catalog {
	return because.Catalog{
		"menu_without_choices": "The menu has no digit to choose from.",
		"menu_asked":           "The menu plays {prompt} and waits for one of {choices} (attempt {attempt} of {attempts}).",
		"menu_chosen":          "The caller keyed {digit}.",
		"menu_invalid":         "What the caller keyed is not a choice of this menu.",
		"menu_timeout":         "The caller keyed nothing within {seconds|second|seconds}.",
		"menu_given_up":        "The menu gives up after {attempts|attempt|attempts}.",
	}
}
