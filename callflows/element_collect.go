package callflows

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// collectElement asks the caller for digits and keeps them in a variable. What was keyed is in no reason: it may be a PIN.
type collectElement struct{}

type collectSettings struct {
	Prompt        string `json:"prompt"`
	InvalidPrompt string `json:"invalid_prompt"`
	Variable      string `json:"variable"`
	Min           int    `json:"min"`
	Max           int    `json:"max"`
	Terminator    string `json:"terminator"` // #, *, none
	Attempts      int    `json:"attempts"`
	Seconds       int    `json:"seconds"`
	Between       int    `json:"between_seconds"`
	Pattern       string `json:"pattern"`

	form *regexp.Regexp // Pattern, whole; nil for none
}

// Bounds of collecting.
const (
	MaxCollected       = 32 // digits
	maxBetweenSeconds  = 10
	maxPatternOfDigits = 128 // characters
)

var collectAbout = about{
	name: "collect", title: "Collect digits",
	description: "Plays a prompt, collects digits from the caller and keeps them in a variable. After the last attempt it leaves by timeout or invalid, whichever came last.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "prompt", required: true, schema: promptSchema("The prompt that says what to key.")},
		{name: "invalid_prompt", schema: promptSchema("The prompt played before another attempt, after digits that are not right. Left out: none.")},
		{name: "variable", required: true, schema: variableSchema("The variable that keeps the digits.")},
		{name: "min", schema: schema{kind: wholeValue, initial: 1, min: 1, max: MaxCollected, unit: "digits", description: "How many digits at least."}},
		{name: "max", schema: schema{kind: wholeValue, initial: MaxCollected, min: 1, max: MaxCollected, unit: "digits", description: "How many digits at most; after the last of them the caller need not wait. Not less than min."}},
		{name: "terminator", schema: schema{kind: textValue, initial: "#", oneOf: []any{"#", "*", "none"}, description: "The key that ends the input and is no part of it."}},
		{name: "attempts", schema: schema{kind: wholeValue, initial: 3, min: 1, max: MaxMenuAttempts, description: "How many times the caller is asked."}},
		{name: "seconds", schema: schema{kind: wholeValue, initial: 5, min: 1, max: MaxMenuSeconds, unit: "seconds", description: "How long to wait for the first digit after the prompt."}},
		{name: "between_seconds", schema: schema{kind: wholeValue, initial: int(BetweenDigits / time.Second), min: 1, max: maxBetweenSeconds, unit: "seconds", description: "How long to wait for another digit."}},
		{name: "pattern", schema: schema{kind: textValue, max: maxPatternOfDigits, expression: true, description: "What the digits must match as a whole, as a regular expression (RE2): 4[0-9]{3}. Left out: any digits, without * and #."}},
	}},
	exits: []Exit{
		{Name: "ok", Description: "The digits are right, and kept.", Required: true, Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "timeout", Description: "At the last attempt the caller keyed nothing, or too little, in time.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "invalid", Description: "What the caller keyed at the last attempt is not right.", Ends: "NORMAL_CLEARING", Waits: true}},
	behaviour: Behaviour{EarlyMedia: "None: it answers first.", Answer: "Answers before the prompt.", Ringback: "None: the prompt.", HangUp: hangUpAnywhere,
		Transfer: notWhileAlone},
	example: tenants.Element{Type: "collect", Settings: json.RawMessage(`{"prompt":"account","variable":"account","min":6,"max":6}`),
		Exits: map[string]string{"ok": "look_up", "timeout": "operator", "invalid": "operator"}},
}

func (collectElement) about() *about { return &collectAbout }

func (collectElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read(collectAbout.settings, settings, (*collectSettings).further)
}

// further are the rules between the settings.
func (c *collectSettings) further() []FlowFault {
	if c.Min > c.Max {
		return []FlowFault{{Path: "/min", Code: "settings_contradict", Detail: "The setting min is more than max.", Mend: "Give at most " + strconv.Itoa(c.Max) + ", or raise max."}}
	}
	if c.Pattern != "" {
		c.form = regexp.MustCompile(`^(?:` + c.Pattern + `)$`) // it has been tried as an expression
	}
	return nil
}

// digits says how many digits are asked for.
func (c *collectSettings) digits() string {
	switch {
	case c.Min < c.Max:
		return strconv.Itoa(c.Min) + " to " + strconv.Itoa(c.Max) + " digits"
	case c.Max == 1:
		return "1 digit"
	}
	return strconv.Itoa(c.Max) + " digits"
}

// wanted is what the node is to collect.
func (c *collectSettings) wanted() *DigitsWanted {
	w := &DigitsWanted{Min: c.Min, Max: c.Max, Allowed: "0123456789", First: time.Duration(c.Seconds) * time.Second, Between: time.Duration(c.Between) * time.Second}
	if c.Terminator != "none" {
		w.Terminator = c.Terminator
	}
	if c.form != nil {
		w.Allowed = strings.ReplaceAll(menuDigits, w.Terminator, "")
	}
	return w
}

func (e collectElement) enter(s *step, settings any) {
	if s.answerFirst() {
		e.ask(s, settings.(collectSettings))
	}
}

func (collectElement) ask(s *step, c collectSettings) {
	s.state.Attempt++
	s.explain("collect_asked", "prompt", c.Prompt, "digits", c.digits(),
		"attempt", strconv.Itoa(s.state.Attempt), "attempts", strconv.Itoa(c.Attempts))
	s.await("asked", Command{Kind: CollectDigits, Prompt: c.Prompt, Language: s.language(), Digits: c.wanted()})
}

func (e collectElement) on(s *step, settings any) {
	c := settings.(collectSettings)
	switch {
	case s.answerDone(), s.completes("invalid", Played):
		e.ask(s, c)
	case s.completes("asked", DigitsCollected):
		e.keyed(s, c)
	}
}

// keyed judges what the caller keyed.
func (e collectElement) keyed(s *step, c collectSettings) {
	exit := string(DigitsTimeout)
	switch {
	case s.event.Outcome == DigitsGood && c.right(s.event.Digits):
		if s.keep(c.Variable, s.event.Digits) {
			s.explain("collected", "digits", strconv.Itoa(len(s.event.Digits)), "variable", c.Variable)
		} else {
			s.explain("variables_full", "variable", c.Variable, "limit", strconv.Itoa(MaxVariables))
		}
		s.exit("ok", "NORMAL_CLEARING", messages.FaultTenant)
		return
	case s.event.Outcome == DigitsGood || s.event.Outcome == DigitsInvalid:
		exit = string(DigitsInvalid)
		s.explain("collect_invalid", "digits", strconv.Itoa(utf8.RuneCountInString(s.event.Digits)))
	default:
		s.explain("collect_timeout", "seconds", strconv.Itoa(c.Seconds), "min", strconv.Itoa(c.Min))
	}
	if s.state.Attempt >= c.Attempts {
		s.explain("collect_given_up", "attempts", strconv.Itoa(c.Attempts))
		s.exit(exit, "NORMAL_CLEARING", messages.FaultCaller)
		return
	}
	if exit == string(DigitsInvalid) && c.InvalidPrompt != "" {
		s.await("invalid", Command{Kind: Play, Prompt: c.InvalidPrompt, Language: s.language()})
		return
	}
	e.ask(s, c)
}

// right says whether digits are what was asked for. The node has looked at their number and kind, and is not trusted.
func (c *collectSettings) right(digits string) bool {
	w := c.wanted()
	return len(digits) >= w.Min && len(digits) <= w.Max && strings.Trim(digits, w.Allowed) == "" && (c.form == nil || c.form.MatchString(digits))
}

func (collectElement) reasons() because.Catalog {
	return because.Catalog{
		"collect_asked":    "The prompt {prompt} asks for {digits} (attempt {attempt} of {attempts}).",
		"collected":        "The caller keyed {digits|digit|digits}, kept in the variable {variable}.",
		"collect_invalid":  "The caller keyed {digits|digit|digits}, which is not what was asked for.",
		"collect_timeout":  "The caller keyed nothing within {seconds|second|seconds}, or fewer than {min|digit|digits}.",
		"collect_given_up": "Collecting gives up after {attempts|attempt|attempts}.",
		"variables_full":   "The variable {variable} is not set: the call has {limit|variable|variables} already.",
	}
}
