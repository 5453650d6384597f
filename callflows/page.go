package callflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Page is docs/elements.md: every element as the schemas and descriptions in the code say.
func Page() string {
	p := &page{}
	p.line("# Flow elements")
	p.line("A flow is a graph of elements. Each has a type, settings, and exits that lead to other elements. This page is made by `tandem elements` from what each element declares beside its code; a test holds it up to date. How to add one: [adding-an-element.md](adding-an-element.md).")
	p.line("")
	p.line("Before a flow is saved it is checked as a whole, and all its faults are told at once: each with the place (a JSON pointer), a code, what is wrong, and how to mend it. An exit that leads nowhere ends the call with the cause that stands below.")
	p.line("")
	all := Elements()
	p.behaviour(all)
	for _, e := range all {
		p.element(e)
	}
	return p.String()
}

// page is a page of Markdown being written.
type page struct{ strings.Builder }

func (p *page) line(text string) { p.WriteString(text + "\n") }

// row writes a row of a table. A bar within a cell would end it.
func (p *page) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	p.line("| " + strings.Join(cells, " | ") + " |")
}

func (p *page) head(cells ...string) {
	p.row(cells...)
	p.line("|" + strings.Repeat("---|", len(cells)))
}

func (p *page) behaviour(all []ElementType) {
	p.line("## What each does to a call")
	p.head("element", "early media", "answer", "ringback", "hang-up", "transfer")
	for _, e := range all {
		b := e.Behaviour
		p.row("["+e.Type+"](#"+e.Type+")", b.EarlyMedia, b.Answer, b.Ringback, b.HangUp, b.Transfer)
	}
}

func (p *page) element(e ElementType) {
	p.line("")
	p.line("## " + e.Type)
	p.line("**" + e.Title + ".** " + e.Description)
	p.line("")
	rows := settingRows(elementOf(e.Type).about().settings, "")
	if len(rows) == 0 {
		p.line("It has no settings.")
	} else {
		p.head("setting", "what it is", "value", "default")
		for _, r := range rows {
			p.row(r...)
		}
	}
	p.line("")
	if len(e.Exits) == 0 {
		p.line("It has no exits.")
	} else {
		p.head("exit", "taken when", "when it leads nowhere")
		for _, exit := range e.Exits {
			p.row(exitCells(exit)...)
		}
	}
	p.line("")
	p.line("```json")
	p.line(indented(e.Example))
	p.line("```")
}

func exitCells(exit Exit) []string {
	name := "`" + exit.Name + "`"
	if exit.Each != "" {
		name = "each name at `" + exit.Each + "`"
	}
	nowhere := "the call ends with " + exit.Ends
	switch {
	case exit.Required:
		nowhere = "the flow is refused"
	case exit.Choice:
		nowhere = "it is no choice; one must lead somewhere"
	}
	return []string{name, exit.Description, nowhere}
}

// settingRows lists settings by their path, those within others too.
func settingRows(s *schema, path string) (rows [][]string) {
	for i := range s.members {
		m := &s.members[i]
		at, of := path+m.name, &m.schema
		initial := "none"
		if m.required {
			initial = "required"
		}
		if m.initial != nil {
			initial = "`" + fmt.Sprint(m.initial) + "`"
		}
		rows = append(rows, []string{"`" + at + "`", m.description, valueWords(of), initial})
		if of.kind == listValue {
			of, at = of.items, at+"[]"
		}
		rows = append(rows, settingRows(of, at+".")...)
	}
	return rows
}

// valueWords says what a value may be.
func valueWords(s *schema) string {
	switch {
	case len(s.oneOf) > 0:
		return choices(s.oneOf)
	case s.reference != "":
		return "id of a " + string(s.reference)
	case s.expression:
		return fmt.Sprintf("regular expression of at most %d characters", s.max)
	case s.formWords != "":
		return s.formWords
	}
	switch s.kind {
	case wholeValue:
		return strings.TrimSpace(fmt.Sprintf("%d to %d %s", s.min, s.max, s.unit))
	case listValue:
		return fmt.Sprintf("list of %d to %d: %s", s.min, s.max, valueWords(s.items))
	case textValue:
		return fmt.Sprintf("text of %d to %d characters", s.min, s.max)
	case recordValue, flagValue:
	}
	return kindWords(s.kind)
}

func indented(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	if err := json.Indent(&out, body, "", "  "); err != nil {
		return err.Error()
	}
	return out.String()
}
