package callflows

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"tandem/because"
	"tandem/messages"
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

func (menuElement) parse(settings json.RawMessage) (any, error) {
	m := menuSettings{Attempts: 3, Seconds: 5}
	if err := strict(settings, &m); err != nil {
		return nil, err
	}
	if m.Attempts < 1 || m.Attempts > MaxMenuAttempts {
		return nil, fmt.Errorf("settings: attempts: is not within 1 to %d", MaxMenuAttempts)
	}
	if m.Seconds < 1 || m.Seconds > MaxMenuSeconds {
		return nil, fmt.Errorf("settings: seconds: is not within 1 to %d", MaxMenuSeconds)
	}
	if m.InvalidPrompt != "" {
		if err := checkPrompt("invalid_prompt", m.InvalidPrompt); err != nil {
			return nil, err
		}
	}
	if m.Prompt == "" {
		return nil, errors.New("settings: prompt: is required")
	}
	return m, checkPrompt("prompt", m.Prompt)
}

func (menuElement) exits(any) []string {
	return append(strings.Split(menuDigits, ""), "timeout", "invalid")
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
	s.await("asked", Command{Kind: CollectDigits, Prompt: m.Prompt, Digits: &DigitsWanted{
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
		s.await("invalid", Command{Kind: Play, Prompt: m.InvalidPrompt})
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
