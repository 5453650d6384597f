package callflows

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// sayElement says a number, digits, the time or a text. The first three are prompts one after the other; a text needs an
// engine for speech on the media nodes.
type sayElement struct{}

type saySettings struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// The kinds of what is said.
const (
	sayKindDigits = "digits"
	sayKindNumber = "number"
	sayKindTime   = "time"
	sayKindText   = "text"
)

var sayAbout = about{
	name: "say", title: "Say", description: "Says a number, digits, the time of day or a text. Numbers, digits and times are put together of prompts (say/digits/4, say/20, say/hundred) " +
		"in the call's language; where there are none, a digit is heard as so many beeps. A text needs an engine for speech on the media nodes.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "kind", required: true, schema: schema{kind: textValue, oneOf: []any{sayKindDigits, sayKindNumber, sayKindTime, sayKindText}, description: "What the value is."}},
		{name: "value", schema: withInitial(templateSchema("What to say. For a time: left out, the time of day now by the tenant's clock; or as 17:30."), "")},
	}},
	exits: []Exit{
		{Name: "next", Description: "It was said.", Ends: "NORMAL_CLEARING", Waits: true},
		{Name: "unavailable", Description: "There is nothing to say, or nobody to say it: the value is no number or time, or there is no engine for speech.", Ends: "NORMAL_CLEARING"}},
	behaviour: Behaviour{EarlyMedia: "None: it answers first.", Answer: "Answers before it speaks.", Ringback: "None: what is said.", HangUp: hangUpAnywhere, Transfer: notWhileAlone},
	example:   tenants.Element{Type: "say", Settings: json.RawMessage(`{"kind":"digits","value":"{caller.number}"}`), Exits: map[string]string{"next": "menu", "unavailable": "menu"}},
}

func (sayElement) about() *about { return &sayAbout }

func (sayElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[saySettings](sayAbout.settings, settings)
}

func (e sayElement) enter(s *step, settings any) {
	if s.answerFirst() {
		e.say(s, settings.(saySettings))
	}
}

func (sayElement) say(s *step, v saySettings) {
	value := strings.TrimSpace(s.expand(v.Value))
	if v.Kind == sayKindText {
		if text := spoken(value); text != "" {
			s.explain("speaking", "text", text)
			s.await("speaking", Command{Kind: Speak, Text: text, Language: s.language()})
			return
		}
		s.explain("say_nothing")
		s.exit("unavailable", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	said := s.phrase(v.Kind, value)
	if len(said) == 0 {
		s.explain("say_nothing")
		s.exit("unavailable", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	s.explain("saying", "kind", v.Kind, "prompts", strconv.Itoa(len(said)))
	s.await("saying", Command{Kind: Play, Prompt: said[0], Prompts: said[1:], Language: s.language()})
}

// phrase is what is said of a value; none when it cannot be said.
func (s *step) phrase(kind, value string) []string {
	switch kind {
	case sayKindDigits:
		return sayDigits(value)
	case sayKindNumber:
		if n, err := strconv.Atoi(value); err == nil {
			return sayNumber(s.language(), n)
		}
	case sayKindTime:
		at := s.event.At
		if s.config.Tenant != nil {
			at = at.In(s.config.Tenant.Location())
		}
		if value != "" {
			var err error
			if at, err = time.Parse("15:04", value); err != nil {
				return nil
			}
		}
		return sayTime(s.language(), at.Hour(), at.Minute())
	}
	return nil
}

// spoken makes a text fit for an engine for speech: letters, digits and the punctuation of speech.
func spoken(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar:
			return ' '
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune(".,-?!", r):
			return r
		}
		return ' '
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

func (e sayElement) on(s *step, settings any) {
	switch {
	case s.answerDone():
		e.say(s, settings.(saySettings))
	case s.completes("saying", Played):
		s.exit("next", "NORMAL_CLEARING", messages.FaultNone)
	case s.completes("speaking", Done) && s.event.Away:
		s.explain("say_no_engine")
		s.exit("unavailable", "NORMAL_CLEARING", messages.FaultPlatform)
	case s.completes("speaking", Done):
		s.exit("next", "NORMAL_CLEARING", messages.FaultNone)
	}
}

func (sayElement) reasons() because.Catalog {
	return because.Catalog{
		"saying":        "The caller hears {kind}, put together of {prompts|prompt|prompts}.",
		"speaking":      "The engine for speech says {text}.",
		"say_nothing":   "There is nothing to say: the value is empty, or not of its kind.",
		"say_no_engine": "The text is not spoken: the media nodes have no engine for speech.",
	}
}
