package importing

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/provisioning/plan"
	"tandem/tenants"
)

// node gives what a callflow begins with.
func node(d doc) doc {
	v, _ := d.v["flow"].(map[string]any)
	return doc{place: d.place + "#/flow", v: v}
}

// child is where a node goes on with a key.
func (d doc) child(key string) doc {
	children, _ := d.v["children"].(map[string]any)
	v, _ := children[key].(map[string]any)
	return doc{place: d.place + "/children/" + key, v: v}
}

func (d doc) keys() []string {
	children, _ := d.v["children"].(map[string]any)
	return slices.Sorted(maps.Keys(children))
}

func (d doc) list(names ...string) (all []doc) {
	var v any = d.v
	for _, name := range names {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	list, _ := v.([]any)
	for i, inner := range list {
		if m, is := inner.(map[string]any); is {
			all = append(all, doc{place: d.place + "/" + strings.Join(names, "/") + "/" + strconv.Itoa(i), v: m})
		}
	}
	return all
}

// name finds out which flow each callflow will be. One that leads straight to a user is the user's.
func (k *kazoo) name() {
	for _, d := range k.docs[kazooCallflow] {
		root := node(d)
		if user := k.leads["user/"+root.text("data", "id")]; root.text("module") == "user" && user != "" {
			k.flows[d.id()] = userFlow + user
			continue
		}
		k.flows[d.id()] = k.id("flows", cmp.Or(d.text("name"), strings.Join(d.texts("numbers"), "-"), d.id()))
	}
}

func (k *kazoo) callflows() {
	for _, d := range k.docs[kazooCallflow] {
		name := cmp.Or(d.text("name"), strings.Join(d.texts("numbers"), ", "), d.id())
		root := node(d)
		switch {
		case d.v["featurecode"] != nil && d.v["featurecode"] != false:
			k.report.left(d.place, "feature code", name, "the usual ones are added with tandem user codes")
			continue
		case root.text("module") == "":
			k.report.left(d.place, "callflow", name, "it has no flow")
			continue
		case slices.Contains(d.texts("numbers"), "no_match"):
			k.report.left(d.place, "callflow", name, "what numbers outside are called by is the matter of trunks")
			continue
		}
		for _, pattern := range d.texts("patterns") {
			k.report.left(d.place, "pattern of the callflow "+name, pattern, "what is dialled leads to a flow by itself or by what it begins with")
		}
		id := k.flows[d.id()]
		if user, is := strings.CutPrefix(id, userFlow); is {
			k.afterUser(root, user)
		} else {
			g := k.graph()
			start := k.step(g, root, name, 0)
			if start == "" {
				k.report.left(root.place, "callflow", name, "nothing of it is carried over")
				continue
			}
			k.flow(id, name, start, reached(g.elements, start))
			k.report.carried("callflow")
		}
		k.dialled(d, name, id)
	}
}

// dialled leads what is dialled for a callflow to its flow.
func (k *kazoo) dialled(d doc, name, id string) {
	for _, number := range d.texts("numbers") {
		switch {
		case strings.HasPrefix(number, "+"):
			k.assign(d.place, number, id)
		case k.users[number] != "" && userFlow+k.users[number] == id:
		case k.users[number] != "":
			k.report.left(d.place, "number of the callflow "+name, number, "it is a user's extension")
		case dialledForm.MatchString(number) && k.leads[number] == "":
			k.leads[number] = id
			k.route(number, id)
		default:
			k.report.left(d.place, "number of the callflow "+name, number, "it is not 1 to 20 digits, * or #, or leads elsewhere already")
		}
	}
}

// afterUser keeps what happens when a user does not answer: it becomes a flow to which his calls are forwarded.
func (k *kazoo) afterUser(root doc, user string) {
	after := root.child("_")
	if after.text("module") == "" {
		return
	}
	ext := k.leads["extension of "+user]
	if k.leads[VoicemailCode+ext] != "" {
		k.report.left(after.place, "callflow", "of user "+user, "another callflow has said what becomes of his unanswered calls")
		return
	}
	seconds := clamp(root.text("data", "timeout"), 0, 600, 20)
	if box := k.byID[kazooBox][after.text("data", "id")]; after.text("module") == "voicemail" && k.leads["user/"+box.text("owner_id")] == user {
		k.boxed[box.id()] = true
		k.voicemail(user, ext, seconds)
		return
	}
	g := k.graph()
	start := k.step(g, after, "of user "+user, 0)
	if start == "" {
		return
	}
	id := k.id("flows", "unanswered-"+user)
	k.flow(id, "Unanswered calls of "+ext, start, reached(g.elements, start))
	code := VoicemailCode + ext
	k.leads[code] = id
	k.route(code, id)
	set := k.settings(user)
	set.ForwardNoAnswer, set.NoAnswerSeconds, set.ForwardBusy = plan.Forward{On: true, To: code}, seconds, plan.Forward{On: true, To: code}
}

// step makes an element of a node and of all behind it; "" when there is none.
func (k *kazoo) step(g *graph, n doc, flow string, depth int) string {
	module := n.text("module")
	if module == "" {
		return ""
	}
	if depth > maxDepth {
		k.report.left(n.place, "callflow", flow, "it is too deep")
		return ""
	}
	next := func() string { return k.step(g, n.child("_"), flow, depth+1) }
	onward := func(exits ...string) map[string]string {
		all := map[string]string{}
		if to := next(); to != "" {
			for _, exit := range exits {
				all[exit] = to
			}
		}
		return all
	}
	switch module {
	case "user", "device":
		if id := k.leads[module+"/"+n.text("data", "id")]; id != "" {
			return g.add(module, "ring", map[string]any{module + "s": []string{id}, "seconds": clamp(n.text("data", "timeout"), 1, 600, 20)},
				onward("no_answer", "busy", "unavailable", "failed"))
		}
	case "ring_group":
		if settings := k.ringGroup(n, flow); settings != nil {
			return g.add("ring", "ring", settings, onward("no_answer", "busy", "unavailable", "failed"))
		}
	case "voicemail":
		box := k.byID[kazooBox][n.text("data", "id")]
		if n.text("data", "action") == "check" {
			return g.add("check", "voicemail_check", nil, nil)
		}
		if user := k.leads["user/"+box.text("owner_id")]; user != "" {
			k.boxed[box.id()] = true
			return g.add("voicemail", "voicemail", map[string]any{"user": user}, onward("kept", "none", "unavailable"))
		}
	case "callflow":
		if id := k.flows[n.text("data", "id")]; id != "" {
			return g.add("jump", "jump", map[string]any{"flow": id}, nil)
		}
	case "play":
		return g.add("play", "play", map[string]any{"prompt": k.prompt(n.place, "the callflow "+shown(flow, ""), k.media(n.text("data", "id")))}, onward("next"))
	case "hangup":
		return g.add("end", "hangup", nil, nil)
	case "menu":
		if menu, there := k.byID[kazooMenu][n.text("data", "id")]; there {
			return k.menu(g, n, menu, flow, depth)
		}
	case "temporal_route":
		return k.temporal(g, n, flow, depth)
	}
	to := next()
	detail := "the module " + strconv.Quote(module) + " is not carried over"
	switch module {
	case "user", "device", "ring_group", "voicemail", "callflow", "menu":
		detail = "what the module " + module + " names is not carried over: " + n.text("data", "id")
	}
	if to != "" {
		detail += ": it is passed over"
	}
	k.report.left(n.place, "step of the callflow "+flow, module, detail)
	return to
}

// media is the name of a recording.
func (k *kazoo) media(id string) string {
	if d, there := k.byID[kazooMedia][id]; there {
		return d.name()
	}
	return id
}

// ringGroup gives the settings of a ring; nil when nobody of it is carried over.
func (k *kazoo) ringGroup(n doc, flow string) map[string]any {
	settings := map[string]any{"strategy": "at_once", "seconds": clamp(n.text("data", "timeout"), 1, 600, 20)}
	switch n.text("data", "strategy") {
	case "single":
		settings["strategy"] = "in_order"
	case "weighted_random":
		settings["strategy"] = "weighted"
	}
	targets := k.targets(n.list("data", "endpoints"), flow, settings["strategy"].(string), 0)
	if len(targets) == 0 {
		return nil
	}
	settings["targets"] = targets
	return settings
}

func (k *kazoo) targets(endpoints []doc, flow, strategy string, depth int) (targets []any) {
	for _, e := range endpoints {
		kind, id := e.text("endpoint_type"), e.text("id")
		if group, is := k.byID[kazooGroup][id]; is && kind == "group" && depth == 0 {
			targets = append(targets, k.targets(members(group), flow, strategy, depth+1)...)
			continue
		}
		known := k.leads[kind+"/"+id]
		if kind != "user" && kind != "device" || known == "" {
			k.report.left(e.place, "member of a ring group in the callflow "+flow, cmp.Or(kind, "?")+" "+id, "it is not carried over")
			continue
		}
		target := map[string]any{kind: known}
		if seconds := clamp(e.text("timeout"), 0, 600, 0); seconds > 0 {
			target["seconds"] = seconds
		}
		if delay := clamp(e.text("delay"), 0, 600, 0); delay > 0 && strategy == "at_once" {
			target["delay"] = delay
		}
		if weight := clamp(e.text("weight"), 1, 1000, 0); weight > 0 && strategy == "weighted" {
			target["weight"] = weight
		}
		targets = append(targets, target)
	}
	return targets
}

// members gives the endpoints of a group document, by id.
func members(group doc) (all []doc) {
	endpoints, _ := group.v["endpoints"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(endpoints)) {
		e, _ := endpoints[id].(map[string]any)
		d := doc{place: group.place + "/endpoints/" + id, v: map[string]any{"id": id}}
		d.v["endpoint_type"] = doc{v: e}.text("type")
		all = append(all, d)
	}
	return all
}

func (k *kazoo) menu(g *graph, n, menu doc, flow string, depth int) string {
	exits := map[string]string{}
	for _, key := range n.keys() {
		to := k.step(g, n.child(key), flow, depth+1)
		switch {
		case to == "":
		case key == "_" || key == "timeout":
			exits["timeout"] = to
			if key == "_" {
				exits["invalid"] = to
			}
		case len(key) == 1 && strings.Contains("0123456789*#", key):
			exits[key] = to
		default:
			k.report.left(n.child(key).place, "choice of the menu "+menu.name(), key, "a choice is one key")
		}
	}
	prompt := k.prompt(menu.place, "the menu "+shown(menu.name(), ""), k.media(cmp.Or(menu.text("media", "greeting"), menu.id())))
	if menu.truth(false, "hunt") {
		k.report.partly(menu.place, "menu", menu.name(), "without dialling extensions directly: the element collect does that")
	}
	k.report.carried("menu")
	if !slices.ContainsFunc(slices.Collect(maps.Keys(exits)), func(exit string) bool { return len(exit) == 1 }) {
		k.report.partly(menu.place, "menu", menu.name(), "none of its choices is carried over: it plays its greeting alone")
		after := map[string]string{}
		if exits["timeout"] != "" {
			after["next"] = exits["timeout"]
		}
		return g.add("menu", "play", map[string]any{"prompt": prompt}, after)
	}
	return g.add("menu", "menu", map[string]any{"prompt": prompt, "attempts": clamp(menu.text("retries"), 1, 10, 3),
		"seconds": clamp(menu.text("timeout"), 1000, 60_000, 10_000) / 1000}, exits)
}

// temporal makes opening hours of each rule, one after the other.
func (k *kazoo) temporal(g *graph, n doc, flow string, depth int) string {
	start := k.step(g, n.child("_"), flow, depth+1)
	keys := slices.DeleteFunc(n.keys(), func(key string) bool { return key == "_" })
	if data, is := n.v["data"].(map[string]any); is { // the order of the rules, where it is said
		order := doc{v: data}.texts("rules")
		slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(rank(order, a), rank(order, b)) })
	}
	slices.Reverse(keys)
	for _, key := range keys {
		weekly, dates, err := k.rules(key)
		if err != nil {
			k.report.left(n.child(key).place, "temporal rule", key, err.Error())
			continue
		}
		exits := map[string]string{}
		if to := k.step(g, n.child(key), flow, depth+1); to != "" {
			exits["open"] = to
		}
		if start != "" {
			exits["closed"] = start
		}
		name := cmp.Or(k.byID[kazooRule][key].text("name"), k.byID[kazooRuleSet][key].text("name"), key)
		start = g.add("hours", "hours", map[string]any{"schedule": k.schedule(name, weekly, dates)}, exits)
	}
	return start
}

func rank(order []string, key string) int {
	if i := slices.Index(order, key); i >= 0 {
		return i
	}
	return len(order)
}

// rules gives the hours of a rule or of a set of them.
func (k *kazoo) rules(id string) (weekly []tenants.Hours, dates []tenants.Date, err error) {
	if set, is := k.byID[kazooRuleSet][id]; is {
		for _, rule := range set.texts("temporal_rules") {
			w, d, err := k.rule(rule)
			if err != nil {
				return nil, nil, err
			}
			weekly, dates = append(weekly, w...), append(dates, d...)
		}
		if len(weekly) > 0 && len(dates) > 0 {
			return nil, nil, errors.New("a set of weekly rules and dates: on those dates the schedule would not go by the week")
		}
		return weekly, dates, nil
	}
	return k.rule(id)
}

// gregorian is how many seconds of Kazoo's calendar, which begins with the year 0, were over at the beginning of 1970.
const gregorian = 62_167_219_200

func (k *kazoo) rule(id string) (weekly []tenants.Hours, dates []tenants.Date, err error) {
	d, there := k.byID[kazooRule][id]
	if !there {
		return nil, nil, errors.New("there is no such rule among the documents")
	}
	if _, forced := d.v["enabled"].(bool); forced {
		return nil, nil, errors.New("it is switched on or off by hand in the source")
	}
	if interval := clamp(d.text("interval"), 1, 1<<20, 1); interval > 1 {
		return nil, nil, errors.New("it holds at each " + strconv.Itoa(interval) + "th time alone, which has no counterpart")
	}
	span := tenants.Span{From: tenants.Clock(clamp(d.text("time_window_start"), 0, 86_399, 0) / 60), Until: tenants.Clock(clamp(d.text("time_window_stop"), 0, 86_400, 86_400) / 60)}
	switch cycle := d.text("cycle"); cycle {
	case "daily":
		return []tenants.Hours{{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, From: span.From, Until: span.Until}}, nil, nil
	case "weekly":
		days, err := kazooDays(d.texts("wdays"))
		return []tenants.Hours{{Days: days, From: span.From, Until: span.Until}}, nil, err
	case "date":
		seconds, err := strconv.ParseInt(d.text("start_date"), 10, 64)
		if err != nil || seconds < gregorian || seconds > gregorian*2 {
			return nil, nil, errors.New("its date cannot be read")
		}
		date := time.Unix(seconds-gregorian, 0).UTC().Format(time.DateOnly)
		return nil, []tenants.Date{{Date: date, Name: shown(d.text("name"), date), Hours: []tenants.Span{span}}}, nil
	case "yearly":
		dates, err := k.yearly(d, span)
		return nil, dates, err
	default:
		return nil, nil, errors.New("the cycle " + strconv.Quote(cycle) + " has no counterpart")
	}
}

func kazooDays(names []string) (days []time.Weekday, err error) {
	for _, name := range names {
		name = strings.Replace(strings.ToLower(name), "wensday", "wednesday", 1) // as older documents write it
		found := false
		for day := time.Sunday; day <= time.Saturday; day++ {
			if strings.ToLower(day.String()) == name {
				days, found = append(days, day), true
			}
		}
		if !found {
			return nil, errors.New("the day " + strconv.Quote(name) + " is not known")
		}
	}
	if len(days) == 0 {
		return nil, errNever
	}
	slices.Sort(days)
	return slices.Compact(days), nil
}

// yearly writes the dates of the next years out.
func (k *kazoo) yearly(d doc, span tenants.Span) (dates []tenants.Date, err error) {
	month, list := clamp(d.text("month"), 0, 13, 0), d.v["days"]
	days, _ := list.([]any)
	if month < 1 || month > 12 || len(days) == 0 || len(days) > 31 || d.text("ordinal") != "" && len(d.texts("wdays")) > 0 {
		return nil, errors.New("a rule for each year is carried over if it has a month and days")
	}
	if k.Today.IsZero() {
		return nil, errors.New("a date of each year: it is not known which years are meant")
	}
	for year := k.Today.Year(); year < k.Today.Year()+yearsAhead; year++ {
		for _, v := range days {
			day := clamp(doc{v: map[string]any{"day": v}}.text("day"), 0, 32, 0)
			if date := time.Date(year, time.Month(month), day, 12, 0, 0, 0, time.UTC); date.Day() == day {
				dates = append(dates, tenants.Date{Date: date.Format(time.DateOnly), Name: shown(d.text("name"), date.Format(time.DateOnly)), Hours: []tenants.Span{span}})
			}
		}
	}
	if len(dates) == 0 {
		return nil, errNever
	}
	return dates, nil
}
