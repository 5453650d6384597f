package importing

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/tenants"
)

// timeConditionApp is the app_uuid of dialplans that are time conditions.
const timeConditionApp = "4b821450-926b-175a-af93-a03c441818b1"

// condition is a time condition: what is done in which hours, the first that holds counts, and what otherwise.
type condition struct {
	row           row
	name, dialled string
	groups        []timeGroup
	other         step
}

type timeGroup struct {
	when []timePart
	then step
}

// timePart is one condition on time, such as wday 2-6.
type timePart struct{ kind, data string }

// step is an application of a dialplan.
type step struct{ app, data string }

// timeKinds are the conditions on time that a dialplan knows (FreeSWITCH, switch_xml.c).
func timeKinds() []string {
	return []string{"year", "yday", "mon", "mday", "week", "mweek", "wday", "hour", "minute", "minute-of-day", "time-of-day", "date-time"}
}

// xmlExtension is one <extension> of a dialplan.
type xmlExtension struct {
	Name       string `xml:"name,attr"`
	Conditions []struct {
		Attributes []xml.Attr `xml:",any,attr"`
		Actions    []xmlStep  `xml:"action"`
		Anti       []xmlStep  `xml:"anti-action"`
	} `xml:"condition"`
}

type xmlStep struct {
	App  string `xml:"application,attr"`
	Data string `xml:"data,attr"`
}

// dialplanXML reads the extensions of a dialplan as rows that hold their XML.
func (f *fusion) dialplanXML(name, content string) error {
	decoder := xml.NewDecoder(strings.NewReader(content))
	decoder.Strict = true
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s is no XML: %w", name, err)
		}
		start, is := token.(xml.StartElement)
		if !is || start.Name.Local != "extension" {
			continue
		}
		line, _ := decoder.InputPos()
		var e xmlExtension
		if err := decoder.DecodeElement(&e, &start); err != nil {
			return fmt.Errorf("%s is no XML: %w", name, err)
		}
		f.tables[fusionXMLDialplan] = append(f.tables[fusionXMLDialplan], row{place: fmt.Sprintf("%s:%d", name, line), values: map[string]string{"dialplan_name": e.Name}})
		f.xml = append(f.xml, e)
	}
}

// conditions finds the time conditions, and reports other dialplans.
func (f *fusion) conditions() []condition {
	if f.found != nil {
		return f.found
	}
	f.found = []condition{}
	details := map[string][]row{}
	for _, r := range f.rows(fusionDetails) {
		details[r.get("dialplan_uuid")] = append(details[r.get("dialplan_uuid")], r)
	}
	for _, r := range f.rows(fusionDialplans) {
		c := condition{row: r, name: r.get("dialplan_name"), dialled: r.get("dialplan_number")}
		switch {
		case !f.enabled(r, "dialplan_enabled", "dialplan", c.name):
			continue
		case len(details[r.get("dialplan_uuid")]) > 0:
			c.fromDetails(details[r.get("dialplan_uuid")])
		case r.get("dialplan_xml") != "":
			var e xmlExtension
			if err := xml.Unmarshal([]byte(r.get("dialplan_xml")), &e); err != nil {
				f.report.left(r.place, "dialplan", c.name, "its XML cannot be read")
				continue
			}
			c.fromXML(e)
		}
		f.keep(c, strings.EqualFold(r.get("app_uuid"), timeConditionApp))
	}
	for i, r := range f.tables[fusionXMLDialplan] {
		c := condition{row: r, name: r.get("dialplan_name")}
		c.fromXML(f.xml[i])
		f.keep(c, false)
	}
	return f.found
}

func (f *fusion) keep(c condition, told bool) {
	switch {
	case len(c.groups) > 0:
		f.found = append(f.found, c)
	case told:
		f.report.left(c.row.place, "time condition", c.name, "it has no condition on time that can be read")
	default:
		f.report.left(c.row.place, "dialplan", c.name, "of dialplans, time conditions alone are carried over")
	}
}

// fromDetails reads the rows of v_dialplan_details: groups of conditions, each with actions.
func (c *condition) fromDetails(rows []row) {
	number := func(r row, column string) int { return clamp(r.get(column), -1<<20, 1<<20, 0) }
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(number(a, "dialplan_detail_group"), number(b, "dialplan_detail_group")), cmp.Compare(number(a, "dialplan_detail_order"), number(b, "dialplan_detail_order")))
	})
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && number(rows[n], "dialplan_detail_group") == number(rows[0], "dialplan_detail_group") {
			n++
		}
		var g timeGroup
		for _, r := range rows[:n] {
			kind, data := r.get("dialplan_detail_type"), r.get("dialplan_detail_data")
			if !r.truth("dialplan_detail_enabled", true) {
				continue
			}
			switch r.get("dialplan_detail_tag") {
			case "condition":
				c.part(&g, kind, data)
			case "action":
				c.does(&g.then, kind, data)
			case "anti-action":
				c.does(&c.other, kind, data)
			}
		}
		c.add(g)
		rows = rows[n:]
	}
}

func (c *condition) fromXML(e xmlExtension) {
	for _, x := range e.Conditions {
		var g timeGroup
		field := ""
		for _, a := range x.Attributes {
			if a.Name.Local == "field" {
				field = a.Value
			}
		}
		for _, a := range x.Attributes {
			switch a.Name.Local {
			case "expression":
				c.part(&g, field, a.Value)
			case "field", "break":
			default:
				c.part(&g, a.Name.Local, a.Value)
			}
		}
		for _, s := range x.Actions {
			c.does(&g.then, s.App, s.Data)
		}
		for _, s := range x.Anti {
			c.does(&c.other, s.App, s.Data)
		}
		c.add(g)
	}
}

func (c *condition) part(g *timeGroup, kind, data string) {
	switch {
	case slices.Contains(timeKinds(), kind):
		g.when = append(g.when, timePart{kind, data})
	case kind == "destination_number" && c.dialled == "":
		c.dialled = strings.Trim(data, "^$")
	}
}

// does keeps the application that sends the call on; others set variables.
func (c *condition) does(s *step, app, data string) {
	if s.app == "" && app != "set" && app != "export" && app != "answer" && app != "sleep" {
		*s = step{app, data}
	}
}

func (c *condition) add(g timeGroup) {
	switch {
	case len(g.when) > 0:
		c.groups = append(c.groups, g)
	case g.then.app != "":
		c.other = g.then
	}
}

// times makes a flow of each time condition: its groups one after the other.
func (f *fusion) times() {
	for _, c := range f.conditions() {
		id, ok := f.flowOf(c.dialled)
		if !ok {
			continue // it is reported
		}
		g, exit := f.graph(), ""
		if key := f.action(g, c.row, "time condition", c.name, c.other.app, c.other.data); key != "" {
			exit = key
		}
		start := exit
		for i := len(c.groups) - 1; i >= 0; i-- {
			weekly, dates, err := f.hours(c.groups[i].when)
			if err != nil {
				f.report.left(c.row.place, "hours of the time condition "+c.name, strconv.Itoa(i+1), err.Error())
				continue
			}
			exits := map[string]string{}
			if key := f.action(g, c.row, "time condition", c.name, c.groups[i].then.app, c.groups[i].then.data); key != "" {
				exits["open"] = key
			}
			if start != "" {
				exits["closed"] = start
			}
			name := cmp.Or(c.name, c.dialled)
			if len(c.groups) > 1 {
				name += " " + strconv.Itoa(i+1)
			}
			start = g.add("hours", "hours", map[string]any{"schedule": f.schedule(name, weekly, dates)}, exits)
		}
		if start == "" {
			f.report.left(c.row.place, "time condition", c.name, "nothing of it is carried over: calls end there")
			start = g.add("end", "hangup", nil, nil)
		}
		f.flow(id, cmp.Or(c.name, id), start, reached(g.elements, start))
		f.route(c.dialled, id)
		f.report.carried("time condition")
	}
}

// hours makes weekly hours or dates of conditions that all have to hold.
func (f *fusion) hours(when []timePart) (weekly []tenants.Hours, dates []tenants.Date, err error) {
	days, span, byDate := []time.Weekday{0, 1, 2, 3, 4, 5, 6}, tenants.Span{Until: 24 * 60}, map[string][2]int{}
	for _, p := range when {
		switch p.kind {
		case "wday":
			days, err = weekdays(p.data)
		case "hour":
			var r [2]int
			r, err = numbers(p.data, 0, 23)
			span = tenants.Span{From: tenants.Clock(60 * r[0]), Until: tenants.Clock(60 * (r[1] + 1))}
		case "minute-of-day": // counted from 1
			var r [2]int
			r, err = numbers(p.data, 1, 24*60)
			span = tenants.Span{From: tenants.Clock(r[0] - 1), Until: tenants.Clock(r[1])}
		case "time-of-day":
			span, err = timeOfDay(p.data)
		case "year", "mon", "mday":
			byDate[p.kind], err = numbers(p.data, 1, 9999)
		case "date-time":
			if len(when) > 1 {
				return nil, nil, errors.New("a date with its time, together with other conditions")
			}
			dates, err = dateTime(p.data)
			return nil, dates, err
		default:
			err = errors.New("the condition " + p.kind + " " + p.data + " has no counterpart")
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if len(byDate) == 0 {
		return []tenants.Hours{{Days: days, From: span.From, Until: span.Until}}, nil, nil
	}
	dates, err = f.dates(byDate, days, span)
	return nil, dates, err
}

// weekdays reads 2-6 or 1,7: 1 is Sunday.
func weekdays(text string) (days []time.Weekday, err error) {
	for part := range strings.SplitSeq(text, ",") {
		r, err := numbers(part, 1, 7)
		if err != nil {
			return nil, err
		}
		for day := r[0]; ; day++ {
			if day > 7 {
				day = 1
			}
			days = append(days, time.Weekday(day-1))
			if day == r[1] {
				break
			}
		}
	}
	slices.Sort(days)
	return slices.Compact(days), nil
}

// numbers reads 9-17 or 9.
func numbers(text string, low, high int) (r [2]int, err error) {
	from, to, is := strings.Cut(strings.TrimSpace(text), "-")
	if !is {
		to = from
	}
	r[0], err = strconv.Atoi(from)
	if err == nil {
		r[1], err = strconv.Atoi(to)
	}
	if err != nil || r[0] < low || r[0] > high || r[1] < low || r[1] > high {
		return r, errors.New("the range " + strconv.Quote(text) + " cannot be read")
	}
	return r, nil
}

// timeOfDay reads 08:00-17:00.
func timeOfDay(text string) (s tenants.Span, err error) {
	from, to, _ := strings.Cut(text, "-")
	short := func(clock string) []byte { // seconds do not count
		parts := strings.Split(strings.TrimSpace(clock), ":")
		return []byte(strings.Join(parts[:min(len(parts), 2)], ":"))
	}
	if err = s.From.UnmarshalText(short(from)); err == nil {
		err = s.Until.UnmarshalText(short(to))
	}
	if err != nil || s.From >= 24*60 {
		return s, errors.New("the time " + strconv.Quote(text) + " cannot be read")
	}
	return s, nil
}

const maxDates = 366

// dates writes out the dates that a year, months and days name; without a year, those of the next years.
func (f *fusion) dates(by map[string][2]int, days []time.Weekday, span tenants.Span) (all []tenants.Date, err error) {
	years, named := by["year"]
	if !named {
		if f.Today.IsZero() {
			return nil, errors.New("a date of each year: it is not known which years are meant")
		}
		years = [2]int{f.Today.Year(), f.Today.Year() + yearsAhead - 1}
	}
	months, monthly := by["mon"]
	if !monthly {
		months = [2]int{1, 12}
	}
	mdays, daily := by["mday"]
	if !daily {
		mdays = [2]int{1, 31}
	}
	for year := years[0]; year <= years[1]; year++ {
		for month := months[0]; month <= months[1] && month <= 12; month++ {
			for day := mdays[0]; day <= mdays[1] && day <= 31; day++ {
				date := time.Date(year, time.Month(month), day, 12, 0, 0, 0, time.UTC)
				if date.Day() != day || !slices.Contains(days, date.Weekday()) {
					continue
				}
				if len(all) == maxDates*yearsAhead {
					return nil, errors.New("more dates than a schedule should have")
				}
				all = append(all, tenants.Date{Date: date.Format(time.DateOnly), Name: date.Format(time.DateOnly), Hours: []tenants.Span{span}})
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("it is never met")
	}
	return all, nil
}

// dateTime reads 2030-01-01 08:00:00~2030-01-02 17:00:00.
func dateTime(text string) (all []tenants.Date, err error) {
	from, to, _ := strings.Cut(text, "~")
	read := func(s string) (time.Time, error) {
		s = strings.TrimSpace(s)
		return time.Parse("2006-01-02 15:04", s[:min(len(s), len("2006-01-02 15:04"))])
	}
	begin, err := read(from)
	if err != nil {
		return nil, errors.New("the moments " + strconv.Quote(text) + " cannot be read")
	}
	end, err := read(to)
	if err != nil || !end.After(begin) || end.Sub(begin) > maxDates*24*time.Hour {
		return nil, errors.New("the moments " + strconv.Quote(text) + " cannot be read")
	}
	clock := func(t time.Time) tenants.Clock { return tenants.Clock(60*t.Hour() + t.Minute()) }
	for day := begin; day.Format(time.DateOnly) <= end.Format(time.DateOnly); day = day.AddDate(0, 0, 1) {
		span := tenants.Span{Until: 24 * 60}
		if day.Equal(begin) {
			span.From = clock(begin)
		}
		if day.Format(time.DateOnly) == end.Format(time.DateOnly) {
			if span.Until = clock(end); span.Until <= span.From {
				break
			}
		}
		all = append(all, tenants.Date{Date: day.Format(time.DateOnly), Name: day.Format(time.DateOnly), Hours: []tenants.Span{span}})
	}
	return all, nil
}
