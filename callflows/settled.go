package callflows

import (
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// readSettled reads settings that were checked when they were saved: a million of them when a worker starts. It goes over the text
// once, by the schema, and puts in what is left out; json.Unmarshal does the rest. Whatever is not plainly good (a fault, and also
// an escape, a fraction or a member that is there twice) it leaves to read, which is slower and can say what is wrong: the
// value is the same either way, which a test holds it to.
func readSettled[T any](s *schema, settings json.RawMessage) (value T, ok bool) {
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	const room = 256
	p := plain{in: settings, out: make([]byte, 0, max(room, 2*len(settings)))}
	if !p.value(s) || !p.ended() {
		return value, false
	}
	if p.filled { // else the text is whole as it is
		settings = append(p.out, settings[p.written:]...)
	}
	return value, json.Unmarshal(settings, &value) == nil
}

// plain is one walk over settings.
type plain struct {
	in      []byte
	at      int
	out     []byte // what is read instead: in, with defaults
	written int    // of in
	filled  bool
}

// maxPlainMembers is how many members of a record are told apart in one word.
const maxPlainMembers = 64

func (p *plain) space() {
	for p.at < len(p.in) {
		switch p.in[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next takes a character, if it is the next one.
func (p *plain) next(c byte) bool {
	p.space()
	if p.at < len(p.in) && p.in[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *plain) ended() bool {
	p.space()
	return p.at == len(p.in)
}

// value goes over one value and says whether it is plainly good.
func (p *plain) value(s *schema) bool {
	switch s.kind {
	case recordValue:
		return p.record(s)
	case listValue:
		return p.list(s)
	case textValue:
		text, ok := p.text()
		return ok && goodText(s, text)
	case wholeValue:
		return p.number(s)
	case flagValue:
		return p.word("true") || p.word("false")
	}
	return false
}

func (p *plain) record(s *schema) bool {
	if !p.next('{') || len(s.members) > maxPlainMembers {
		return false
	}
	count, full := 0, len(s.someOf) == 0
	var there uint64
	for !p.next('}') {
		if count > 0 && !p.next(',') {
			return false
		}
		name, ok := p.text()
		i := slices.IndexFunc(s.members, func(m member) bool { return m.name == string(name) })
		if !ok || i < 0 || there&(1<<i) != 0 || !p.next(':') {
			return false
		}
		there |= 1 << i
		count++
		p.space()
		from := p.at
		if !p.value(&s.members[i].schema) {
			return false
		}
		full = full || slices.Contains(s.someOf, s.members[i].name) && p.in[from] == '[' && !emptyList(p.in[from:p.at])
	}
	return count >= s.least && full && p.fill(s, there, count > 0)
}

// emptyList says whether a list that is good has no items.
func emptyList(list []byte) bool {
	for _, c := range list[1 : len(list)-1] {
		switch c {
		case ' ', '\t', '\n', '\r':
		default:
			return false
		}
	}
	return true
}

// fill puts in the members that are left out, at the end of the record that has just been read.
func (p *plain) fill(s *schema, there uint64, others bool) bool {
	for i := range s.members {
		m := &s.members[i]
		switch {
		case there&(1<<i) != 0:
		case m.required:
			return false
		case m.initial != nil:
			p.put(m, others)
			others = true
		}
	}
	return true
}

func (p *plain) put(m *member, others bool) {
	end := p.at - len("}")
	p.out = append(p.out, p.in[p.written:end]...)
	p.written, p.filled = end, true
	if others {
		p.out = append(p.out, ',')
	}
	p.out = append(strconv.AppendQuote(p.out, m.name), ':')
	switch v := m.initial.(type) {
	case int:
		p.out = strconv.AppendInt(p.out, int64(v), 10)
	case bool:
		p.out = strconv.AppendBool(p.out, v)
	case string:
		p.out = strconv.AppendQuote(p.out, v) // plain texts, the same in Go and JSON
	default:
		p.out = append(p.out, "null"...)
	}
}

func (p *plain) list(s *schema) bool {
	if !p.next('[') {
		return false
	}
	n := 0
	for ; !p.next(']'); n++ {
		if n > 0 && !p.next(',') {
			return false
		}
		p.space()
		if !p.value(s.items) {
			return false
		}
	}
	return n >= s.min && (s.max == 0 || n <= s.max)
}

// text takes a text without escapes.
func (p *plain) text() ([]byte, bool) {
	if !p.next('"') {
		return nil, false
	}
	for i := p.at; i < len(p.in); i++ {
		switch c := p.in[i]; {
		case c == '"':
			text := p.in[p.at:i]
			p.at = i + 1
			return text, true
		case c == '\\' || c < ' ':
			return nil, false
		}
	}
	return nil, false
}

func goodText(s *schema, text []byte) bool {
	if !utf8.Valid(text) || s.expression {
		return false
	}
	n := utf8.RuneCount(text)
	return (len(s.oneOf) == 0 || slices.ContainsFunc(s.oneOf, func(v any) bool { t, ok := v.(string); return ok && t == string(text) })) &&
		n >= s.min && (s.max == 0 || n <= s.max) && (s.form == nil || s.form.Match(text))
}

// number takes a whole number that is written plainly.
func (p *plain) number(s *schema) bool {
	p.space()
	const longest = 10 // digits: an int32
	from := p.at
	if p.at < len(p.in) && p.in[p.at] == '-' {
		p.at++
	}
	first := p.at
	for p.at < len(p.in) && p.in[p.at] >= '0' && p.in[p.at] <= '9' {
		p.at++
	}
	if p.at == first || p.at-first > longest || p.in[first] == '0' && p.at-first > 1 {
		return false
	}
	if p.at < len(p.in) {
		switch p.in[p.at] {
		case '.', 'e', 'E':
			return false
		}
	}
	n, err := strconv.Atoi(string(p.in[from:p.at]))
	if err != nil {
		return false
	}
	if len(s.oneOf) > 0 {
		return slices.ContainsFunc(s.oneOf, func(v any) bool { k, ok := v.(int); return ok && k == n })
	}
	return n >= s.min && n <= s.max
}

func (p *plain) word(word string) bool {
	p.space()
	if len(p.in)-p.at < len(word) || string(p.in[p.at:p.at+len(word)]) != word {
		return false
	}
	p.at += len(word)
	return true
}
