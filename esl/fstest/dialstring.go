package fstest

import (
	"errors"
	"strings"
)

// target is one leg of a dial string.
type target struct {
	endpoint string // "sofia", "error", ...
	rest     string // what follows the first slash
	vars     []field
}

// dialPlan is a parsed dial string: variables for all legs, and groups that are
// tried one after the other, each of which rings at once.
type dialPlan struct {
	vars   []field
	groups [][]target
}

var (
	errDialString  = errors.New("fstest: dial string without a target")
	errTooManyLegs = errors.New("fstest: dial string with too many targets")
)

// parseDialString reads "{a=b}[c=d]sofia/internal/sip:x@y,[...]...|...".
func parseDialString(text string) (dialPlan, error) {
	var plan dialPlan
	text = strings.TrimSpace(text)
	for strings.HasPrefix(text, "{") || strings.HasPrefix(text, "<") {
		closing := byte('}')
		if text[0] == '<' {
			closing = '>'
		}
		vars, rest := cutVariables(text, closing)
		plan.vars = append(plan.vars, vars...)
		text = strings.TrimLeft(rest, " ")
	}
	for _, group := range splitOutside(text, '|') {
		var targets []target
		for _, leg := range splitOutside(group, ',') {
			t, ok := parseTarget(strings.TrimSpace(leg))
			if ok {
				targets = append(targets, t)
			}
		}
		if len(targets) > maxBridgeTargets {
			return plan, errTooManyLegs
		}
		if len(targets) > 0 {
			plan.groups = append(plan.groups, targets)
		}
	}
	if len(plan.groups) == 0 || len(plan.groups) > maxBridgeTargets {
		return plan, errDialString
	}
	return plan, nil
}

func parseTarget(text string) (target, bool) {
	var t target
	for strings.HasPrefix(text, "[") {
		vars, rest := cutVariables(text, ']')
		t.vars = append(t.vars, vars...)
		text = strings.TrimLeft(rest, " ")
	}
	if text == "" {
		return t, false
	}
	t.endpoint, t.rest, _ = strings.Cut(text, "/")
	return t, true
}

// cutVariables reads one bracketed list, which text starts with, and returns
// what follows it.
func cutVariables(text string, closing byte) (vars []field, rest string) {
	end := len(text)
	for i, quoted := 1, false; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '\'':
			quoted = !quoted
		case text[i] == closing && !quoted:
			end = i
		}
		if end < len(text) {
			break
		}
	}
	if end == len(text) {
		return nil, ""
	}
	body := text[1:end]
	separator := byte(',')
	if inner, ok := strings.CutPrefix(body, "^^"); ok && inner != "" {
		separator, body = inner[0], inner[1:]
	}
	for _, pair := range splitQuoted(body, separator) {
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); ok && name != "" {
			vars = append(vars, field{name, unquote(value)})
		}
	}
	return vars, text[end+1:]
}

// splitOutside splits at a separator that is not inside brackets or quotes.
func splitOutside(text string, separator byte) []string {
	var parts []string
	depth, quoted, start := 0, false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '\'' && depth > 0:
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{' || c == '<':
			depth++
		case c == ']' || c == '}' || c == '>':
			depth = max(0, depth-1)
		case c == separator && depth == 0:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// splitQuoted splits at a separator that is neither escaped nor in quotes.
func splitQuoted(text string, separator byte) []string {
	var parts []string
	quoted, start := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '\'':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

// unquote takes quotes and backslashes away.
func unquote(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			out.WriteByte(text[i])
		case text[i] == '\'':
		default:
			out.WriteByte(text[i])
		}
	}
	return out.String()
}
