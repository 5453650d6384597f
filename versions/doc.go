// Package versions says in words what differs between two versions of a tenant's configuration, for those who publish it and
// for the staff who are asked why calls go differently since then.
//
// Guarantees:
//   - The same two documents give the same changes in the same order: flows, schedules, lists, routes, blocked callers, and
//     within each by id.
//   - Whatever can make a call go differently is a change. Two documents without a change between them do the same to every
//     call.
//   - What merely is written differently is none: the order of the entries of a list, of hours and of blocked callers, settings
//     that are left out altogether instead of {}, 5.0 instead of 5. One exception: a setting that is left out on one side
//     and has its usual value on the other is told as such, because a later release may have another usual value.
//   - A change names its place by the ids of things, never by their position in the document.
//
// An element that got another key, and is the only one like it, is told as renamed; exits that lead to it are not told then.
//
// The package does no I/O and keeps no state.
package versions

import (
	"strings"

	"tandem/because"
	"tandem/tenants"
)

// Change is one thing that differs. Its words are those of the Catalog.
type Change struct {
	Path    string         `json:"path"`          // JSON pointer, by ids: /flows/main/elements/menu/settings/prompt
	Was     string         `json:"was,omitempty"` // the path before, of an element that got another key
	Because because.Reason `json:"change"`
}

// Diff says what differs between two versions, from before to after. Numbers and dates of the versions are not compared.
func Diff(before, after tenants.Published) []Change {
	d := &differ{before: namesOf(before, after), after: namesOf(after, before)}
	d.flows(before.Flows, after.Flows)
	d.schedules(before.Schedules, after.Schedules)
	d.lists(before.Lists, after.Lists)
	d.routes(before.Routes, after.Routes)
	d.blocked(before.BlockedCallers, after.BlockedCallers)
	return d.changes
}

// differ collects the changes between two documents.
type differ struct {
	before, after names
	changes       []Change
}

// say adds a change. Code and arguments are written out where it is called, so that a test finds them.
func (d *differ) say(path, code string, args ...string) {
	d.changes = append(d.changes, Change{Path: path, Because: because.New(code, args...)})
}

// userFlow begins the id of the flow that publishing implies for a user (package provisioning).
const userFlow = "user-"

// names are what the things of a document are called.
type names struct{ flows, schedules, lists map[string]string }

// namesOf reads them. A name that two things of a kind share, in this document or the other, gets the id in brackets.
func namesOf(p, other tenants.Published) names {
	flow := func(f tenants.Flow) (string, string) { return f.ID, f.Name }
	schedule := func(s tenants.Schedule) (string, string) { return s.ID, s.Name }
	list := func(l tenants.List) (string, string) { return l.ID, l.Name }
	return names{flows: called(p.Flows, other.Flows, flow), schedules: called(p.Schedules, other.Schedules, schedule),
		lists: called(p.Lists, other.Lists, list)}
}

func called[T any](things, others []T, of func(T) (id, name string)) map[string]string {
	bearer, shared := map[string]string{}, map[string]bool{}
	for _, all := range [][]T{things, others} {
		for _, thing := range all {
			id, name := of(thing)
			if had, taken := bearer[name]; taken && had != id {
				shared[name] = true
			}
			bearer[name] = id
		}
	}
	names := make(map[string]string, len(things))
	for _, thing := range things {
		id, name := of(thing)
		switch {
		case name == "":
			name = id
		case shared[name]:
			name += " (" + id + ")"
		}
		names[id] = name
	}
	return names
}

// flow is what a flow is called after the words "the flow". The flow that a user implies has the user's name.
func (n names) flow(id string) string {
	name := idUnless(n.flows[id], id)
	if strings.HasPrefix(id, userFlow) {
		return "of the user " + strings.TrimPrefix(name, userFlow)
	}
	return name
}

func idUnless(name, id string) string {
	if name == "" {
		return id
	}
	return name
}

// escape makes an id one part of a JSON pointer (RFC 6901 section 3).
func escape(id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(id, "~", "~0"), "/", "~1")
}
