package callflows

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// lookupElement asks a URL about the caller and keeps what it says.
type lookupElement struct{}

type lookupSettings struct {
	askSettings
	Name      string `json:"name"` // JSON pointer to the caller's name
	Variables []struct {
		Name   string `json:"name"`
		Member string `json:"member"` // JSON pointer
	} `json:"variables"`
}

// jsonPointer is the form of RFC 6901, within bounds.
var jsonPointer = regexp.MustCompile(`^(/([^~/\p{C}]|~[01]){1,64}){1,8}$`)

const pointerWords = "a JSON pointer such as /customer/name"

var lookupAbout = about{
	name: "lookup", title: "Look-up", description: "Asks a URL about the caller, and keeps what its JSON answer says: the caller's name, which phones show that are dialled " +
		"from here on, and variables of the call.",
	settings: &schema{kind: recordValue, members: append(askMembers("about the caller", "get", 2),
		member{name: "name", schema: schema{kind: textValue, form: jsonPointer, formWords: pointerWords, description: "Where the answer has the caller's name."}},
		member{name: "variables", schema: schema{kind: listValue, max: maxSet, description: "What else is kept of the answer.", items: &schema{kind: recordValue, members: []member{
			{name: "name", required: true, schema: variableSchema("The variable's name.")},
			{name: "member", required: true, schema: schema{kind: textValue, form: jsonPointer, formWords: pointerWords, description: "Where the answer has its value: a text, a number, true or false."}},
		}}}})},
	exits: []Exit{
		{Name: "found", Description: "The answer has something of what was asked for.", Required: true, Ends: "NORMAL_CLEARING"},
		{Name: "not_found", Description: "The answer has nothing of it, or is 404.", Required: true, Ends: "NORMAL_CLEARING"},
		{Name: "failed", Description: "There was no answer in time, or none that can be read.", Required: true, Ends: "NORMAL_CLEARING"}},
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged. While it waits an answered caller hears silence.",
		HangUp: hangUpAnywhere, Transfer: notWhileAlone},
	example: tenants.Element{Type: "lookup", Settings: json.RawMessage(`{"url":"https://crm.example/people/{caller.number}","name":"/name","variables":[{"name":"rank","member":"/customer/rank"}]}`),
		Exits: map[string]string{"found": "ring", "not_found": "ring", "failed": "ring"}},
}

func (lookupElement) about() *about { return &lookupAbout }

func (lookupElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read(lookupAbout.settings, settings, func(l *lookupSettings) []FlowFault {
		if l.Name != "" || len(l.Variables) > 0 {
			return nil
		}
		return []FlowFault{{Path: "/variables", Code: "settings_contradict", Detail: "Nothing is kept of the answer.", Mend: "Give name, or some variables."}}
	})
}

func (lookupElement) enter(s *step, settings any) {
	l := settings.(lookupSettings)
	c, ok := s.request(l.askSettings, ForLookup, MaxFetched)
	if !ok {
		s.explain("url_too_long", "url", whom(l.URL), "limit", strconv.Itoa(maxURLBytes))
		s.exit("failed", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	s.explain("lookup_asked", "url", whom(c.Fetch.URL), "seconds", strconv.Itoa(l.Seconds))
	s.await(stageAsking, c)
}

func (e lookupElement) on(s *step, settings any) {
	if !s.completes(stageAsking, Fetched) {
		return
	}
	l, reply := settings.(lookupSettings), s.event.Reply
	if reply != nil && reply.Error == "" && reply.Status == 404 {
		s.explain("lookup_unknown")
		s.exit("not_found", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	if !reply.good() {
		s.explain("lookup_failed", "outcome", reply.outcome())
		s.exit("failed", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	doc, ok := readObject(reply.Body)
	if !ok {
		s.explain("lookup_unreadable")
		s.exit("failed", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	if !e.keep(s, l, doc) {
		s.explain("lookup_unknown")
		s.exit("not_found", "NORMAL_CLEARING", messages.FaultTenant)
		return
	}
	s.exit("found", "NORMAL_CLEARING", messages.FaultTenant)
}

// keep keeps what the answer has, and says whether it has anything. What it lacks stays as it was.
func (lookupElement) keep(s *step, l lookupSettings, doc map[string]any) (any bool) {
	if name, ok := memberOf(doc, l.Name); ok && l.Name != "" {
		s.state.CallerID.Name = clip(strings.Join(strings.Fields(name), " "), messages.MaxName)
		s.explain("lookup_named", "name", s.state.CallerID.Name)
		any = true
	}
	for _, v := range l.Variables {
		value, ok := memberOf(doc, v.Member)
		switch {
		case !ok:
			s.explain("lookup_lacks", "variable", v.Name, "member", v.Member)
			continue
		case s.keep(v.Name, value):
			s.explain("lookup_kept", "variable", v.Name, "member", v.Member)
		default:
			s.explain("variables_full", "variable", v.Name, "limit", fmt.Sprint(MaxVariables))
		}
		any = true
	}
	return any
}

// The words leave out what variables were set to, as those of set do.
func (lookupElement) reasons() because.Catalog {
	return because.Catalog{
		"lookup_asked":      "{url} is asked about the caller, for up to {seconds|second|seconds}.",
		"lookup_named":      "It says that the caller is {name}.",
		"lookup_kept":       "The variable {variable} is set from {member} of the answer.",
		"lookup_lacks":      "The answer has no text, number or truth value at {member}: the variable {variable} stays as it was.",
		"lookup_unknown":    "It does not know the caller.",
		"lookup_failed":     "The look-up failed ({outcome}).",
		"lookup_unreadable": "The look-up failed: the answer is no JSON object.",
	}
}
