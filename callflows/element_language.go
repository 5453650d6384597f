package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// languageElement sets the language of the prompts that the call hears from here on.
type languageElement struct{}

type languageSettings struct {
	Language string `json:"language"`
}

var languageAbout = about{
	name: "language", title: "Language", description: "Sets the language of the prompts from here on. Until then it is the tenant's.",
	settings: &schema{kind: recordValue, members: []member{{name: "language", required: true, schema: schema{kind: textValue, form: languageName,
		description: "The language, and perhaps the country.", formWords: "a language such as en, or a language and a country such as en-GB"}}}},
	exits:     nextExit("The language is set."),
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged.", HangUp: hangUpAtOnce, Transfer: notWhileAlone},
	example:   tenants.Element{Type: "language", Settings: json.RawMessage(`{"language":"fr"}`), Exits: map[string]string{"next": "menu"}},
}

func (languageElement) about() *about { return &languageAbout }

func (languageElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[languageSettings](languageAbout.settings, settings)
}

func (languageElement) enter(s *step, settings any) {
	s.state.Language = settings.(languageSettings).Language
	s.explain("language_set", "language", s.state.Language)
	s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
}

func (languageElement) on(*step, any) {}

func (languageElement) reasons() because.Catalog {
	return because.Catalog{"language_set": "Prompts are in the language {language} from here on."}
}
