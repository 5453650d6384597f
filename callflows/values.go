package callflows

import (
	"cmp"
	"maps"
	"regexp"
	"strings"

	"tandem/messages"
)

// Bounds of what a flow may keep about a call.
const (
	MaxVariables     = 20  // of one call
	MaxVariableBytes = 256 // of one value
	maxTemplate      = 256 // characters of a template
)

// template is the form of a text in which {NAME} stands for something of the call.
var template = regexp.MustCompile(`^([^{}\p{C}]|\{(caller\.(number|name|device|trunk)|dialled(\.rest)?|language|var\.[a-z][a-z0-9_]{0,31})\})*$`)

const templateWords = "a text in which {caller.number}, {caller.name}, {caller.device}, {caller.trunk}, {dialled}, {dialled.rest}, {language} and {var.NAME} stand for " +
	"what they name, without other braces"

// templateSchema is the schema of a setting that is a template.
func templateSchema(description string) schema {
	return schema{kind: textValue, max: maxTemplate, form: template, formWords: templateWords, description: description}
}

// value is something of the call by the name that templates use. What is not known is empty.
func (s *step) value(name string) string {
	c := s.caller()
	switch name {
	case "caller.number":
		return c.Number
	case "caller.name":
		return c.Name
	case "caller.device":
		return c.Device
	case "caller.trunk":
		return c.Trunk
	case "dialled":
		return s.dialled()
	case "dialled.rest":
		return s.dialledRest()
	case "language":
		return s.language()
	}
	if variable, ok := strings.CutPrefix(name, "var."); ok {
		return s.state.Variables[variable]
	}
	return ""
}

// dialledRest is what was dialled after the prefix of the route that took the call; empty for a route of a whole number.
func (s *step) dialledRest() string {
	t, dialled := s.config.Tenant, s.dialled()
	if t == nil || t.Route(dialled) != nil {
		return ""
	}
	_, rest := t.RouteByPrefix(dialled)
	return rest
}

// expand writes a template out. What was put in is not expanded once more: it may come from a phone.
func (s *step) expand(template string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(template, "{")
		out.WriteString(before)
		if !found {
			return clip(out.String(), MaxVariableBytes)
		}
		name, after, _ := strings.Cut(rest, "}")
		out.WriteString(s.value(name))
		template = after
	}
}

// keep sets a variable of the call. It is false when there is no room for another. An empty value takes it away.
func (s *step) keep(name, value string) bool {
	variables := maps.Clone(s.state.Variables) // the state before the step keeps its own
	if variables == nil {
		variables = map[string]string{}
	}
	if value == "" {
		delete(variables, name)
	} else if _, there := variables[name]; there || len(variables) < MaxVariables {
		variables[name] = clip(value, MaxVariableBytes)
	} else {
		return false
	}
	if len(variables) == 0 {
		variables = nil
	}
	s.state.Variables = variables
	return true
}

// language is that of the call's prompts; empty is the node's own.
func (s *step) language() string {
	if s.state.Language == "" && s.config.Tenant != nil {
		return s.config.Tenant.Language
	}
	return s.state.Language
}

// presented is what a dialled phone shows: number if it is given, else what the flow has set, else the caller's own.
func (s *step) presented(number string) CallerID {
	set, caller := s.state.CallerID, s.caller()
	if set.Private && number == "" {
		return CallerID{Private: true}
	}
	return CallerID{Number: cleanNumber(cmp.Or(number, set.Number, caller.Number)), Name: clip(cmp.Or(set.Name, caller.Name), messages.MaxName)}
}
