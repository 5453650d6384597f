package provisioning

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tandem/callflows"
	"tandem/provisioning/plan"
	"tandem/tenants"
)

// maxFileFaults bounds what is told of one file.
const maxFileFaults = 100

// fileFaults collects what is wrong with a tenant as it will be.
type fileFaults struct{ faults []callflows.FlowFault }

func (f *fileFaults) add(path, detail string) {
	f.put(callflows.FlowFault{Path: path, Code: "not_as_a_whole", Detail: detail})
}

func (f *fileFaults) put(fault callflows.FlowFault) {
	same := func(other callflows.FlowFault) bool { return other.Path == fault.Path }
	if len(f.faults) < maxFileFaults && !slices.ContainsFunc(f.faults, same) {
		f.faults = append(f.faults, fault)
	}
}

// err adds a refusal of one thing.
func (f *fileFaults) err(path string, err error) {
	var refused *Error
	if errors.As(err, &refused) {
		f.put(callflows.FlowFault{Path: path + "/" + refused.Field, Code: string(refused.Code), Detail: refused.Detail})
	}
}

func (f *fileFaults) settings(s *plan.Settings) {
	if s == nil {
		return
	}
	var c checks
	c.name("name", *s.Name)
	c.timeZone("time_zone", *s.TimeZone)
	c.form(languageForm, "language", *s.Language, "is not a language such as en or en-GB")
	c.limit("max_calls", *s.MaxCalls)
	c.limit("max_calls_per_second", *s.MaxCallsPerSecond)
	if *s.MusicOnHold != "" {
		c.form(callflows.PromptForm(), "music_on_hold", *s.MusicOnHold, "is not the name of a prompt")
	}
	f.err("/settings", c.err)
	f.err("/settings", checkDialling(*s.MainNumber, tenants.Dialling{}))
	f.err("/settings/dialling", checkDialling("", *s.Dialling))
	f.err("/settings/calling_out", checkCallingOut(*s.CallingOut))
}

func (f *fileFaults) people(d plan.Document, emergency tenants.Emergency) {
	for _, u := range d.Users {
		var c checks
		c.form(userIDForm, "id", u.ID, "is not 1 to 59 letters, digits or _ . -")
		c.name("name", u.Name)
		c.form(extensionForm, "extension", u.Extension, "is not 2 to 8 digits")
		c.that(!emergency.Is(u.Extension), "extension", "is an emergency number")
		if u.Number != "" {
			c.number("number", u.Number)
		}
		f.err("/users/"+u.ID, c.err)
	}
	for _, s := range d.UserSettings {
		f.err("/user_settings/"+s.User, checkUserSettings(keptSettings(s)))
	}
	for _, v := range d.Devices {
		var c checks
		c.id("id", v.ID)
		c.name("name", v.Name)
		c.id("username", v.Username)
		f.err("/devices/"+v.ID, c.err)
	}
	for _, p := range d.Phones {
		_, err := checkPhone(p.Device, keptPhone(p))
		f.err("/phones/"+p.Device, err)
	}
	for _, w := range d.Whereabouts {
		f.err("/whereabouts/"+w.Device, checkWhereabouts(w))
	}
}

func (f *fileFaults) trunks(d plan.Document) {
	for _, t := range d.Trunks {
		f.err("/trunks/"+t.ID, checkTrunk(keptTrunk(t, "this")))
	}
	for _, r := range d.OutboundRoutes {
		var c checks
		c.form(prefixForm, "prefix", r.Prefix, "is not the beginning of an E.164 number written with +")
		c.that(len(r.Trunks) <= MaxOutboundTrunks, "trunks", fmt.Sprintf("are more than %d", MaxOutboundTrunks))
		f.err("/outbound_routes/"+r.Prefix, c.err)
	}
}

func (f *fileFaults) versioned(d plan.Document, emergency tenants.Emergency) {
	for _, s := range d.Schedules {
		f.err("/schedules/"+s.ID, checkSchedule(s))
	}
	for _, l := range d.Lists {
		f.err("/lists/"+l.ID, checkList(l))
	}
	around := aroundFile(d)
	for _, flow := range d.Flows {
		if err := checkFlowForm(flow); err != nil {
			f.err("/flows/"+flow.ID, err)
			continue
		}
		for _, fault := range callflows.Errors(callflows.CheckFlow(flow, around)) {
			fault.Path = "/flows/" + flow.ID + fault.Path
			f.put(fault)
		}
	}
	for _, r := range d.Routes {
		var c checks
		c.form(dialledForm, "dialled", r.Dialled, "is not 1 to 20 digits, * or #")
		c.that(!emergency.Is(r.Dialled), "dialled", "is an emergency number")
		c.id("flow_id", r.FlowID)
		f.err("/routes/"+r.Dialled, c.err)
	}
	for _, caller := range d.BlockedCallers {
		if err := checkCaller(caller); err != nil {
			f.err("/blocked_callers/"+caller, err)
		}
	}
}

// aroundFile tells a check of flows what there will be.
func aroundFile(d plan.Document) callflows.Around {
	all := drafts{schedules: d.Schedules, lists: d.Lists, flows: d.Flows}
	for _, u := range d.Users {
		all.users = append(all.users, tenants.User(u))
	}
	for _, v := range d.Devices {
		all.devices = append(all.devices, tenants.Device(v))
	}
	for _, t := range d.Trunks {
		if t.Device != "" || t.Outgoing != nil && len(t.Outgoing.Destinations) > 0 {
			all.trunks = append(all.trunks, t.ID)
		}
	}
	return all.around()
}

// byID finds a thing of a section that is in the order of its ids.
func byID[T any](section []T, id string, of func(T) string) (thing T) {
	if i, found := slices.BinarySearchFunc(section, id, func(t T, id string) int { return strings.Compare(of(t), id) }); found {
		return section[i]
	}
	return thing
}
