package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// playElement plays a prompt to the end. It answers the call first unless it is marked early.
type playElement struct{}

type playSettings struct {
	Prompt string `json:"prompt"`
	Early  bool   `json:"early"` // play before the answer, as early media
}

var playAbout = about{
	name: "play", title: "Play", description: "Plays a prompt to its end.",
	settings: &schema{kind: recordValue, members: []member{
		{name: "prompt", required: true, schema: promptSchema("The prompt to play.")},
		{name: "early", schema: schema{kind: flagValue, initial: false, description: "Play it before the call is answered, as early media: the caller does not pay for it."}},
	}},
	exits: []Exit{{Name: "next", Description: "The prompt has been played, or the media node does not have it.", Ends: "NORMAL_CLEARING", Waits: true}},
	behaviour: Behaviour{EarlyMedia: "Sends the prompt as early media when it is marked early.", Answer: "Answers before the prompt, unless it is marked early.",
		Ringback: "None: the prompt.", HangUp: hangUpAnywhere, Transfer: notWhileAlone},
	example: tenants.Element{Type: "play", Settings: json.RawMessage(`{"prompt":"closed"}`), Exits: map[string]string{"next": "goodbye"}},
}

func (playElement) about() *about { return &playAbout }

func (playElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[playSettings](playAbout.settings, settings)
}

func (e playElement) enter(s *step, settings any) {
	p := settings.(playSettings)
	if p.Early || s.answerFirst() {
		e.play(s, p)
	}
}

func (playElement) play(s *step, p playSettings) {
	s.explain("playing", "prompt", p.Prompt)
	s.await("playing", Command{Kind: Play, Prompt: p.Prompt, Language: s.language()})
}

func (e playElement) on(s *step, settings any) {
	switch {
	case s.answerDone():
		e.play(s, settings.(playSettings))
	case s.completes("playing", Played):
		if s.event.Missing {
			s.explain("prompt_missing", "prompt", settings.(playSettings).Prompt)
		}
		s.exit("next", "NORMAL_CLEARING", messages.FaultNone)
	}
}

func (playElement) reasons() because.Catalog {
	return because.Catalog{
		"playing":        "The prompt {prompt} is played.",
		"prompt_missing": "The prompt {prompt} could not be played: the media node does not have it.",
	}
}
