package callflows

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// callerIDElement sets what phones show that are dialled from here on.
type callerIDElement struct{}

type callerIDSettings struct {
	Number        string `json:"number"` // templates
	Name          string `json:"name"`
	PrependNumber string `json:"prepend_number"`
	PrependName   string `json:"prepend_name"`
	Privacy       string `json:"privacy"` // keep, hide, show
}

var dialPrefix = regexp.MustCompile(`^[0-9+*#]{0,16}$`)

var callerIDAbout = about{
	name: "caller_id", title: "Caller ID", description: "Sets what phones show that are dialled from here on: number and name, something before them, or nothing at all. " +
		"What is left out stays as it is. Emergency calls show their own number whatever is set.",
	settings: &schema{kind: recordValue, least: 1, members: []member{
		{name: "number", schema: templateSchema("The number to show. {caller.number} and the like stand for what they name.")},
		{name: "name", schema: templateSchema("The name to show, likewise.")},
		{name: "prepend_number", schema: schema{kind: textValue, form: dialPrefix, formWords: "at most 16 digits, +, * or #",
			description: "Put before the number, such as the digits that reach the outside: the number can then be called back from the phone's list."}},
		{name: "prepend_name", schema: schema{kind: textValue, max: maxPrependedName, form: printable, formWords: "text on one line",
			description: "Put before the name, such as which line was called."}},
		{name: "privacy", schema: schema{kind: textValue, initial: "keep", oneOf: []any{"keep", "hide", "show"},
			description: "hide: phones show neither number nor name. show: they do again. keep: as it was."}},
	}},
	exits:     nextExit("The caller ID is set."),
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged.", HangUp: hangUpAtOnce, Transfer: notWhileAlone},
	example:   tenants.Element{Type: "caller_id", Settings: json.RawMessage(`{"prepend_name":"Sales: "}`), Exits: map[string]string{"next": "ring"}},
}

const maxPrependedName = 32 // characters

func (callerIDElement) about() *about { return &callerIDAbout }

func (callerIDElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[callerIDSettings](callerIDAbout.settings, settings)
}

func (callerIDElement) enter(s *step, settings any) {
	want, now := settings.(callerIDSettings), s.state.CallerID
	if want.Number != "" || want.PrependNumber != "" {
		number := cmp.Or(s.expand(want.Number), now.Number, s.state.Call.Caller.Number)
		now.Number = cleanNumber(want.PrependNumber + number)
	}
	if want.Name != "" || want.PrependName != "" {
		name := cmp.Or(s.expand(want.Name), now.Name, s.state.Call.Caller.Name)
		now.Name = clip(strings.Join(strings.Fields(want.PrependName+name), " "), messages.MaxName) // phones show no runs of blanks
	}
	if want.Privacy != "keep" {
		now.Private = want.Privacy == "hide"
	}
	s.state.CallerID = now
	if shown := s.presented(""); shown.Private {
		s.explain("caller_id_hidden")
	} else {
		s.explain("caller_id_set", "number", shown.Number, "name", shown.Name)
	}
	s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
}

func (callerIDElement) on(*step, any) {}

func (callerIDElement) reasons() because.Catalog {
	return because.Catalog{
		"caller_id_set":    "Phones that are dialled from here on show the number \"{number}\" and the name \"{name}\".",
		"caller_id_hidden": "Phones that are dialled from here on show neither number nor name.",
	}
}
