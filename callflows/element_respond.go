package callflows

import (
	"cmp"
	"encoding/json"
	"strconv"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// respondElement refuses an unanswered call with a SIP code. The node makes the code of a Q.850 cause (mod_sofia.c,
// hangup_cause_to_sip) and says the cause in a Reason header (RFC 3326), so the codes on offer are those that a cause
// stands for. None of them is a 503, which would put a carrier's whole trunk out of service.
type respondElement struct{}

type respondSettings struct {
	Code int `json:"code"`
}

var respondAbout = about{
	name: "respond", title: "Respond", description: "Refuses the call with a SIP code: 403 Forbidden, 404 Not Found, 410 Gone, 480 Temporarily Unavailable, " +
		"484 Address Incomplete, 486 Busy Here or 603 Decline. The Q.850 causes that go with them are 54, 1, 22, 19, 28, 17 and 21. " +
		"A call that is answered already is hung up.",
	settings: &schema{kind: recordValue, members: []member{{name: "code", schema: schema{kind: wholeValue, initial: 480, oneOf: []any{403, 404, 410, 480, 484, 486, 603},
		description: "The SIP code that an unanswered caller gets."}}}},
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "None.", HangUp: "Refuses an unanswered caller with the code; hangs an answered one up (BYE).",
		Transfer: "None: the call ends."},
	example: tenants.Element{Type: "respond", Settings: json.RawMessage(`{"code":404}`)},
}

// causeOfCode is the Q.850 cause, by FreeSWITCH's name, that a SIP code is made of.
func causeOfCode(code int) string {
	switch code {
	case 403:
		return "INCOMING_CALL_BARRED" // 54
	case 404:
		return "UNALLOCATED_NUMBER" // 1
	case 410:
		return "NUMBER_CHANGED" // 22
	case 484:
		return "INVALID_NUMBER_FORMAT" // 28
	case 486:
		return "USER_BUSY" // 17
	case 603:
		return "CALL_REJECTED" // 21
	}
	return "NO_ANSWER" // 19, which is 480
}

func (respondElement) about() *about { return &respondAbout }

func (respondElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[respondSettings](respondAbout.settings, settings)
}

func (respondElement) enter(s *step, settings any) {
	code := settings.(respondSettings).Code
	fault := cmp.Or(s.state.Fault, messages.FaultNone)
	if s.state.Answered {
		s.end("NORMAL_CLEARING", fault, because.New("respond_too_late", "sip", strconv.Itoa(code)))
		return
	}
	cause := causeOfCode(code)
	s.end(cause, fault, because.New("responded", "sip", strconv.Itoa(code), "cause", cause))
}

func (respondElement) on(*step, any) {}

func (respondElement) reasons() because.Catalog {
	return because.Catalog{
		"responded":        "The flow refuses the call here with SIP {sip} ({cause}).",
		"respond_too_late": "The flow would refuse the call with SIP {sip}, but it is answered already: it is hung up.",
	}
}
