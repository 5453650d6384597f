package importing

import (
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Item is one thing of the source that is not carried over, or in another way.
type Item struct {
	Place  string `json:"place"` // file, and line or path
	Kind   string `json:"kind"`  // what it is: ring group
	Name   string `json:"name"`  // which: hostile
	Detail string `json:"detail"`
	Partly bool   `json:"partly"` // it is carried over, but for what the detail says
}

// Report says what became of a source.
type Report struct {
	Carried map[string]int `json:"carried"` // how many of each kind
	Items   []Item         `json:"items"`   // in the order of the source
}

func (r *Report) carried(kind string) {
	if r.Carried == nil {
		r.Carried = map[string]int{}
	}
	r.Carried[kind]++
}

func (r *Report) left(place, kind, name, detail string) {
	r.Items = append(r.Items, Item{Place: place, Kind: kind, Name: name, Detail: detail})
}

func (r *Report) partly(place, kind, name, detail string) {
	r.Items = append(r.Items, Item{Place: place, Kind: kind, Name: name, Detail: detail, Partly: true})
}

// Lines says the report for a terminal.
func (r Report) Lines() []string {
	var lines, carried []string
	for _, kind := range slices.Sorted(maps.Keys(r.Carried)) {
		carried = append(carried, fmt.Sprintf("%s: %d", kind, r.Carried[kind]))
	}
	if len(carried) == 0 {
		carried = []string{"nothing"}
	}
	lines = append(lines, "Carried over: "+strings.Join(carried, ", ")+".")
	for _, partly := range []bool{false, true} {
		head := map[bool]string{false: "Not carried over:", true: "Carried over, but for this:"}[partly]
		for _, item := range r.Items {
			if item.Partly != partly {
				continue
			}
			if head != "" {
				lines = append(lines, head)
				head = ""
			}
			lines = append(lines, "  "+strings.TrimSpace(item.Place+": "+item.Kind+" "+item.Name)+": "+item.Detail)
		}
	}
	return lines
}

// CSV writes the report as a table that no spreadsheet takes for formulas.
func (r Report) CSV() string {
	var out strings.Builder
	w := csv.NewWriter(&out)
	write := func(cells ...string) {
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		_ = w.Write(cells) // into memory
	}
	write("result", "place", "kind", "name", "detail")
	for _, kind := range slices.Sorted(maps.Keys(r.Carried)) {
		write("carried", "", kind, "", fmt.Sprint(r.Carried[kind]))
	}
	for _, item := range r.Items {
		write(map[bool]string{true: "partly", false: "left"}[item.Partly], item.Place, item.Kind, item.Name, item.Detail)
	}
	w.Flush()
	return out.String()
}

// harmless makes a cell a text for every spreadsheet: a formula begins with one of = + - @, and some take one after a tab or line end.
func harmless(cell string) string {
	cell = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, cell)
	if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@") || strings.ContainsAny(strings.TrimLeft(cell, " \u00a0")[:min(1, len(strings.TrimLeft(cell, " \u00a0")))], "=+-@") {
		return "'" + cell
	}
	return cell
}
