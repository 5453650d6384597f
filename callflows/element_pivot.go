package callflows

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// PivotFlow is the id under which a call keeps the flow that it has fetched. No tenant can have a flow of this id.
const PivotFlow = "*pivot"

// Bounds of flows that are fetched.
const (
	MaxPivots        = 5  // flows that one call may fetch
	MaxPivotElements = 64 // elements of one
	maxFaultsSaid    = 3
)

// pivotElement asks a URL how the call goes on: the answer is a flow, which is checked as one that is saved, and belongs to
// the call's state from then on. It has no way back; it may jump into the tenant's flows, and fetch another.
type pivotElement struct{}

type pivotSettings struct {
	askSettings
}

var pivotAbout = about{
	name: "pivot", title: "Pivot", description: "Asks a URL how the call goes on. The answer is a flow in JSON, {\"start\": KEY, \"elements\": {...}}, with elements as they stand in " +
		"any flow of the tenant: it is checked as when a flow is saved, and may refer to what the tenant has. The call goes on with it and does not come back. It may jump to the " +
		"tenant's flows. A call may fetch " + strconv.Itoa(MaxPivots) + " flows, each of at most " + strconv.Itoa(MaxPivotElements) + " elements and " + strconv.Itoa(MaxPivotBytes>>10) + " KiB.",
	settings: &schema{kind: recordValue, members: askMembers("how the call goes on", "post", 2)},
	exits:    []Exit{{Name: "failed", Description: "No flow came in time, or one with faults, or the call has fetched too many.", Ends: causeOfBrokenFlow}},
	behaviour: Behaviour{EarlyMedia: "None of its own.", Answer: "Does not answer by itself.", Ringback: "Unchanged. While it waits an answered caller hears silence.",
		HangUp: hangUpAnywhere, Transfer: notWhileAlone},
	example: tenants.Element{Type: "pivot", Settings: json.RawMessage(`{"url":"https://flows.example/next?dialled={dialled}","send":["language"]}`), Exits: map[string]string{"failed": "ring"}},
}

func (pivotElement) about() *about { return &pivotAbout }

func (pivotElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[pivotSettings](pivotAbout.settings, settings)
}

func (pivotElement) enter(s *step, settings any) {
	p := settings.(pivotSettings)
	if s.state.Pivots >= MaxPivots {
		s.explain("pivots_too_many", "limit", strconv.Itoa(MaxPivots))
		s.exit("failed", causeOfBrokenFlow, messages.FaultTenant)
		return
	}
	c, ok := s.request(p.askSettings, ForPivot, MaxPivotBytes)
	if !ok {
		s.explain("url_too_long", "url", whom(p.URL), "limit", strconv.Itoa(maxURLBytes))
		s.exit("failed", causeOfBrokenFlow, messages.FaultTenant)
		return
	}
	s.explain("pivot_asked", "url", whom(c.Fetch.URL), "seconds", strconv.Itoa(p.Seconds))
	s.await(stageAsking, c)
}

func (pivotElement) on(s *step, settings any) {
	if !s.completes(stageAsking, Fetched) {
		return
	}
	reply := s.event.Reply
	if !reply.good() {
		s.explain("pivot_failed", "outcome", reply.outcome())
		s.exit("failed", causeOfBrokenFlow, messages.FaultTenant)
		return
	}
	flow, faults := s.fetchedFlow(reply.Body)
	if len(faults) > 0 {
		s.explain("pivot_faulty", "faults", sayFaults(faults))
		s.exit("failed", causeOfBrokenFlow, messages.FaultTenant)
		return
	}
	s.state.Pivots++
	s.state.Pivoted, s.state.FlowID = &flow, PivotFlow
	s.explain("pivoted", "elements", strconv.Itoa(len(flow.Elements)), "flow_id", PivotFlow, "element", flow.Start)
	s.enter(s.flow(PivotFlow), flow.Start)
}

// fetchedFlow reads a flow and checks it as one of the tenant's own.
func (s *step) fetchedFlow(body string) (tenants.Flow, []FlowFault) {
	var given struct {
		Start    string                     `json:"start"`
		Elements map[string]tenants.Element `json:"elements"`
	}
	if _, ok := readObject(body); !ok || json.Unmarshal([]byte(body), &given) != nil {
		return tenants.Flow{}, []FlowFault{{Code: "flow_unreadable", Detail: "The answer is no JSON object with start and elements."}}
	}
	flow := tenants.Flow{ID: PivotFlow, Name: "Fetched", Start: given.Start, Elements: given.Elements}
	if len(flow.Elements) > MaxPivotElements {
		return flow, []FlowFault{{Path: "/elements", Code: "flow_too_large", Detail: "There are " + strconv.Itoa(len(flow.Elements)) + " elements, and " + strconv.Itoa(MaxPivotElements) + " is the limit."}}
	}
	around := Around{Has: ownedBy(s.config.Tenant, s.config.Ways)}
	if t := s.config.Tenant; t != nil {
		around.Flows = t.Published.AllFlows()
	}
	return flow, Errors(CheckFlow(flow, around))
}

// ownedBy says what a tenant has, as far as its published configuration tells: of other kinds the element itself finds out
// when it comes to it.
func ownedBy(t *tenants.Tenant, ways *tenants.Ways) func(Reference, string) bool {
	return func(kind Reference, id string) bool {
		if t == nil {
			return false
		}
		switch kind {
		case RefersToUser:
			return t.User(id) != nil
		case RefersToDevice:
			return t.Device(id) != nil
		case RefersToSchedule:
			return t.Schedule(id) != nil
		case RefersToFlow:
			return t.Flow(id) != nil
		case RefersToList:
			return t.List(id) != nil
		case RefersToTrunk:
			trunk := ways.Trunk(id)
			return trunk != nil && trunk.Tenant == t.ID
		case RefersToNumber:
			return ways.Owns(t.ID, id)
		case RefersToPrompt:
		}
		return true
	}
}

// pivoted is the flow that the call has fetched, or nil. Its settings are read anew: they travel as they came.
func (s *step) pivoted() *tenants.Flow {
	if s.state == nil || s.state.Pivoted == nil {
		return nil
	}
	flow := *s.state.Pivoted
	flow.Elements = maps.Clone(flow.Elements)
	for key, e := range flow.Elements {
		if kind := elementOf(e.Type); kind != nil {
			e.Parsed, _ = kind.parse(e.Settings) // it was checked when it came
			flow.Elements[key] = e
		}
	}
	return &flow
}

// pivotLost says whether the call's flow was fetched by a worker that is gone with it.
func (s *step) pivotLost() bool { return s.state.FlowID == PivotFlow && s.state.Pivoted == nil }

// beginAnew starts the flow that the call began with once more.
func (s *step) beginAnew() {
	flow := s.flow(s.state.Call.FlowID)
	if flow == nil {
		s.end(causeOfBrokenFlow, messages.FaultTenant, because.New("flow_missing", "flow", s.state.Call.FlowID))
		return
	}
	s.explain("pivot_lost", "flow", flow.Name, "flow_id", flow.ID, "element", flow.Start)
	s.state.FlowID = flow.ID
	s.enter(flow, flow.Start)
}

// sayFaults names the first faults of a flow.
func sayFaults(faults []FlowFault) string {
	var words []string
	for _, f := range faults[:min(len(faults), maxFaultsSaid)] {
		words = append(words, clip(strings.TrimSpace(f.Path+" "+f.Code+": "+f.Detail), messages.MaxName))
	}
	if more := len(faults) - maxFaultsSaid; more > 0 {
		words = append(words, "and "+strconv.Itoa(more)+" more")
	}
	return strings.TrimSuffix(strings.Join(words, " "), ".")
}

func (pivotElement) reasons() because.Catalog {
	return because.Catalog{
		"pivot_asked":     "{url} is asked how the call goes on, for up to {seconds|second|seconds}.",
		"pivoted":         "The flow that was fetched has {elements|element|elements}: the call goes on at {element}.",
		"pivot_failed":    "No flow could be fetched ({outcome}).",
		"pivot_faulty":    "The flow that was fetched is not used, for it has faults: {faults}.",
		"pivots_too_many": "No further flow is fetched: the call has fetched {limit|flow|flows} already.",
		"pivot_lost":      "The flow that the call had fetched is lost with the workers that knew it: the flow {flow} begins anew.",
	}
}
