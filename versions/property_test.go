package versions

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem/tenants"
)

const rounds = 4000

// maker makes documents of few ids and values, so that two of them have much in common.
type maker struct{ *rand.Rand }

func (m maker) pick(from ...string) string { return from[m.IntN(len(from))] }

// some gives up to n of the texts, in a random order.
func (m maker) some(n int, from ...string) []string {
	all := []string{}
	for _, i := range m.Perm(len(from))[:m.IntN(min(n, len(from))+1)] {
		all = append(all, from[i])
	}
	return all
}

func (m maker) document() tenants.Published {
	p := tenants.Published{Version: m.Int64N(9), BlockedCallers: m.some(3, "+12025550101", "+12025550102", "anna-desk", "x")}
	for _, id := range m.some(3, "main", "sales", "user-u1", "night", "a/b~c") {
		p.Flows = append(p.Flows, m.flow(id))
	}
	for _, id := range m.some(2, "office", "shop", "late") {
		p.Schedules = append(p.Schedules, m.schedule(id))
	}
	for _, id := range m.some(2, "vip", "foes", "area") {
		p.Lists = append(p.Lists, tenants.List{ID: id, Name: m.pick("VIP", "Foes"), Entries: m.some(4, "1", "2", "3", "4*", "5")})
	}
	for _, dialled := range m.some(3, "101", "102", "*5", "+12025550100") {
		p.Routes = append(p.Routes, tenants.Route{Dialled: dialled, Prefix: m.IntN(4) == 0, FlowID: m.pick("main", "sales", "gone")})
	}
	return p
}

func (m maker) flow(id string) tenants.Flow {
	keys := m.some(5, "a", "b", "c", "d", "e", "f")
	f := tenants.Flow{ID: id, Name: m.pick("Sales", "Main"), Start: m.pick("a", "b", "c"), Elements: map[string]tenants.Element{}}
	for _, key := range keys {
		e := tenants.Element{Type: m.pick("menu", "ring", "branch", "hangup", "from another release"), Settings: m.settings()}
		for _, exit := range m.some(3, "1", "2", "no_answer", "timeout") {
			if e.Exits == nil {
				e.Exits = map[string]string{}
			}
			e.Exits[exit] = m.pick("a", "b", "c", "d")
		}
		f.Elements[key] = e
	}
	return f
}

// renaming gives a document in which an element of each flow has another key, and an exit may lead elsewhere.
func (m maker) renaming(p tenants.Published) tenants.Published {
	flows := slices.Clone(p.Flows)
	for i, f := range flows {
		key, to := m.pick("a", "b", "c", "d"), m.pick("x", "y")
		elements := map[string]tenants.Element{}
		for k, e := range f.Elements {
			e.Exits = maps.Clone(e.Exits)
			for exit, target := range e.Exits {
				if target == key && m.IntN(5) > 0 {
					e.Exits[exit] = to
				}
			}
			if k == key {
				k = to
			}
			elements[k] = e
		}
		flows[i].Elements = elements
	}
	p.Flows = flows
	return p
}

// settings are of any shape: what a release does not know may be in a version of another.
func (m maker) settings() json.RawMessage {
	switch m.IntN(12) {
	case 0:
		return nil
	case 1:
		return json.RawMessage(m.pick(`[]`, `{`, `7`, `"text"`, `{"a":1} x`, `null`))
	}
	body, err := json.Marshal(m.value(3, true))
	if err != nil {
		panic(err)
	}
	return body
}

func (m maker) value(depth int, record bool) any {
	switch kind := m.IntN(8); {
	case record || depth > 0 && kind < 2:
		all := map[string]any{}
		for _, name := range m.some(4, "prompt", "attempts", "seconds", "users", "cases", "caller_number", "strategy", "in_list") {
			all[name] = m.value(depth-1, false)
		}
		return all
	case depth > 0 && kind < 4:
		list := []any{}
		for range m.IntN(4) {
			list = append(list, m.value(depth-1, false))
		}
		return list
	case kind < 6:
		return m.IntN(6)
	case kind == 6:
		return []any{true, false, nil, 2.5}[m.IntN(4)]
	}
	return m.pick("at_once", "in_order", "vip", "u1", "", "\"quoted\"\n")
}

func (m maker) schedule(id string) tenants.Schedule {
	s := tenants.Schedule{ID: id, Name: m.pick("Office", "Shop"), TimeZone: m.pick("", "UTC", "Europe/Paris")}
	for range m.IntN(4) {
		h := tenants.Hours{From: tenants.Clock(60 * m.IntN(3)), Until: tenants.Clock(60 * m.IntN(25))}
		for range 1 + m.IntN(4) {
			h.Days = append(h.Days, time.Weekday(m.IntN(7)))
		}
		s.Weekly = append(s.Weekly, h)
	}
	for _, date := range m.some(3, "2030-01-01", "2030-12-25", "2030-12-26", "nonsense") {
		d := tenants.Date{Date: date, Name: m.pick("New Year", "Christmas")}
		for range m.IntN(3) {
			d.Hours = append(d.Hours, tenants.Span{From: tenants.Clock(60 * m.IntN(24)), Until: tenants.Clock(60 * m.IntN(25))})
		}
		s.Dates = append(s.Dates, d)
	}
	return s
}

// leaves gives all that a document says by its path, in another way than Diff does: as sets of texts.
func leaves(p tenants.Published) map[string]string {
	all := map[string]string{}
	for _, f := range p.Flows {
		at := "/flows/" + escape(f.ID)
		all[at+"/name"], all[at+"/start"] = f.Name, f.Start
		for key, e := range f.Elements {
			on := at + "/elements/" + escape(key)
			all[on] = e.Type
			settingLeaves(all, on+"/settings", e.Settings)
			for exit, target := range e.Exits {
				all[on+"/exits/"+escape(exit)] = target
			}
		}
	}
	for _, s := range p.Schedules {
		at := "/schedules/" + escape(s.ID)
		all[at+"/name"], all[at+"/time_zone"] = s.Name, s.TimeZone
		all[at+"/weekly"] = strings.Join(weekSet(s.Weekly), " ")
		for _, d := range s.Dates {
			var spans []string
			for _, h := range d.Hours {
				spans = append(spans, h.String())
			}
			all[at+"/dates/"+escape(d.Date)] = d.Name + strings.Join(set(spans), " ")
		}
	}
	for _, l := range p.Lists {
		at := "/lists/" + escape(l.ID)
		all[at+"/name"], all[at+"/entries"] = l.Name, strings.Join(set(l.Entries), " ")
	}
	for _, r := range p.Routes {
		all["/routes/"+escape(r.Dialled)] = fmt.Sprint(r.FlowID, r.Prefix)
	}
	all["/blocked_callers"] = strings.Join(set(p.BlockedCallers), " ")
	return all
}

func weekSet(weekly []tenants.Hours) []string {
	var all []string
	for _, h := range weekly {
		for _, day := range h.Days {
			all = append(all, fmt.Sprint(day, h.From, h.Until))
		}
	}
	return set(all)
}

func set(texts []string) []string {
	sorted := slices.Clone(texts)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// settingLeaves gives each member of settings; a list is one leaf, since its entries have no names.
func settingLeaves(all map[string]string, at string, settings json.RawMessage) {
	if len(settings) == 0 {
		settings = json.RawMessage(`{}`)
	}
	var value any
	if json.Unmarshal(settings, &value) != nil {
		all[at] = string(settings)
		return
	}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		if record, ok := v.(map[string]any); ok {
			all[at] = "a record"
			for name, member := range record {
				walk(at+"/"+escape(name), member)
			}
			return
		}
		body, _ := json.Marshal(v)
		all[at] = string(body)
	}
	walk(at, value)
}

// renamedAsSaid gives the document before with the keys that the changes say.
func renamedAsSaid(p tenants.Published, changes []Change) tenants.Published {
	to := map[string]string{} // path before -> new key
	for _, c := range changes {
		if c.Was != "" {
			to[c.Was] = c.Because.Args.Get("after")
		}
	}
	flows := slices.Clone(p.Flows)
	for i, f := range flows {
		key := func(k string) string {
			if now, renamed := to["/flows/"+escape(f.ID)+"/elements/"+escape(k)]; renamed {
				return now
			}
			return k
		}
		elements := map[string]tenants.Element{}
		for k, e := range f.Elements {
			e.Exits = maps.Clone(e.Exits)
			for exit, target := range e.Exits {
				e.Exits[exit] = key(target)
			}
			elements[key(k)] = e
		}
		flows[i].Start, flows[i].Elements = key(f.Start), elements
	}
	p.Flows = flows
	return p
}

// within says whether one path is at or below the other.
func within(path, other string) bool {
	return path == other || strings.HasPrefix(path, other+"/")
}

func TestADocumentDoesNotDifferFromItself(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(1, 1))}
	for range rounds {
		p := m.document()
		if changes := Diff(p, p); len(changes) > 0 {
			t.Fatalf("%+v differs from itself: %+v", p, changes)
		}
	}
}

// Of two random documents, each leaf that differs is mentioned, and each mention has a leaf that differs.
func TestEveryDifferenceIsMentionedAndNothingElse(t *testing.T) {
	mentioned, renamed := 0, 0
	for seed := range uint64(rounds) {
		m := maker{rand.New(rand.NewPCG(2, seed))}
		before, after := m.document(), m.document()
		if seed%2 == 0 {
			after = m.renaming(before)
		}
		changes := Diff(before, after)
		b, a := leaves(renamedAsSaid(before, changes)), leaves(after)
		var differ []string
		for _, path := range union(b, a) {
			old, was := b[path]
			now, is := a[path]
			if was != is || old != now {
				differ = append(differ, path)
				if !slices.ContainsFunc(changes, func(c Change) bool { return within(path, c.Path) || within(c.Path, path) }) {
					t.Errorf("seed %d: %s differs (%q, %q) and is not mentioned", seed, path, old, now)
				}
			}
		}
		for _, c := range changes {
			mentioned++
			if c.Was != "" {
				renamed++
				continue
			}
			if !slices.ContainsFunc(differ, func(path string) bool { return within(path, c.Path) || within(c.Path, path) }) {
				t.Errorf("seed %d: nothing differs at %s: %s", seed, c.Path, c.Words())
			}
			if words := c.Words(); strings.ContainsAny(words, "{\n") && strings.HasPrefix(words, c.Because.Code) {
				t.Errorf("seed %d: %s has no words", seed, c.Because.Code)
			}
		}
	}
	if mentioned < rounds || renamed == 0 {
		t.Errorf("%d changes, %d of them renames: the documents have too little in common", mentioned, renamed)
	}
}

func TestTheSameDocumentsGiveTheSameChangesInTheSameOrder(t *testing.T) {
	for seed := range uint64(rounds / 10) {
		m := maker{rand.New(rand.NewPCG(3, seed))}
		before, after := m.document(), m.document()
		first := Diff(before, after)
		for range 5 {
			if again := Diff(before, after); !reflect.DeepEqual(again, first) {
				t.Fatalf("seed %d: %+v, and before %+v", seed, again, first)
			}
		}
	}
}

// A single setting that changes is mentioned with both of its values.
func TestAChangedSettingIsSaidWithBothValues(t *testing.T) {
	for seed := range uint64(rounds / 10) {
		m := maker{rand.New(rand.NewPCG(4, seed))}
		old, now := m.IntN(50), 50+m.IntN(50)
		before, after := office(), office()
		settings("main", `{"prompt":"summer","attempts":`+strconv.Itoa(old)+`}`)(&before)
		settings("main", `{"prompt":"summer","attempts":`+strconv.Itoa(now)+`}`)(&after)
		changes := Diff(before, after)
		if want := fmt.Sprintf("attempts is %d instead of %d", now, old); len(changes) != 1 || !strings.Contains(changes[0].Words(), want) {
			t.Fatalf("seed %d: %+v", seed, changes)
		}
	}
}
