package plan

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tandem/because"
	"tandem/tenants"
	"tandem/versions"
)

// What a change does.
const (
	Add    = "add"
	Alter  = "change"
	Remove = "remove"
)

// Names of sections that are not versioned, as in the file.
const (
	SectionSettings       = "settings"
	SectionUsers          = "users"
	SectionUserSettings   = "user_settings"
	SectionBoxes          = "voicemail_boxes"
	SectionDevices        = "devices"
	SectionPhones         = "phones"
	SectionWhereabouts    = "whereabouts"
	SectionTrunks         = "trunks"
	SectionOutboundRoutes = "outbound_routes"
)

// Change is one thing that has to change. Its words are those of the Catalog, or of package versions.
type Change struct {
	Path    string         `json:"path"`    // JSON pointer, by ids: /users/ada/extension
	Section string         `json:"section"` // name of the section
	Action  string         `json:"action"`  // Add, Alter, Remove
	ID      string         `json:"id,omitempty"`
	Because because.Reason `json:"change"`
	// Versioned changes are carried out all at once, by publishing.
	Versioned bool `json:"versioned"`
}

// Words says a change in a sentence.
func (c Change) Words() string {
	if c.Versioned {
		return versions.Catalog().Words(c.Because)
	}
	return Catalog().Words(c.Because)
}

// Diff says what has to change for a tenant that is as current says to be as wanted does, in the order in which it is carried out:
// what is new and what is changed, each after what it refers to; then what is versioned; then what goes, each after what
// refers to it. What wanted leaves out is left alone.
func Diff(current, wanted Document) []Change {
	current = current.Normal()
	wanted = Merge(current, wanted)
	d := &differ{}
	d.settings(current.Settings, wanted.Settings)
	all := compared(current, wanted)
	for _, s := range all {
		d.comeOrChange(s)
	}
	d.versioned(current, wanted)
	slices.Reverse(all)
	for _, s := range all {
		d.go_(s)
	}
	return d.changes
}

type differ struct{ changes []Change }

// item is one thing of a section that is not versioned.
type item struct {
	id    string
	words string         // what it is called: user ada
	about string         // what tells it when it comes or goes, in brackets
	tree  map[string]any // its fields, but for the id
}

// both is a section as it is and as it will be, by id.
type both struct {
	name          string
	before, after map[string]item
}

// compared are the sections that are not versioned, each after those that it refers to.
func compared(current, wanted Document) []both {
	return []both{
		{SectionUsers, users(current), users(wanted)},
		{SectionUserSettings, userSettings(current), userSettings(wanted)},
		{SectionBoxes, boxes(current), boxes(wanted)},
		{SectionDevices, devices(current), devices(wanted)},
		{SectionPhones, phones(current), phones(wanted)},
		{SectionWhereabouts, whereabouts(current), whereabouts(wanted)},
		{SectionTrunks, trunks(current), trunks(wanted)},
		{SectionOutboundRoutes, outboundRoutes(current), outboundRoutes(wanted)},
	}
}

func users(d Document) map[string]item {
	return items(d.Users, "id", func(u User) (id, words, about string) {
		return u.ID, "user " + u.ID, " (extension " + u.Extension + ")"
	})
}

func userSettings(d Document) map[string]item {
	return items(d.UserSettings, "user", func(s UserSettings) (id, words, about string) { return s.User, "the settings of user " + s.User, "" })
}

func boxes(d Document) map[string]item {
	return items(d.VoicemailBoxes, "user", func(b Box) (id, words, about string) { return b.User, "the voicemail box of user " + b.User, "" })
}

func devices(d Document) map[string]item {
	return items(d.Devices, "id", func(v Device) (id, words, about string) {
		about = " (user name " + v.Username
		if v.UserID != "" {
			about += ", of user " + v.UserID
		}
		return v.ID, "device " + v.ID, about + ")"
	})
}

func phones(d Document) map[string]item {
	return items(d.Phones, "device", func(p Phone) (id, words, about string) {
		return p.Device, "the phone of device " + p.Device, " (" + strings.TrimSpace(p.Vendor+" "+p.Model) + ", " + p.MAC + ")"
	})
}

func whereabouts(d Document) map[string]item {
	return items(d.Whereabouts, "device", func(w tenants.Whereabouts) (id, words, about string) {
		return w.Device, "the whereabouts of device " + w.Device, ""
	})
}

func trunks(d Document) map[string]item {
	return items(d.Trunks, "id", func(t Trunk) (id, words, about string) { return t.ID, "trunk " + t.ID, " (" + t.Name + ")" })
}

func outboundRoutes(d Document) map[string]item {
	return items(d.OutboundRoutes, "prefix", func(r OutboundRoute) (id, words, about string) {
		if r.Prefix == "" {
			return "", "the trunks for any number", ""
		}
		return r.Prefix, "the trunks for numbers that begin with " + r.Prefix, ""
	})
}

func items[T any](section []T, key string, of func(T) (id, words, about string)) map[string]item {
	all := make(map[string]item, len(section))
	for _, thing := range section {
		id, words, about := of(thing)
		tree := treeOf(thing)
		delete(tree, key)
		all[id] = item{id, words, about, tree}
	}
	return all
}

// treeOf gives what a thing consists of by the names of its fields in the file. What is left out there, is left out here.
func treeOf(thing any) map[string]any {
	tree := map[string]any{}
	if text, err := json.Marshal(thing); err == nil {
		_ = json.Unmarshal(text, &tree) // what was marshalled a line ago
	}
	return tree
}

func (d *differ) say(c Change, code string, args ...string) {
	c.Because = because.New(code, args...)
	d.changes = append(d.changes, c)
}

func (d *differ) settings(before, after *Settings) {
	if after == nil {
		return
	}
	var old map[string]any
	if before != nil {
		old = treeOf(before)
	}
	d.fields(Change{Path: "/" + SectionSettings, Section: SectionSettings, Action: Alter}, "the tenant", old, treeOf(after))
}

func (d *differ) comeOrChange(s both) {
	for _, id := range slices.Sorted(maps.Keys(s.after)) {
		now := s.after[id]
		old, was := s.before[id]
		at := Change{Path: "/" + s.name + "/" + escape(id), Section: s.name, ID: id, Action: Alter}
		if was {
			d.fields(at, now.words, old.tree, now.tree)
			continue
		}
		at.Action = Add
		about := now.about
		if about == "" && len(now.tree) > 0 {
			about = ": " + strings.Join(leafWords(now.tree, ""), ", ")
		}
		switch s.name {
		case SectionDevices:
			d.say(at, "device_added", "what", now.words, "about", about)
		case SectionPhones:
			d.say(at, "phone_added", "what", now.words, "about", about)
		case SectionBoxes:
			d.say(at, "box_added", "what", now.words)
		case SectionTrunks:
			d.say(at, "trunk_added", "what", now.words, "about", about)
		default:
			d.say(at, "added", "what", now.words, "about", about)
		}
	}
}

func (d *differ) go_(s both) {
	for _, id := range slices.Sorted(maps.Keys(s.before)) {
		if _, stays := s.after[id]; stays {
			continue
		}
		old := s.before[id]
		at := Change{Path: "/" + s.name + "/" + escape(id), Section: s.name, ID: id, Action: Remove}
		switch s.name {
		case SectionBoxes:
			d.say(at, "box_removed", "what", old.words)
			continue
		case SectionPhones:
			d.say(at, "phone_removed", "what", old.words, "about", old.about)
			continue
		}
		d.say(at, "removed", "what", old.words, "about", old.about)
	}
}

// fields tells each field of one thing that differs.
func (d *differ) fields(at Change, what string, before, after map[string]any) {
	old, now := leaves(before, ""), leaves(after, "")
	for _, path := range union(old, now) {
		b, was := old[path]
		a, is := now[path]
		c := at
		c.Path += path
		field := label(path)
		switch {
		case was && is && b == a:
		case c.Section == SectionDevices && path == "/username":
			d.say(c, "device_username", "what", what, "before", b, "after", a)
		case !was:
			d.say(c, "field_set", "what", what, "field", field, "after", a)
		case !is:
			d.say(c, "field_unset", "what", what, "field", field, "before", b)
		default:
			d.say(c, "field_changed", "what", what, "field", field, "before", b, "after", a)
		}
	}
}

// versioned has package versions say what differs in what is published. The flows that users imply are there for their names.
func (d *differ) versioned(current, wanted Document) {
	before, after := current.Published(), wanted.Published()
	before.Flows, after.Flows = named(before.Flows, current.Users), named(after.Flows, wanted.Users)
	for _, c := range versions.Diff(before, after) {
		section, id, _ := strings.Cut(strings.TrimPrefix(c.Path, "/"), "/")
		if section == "flows" && strings.HasPrefix(id, userFlow) {
			continue
		}
		d.changes = append(d.changes, Change{Path: c.Path, Section: section, Action: Alter, Because: c.Because, Versioned: true})
	}
}

// userFlow begins the id of the flow that publishing implies for a user (package provisioning).
const userFlow = "user-"

func named(flows []tenants.Flow, users []User) []tenants.Flow {
	flows = slices.Clone(flows)
	for _, u := range users {
		flows = append(flows, tenants.Flow{ID: userFlow + u.ID, Name: u.Name})
	}
	return flows
}

// leaves gives the fields of a thing in words, by their paths. A list is one leaf.
func leaves(tree map[string]any, at string) map[string]string {
	all := map[string]string{}
	for name, value := range tree {
		path := at + "/" + escape(name)
		if record, is := value.(map[string]any); is {
			maps.Copy(all, leaves(record, path))
			continue
		}
		all[path] = words(value)
	}
	return all
}

// leafWords lists fields in one line.
func leafWords(tree map[string]any, at string) []string {
	all := leaves(tree, at)
	var lines []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		lines = append(lines, label(path)+" "+all[path])
	}
	return lines
}

// label is a field's path as words.
func label(path string) string {
	text := strings.NewReplacer("/", ", ", "_", " ").Replace(strings.TrimPrefix(path, "/"))
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(text)
}

func words(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case string:
		return strconv.Quote(v)
	case []any:
		if len(v) == 0 {
			return "none"
		}
		all := make([]string, len(v))
		for i := range v {
			all[i] = words(v[i])
		}
		return strings.Join(all, ", ")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func union(b, a map[string]string) []string {
	keys := slices.Collect(maps.Keys(a))
	for key := range b {
		if _, in := a[key]; !in {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// escape makes an id one part of a JSON pointer (RFC 6901 section 3).
func escape(id string) string {
	return strings.ReplaceAll(strings.ReplaceAll(id, "~", "~0"), "/", "~1")
}
