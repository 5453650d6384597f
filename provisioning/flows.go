package provisioning

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

// UserFlowPrefix begins the id of the flow that publishing implies for a user; the user's id follows. A route or a jump
// may lead to such a flow; a flow of one's own cannot have such an id.
const UserFlowPrefix = "user-"

// emergencyType is the element that is the platform's own.
const emergencyType = "emergency"

// SaveFlow adds or replaces the draft of a flow. A flow with faults is refused with all of them (Error.Faults); warnings
// are for CheckFlow.
func (s *Service) SaveFlow(ctx context.Context, tenantID string, f tenants.Flow) error {
	if err := checkFlowForm(f); err != nil {
		return err
	}
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		faults, err := checkDraft(ctx, tx, tenantID, f)
		if err != nil {
			return err
		}
		if err := refusedFlow("", faults); err != nil {
			return err
		}
		return tx.SaveFlow(ctx, tenantID, f)
	})
}

// CheckFlow says everything that is wrong with a flow, warnings included, as if it were to be saved, and saves nothing.
func (s *Service) CheckFlow(ctx context.Context, tenantID string, f tenants.Flow) (faults []callflows.FlowFault, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		faults, err = checkDraft(ctx, tx, tenantID, f)
		return err
	})
	return faults, err
}

// checkFlowForm checks what makes a flow fit to be kept at all, whatever its elements do.
func checkFlowForm(f tenants.Flow) error {
	var c checks
	c.id("id", f.ID)
	c.that(!strings.HasPrefix(f.ID, UserFlowPrefix), "id", "begins with user-, which is kept for the flows of users")
	c.name("name", f.Name)
	c.that(len(f.Elements) > 0 && len(f.Elements) <= MaxFlowElements, "elements", fmt.Sprintf("are not 1 to %d", MaxFlowElements))
	for key, e := range f.Elements {
		c.id("elements", key)
		c.that(e.Type != emergencyType, "elements/"+key, "emergency calls are the platform's own and no element of a flow")
	}
	if c.err != nil {
		return c.err
	}
	text, err := json.Marshal(f)
	if err != nil {
		return invalid("elements", "the settings of an element are not JSON")
	}
	// NUL is the one character of JSON that PostgreSQL cannot keep.
	c.that(!strings.Contains(string(text), `\u0000`), "elements", "have a character that cannot be kept")
	c.that(len(text) <= MaxFlowBytes, "elements", fmt.Sprintf("are more than %d bytes", MaxFlowBytes))
	return c.err
}

// checkDraft checks a flow against the drafts as they are. A jump to a flow that is not there yet is a warning: of two
// flows that jump to each other one is saved first. Publishing insists on it.
func checkDraft(ctx context.Context, tx *postgres.Tx, tenantID string, f tenants.Flow) ([]callflows.FlowFault, error) {
	d, err := readDrafts(ctx, tx, tenantID)
	if err != nil {
		return nil, err
	}
	faults := callflows.CheckFlow(f, d.around())
	for i := range faults {
		if faults[i].Refers == callflows.RefersToFlow && !strings.HasPrefix(faults[i].ID, UserFlowPrefix) {
			faults[i].Warning = true
		}
	}
	return faults, nil
}

// refusedFlow is the refusal of a flow with errors, or nil. where is put before the paths of fields.
func refusedFlow(where string, faults []callflows.FlowFault) error {
	errs := callflows.Errors(faults)
	if len(errs) == 0 {
		return nil
	}
	first := errs[0]
	refused := &Error{Code: Invalid, Field: where + strings.TrimPrefix(first.Path, "/"), Detail: first.Detail + " " + first.Mend, Faults: faults}
	if first.Refers != "" {
		refused.Code = NotFound
	}
	if more := len(errs) - 1; more > 0 {
		refused.Detail += fmt.Sprintf(" (and %d more)", more)
	}
	return refused
}

// drafts are a tenant's drafts, and what its flows may refer to besides.
type drafts struct {
	users     []tenants.User
	devices   []tenants.Device
	schedules []tenants.Schedule
	lists     []tenants.List
	trunks    []string // of its own, that can be called
	flows     []tenants.Flow
}

func readDrafts(ctx context.Context, tx *postgres.Tx, tenantID string) (d drafts, err error) {
	if d.users, err = tx.Users(ctx, tenantID); err != nil {
		return d, err
	}
	if d.devices, err = tx.Devices(ctx, tenantID); err != nil {
		return d, err
	}
	if d.schedules, err = tx.Schedules(ctx, tenantID); err != nil {
		return d, err
	}
	if d.lists, err = tx.Lists(ctx, tenantID); err != nil {
		return d, err
	}
	if d.trunks, err = tx.OwnTrunks(ctx, tenantID); err != nil {
		return d, err
	}
	d.flows, err = tx.Flows(ctx, tenantID)
	return d, err
}

// around tells a check of flows what there is. What another tenant has, it does not know.
func (d drafts) around() callflows.Around {
	known := map[callflows.Reference]map[string]bool{}
	add := func(kind callflows.Reference, id string) {
		if known[kind] == nil {
			known[kind] = map[string]bool{}
		}
		known[kind][id] = true
	}
	for _, u := range d.users {
		add(callflows.RefersToUser, u.ID)
		add(callflows.RefersToFlow, UserFlowPrefix+u.ID)
	}
	for _, dev := range d.devices {
		add(callflows.RefersToDevice, dev.ID)
	}
	for _, s := range d.schedules {
		add(callflows.RefersToSchedule, s.ID)
	}
	for _, l := range d.lists {
		add(callflows.RefersToList, l.ID)
	}
	for _, id := range d.trunks {
		add(callflows.RefersToTrunk, id)
	}
	for _, f := range d.flows {
		add(callflows.RefersToFlow, f.ID)
	}
	return callflows.Around{Flows: d.flows, Has: func(kind callflows.Reference, id string) bool {
		return kind == callflows.RefersToPrompt || known[kind][id] // which prompts there are, only the nodes know
	}}
}
