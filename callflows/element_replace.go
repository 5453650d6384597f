package callflows

import (
	"encoding/json"
	"strings"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// ReplaceFlow is the id of the platform's own flow for an INVITE that replaces a dialog (RFC 3891). No tenant can have a flow of
// this id: the first character of a tenant's id is a letter or a digit.
const ReplaceFlow = "*replace"

const replaceType = "replace"

var replaceFlow = tenants.Flow{ID: ReplaceFlow, Name: "Replaces a phone", Start: "replace",
	Elements: map[string]tenants.Element{"replace": {Type: replaceType}}}

// replaceElement lets the caller talk to whom the replaced phone talked to, or rang for. It belongs to the platform and cannot
// stand in a tenant's flow.
type replaceElement struct{}

var replaceAbout = about{name: replaceType, title: "Replace", platform: true, settings: &schema{kind: recordValue}}

func (replaceElement) about() *about { return &replaceAbout }

func (replaceElement) parse(json.RawMessage) (any, []FlowFault) { return nil, nil }

func (e replaceElement) enter(s *step, settings any) {
	w, ok := e.seeks(s, settings)
	if !ok {
		s.end(causeOfBrokenFlow, messages.FaultPlatform, because.New("replace_nothing"))
		return
	}
	s.explain("replace_looks", "call", w.Call)
	s.look(w)
}

// seeks reads which leg is replaced: routing has found it.
func (replaceElement) seeks(s *step, _ any) (Wanted, bool) {
	call, leg, ok := strings.Cut(s.state.Call.Replaces, ".")
	return Wanted{What: KnownAs, Call: call, Leg: leg}, ok && call != "" && leg != ""
}

func (replaceElement) on(s *step, _ any) { s.fetch(ForReplace) }

func (replaceElement) reasons() because.Catalog {
	return because.Catalog{
		"replace_nothing": "No phone was named whose place the caller is to take.",
		"replace_looks":   "The caller takes the place of a phone in the call {call}.",
	}
}
