package callflows

import (
	"strconv"
	"strings"
)

// What is said is put together of prompts: "say/20", "say/digits/5", "say/hundred". Where nobody has recorded them, a digit is
// heard as so many beeps.

// Bounds of what is said.
const (
	maxSaidDigits = 32
	maxSaidNumber = 999_999
)

// sayDigits says each digit by itself; what is none is left out.
func sayDigits(text string) []string {
	var said []string
	for _, r := range text {
		if r >= '0' && r <= '9' && len(said) < maxSaidDigits {
			said = append(said, "say/digits/"+string(r))
		}
	}
	return said
}

// sayNumber says a number as the language does; in one whose rule is not known here, digit by digit.
func sayNumber(language string, n int) []string {
	if n < 0 || n > maxSaidNumber {
		return sayDigits(strconv.Itoa(n))
	}
	general, _, _ := strings.Cut(language, "-")
	switch general {
	case "en", "":
		return sayBy(n, false)
	case "de":
		return sayBy(n, true)
	}
	return sayDigits(strconv.Itoa(n))
}

// sayBy says a number by thousands and hundreds. In German the ones come before the tens: fünfundzwanzig.
func sayBy(n int, onesFirst bool) []string {
	var said []string
	if n >= 1000 {
		said = append(sayBy(n/1000, onesFirst), "say/thousand")
		if n %= 1000; n == 0 {
			return said
		}
	}
	if n >= 100 {
		said = append(said, sayBy(n/100, onesFirst)...)
		said = append(said, "say/hundred")
		if n %= 100; n == 0 {
			return said
		}
	}
	switch tens, ones := n/10*10, n%10; {
	case n < 10:
		return append(said, "say/digits/"+strconv.Itoa(n))
	case n <= 20 || ones == 0:
		return append(said, "say/"+strconv.Itoa(n))
	case onesFirst:
		return append(said, "say/digits/"+strconv.Itoa(ones), "say/and", "say/"+strconv.Itoa(tens))
	default:
		return append(said, "say/"+strconv.Itoa(tens), "say/digits/"+strconv.Itoa(ones))
	}
}

// sayTime says a time of day by 24 hours.
func sayTime(language string, hour, minute int) []string {
	said := append(sayNumber(language, hour), "say/oclock")
	if minute == 0 {
		return said
	}
	return append(said, sayNumber(language, minute)...)
}
