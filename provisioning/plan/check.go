package plan

import (
	"net/netip"
	"slices"
	"strings"

	"tandem/tenants"
)

// Check says what does not hold together in a tenant as it will be: things that are there twice, and references to what is not
// there. owned are the numbers that the tenant has. Forms of values, and what elements of flows refer to, are for others.
func Check(d Document, owned []string) []Fault {
	c := &checker{}
	once(c, "users", d.Users, userID, "is there twice")
	once(c, "users", d.Users, func(u User) string { return u.Extension }, "is the extension of two users")
	once(c, "user_settings", d.UserSettings, func(s UserSettings) string { return s.User }, "is there twice")
	once(c, "voicemail_boxes", d.VoicemailBoxes, func(b Box) string { return b.User }, "is there twice")
	once(c, "devices", d.Devices, deviceID, "is there twice")
	once(c, "devices", d.Devices, func(v Device) string { return v.Username }, "is the user name of two devices")
	once(c, "phones", d.Phones, phoneOf, "is there twice")
	once(c, "phones", d.Phones, func(p Phone) string { return p.MAC }, "is the hardware address of two phones")
	once(c, "whereabouts", d.Whereabouts, func(w tenants.Whereabouts) string { return w.Device }, "is there twice")
	once(c, "trunks", d.Trunks, trunkID, "is there twice")
	once(c, "outbound_routes", d.OutboundRoutes, func(r OutboundRoute) string { return r.Prefix }, "is there twice")
	once(c, "schedules", d.Schedules, func(s tenants.Schedule) string { return s.ID }, "is there twice")
	once(c, "lists", d.Lists, func(l tenants.List) string { return l.ID }, "is there twice")
	once(c, "flows", d.Flows, func(f tenants.Flow) string { return f.ID }, "is there twice")
	once(c, "numbers", d.Numbers, func(n Number) string { return n.Number }, "is there twice")
	once(c, "routes", d.Routes, func(r Route) string { return r.Dialled }, "is there twice")
	once(c, "blocked_callers", d.BlockedCallers, func(caller string) string { return caller }, "is there twice")
	c.people(d)
	c.numbers(d, owned)
	c.trunks(d)
	c.routes(d)
	return c.faults
}

type checker struct{ faults []Fault }

func (c *checker) that(ok bool, path, detail string) {
	if !ok && len(c.faults) < maxFaults {
		c.faults = append(c.faults, Fault{Path: path, Detail: detail})
	}
}

func once[T any](c *checker, section string, all []T, of func(T) string, detail string) {
	seen := make(map[string]bool, len(all))
	for _, thing := range all {
		key := of(thing)
		c.that(!seen[key], "/"+section+"/"+escape(key), detail)
		seen[key] = true
	}
}

// set gathers what can be referred to.
func set[T any](all []T, of func(T) string) map[string]bool {
	there := make(map[string]bool, len(all))
	for _, thing := range all {
		there[of(thing)] = true
	}
	return there
}

const (
	noUser   = "names a user who is not there: "
	noDevice = "names a device that is not there: "
	noTrunk  = "names a trunk that is not there: "
	noFlow   = "leads to a flow that is not there: "
	foreign  = "is no number of this tenant's: a file assigns numbers, and acquires none"
)

func (c *checker) people(d Document) {
	users, devices := set(d.Users, userID), set(d.Devices, deviceID)
	for _, s := range d.UserSettings {
		c.that(users[s.User], "/user_settings/"+escape(s.User), noUser+s.User)
	}
	for _, b := range d.VoicemailBoxes {
		c.that(users[b.User], "/voicemail_boxes/"+escape(b.User), noUser+b.User)
	}
	for _, v := range d.Devices {
		c.that(v.UserID == "" || users[v.UserID], "/devices/"+escape(v.ID)+"/user_id", noUser+v.UserID)
	}
	for _, p := range d.Phones {
		c.that(devices[p.Device], "/phones/"+escape(p.Device), noDevice+p.Device)
	}
	for _, w := range d.Whereabouts {
		c.that(devices[w.Device], "/whereabouts/"+escape(w.Device), noDevice+w.Device)
	}
}

func (c *checker) numbers(d Document, owned []string) {
	own := set(owned, func(n string) string { return n })
	if d.Settings != nil && d.Settings.MainNumber != nil && *d.Settings.MainNumber != "" {
		c.that(own[*d.Settings.MainNumber], "/settings/main_number", foreign)
	}
	for _, u := range d.Users {
		c.that(u.Number == "" || own[u.Number], "/users/"+escape(u.ID)+"/number", foreign)
	}
	for _, w := range d.Whereabouts {
		c.that(w.Number == "" || own[w.Number], "/whereabouts/"+escape(w.Device)+"/number", foreign)
	}
	for _, n := range d.Numbers {
		c.that(own[n.Number], "/numbers/"+escape(n.Number), foreign)
	}
}

func (c *checker) trunks(d Document) {
	devices, called := set(d.Devices, deviceID), map[string]bool{}
	registers, calls := map[string]bool{}, map[netip.Addr]bool{}
	for _, t := range d.Trunks {
		at := "/trunks/" + escape(t.ID)
		called[t.ID] = t.Device != "" || t.Outgoing != nil && len(t.Outgoing.Destinations) > 0
		c.that(t.Device == "" || devices[t.Device], at+"/device", noDevice+t.Device)
		c.that(t.Device == "" || !registers[t.Device], at+"/device", "is the device of another trunk, too")
		registers[t.Device] = true
		for _, a := range t.Addresses {
			c.that(!calls[a.Unmap()], at+"/addresses", "has an address twice, or one of another trunk: "+a.String())
			calls[a.Unmap()] = true
		}
	}
	for _, r := range d.OutboundRoutes {
		at := "/outbound_routes/" + escape(r.Prefix)
		for i, id := range r.Trunks {
			there, known := called[id], set(d.Trunks, trunkID)[id]
			c.that(known, at, noTrunk+id)
			c.that(there || !known, at, "names a trunk that cannot be called: "+id)
			c.that(!slices.Contains(r.Trunks[:i], id), at, "names a trunk twice: "+id)
		}
	}
}

func (c *checker) routes(d Document) {
	leads := set(d.Flows, func(f tenants.Flow) string { return f.ID })
	extensions := map[string]string{}
	for _, u := range d.Users {
		leads[userFlow+u.ID] = true
		extensions[u.Extension] = u.ID
	}
	for _, n := range d.Numbers {
		c.that(n.FlowID == "" || leads[n.FlowID], "/numbers/"+escape(n.Number)+"/flow_id", noFlow+n.FlowID)
	}
	for _, r := range d.Routes {
		at := "/routes/" + escape(r.Dialled)
		c.that(leads[r.FlowID], at+"/flow_id", noFlow+r.FlowID)
		c.that(!strings.HasPrefix(r.Dialled, "+"), at, "is a number: assign it among the numbers")
		c.that(extensions[r.Dialled] == "", at, "is the extension of the user "+extensions[r.Dialled])
	}
}
