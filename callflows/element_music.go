package callflows

import (
	"cmp"
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// musicElement sets what whoever is put on hold hears in the talks that follow.
type musicElement struct{}

type musicSettings struct {
	Prompt string `json:"prompt"`
}

var musicAbout = about{
	name: "music_on_hold", title: "Music on hold", description: "Sets what those who are put on hold hear in the talks that follow. Until then it is the tenant's.",
	settings:  &schema{kind: recordValue, members: []member{{name: "prompt", required: true, schema: promptSchema("The prompt to play, again and again.")}}},
	exits:     nextExit("The music is set."),
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged.", HangUp: hangUpAtOnce, Transfer: notWhileAlone},
	example:   tenants.Element{Type: "music_on_hold", Settings: json.RawMessage(`{"prompt":"music/sales"}`), Exits: map[string]string{"next": "ring"}},
}

func (musicElement) about() *about { return &musicAbout }

func (musicElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[musicSettings](musicAbout.settings, settings)
}

func (musicElement) enter(s *step, settings any) {
	s.state.Music = settings.(musicSettings).Prompt
	s.explain("music_set", "prompt", s.state.Music)
	s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
}

func (musicElement) on(*step, any) {}

// music is the prompt that whoever is put on hold hears; empty is the node's own.
func (s *step) music() string {
	if s.config.Tenant == nil {
		return s.state.Music
	}
	return cmp.Or(s.state.Music, s.config.Tenant.MusicOnHold)
}

func (musicElement) reasons() because.Catalog {
	return because.Catalog{"music_set": "Those who are put on hold hear {prompt} from here on."}
}
