package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// answerElement answers the call; the caller pays from here on. A call that is answered already passes through.
type answerElement struct{}

var answerAbout = about{
	name: "answer", title: "Answer", description: "Answers the call; the caller pays from here on. A call that is answered already passes through.",
	settings: &schema{kind: recordValue},
	exits:    nextExit("The call is answered."),
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Answers.", Ringback: "None: the caller hears silence from here on.", HangUp: hangUpAnywhere,
		Transfer: notWhileAlone},
	example: tenants.Element{Type: "answer", Exits: map[string]string{"next": "welcome"}},
}

func (answerElement) about() *about { return &answerAbout }

func (answerElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[struct{}](answerAbout.settings, settings)
}

func (answerElement) enter(s *step, _ any) {
	if s.answerFirst() {
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	}
}

func (answerElement) on(s *step, _ any) {
	if s.answerDone() {
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	}
}

func (answerElement) reasons() because.Catalog {
	return because.Catalog{"answering": "The call is answered by {element}."}
}

// answerFirst makes sure that the caller is answered before anything else. It says whether that is so already; if not,
// the element waits until answerDone says so.
func (s *step) answerFirst() bool {
	if s.state.Answered {
		return true
	}
	s.explain("answering", "element", s.state.Element)
	s.await("answering", Command{Kind: Answer})
	return false
}

// answerDone says whether the event is the end of the answering that answerFirst began.
func (s *step) answerDone() bool {
	if !s.completes("answering", Done) {
		return false
	}
	s.state.Answered = true
	return true
}
