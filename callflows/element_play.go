package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
)

// playElement plays a prompt to the end. It answers the call first unless it is marked early.
type playElement struct{}

type playSettings struct {
	Prompt string `json:"prompt"`
	Early  bool   `json:"early"` // play before the answer, as early media
}

func (playElement) parse(settings json.RawMessage) (any, error) {
	var p playSettings
	if err := strict(settings, &p); err != nil {
		return nil, err
	}
	return p, checkPrompt("prompt", p.Prompt)
}

func (playElement) exits(any) []string { return []string{"next"} }

func (e playElement) enter(s *step, settings any) {
	p := settings.(playSettings)
	if p.Early || s.answerFirst() {
		e.play(s, p)
	}
}

func (playElement) play(s *step, p playSettings) {
	s.explain("playing", "prompt", p.Prompt)
	s.await("playing", Command{Kind: Play, Prompt: p.Prompt})
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
