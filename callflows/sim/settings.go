package sim

import (
	"encoding/json"
	"regexp"
	"slices"

	"tandem/callflows"
)

// Settings are drawn from the schema that each type of element declares, so that a new type takes part without a line here.

// elementKind is a type of element with its schema, read.
type elementKind struct {
	callflows.ElementType
	schema schema
}

// schema is what drawing needs of JSON Schema.
type schema struct {
	Type       string              `json:"type"`
	Reference  callflows.Reference `json:"x-tandem-reference"`
	Enum       []any               `json:"enum"`
	Minimum    int                 `json:"minimum"`
	Maximum    int                 `json:"maximum"`
	MinLength  int                 `json:"minLength"`
	MaxLength  int                 `json:"maxLength"`
	Pattern    string              `json:"pattern"`
	Format     string              `json:"format"`
	Items      *schema             `json:"items"`
	MinItems   int                 `json:"minItems"`
	MaxItems   int                 `json:"maxItems"`
	Properties map[string]schema   `json:"properties"`
	Required   []string            `json:"required"`
	MinMembers int                 `json:"minProperties"`
	AnyOf      []schema            `json:"anyOf"`

	names []string       // of Properties, sorted
	form  *regexp.Regexp // Pattern
}

// elementKinds reads the schema of every type of element.
func elementKinds() []elementKind {
	var all []elementKind
	for _, t := range callflows.Elements() {
		k := elementKind{ElementType: t}
		if err := json.Unmarshal(t.Schema, &k.schema); err != nil {
			panic("sim: the schema of " + t.Type + " cannot be read: " + err.Error())
		}
		k.schema.prepare()
		all = append(all, k)
	}
	return all
}

func (s *schema) prepare() {
	if s.Pattern != "" {
		s.form = regexp.MustCompile(s.Pattern)
	}
	if s.Items != nil {
		s.Items.prepare()
	}
	for name, p := range s.Properties { // the order does not matter
		p.prepare()
		s.Properties[name] = p
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
}

// drawsOfSettings is how often settings are drawn before the type's own example is taken: rules between settings are not in
// a schema.
const drawsOfSettings = 10

// anySettings draws settings of a type. name draws the id of something to refer to.
func (w *world) anySettings(k *elementKind, name func(callflows.Reference) string) json.RawMessage {
	for range drawsOfSettings {
		drawn := w.anyValue(&k.schema, name)
		w.oneOfEach(drawn)
		settings := json.RawMessage(pack(drawn))
		if _, err := callflows.ParseSettings(k.Type, settings); err == nil {
			return settings
		}
	}
	w.happened("settings from the example")
	var example any
	if len(k.Example.Settings) > 0 {
		if err := json.Unmarshal(k.Example.Settings, &example); err != nil {
			panic("sim: the example of " + k.Type + " cannot be read: " + err.Error())
		}
	} else {
		example = map[string]any{}
	}
	return pack(renamed(&k.schema, example, name))
}

// oneOfEach leaves of each target of a ring one of those that a target may be: no schema says so.
func (w *world) oneOfEach(settings any) {
	record, _ := settings.(map[string]any)
	list, _ := record["targets"].([]any)
	for _, entry := range list {
		target, ok := entry.(map[string]any)
		if !ok {
			continue
		}
		var named []string
		for _, name := range []string{"user", "device", "number"} {
			if text, _ := target[name].(string); text != "" {
				named = append(named, name)
			} else {
				delete(target, name)
			}
		}
		if len(named) > 1 {
			keep := pick(w, named...)
			for _, name := range named {
				if name != keep {
					delete(target, name)
				}
			}
		}
	}
}

// renamed puts drawn ids in place of those of an example.
func renamed(s *schema, value any, name func(callflows.Reference) string) any {
	switch v := value.(type) {
	case string:
		if s.Reference != "" {
			return name(s.Reference)
		}
	case []any:
		for i := range v {
			v[i] = renamed(s.Items, v[i], name)
		}
	case map[string]any:
		for _, member := range s.names {
			if of, there := v[member]; there {
				p := s.Properties[member]
				v[member] = renamed(&p, of, name)
			}
		}
	}
	return value
}

// anyValue draws what a schema allows.
func (w *world) anyValue(s *schema, name func(callflows.Reference) string) any {
	if len(s.Enum) > 0 {
		return pick(w, s.Enum...)
	}
	switch s.Type {
	case "boolean":
		return w.chance(50)
	case "integer": // rather little than much: waits and attempts
		return min(s.Maximum, s.Minimum+w.rng.IntN(12))
	case "array":
		all := []any{}
		for range s.MinItems + w.rng.IntN(max(1, min(4, s.MaxItems-s.MinItems+1))) {
			all = append(all, w.anyValue(s.Items, name))
		}
		return all
	case "object":
		return w.anyRecord(s, name)
	case "string":
		if s.Reference != "" {
			return name(s.Reference)
		}
		return w.anyText(s)
	}
	panic("sim: a schema of type " + s.Type)
}

func (w *world) anyRecord(s *schema, name func(callflows.Reference) string) map[string]any {
	record := map[string]any{}
	put := func(member string) {
		p := s.Properties[member]
		record[member] = w.anyValue(&p, name)
	}
	for _, member := range s.Required {
		put(member)
	}
	if len(s.AnyOf) > 0 {
		if one := pick(w, s.AnyOf...); len(one.Required) > 0 {
			put(one.Required[0])
		}
	}
	for _, member := range s.names {
		if _, there := record[member]; !there && w.chance(30) {
			put(member)
		}
	}
	for len(record) < min(s.MinMembers, len(s.names)) {
		put(pick(w, s.names...))
	}
	return record
}

// texts are what texts are drawn from: names of variables, exits and languages, numbers, templates.
func texts() []string {
	return []string{"a", "b", "line", "priority", "x1", "en", "de", "en-gb", "9", "101", "+1555", "+15550101", "{caller.number}", "{dialled.rest}", "1", "12", "5100",
		"{caller.name} ({dialled})", "{variable.line}", "https://crm.example/calls?from={caller.number}", "http://192.0.2.80:8080", "/name", "/customer/rank", "Sales ", "", "busy", "\u00e9"}
}

// anyText draws a text that a schema allows.
func (w *world) anyText(s *schema) string {
	if s.Format == "regex" {
		return pick(w, "[0-9]+", "4.*", "[0-9*#]{2,4}")
	}
	var fit []string
	for _, text := range texts() {
		if len(text) >= s.MinLength && (s.MaxLength == 0 || len(text) <= s.MaxLength) && (s.form == nil || s.form.MatchString(text)) {
			fit = append(fit, text)
		}
	}
	if len(fit) == 0 {
		return ""
	}
	return pick(w, fit...)
}
