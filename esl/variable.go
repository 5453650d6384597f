package esl

import (
	"strings"
	"unicode/utf8"
)

const (
	// enterpriseSeparator splits a whole dial string into separate originates.
	enterpriseSeparator = ":_:"
	// nestedVariables anywhere in a dial string switches expansion of values on.
	nestedVariables = "origination_nested_vars"
	// separators are tried in this order where values hold the usual one. None
	// has a meaning of its own in a dial string or an api argument.
	separators = "~!#*@+&;,"
)

// Var is one channel variable of a dial string or of UUIDSetvarMulti.
type Var struct{ Name, Value string }

// checkVariableName accepts letters, digits, _ and - after a letter, and
// refuses the variables that make FreeSWITCH run or reinterpret something.
func checkVariableName(s string) *offence {
	if o := checkChars(s, maxNameBytes, func(c byte) bool { return isAlnum(c) || c == '_' || c == '-' }); o != nil {
		return o
	}
	if !isAlpha(s[0]) {
		return refuse("character not allowed", 0)
	}
	lower := strings.ToLower(s)
	for _, prefix := range [...]string{"api_", "execute_on_", "exec_", "bridge_pre_execute_", "transfer_after_", "transfer_fallback_", "transfer_on_fail", "lua_", "python_", "javascript_"} {
		if strings.HasPrefix(lower, prefix) {
			return refuse("variable that executes", 0)
		}
	}
	switch lower {
	case "record_post_process_exec_api", "record_post_process_exec_app", nestedVariables, "app_disable_expand_variables":
		return refuse("variable that executes or reinterprets", 0)
	}
	return nil
}

// checkVariable adds to a check of the value what the variable's meaning asks for.
func checkVariable(name, value string, check func(string) *offence) *offence {
	if o := check(value); o != nil {
		return o
	}
	switch lower := strings.ToLower(name); lower {
	case "origination_caller_id_name", "origination_callee_id_name", "effective_caller_id_name",
		"effective_callee_id_name", "caller_id_name", "sip_from_display", "sip_to_display":
		return checkName(value)
	case "origination_caller_id_number", "origination_callee_id_number", "effective_caller_id_number",
		"effective_callee_id_number", "caller_id_number", "origination_ani":
		return checkNumber(value)
	case "origination_uuid":
		return checkUUID(value)
	case "ringback", "transfer_ringback", "hold_music", "temp_hold_music",
		"group_confirm_file", "group_confirm_error_file", "campon_hold_music":
		return checkAmbience(value)
	case "group_confirm_key":
		if strings.EqualFold(value, "exec") {
			return refuse("variable that executes", 0)
		}
	default:
		for _, prefix := range [...]string{"sip_h_", "sip_rh_", "sip_ph_", "sip_bye_h_"} {
			if header, ok := strings.CutPrefix(lower, prefix); ok {
				return checkHeaderName(header)
			}
		}
	}
	return nil
}

// checkHeaderName accepts, in lower case, the SIP headers that a variable may
// add: private ones and those about identity and reason, never one that SIP
// itself works with.
func checkHeaderName(lower string) *offence {
	switch {
	case len(lower) > 2 && (strings.HasPrefix(lower, "x-") || strings.HasPrefix(lower, "p-")):
		return nil
	}
	switch lower {
	case "alert-info", "call-info", "diversion", "geolocation", "history-info", "identity", "privacy", "reason", "subject":
		return nil
	}
	return refuse("SIP header not allowed", -1)
}

// checkAmbience accepts what may play behind a call: a prompt, a tone such as
// %(2000,4000,440,480), or one of FreeSWITCH's words.
func checkAmbience(s string) *offence {
	if s == "silence" || s == "indicate_hold" {
		return nil
	}
	if strings.HasPrefix(s, "%(") {
		return checkTone(s)
	}
	return checkPrompt(s)
}

// addVariables renders name=value pairs. Where a value holds the usual
// separator, another one is announced with ^^, so that no quotes are needed.
func (b *builder) addVariables(where string, vars []Var, usual byte, check func(string) *offence) {
	used := ""
	for i, v := range vars {
		b.check(where+" variable name", checkVariableName(v.Name))
		b.check(where+" variable "+cleanIdentifier(v.Name), checkVariable(v.Name, v.Value, check))
		for _, earlier := range vars[:i] {
			if strings.EqualFold(earlier.Name, v.Name) {
				b.check(where+" variable "+cleanIdentifier(v.Name), refuse("given twice", -1))
			}
		}
		used += v.Value
	}
	separator := usual
	if strings.IndexByte(used, usual) >= 0 {
		free := strings.IndexFunc(separators, func(r rune) bool { return !strings.ContainsRune(used, r) })
		if free < 0 {
			b.check(where+" variables", refuse("no separator left", -1))
			return
		}
		separator = separators[free]
		b.add("^^", string(separator))
	}
	for i, v := range vars {
		if i > 0 {
			b.text.WriteByte(separator)
		}
		b.add(v.Name, "=", v.Value)
	}
}

// cleanIdentifier names a variable in an error, unless the name itself is bad.
func cleanIdentifier(name string) string {
	if checkVariableName(name) != nil {
		return "value"
	}
	return name
}

// CleanName makes a display name from outside fit for a caller-id variable: it
// keeps what can be carried, turns the apostrophe into its typographic form,
// the brackets into round ones, drops the rest and what is beyond 80 bytes.
// Names from phones are hostile; a call should not fail because of one.
func CleanName(s string) string {
	const maxBytes = 80
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == '\'':
			r = '’'
		case r == '[' || r == '{' || r == '<':
			r = '('
		case r == ']' || r == '}' || r == '>':
			r = ')'
		case r < ' ' || r == 0x7f || r == utf8.RuneError || strings.ContainsRune(`$\|"%^`, r):
			continue
		}
		if out.Len()+utf8.RuneLen(r) > maxBytes {
			break
		}
		out.WriteRune(r)
	}
	clean := strings.TrimSpace(out.String())
	if checkSplitValue(clean) != nil || checkName(clean) != nil || strings.Contains(strings.ToLower(clean), "mod_event_socket") {
		return "" // a word that no escape helps against
	}
	return clean
}
