package callflows

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/tenants"
)

// FlowFault is one thing that is wrong with a flow, for whoever wrote it.
type FlowFault struct {
	Path    string    `json:"path"` // JSON pointer (RFC 6901) within the flow: /elements/menu/settings/seconds
	Code    string    `json:"code"` // stable: setting_out_of_bounds
	Detail  string    `json:"detail"`
	Mend    string    `json:"mend"`              // how to mend it
	Refers  Reference `json:"refers,omitempty"`  // of a reference to what is not there: to what
	ID      string    `json:"id,omitempty"`      // and which
	Warning bool      `json:"warning,omitempty"` // the flow can be saved and does what it says, which may not be what is meant
}

func (f FlowFault) String() string {
	return f.Path + ": " + f.Code + ": " + f.Detail + " " + f.Mend
}

// Around is what is around a flow: what it may refer to. The zero value knows nothing and takes every reference on trust.
type Around struct {
	Flows []tenants.Flow // the tenant's other flows, for circles of jumps; one with the id of the flow itself is ignored
	// Has says whether the tenant has a thing of a kind. What belongs to another tenant, it does not have.
	Has func(kind Reference, id string) bool
}

// CheckFlow gives everything that is wrong with a flow: start, types, settings, exits, references, parts that nothing
// leads to, circles in which no element waits. The order is that of the paths, errors and warnings mixed.
func CheckFlow(f tenants.Flow, around Around) []FlowFault {
	c := &flowCheck{flow: f, around: around}
	_, starts := f.Elements[f.Start]
	if !starts {
		c.fault("/start", "start_missing", fmt.Sprintf("The flow starts with the element %q, which is not there.", clip(f.Start, maxID)), "Name one of its elements.")
	}
	for _, key := range slices.Sorted(maps.Keys(f.Elements)) {
		c.element(key, f.Elements[key])
	}
	if starts { // otherwise nothing leads anywhere
		c.reached()
	}
	c.faults = append(c.faults, loops(f, around.Flows)...)
	slices.SortStableFunc(c.faults, func(a, b FlowFault) int { return strings.Compare(a.Path, b.Path) })
	return c.faults
}

// Errors gives the faults with which a flow cannot be saved.
func Errors(faults []FlowFault) []FlowFault {
	return slices.DeleteFunc(slices.Clone(faults), func(f FlowFault) bool { return f.Warning })
}

// flowCheck is one walk over a flow.
type flowCheck struct {
	flow   tenants.Flow
	around Around
	faults []FlowFault
}

func (c *flowCheck) fault(path, code, detail, mend string) {
	c.faults = append(c.faults, FlowFault{Path: path, Code: code, Detail: detail, Mend: mend})
}

func (c *flowCheck) warn(path, code, detail, mend string) {
	c.faults = append(c.faults, FlowFault{Path: path, Code: code, Detail: detail, Mend: mend, Warning: true})
}

func (c *flowCheck) element(key string, e tenants.Element) {
	path := "/elements/" + escape(key)
	kind := elementOf(e.Type)
	if kind == nil || kind.about().platform {
		c.fault(path+"/type", "element_unknown", fmt.Sprintf("There is no element of type %q.", clip(e.Type, maxID)), "Give one of "+strings.Join(ElementTypes(), ", ")+".")
		return
	}
	settings, faults := kind.parse(e.Settings)
	for _, f := range faults {
		f.Path = path + "/settings" + f.Path
		c.faults = append(c.faults, f)
	}
	c.references(path+"/settings", kind, e)
	if len(faults) == 0 {
		c.exits(path+"/exits", kind, e, exitsOf(kind, settings))
	}
	c.targets(path+"/exits", e)
}

// references looks up the ids in an element's settings.
func (c *flowCheck) references(path string, kind element, e tenants.Element) {
	r := reading{}
	tree, ok := r.tree(e.Settings)
	if !ok || c.around.Has == nil {
		return
	}
	r.check(kind.about().settings, "", tree)
	for _, ref := range r.references {
		if ref.kind == RefersToFlow && ref.id == c.flow.ID || c.around.Has(ref.kind, ref.id) {
			continue
		}
		id := clip(ref.id, maxID)
		c.faults = append(c.faults, FlowFault{Path: path + ref.path, Code: "reference_missing", Refers: ref.kind, ID: id,
			Detail: fmt.Sprintf("There is no %s %q in this tenant.", ref.kind, id), Mend: fmt.Sprintf("Name a %s that is there, or make it first.", ref.kind)})
	}
}

// exits finds exits that the element does not have, and those that it has and that lead nowhere.
func (c *flowCheck) exits(path string, kind element, e tenants.Element, exits []Exit) {
	known, choices, chosen := map[string]bool{}, 0, 0
	var list []string
	for _, exit := range exits {
		known[exit.Name] = true
		list = append(list, exit.Name)
		_, leads := e.Exits[exit.Name]
		at := path + "/" + escape(exit.Name)
		switch {
		case exit.Choice:
			choices++
			if leads {
				chosen++
			}
		case leads:
		case exit.Required:
			c.fault(at, "exit_missing", fmt.Sprintf("The exit %s leads nowhere, and must lead somewhere.", exit.Name), "Say which element it leads to.")
		default:
			c.warn(at, "exit_open", fmt.Sprintf("The exit %s leads nowhere. When it is taken (%s) the call ends with %s.", exit.Name,
				lower(strings.TrimSuffix(exit.Description, ".")), exit.Ends),
				"Say which element it leads to, if the call is not to end there.")
		}
	}
	if choices > 0 && chosen == 0 {
		c.fault(path, "choice_missing", "The element offers no choice.", "Let at least one of its choices lead to an element.")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Exits)) {
		if known[name] {
			continue
		}
		c.fault(path+"/"+escape(name), "exit_unknown", fmt.Sprintf("An element of type %s has no exit %q with these settings.", e.Type, clip(name, maxID)),
			offer(list, "the element has no exits"))
	}
}

func (c *flowCheck) targets(path string, e tenants.Element) {
	for _, name := range slices.Sorted(maps.Keys(e.Exits)) {
		if next := e.Exits[name]; next != "" {
			if _, ok := c.flow.Elements[next]; ok {
				continue
			}
		}
		c.fault(path+"/"+escape(name), "exit_target_missing", fmt.Sprintf("The exit %q leads to %q, which is not there.", clip(name, maxID), clip(e.Exits[name], maxID)),
			"Let it lead to an element of this flow.")
	}
}

// reached finds elements that nothing leads to.
func (c *flowCheck) reached() {
	reached, ahead := map[string]bool{}, []string{c.flow.Start}
	for len(ahead) > 0 {
		key := ahead[0]
		ahead = ahead[1:]
		if reached[key] {
			continue
		}
		reached[key] = true
		for _, next := range c.flow.Elements[key].Exits {
			ahead = append(ahead, next)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.flow.Elements)) {
		if !reached[key] {
			c.fault("/elements/"+escape(key), "element_unreachable", fmt.Sprintf("Nothing leads to the element %q.", clip(key, maxID)), "Let an exit lead to it, or take it out.")
		}
	}
}
