package callflows

import (
	"encoding/json"
	"errors"
	"fmt"

	"tandem/because"
	"tandem/tenants"
)

// element is one type of flow element. Each lives in a file of its own.
type element interface {
	// about says what the element is and does, for the API, the editor and the documentation.
	about() *about
	// parse reads the settings by the schema in about; the faults are for whoever wrote them.
	parse(settings json.RawMessage) (any, []FlowFault)
	// enter starts the element; on gives it each event while it is at work. Both end by ordering a command and
	// waiting, by exit, or by end.
	enter(s *step, settings any)
	on(s *step, settings any)
	// reasons are the words for the codes that it gives.
	reasons() because.Catalog
}

// elementTypes lists every type of element: the one place, besides its own file, that a new element touches.
var elementTypes = [...]element{
	acrossElement{},
	answerElement{},
	attendedElement{},
	listenElement{},
	branchElement{},
	switchElement{&callWaitingSwitch},
	callerIDElement{},
	collectElement{},
	directoryElement{},
	switchElement{&dndSwitch},
	eavesdropElement{},
	emergencyElement{},
	forwardSetElement{},
	hangupElement{},
	hotDeskElement{},
	hoursElement{},
	jumpElement{},
	languageElement{},
	lookupElement{},
	menuElement{},
	musicElement{},
	numberElement{},
	orderedElement{},
	pageElement{},
	parkElement{},
	pickupElement{},
	pivotElement{},
	playElement{},
	pullElement{},
	recallElement{},
	replaceElement{},
	recordElement{},
	switchElement{&rejectAnonymousSwitch},
	respondElement{},
	ringElement{},
	sayElement{},
	setElement{},
	sleepElement{},
	speedDialElement{},
	unparkElement{},
	voicemailElement{},
	voicemailCheckElement{},
	webhookElement{},
}

// elementOf finds a type by its name in a flow's data, or nil.
func elementOf(name string) element {
	for _, e := range elementTypes {
		if e.about().name == name {
			return e
		}
	}
	return nil
}

// about is what an element says of itself.
type about struct {
	name        string // its type in a flow's data
	title       string
	description string
	platform    bool    // the platform's own: no tenant's flow may have it
	settings    *schema // a record
	exits       []Exit
	behaviour   Behaviour
	example     tenants.Element
}

// Exit is one way out of an element.
type Exit struct {
	// Name is the exit's name. It is empty when the settings name the exits; then Each is the JSON pointer to the names,
	// with * for each entry of a list.
	Name        string `json:"name,omitempty"`
	Each        string `json:"each,omitempty"`
	Description string `json:"description"`
	// Ends is the cause that the call ends with when the exit leads nowhere.
	Ends     string `json:"ends"`
	Required bool   `json:"required,omitempty"` // it must lead somewhere
	Choice   bool   `json:"choice,omitempty"`   // it may lead nowhere: then it is not on offer; one of them must lead somewhere
	Waits    bool   `json:"waits,omitempty"`    // when it is taken, the element has waited for the caller or for time to pass
}

// Behaviour says what an element does to a call, in words.
type Behaviour struct {
	EarlyMedia string `json:"early_media"`
	Answer     string `json:"answer"`
	Ringback   string `json:"ringback"`
	HangUp     string `json:"hang_up"`
	Transfer   string `json:"transfer"`
}

// exitsOf lists the exits that an element has with these settings, each with its name.
func exitsOf(e element, settings any) []Exit {
	named, ok := e.(interface{ exitNames(settings any) []string })
	if !ok {
		return e.about().exits
	}
	var all []Exit
	for _, exit := range e.about().exits {
		if exit.Each == "" {
			all = append(all, exit)
			continue
		}
		for _, name := range named.exitNames(settings) {
			of := exit
			of.Name, of.Each = name, ""
			all = append(all, of)
		}
	}
	return all
}

// nextExit is the one exit of an element that does something at once and goes on.
func nextExit(description string) []Exit {
	return []Exit{{Name: "next", Description: description, Required: true, Ends: "NORMAL_CLEARING"}}
}

// ParseSettings reads the settings of one element; it is given to tenants.NewSnapshot.
func ParseSettings(elementType string, settings json.RawMessage) (any, error) {
	e := elementOf(elementType)
	if e == nil || e.about().platform {
		return nil, fmt.Errorf("callflows: there is no element of type %q", elementType)
	}
	value, faults := e.parse(settings)
	if len(faults) > 0 {
		return nil, errors.New(faults[0].Detail)
	}
	return value, nil
}

// ExitNames lists the exits that an element of this type has with these settings. The error is that of ParseSettings.
func ExitNames(elementType string, settings json.RawMessage) ([]string, error) {
	value, err := ParseSettings(elementType, settings)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, exit := range exitsOf(elementOf(elementType), value) {
		names = append(names, exit.Name)
	}
	return names, nil
}

// ElementTypes lists the name of every type of element that a tenant's flow may use.
func ElementTypes() []string {
	var names []string
	for _, e := range elementTypes {
		if a := e.about(); !a.platform {
			names = append(names, a.name)
		}
	}
	return names
}

// ElementType is what the API, the editor and the documentation know of a type of element.
type ElementType struct {
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"` // of its settings, as JSON Schema 2020-12
	Exits       []Exit          `json:"exits"`
	Behaviour   Behaviour       `json:"behaviour"`
	Example     tenants.Element `json:"example"` // as it stands in a flow
	Reasons     because.Catalog `json:"reasons"` // what it says of a call, by code
}

// Elements describes every type of element that a tenant's flow may use, by name.
func Elements() []ElementType {
	var all []ElementType
	for _, e := range elementTypes {
		a := e.about()
		if a.platform {
			continue
		}
		all = append(all, ElementType{Type: a.name, Title: a.title, Description: a.description, Schema: a.settings.document(a.title),
			Exits: append([]Exit{}, a.exits...), Behaviour: a.behaviour, Example: a.example, Reasons: e.reasons()})
	}
	return all
}
