package fstest

import (
	"slices"
	"strings"
)

// field is one header of an event or one variable of a channel.
type field struct{ name, value string }

// variables are a channel's, in the order in which they were last set, which is
// the order in which FreeSWITCH shows them.
type variables struct{ fields []field }

// get returns a variable and whether it is set. Names compare without case, as
// switch_event_get_header does.
func (v *variables) get(name string) (string, bool) {
	for i := range v.fields {
		if strings.EqualFold(v.fields[i].name, name) {
			return v.fields[i].value, true
		}
	}
	return "", false
}

// set puts a variable at the end; an empty value unsets it (switch_channel_set_variable).
func (v *variables) set(name, value string) {
	v.unset(name)
	if value == "" || name == "" || len(v.fields) >= maxVariables || len(value) > maxVariableBytes {
		return
	}
	v.fields = append(v.fields, field{name, value})
}

// setForeign sets a variable from what a peer sent: FreeSWITCH drops a value
// that a later expansion would read (switch_channel_set_variable).
func (v *variables) setForeign(name, value string) {
	if expandable(value) >= 0 {
		v.unset(name)
		return
	}
	v.set(name, value)
}

// expandable finds the dollar sign of a "${" or "$\{" (switch_string_var_check).
func expandable(text string) int {
	dollar := -1
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '$':
			dollar = i
		case dollar >= 0 && text[i] == '{':
			return dollar
		case text[i] != '\\':
			dollar = -1
		}
	}
	return -1
}

// cleaned is a caller profile's field: "%{" instead of "${".
func cleaned(text string) string {
	for at := expandable(text); at >= 0; at = expandable(text) {
		text = text[:at] + "%" + text[at+1:]
	}
	return text
}

// replace keeps the place of a variable that is already there.
func (v *variables) replace(name, value string) {
	for i := range v.fields {
		if strings.EqualFold(v.fields[i].name, name) && value != "" {
			v.fields[i].value = value
			return
		}
	}
	v.set(name, value)
}

func (v *variables) unset(name string) {
	v.fields = slices.DeleteFunc(v.fields, func(f field) bool { return strings.EqualFold(f.name, name) })
}

// isTrue is switch_true of a variable.
func (v *variables) isTrue(name string) bool {
	value, _ := v.get(name)
	return isTrue(value)
}

// isTrue is switch_utils.h, switch_true.
func isTrue(text string) bool {
	switch strings.ToLower(text) {
	case "yes", "on", "true", "t", "enabled", "active", "allow":
		return true
	}
	number := strings.TrimSpace(text)
	return number != "" && strings.Trim(number, "0123456789") == "" && strings.Trim(number, "0") != ""
}

// expand replaces ${name} by the variable's value, once, and unknown names by
// nothing (switch_channel_expand_variables without its API calls).
func (v *variables) expand(text string, globals func(string) (string, bool)) string {
	if !strings.Contains(text, "${") {
		return text
	}
	var out strings.Builder
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			break
		}
		end := strings.IndexByte(text[start:], '}')
		if end < 0 {
			break
		}
		out.WriteString(text[:start])
		name := text[start+2 : start+end]
		if value, ok := v.get(name); ok {
			out.WriteString(value)
		} else if value, ok := globals(name); ok {
			out.WriteString(value)
		}
		text = text[start+end+1:]
	}
	out.WriteString(text)
	return out.String()
}
