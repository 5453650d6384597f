package versions

import (
	"slices"
	"strconv"

	"tandem/tenants"
)

func (d *differ) lists(before, after []tenants.List) {
	ids, b, a := paired(before, after, func(l tenants.List) string { return l.ID })
	for _, id := range ids {
		old, was := b[id]
		now, is := a[id]
		at := "/lists/" + escape(id)
		switch {
		case !was:
			entries := ""
			if len(now.Entries) > 0 {
				entries = ": " + told(now.Entries)
			}
			d.say(at, "list_added", "list", d.after.lists[id], "count", strconv.Itoa(len(now.Entries)), "entries", entries)
		case !is:
			d.say(at, "list_removed", "list", d.before.lists[id])
		default:
			d.list(at, old, now)
		}
	}
}

func (d *differ) list(at string, before, after tenants.List) {
	name := d.after.lists[after.ID]
	if before.Name != after.Name {
		d.say(at+"/name", "list_renamed", "before", d.before.lists[before.ID], "after", name)
	}
	if lost := missing(before.Entries, after.Entries); len(lost) > 0 {
		d.say(at+"/entries", "list_lost", "list", name, "count", strconv.Itoa(len(lost)), "entries", told(lost))
	}
	if gained := missing(after.Entries, before.Entries); len(gained) > 0 {
		d.say(at+"/entries", "list_gained", "list", name, "count", strconv.Itoa(len(gained)), "entries", told(gained))
	}
}

// missing are the texts that another set lacks, in order, each once.
func missing(texts, from []string) []string {
	has := make(map[string]bool, len(from))
	for _, text := range from {
		has[text] = true
	}
	var all []string
	for _, text := range texts {
		if !has[text] {
			all, has[text] = append(all, text), true
		}
	}
	slices.Sort(all)
	return all
}

func (d *differ) routes(before, after []tenants.Route) {
	ids, b, a := paired(before, after, func(r tenants.Route) string { return r.Dialled })
	for _, dialled := range ids {
		old, was := b[dialled]
		now, is := a[dialled]
		at := "/routes/" + escape(dialled)
		switch {
		case !was:
			d.say(at, "route_added", "dialled", served(now), "after", d.after.flow(now.FlowID))
		case !is:
			d.say(at, "route_removed", "dialled", served(old), "before", d.before.flow(old.FlowID))
		case old.FlowID != now.FlowID:
			d.say(at, "route_changed", "dialled", served(now), "before", d.before.flow(old.FlowID), "after", d.after.flow(now.FlowID))
		}
		switch {
		case !was || !is || old.Prefix == now.Prefix:
		case now.Prefix:
			d.say(at, "route_widened", "dialled", dialled)
		default:
			d.say(at, "route_narrowed", "dialled", dialled)
		}
	}
}

// served is what a route serves, after the words "calls to".
func served(r tenants.Route) string {
	if r.Prefix {
		return r.Dialled + " and what begins with it"
	}
	return r.Dialled
}

func (d *differ) blocked(before, after []string) {
	if lost := missing(before, after); len(lost) > 0 {
		d.say("/blocked_callers", "callers_unblocked", "callers", told(lost))
	}
	if gained := missing(after, before); len(gained) > 0 {
		d.say("/blocked_callers", "callers_blocked", "callers", told(gained))
	}
}
