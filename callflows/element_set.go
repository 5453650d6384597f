package callflows

import (
	"encoding/json"
	"strconv"

	"tandem/because"
	"tandem/messages"
	"tandem/tenants"
)

// setElement sets variables of the call, in the order in which they stand.
type setElement struct{}

type setSettings struct {
	Variables []struct {
		Name  string `json:"name"`
		Value string `json:"value"` // a template
	} `json:"variables"`
}

const maxSet = 10 // variables that one element sets

var setAbout = about{
	name: "set", title: "Set variables", description: "Sets variables of the call, one after the other. A call keeps at most " + strconv.Itoa(MaxVariables) +
		" of them, each of at most " + strconv.Itoa(MaxVariableBytes) + " bytes.",
	settings: &schema{kind: recordValue, members: []member{{name: "variables", required: true, schema: schema{kind: listValue, min: 1, max: maxSet,
		description: "What to set.", items: &schema{kind: recordValue, members: []member{
			{name: "name", required: true, schema: variableSchema("The variable's name.")},
			{name: "value", required: true, schema: templateSchema("Its value. {caller.number} and the like stand for what they name. Empty: the variable is taken away.")},
		}}}}}},
	exits:     nextExit("The variables are set."),
	behaviour: Behaviour{EarlyMedia: "None.", Answer: "Does not answer.", Ringback: "Unchanged.", HangUp: hangUpAtOnce, Transfer: notWhileAlone},
	example: tenants.Element{Type: "set", Settings: json.RawMessage(`{"variables":[{"name":"line","value":"sales"},{"name":"who","value":"{caller.name} ({caller.number})"}]}`),
		Exits: map[string]string{"next": "ring"}},
}

// variableSchema is the schema of a setting that names a variable.
func variableSchema(description string) schema {
	return schema{kind: textValue, form: variableName, description: description,
		formWords: "1 to 32 lower-case letters, digits and _, beginning with a letter"}
}

func (setElement) about() *about { return &setAbout }

func (setElement) parse(settings json.RawMessage) (any, []FlowFault) {
	return read[setSettings](setAbout.settings, settings)
}

func (setElement) enter(s *step, settings any) {
	for _, v := range settings.(setSettings).Variables {
		if s.keep(v.Name, s.expand(v.Value)) {
			s.explain("variable_set", "variable", v.Name, "value", v.Value)
		} else {
			s.explain("variables_full", "variable", v.Name, "limit", strconv.Itoa(MaxVariables))
		}
	}
	s.exit("next", "NORMAL_CLEARING", messages.FaultTenant)
}

func (setElement) on(*step, any) {}

// The words show the template and not what came of it, which may hold what the caller keyed.
func (setElement) reasons() because.Catalog {
	return because.Catalog{
		"variable_set":   "The variable {variable} is set to \"{value}\".",
		"variables_full": "The variable {variable} is not set: the call has {limit|variable|variables} already.",
	}
}
