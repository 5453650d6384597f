package versions

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem/tenants"
)

func (d *differ) schedules(before, after []tenants.Schedule) {
	ids, b, a := paired(before, after, func(s tenants.Schedule) string { return s.ID })
	for _, id := range ids {
		old, was := b[id]
		now, is := a[id]
		at := "/schedules/" + escape(id)
		switch {
		case !was:
			d.say(at, "schedule_added", "schedule", d.after.schedules[id], "hours", weekWords(now))
		case !is:
			d.say(at, "schedule_removed", "schedule", d.before.schedules[id])
		default:
			d.schedule(at, old, now)
		}
	}
}

func (d *differ) schedule(at string, before, after tenants.Schedule) {
	name := d.after.schedules[after.ID]
	if before.Name != after.Name {
		d.say(at+"/name", "schedule_renamed", "before", d.before.schedules[before.ID], "after", name)
	}
	if before.TimeZone != after.TimeZone {
		d.say(at+"/time_zone", "schedule_zone", "schedule", name, "before", zoneWords(before.TimeZone), "after", zoneWords(after.TimeZone))
	}
	type change struct{ before, after string }
	days := map[change][]time.Weekday{}
	old, now := week(before), week(after)
	var order []change // by the first day of each
	for _, day := range weekdays(old, now) {
		c := change{spanWords(old[day]), spanWords(now[day])}
		if c.before == c.after {
			continue
		}
		if days[c] == nil {
			order = append(order, c)
		}
		days[c] = append(days[c], day)
	}
	for _, c := range order {
		d.say(at+"/weekly", "hours_changed", "schedule", name, "days", dayWords(days[c]), "before", c.before, "after", c.after)
	}
	d.dates(at+"/dates/", name, before.Dates, after.Dates)
}

func zoneWords(zone string) string { return cmp.Or(zone, "the tenant's time zone") }

// week is the stretches of each weekday, in order, each once: however the entries divide them.
func week(s tenants.Schedule) map[time.Weekday][]tenants.Span {
	days := map[time.Weekday][]tenants.Span{}
	for _, h := range s.Weekly {
		for _, day := range h.Days {
			days[day] = append(days[day], tenants.Span{From: h.From, Until: h.Until})
		}
	}
	for day := range days {
		slices.SortFunc(days[day], func(a, b tenants.Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Until, b.Until)) })
		days[day] = slices.Compact(days[day])
	}
	return days
}

// weekdays are the days of both weeks, from Monday on.
func weekdays(b, a map[time.Weekday][]tenants.Span) []time.Weekday {
	all := slices.Collect(maps.Keys(a))
	for day := range b {
		if _, both := a[day]; !both {
			all = append(all, day)
		}
	}
	slices.SortFunc(all, func(x, y time.Weekday) int { return cmp.Compare(fromMonday(x), fromMonday(y)) })
	return all
}

const daysOfWeek = 7

func fromMonday(d time.Weekday) int { return (int(d) + daysOfWeek - 1) % daysOfWeek }

// weekWords says all the hours of a week, in the order of the days: "on Monday to Friday 09:00 to 17:00".
func weekWords(s tenants.Schedule) string {
	hours := week(s)
	days := map[string][]time.Weekday{}
	var order []string
	for _, day := range weekdays(nil, hours) {
		words := spanWords(hours[day])
		if days[words] == nil {
			order = append(order, words)
		}
		days[words] = append(days[words], day)
	}
	if len(order) == 0 {
		return "at no hour of the week"
	}
	all := make([]string, len(order))
	for i, words := range order {
		all[i] = "on " + dayWords(days[words]) + " " + words
	}
	return strings.Join(all, ", ")
}

// dayWords names days, those in a row by the first and the last.
func dayWords(days []time.Weekday) string {
	const row = 3
	var all []string
	for len(days) > 0 {
		n := 1
		for n < len(days) && fromMonday(days[n]) == fromMonday(days[0])+n {
			n++
		}
		if n < row {
			n = 1
			all = append(all, days[0].String())
		} else {
			all = append(all, days[0].String()+" to "+days[n-1].String())
		}
		days = days[n:]
	}
	return enumerated(all)
}

func spanWords(spans []tenants.Span) string {
	if len(spans) == 0 {
		return "closed"
	}
	all := make([]string, len(spans))
	for i, s := range spans {
		all[i] = s.String()
	}
	return enumerated(all)
}

// dates compares the days that have hours of their own.
func (d *differ) dates(at, schedule string, before, after []tenants.Date) {
	old, now := byDate(before), byDate(after)
	for _, date := range union(old, now) {
		b, was := old[date]
		a, is := now[date]
		switch {
		case !was:
			d.say(at+escape(date), "date_added", "schedule", schedule, "date", date, "after", a)
		case !is:
			d.say(at+escape(date), "date_removed", "schedule", schedule, "date", date, "before", b)
		case a != b:
			d.say(at+escape(date), "date_changed", "schedule", schedule, "date", date, "before", b, "after", a)
		}
	}
}

// byDate says what holds on each date. Of two entries for one date the first counts, as it does when the schedule is asked.
func byDate(dates []tenants.Date) map[string]string {
	words := make(map[string]string, len(dates))
	for _, date := range dates {
		if _, had := words[date.Date]; had {
			continue
		}
		spans := slices.Clone(date.Hours)
		slices.SortFunc(spans, func(a, b tenants.Span) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Until, b.Until)) })
		words[date.Date] = spanWords(slices.Compact(spans)) + " (" + date.Name + ")"
	}
	return words
}
