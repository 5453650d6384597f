package callflows

import (
	"encoding/json"
	"regexp"
	"strconv"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// branchElement compares what is known of the call with cases, in their order; the first that matches gives the exit. The
// cases are data: there is no expression to write, and nothing to compute.
type branchElement struct{}

type branchSettings struct {
	Cases []branchCase `json:"cases"`
}

// branchCase matches when everything that it names holds.
type branchCase struct {
	Exit         string         `json:"exit"`
	CallerNumber *textTest      `json:"caller_number"`
	CallerName   *textTest      `json:"caller_name"`
	Dialled      *textTest      `json:"dialled"`
	Variables    []variableTest `json:"variables"`
	Anonymous    *bool          `json:"anonymous"`
	Open         string         `json:"open"` // schedule ids
	Closed       string         `json:"closed"`
}

type variableTest struct {
	Name string `json:"name"`
	textTest
}

// Bounds of a branch.
const (
	maxCases     = 20
	maxCompared  = 50  // texts that one test compares with
	maxComparand = 128 // characters of each
)

var (
	exitName = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,31}$`)

	branchAbout = about{
		name: "branch", title: "Branch",
		description: "Compares the caller, what was dialled, the time and variables with cases, in their order. The first case of which everything holds gives the exit.",
		settings: &schema{kind: recordValue, members: []member{{name: "cases", required: true, schema: schema{kind: listValue, min: 1, max: maxCases,
			description: "The cases. Each names an exit and at least one thing that must hold; of several, all must.",
			items:       &schema{kind: recordValue, least: 2, members: caseMembers()}}}}},
		exits: []Exit{
			{Each: "/cases/*/exit", Description: "A case with this exit is the first that matches.", Ends: "NORMAL_CLEARING"},
			{Name: "otherwise", Description: "No case matches.", Ends: "NORMAL_CLEARING"}},
		behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged.", HangUp: hangUpAtOnce, Transfer: notWhileAlone},
		example: tenants.Element{Type: "branch",
			Settings: json.RawMessage(`{"cases":[{"exit":"refuse","anonymous":true},{"exit":"priority","caller_number":{"in_list":"priority"},"open":"office"}]}`),
			Exits:    map[string]string{"refuse": "sorry", "priority": "ring", "otherwise": "menu"}},
	}
)

func caseMembers() []member {
	schedule := func(description string) schema {
		return schema{kind: textValue, reference: RefersToSchedule, min: 1, max: maxID, description: description}
	}
	variable := append([]member{{name: "name", required: true, schema: variableSchema("The variable's name.")}}, testMembers()...)
	return []member{
		{name: "exit", required: true, schema: schema{kind: textValue, form: exitName, description: "The exit to take.",
			formWords: "1 to 32 lower-case letters, digits and _"}},
		{name: "caller_number", schema: schema{kind: recordValue, members: testMembers(), description: "A test of the caller's number."}},
		{name: "caller_name", schema: schema{kind: recordValue, members: testMembers(), description: "A test of the name that the caller's phone or carrier sent."}},
		{name: "dialled", schema: schema{kind: recordValue, members: testMembers(), description: "A test of what was dialled."}},
		{name: "variables", schema: schema{kind: listValue, min: 1, max: maxSet, description: "Tests of variables; all must hold.",
			items: &schema{kind: recordValue, members: variable}}},
		{name: "anonymous", schema: schema{kind: flagValue, description: "Whether the caller hides his number."}},
		{name: "open", schema: schedule("A schedule that must be open.")},
		{name: "closed", schema: schedule("A schedule that must be closed.")},
	}
}

func testMembers() []member {
	texts := func(description string) schema {
		return schema{kind: listValue, min: 1, max: maxCompared, description: description, items: &schema{kind: textValue, min: 1, max: maxComparand}}
	}
	return []member{
		{name: "equals", schema: texts("It is one of these.")},
		{name: "begins_with", schema: texts("It begins with one of these.")},
		{name: "matches", schema: schema{kind: textValue, min: 1, max: maxPatternOfDigits, expression: true, description: "It matches this regular expression (RE2) as a whole."}},
		{name: "in_list", schema: schema{kind: textValue, reference: RefersToList, min: 1, max: maxID, description: "It is in this list."}},
		{name: "not", schema: schema{kind: flagValue, initial: false, description: "The test holds when none of the others does. A test without others asks whether there is anything at all."}},
	}
}

func (branchElement) about() *about { return &branchAbout }

func (branchElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read(branchAbout.settings, settings, func(b *branchSettings) []FlowFault {
		for i := range b.Cases {
			for _, t := range b.Cases[i].texts() {
				t.compile()
			}
		}
		return nil
	})
}

// texts gives the tests of a case that compare texts.
func (c *branchCase) texts() []*textTest {
	var all []*textTest
	for _, t := range []*textTest{c.CallerNumber, c.CallerName, c.Dialled} {
		if t != nil {
			all = append(all, t)
		}
	}
	for i := range c.Variables {
		all = append(all, &c.Variables[i].textTest)
	}
	return all
}

// exitNames lists the exits that the cases name, each once, in their order.
func (branchElement) exitNames(settings any) []string {
	var names []string
	seen := map[string]bool{"otherwise": true}
	for _, c := range settings.(branchSettings).Cases {
		if !seen[c.Exit] {
			seen[c.Exit] = true
			names = append(names, c.Exit)
		}
	}
	return names
}

func (branchElement) enter(s *step, settings any) {
	for i, c := range settings.(branchSettings).Cases {
		holds, why := s.judge(&c)
		if holds {
			s.explain("branch_matched", "case", strconv.Itoa(i+1), "why", why)
			s.exit(c.Exit, "NORMAL_CLEARING", messages.FaultTenant)
			return
		}
		s.explain("branch_rejected", "case", strconv.Itoa(i+1), "exit", c.Exit, "why", why)
	}
	s.exit("otherwise", "NORMAL_CLEARING", messages.FaultTenant)
}

func (branchElement) on(*step, any) {}

func (branchElement) reasons() because.Catalog {
	return because.Catalog{
		"branch_matched":  "Case {case} matches: {why}.",
		"branch_rejected": "Case {case} ({exit}) does not match: {why}.",
	}
}
