package plan

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The types that YAML finds out for what is written without quotes.
const (
	tagText  = "!!str"
	tagInt   = "!!int"
	tagFloat = "!!float"
	tagBool  = "!!bool"
	tagNull  = "!!null"
	tagTime  = "!!timestamp"
)

// shaper holds what was read against the form of a document, and writes it as the JSON that encoding/json reads into it. What is
// meant as text may be written without quotes, such as an extension: 0101 stays what it is.
type shaper struct {
	out    bytes.Buffer
	faults []Fault
	left   int // values
}

func (s *shaper) fault(n *yaml.Node, path, detail string) {
	if len(s.faults) < maxFaults {
		s.faults = append(s.faults, Fault{Line: n.Line, Path: path, Detail: detail})
	}
	s.out.WriteString("null") // the result is not read any more
}

// fits refuses what no document has, whatever stands where.
func (s *shaper) fits(n *yaml.Node, path string, depth int) bool {
	s.left--
	switch {
	case s.left < 0:
		s.faults = append(s.faults[:min(len(s.faults), maxFaults)], Fault{Line: n.Line, Detail: fmt.Sprintf("has more than %d values", MaxValues)})
	case depth > MaxDepth:
		s.fault(n, path, tooDeep())
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Tag == "!!merge":
		s.fault(n, path, "has an anchor, an alias or a merge: write out what is meant")
	case n.Style&yaml.TaggedStyle != 0:
		s.fault(n, path, "has a tag of YAML's: write the value alone")
	default:
		return true
	}
	return false
}

// value writes what is of a type.
func (s *shaper) value(n *yaml.Node, t reflect.Type, path string, depth int) {
	if s.left < 0 || !s.fits(n, path, depth) {
		return
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		s.free(n, path, depth)
		return
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n.Kind == yaml.ScalarNode && n.Tag == tagNull {
		if t.Kind() == reflect.Slice {
			s.fault(n, path, "is empty: write [] to remove all, or leave it out to leave all alone")
		} else {
			s.fault(n, path, "is empty: leave it out instead")
		}
		return
	}
	_, ownText := reflect.New(t).Interface().(encoding.TextUnmarshaler)
	switch {
	case ownText:
		s.ownText(n, t, path)
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Map:
		s.members(n, t, path, depth)
	case t.Kind() == reflect.Slice:
		s.list(n, t, path, depth)
	default:
		s.scalar(n, t, path)
	}
}

func (s *shaper) ownText(n *yaml.Node, t reflect.Type, path string) {
	text, ok := textOf(n)
	if !ok {
		s.fault(n, path, "is no text")
		return
	}
	if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text)); err != nil {
		s.fault(n, path, "is not right: "+err.Error())
		return
	}
	s.json(text)
}

// textOf gives a scalar as text: what YAML takes for a number or a date as well.
func textOf(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		return "", false
	}
	switch n.Tag {
	case tagText, tagInt, tagFloat, tagTime:
		return n.Value, true
	}
	return "", false
}

func (s *shaper) scalar(n *yaml.Node, t reflect.Type, path string) {
	switch t.Kind() {
	case reflect.String:
		if text, ok := textOf(n); ok {
			s.json(text)
			return
		}
		s.fault(n, path, "is no text: write it in quotes")
	case reflect.Bool:
		if n.Kind == yaml.ScalarNode && n.Tag == tagBool && (n.Value == "true" || n.Value == "false") {
			s.out.WriteString(n.Value)
			return
		}
		s.fault(n, path, "is neither true nor false")
	default: // whole numbers
		if i, err := strconv.Atoi(n.Value); n.Kind == yaml.ScalarNode && n.Tag == tagInt && err == nil {
			s.json(i)
			return
		}
		s.fault(n, path, "is no whole number")
	}
}

func (s *shaper) json(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text = []byte("null") // neither text nor numbers fail
	}
	s.out.Write(text)
}

func (s *shaper) list(n *yaml.Node, t reflect.Type, path string, depth int) {
	if n.Kind != yaml.SequenceNode {
		s.fault(n, path, "is no list")
		return
	}
	s.out.WriteByte('[')
	for i, inner := range n.Content {
		if i > 0 {
			s.out.WriteByte(',')
		}
		s.value(inner, t.Elem(), path+"/"+place(inner, i), depth+1)
	}
	s.out.WriteByte(']')
}

// place names an entry of a list by its id, or by its position.
func place(n *yaml.Node, i int) string {
	if n.Kind == yaml.MappingNode && len(n.Content) >= 2 {
		switch key := n.Content[0].Value; key {
		case "id", "user", "device", "number", "dialled", "prefix", "date":
			if n.Content[1].Kind == yaml.ScalarNode && n.Content[1].Value != "" {
				return escape(n.Content[1].Value)
			}
		}
	}
	return strconv.Itoa(i)
}

// members writes a record, or a map by names of the file's own.
func (s *shaper) members(n *yaml.Node, t reflect.Type, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		s.fault(n, path, "is no record of members")
		return
	}
	fields := fieldsOf(t)
	s.record(n, path, func(key, value *yaml.Node) {
		of := t
		if t.Kind() == reflect.Map {
			of = t.Elem()
		} else {
			var known bool
			if of, known = fields[key.Value]; !known {
				s.fault(key, path+"/"+escape(key.Value), "is not known")
				return
			}
		}
		s.value(value, of, path+"/"+escape(key.Value), depth+1)
	})
}

// record writes the members of a record, each of which may be there once.
func (s *shaper) record(n *yaml.Node, path string, member func(key, value *yaml.Node)) {
	seen := map[string]bool{}
	s.out.WriteByte('{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if i > 0 {
			s.out.WriteByte(',')
		}
		if _, ok := textOf(key); !ok || key.Anchor != "" || key.Style&yaml.TaggedStyle != 0 {
			s.json("?")
			s.out.WriteByte(':')
			s.fault(key, path, "has a member whose name is no text: write it in quotes; names are not merged")
			continue
		}
		s.json(key.Value)
		s.out.WriteByte(':')
		if seen[key.Value] {
			s.fault(key, path+"/"+escape(key.Value), "is there twice")
			continue
		}
		seen[key.Value] = true
		member(key, value)
	}
	s.out.WriteByte('}')
}

// fieldsOf gives the members of a record by their names.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	if t.Kind() != reflect.Struct {
		return all
	}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.IsExported() && name != "" && name != "-" {
			all[name] = field.Type
		}
	}
	return all
}

// free writes what has no form here: settings, which the types of elements check.
func (s *shaper) free(n *yaml.Node, path string, depth int) {
	switch n.Kind {
	case yaml.MappingNode:
		s.record(n, path, func(key, value *yaml.Node) {
			at := path + "/" + escape(key.Value)
			if s.left >= 0 && s.fits(value, at, depth+1) {
				s.free(value, at, depth+1)
			}
		})
	case yaml.SequenceNode:
		s.out.WriteByte('[')
		for i, inner := range n.Content {
			if i > 0 {
				s.out.WriteByte(',')
			}
			at := path + "/" + strconv.Itoa(i)
			if s.left >= 0 && s.fits(inner, at, depth+1) {
				s.free(inner, at, depth+1)
			}
		}
		s.out.WriteByte(']')
	default:
		s.freeScalar(n, path)
	}
}

// freeScalar writes a number only if it is one in JSON too: +12025550100 and 0101 are texts.
func (s *shaper) freeScalar(n *yaml.Node, path string) {
	switch n.Tag {
	case tagNull:
		s.out.WriteString("null")
	case tagBool:
		s.json(strings.EqualFold(n.Value, "true"))
	case tagInt, tagFloat:
		if json.Valid([]byte(n.Value)) {
			s.out.WriteString(n.Value)
			return
		}
		s.json(n.Value)
	case tagText, tagTime:
		s.json(n.Value)
	default:
		s.fault(n, path, "is neither text, number, list nor record")
	}
}
