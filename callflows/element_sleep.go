package callflows

import (
	"encoding/json"
	"strconv"
	"time"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// sleepElement waits. A caller who is not answered hears his phone ring meanwhile; one who is hears silence.
type sleepElement struct{}

type sleepSettings struct {
	Seconds int `json:"seconds"`
}

// MaxSleepSeconds is the longest that one element may wait.
const MaxSleepSeconds = 300

var sleepAbout = about{
	name: "sleep", title: "Sleep", description: "Waits, and goes on.",
	settings: &schema{kind: recordValue, members: []member{{name: "seconds", schema: schema{kind: wholeValue, initial: 5, min: 1, max: MaxSleepSeconds,
		unit: "seconds", description: "How long to wait."}}}},
	exits: []Exit{{Name: "next", Description: "The time is over.", Required: true, Ends: "NORMAL_CLEARING", Waits: true}},
	behaviour: Behaviour{EarlyMedia: "None of its own. A caller who has heard an early prompt may hear silence rather than ringing.",
		Answer: "Does not answer.", Ringback: "An unanswered caller's phone is told that it rings (180). An answered caller hears silence.",
		HangUp: hangUpAnywhere, Transfer: notWhileAlone},
	example: tenants.Element{Type: "sleep", Settings: json.RawMessage(`{"seconds":3}`), Exits: map[string]string{"next": "ring"}},
}

func (sleepElement) about() *about { return &sleepAbout }

func (sleepElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[sleepSettings](sleepAbout.settings, settings)
}

func (e sleepElement) enter(s *step, settings any) {
	if s.state.Answered {
		e.sleep(s, settings.(sleepSettings))
		return
	}
	s.explain("sleep_rings")
	s.await("signalling", Command{Kind: SignalRinging})
}

func (sleepElement) sleep(s *step, settings sleepSettings) {
	s.explain("sleeping", "seconds", strconv.Itoa(settings.Seconds))
	s.await("sleeping", Command{Kind: SetTimer, Wait: time.Duration(settings.Seconds) * time.Second})
}

func (e sleepElement) on(s *step, settings any) {
	switch {
	case s.completes("signalling", Done):
		e.sleep(s, settings.(sleepSettings))
	case s.completes("sleeping", TimerFired):
		s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
	}
}

func (sleepElement) reasons() because.Catalog {
	return because.Catalog{
		"sleep_rings": "The caller's phone is told that it rings.",
		"sleeping":    "The call waits for {seconds|second|seconds}.",
	}
}
