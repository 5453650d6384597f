package versions

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tandem/callflows"
	"tandem/tenants"
)

// aboutOf is what a setting is for, in brackets: the first sentence of what its schema says.
func aboutOf(of callflows.Setting) string {
	first, _, _ := strings.Cut(of.Description, ". ")
	if first = strings.TrimSuffix(first, "."); first == "" {
		return ""
	}
	return " (" + lower(first) + ")"
}

// both puts two values into words that differ.
func (d *differ) both(of callflows.Setting, before, after any) (b, a string) {
	b, a = d.inFull(d.before, of, before), d.inFull(d.after, of, after)
	if b == a { // two users of one name
		b, a = canonical(before), canonical(after)
	}
	b, a = shownBoth(b, a)
	if _, isNumber := after.(json.Number); isNumber && of.Unit != "" && of.Unit != of.Name {
		a += " " + of.Unit
	}
	return b, a
}

// words puts a value into words, as long as a sentence bears.
func (d *differ) words(n names, of callflows.Setting, v any) string {
	return shown(d.inFull(n, of, v))
}

// inFull puts a value into words: an id as the name of what it stands for.
func (d *differ) inFull(n names, of callflows.Setting, v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case bool:
		if v {
			return "on"
		}
		return "off"
	case json.Number:
		return number(v)
	case string:
		return strconv.Quote(n.referred(of.Reference, v))
	case []any:
		items := callflows.Setting{}
		if of.Items != nil {
			items = *of.Items
		}
		all := make([]string, len(v))
		for i := range v {
			all[i] = d.inFull(n, items, v[i])
		}
		return "[" + strings.Join(all, ", ") + "]"
	case map[string]any:
		return "{" + d.members(n, of, v) + "}"
	}
	return canonical(v)
}

// members says the members of a record, those that the schema knows first and in its order.
func (d *differ) members(n names, of callflows.Setting, record map[string]any) string {
	var all []string
	rest := maps.Clone(record)
	for _, m := range of.Members {
		if v, there := record[m.Name]; there {
			all = append(all, strings.ReplaceAll(m.Name, "_", " ")+" "+d.inFull(n, m, v))
			delete(rest, m.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		all = append(all, strings.ReplaceAll(name, "_", " ")+" "+d.inFull(n, callflows.Setting{}, rest[name]))
	}
	return strings.Join(all, ", ")
}

// referred is the name of what an id stands for, or the id where no name is known: devices and trunks are not versioned.
func (n names) referred(kind callflows.Reference, id string) string {
	switch kind {
	case callflows.RefersToUser:
		return idUnless(n.flows[userFlow+id], id)
	case callflows.RefersToFlow:
		return idUnless(n.flows[id], id)
	case callflows.RefersToSchedule:
		return idUnless(n.schedules[id], id)
	case callflows.RefersToList:
		return idUnless(n.lists[id], id)
	case callflows.RefersToDevice, callflows.RefersToPrompt, callflows.RefersToTrunk, callflows.RefersToNumber:
	}
	return id
}

// does says what a new element does: its settings and exits, in brackets.
func (f *flowDiff) does(e tenants.Element) string {
	var parts []string
	_, of, _ := callflows.SettingsOf(e.Type)
	switch settings := tree(e.Settings).(type) {
	case map[string]any:
		if len(settings) > 0 {
			parts = append(parts, f.members(f.after, of, settings))
		}
	default:
		parts = append(parts, f.inFull(f.after, of, settings))
	}
	for _, exit := range slices.Sorted(maps.Keys(e.Exits)) {
		parts = append(parts, exit+" leads to "+elementWords(f.has, e.Exits[exit]))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + shown(strings.Join(parts, "; ")) + ")"
}
