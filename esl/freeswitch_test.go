package esl

import (
	"fmt"
	"strings"
)

// This file models how FreeSWITCH reads what this package writes, as far as
// injections go. It was written from the behaviour of mod_event_socket.c
// (read_packet, parse_command), switch_utils.c (separate_string), switch_event.c
// (create_brackets) and switch_ivr_originate.c, and of a running FreeSWITCH.

// request is one command as the event socket would cut it out of the stream.
type request struct {
	command string
	headers [][2]string
}

// readRequests cuts a byte stream into commands.
func readRequests(wire string) (all []request) {
	for {
		wire = strings.TrimLeft(wire, "\r\n")
		if wire == "" {
			return all
		}
		block, rest, found := strings.Cut(strings.ReplaceAll(wire, "\r", ""), "\n\n")
		if !found {
			return append(all, request{command: "INCOMPLETE"})
		}
		lines := strings.Split(block, "\n")
		r := request{command: lines[0]}
		for _, line := range lines[1:] {
			name, value, _ := strings.Cut(line, ":")
			r.headers = append(r.headers, [2]string{name, strings.TrimLeft(value, " ")})
		}
		lower := strings.ToLower(block) // read_packet makes a "Command" of the whole packet before it cuts it into lines
		if strings.Contains(lower, "mod_event_socket") && (strings.Contains(lower, "unload") || strings.Contains(lower, "reload")) {
			r.command = "UNLOADED"
		}
		if at := strings.IndexByte(r.command, 0); at >= 0 {
			r.command = r.command[:at]
		}
		all = append(all, r)
		wire = rest
	}
}

func (r request) header(name string) string {
	for _, h := range r.headers {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

// expands says whether the expansion of variables would change s.
func expands(s string) bool {
	for i := range len(s) {
		if s[i] == '$' && strings.HasPrefix(strings.TrimLeft(s[i+1:], `$\`), "{") || s[i] == '\\' {
			return true
		}
	}
	return false
}

// separate splits as switch_separate_string does: quotes protect, backslashes
// escape, a leading ^^ names another delimiter; the last field takes the rest.
func separate(s string, delimiter byte, limit int) (fields []string) {
	if strings.HasPrefix(s, "^^") && len(s) > 3 {
		delimiter, s = s[2], s[3:]
	}
	start, quoted := 0, false
	for i := 0; i < len(s) && len(fields) < limit-1; i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '\'' && (quoted || delimiter == ' ' || strings.IndexByte(s[i+1:], '\'') >= 0):
			quoted = !quoted
		case s[i] == delimiter && !quoted:
			fields = append(fields, tidy(s[start:i], delimiter))
			if delimiter == ' ' {
				for i+1 < len(s) && s[i+1] == ' ' {
					i++
				}
			}
			start = i + 1
		}
	}
	if start < len(s) {
		fields = append(fields, tidy(s[start:], delimiter))
	}
	return fields
}

// tidy takes quotes, escapes and outer blanks away from one field.
func tidy(s string, delimiter byte) string {
	s = strings.TrimLeft(s, " ")
	var out []byte
	end, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`'"\nrts`+string(delimiter), s[i+1]) >= 0:
			i++
			out = append(out, s[i])
			end = len(out)
		case s[i] == '\'' && (quoted || strings.IndexByte(s[i+1:], '\'') >= 0):
			quoted = !quoted
		default:
			out = append(out, s[i])
			if s[i] != ' ' || quoted {
				end = len(out)
			}
		}
	}
	return string(out[:end])
}

// closing finds the bracket that ends the one at s[0], or -1.
func closing(s string, open, end byte) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// dialed is what a dial string came to.
type dialed struct {
	vars [][2]string
	legs []dialedLeg
	mode Mode
}

type dialedLeg struct {
	vars              [][2]string
	endpoint, profile string
	uri, route        string
}

// dial reads a dial string.
func dial(s string) (d dialed, err error) {
	if expands(s) || strings.Contains(s, ":_:") || strings.Contains(strings.ToLower(s), "origination_nested_vars") {
		return d, fmt.Errorf("expanded, or several originates")
	}
	for strings.HasPrefix(s, "<") || strings.HasPrefix(s, "{") {
		end := closing(s, s[0], s[0]+2)
		if end < 0 {
			return d, fmt.Errorf("unbalanced")
		}
		d.vars = append(d.vars, assignments(s[1:end], ',')...)
		s = strings.TrimLeft(s[end+1:], " ")
	}
	groups := separate(s, '|', 1000)
	if len(groups) > 1 {
		d.mode = Sequential
	}
	for _, group := range groups {
		for _, leg := range separate(protectCommas(group), ',', 1000) {
			l, err := dialLeg(leg)
			if err != nil {
				return d, err
			}
			d.legs = append(d.legs, l)
		}
	}
	return d, nil
}

const (
	plainComma = "\x01" // stands for a comma that separates variables in brackets
	valueComma = "\x02" // for one that belongs to a value
)

// protectCommas marks the commas inside brackets.
func protectCommas(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '[' {
			if end := closing(s[i:], '[', ']'); end > 0 {
				inside, mark := s[i:i+end+1], plainComma
				if strings.HasPrefix(inside, "[^^") {
					mark = valueComma
				}
				out.WriteString(strings.ReplaceAll(inside, ",", mark))
				i += end
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

func dialLeg(s string) (l dialedLeg, err error) {
	for s = strings.TrimLeft(s, " "); strings.HasPrefix(s, "["); s = strings.TrimLeft(s, " ") {
		end := closing(s, '[', ']')
		if end < 0 {
			return l, fmt.Errorf("unbalanced leg")
		}
		l.vars = append(l.vars, assignments(strings.ReplaceAll(s[1:end], valueComma, ","), plainComma[0])...)
		s = s[end+1:]
	}
	parts := strings.SplitN(s, "/", 3)
	if len(parts) < 3 {
		return l, fmt.Errorf("leg %q", s)
	}
	l.endpoint, l.profile = parts[0], parts[1]
	uri, _, _ := strings.Cut(parts[2], "^")
	l.uri, _, _ = strings.Cut(uri, ";fs_")
	if _, path, ok := strings.Cut(uri, ";fs_path="); ok {
		if at := strings.IndexAny(path, ">;"); at >= 0 {
			path = path[:at]
		}
		l.route = unescape([]byte(path))
	}
	return l, nil
}

func assignments(s string, delimiter byte) (vars [][2]string) {
	for _, field := range separate(s, delimiter, 1024) {
		if pair := separate(field, '=', 2); len(pair) == 2 {
			vars = append(vars, [2]string{pair[0], pair[1]})
		}
	}
	return vars
}
