package callflows

import (
	"encoding/json"
	"regexp"
	"strconv"
)

// Reference says what kind of thing an id in the settings names. It stands in a schema as x-tandem-reference.
type Reference string

// What the settings of an element may refer to.
const (
	RefersToUser     Reference = "user"
	RefersToDevice   Reference = "device"
	RefersToSchedule Reference = "schedule"
	RefersToFlow     Reference = "flow"
	RefersToList     Reference = "list"
	RefersToPrompt   Reference = "prompt"
	RefersToTrunk    Reference = "trunk"
	RefersToNumber   Reference = "number"
)

// valueKind is the type of a value as JSON Schema names it.
type valueKind string

const (
	textValue   valueKind = "string"
	wholeValue  valueKind = "integer"
	flagValue   valueKind = "boolean"
	listValue   valueKind = "array"
	recordValue valueKind = "object"
)

// schema says what a value may be: the part of JSON Schema 2020-12 that settings need. The settings of an element are
// read by it (settings.go), and the API, the editor and the documentation are made from it.
type schema struct {
	kind        valueKind
	description string         // what it is for, in words for whoever writes the settings
	unit        string         // of a number: "seconds"
	reference   Reference      // the value is the id of such a thing
	initial     any            // the value when the member is left out: string, int or bool; nil for none
	min, max    int            // of a number; of a text's length in characters; of the items of a list
	oneOf       []any          // the only values: strings or ints
	form        *regexp.Regexp // of a text; anchored at both ends
	formWords   string         // the form in words
	expression  bool           // a text that is itself a regular expression
	items       *schema        // of a list
	members     []member       // of a record, in the order in which a person reads them
	someOf      []string       // of a record: members, lists and texts, of which at least one must name something
	least       int            // of a record: how many members it has at least
}

// member is one member of a record.
type member struct {
	name     string
	required bool
	schema
}

// Two names under which editors and the API find what JSON Schema has no word for.
const (
	referenceKey = "x-tandem-reference"
	unitKey      = "x-tandem-unit"
)

// document is the schema of an element's settings as JSON Schema 2020-12.
func (s *schema) document(title string) json.RawMessage {
	w := &jsonWriter{}
	w.open('{')
	w.member("$schema", "https://json-schema.org/draft/2020-12/schema")
	w.member("title", title)
	s.write(w)
	w.close('}')
	return w.out
}

// write writes the keywords of a schema into the object that is open.
func (s *schema) write(w *jsonWriter) {
	w.member("type", string(s.kind))
	w.unless(s.description == "", "description", s.description)
	w.unless(s.unit == "", unitKey, s.unit)
	w.unless(s.reference == "", referenceKey, string(s.reference))
	w.unless(s.initial == nil, "default", s.initial)
	w.unless(len(s.oneOf) == 0, "enum", s.oneOf)
	switch s.kind {
	case wholeValue:
		w.unless(len(s.oneOf) > 0, "minimum", s.min)
		w.unless(len(s.oneOf) > 0, "maximum", s.max)
	case textValue:
		w.unless(s.min == 0, "minLength", s.min)
		w.unless(s.max == 0, "maxLength", s.max)
		if s.form != nil {
			w.member("pattern", s.form.String())
		}
		w.unless(!s.expression, "format", "regex")
	case listValue:
		w.unless(s.min == 0, "minItems", s.min)
		w.unless(s.max == 0, "maxItems", s.max)
		w.key("items")
		w.open('{')
		s.items.write(w)
		w.close('}')
	case recordValue:
		s.writeMembers(w)
	case flagValue:
	}
}

func (s *schema) writeMembers(w *jsonWriter) {
	w.member("additionalProperties", false)
	w.unless(s.least == 0, "minProperties", s.least)
	w.key("properties")
	w.open('{')
	required := []string{}
	for i := range s.members {
		m := &s.members[i]
		if m.required {
			required = append(required, m.name)
		}
		w.key(m.name)
		w.open('{')
		m.write(w)
		w.close('}')
	}
	w.close('}')
	w.unless(len(required) == 0, "required", required)
	if len(s.someOf) == 0 {
		return
	}
	w.key("anyOf")
	w.open('[')
	for _, name := range s.someOf {
		w.value(map[string]any{"required": []string{name}, "properties": map[string]any{name: map[string]int{"minItems": 1}}})
	}
	w.close(']')
}

// jsonWriter writes JSON whose members keep their order, which encoding/json does for no map.
type jsonWriter struct {
	out   []byte
	comma bool
}

func (w *jsonWriter) separate() {
	if w.comma {
		w.out = append(w.out, ',')
	}
	w.comma = true
}

// open begins an object or a list: as the next item of a list, or as the value of the key just written.
func (w *jsonWriter) open(bracket byte) {
	w.separate()
	w.out, w.comma = append(w.out, bracket), false
}

func (w *jsonWriter) close(bracket byte) { w.out, w.comma = append(w.out, bracket), true }

func (w *jsonWriter) key(name string) {
	w.separate()
	w.out, w.comma = append(strconv.AppendQuote(w.out, name), ':'), false
}

func (w *jsonWriter) value(v any) {
	w.separate()
	body, err := json.Marshal(v)
	if err != nil {
		body = []byte("null") // a schema holds texts, numbers and lists of them, which cannot fail
	}
	w.out = append(w.out, body...)
}

func (w *jsonWriter) member(name string, v any) {
	w.key(name)
	w.value(v)
}

// unless writes a member, unless it is to be left out.
func (w *jsonWriter) unless(leave bool, name string, v any) {
	if !leave {
		w.member(name, v)
	}
}
