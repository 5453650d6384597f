package fstest

import (
	"regexp"
	"strings"
	"time"
)

// collectedDigits bounds one number typed on a phone (digit_buffer[128]).
const collectedDigits = 127

// How switch_ivr_read ended.
type readResult int

const (
	readSuccess readResult = iota
	readTimeout
	readTooSmall
)

// question is one play_and_get_digits.
type question struct {
	least, most, tries        int
	first, between            time.Duration
	terminators               string
	prompt, sorry             string
	variable, valid, transfer string
}

// parseQuestion reads "min max tries timeout terminators file invalid_file var
// regexp digit_timeout transfer" with FreeSWITCH's defaults.
func parseQuestion(data string) (question, bool) {
	words := strings.Fields(data)
	if len(words) == 0 {
		return question{}, false
	}
	at := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	q := question{
		least: max(0, atoi(at(0))), most: atoi(at(1)), tries: atoi(at(2)),
		first: time.Duration(max(1000, atoi(at(3)))) * time.Millisecond, terminators: at(4),
		prompt: at(5), sorry: at(6), variable: at(7), valid: at(8), between: time.Duration(atoi(at(9))) * time.Millisecond,
		transfer: strings.Join(words[min(len(words), 10):], " "),
	}
	q.most = min(max(q.most, q.least), collectedDigits)
	if q.terminators == "" {
		q.terminators = "#"
	}
	if q.between <= 0 {
		q.between = q.first
	}
	return q, true
}

// runPlayAndGetDigits is switch_ivr_play_say.c, switch_play_and_get_digits.
func runPlayAndGetDigits(c *channel, data string) {
	q, ok := parseQuestion(data)
	if !ok {
		return
	}
	if q.valid != "" && q.variable != "" {
		c.vars.unset(q.variable + "_invalid")
	}
	for ; c.ready() && q.tries > 0; q.tries-- {
		number, result := c.read(q)
		if result == readTimeout && len(number) >= q.least {
			result = readSuccess
		}
		if _, terminated := c.vars.get("read_terminator_used"); q.least == 0 && number == "" && terminated {
			return
		}
		if result == readSuccess && number != "" {
			if q.valid == "" || matchesRegexp(q.valid, number) {
				return
			}
			if q.variable != "" {
				c.vars.unset(q.variable)
				c.vars.set(q.variable+"_invalid", number)
			}
		}
		if !c.ready() {
			return
		}
		c.play(q.sorry, nil)
	}
	if q.transfer != "" && c.ready() {
		c.transferTo(strings.Fields(q.transfer))
	}
}

// matchesRegexp is switch_regex_match; a pattern that Go's regexp does not
// know matches nothing.
func matchesRegexp(pattern, text string) bool {
	expression, err := regexp.Compile(pattern)
	return err == nil && expression.MatchString(text)
}

// read plays the prompt and collects one number (switch_ivr_read). The first
// digit stops the prompt and is kept.
func (c *channel) read(q question) (number string, result readResult) {
	c.vars.unset("read_result")
	if q.variable != "" {
		c.vars.unset(q.variable)
	}
	var typed []byte
	if q.prompt != "" && !strings.EqualFold(q.prompt, "silence") {
		outcome := c.play(q.prompt, func(d digit) bool {
			typed = append(typed, d.key)
			return true
		})
		if outcome == notFound || outcome == abandoned {
			return "", readTooSmall
		}
	}
	terminator := byte(0)
	if (q.least > 0 && len(typed) < q.least) || len(typed) < q.most {
		typed, terminator, result = c.collect(q, typed)
	}
	if terminator != 0 {
		c.vars.set("read_terminator_used", string(terminator))
		if i := strings.IndexByte(q.terminators, terminator); i > 0 && (q.terminators[i-1] == '+' || q.terminators[i-1] == 'x') {
			typed = append(typed, terminator)
		}
	} else if strings.HasPrefix(q.terminators, "=") {
		result = readTooSmall
	}
	if q.least > 0 && len(typed) < q.least {
		result = readTooSmall
	}
	c.vars.set("read_result", map[readResult]string{readSuccess: "success", readTimeout: "timeout", readTooSmall: "failure"}[result])
	number = string(typed)
	if q.most == 1 && len(number) == 1 && strings.Contains(q.terminators, number) {
		number = ""
	}
	if q.variable != "" && number != "" {
		c.vars.set(q.variable, number)
	}
	return number, result
}

// collect waits for the rest of the number (switch_ivr_collect_digits_count).
func (c *channel) collect(q question, typed []byte) (number []byte, terminator byte, result readResult) {
	for i, key := range typed {
		if strings.IndexByte(q.terminators, key) >= 0 {
			return typed[:i], key, readSuccess
		}
	}
	patience := q.first
	if len(typed) > 0 {
		patience = q.between
	}
	deadline := time.Now().Add(patience)
	for c.ready() {
		for len(c.digits) > 0 {
			deadline = time.Now().Add(q.between)
			key := c.takeDigit().key
			if strings.IndexByte(q.terminators, key) >= 0 {
				return typed, key, readSuccess
			}
			typed = append(typed, key)
			if len(typed) >= q.most {
				return typed, 0, readSuccess
			}
		}
		if !time.Now().Before(deadline) {
			return typed, 0, readTimeout
		}
		c.idle(deadline, func() bool { return len(c.digits) > 0 })
	}
	return typed, 0, readTooSmall
}
