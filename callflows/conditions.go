package callflows

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// textTest compares one text. It holds when any of what it names does, or, with Not, when none does. One that names
// nothing asks whether there is a text at all.
type textTest struct {
	Equals     []string `json:"equals"`
	BeginsWith []string `json:"begins_with"`
	Matches    string   `json:"matches"`
	InList     string   `json:"in_list"` // list id
	Not        bool     `json:"not"`

	form *regexp.Regexp // Matches, whole
}

// compile makes the test fit to be asked; Matches has been tried as an expression.
func (t *textTest) compile() {
	if t.Matches != "" {
		t.form = regexp.MustCompile(`^(?:` + t.Matches + `)$`)
	}
}

// judge says whether everything that a case names holds, and why: all that holds, or the first that does not.
func (s *step) judge(c *branchCase) (holds bool, why string) {
	var held []string
	try := func(holds bool, words string) bool {
		if !holds {
			held = []string{words}
			return false
		}
		held = append(held, words)
		return true
	}
	call := &s.state.Call
	subjects := []struct {
		test  *textTest
		name  string
		value string
	}{
		{c.CallerNumber, shown("the caller's number", call.Caller.Number), call.Caller.Number},
		{c.CallerName, shown("the caller's name", call.Caller.Name), call.Caller.Name},
		{c.Dialled, shown("the dialled number", call.Dialled), call.Dialled},
	}
	for _, subject := range subjects {
		if subject.test != nil && !try(s.compare(subject.test, subject.name, subject.value)) {
			return false, held[0]
		}
	}
	for i := range c.Variables { // neither a value nor what it is compared with is said: it may be a PIN
		v := &c.Variables[i]
		holds, _ := s.compare(&v.textTest, "", s.state.Variables[v.Name])
		words := "the variable " + v.Name + " passes its test"
		if !holds {
			words = "the variable " + v.Name + " does not pass its test"
		}
		if !try(holds, words) {
			return false, held[0]
		}
	}
	if c.Anonymous != nil && !try(s.anonymous(*c.Anonymous)) || c.Open != "" && !try(s.scheduled(c.Open, true)) ||
		c.Closed != "" && !try(s.scheduled(c.Closed, false)) {
		return false, held[0]
	}
	return true, strings.Join(held, ", and ")
}

// compare holds a text against a test, and says the outcome in words.
func (s *step) compare(t *textTest, name, value string) (holds bool, words string) {
	if len(t.Equals)+len(t.BeginsWith) == 0 && t.Matches == "" && t.InList == "" {
		if value == "" {
			return t.Not, name + " is empty"
		}
		return !t.Not, name + " is not empty"
	}
	if words, found := s.found(t, value); found {
		return !t.Not, name + " " + words
	}
	return t.Not, name + " " + t.wanted(s)
}

// found says which of a test's alternatives a text meets.
func (s *step) found(t *textTest, value string) (words string, found bool) {
	if slices.Contains(t.Equals, value) {
		return `is "` + value + `"`, true
	}
	for _, p := range t.BeginsWith {
		if strings.HasPrefix(value, p) {
			return `begins with "` + p + `"`, true
		}
	}
	if t.form != nil && t.form.MatchString(value) {
		return "has the form " + t.Matches, true
	}
	if list := s.config.Tenant.List(t.InList); list != nil {
		if entry, ok := list.Match(value); ok {
			return "is in the list " + list.Name + " (" + entry + ")", true
		}
	}
	return "", false
}

// wanted says what a text did not meet.
func (t *textTest) wanted(s *step) string {
	var not []string
	if len(t.Equals) > 0 {
		not = append(not, "is not "+either(t.Equals))
	}
	if len(t.BeginsWith) > 0 {
		not = append(not, "does not begin with "+either(t.BeginsWith))
	}
	if t.Matches != "" {
		not = append(not, "has not the form "+t.Matches)
	}
	if t.InList != "" {
		if list := s.config.Tenant.List(t.InList); list != nil {
			not = append(not, "is not in the list "+list.Name)
		} else {
			not = append(not, "cannot be in the list "+t.InList+", which is not there")
		}
	}
	return strings.Join(not, ", and ")
}

// either joins alternatives; many are not all said.
func either(alternatives []string) string {
	const said = 3
	if more := len(alternatives) - said; more > 0 {
		return either(alternatives[:said]) + fmt.Sprintf(" or any of %d more", more)
	}
	return `"` + strings.Join(alternatives, `" or "`) + `"`
}

// shown names something with its value, if it has one.
func shown(name, value string) string {
	if value == "" {
		return name
	}
	return name + " (" + value + ")"
}

// anonymous says whether the caller hides his number, or does not. Carriers write a number that is hidden in several ways
// (RFC 3323 4.1, 3GPP TS 24.607 and their own).
func (s *step) anonymous(want bool) (holds bool, words string) {
	switch strings.ToLower(s.state.Call.Caller.Number) {
	case "", "anonymous", "restricted", "private", "unavailable", "unknown":
		return want, "the caller hides his number"
	}
	return !want, "the caller shows his number"
}

// scheduled says whether a schedule is open, or closed, at the time of the event.
func (s *step) scheduled(id string, open bool) (holds bool, words string) {
	schedule := s.config.Tenant.Schedule(id)
	if schedule == nil {
		return false, "the schedule " + id + " is not there"
	}
	now := schedule.At(s.event.At)
	if now.Open {
		return open, schedule.Name + " is open (" + now.Because + ")"
	}
	return !open, schedule.Name + " is closed (" + now.Because + ")"
}
