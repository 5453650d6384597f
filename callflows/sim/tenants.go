package sim

import (
	"fmt"
	"net/netip"
	"time"

	"tandem/callflows"
	"tandem/tenants"
)

// Names in a world carry their tenant: "t1-desk2", "t1/greeting". So whatever leaks from one tenant to another is seen.
const (
	emergencyNumber = "112"
	emergencyURI    = "sip:192.0.2.112:5060"
	carrier         = "carrier"
)

func carrierAddress() netip.Addr { return netip.MustParseAddr("198.51.100.7") }

// settle makes the tenants, their flows and their phones.
func (w *world) settle() {
	data := tenants.Data{
		Emergency: tenants.Emergency{Numbers: []string{emergencyNumber}, TrunkURI: emergencyURI},
		Trunks: []tenants.Trunk{{ID: carrier, Name: "Carrier", Addresses: []netip.Addr{carrierAddress()},
			Outgoing: &tenants.Outgoing{Destinations: []string{"sip:198.51.100.7", "sip:198.51.100.8"}, MaxCalls: 1 + w.rng.IntN(2), Seconds: 4}},
			{ID: carrier + "2", Name: "Second carrier", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:198.51.100.9"}, MaxCalls: 1 + w.rng.IntN(3),
				Failover: pick(w, nil, []string{"486", "404", "timeout"}), CallerID: tenants.CallerIDRule{Show: pick(w, "", tenants.CallerAny), Carried: pick(w, "", tenants.CarriedPAI)}}}},
		Outbound: []tenants.OutboundRoute{{Trunk: carrier, Position: 1}, {Trunk: carrier + "2", Position: 2}, {Prefix: "+49", Trunk: carrier + "2"}},
		Nodes:    []tenants.Node{{Name: "node-1", SIPURI: "sip:192.0.2.20:5080"}},
	}
	n := 1 + w.rng.IntN(3)
	for i := range n {
		t := w.anyTenant(i+1, n)
		data.Tenants = append(data.Tenants, t)
		if w.chance(50) { // a PBX of its own, which registers as one of its devices
			data.Trunks = append(data.Trunks, tenants.Trunk{ID: t.ID + "-pbx", Name: "PBX of " + t.ID, Tenant: t.ID, Device: t.AllDevices()[0].ID, MayCallOut: w.chance(50), Outgoing: &tenants.Outgoing{}})
			if w.chance(30) {
				data.Outbound = append(data.Outbound, tenants.OutboundRoute{Trunk: t.ID + "-pbx"})
			}
		}
	}
	w.resell(data.Tenants)
	snapshot, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	for _, f := range faults {
		panic("sim: a tenant that does not hold together: " + f.Error())
	}
	w.snapshot = snapshot
	for _, t := range data.Tenants {
		w.versions[t.ID], w.archive[edition{t.ID, t.Published.Version}] = t.Published.Version, t.Published
		w.tenants = append(w.tenants, snapshot.Tenant(t.ID))
	}
}

// resell makes the first of several tenants the reseller of the others, now and then, with a limit over all of them. It draws by the
// seed alone, so that the worlds without resellers are those that they were.
func (w *world) resell(all []tenants.Tenant) {
	if len(all) < 2 || w.weather.busy || w.seed%4 != 1 {
		return
	}
	all[0].MaxCalls = 1 + int(w.seed/4%3)
	for i := range all[1:] {
		all[i+1].Parent = all[0].ID
	}
	if len(all) > 2 && w.seed%8 == 1 {
		all[2].Parent = all[1].ID
	}
}

// anyTenant draws the i-th of n tenants.
func (w *world) anyTenant(i, n int) tenants.Tenant {
	id := fmt.Sprintf("t%d", i)
	t := tenants.Tenant{ID: id, Name: "Tenant " + id, Domain: id + ".example", TimeZone: "UTC", Numbers: []string{fmt.Sprintf("+155501%02d", i)}}
	if w.chance(25) && !w.weather.busy {
		t.MaxCalls = 1 + w.rng.IntN(2)
	}
	for u := range 1 + w.rng.IntN(3) {
		user := tenants.User{ID: fmt.Sprintf("%s-user%d", id, u), Name: fmt.Sprintf("User %d of %s", u, id), Extension: fmt.Sprintf("1%02d", u)}
		if w.chance(50) {
			user.Number = t.Numbers[0]
		}
		t.Users = append(t.Users, user)
	}
	for d := range 1 + w.rng.IntN(5) {
		device := tenants.Device{ID: fmt.Sprintf("%s-desk%d", id, d), Name: fmt.Sprintf("Phone %d of %s", d, id)}
		device.Username = device.ID
		if w.chance(80) {
			device.UserID = t.Users[w.rng.IntN(len(t.Users))].ID
		}
		t.Devices = append(t.Devices, device)
		w.phones[device.ID] = w.anyPhone(id, device.ID)
	}
	t.CallingOut.Allowed = w.chance(70)
	for _, u := range t.Users {
		if w.chance(40) {
			t.Settings = append(t.Settings, w.anyUserSettings(u.ID))
		}
	}
	version := 1 + int64(w.rng.IntN(1000))
	t.Published = w.anyPublished(&t, version, 1+w.rng.IntN(3), n)
	return t
}

// anyPublished draws a version of a tenant with so many flows, beside others.
func (w *world) anyPublished(t *tenants.Tenant, version int64, flows, n int) tenants.Published {
	every, id := []time.Weekday{0, 1, 2, 3, 4, 5, 6}, t.ID
	p := tenants.Published{Version: version, Schedules: []tenants.Schedule{
		{ID: id + "-office", Name: "Office", Weekly: []tenants.Hours{{Days: every, From: 9 * 60, Until: 17 * 60}}},
		{ID: id + "-never", Name: "Never"}},
		Lists: []tenants.List{{ID: id + "-vip", Name: "Priority", Entries: []string{"+1555*", "100"}}}}
	for f := range flows {
		flow := w.anyFlow(fmt.Sprintf("%s-flow%d", id, f), t, flows, n)
		p.Flows = append(p.Flows, flow)
		p.Routes = append(p.Routes, tenants.Route{Dialled: fmt.Sprintf("2%02d", f), FlowID: flow.ID})
	}
	p.Routes = append(p.Routes, tenants.Route{Dialled: t.Numbers[0], FlowID: p.Flows[0].ID})
	if w.weather.busy {
		w.addMeeting(t, &p)
	}
	if len(w.nodes) > 1 {
		w.addLasting(t, &p, flows, n)
	}
	return p
}

// meeting are the numbers of flows in which calls of a tenant meet: flows that are drawn seldom lead two calls to each other.
func meeting() []string { return []string{"301", "302", "303", "304", "305", "306"} }

func (w *world) addMeeting(t *tenants.Tenant, p *tenants.Published) {
	var users []string
	for _, u := range t.Users {
		users = append(users, u.ID)
	}
	whose := map[string]any{"users": users}
	listen := map[string]any{"users": users, "allowed_users": users, "mode": pick(w, "listen", "barge")}
	for i, e := range []tenants.Element{
		{Type: "ring", Settings: pack(map[string]any{"users": users, "seconds": 20}), Exits: map[string]string{"no_answer": "end"}},
		{Type: "pickup", Settings: pack(whose), Exits: map[string]string{"nothing": "end", "failed": "end"}},
		{Type: "park", Settings: pack(map[string]any{"first": 1, "slots": 1 + w.rng.IntN(2), "seconds": 5 + w.rng.IntN(20)}), Exits: map[string]string{"timeout": "end"}},
		{Type: "unpark", Settings: pack(map[string]any{"slot": pick(w, "1", "1", "2")}), Exits: map[string]string{"failed": "end"}},
		{Type: "pull", Exits: map[string]string{"nothing": "end"}},
		{Type: "eavesdrop", Settings: pack(listen), Exits: map[string]string{"next": "end"}},
		{Type: "unpark", Settings: pack(map[string]any{"slot": "{dialled.rest}"}), Exits: map[string]string{"failed": "end"}},
	} {
		flow := tenants.Flow{ID: fmt.Sprintf("%s-fetch%d", t.ID, i), Name: "Fetch", Start: "e", Elements: map[string]tenants.Element{"e": e,
			"end": {Type: "play", Settings: pack(map[string]any{"prompt": t.ID + "/sorry"}), Exits: map[string]string{}}}}
		p.Flows = append(p.Flows, flow)
		if i < len(meeting()) {
			p.Routes = append(p.Routes, tenants.Route{Dialled: meeting()[i], FlowID: flow.ID})
		} else {
			p.Routes = append(p.Routes, tenants.Route{Dialled: unparkPrefix, Prefix: true, FlowID: flow.ID})
		}
	}
}

// anyUserSettings draws what a user has set. Users forward to each other, to themselves, to flows, outside and to nowhere.
func (w *world) anyUserSettings(user string) tenants.UserSettings {
	forward := func(chance int) tenants.Forward {
		return tenants.Forward{On: w.chance(chance), To: pick(w, "100", "101", "102", "200", "201", "+15559001", "999", ""), Confirm: w.chance(40)}
	}
	dials := map[string]string{"1": pick(w, "100", "200", "+15559001", "999")}
	return tenants.UserSettings{User: user, SpeedDials: dials, ForwardAll: forward(30), ForwardBusy: forward(50), ForwardNoAnswer: forward(50), NoAnswerSeconds: w.rng.IntN(8),
		DoNotDisturb: w.chance(20), NoCallWaiting: w.chance(30), RejectAnonymous: w.chance(20)}
}

// anyFlow draws a flow of up to eight elements of any type that there is. Exits lead anywhere, or nowhere.
func (w *world) anyFlow(id string, t *tenants.Tenant, flows, others int) tenants.Flow {
	f := tenants.Flow{ID: id, Name: "Flow " + id, Start: "e0", Elements: map[string]tenants.Element{}}
	n := 1 + w.rng.IntN(8)
	for i := range n {
		kinds := w.kinds
		if w.weather.busy && w.chance(50) {
			kinds = w.meets
		}
		kind := &kinds[w.rng.IntN(len(kinds))]
		e := tenants.Element{Type: kind.Type, Exits: map[string]string{}}
		e.Settings = w.anySettings(kind, func(what callflows.Reference) string { return w.anyName(what, t, flows, others) })
		exits, err := callflows.ExitNames(e.Type, e.Settings)
		if err != nil {
			panic(fmt.Sprintf("sim: settings of %s are refused: %s: %v", e.Type, e.Settings, err))
		}
		for _, exit := range exits {
			if w.chance(75) {
				e.Exits[exit] = fmt.Sprintf("e%d", w.rng.IntN(n))
			}
		}
		f.Elements[fmt.Sprintf("e%d", i)] = e
	}
	reached := map[string]bool{}
	reach(f, f.Start, reached)
	for i := range n {
		if key := fmt.Sprintf("e%d", i); !reached[key] {
			delete(f.Elements, key)
		}
	}
	return f
}

func reach(f tenants.Flow, key string, reached map[string]bool) {
	if reached[key] {
		return
	}
	reached[key] = true
	for _, next := range f.Elements[key].Exits {
		reach(f, next, reached)
	}
}

// anyName draws an id that settings may refer to. Now and then it is not there, or another tenant's: what was there when the
// flow was saved may be gone when it runs.
func (w *world) anyName(what callflows.Reference, t *tenants.Tenant, flows, others int) string {
	owner, stray := t.ID, w.rng.IntN(100)
	switch {
	case stray < 4 && what != callflows.RefersToPrompt:
		owner = fmt.Sprintf("t%d", 1+w.rng.IntN(others))
	case stray < 6 && what != callflows.RefersToPrompt && what != callflows.RefersToNumber:
		return "gone"
	}
	switch what {
	case callflows.RefersToUser:
		return fmt.Sprintf("%s-user%d", owner, w.rng.IntN(len(t.AllUsers())))
	case callflows.RefersToDevice:
		return fmt.Sprintf("%s-desk%d", owner, w.rng.IntN(5))
	case callflows.RefersToSchedule:
		return owner + pick(w, "-office", "-never")
	case callflows.RefersToFlow:
		return fmt.Sprintf("%s-flow%d", owner, w.rng.IntN(flows))
	case callflows.RefersToNumber:
		return t.AllNumbers()[0]
	case callflows.RefersToList:
		return owner + "-vip"
	case callflows.RefersToTrunk:
		return pick(w, owner+"-pbx", carrier)
	case callflows.RefersToPrompt:
		return owner + "/" + pick(w, "greeting", "menu", "sorry", "missing")
	}
	panic("sim: settings refer to a " + string(what) + ", of which worlds have none")
}
