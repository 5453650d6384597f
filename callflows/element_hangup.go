package callflows

import (
	"cmp"
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// hangupElement ends the call with a cause. An unanswered caller sees it as a SIP code.
type hangupElement struct{}

type hangupSettings struct {
	Cause string `json:"cause"`
}

var hangupAbout = about{
	name: "hangup", title: "Hang up", description: "Ends the call with a cause. An unanswered caller sees it as a SIP code; for an answered one it is the end of the call.",
	settings: &schema{kind: recordValue, members: []member{{name: "cause", schema: schema{kind: textValue, initial: "NORMAL_CLEARING", oneOf: offeredCauses(),
		description: "Why the call ends, by FreeSWITCH's name of the Q.850 cause."}}}},
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "None.",
		HangUp: "Hangs the caller up: a SIP refusal before the answer, a BYE after it.", Transfer: "None: the call ends."},
	example: tenants.Element{Type: "hangup", Settings: json.RawMessage(`{"cause":"USER_BUSY"}`)},
}

func (hangupElement) about() *about { return &hangupAbout }

func (hangupElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[hangupSettings](hangupAbout.settings, settings)
}

func (hangupElement) enter(s *step, settings any) {
	h := settings.(hangupSettings)
	s.end(h.Cause, cmp.Or(s.state.Fault, messages.FaultNone), because.New("flow_hangs_up", "element", s.state.Element, "cause", h.Cause))
}

func (hangupElement) on(*step, any) {}

func (hangupElement) reasons() because.Catalog {
	return because.Catalog{"flow_hangs_up": "The flow ends the call here ({element}) with {cause}."}
}
