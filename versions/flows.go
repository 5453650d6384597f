package versions

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"tandem/callflows"
	"tandem/tenants"
)

// paired gives the ids of things before and after in order, and the things by id. Of two with one id the last counts, as it
// does in a snapshot.
func paired[T any](before, after []T, id func(T) string) (ids []string, b, a map[string]T) {
	b, a = make(map[string]T, len(before)), make(map[string]T, len(after))
	for _, thing := range before {
		b[id(thing)] = thing
	}
	for _, thing := range after {
		a[id(thing)] = thing
	}
	return union(b, a), b, a
}

// union is the keys of both, in order.
func union[T any](b, a map[string]T) []string {
	keys := slices.Collect(maps.Keys(a))
	for key := range b {
		if _, both := a[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func (d *differ) flows(before, after []tenants.Flow) {
	ids, b, a := paired(before, after, func(f tenants.Flow) string { return f.ID })
	for _, id := range ids {
		old, was := b[id]
		now, is := a[id]
		at := "/flows/" + escape(id)
		switch {
		case !was:
			d.say(at, "flow_added", "flow", d.after.flow(id), "start", elementWords(now.Elements, now.Start), "elements", strconv.Itoa(len(now.Elements)))
		case !is:
			d.say(at, "flow_removed", "flow", d.before.flow(id))
		default:
			d.flow(at, old, now)
		}
	}
}

func (d *differ) flow(at string, before, after tenants.Flow) {
	switch {
	case before.Name == after.Name:
	case strings.HasPrefix(after.ID, userFlow):
		d.say(at+"/name", "user_renamed", "before", d.before.referred(callflows.RefersToFlow, before.ID), "after", d.after.referred(callflows.RefersToFlow, after.ID))
	default:
		d.say(at+"/name", "flow_renamed", "before", d.before.flow(before.ID), "after", d.after.flow(after.ID))
	}
	f := &flowDiff{differ: d, at: at, flow: d.after.flow(after.ID), had: before.Elements, has: after.Elements}
	f.findRenames()
	if f.now(before.Start) != after.Start {
		d.say(at+"/start", "flow_start", "flow", f.flow, "before", elementWords(before.Elements, before.Start), "after", elementWords(after.Elements, after.Start))
	}
	for _, key := range union(f.had, f.has) {
		f.element(key)
	}
}

// flowDiff compares the elements of one flow.
type flowDiff struct {
	*differ
	at, flow      string                     // path and name
	had, has      map[string]tenants.Element // before and after, by key
	renamed, were map[string]string          // old key to new, and back
}

// now is the key that an element before has after.
func (f *flowDiff) now(key string) string {
	if to, ok := f.renamed[key]; ok {
		return to
	}
	return key
}

// findRenames pairs an element that is gone with a new one that is just like it: of the same type, with the same settings, and
// with exits of the same names that lead to the same elements, or to such as are gone or new themselves. Where more than one
// would do, none is taken: a guess would hide what has changed.
func (f *flowDiff) findRenames() {
	f.renamed, f.were = map[string]string{}, map[string]string{}
	gone, fresh := alike(f.had, f.has), alike(f.has, f.had)
	for like, olds := range gone {
		if news := fresh[like]; len(olds) == 1 && len(news) == 1 {
			f.renamed[olds[0]], f.were[news[0]] = news[0], olds[0]
		}
	}
}

// alike groups the elements that the other side lacks by what they do.
func alike(elements, other map[string]tenants.Element) map[string][]string {
	groups := map[string][]string{}
	for key, e := range elements {
		if _, stays := other[key]; stays {
			continue
		}
		like := []string{e.Type, canonical(tree(e.Settings))}
		for _, exit := range slices.Sorted(maps.Keys(e.Exits)) {
			target := e.Exits[exit]
			if _, stays := other[target]; !stays {
				target = ""
			}
			like = append(like, exit, target)
		}
		group := strings.Join(like, "\x00")
		groups[group] = append(groups[group], key)
	}
	return groups
}

// element compares what has a key before or after.
func (f *flowDiff) element(key string) {
	at := f.at + "/elements/" + escape(key)
	now, is := f.has[key]
	old, was := f.had[key]
	if from, renamed := f.were[key]; renamed {
		old, was = f.had[from], true
		f.say(at, "element_renamed", "flow", f.flow, "before", elementWords(f.had, from), "after", key)
		f.changes[len(f.changes)-1].Was = f.at + "/elements/" + escape(from)
	}
	switch {
	case !is && f.renamed[key] != "":
		return // told at its new key
	case !is:
		f.say(at, "element_removed", "flow", f.flow, "element", elementWords(f.had, key))
		return
	case !was:
		f.say(at, "element_added", "flow", f.flow, "element", elementWords(f.has, key), "does", f.does(now))
		return
	case old.Type != now.Type:
		f.say(at, "element_type", "flow", f.flow, "before", elementWords(f.had, key), "after", elementWords(f.has, key), "does", f.does(now))
	default:
		f.settings(at+"/settings", key, old, now)
	}
	f.exits(at+"/exits/", key, old.Exits, now.Exits)
}

func (f *flowDiff) exits(at, key string, before, after map[string]string) {
	element := elementWords(f.has, key)
	for _, exit := range union(before, after) {
		from, was := before[exit]
		to, is := after[exit]
		switch path := at + escape(exit); {
		case !was:
			f.say(path, "exit_set", "flow", f.flow, "exit", exit, "element", element, "after", elementWords(f.has, to))
		case !is:
			f.say(path, "exit_cut", "flow", f.flow, "exit", exit, "element", element, "before", elementWords(f.had, from))
		case f.now(from) != to:
			f.say(path, "exit_moved", "flow", f.flow, "exit", exit, "element", element, "before", elementWords(f.had, from), "after", elementWords(f.has, to))
		}
	}
}

// elementWords names an element by its type and key: "the menu main".
func elementWords(elements map[string]tenants.Element, key string) string {
	e, ok := elements[key]
	if title, _, known := callflows.SettingsOf(e.Type); ok && known {
		return "the " + lower(title) + " " + key
	}
	return "the element " + key
}

// lower begins a phrase within a sentence; what begins with an abbreviation keeps its case.
func lower(phrase string) string {
	if len(phrase) > 1 && 'A' <= phrase[0] && phrase[0] <= 'Z' && ('a' <= phrase[1] && phrase[1] <= 'z' || phrase[1] == ' ') {
		return strings.ToLower(phrase[:1]) + phrase[1:]
	}
	return phrase
}
