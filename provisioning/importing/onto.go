package importing

import (
	"cmp"
	"slices"

	"tandem/provisioning/plan"
	"tandem/tenants"
)

// Onto lays what was read over a tenant as it is: what is there and not in the import stays. Numbers that the tenant has not are left out,
// and reported.
func (r Result) Onto(current plan.Document) (plan.Document, Report) {
	wanted, report := r.Document.Normal(), Report{Carried: r.Report.Carried, Items: slices.Clone(r.Report.Items)}
	own := map[string]bool{}
	for _, n := range current.Numbers {
		own[n.Number] = true
	}
	wanted.Numbers = slices.DeleteFunc(wanted.Numbers, func(n plan.Number) bool {
		if !own[n.Number] {
			report.left("", "number", n.Number, "the tenant does not have it: order or port it, assign it to the tenant, and import again")
		}
		return !own[n.Number]
	})
	for i := range wanted.Users {
		if u := &wanted.Users[i]; u.Number != "" && !own[u.Number] {
			report.partly("", "caller id", u.Number, "the tenant does not have the number that user "+u.ID+" shows: he shows the tenant's")
			u.Number = ""
		}
	}
	current = current.Normal()
	out := plan.Document{Format: plan.Format, Tenant: current.Tenant, Settings: r.Document.Settings}
	out.Users = over(current.Users, wanted.Users, func(u plan.User) string { return u.ID })
	out.UserSettings = over(current.UserSettings, wanted.UserSettings, func(s plan.UserSettings) string { return s.User })
	out.VoicemailBoxes = over(current.VoicemailBoxes, wanted.VoicemailBoxes, func(b plan.Box) string { return b.User })
	out.Devices = over(current.Devices, wanted.Devices, func(d plan.Device) string { return d.ID })
	out.Schedules = over(current.Schedules, wanted.Schedules, func(s tenants.Schedule) string { return s.ID })
	out.Lists = over(current.Lists, wanted.Lists, func(l tenants.List) string { return l.ID })
	out.Flows = over(current.Flows, wanted.Flows, func(f tenants.Flow) string { return f.ID })
	out.Numbers = over(current.Numbers, wanted.Numbers, func(n plan.Number) string { return n.Number })
	out.Routes = over(current.Routes, wanted.Routes, func(r plan.Route) string { return r.Dialled })
	out.BlockedCallers = over(current.BlockedCallers, wanted.BlockedCallers, func(c string) string { return c })
	return out.Normal(), report
}

// over lays one section over another. One in which nothing was read is left out: it is left alone.
func over[T any](current, wanted []T, key func(T) string) []T {
	if len(wanted) == 0 {
		return nil
	}
	all, replaced := slices.Clone(wanted), make(map[string]bool, len(wanted))
	for _, thing := range wanted {
		replaced[key(thing)] = true
	}
	for _, thing := range current {
		if !replaced[key(thing)] {
			all = append(all, thing)
		}
	}
	slices.SortStableFunc(all, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return all
}
