package routing

import (
	"strconv"
	"strings"
)

// maxCounter bounds what a diverting party may claim about the diversions before its own.
const maxCounter = 100

// diversions counts how often a call was diverted, from Diversion headers (RFC 5806: one value for each, unless its counter says
// that it stands for several) and History-Info (RFC 7044: one entry for each target). Whoever sends both is counted twice: the
// limit is wide enough for that.
func diversions(headers []string) int {
	n := 0
	for _, h := range headers {
		for value := range strings.SplitSeq(outsideQuotes(h), ",") {
			if !strings.Contains(value, ":") {
				continue
			}
			n++
			for parameter := range strings.SplitSeq(value, ";") {
				name, text, _ := strings.Cut(strings.TrimSpace(parameter), "=")
				if more, err := strconv.Atoi(text); err == nil && strings.EqualFold(name, "counter") && more > 1 {
					n += min(more, maxCounter) - 1
				}
			}
		}
	}
	return min(n, maxCounter)
}

// outsideQuotes leaves out what stands between double quotes: names may hold anything.
func outsideQuotes(s string) string {
	var out strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case quoted && s[i] == '\\':
			i++
		case !quoted:
			out.WriteByte(s[i])
		}
	}
	return out.String()
}
