package callflows

import (
	"cmp"
	"encoding/json"
	"fmt"

	"tandem/because"
	"tandem/messages"
)

// hangupElement ends the call with a cause. An unanswered caller sees it as a SIP code.
type hangupElement struct{}

type hangupSettings struct {
	Cause string `json:"cause"`
}

func (hangupElement) parse(settings json.RawMessage) (any, error) {
	h := hangupSettings{Cause: "NORMAL_CLEARING"}
	if err := strict(settings, &h); err != nil {
		return nil, err
	}
	if !KnownCause(h.Cause) {
		return nil, fmt.Errorf("settings: cause: %q is not a cause that a flow may give", h.Cause)
	}
	return h, nil
}

func (hangupElement) exits(any) []string { return nil }

func (hangupElement) enter(s *step, settings any) {
	h := settings.(hangupSettings)
	s.end(h.Cause, cmp.Or(s.state.Fault, messages.FaultNone), because.New("flow_hangs_up", "element", s.state.Element, "cause", h.Cause))
}

func (hangupElement) on(*step, any) {}

func (hangupElement) reasons() because.Catalog {
	return because.Catalog{"flow_hangs_up": "The flow ends the call here ({element}) with {cause}."}
}
