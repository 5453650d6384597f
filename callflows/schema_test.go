package callflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"tandem/tenants"
)

// compiled gives an element's schema as an independent validator reads it.
func compiled(t testing.TB, e ElementType) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Schema))
	if err != nil {
		t.Fatalf("%s: %v: %s", e.Type, err, e.Schema)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(e.Type+".json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(e.Type + ".json") // against the meta-schema of 2020-12
	if err != nil {
		t.Fatalf("%s: %v", e.Type, err)
	}
	return s
}

// walk visits every schema within one, by its path.
func walk(path string, s *schema, visit func(path string, s *schema)) {
	visit(path, s)
	if s.items != nil {
		walk(path+"/*", s.items, visit)
	}
	for i := range s.members {
		walk(path+"/"+s.members[i].name, &s.members[i].schema, visit)
	}
}

func TestEverySchemaIsBoundedAndSaysWhatItIsFor(t *testing.T) {
	for _, e := range elementTypes {
		walk(e.about().name, e.about().settings, func(path string, s *schema) {
			if strings.Contains(path, "/") && !strings.HasSuffix(path, "/*") && !strings.HasSuffix(s.description, ".") {
				t.Errorf("%s has no description", path)
			}
			switch s.kind {
			case wholeValue:
				if len(s.oneOf) == 0 && (s.min >= s.max || s.unit == "" && !strings.HasSuffix(path, "/attempts")) {
					t.Errorf("%s has no bounds or no unit", path)
				}
			case textValue:
				if s.max == 0 && s.form == nil && len(s.oneOf) == 0 {
					t.Errorf("%s has no bound", path)
				}
				if (s.form == nil) != (s.formWords == "") {
					t.Errorf("%s: its form has no words", path)
				}
			case listValue:
				if s.max == 0 || s.items == nil {
					t.Errorf("%s has no bound", path)
				}
			case recordValue, flagValue:
			}
		})
	}
}

// Members of the schema and of the struct are the same, so that none is read in vain.
func TestSchemaAndStructHaveTheSameMembers(t *testing.T) {
	for _, e := range elementTypes {
		if e.about().platform {
			continue
		}
		value, faults := e.parse(e.about().example.Settings)
		if len(faults) > 0 {
			t.Fatalf("%s: the example: %v", e.about().name, faults)
		}
		sameMembers(t, e.about().name, e.about().settings, reflect.TypeOf(value))
	}
}

func sameMembers(t *testing.T, path string, s *schema, of reflect.Type) {
	t.Helper()
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch s.kind {
	case listValue:
		sameMembers(t, path+"/*", s.items, of.Elem())
	case recordValue:
		fields := map[string]reflect.Type{}
		for _, f := range reflect.VisibleFields(of) {
			if tag := f.Tag.Get("json"); tag != "" {
				fields[tag] = f.Type
			}
		}
		for i := range s.members {
			m := &s.members[i]
			field, ok := fields[m.name]
			if !ok {
				t.Errorf("%s/%s is in the schema alone", path, m.name)
				continue
			}
			delete(fields, m.name)
			sameMembers(t, path+"/"+m.name, &m.schema, field)
		}
		for name := range fields {
			t.Errorf("%s/%s is in the struct alone", path, name)
		}
	case textValue, wholeValue, flagValue:
		kinds := map[valueKind]reflect.Kind{textValue: reflect.String, wholeValue: reflect.Int, flagValue: reflect.Bool}
		if of.Kind() != kinds[s.kind] {
			t.Errorf("%s is %s in the schema and %s in the struct", path, s.kind, of)
		}
	}
}

func TestEveryDefaultIsWhatParsingGives(t *testing.T) {
	for _, e := range elementTypes {
		a := e.about()
		if a.platform {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			given, all := map[string]any{}, map[string]any{}
			if err := json.Unmarshal(orObject(a.example.Settings), &given); err != nil {
				t.Fatal(err)
			}
			for i := range a.settings.members {
				m := &a.settings.members[i]
				if m.initial != nil {
					delete(given, m.name)
				}
			}
			for name, v := range given {
				all[name] = v
			}
			for i := range a.settings.members {
				if m := &a.settings.members[i]; m.initial != nil {
					all[m.name] = m.initial
				}
			}
			left, faults := e.parse(asJSON(given))
			full, more := e.parse(asJSON(all))
			if len(faults)+len(more) > 0 || !reflect.DeepEqual(left, full) {
				t.Errorf("left out: %+v %v\nwritten: %+v %v", left, faults, full, more)
			}
		})
	}
}

func orObject(settings json.RawMessage) json.RawMessage {
	if len(settings) == 0 {
		return json.RawMessage("{}")
	}
	return settings
}

func asJSON(v any) json.RawMessage {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body
}

// furtherRules are the codes of rules that no schema can say.
var furtherRules = []string{"settings_contradict"}

// Settings that an independent validator takes, parsing takes, and the other way round.
func TestParsingAndSchemaAgree(t *testing.T) {
	for _, described := range Elements() {
		e, validator := elementOf(described.Type), compiled(t, described)
		t.Run(described.Type, func(t *testing.T) {
			counts := map[bool]int{}
			rapid.Check(t, func(rt *rapid.T) {
				v := anyValue(rt, e.about().settings, rapid.IntRange(0, 3).Draw(rt, "spoilt") == 0)
				body := asJSON(v)
				tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
				if err != nil {
					rt.Fatal(err)
				}
				wants := validator.Validate(tree)
				_, faults := e.parse(body)
				faults = slices.DeleteFunc(faults, func(f FlowFault) bool { return slices.Contains(furtherRules, f.Code) })
				if (wants == nil) != (len(faults) == 0) {
					rt.Fatalf("%s\nschema: %v\nparse: %v", body, wants, faults)
				}
				counts[wants == nil]++
			})
			if counts[true] == 0 || counts[false] == 0 {
				t.Errorf("%d good and %d bad settings were tried", counts[true], counts[false])
			}
		})
	}
}

// anyValue draws a value that fits a schema; a spoilt one may differ from it in one place or several.
func anyValue(t *rapid.T, s *schema, spoilt bool) any {
	if spoilt && rapid.IntRange(0, 3).Draw(t, "here") == 0 {
		return rapid.SampledFrom([]any{nil, "", "x", "GONE", "{nobody}", strings.Repeat("é", 300), "\n", "[", 0, 1, -1, 5.5, json.Number("5.0"), json.Number("1e2"),
			json.Number("1e400"), true, []any{}, []any{1}, map[string]any{}, map[string]any{"x": 1}}).Draw(t, "wrong")
	}
	switch s.kind {
	case recordValue:
		return anyRecord(t, s, spoilt)
	case listValue:
		list := []any{}
		for range rapid.IntRange(s.min, min(s.max, s.min+2)).Draw(t, "items") {
			list = append(list, anyValue(t, s.items, spoilt))
		}
		return list
	case flagValue:
		return rapid.Bool().Draw(t, "flag")
	case wholeValue:
		if len(s.oneOf) > 0 {
			return rapid.SampledFrom(s.oneOf).Draw(t, "code")
		}
		low, high := s.min, s.max
		if spoilt {
			low, high = s.min-1, s.max+1
		}
		return rapid.OneOf(rapid.Just(low), rapid.Just(high), rapid.IntRange(low, high)).Draw(t, "number")
	case textValue:
	}
	return anyText(t, s)
}

func anyText(t *rapid.T, s *schema) any {
	ids := map[Reference][]string{RefersToUser: {"anna", "gone"}, RefersToDevice: {"lobby", "ben-desk"}, RefersToSchedule: {"office", "gone"},
		RefersToFlow: {"main", "other", "gone"}, RefersToList: {"priority", "gone"}}
	switch {
	case len(s.oneOf) > 0:
		return rapid.SampledFrom(s.oneOf).Draw(t, "choice")
	case ids[s.reference] != nil:
		return rapid.SampledFrom(ids[s.reference]).Draw(t, "id")
	case s.expression:
		return rapid.SampledFrom([]string{"4[0-9]{3}", ".*", `\+44.*|1`, "[12]"}).Draw(t, "expression")
	case s.form == variableName:
		return rapid.SampledFrom([]string{"a", "b", "pin"}).Draw(t, "variable")
	case s.form == template:
		return rapid.SampledFrom([]string{"", "x", "{caller.number}", "{caller.name} {var.a}{dialled}", "{language}é"}).Draw(t, "template")
	case s.form != nil:
		return rapid.StringMatching(s.form.String()).Filter(func(x string) bool { return s.max == 0 || len([]rune(x)) <= s.max }).Draw(t, "text")
	}
	return rapid.SampledFrom([]string{"1", "200", "lobby", "+44", strings.Repeat("9", s.max)}).Draw(t, "text")
}

func anyRecord(t *rapid.T, s *schema, spoilt bool) any {
	given := map[string]any{}
	for i := range s.members {
		m := &s.members[i]
		there := m.required || slices.Contains(s.someOf, m.name)
		if spoilt && there {
			there = rapid.IntRange(0, 5).Draw(t, "there") > 0
		}
		if there || rapid.Bool().Draw(t, "given") {
			given[m.name] = anyValue(t, &m.schema, spoilt)
		}
	}
	if spoilt && rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
		given[rapid.SampledFrom([]string{"x", "Prompt", "a/b"}).Draw(t, "name")] = 1
	}
	return given
}

// Every bound of every member, one by one: the bound is taken, what is past it is not.
func TestEveryBoundIsKept(t *testing.T) {
	tried := 0
	for _, described := range Elements() {
		e, validator := elementOf(described.Type), compiled(t, described)
		for i := range e.about().settings.members {
			m := &e.about().settings.members[i]
			if m.kind != wholeValue || len(m.oneOf) > 0 {
				continue
			}
			for _, c := range []struct {
				value int
				good  bool
			}{{m.min, true}, {m.max, true}, {m.min - 1, false}, {m.max + 1, false}} {
				given := map[string]any{}
				if err := json.Unmarshal(orObject(e.about().example.Settings), &given); err != nil {
					t.Fatal(err)
				}
				delete(given, "min")
				delete(given, "max")
				given[m.name] = c.value
				_, faults := e.parse(asJSON(given))
				tree, _ := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON(given)))
				if err := validator.Validate(tree); (len(faults) == 0) != c.good || (err == nil) != c.good {
					t.Errorf("%s %s=%d: %v, %v", described.Type, m.name, c.value, faults, err)
				}
				tried++
			}
		}
	}
	if tried < 30 {
		t.Errorf("only %d bounds were tried", tried)
	}
}

func TestElementsAreDescribedInFull(t *testing.T) {
	types := ElementTypes()
	if !slices.IsSorted(types) || slices.Contains(types, emergencyType) || len(types) != len(Elements()) {
		t.Errorf("the types are %v", types)
	}
	for _, e := range Elements() {
		for what, words := range map[string]string{"title": e.Title, "description": e.Description, "early media": e.Behaviour.EarlyMedia, "answer": e.Behaviour.Answer,
			"ringback": e.Behaviour.Ringback, "hang-up": e.Behaviour.HangUp, "transfer": e.Behaviour.Transfer} {
			if words == "" || what != "title" && !strings.HasSuffix(words, ".") {
				t.Errorf("%s: its %s is %q", e.Type, what, words)
			}
		}
		for _, exit := range e.Exits {
			if (exit.Name == "") == (exit.Each == "") || !strings.HasSuffix(exit.Description, ".") || exit.Ends == "" {
				t.Errorf("%s: %+v", e.Type, exit)
			}
		}
		if len(e.Reasons) == 0 && e.Type != "answer" {
			t.Errorf("%s gives no reason", e.Type)
		}
	}
}

// Each example stands in a flow as it is, with elements at the ends of its exits.
func TestEveryExampleIsGood(t *testing.T) {
	for _, e := range Elements() {
		if e.Example.Type != e.Type {
			t.Errorf("%s: its example is a %s", e.Type, e.Example.Type)
		}
		elements := map[string]tenants.Element{"start": e.Example}
		for _, next := range e.Example.Exits {
			elements[next] = el("hangup", ``)
		}
		if faults := CheckFlow(flowOf(elements), Around{}); len(faults) > 0 {
			t.Errorf("%s: %v", e.Type, faults)
		}
	}
}

func TestAnElementsSchemaCanBeReadByOthers(t *testing.T) {
	var hours struct {
		Schema     string `json:"$schema"`
		Title      string
		Additional *bool `json:"additionalProperties"`
		Required   []string
		Properties map[string]struct {
			Reference string `json:"x-tandem-reference"`
		}
	}
	for _, e := range Elements() {
		if e.Type == "hours" {
			if err := json.Unmarshal(e.Schema, &hours); err != nil {
				t.Fatal(err)
			}
		}
	}
	if hours.Schema != "https://json-schema.org/draft/2020-12/schema" || hours.Title != "Opening hours" || hours.Additional == nil || *hours.Additional ||
		!slices.Equal(hours.Required, []string{"schedule"}) || hours.Properties["schedule"].Reference != "schedule" {
		t.Error(fmt.Sprintf("%+v", hours))
	}
}

func TestEverySettingIsDescribedForWhoeverSpeaksOfIt(t *testing.T) {
	var described func(at string, s Setting)
	described = func(at string, s Setting) {
		for _, m := range s.Members {
			if m.Name == "" || m.Description == "" {
				t.Errorf("%s/%s says nothing of itself", at, m.Name)
			}
			described(at+"/"+m.Name, m)
		}
		if s.Items != nil {
			described(at+"/*", *s.Items)
		}
	}
	for _, name := range ElementTypes() {
		title, settings, ok := SettingsOf(name)
		if !ok || title == "" {
			t.Errorf("%s is not known", name)
		}
		described(name, settings)
	}
	if _, _, ok := SettingsOf("no such element"); ok {
		t.Error("an element that is not there is known")
	}
}

// A prompt's name never means a file of another's: what Tandem names by itself has a capital letter, which no flow may hold.
func TestNoFlowNamesARecording(t *testing.T) {
	for _, prompt := range []string{"Media:kept/aa/aa.wav", "Media:prompts/tenants/other/welcome.wav", "../other/welcome", "a/../../other/welcome", "/etc/passwd"} {
		if _, err := ParseSettings("play", asJSON(map[string]any{"prompt": prompt})); err == nil {
			t.Errorf("the prompt %s is taken", prompt)
		}
	}
}
