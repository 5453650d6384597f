package phones

import (
	"strings"
	"unicode"
)

// clean makes text that people wrote fit for every format: one line, of characters that can be shown, without what a
// phone takes for a variable ($, and the words that Yealink's phones take for nothing), and of at most limit characters.
func clean(s string, limit int) string {
	var b strings.Builder
	n, space := 0, false
	for _, r := range strings.ToValidUTF8(s, "") {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			space = n > 0
			continue
		case r == '$' || r == '`' || r == '{' || r == '}' || !unicode.IsPrint(r) || r == unicode.ReplacementChar:
			continue
		}
		if space {
			if n+2 > limit {
				break
			}
			b.WriteByte(' ')
			n++
			space = false
		}
		if n+1 > limit {
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
