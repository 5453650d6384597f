package versions

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/tenants"
)

// office is a small document that tests change.
func office() tenants.Published {
	return tenants.Published{Version: 3, Flows: []tenants.Flow{
		{ID: "sales", Name: "Sales", Start: "main", Elements: map[string]tenants.Element{
			"main":  {Type: "menu", Settings: json.RawMessage(`{"prompt":"summer","attempts":3}`), Exits: map[string]string{"1": "group", "2": "who"}},
			"group": {Type: "ring", Settings: json.RawMessage(`{"users":["u1","u2"],"seconds":25}`), Exits: map[string]string{"no_answer": "bye"}},
			"who": {Type: "branch", Settings: json.RawMessage(`{"cases":[{"exit":"friends","caller_number":{"in_list":"vip"}}]}`),
				Exits: map[string]string{"friends": "group", "otherwise": "bye"}},
			"bye": {Type: "hangup", Settings: json.RawMessage(`{"cause":"USER_BUSY"}`)}}},
		{ID: "night", Name: "Night", Start: "bye", Elements: map[string]tenants.Element{"bye": {Type: "hangup"}}},
		{ID: "user-u1", Name: "Anna", Start: "ring", Elements: map[string]tenants.Element{"ring": {Type: "ring", Settings: json.RawMessage(`{"users":["u1"]}`)}}},
	}, Schedules: []tenants.Schedule{{ID: "hours", Name: "Office", Weekly: []tenants.Hours{{From: 9 * 60, Until: 17 * 60, Days: []time.Weekday{1, 2, 3, 4, 5}}},
		Dates: []tenants.Date{{Date: "2030-01-01", Name: "New Year"}}}},
		Lists:          []tenants.List{{ID: "vip", Name: "VIP", Entries: []string{"101", "+1202*"}}, {ID: "foes", Name: "Foes"}},
		Routes:         []tenants.Route{{Dialled: "+12025550100", FlowID: "sales"}, {Dialled: "101", FlowID: "user-u1"}},
		BlockedCallers: []string{"+12025550199"}}
}

// settings gives an element of the flow Sales other settings.
func settings(key, text string) func(*tenants.Published) {
	return func(p *tenants.Published) {
		e := p.Flows[0].Elements[key]
		e.Settings = json.RawMessage(text)
		p.Flows[0].Elements[key] = e
	}
}

func TestEachChangeIsSaidInWordsForStaff(t *testing.T) {
	type published = tenants.Published
	for _, c := range []struct {
		change func(*published)
		want   string // path: words, one on a line; * for the rest of them
	}{
		{func(*published) {}, ""},
		{func(p *published) { p.Version, p.PublishedAt = 9, time.Now() }, ""},
		{settings("main", `{"prompt":"winter","attempts":3}`),
			`/flows/sales/elements/main/settings/prompt: The flow Sales: the menu main plays "winter" instead of "summer" (the prompt that tells the choices).`},
		{settings("main", `{"attempts":3.0,"prompt":"summer"}`), ""},
		{settings("main", `{"prompt":"summer"}`),
			`/flows/sales/elements/main/settings/attempts: The flow Sales: in the menu main, nothing is said of attempts any more, so that it is 3 as before (how many times the caller is asked).`},
		{settings("main", `{"prompt":"summer","attempts":3,"seconds":9}`),
			`/flows/sales/elements/main/settings/seconds: The flow Sales: in the menu main, seconds is 9 instead of 5 (how long to wait for the digit after the prompt).`},
		{settings("main", `{"prompt":"summer","attempts":3,"invalid_prompt":"no"}`),
			`/flows/sales/elements/main/settings/invalid_prompt: The flow Sales: in the menu main, invalid prompt is "no"; before, nothing was said (the prompt played before another attempt, after a digit that is no choice).`},
		{settings("main", `[]`), `/flows/sales/elements/main/settings: The flow Sales: in the menu main, what is set is [] instead of {prompt "summer", attempts 3}.`},
		{settings("group", `{"users":["u2","u3"],"seconds":25}`),
			`/flows/sales/elements/group/settings/users: The flow Sales: in the ring group, users has 1 fewer, without "Anna" (users whose devices ring).` + "\n" +
				`/flows/sales/elements/group/settings/users: The flow Sales: in the ring group, users has 1 more: "u3" (users whose devices ring).`},
		{settings("group", `{"users":["u2","u1"],"seconds":25}`),
			`/flows/sales/elements/group/settings/users: The flow Sales: in the ring group, the order of users is "u2" and "Anna" (users whose devices ring).`},
		{settings("who", `{"cases":[{"exit":"friends","caller_number":{"in_list":"foes"}}]}`),
			`/flows/sales/elements/who/settings/cases/0/caller_number/in_list: The flow Sales: in the branch who, cases 1, caller number, in list is "Foes" instead of "VIP"*`},
		{settings("who", `{"cases":[{"exit":"night","dialled":{"is":["200"]}},{"exit":"friends","caller_number":{"in_list":"vip"}}]}`),
			`/flows/sales/elements/who/settings/cases/0: The flow Sales: in the branch who, cases 1 is {exit "night", dialled {is ["200"]}}; before, nothing was said*`},
		{func(p *published) { p.Flows[0].Elements["main"].Exits["1"] = "bye" },
			`/flows/sales/elements/main/exits/1: The flow Sales: the exit 1 of the menu main leads to the hang up bye instead of the ring group.`},
		{func(p *published) { p.Flows[0].Elements["main"].Exits["3"] = "bye" },
			`/flows/sales/elements/main/exits/3: The flow Sales: the exit 3 of the menu main leads to the hang up bye. Before, it led nowhere.`},
		{func(p *published) { delete(p.Flows[0].Elements["main"].Exits, "2") },
			`/flows/sales/elements/main/exits/2: The flow Sales: the exit 2 of the menu main leads nowhere. Before, it led to the branch who.`},
		{func(p *published) {
			elements := p.Flows[0].Elements
			elements["crew"] = elements["group"]
			delete(elements, "group")
			elements["main"].Exits["1"], elements["who"].Exits["friends"] = "crew", "crew"
		}, `/flows/sales/elements/crew was /flows/sales/elements/group: The flow Sales: the ring group has the key crew.`},
		{func(p *published) {
			elements := p.Flows[0].Elements
			elements["entry"] = elements["main"]
			delete(elements, "main")
			p.Flows[0].Start = "entry"
		}, `/flows/sales/elements/entry was /flows/sales/elements/main: The flow Sales: the menu main has the key entry.`},
		{func(p *published) {
			p.Flows[0].Elements["tone"] = tenants.Element{Type: "play", Settings: json.RawMessage(`{"prompt":"hello"}`), Exits: map[string]string{"next": "main"}}
			p.Flows[0].Start = "tone"
		}, `/flows/sales/start: The flow Sales begins with the play tone instead of the menu main.` + "\n" +
			`/flows/sales/elements/tone: The flow Sales: the play tone is new (prompt "hello"; next leads to the menu main).`},
		{func(p *published) {
			p.Flows[0].Elements["bye"] = tenants.Element{Type: "respond", Settings: json.RawMessage(`{"code":480}`)}
		},
			`/flows/sales/elements/bye: The flow Sales: the hang up bye has become the respond bye (code 480).`},
		{func(p *published) { delete(p.Flows[0].Elements, "who") }, `/flows/sales/elements/who: The flow Sales: the branch who is gone.`},
		{func(p *published) { p.Flows[0].Name = "Orders" }, `/flows/sales/name: The flow Sales is called Orders.`},
		{func(p *published) { p.Flows[2].Name = "Anna B." }, `/flows/user-u1/name: The user Anna is called Anna B..`},
		{func(p *published) { p.Flows[0].Name = "Night" }, `/flows/sales/name: The flow Sales is called Night (sales).`},
		{func(p *published) { p.Flows = p.Flows[:2] }, `/flows/user-u1: The flow of the user Anna is gone.`},
		{func(p *published) {
			p.Flows = append(p.Flows, tenants.Flow{ID: "new", Name: "New", Start: "e", Elements: map[string]tenants.Element{"e": {Type: "answer"}}})
		}, `/flows/new: The flow New is new. It begins with the answer e and has 1 element.`},
		{func(p *published) {
			p.Schedules[0].Weekly = []tenants.Hours{{From: 9 * 60, Until: 17 * 60, Days: []time.Weekday{5, 4}}, {From: 9 * 60, Until: 17 * 60, Days: []time.Weekday{1, 2, 3}}}
		}, ""},
		{func(p *published) {
			p.Schedules[0].Weekly = []tenants.Hours{{From: 9 * 60, Until: 18 * 60, Days: []time.Weekday{1, 2, 3, 5}}, {From: 9 * 60, Until: 12 * 60, Days: []time.Weekday{4, 6}}}
		}, `/schedules/hours/weekly: The schedule Office: Monday to Wednesday and Friday 09:00 to 18:00 instead of 09:00 to 17:00.` + "\n" +
			`/schedules/hours/weekly: The schedule Office: Thursday 09:00 to 12:00 instead of 09:00 to 17:00.` + "\n" +
			`/schedules/hours/weekly: The schedule Office: Saturday 09:00 to 12:00 instead of closed.`},
		{func(p *published) { p.Schedules[0].TimeZone = "Europe/Paris" },
			`/schedules/hours/time_zone: The schedule Office goes by Europe/Paris instead of the tenant's time zone.`},
		{func(p *published) {
			p.Schedules[0].Dates = []tenants.Date{{Date: "2030-01-01", Name: "New Year", Hours: []tenants.Span{{From: 600, Until: 720}}}, {Date: "2030-12-25", Name: "Christmas"}}
		}, `/schedules/hours/dates/2030-01-01: The schedule Office: on 2030-01-01 10:00 to 12:00 (New Year) instead of closed (New Year).` + "\n" +
			`/schedules/hours/dates/2030-12-25: The schedule Office has a rule of its own for 2030-12-25: closed (Christmas).`},
		{func(p *published) { p.Schedules[0].Dates = nil },
			`/schedules/hours/dates/2030-01-01: The schedule Office has no rule of its own for 2030-01-01 any more. It was: closed (New Year).`},
		{func(p *published) {
			p.Schedules = append(p.Schedules, tenants.Schedule{ID: "s2", Name: "Weekend", Weekly: []tenants.Hours{{From: 600, Until: 720, Days: []time.Weekday{0, 6}}}})
		},
			`/schedules/s2: The schedule Weekend is new. It is open on Saturday and Sunday 10:00 to 12:00.`},
		{func(p *published) { p.Schedules = nil }, `/schedules/hours: The schedule Office is gone.`},
		{func(p *published) { p.Schedules[0].Name = "Shop" }, `/schedules/hours/name: The schedule Office is called Shop.`},
		{func(p *published) { p.Lists[0].Entries = []string{"+1202*", "102", "103"} },
			"/lists/vip/entries: The list VIP has lost 1 entry: 101.\n/lists/vip/entries: The list VIP has 2 more entries: 102 and 103."},
		{func(p *published) { p.Lists = p.Lists[:1] }, `/lists/foes: The list Foes is gone.`},
		{func(p *published) {
			p.Lists = append(p.Lists, tenants.List{ID: "l", Name: "L", Entries: []string{"1", "2"}})
		},
			`/lists/l: The list L is new and has 2 entries: 1 and 2.`},
		{func(p *published) { p.Lists[1].Name = "Others" }, `/lists/foes/name: The list Foes is called Others.`},
		{func(p *published) { p.Routes[0].FlowID = "user-u1" },
			`/routes/+12025550100: Calls to +12025550100 lead to the flow of the user Anna instead of the flow Sales.`},
		{func(p *published) { p.Routes = append(p.Routes[1:], tenants.Route{Dialled: "200", FlowID: "night"}) },
			"/routes/+12025550100: Calls to +12025550100 lead nowhere. Before, they led to the flow Sales.\n/routes/200: Calls to 200 lead to the flow Night. Before, they led nowhere."},
		{func(p *published) { p.Routes[1].Prefix = true }, `/routes/101: What begins with 101 leads where calls to that itself lead.`},
		{func(p *published) {
			p.Routes = append(p.Routes, tenants.Route{Dialled: "*2", Prefix: true, FlowID: "night"})
		},
			`/routes/*2: Calls to *2 and what begins with it lead to the flow Night. Before, they led nowhere.`},
		{func(p *published) { p.BlockedCallers = []string{"anna-desk", "+12025550198"} },
			"/blocked_callers: Calls from +12025550199 are not refused any more.\n/blocked_callers: Calls from +12025550198 and anna-desk are refused."},
	} {
		after := office()
		c.change(&after)
		var lines []string
		for _, change := range Diff(office(), after) {
			at := change.Path
			if change.Was != "" {
				at += " was " + change.Was
			}
			lines = append(lines, at+": "+change.Words())
		}
		got := strings.Join(lines, "\n")
		if beginning, ok := strings.CutSuffix(c.want, "*"); got != c.want && !(ok && strings.HasPrefix(got, beginning)) {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

func TestLongValuesAreShownWhereTheyDiffer(t *testing.T) {
	before, after := office(), office()
	same := strings.Repeat("x", 2*maxShown)
	settings("bye", `{"cause":"`+same+`1"}`)(&before)
	settings("bye", `{"cause":"`+same+`2"}`)(&after)
	changes := Diff(before, after)
	if len(changes) != 1 || !strings.Contains(changes[0].Words(), `...`+same[:lead]+`2" instead of ...`+same[:lead]+`1"`) {
		t.Errorf("got %+v", changes)
	}
}

func TestManyEntriesAreCountedAndTheFirstNamed(t *testing.T) {
	after := office()
	for i := range 100 {
		after.Lists[1].Entries = append(after.Lists[1].Entries, "9"+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	changes := Diff(office(), after)
	if len(changes) != 1 || !strings.Contains(changes[0].Words(), "100 more entries: 900, 901") || !strings.HasSuffix(changes[0].Words(), "and 80 more.") {
		t.Errorf("got %+v", changes)
	}
}

func TestTwoThatAreAlikeAreNotTakenForARename(t *testing.T) {
	after := office()
	elements := after.Flows[0].Elements
	elements["bye1"], elements["bye2"] = elements["bye"], elements["bye"]
	delete(elements, "bye")
	codes := []string{}
	for _, c := range Diff(office(), after) {
		codes = append(codes, c.Because.Code)
	}
	if slices.Contains(codes, "element_renamed") || !slices.Contains(codes, "element_removed") {
		t.Errorf("got %v", codes)
	}
}
