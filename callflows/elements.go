package callflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"tandem/because"
	"tandem/tenants"
)

// element is one type of flow element. Each lives in a file of its own.
type element interface {
	// parse reads the settings; the error is for whoever wrote them.
	parse(settings json.RawMessage) (any, error)
	// exits lists the exits that the element can take with these settings.
	exits(settings any) []string
	// enter starts the element; on gives it each event while it is at work. Both end by ordering a command and
	// waiting, by exit, or by end.
	enter(s *step, settings any)
	on(s *step, settings any)
	// reasons are the words for the codes that it gives.
	reasons() because.Catalog
}

// elementOf finds a type by its name in a flow's data, or nil. It is the list of all types.
func elementOf(name string) element {
	switch name {
	case "answer":
		return answerElement{}
	case emergencyType:
		return emergencyElement{}
	case "hangup":
		return hangupElement{}
	case "hours":
		return hoursElement{}
	case "menu":
		return menuElement{}
	case "play":
		return playElement{}
	case "ring":
		return ringElement{}
	}
	return nil
}

// ParseSettings reads the settings of one element; it is given to tenants.NewSnapshot.
func ParseSettings(elementType string, settings json.RawMessage) (any, error) {
	e := elementOf(elementType)
	if e == nil || elementType == emergencyType {
		return nil, fmt.Errorf("callflows: there is no element of type %q", elementType)
	}
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	return e.parse(settings)
}

// ValidateFlow says what is wrong with a flow before it is saved: unknown element, bad settings, an exit that the element
// does not have or that leads nowhere, an element that nothing leads to.
func ValidateFlow(f tenants.Flow) error {
	if _, ok := f.Elements[f.Start]; !ok {
		return fmt.Errorf("start: names the element %q, which is not there", f.Start)
	}
	for _, key := range slices.Sorted(maps.Keys(f.Elements)) {
		e := f.Elements[key]
		settings, err := ParseSettings(e.Type, e.Settings)
		if err != nil {
			return fmt.Errorf("elements/%s: %w", key, err)
		}
		known := map[string]bool{}
		for _, exit := range elementOf(e.Type).exits(settings) {
			known[exit] = true
		}
		for _, exit := range slices.Sorted(maps.Keys(e.Exits)) {
			next := e.Exits[exit]
			if !known[exit] {
				return fmt.Errorf("elements/%s/exits/%s: an element of type %s has no such exit", key, exit, e.Type)
			}
			if _, ok := f.Elements[next]; !ok {
				return fmt.Errorf("elements/%s/exits/%s: leads to %q, which is not there", key, exit, next)
			}
		}
	}
	reached := map[string]bool{}
	reach(f, f.Start, reached)
	for _, key := range slices.Sorted(maps.Keys(f.Elements)) {
		if !reached[key] {
			return fmt.Errorf("elements/%s: nothing leads to it", key)
		}
	}
	return nil
}

func reach(f tenants.Flow, key string, reached map[string]bool) {
	if reached[key] {
		return
	}
	reached[key] = true
	for _, next := range f.Elements[key].Exits {
		reach(f, next, reached)
	}
}

// strict reads settings and refuses members that the type does not have: a misspelt name would otherwise be a setting
// that silently does nothing.
func strict(settings json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(settings))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}

// promptName is the form of a prompt's name: what it stands for is the node's business.
var promptName = regexp.MustCompile(`^[a-z0-9][a-z0-9_./:-]{0,127}$`)

func checkPrompt(field, name string) error {
	if !promptName.MatchString(name) || bytes.Contains([]byte(name), []byte("..")) {
		return fmt.Errorf("settings: %s: a prompt's name is lower-case letters, digits and _ . / : -", field)
	}
	return nil
}
