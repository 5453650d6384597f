package versions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"tandem/callflows"
	"tandem/tenants"
)

// tree decodes settings; none at all are {}. What is no JSON is a text.
func tree(settings json.RawMessage) any {
	if len(bytes.TrimSpace(settings)) == 0 {
		return map[string]any{}
	}
	decoder := json.NewDecoder(bytes.NewReader(settings))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return string(settings)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return string(settings)
	}
	return value
}

// canonical is one text for all values that are the same.
func canonical(v any) string {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case map[string]any:
		var members []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			members = append(members, strconv.Quote(name)+":"+canonical(v[name]))
		}
		return "{" + strings.Join(members, ",") + "}"
	case []any:
		items := make([]string, len(v))
		for i := range v {
			items[i] = canonical(v[i])
		}
		return "[" + strings.Join(items, ",") + "]"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(v)
}

// number writes whole numbers in one way: 5, 5.0 and 5e0 are the same to JSON Schema.
func number(n json.Number) string {
	const exact = 1 << 53 // up to here a float64 holds every whole number
	if f, err := n.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) < exact {
		return strconv.FormatInt(int64(f), 10)
	}
	return n.String()
}

// settings compares the settings of two elements of one type, member by member.
func (f *flowDiff) settings(at, key string, before, after tenants.Element) {
	_, of, _ := callflows.SettingsOf(after.Type)
	s := &settingsDiff{flowDiff: f, element: elementWords(f.has, key)}
	s.value(at, whole, of, tree(before.Settings), tree(after.Settings))
}

// settingsDiff compares the settings of one element.
type settingsDiff struct {
	*flowDiff
	element string
}

// whole is the label of settings that are no record.
const whole = "what is set"

// value compares what is there on both sides.
func (s *settingsDiff) value(at, label string, of callflows.Setting, before, after any) {
	if canonical(before) == canonical(after) {
		return
	}
	oldRecord, wasRecord := before.(map[string]any)
	newRecord, isRecord := after.(map[string]any)
	if wasRecord && isRecord {
		s.record(at, label, of, oldRecord, newRecord)
		return
	}
	oldList, wasList := before.([]any)
	newList, isList := after.([]any)
	if wasList && isList {
		s.list(at, label, of, oldList, newList)
		return
	}
	b, a := s.both(of, before, after)
	if of.Reference == callflows.RefersToPrompt {
		s.say(at, "prompt_changed", "flow", s.flow, "element", s.element, "before", b, "after", a, "about", aboutOf(of))
		return
	}
	s.say(at, "setting_changed", "flow", s.flow, "element", s.element, "setting", label, "before", b, "after", a, "about", aboutOf(of))
}

// record compares records: the members that the schema knows in its order, then all others.
func (s *settingsDiff) record(at, label string, of callflows.Setting, before, after map[string]any) {
	rest := union(before, after)
	var members []callflows.Setting
	for _, m := range of.Members {
		if i, found := slices.BinarySearch(rest, m.Name); found {
			rest = slices.Delete(rest, i, i+1)
			members = append(members, m)
		}
	}
	for _, name := range rest {
		members = append(members, callflows.Setting{Name: name})
	}
	for _, m := range members {
		old, was := before[m.Name]
		now, is := after[m.Name]
		path, name := at+"/"+escape(m.Name), strings.ReplaceAll(m.Name, "_", " ")
		if label != whole {
			name = label + ", " + name
		}
		switch {
		case was && is:
			s.value(path, name, m, old, now)
		case is:
			s.appeared(path, name, m, now)
		default:
			s.vanished(path, name, m, old)
		}
	}
}

// appeared tells of a setting that was left out before.
func (s *settingsDiff) appeared(at, label string, of callflows.Setting, now any) {
	usual, has := initial(of)
	switch {
	case has && canonical(usual) == canonical(now):
		s.say(at, "setting_spelled_out", "flow", s.flow, "element", s.element, "setting", label, "after", s.words(s.after, of, now), "about", aboutOf(of))
	case has:
		s.value(at, label, of, usual, now)
	default:
		s.say(at, "setting_set", "flow", s.flow, "element", s.element, "setting", label, "after", s.words(s.after, of, now), "about", aboutOf(of))
	}
}

// vanished tells of a setting that is left out now.
func (s *settingsDiff) vanished(at, label string, of callflows.Setting, old any) {
	usual, has := initial(of)
	switch {
	case has && canonical(usual) == canonical(old):
		s.say(at, "setting_left_to_usual", "flow", s.flow, "element", s.element, "setting", label, "before", s.words(s.before, of, old), "about", aboutOf(of))
	case has:
		s.value(at, label, of, old, usual)
	default:
		s.say(at, "setting_unset", "flow", s.flow, "element", s.element, "setting", label, "before", s.words(s.before, of, old), "about", aboutOf(of))
	}
}

// initial is what a setting is when it is left out, as a tree.
func initial(of callflows.Setting) (any, bool) {
	if n, whole := of.Initial.(int); whole {
		return json.Number(strconv.Itoa(n)), true
	}
	return of.Initial, of.Initial != nil
}

// list compares lists: of plain values by which there are, of others entry by entry between what is alike at both ends.
func (s *settingsDiff) list(at, label string, of callflows.Setting, before, after []any) {
	items := callflows.Setting{}
	if of.Items != nil {
		items = *of.Items
	}
	if plainValues(before) && plainValues(after) {
		s.plainList(at, label, of, items, before, after)
		return
	}
	from := 0
	for from < len(before) && from < len(after) && canonical(before[from]) == canonical(after[from]) {
		from++
	}
	same := 0 // at the end
	for same < min(len(before), len(after))-from && canonical(before[len(before)-1-same]) == canonical(after[len(after)-1-same]) {
		same++
	}
	before, after = before[from:len(before)-same], after[from:len(after)-same]
	for i := range max(len(before), len(after)) {
		path, name := at+"/"+strconv.Itoa(from+i), label+" "+strconv.Itoa(from+i+1)
		switch {
		case i >= len(before):
			s.say(path, "setting_set", "flow", s.flow, "element", s.element, "setting", name, "after", s.words(s.after, items, after[i]), "about", aboutOf(of))
		case i >= len(after):
			s.say(path, "setting_unset", "flow", s.flow, "element", s.element, "setting", name, "before", s.words(s.before, items, before[i]), "about", aboutOf(of))
		default:
			s.value(path, name, items, before[i], after[i])
		}
	}
}

// plainValues says whether a list holds no lists or records.
func plainValues(list []any) bool {
	return !slices.ContainsFunc(list, func(v any) bool {
		kind := reflect.ValueOf(v).Kind()
		return kind == reflect.Map || kind == reflect.Slice
	})
}

// plainList tells which entries came and went, and the order when it is another one besides.
func (s *settingsDiff) plainList(at, label string, of, items callflows.Setting, before, after []any) {
	lost, kept := without(before, after)
	gained, _ := without(after, before)
	if len(lost) > 0 {
		s.say(at, "entries_lost", "flow", s.flow, "element", s.element, "setting", label, "count", strconv.Itoa(len(lost)),
			"entries", told(s.each(s.before, items, lost)), "about", aboutOf(of))
	}
	if len(gained) > 0 {
		s.say(at, "entries_gained", "flow", s.flow, "element", s.element, "setting", label, "count", strconv.Itoa(len(gained)),
			"entries", told(s.each(s.after, items, gained)), "about", aboutOf(of))
	}
	if canonical(append(kept, gained...)) != canonical(after) {
		s.say(at, "entries_ordered", "flow", s.flow, "element", s.element, "setting", label, "entries", told(s.each(s.after, items, after)), "about", aboutOf(of))
	}
}

// without divides a list into what another one lacks and what it has, each as often as it is there.
func without(list, other []any) (lacks, has []any) {
	left := map[string]int{}
	for _, v := range other {
		left[canonical(v)]++
	}
	for _, v := range list {
		if key := canonical(v); left[key] > 0 {
			left[key]--
			has = append(has, v)
		} else {
			lacks = append(lacks, v)
		}
	}
	return lacks, has
}

func (s *settingsDiff) each(n names, of callflows.Setting, list []any) []string {
	all := make([]string, 0, len(list))
	for _, v := range list {
		all = append(all, s.words(n, of, v))
	}
	return all
}
