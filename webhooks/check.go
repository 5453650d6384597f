package webhooks

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Check says how the data of an event differs from what its type promises, or nil.
func Check(kind string, data []byte) error {
	i := slices.IndexFunc(Types(), func(t Type) bool { return t.Name == kind })
	if i < 0 {
		return fmt.Errorf("webhooks: there is no type %s", kind)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("webhooks: %s: %w", kind, err)
	}
	for _, f := range Types()[i].Fields {
		value, given := members[f.Name]
		delete(members, f.Name)
		switch {
		case !given && f.Optional:
		case !given:
			return fmt.Errorf("webhooks: %s has no %s", kind, f.Name)
		case !f.takes(value):
			return fmt.Errorf("webhooks: %s of %s is no %s it may have: %v", f.Name, kind, f.Kind, value)
		}
	}
	for name := range members {
		return fmt.Errorf("webhooks: %s has a member %s that its type does not name", kind, name)
	}
	return nil
}

func (f Field) takes(value any) bool {
	switch v := value.(type) {
	case string:
		if f.Kind == Time {
			_, err := time.Parse(time.RFC3339, v)
			return err == nil
		}
		return f.Kind == Text && (len(f.Values) == 0 || slices.Contains(f.Values, v))
	case float64:
		return f.Kind == Number && v == float64(int64(v))
	case bool:
		return f.Kind == Boolean
	}
	return false
}

// Schema is the JSON Schema (2020-12) of a message's body.
func (t Type) Schema() map[string]any {
	text := map[string]any{"type": "string"}
	return object([]string{"id", "type", "timestamp", "tenant", "data"}, map[string]any{
		"id": text, "type": map[string]any{"const": t.Name}, "timestamp": map[string]any{"type": "string", "format": "date-time"}, "tenant": text, "data": t.DataSchema(),
	})
}

// DataSchema is that of the member data alone.
func (t Type) DataSchema() map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range t.Fields {
		properties[f.Name] = f.schema()
		if !f.Optional {
			required = append(required, f.Name)
		}
	}
	return object(required, properties)
}

// object allows further members: a later release may add some.
func object(required []string, properties map[string]any) map[string]any {
	return map[string]any{"type": "object", "required": required, "properties": properties}
}

func (f Field) schema() map[string]any {
	s := map[string]any{"description": f.Words}
	switch f.Kind {
	case Text:
		s["type"] = "string"
	case Number:
		s["type"] = "integer"
	case Boolean:
		s["type"] = "boolean"
	case Time:
		s["type"], s["format"] = "string", "date-time"
	}
	if len(f.Values) > 0 {
		s["enum"] = f.Values
	}
	return s
}
