package routing

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// URI is what routing needs of a SIP or tel URI (RFC 3261 19.1, RFC 3966).
type URI struct {
	User string `json:"user"`
	Host string `json:"host"`
}

// errURI is all that is said about a URI that cannot be read: its text comes from outside.
var errURI = errors.New("routing: not a SIP URI")

// maxUser bounds the user part: no number or name that anybody dials is longer.
const maxUser = 128

// ParseURI reads the user and the host of a SIP, SIPS or tel URI, with or without a display name and angle brackets.
// Percent escapes in the user part are decoded; a control character in it, or what is not UTF-8, is refused.
func ParseURI(text string) (URI, error) {
	text = afterName(strings.TrimSpace(text))
	if open := strings.IndexByte(text, '<'); open >= 0 {
		closed := strings.IndexByte(text[open:], '>')
		if closed < 0 {
			return URI{}, errURI
		}
		text = text[open+1 : open+closed]
	}
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok {
		return URI{}, errURI
	}
	var u URI
	switch {
	case strings.EqualFold(scheme, "sip"), strings.EqualFold(scheme, "sips"):
		if at := strings.IndexByte(rest, '@'); at >= 0 {
			u.User, rest = rest[:at], rest[at+1:]
		}
		u.User, _, _ = strings.Cut(u.User, ":") // a password, long deprecated
		u.User, _, _ = strings.Cut(u.User, ";") // parameters of the number, such as ;phone-context
		u.Host = strings.ToLower(hostOnly(rest))
		if u.Host == "" {
			return URI{}, errURI
		}
	case strings.EqualFold(scheme, "tel"):
		u.User, _, _ = strings.Cut(rest, ";")
	default:
		return URI{}, errURI
	}
	user, err := unescape(u.User)
	if err != nil || len(user) > maxUser || !utf8.ValidString(user) {
		return URI{}, errURI
	}
	u.User = user
	return u, nil
}

// afterName cuts a quoted display name off (RFC 3261 25.1): what it quotes is no URI, whatever it looks like.
func afterName(text string) string {
	if !strings.HasPrefix(text, `"`) {
		return text
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[i+1:]
		}
	}
	return ""
}

// hostOnly cuts port, parameters and headers off a host, and gives "" for what is no host.
func hostOnly(rest string) string {
	if strings.HasPrefix(rest, "[") {
		end := strings.IndexByte(rest, ']')
		if end < 0 || !afterHost(rest[end+1:]) {
			return ""
		}
		if a, err := netip.ParseAddr(rest[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return ""
		}
		return rest[:end+1]
	}
	end := 0
	for end < len(rest) && hostByte(rest[end]) {
		end++
	}
	if !afterHost(rest[end:]) {
		return ""
	}
	return rest[:end]
}

// hostByte says whether a character may stand in a name or in an IPv4 address.
func hostByte(c byte) bool {
	switch c {
	case ':', ';', '?', '"', '<', '>', '[', ']', '\\', '@', ',':
		return false
	}
	return c > ' ' && c < 0x7f
}

// afterHost says whether what follows a host may follow one: a port in digits, then parameters or headers. Two readers
// that take different parts of a URI for its host must not meet here.
func afterHost(rest string) bool {
	if port, ok := strings.CutPrefix(rest, ":"); ok {
		rest = strings.TrimLeft(port, "0123456789")
		if len(rest) == len(port) {
			return false
		}
	}
	return rest == "" || rest[0] == ';' || rest[0] == '?'
}

// unescape decodes %hh (RFC 3261 25.1) and refuses control characters.
func unescape(s string) (string, error) {
	if asItIs(s) {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) {
				return "", errURI
			}
			high, okHigh := hexDigit(s[i+1])
			low, okLow := hexDigit(s[i+2])
			if !okHigh || !okLow {
				return "", errURI
			}
			c = high<<4 | low
			i += 2
		}
		if c < ' ' || c == 0x7f {
			return "", errURI
		}
		out.WriteByte(c)
	}
	return out.String(), nil
}

// asItIs says whether a text has nothing to decode or to refuse, as most have.
func asItIs(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == 0x7f || c == '%' {
			return false
		}
	}
	return true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// Dialled brings what was dialled into the form in which routes and numbers are kept: E.164 with "+", or an extension as
// it is. Visual separators (RFC 3966 5.1.1) are left out.
func Dialled(user string) string {
	clean := user
	if !unseparated(user) {
		clean = strings.Map(func(r rune) rune {
			if strings.ContainsRune("-.() ", r) {
				return -1
			}
			return r
		}, user)
	}
	if rest, ok := strings.CutPrefix(clean, "00"); ok && len(rest) >= minE164 && digitsOnly(rest) {
		return "+" + rest
	}
	return clean
}

// unseparated says whether a text is ASCII without visual separators, as most are.
func unseparated(s string) bool {
	for i := range len(s) {
		switch c := s[i]; c {
		case '-', '.', '(', ')', ' ':
			return false
		default:
			if c >= utf8.RuneSelf {
				return false
			}
		}
	}
	return true
}

// trunkNumber is Dialled for numbers from a trunk, where a leading "+" is often left out.
func trunkNumber(user string) string {
	n := Dialled(user)
	if len(n) >= minE164 && digitsOnly(n) {
		return "+" + n
	}
	return n
}

// minE164 is the shortest digit string that is taken for an international number.
const minE164 = 8

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// token says whether a text may stand in a header of ours as it is.
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+*#._-", c) >= 0 {
			continue
		}
		return false
	}
	return s != ""
}
