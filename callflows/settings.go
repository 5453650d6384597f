package callflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// read reads an element's settings by its schema: what is left out gets its default, and everything that does not fit is
// a fault. further are the rules that no schema can say.
func read[T any](s *schema, settings json.RawMessage, further ...func(*T) []FlowFault) (any, []FlowFault) {
	if value, ok := readSettled[T](s, settings); ok && !slices.ContainsFunc(further, func(rule func(*T) []FlowFault) bool { return len(rule(&value)) > 0 }) {
		return value, nil
	}
	return readWhole(s, settings, further...)
}

// readWhole reads settings of which anything may be wrong.
func readWhole[T any](s *schema, settings json.RawMessage, further ...func(*T) []FlowFault) (any, []FlowFault) {
	var value T
	r := reading{}
	tree, ok := r.tree(settings)
	if !ok {
		return value, r.faults
	}
	tree = r.check(s, "", tree)
	if len(r.faults) > 0 {
		return value, r.faults
	}
	body, err := json.Marshal(tree)
	if err == nil {
		err = json.Unmarshal(body, &value)
	}
	if err != nil { // the schema and the settings' struct disagree, which a test excludes
		return value, []FlowFault{{Path: "", Code: "settings_unreadable", Detail: "The settings cannot be read: " + err.Error() + ".", Mend: "Write them anew."}}
	}
	for _, rule := range further {
		r.faults = append(r.faults, rule(&value)...)
	}
	return value, r.faults
}

// reading is one walk through settings.
type reading struct {
	faults     []FlowFault
	references []reference
}

// reference is an id that the settings name.
type reference struct {
	path string
	kind Reference
	id   string
}

func (r *reading) fault(path, code, detail, mend string) {
	r.faults = append(r.faults, FlowFault{Path: path, Code: code, Detail: detail, Mend: mend})
}

// tree decodes settings; none at all are {}.
func (r *reading) tree(settings json.RawMessage) (tree any, ok bool) {
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	d := json.NewDecoder(bytes.NewReader(settings))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		r.fault("", "settings_unreadable", "The settings are not JSON.", "Write them as a JSON object, such as {}.")
		return nil, false
	}
	return tree, true
}

// check holds a value against its schema, and gives it with the defaults that it lacks.
func (r *reading) check(s *schema, path string, v any) any {
	switch s.kind {
	case recordValue:
		if m, ok := v.(map[string]any); ok {
			return r.record(s, path, m)
		}
	case listValue:
		if list, ok := v.([]any); ok {
			return r.list(s, path, list)
		}
	case textValue:
		if t, ok := v.(string); ok {
			return r.text(s, path, t)
		}
	case wholeValue:
		if n, ok := v.(json.Number); ok {
			return r.number(s, path, n)
		}
	case flagValue:
		if b, ok := v.(bool); ok {
			return b
		}
	}
	r.fault(path, "setting_wrong_type", subject(path)+" must be "+kindWords(s.kind)+".", "Give "+kindWords(s.kind)+".")
	return v
}

func (r *reading) record(s *schema, path string, given map[string]any) any {
	known := make(map[string]bool, len(s.members))
	count := len(given)
	for i := range s.members {
		m := &s.members[i]
		known[m.name] = true
		at := path + "/" + m.name
		v, there := given[m.name]
		switch {
		case there:
			given[m.name] = r.check(&m.schema, at, v)
		case m.required:
			r.fault(at, "setting_missing", subject(at)+" is required and missing.", "Add it: "+lower(m.description))
		case m.initial != nil:
			given[m.name] = m.initial
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !known[name] {
			r.fault(path+"/"+escape(name), "setting_unknown", fmt.Sprintf("There is no setting %q here.", clip(name, 64)), offer(names(s.members), "there are no settings here"))
		}
	}
	if count < s.least {
		r.fault(path, "setting_missing", subject(path)+" is too little.", "Give at least "+strconv.Itoa(s.least)+" of "+strings.Join(names(s.members), ", ")+".")
	}
	if len(s.someOf) > 0 && !slices.ContainsFunc(s.someOf, func(name string) bool { return namesAnything(given[name]) }) {
		choices := strings.Join(s.someOf, " or ")
		r.fault(path+"/"+s.someOf[0], "setting_missing", "Neither of "+choices+" names anything.", "Name at least one of "+choices+".")
	}
	return given
}

// namesAnything says whether a list has an entry, or a text a character.
func namesAnything(v any) bool {
	list, _ := v.([]any)
	text, _ := v.(string)
	return len(list) > 0 || text != ""
}

func (r *reading) list(s *schema, path string, list []any) any {
	if len(list) < s.min || s.max > 0 && len(list) > s.max {
		r.fault(path, "setting_out_of_bounds", fmt.Sprintf("%s has %d entries.", subject(path), len(list)), fmt.Sprintf("Give %d to %d.", s.min, s.max))
	}
	for i := range list {
		list[i] = r.check(s.items, path+"/"+strconv.Itoa(i), list[i])
	}
	return list
}

func (r *reading) text(s *schema, path, t string) any {
	n := utf8.RuneCountInString(t)
	switch {
	case len(s.oneOf) > 0 && !slices.Contains(s.oneOf, any(t)):
		r.fault(path, "setting_not_offered", fmt.Sprintf("%s is %q, which is not offered.", subject(path), clip(t, 64)), "Give one of "+choices(s.oneOf)+".")
	case n < s.min || s.max > 0 && n > s.max:
		r.fault(path, "setting_out_of_bounds", fmt.Sprintf("%s is %d characters long.", subject(path), n), fmt.Sprintf("Give %d to %d characters.", s.min, s.max))
	case s.form != nil && !s.form.MatchString(t):
		r.fault(path, "setting_malformed", fmt.Sprintf("%s is %q, which has not the right form.", subject(path), clip(t, 64)), "Give "+s.formWords+".")
	case s.expression && !expression(t):
		r.fault(path, "setting_malformed", subject(path)+" is not a regular expression.", "Give one in the syntax of RE2, such as [0-9]{4}.")
	case s.reference != "" && t != "":
		r.references = append(r.references, reference{path: path, kind: s.reference, id: t})
	}
	return t
}

// number reads a whole number: 5, and also 5.0 and 5e0, which are the same to JSON Schema.
func (r *reading) number(s *schema, path string, given json.Number) any {
	f, err := given.Float64()
	if err != nil && !math.IsInf(f, 0) || f != math.Trunc(f) {
		r.fault(path, "setting_wrong_type", subject(path)+" is not a whole number.", "Give a whole number.")
		return given
	}
	if len(s.oneOf) > 0 {
		if n := int(max(min(f, math.MaxInt32), math.MinInt32)); slices.Contains(s.oneOf, any(n)) {
			return n
		}
		r.fault(path, "setting_not_offered", subject(path)+" is "+clip(given.String(), 32)+", which is not offered.", "Give one of "+choices(s.oneOf)+".")
		return given
	}
	if f < float64(s.min) || f > float64(s.max) {
		unit := ""
		if s.unit != "" {
			unit = " " + s.unit
		}
		r.fault(path, "setting_out_of_bounds", subject(path)+" is "+clip(given.String(), 32)+unit+".", fmt.Sprintf("Give %d to %d%s.", s.min, s.max, unit))
		return given
	}
	return int(f)
}

// expression says whether a text is a regular expression that settings may hold.
func expression(t string) bool {
	_, err := regexp.Compile(t)
	return err == nil
}

// subject names a setting at the head of a sentence.
func subject(path string) string {
	if path == "" {
		return "What the settings hold"
	}
	return "The setting " + strings.ReplaceAll(path[1:], "/", ".")
}

func kindWords(k valueKind) string {
	switch k {
	case textValue:
		return "a text"
	case wholeValue:
		return "a whole number"
	case flagValue:
		return "true or false"
	case listValue:
		return "a list"
	case recordValue:
		return "an object"
	}
	return string(k)
}

func choices(offered []any) string {
	words := make([]string, len(offered))
	for i, v := range offered {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}

func names(members []member) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = m.name
	}
	return all
}

// offer says how to mend a name that is not there.
func offer(names []string, none string) string {
	if len(names) == 0 {
		return "Take it out: " + none + "."
	}
	return "Take it out, or use one of " + strings.Join(names, ", ") + "."
}

// lower begins a sentence in the middle of another.
func lower(sentence string) string {
	if sentence == "" {
		return sentence
	}
	return strings.ToLower(sentence[:1]) + sentence[1:]
}

// escape makes a name one part of a JSON pointer (RFC 6901 section 3).
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}
