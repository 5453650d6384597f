package plan

import (
	"slices"
	"strconv"

	"tandem/because"
	"tandem/tenants"
)

// Catalog is the words for changes that are not versioned, and for summaries.
func Catalog() because.Catalog {
	return because.Catalog{
		"added":           "Adds {what}{about}.",
		"removed":         "Removes {what}{about}.",
		"device_added":    "Adds {what}{about}. Its password is made when the plan is applied, and shown once.",
		"device_username": "Changes {what}: user name is {after} instead of {before}. It gets a new password, which is shown once.",
		"trunk_added":     "Adds {what}{about}. A login, if it needs one, is set by itself.",
		"phone_added":     "Adds {what}{about}. Its URL is made when the plan is applied, and shown once.",
		"phone_removed":   "Removes {what}{about}: it fetches no files any more.",
		"box_added":       "Lets {what} be opened by telephone. Its PIN is made when the plan is applied, and shown once.",
		"box_removed":     "Lets {what} no more be opened by telephone: its PIN is taken away. Its messages stay.",
		"field_set":       "Changes {what}: {field} is {after}; before, nothing was said.",
		"field_unset":     "Changes {what}: nothing is said of {field} any more; before, it was {before}.",
		"field_changed":   "Changes {what}: {field} is {after} instead of {before}.",
		"comes":           "Adds {count} {things}.",
		"goes":            "Removes {count} {things}.",
		"goes_all":        "Removes {count} {things}: all that there are.",
		"alters":          "Changes {count} {things}.",
		"unassigns":       "Takes the assignment of {count} {things} away.",
		"unassigns_all":   "Takes the assignment of {count} {things} away: all that there are.",
	}
}

// Count says of one section how many things come, change and go.
type Count struct {
	Section              string `json:"section"`
	Added, Changed, Gone int    `json:"-"`
	All                  bool   `json:"-"` // everything that was there goes, and nothing comes
	noun                 string
}

// Summary says in short what a plan does, section by section. What removes all that a section has, says so.
func Summary(current, wanted Document) []string {
	current = current.Normal()
	wanted = Merge(current, wanted)
	var lines []string
	catalog := Catalog()
	for _, c := range counts(current, wanted) {
		say := func(n int, code string) {
			if n > 0 {
				lines = append(lines, catalog.Words(because.New(code, "count", strconv.Itoa(n), "things", plural(c.noun, n))))
			}
		}
		say(c.Added, "comes")
		say(c.Changed, "alters")
		gone := "goes"
		if c.noun == nounNumber {
			gone = "unassigns"
		}
		if c.All {
			gone += "_all"
		}
		say(c.Gone, gone)
	}
	return lines
}

// Nouns of sections whose plural is not made by an s.
const (
	nounNumber      = "number"
	nounBox         = "voicemail box"
	nounSettings    = "user's settings"
	nounWhereabouts = "device's whereabouts"
)

func plural(noun string, n int) string {
	switch {
	case n == 1:
		return noun
	case noun == nounBox:
		return noun + "es"
	case noun == nounSettings:
		return "users' settings"
	case noun == nounWhereabouts:
		return "devices' whereabouts"
	}
	return noun + "s"
}

func counts(current, wanted Document) []Count {
	assigned := func(d Document) []Number {
		return slices.DeleteFunc(slices.Clone(d.Numbers), func(n Number) bool { return n.FlowID == "" })
	}
	return []Count{
		counted(SectionUsers, "user", current.Users, wanted.Users, userID),
		counted(SectionUserSettings, nounSettings, current.UserSettings, wanted.UserSettings, func(s UserSettings) string { return s.User }),
		counted(SectionBoxes, nounBox, current.VoicemailBoxes, wanted.VoicemailBoxes, func(b Box) string { return b.User }),
		counted(SectionDevices, "device", current.Devices, wanted.Devices, deviceID),
		counted(SectionPhones, "phone", current.Phones, wanted.Phones, phoneOf),
		counted(SectionWhereabouts, nounWhereabouts, current.Whereabouts, wanted.Whereabouts, func(w tenants.Whereabouts) string { return w.Device }),
		counted(SectionTrunks, "trunk", current.Trunks, wanted.Trunks, trunkID),
		counted(SectionOutboundRoutes, "outbound route", current.OutboundRoutes, wanted.OutboundRoutes, func(r OutboundRoute) string { return r.Prefix }),
		counted("schedules", "schedule", current.Schedules, wanted.Schedules, func(s tenants.Schedule) string { return s.ID }),
		counted("lists", "list", current.Lists, wanted.Lists, func(l tenants.List) string { return l.ID }),
		counted("flows", "flow", current.Flows, wanted.Flows, func(f tenants.Flow) string { return f.ID }),
		counted("numbers", nounNumber, assigned(current), assigned(wanted), func(n Number) string { return n.Number }),
		counted("routes", "route", current.Routes, wanted.Routes, func(r Route) string { return r.Dialled }),
		counted("blocked_callers", "blocked caller", current.BlockedCallers, wanted.BlockedCallers, func(c string) string { return c }),
	}
}

func counted[T any](section, noun string, before, after []T, key func(T) string) Count {
	c := Count{Section: section, noun: noun, All: len(after) == 0 && len(before) > 0}
	old := make(map[string]string, len(before))
	for _, thing := range before {
		old[key(thing)] = text(thing)
	}
	for _, thing := range after {
		was, there := old[key(thing)]
		switch {
		case !there:
			c.Added++
		case was != text(thing):
			c.Changed++
		}
		delete(old, key(thing))
	}
	c.Gone = len(old)
	return c
}
