package versions

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"tandem/because"
)

// Catalog is the words for every change.
func Catalog() because.Catalog {
	return because.Catalog{
		"flow_added":            "The flow {flow} is new. It begins with {start} and has {elements|element|elements}.",
		"flow_removed":          "The flow {flow} is gone.",
		"flow_renamed":          "The flow {before} is called {after}.",
		"user_renamed":          "The user {before} is called {after}.",
		"flow_start":            "The flow {flow} begins with {after} instead of {before}.",
		"element_added":         "The flow {flow}: {element} is new{does}.",
		"element_removed":       "The flow {flow}: {element} is gone.",
		"element_renamed":       "The flow {flow}: {before} has the key {after}.",
		"element_type":          "The flow {flow}: {before} has become {after}{does}.",
		"exit_set":              "The flow {flow}: the exit {exit} of {element} leads to {after}. Before, it led nowhere.",
		"exit_cut":              "The flow {flow}: the exit {exit} of {element} leads nowhere. Before, it led to {before}.",
		"exit_moved":            "The flow {flow}: the exit {exit} of {element} leads to {after} instead of {before}.",
		"prompt_changed":        "The flow {flow}: {element} plays {after} instead of {before}{about}.",
		"setting_changed":       "The flow {flow}: in {element}, {setting} is {after} instead of {before}{about}.",
		"setting_set":           "The flow {flow}: in {element}, {setting} is {after}; before, nothing was said{about}.",
		"setting_unset":         "The flow {flow}: in {element}, nothing is said of {setting} any more; before, it was {before}{about}.",
		"setting_spelled_out":   "The flow {flow}: in {element}, {setting} is said to be {after}, which it is by itself too{about}.",
		"setting_left_to_usual": "The flow {flow}: in {element}, nothing is said of {setting} any more, so that it is {before} as before{about}.",
		"entries_gained":        "The flow {flow}: in {element}, {setting} has {count} more: {entries}{about}.",
		"entries_lost":          "The flow {flow}: in {element}, {setting} has {count} fewer, without {entries}{about}.",
		"entries_ordered":       "The flow {flow}: in {element}, the order of {setting} is {entries}{about}.",
		"schedule_added":        "The schedule {schedule} is new. It is open {hours}.",
		"schedule_removed":      "The schedule {schedule} is gone.",
		"schedule_renamed":      "The schedule {before} is called {after}.",
		"schedule_zone":         "The schedule {schedule} goes by {after} instead of {before}.",
		"hours_changed":         "The schedule {schedule}: {days} {after} instead of {before}.",
		"date_added":            "The schedule {schedule} has a rule of its own for {date}: {after}.",
		"date_removed":          "The schedule {schedule} has no rule of its own for {date} any more. It was: {before}.",
		"date_changed":          "The schedule {schedule}: on {date} {after} instead of {before}.",
		"list_added":            "The list {list} is new and has {count|entry|entries}{entries}.",
		"list_removed":          "The list {list} is gone.",
		"list_renamed":          "The list {before} is called {after}.",
		"list_gained":           "The list {list} has {count|more entry|more entries}: {entries}.",
		"list_lost":             "The list {list} has lost {count|entry|entries}: {entries}.",
		"route_added":           "Calls to {dialled} lead to the flow {after}. Before, they led nowhere.",
		"route_removed":         "Calls to {dialled} lead nowhere. Before, they led to the flow {before}.",
		"route_changed":         "Calls to {dialled} lead to the flow {after} instead of the flow {before}.",
		"route_widened":         "What begins with {dialled} leads where calls to that itself lead.",
		"route_narrowed":        "Only calls to {dialled} itself lead where they led, not all that begins with it.",
		"callers_blocked":       "Calls from {callers} are refused.",
		"callers_unblocked":     "Calls from {callers} are not refused any more.",
	}
}

// Words says a change in a sentence.
func (c Change) Words() string { return Catalog().Words(c.Because) }

// Bounds of what a sentence tells; the documents have the rest.
const (
	maxTold  = 20  // entries named one by one
	maxShown = 160 // characters of a value
	lead     = 20  // characters before the first that differs, of values that are too long
)

// told names entries, and says how many more there are.
func told(entries []string) string {
	if more := len(entries) - maxTold; more > 0 {
		return strings.Join(entries[:maxTold], ", ") + " and " + strconv.Itoa(more) + " more"
	}
	return enumerated(entries)
}

// enumerated is "a", "a and b", "a, b and c".
func enumerated(entries []string) string {
	if len(entries) < 2 {
		return strings.Join(entries, "")
	}
	last := len(entries) - 1
	return strings.Join(entries[:last], ", ") + " and " + entries[last]
}

// shown is a text as long as a sentence bears.
func shown(text string) string {
	if utf8.RuneCountInString(text) <= maxShown {
		return text
	}
	return string([]rune(text)[:maxShown]) + "..."
}

// shownBoth shows two values so that they can be told apart: of long ones the part where they begin to differ.
func shownBoth(before, after string) (b, a string) {
	if b, a = shown(before), shown(after); b != a {
		return b, a
	}
	x, y := []rune(before), []rune(after)
	from := 0
	for from < len(x) && from < len(y) && x[from] == y[from] {
		from++
	}
	from = max(0, from-lead)
	return "..." + shown(string(x[from:])), "..." + shown(string(y[from:]))
}
