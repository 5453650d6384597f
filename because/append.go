package because

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// MarshalJSON writes {"code": ..., name: value ...}: one flat object of strings in the order of their names. Of two with
// the same name the last counts.
func (r Reason) MarshalJSON() ([]byte, error) {
	const usual = 256 // bytes
	return r.appendJSON(make([]byte, 0, usual)), nil
}

// AppendReasons writes reasons as json.Marshal does. Each decision on each call is written by this.
func AppendReasons(out []byte, reasons []Reason) []byte {
	if reasons == nil {
		return append(out, "null"...)
	}
	out = append(out, '[')
	for i, r := range reasons {
		if i > 0 {
			out = append(out, ',')
		}
		out = r.appendJSON(out)
	}
	return append(out, ']')
}

// member is one of a reason's object.
type member struct{ name, value string }

func (r Reason) appendJSON(out []byte) []byte {
	const usual = 8
	var room [usual]member
	members := append(room[:0], member{"code", r.Code})
	for i := 0; i+1 < len(r.Args); i += 2 {
		members = place(members, member{r.Args[i], r.Args[i+1]})
	}
	begin := byte('{')
	for _, m := range members {
		out = append(AppendText(append(out, begin), m.name), ':')
		out = AppendText(out, m.value)
		begin = ','
	}
	return append(out, '}')
}

// place adds a member in the order of names, instead of one with the same name; the code stays. A reason has so few that
// nothing is faster.
func place(members []member, added member) []member {
	i := len(members)
	for i > 0 && added.name < members[i-1].name {
		i--
	}
	if i > 0 && added.name == members[i-1].name {
		if added.name != "code" {
			members[i-1] = added
		}
		return members
	}
	members = append(members, member{})
	copy(members[i+1:], members[i:])
	members[i] = added
	return members
}

// AppendTexts writes an array of strings as json.Marshal does.
func AppendTexts(out []byte, texts []string) []byte {
	if texts == nil {
		return append(out, "null"...)
	}
	out = append(out, '[')
	for i, text := range texts {
		if i > 0 {
			out = append(out, ',')
		}
		out = AppendText(out, text)
	}
	return append(out, ']')
}

// AppendText writes a JSON string as json.Marshal does.
func AppendText(out []byte, text string) []byte {
	begin := len(out)
	out = append(out, '"')
	from := 0 // of what is not written yet
	for i := range len(text) {
		c := text[i]
		if asIs[c] == 'y' {
			continue
		}
		if c >= utf8.RuneSelf {
			escaped, _ := json.Marshal(text) // a string cannot fail
			return append(out[:begin], escaped...)
		}
		out = appendEscaped(append(out, text[from:i]...), c)
		from = i + 1
	}
	return append(append(out, text[from:]...), '"')
}

// AppendGiven writes a member of an object, unless its value is empty, as json.Marshal does what is tagged omitempty. name is
// all that stands before the value.
func AppendGiven(out []byte, name, value string) []byte {
	if value == "" {
		return out
	}
	return AppendText(append(out, name...), value)
}

// AppendTime writes a time as json.Marshal does. One that json.Marshal refuses, beyond the year 9999, becomes null.
func AppendTime(out []byte, t time.Time) []byte {
	written, err := t.AppendText(append(out, '"'))
	if err != nil {
		return append(out, "null"...)
	}
	return append(written, '"')
}

// asIs has a y for each byte that stands in a string as it is: not for control characters, " and \ (RFC 8259 7), for what
// means something in HTML, as with json.Marshal, and for what is not ASCII.
const asIs = "--------------------------------" +
	"yy-yyy-yyyyyyyyyyyyyyyyyyyyy-y-y" + // without " & < >
	"yyyyyyyyyyyyyyyyyyyyyyyyyyyy-yyy" + // without \
	"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" +
	"----------------------------------------------------------------" +
	"----------------------------------------------------------------"

// appendEscaped writes an ASCII character that cannot stand as it is.
func appendEscaped(out []byte, c byte) []byte {
	const named, letters, hex = "\"\\\b\f\n\r\t", `"\bfnrt`, "0123456789abcdef"
	if i := strings.IndexByte(named, c); i >= 0 {
		return append(out, '\\', letters[i])
	}
	return append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
