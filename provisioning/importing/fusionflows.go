package importing

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tandem/tenants"
)

// name finds out which flow everything that can be dialled will be, so that flows can lead to each other.
func (f *fusion) name() {
	for _, t := range []struct{ table, kind, dialled, named, enabled string }{
		{fusionGroups, "ring group", "ring_group_extension", "ring_group_name", "ring_group_enabled"},
		{fusionMenus, "menu", "ivr_menu_extension", "ivr_menu_name", "ivr_menu_enabled"},
	} {
		for _, r := range f.rows(t.table) {
			if r.truth(t.enabled, true) {
				f.lead(r, t.kind, r.get(t.dialled), r.get(t.named))
			}
		}
	}
	for _, c := range f.conditions() {
		f.lead(c.row, "time condition", c.dialled, c.name)
	}
}

// lead keeps an id for the flow of what is dialled.
func (f *fusion) lead(r row, kind, dialled, name string) {
	switch {
	case !dialledForm.MatchString(dialled):
		f.report.left(r.place, kind, name, "what is dialled for it is not 1 to 20 digits, * or #: "+strconv.Quote(dialled))
	case f.leads[dialled] != "":
		f.report.left(r.place, kind, name, dialled+" leads elsewhere already")
	default:
		f.leads[dialled] = f.id("flows", cmp.Or(name, dialled))
	}
}

// flowOf gives the id that lead has kept, if it is not one of a user's or another's.
func (f *fusion) flowOf(dialled string) (id string, ok bool) {
	id = f.leads[dialled]
	taken := slices.ContainsFunc(f.doc.Flows, func(flow tenants.Flow) bool { return flow.ID == id })
	return id, id != "" && !strings.HasPrefix(id, userFlow) && !taken
}

func (f *fusion) groups() {
	members := map[string][]row{}
	for _, r := range f.rows(fusionMembers) {
		members[r.get("ring_group_uuid")] = append(members[r.get("ring_group_uuid")], r)
	}
	for _, r := range f.rows(fusionGroups) {
		name := r.get("ring_group_name")
		if !f.enabled(r, "ring_group_enabled", "ring group", name) {
			continue
		}
		id, ok := f.flowOf(r.get("ring_group_extension"))
		if !ok {
			continue // it is reported
		}
		f.group(r, id, members[r.get("ring_group_uuid")])
	}
}

func (f *fusion) group(r row, id string, members []row) {
	name := r.get("ring_group_name")
	settings := map[string]any{"strategy": "at_once", "seconds": clamp(r.get("ring_group_call_timeout"), 1, 600, 30)}
	switch strategy := r.get("ring_group_strategy"); strategy {
	case "", "simultaneous", "enterprise":
	case "sequence", "rollover":
		settings["strategy"] = "in_order"
	case "random":
		settings["strategy"] = "weighted"
	default:
		f.report.partly(r.place, "ring group", name, "the strategy "+strconv.Quote(strategy)+" is not known: all ring at once")
	}
	targets := []any{}
	for _, m := range members {
		if target := f.target(m, name, settings["strategy"] == "at_once"); target != nil {
			targets = append(targets, target)
		}
	}
	g := f.graph()
	if len(targets) == 0 {
		f.report.partly(r.place, "ring group", name, "nobody of whom it consists is carried over: calls end there")
		g.add("ring", "hangup", map[string]any{"cause": "NO_ANSWER"}, nil)
	} else {
		settings["targets"] = targets
		exits := map[string]string{}
		if after := f.action(g, r, "ring group", name, r.get("ring_group_timeout_app"), r.get("ring_group_timeout_data")); after != "" {
			exits = map[string]string{"no_answer": after, "busy": after, "unavailable": after, "failed": after}
		}
		g.add("ring", "ring", settings, exits)
	}
	for _, c := range [][2]string{{"ring_group_cid_name_prefix", "the prefix of the caller's name: put the element caller_id before"}, {"ring_group_greeting", "the greeting: put the element play before"},
		{"ring_group_distinctive_ring", "the ring tone of its own"}, {"ring_group_missed_call_data", "the notice of missed calls"}, {"ring_group_forward_destination", "the forwarding of the group"}} {
		if r.get(c[0]) != "" {
			f.report.partly(r.place, "ring group", name, "without "+c[1])
		}
	}
	f.flow(id, cmp.Or(name, id), "ring", g.elements)
	f.route(r.get("ring_group_extension"), id)
	f.report.carried("ring group")
}

// target is one member of a ring group; nil when it is not carried over.
func (f *fusion) target(m row, group string, atOnce bool) map[string]any {
	number := m.get("destination_number")
	if !f.enabled(m, "destination_enabled", "member of the ring group "+group, number) {
		return nil
	}
	target := map[string]any{}
	switch e164, ok := f.e164(number); {
	case f.users[number] != "":
		target["user"] = f.users[number]
	case ok:
		target["number"] = e164
	default:
		f.report.left(m.place, "member of the ring group "+group, number, "it is neither a user's extension nor a number outside")
		return nil
	}
	if seconds := clamp(m.get("destination_timeout"), 0, 600, 0); seconds > 0 {
		target["seconds"] = seconds
	}
	if delay := clamp(m.get("destination_delay"), 0, 600, 0); delay > 0 && atOnce {
		target["delay"] = delay
	}
	if m.get("destination_prompt") != "" && m.get("destination_prompt") != "0" {
		target["confirm"] = true
	}
	return target
}

// clamp reads a whole number within bounds; otherwise is for what is none.
func clamp(text string, low, high, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return otherwise
	}
	return min(max(n, low), high)
}

// action gives the element that an application with its data becomes; "" when it is not carried over, which is reported, or there is none.
func (f *fusion) action(g *graph, r row, kind, name, app, data string) string {
	words := strings.Fields(data)
	switch {
	case app == "" && data == "":
		return ""
	case app == "hangup":
		return g.add("end", "hangup", nil, nil)
	case app == "transfer" && len(words) > 0:
		if key := g.to(words[0]); key != "" {
			return key
		}
	case app == "voicemail" && len(words) > 0:
		if key := g.to(VoicemailCode + words[len(words)-1]); key != "" {
			return key
		}
	case app == "playback" && len(words) == 1:
		return g.add("play", "play", map[string]any{"prompt": f.prompt(r.place, "the "+kind+" "+shown(name, ""), words[0])}, nil)
	}
	f.report.partly(r.place, kind, name, "where it leads is not carried over: "+strings.TrimSpace(app+" "+data))
	return ""
}

var menuTransfer = regexp.MustCompile(`^(?:[a-z_]+ )?([0-9*#+]+)(?: XML .*)?$`)

func (f *fusion) menus() {
	options, extensions := map[string][]row{}, map[string]string{}
	for _, r := range f.rows(fusionOptions) {
		options[r.get("ivr_menu_uuid")] = append(options[r.get("ivr_menu_uuid")], r)
	}
	for _, r := range f.rows(fusionMenus) {
		extensions[r.get("ivr_menu_uuid")] = r.get("ivr_menu_extension")
	}
	for _, r := range f.rows(fusionMenus) {
		name := r.get("ivr_menu_name")
		if !f.enabled(r, "ivr_menu_enabled", "menu", name) {
			continue
		}
		if id, ok := f.flowOf(r.get("ivr_menu_extension")); ok {
			f.menu(r, id, options[r.get("ivr_menu_uuid")], extensions)
		}
	}
}

func (f *fusion) menu(r row, id string, options []row, extensions map[string]string) {
	name, g, exits := r.get("ivr_menu_name"), f.graph(), map[string]string{}
	slices.SortStableFunc(options, func(a, c row) int {
		return cmp.Compare(clamp(a.get("ivr_menu_option_order"), 0, 1<<20, 0), clamp(c.get("ivr_menu_option_order"), 0, 1<<20, 0))
	})
	for _, o := range options {
		digit := o.get("ivr_menu_option_digits")
		if !o.truth("ivr_menu_option_enabled", true) {
			f.report.left(o.place, "choice of the menu "+name, digit, "it is switched off in the source")
			continue
		}
		if len(digit) != 1 || !strings.Contains("0123456789*#", digit) || exits[digit] != "" {
			f.report.left(o.place, "choice of the menu "+name, digit, "a choice is one key, once")
			continue
		}
		if key := f.choice(g, o, name, extensions); key != "" {
			exits[digit] = key
		}
	}
	settings := map[string]any{"prompt": f.prompt(r.place, "the menu "+shown(name, id), cmp.Or(r.get("ivr_menu_greet_long"), r.get("ivr_menu_greet_short"))),
		"attempts": clamp(r.get("ivr_menu_max_failures"), 1, 10, 3), "seconds": clamp(r.get("ivr_menu_timeout"), 1000, 60_000, 5000) / 1000}
	if sound := r.get("ivr_menu_invalid_sound"); sound != "" {
		settings["invalid_prompt"] = f.prompt(r.place, "the menu "+shown(name, id), sound)
	}
	if key := f.action(g, r, "menu", name, r.get("ivr_menu_exit_app"), r.get("ivr_menu_exit_data")); key != "" {
		exits["timeout"], exits["invalid"] = key, key
	}
	if r.truth("ivr_menu_direct_dial", false) {
		f.report.partly(r.place, "menu", name, "without dialling extensions directly: the element collect does that")
	}
	choices := len(exits)
	if exits["timeout"] != "" {
		choices -= 2
	}
	start := "menu"
	if choices == 0 {
		f.report.partly(r.place, "menu", name, "none of its choices is carried over: it plays its greeting alone")
		g.add("menu", "play", map[string]any{"prompt": settings["prompt"]}, map[string]string{})
	} else {
		g.add("menu", "menu", settings, exits)
	}
	f.flow(id, cmp.Or(name, id), start, reached(g.elements, start))
	f.route(r.get("ivr_menu_extension"), id)
	f.report.carried("menu")
}

// choice is where one key of a menu leads.
func (f *fusion) choice(g *graph, o row, menu string, extensions map[string]string) string {
	action, param := o.get("ivr_menu_option_action"), o.get("ivr_menu_option_param")
	switch action {
	case "menu-exec-app", "menu-exec-api":
		if found := menuTransfer.FindStringSubmatch(strings.TrimPrefix(param, "transfer ")); found != nil {
			if key := g.to(found[1]); key != "" {
				return key
			}
		}
		if strings.HasPrefix(param, "hangup") {
			return g.add("end", "hangup", nil, nil)
		}
		if rest, is := strings.CutPrefix(param, "voicemail "); is {
			if words := strings.Fields(rest); len(words) > 0 {
				if key := g.to(VoicemailCode + words[len(words)-1]); key != "" {
					return key
				}
			}
		}
	case "menu-sub":
		if key := g.to(extensions[param]); extensions[param] != "" && key != "" {
			return key
		}
	case "menu-exit":
		return g.add("end", "hangup", nil, nil)
	}
	f.report.left(o.place, "choice of the menu "+menu, o.get("ivr_menu_option_digits"), "where it leads is not carried over: "+strings.TrimSpace(action+" "+param))
	return ""
}

// reached leaves out elements that nothing leads to.
func reached(elements map[string]tenants.Element, start string) map[string]tenants.Element {
	all := map[string]tenants.Element{}
	next := []string{start}
	for len(next) > 0 {
		key := next[0]
		next = next[1:]
		e, there := elements[key]
		if _, seen := all[key]; seen || !there {
			continue
		}
		all[key] = e
		for _, to := range e.Exits {
			next = append(next, to)
		}
	}
	return all
}

func (f *fusion) numbers() {
	for _, r := range f.rows(fusionNumbers) {
		number := r.get("destination_number")
		if kind := r.get("destination_type"); kind != "" && kind != "inbound" {
			f.report.left(r.place, "destination", number, "it is "+kind+": numbers are those of calls that come in")
			continue
		}
		if !f.enabled(r, "destination_enabled", "destination", number) {
			continue
		}
		if prefix := strings.TrimPrefix(r.get("destination_prefix"), "+"); prefix != "" && !strings.HasPrefix(number, "+") {
			number = "+" + prefix + r.get("destination_area_code") + number
		}
		f.assign(r.place, number, f.numberLeads(r, number))
	}
}

// numberLeads gives the flow to which a number leads; a flow of its own, where that is not one already.
func (f *fusion) numberLeads(r row, number string) string {
	actions := []struct {
		App  string `json:"destination_app"`
		Data string `json:"destination_data"`
	}{{r.get("destination_app"), r.get("destination_data")}}
	if text := r.get("destination_actions"); text != "" {
		actions = nil
		if err := json.Unmarshal([]byte(text), &actions); err != nil {
			f.report.partly(r.place, "destination", number, "its actions are no JSON: it leads nowhere")
			return ""
		}
	}
	for i, a := range actions {
		if i > 0 {
			f.report.partly(r.place, "destination", number, "of several actions the first is carried over: without "+a.App+" "+a.Data)
			continue
		}
	}
	if len(actions) == 0 || actions[0].App == "" {
		f.report.partly(r.place, "destination", number, "it leads nowhere in the source")
		return ""
	}
	words := strings.Fields(actions[0].Data)
	if actions[0].App == "transfer" && len(words) > 0 && f.leads[words[0]] != "" {
		return f.leads[words[0]]
	}
	g := f.graph()
	start := f.action(g, r, "destination", number, actions[0].App, actions[0].Data)
	if start == "" {
		return ""
	}
	id := f.id("flows", "number-"+number)
	f.flow(id, "Calls to "+number, start, g.elements)
	return id
}
