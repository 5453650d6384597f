package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"tandem/tenants"
)

// Normal gives a document in the one order in which it is written and compared: sections by id, sets sorted, settings of
// elements with their members in order. It shares what it does not change.
func (d Document) Normal() Document {
	d.Format = Format
	by(&d.Users, func(u User) string { return u.ID })
	by(&d.UserSettings, func(s UserSettings) string { return s.User })
	by(&d.VoicemailBoxes, func(b Box) string { return b.User })
	by(&d.Devices, func(v Device) string { return v.ID })
	by(&d.Phones, phoneOf)
	for i := range d.Phones {
		d.Phones[i] = normalPhone(d.Phones[i])
	}
	by(&d.Whereabouts, func(w tenants.Whereabouts) string { return w.Device })
	by(&d.Trunks, func(t Trunk) string { return t.ID })
	by(&d.OutboundRoutes, func(r OutboundRoute) string { return r.Prefix })
	by(&d.Schedules, func(s tenants.Schedule) string { return s.ID })
	by(&d.Lists, func(l tenants.List) string { return l.ID })
	by(&d.Flows, func(f tenants.Flow) string { return f.ID })
	by(&d.Numbers, func(n Number) string { return n.Number })
	by(&d.Routes, func(r Route) string { return r.Dialled })
	by(&d.BlockedCallers, func(c string) string { return c })
	for i := range d.Lists {
		d.Lists[i].Entries = some(slices.Sorted(slices.Values(d.Lists[i].Entries)))
	}
	for i := range d.Flows {
		d.Flows[i] = normalFlow(d.Flows[i])
	}
	for i := range d.Trunks {
		t := &d.Trunks[i]
		t.Addresses = slices.SortedFunc(slices.Values(t.Addresses), netip.Addr.Compare)
		if t.Outgoing != nil {
			out := *t.Outgoing
			out.Destinations = some(out.Destinations)
			t.Outgoing = &out
		}
	}
	if d.Settings != nil && d.Settings.CallingOut != nil {
		settings, out := *d.Settings, *d.Settings.CallingOut
		out.BlockedPrefixes, out.Shown = slices.Sorted(slices.Values(out.BlockedPrefixes)), slices.Sorted(slices.Values(out.Shown))
		settings.CallingOut = &out
		d.Settings = &settings
	}
	return d
}

// by sorts a copy of a section. One that is left out stays so.
func by[T any](section *[]T, key func(T) string) {
	if *section == nil {
		return
	}
	*section = append([]T{}, *section...)
	slices.SortStableFunc(*section, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
}

// normalPhone writes a hardware address as twelve digits, if it is one, and what is empty as what is left out.
func normalPhone(p Phone) Phone {
	const digits = 12
	mac := strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "").Replace(p.MAC))
	if len(mac) == digits && strings.Trim(mac, "0123456789abcdef") == "" {
		p.MAC = mac
	}
	if len(p.Codecs) == 0 {
		p.Codecs = nil
	}
	if len(p.Keys) == 0 {
		p.Keys = nil
	}
	return p
}

func normalFlow(f tenants.Flow) tenants.Flow {
	elements := make(map[string]tenants.Element, len(f.Elements))
	for key, e := range f.Elements {
		e.Settings, e.Parsed = normalSettings(e.Settings), nil
		if len(e.Exits) == 0 {
			e.Exits = nil
		}
		elements[key] = e
	}
	f.Elements = elements
	return f
}

// normalSettings writes settings with their members in order; none at all are nil. What is no JSON stays as it is.
func normalSettings(settings json.RawMessage) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(settings))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return settings
	}
	if members, record := value.(map[string]any); value == nil || record && len(members) == 0 {
		return nil
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(value) != nil {
		return settings
	}
	return bytes.TrimSpace(out.Bytes())
}

// Merge gives the tenant as it will be: what the wanted document says, and of the rest what is there now. What belongs to a user or
// device that goes, goes with it.
func Merge(current, wanted Document) Document {
	current, wanted = current.Normal(), wanted.Normal()
	merged := wanted
	merged.Tenant = current.Tenant
	merged.Settings = mergeSettings(current.Settings, wanted.Settings)
	users, devices := keep(&merged.Users, current.Users), keep(&merged.Devices, current.Devices)
	left(&merged.UserSettings, current.UserSettings, func(s UserSettings) bool { return !users || has(merged.Users, s.User, userID) })
	left(&merged.VoicemailBoxes, current.VoicemailBoxes, func(b Box) bool { return !users || has(merged.Users, b.User, userID) })
	left(&merged.Phones, current.Phones, func(p Phone) bool { return !devices || has(merged.Devices, p.Device, deviceID) })
	left(&merged.Whereabouts, current.Whereabouts, func(w tenants.Whereabouts) bool { return !devices || has(merged.Devices, w.Device, deviceID) })
	trunks := keep(&merged.Trunks, current.Trunks)
	if merged.OutboundRoutes == nil {
		merged.OutboundRoutes = routesBy(current.OutboundRoutes, merged.Trunks, trunks)
	}
	keep(&merged.Schedules, current.Schedules)
	keep(&merged.Lists, current.Lists)
	keep(&merged.Flows, current.Flows)
	keep(&merged.Routes, current.Routes)
	keep(&merged.BlockedCallers, current.BlockedCallers)
	merged.Numbers = mergeNumbers(current.Numbers, wanted.Numbers)
	// A user who has set nothing is as one who is not there.
	merged.UserSettings = slices.DeleteFunc(merged.UserSettings, func(s UserSettings) bool { return s.nothing() })
	merged.Whereabouts = slices.DeleteFunc(merged.Whereabouts, func(w tenants.Whereabouts) bool { return w.Number == "" && w.Location == "" })
	merged.OutboundRoutes = slices.DeleteFunc(merged.OutboundRoutes, func(r OutboundRoute) bool { return len(r.Trunks) == 0 })
	return merged
}

func (s UserSettings) nothing() bool {
	return s.ForwardAll == (Forward{}) && s.ForwardBusy == (Forward{}) && s.ForwardNoAnswer == (Forward{}) && s.NoAnswerSeconds == 0 &&
		!s.DoNotDisturb && !s.NoCallWaiting && !s.RejectAnonymous && len(s.SpeedDials) == 0
}

func userID(u User) string     { return u.ID }
func deviceID(d Device) string { return d.ID }
func trunkID(t Trunk) string   { return t.ID }
func phoneOf(p Phone) string   { return p.Device }

func has[T any](section []T, id string, of func(T) string) bool {
	_, found := slices.BinarySearchFunc(section, id, func(t T, id string) int { return strings.Compare(of(t), id) })
	return found
}

// keep takes a section that is left out from what is there now, and says whether the file has it.
func keep[T any](section *[]T, current []T) (said bool) {
	if said = *section != nil; !said {
		*section = some(slices.Clone(current))
	}
	return said
}

// left is keep for a section of which some go with others.
func left[T any](section *[]T, current []T, stays func(T) bool) {
	if *section == nil {
		*section = slices.DeleteFunc(some(slices.Clone(current)), func(t T) bool { return !stays(t) })
	}
}

// routesBy keeps the routes of trunks that stay.
func routesBy(current []OutboundRoute, trunks []Trunk, said bool) []OutboundRoute {
	all := []OutboundRoute{}
	for _, r := range current {
		if said {
			r.Trunks = slices.DeleteFunc(slices.Clone(r.Trunks), func(id string) bool { return !has(trunks, id, trunkID) })
		}
		all = append(all, r)
	}
	return all
}

// mergeNumbers gives each number that the tenant has its assignment. One that the file names and the tenant has not is kept for Check.
func mergeNumbers(current, wanted []Number) []Number {
	if wanted == nil {
		return some(slices.Clone(current))
	}
	merged := slices.Clone(wanted)
	for _, n := range current {
		if !has(wanted, n.Number, func(n Number) string { return n.Number }) {
			merged = append(merged, Number{Number: n.Number})
		}
	}
	by(&merged, func(n Number) string { return n.Number })
	return merged
}

func mergeSettings(current, wanted *Settings) *Settings {
	if wanted == nil {
		return current
	}
	merged := *wanted
	if current == nil {
		return &merged
	}
	merged.Name, merged.TimeZone, merged.Language = cmp.Or(merged.Name, current.Name), cmp.Or(merged.TimeZone, current.TimeZone), cmp.Or(merged.Language, current.Language)
	merged.MaxCalls, merged.MaxCallsPerSecond = cmp.Or(merged.MaxCalls, current.MaxCalls), cmp.Or(merged.MaxCallsPerSecond, current.MaxCallsPerSecond)
	merged.MainNumber, merged.MusicOnHold = cmp.Or(merged.MainNumber, current.MainNumber), cmp.Or(merged.MusicOnHold, current.MusicOnHold)
	merged.Dialling, merged.CallingOut = cmp.Or(merged.Dialling, current.Dialling), cmp.Or(merged.CallingOut, current.CallingOut)
	return &merged
}
