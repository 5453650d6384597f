package callflows

import "regexp"

// What the elements have in common: forms of settings, and words about their behaviour.

// maxID is the longest id of anything of a tenant's, in characters.
const maxID = 64

var (
	// promptName is the form of a prompt's name: what it stands for is the node's business.
	promptName   = regexp.MustCompile(`^[a-z0-9](\.?[a-z0-9_/:-])*\.?$`)
	variableName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	userID       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	languageName = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)
	// printable is a text on one line. A quote or a bracket in a display name is the business of whoever writes the header.
	printable = regexp.MustCompile(`^\P{C}*$`)
)

const maxPromptName = 128

// PromptForm is the form of a prompt's name.
func PromptForm() *regexp.Regexp { return promptName }

// promptSchema is the schema of a setting that names a prompt.
func promptSchema(description string) schema {
	return schema{kind: textValue, reference: RefersToPrompt, min: 1, max: maxPromptName, form: promptName, description: description,
		formWords: "a prompt's name: lower-case letters, digits and _ . / : -, beginning with a letter or digit, without two dots in a row"}
}

// Words about behaviour that several elements share.
const (
	hangUpAnywhere = "A caller who hangs up ends the call at any moment."
	hangUpAtOnce   = "It takes no time: there is no moment in which the caller could hang up."
	whileTalking   = "While they talk, by either phone or by order: who stays goes on with the flow of the number that was dialled."
	notWhileAlone  = "None while it is at work: nobody else is in the call yet."
)
