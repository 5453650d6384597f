package esl

import (
	"strings"
	"unicode/utf8"
)

// Bounds of single arguments, in bytes.
const (
	maxTokenBytes  = 128
	maxNameBytes   = 100
	maxValueBytes  = 8 << 10
	maxIDBytes     = 128
	maxDigitsBytes = 64
)

// arrayPrefix makes FreeSWITCH read one value as several.
const arrayPrefix = "ARRAY::"

// offence says what is wrong with an argument, and where; -1: with the whole.
type offence struct {
	what string
	at   int
}

func refuse(what string, at int) *offence { return &offence{what, at} }

// checkText refuses what no argument may carry: line breaks, NUL and the other
// control characters, bad UTF-8, and more than max bytes.
func checkText(s string, limit int) *offence {
	if len(s) > limit {
		return refuse("too long", limit)
	}
	for i, r := range s {
		switch {
		case r == '\r' || r == '\n':
			return refuse("line break", i)
		case r == 0:
			return refuse("NUL", i)
		case r < ' ' || r == 0x7f:
			return refuse("control character", i)
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return refuse("bad UTF-8", i)
			}
		}
	}
	return nil
}

// checkChars accepts 1 to limit characters of one class.
func checkChars(s string, limit int, class func(c byte) bool) *offence {
	if s == "" {
		return refuse("empty", -1)
	}
	if o := checkText(s, limit); o != nil {
		return o
	}
	for i := range len(s) {
		if !class(s[i]) {
			return refuse("character not allowed", i)
		}
	}
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isAlnum(c byte) bool { return isDigit(c) || isAlpha(c) }

// checkUUID accepts 8-4-4-4-12 hex digits.
func checkUUID(s string) *offence {
	if len(s) != 36 {
		return refuse("not a uuid", -1)
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash && unhex(s[i]) == 255 {
			return refuse("not a uuid", i)
		}
	}
	return nil
}

// checkID accepts a command id, such as "<call_id>/12"; empty means none.
func checkID(s string) *offence {
	if s == "" {
		return nil
	}
	return checkChars(s, maxIDBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-_./:", c) >= 0 })
}

// checkToken accepts a word for keys and values of our own making: owners,
// realms, epochs, profiles.
func checkToken(s string) *offence {
	return checkChars(s, maxTokenBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("-_.:@", c) >= 0 })
}

// checkDigits accepts DTMF digits.
func checkDigits(s string) *offence {
	return checkChars(s, maxDigitsBytes, func(c byte) bool { return isDigit(c) || c == '*' || c == '#' || c|0x20 >= 'a' && c|0x20 <= 'd' })
}

// checkValue accepts a variable's value where FreeSWITCH expands but does not
// split: `set`. Empty is refused: FreeSWITCH would unset.
func checkValue(s string) *offence {
	if s == "" {
		return refuse("empty", -1)
	}
	if o := checkText(s, maxValueBytes); o != nil {
		return o
	}
	if i := strings.IndexAny(s, `$\`); i >= 0 {
		return refuse("expansion or escape character", i)
	}
	if strings.HasPrefix(s, arrayPrefix) {
		return refuse("array prefix", 0)
	}
	if i := strings.Index(strings.ToLower(s), "shell_stream:"); i >= 0 {
		return refuse("stream that executes", i)
	}
	return nil
}

// checkArgValue accepts a value that is an argument of an api command, which
// takes quotes away and trims blanks.
func checkArgValue(s string) *offence {
	if o := checkValue(s); o != nil {
		return o
	}
	if i := strings.IndexByte(s, '\''); i >= 0 {
		return refuse("quote", i)
	}
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return refuse("blank at an end, which is not carried", -1)
	}
	return nil
}

// checkSplitValue accepts a value inside a dial string. Commas and blanks are
// carried by the choice of separator and by one pair of quotes around the whole.
func checkSplitValue(s string) *offence {
	if o := checkArgValue(s); o != nil {
		return o
	}
	if i := strings.IndexAny(s, "{}[]|"); i >= 0 {
		return refuse("dial-string character", i)
	}
	for _, word := range [...]string{"^^", enterpriseSeparator} {
		if i := strings.Index(s, word); i >= 0 {
			return refuse("dial-string separator", i)
		}
	}
	if i := strings.Index(strings.ToLower(s), nestedVariables); i >= 0 {
		return refuse("word that switches expansion on", i)
	}
	return nil
}

// checkName refuses in a caller's name what mod_sofia would make SIP of: it
// decodes percent escapes in it and puts it between double quotes
// (check_decode in mod_sofia.h).
func checkName(s string) *offence {
	for i := range len(s) {
		switch {
		case s[i] == '"' || s[i] == '<' || s[i] == '>':
			return refuse("character not allowed in a name", i)
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1])|unhex(s[i+2]) < 16:
			return refuse("percent escape", i)
		}
	}
	return nil
}

// checkNumber accepts a caller's number, or a user part such as "anonymous".
func checkNumber(s string) *offence {
	return checkChars(s, maxTokenBytes, func(c byte) bool { return isAlnum(c) || strings.IndexByte("+*#-_.", c) >= 0 })
}
