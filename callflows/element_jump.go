package callflows

import (
	"encoding/json"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// jumpElement goes on with another flow of the tenant, from its beginning. It does not come back. MaxElements counts over
// all flows of a call, so flows that jump to each other end.
type jumpElement struct{}

type jumpSettings struct {
	Flow string `json:"flow"` // flow id
}

var jumpAbout = about{
	name: "jump", title: "Jump", description: "Goes on with another flow, from its beginning, and does not come back. What was set for the call (variables, caller ID, language) stays.",
	settings: &schema{kind: recordValue, members: []member{{name: "flow", required: true, schema: schema{kind: textValue, reference: RefersToFlow, min: 1, max: maxID,
		description: "The flow to go on with. user- and a user's id is the flow that rings the user."}}}},
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged.", HangUp: hangUpAtOnce, Transfer: notWhileAlone},
	example:   tenants.Element{Type: "jump", Settings: json.RawMessage(`{"flow":"night"}`)},
}

func (jumpElement) about() *about { return &jumpAbout }

func (jumpElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[jumpSettings](jumpAbout.settings, settings)
}

// jumpsTo names the flow that the call goes on with (flowloops.go).
func (jumpElement) jumpsTo(settings any) string { return settings.(jumpSettings).Flow }

func (jumpElement) enter(s *step, settings any) {
	s.jump(settings.(jumpSettings).Flow)
}

// jump goes on with another flow of the tenant.
func (s *step) jump(id string) {
	flow := s.config.Tenant.Flow(id)
	if flow == nil {
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("flow_missing", "flow", id))
		return
	}
	s.state.FlowID = flow.ID
	s.explain("jumped", "flow", flow.Name, "flow_id", flow.ID, "element", flow.Start)
	s.enter(flow, flow.Start)
}

func (jumpElement) on(*step, any) {}

func (jumpElement) reasons() because.Catalog {
	return because.Catalog{"jumped": "The call goes on with the flow {flow}, at {element}."}
}
