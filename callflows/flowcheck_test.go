package callflows

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tandem/tenants"
)

// found writes faults as "path code", with "?" before a warning.
func found(faults []FlowFault) []string {
	all := []string{}
	for _, f := range faults {
		line := f.Path + " " + f.Code
		if f.Warning {
			line = "?" + line
		}
		all = append(all, line)
	}
	return all
}

func TestCheckFlowSaysWhatIsWrongAndWhere(t *testing.T) {
	bye := el("hangup", ``)
	type elements = map[string]tenants.Element
	for _, c := range []struct {
		name  string
		flow  tenants.Flow
		wants []string
	}{
		{"a flow without elements", tenants.Flow{}, []string{"/start start_missing"}},
		{"a start that is not there", tenants.Flow{Start: "a", Elements: elements{"b": bye}}, []string{"/start start_missing"}},
		{"a type that is not there", flowOf(elements{"start": el("fax", ``)}), []string{"/elements/start/type element_unknown"}},
		{"the platform's own type", flowOf(elements{"start": el("emergency", ``)}), []string{"/elements/start/type element_unknown"}},
		{"no type", flowOf(elements{"start": {}}), []string{"/elements/start/type element_unknown"}},
		{"a setting that the type does not have", flowOf(elements{"start": el("hangup", `{"reason":"x"}`)}), []string{"/elements/start/settings/reason setting_unknown"}},
		{"a setting in capitals", flowOf(elements{"start": el("hangup", `{"Cause":"USER_BUSY"}`)}), []string{"/elements/start/settings/Cause setting_unknown"}},
		{"a setting of another type", flowOf(elements{"start": el("hangup", `{"cause":1}`)}), []string{"/elements/start/settings/cause setting_wrong_type"}},
		{"a setting that is null", flowOf(elements{"start": el("hangup", `{"cause":null}`)}), []string{"/elements/start/settings/cause setting_wrong_type"}},
		{"a cause that is not offered", flowOf(elements{"start": el("hangup", `{"cause":"WHATEVER"}`)}), []string{"/elements/start/settings/cause setting_not_offered"}},
		{"a code that is not offered", flowOf(elements{"start": el("respond", `{"code":503}`)}), []string{"/elements/start/settings/code setting_not_offered"}},
		{"a number out of bounds", flowOf(elements{"start": el("sleep", `{"seconds":301}`, "next->bye"), "bye": bye}), []string{"/elements/start/settings/seconds setting_out_of_bounds"}},
		{"a number that is not whole", flowOf(elements{"start": el("sleep", `{"seconds":1.5}`, "next->bye"), "bye": bye}), []string{"/elements/start/settings/seconds setting_wrong_type"}},
		{"settings that are no object", flowOf(elements{"start": el("hangup", `[]`)}), []string{"/elements/start/settings setting_wrong_type"}},
		{"settings that are no JSON", flowOf(elements{"start": el("hangup", `{`)}), []string{"/elements/start/settings settings_unreadable"}},
		{"nobody to ring", flowOf(elements{"start": el("ring", `{"users":[]}`)}), []string{"/elements/start/settings/users setting_missing"}},
		{"settings that contradict", flowOf(elements{"start": el("collect", `{"prompt":"a","variable":"x","min":5,"max":4}`, "ok->bye"), "bye": bye}), []string{"/elements/start/settings/min settings_contradict"}},
		{"an exit that the type does not have", flowOf(elements{"start": el("answer", ``, "next->bye", "done->bye"), "bye": bye}), []string{"/elements/start/exits/done exit_unknown"}},
		{"an exit that no case names", flowOf(elements{"start": el("branch", `{"cases":[{"exit":"a","anonymous":true}]}`, "a->bye", "b->bye", "otherwise->bye"), "bye": bye}), []string{"/elements/start/exits/b exit_unknown"}},
		{"an exit that must lead somewhere", flowOf(elements{"start": el("answer", ``)}), []string{"/elements/start/exits/next exit_missing"}},
		{"an exit that may lead nowhere", flowOf(elements{"start": el("play", `{"prompt":"a"}`)}), []string{"?/elements/start/exits/next exit_open"}},
		{"a case that leads nowhere", flowOf(elements{"start": el("branch", `{"cases":[{"exit":"a","anonymous":true}]}`, "otherwise->bye"), "bye": bye}), []string{"?/elements/start/exits/a exit_open"}},
		{"a menu without a choice", flowOf(elements{"start": el("menu", `{"prompt":"a"}`, "timeout->bye", "invalid->bye"), "bye": bye}), []string{"/elements/start/exits choice_missing"}},
		{"an exit to what is not there", flowOf(elements{"start": el("answer", ``, "next->bye")}), []string{"/elements/start/exits/next exit_target_missing"}},
		{"an element that nothing leads to", flowOf(elements{"start": bye, "lost": bye}), []string{"/elements/lost element_unreachable"}},
		{"a name that must be escaped", flowOf(elements{"start": bye, "a/b~": bye}), []string{"/elements/a~1b~0 element_unreachable"}},
		{"elements that lead to each other alone", flowOf(elements{"start": bye, "x": el("answer", ``, "next->y"), "y": el("answer", ``, "next->x")}),
			[]string{"/elements/x element_unreachable", "/elements/x loop_unbounded", "/elements/y element_unreachable"}},
		{"many faults, all at once", flowOf(elements{"start": el("sleep", `{"seconds":0,"minutes":1}`, "next->gone"), "a": el("fix", ``), "m": el("menu", `{"seconds":99}`)}),
			[]string{"/elements/a element_unreachable", "/elements/a/type element_unknown", "/elements/m element_unreachable", "/elements/m/settings/prompt setting_missing",
				"/elements/m/settings/seconds setting_out_of_bounds", "/elements/start/exits/next exit_target_missing", "/elements/start/settings/minutes setting_unknown",
				"/elements/start/settings/seconds setting_out_of_bounds"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			faults := CheckFlow(c.flow, Around{})
			got := found(faults)
			slices.Sort(got)
			slices.Sort(c.wants)
			if !slices.Equal(got, c.wants) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.wants, "\n"))
			}
			wellSaid(t, faults)
		})
	}
}

var faultCode = regexp.MustCompile(`^[a-z]+(_[a-z]+)+$`)

// wellSaid: whoever reads a fault finds the place, what is wrong and how to mend it, in sentences.
func wellSaid(t *testing.T, faults []FlowFault) {
	t.Helper()
	for _, f := range faults {
		for _, sentence := range []string{f.Detail, f.Mend} {
			if !strings.HasSuffix(sentence, ".") || sentence[:1] != strings.ToUpper(sentence[:1]) {
				t.Errorf("%s: %q is no sentence", f.Code, sentence)
			}
		}
		if !faultCode.MatchString(f.Code) || !strings.HasPrefix(f.Path, "/") {
			t.Errorf("%+v", f)
		}
	}
}

func TestAGoodFlowHasNoErrors(t *testing.T) {
	good := flowOf(map[string]tenants.Element{"start": el("menu", `{"prompt":"a"}`, "1->start", "timeout->bye", "invalid->bye"), "bye": el("hangup", ``)})
	if faults := CheckFlow(good, Around{Has: func(Reference, string) bool { return true }}); len(faults) != 0 {
		t.Error(faults)
	}
}

func TestAWarningSaysHowTheCallEnds(t *testing.T) {
	faults := CheckFlow(flowOf(map[string]tenants.Element{"start": el("ring", `{"users":["anna"]}`)}), Around{})
	if len(faults) != 5 || len(Errors(faults)) != 0 {
		t.Fatal(faults)
	}
	for _, f := range faults {
		for _, exit := range ringAbout.exits {
			if strings.HasSuffix(f.Path, "/"+exit.Name) && !strings.Contains(f.Detail, "the call ends with "+exit.Ends) {
				t.Errorf("%s", f)
			}
		}
	}
}

func TestACircleInWhichNothingWaitsIsFoundAndSaid(t *testing.T) {
	hours := func(exits ...string) tenants.Element { return el("hours", `{"schedule":"office"}`, exits...) }
	bye := el("hangup", ``)
	type elements = map[string]tenants.Element
	for _, c := range []struct {
		name   string
		flow   tenants.Flow
		others []tenants.Flow
		says   string // empty: no circle
	}{
		{"an element that leads to itself", flowOf(elements{"start": hours("open->start", "closed->bye"), "bye": bye}), nil, "start, start."},
		{"two that lead to each other", flowOf(elements{"start": hours("open->more", "closed->bye"), "more": hours("open->bye", "closed->start"), "bye": bye}), nil, "more, start, more."},
		{"a ring that finds nobody registered", flowOf(elements{"start": el("ring", `{"users":["anna"]}`, "unavailable->start")}), nil, "start, start."},
		{"a ring that nobody answers waits", flowOf(elements{"start": el("ring", `{"users":["anna"]}`, "no_answer->start")}), nil, ""},
		{"one with a prompt in it waits", flowOf(elements{"start": hours("open->say", "closed->say"), "say": el("play", `{"prompt":"a"}`, "next->start")}), nil, ""},
		{"one with a sleep in it waits", flowOf(elements{"start": el("sleep", ``, "next->set"), "set": el("set", `{"variables":[{"name":"x","value":"1"}]}`, "next->start")}), nil, ""},
		{"a menu asks again", flowOf(elements{"start": el("menu", `{"prompt":"a"}`, "1->start", "timeout->start", "invalid->start")}), nil, ""},
		{"a case of a branch", flowOf(elements{"start": el("branch", `{"cases":[{"exit":"again","anonymous":true}]}`, "again->start", "otherwise->bye"), "bye": bye}), nil, "start, start."},
		{"a jump to itself", flowOf(elements{"start": el("jump", `{"flow":"main"}`)}), nil, "start, start."},
		{"a jump there and back", flowOf(elements{"start": el("jump", `{"flow":"other"}`)}),
			[]tenants.Flow{{ID: "other", Start: "a", Elements: elements{"a": hours("open->b"), "b": el("jump", `{"flow":"main"}`)}}}, "start, other/a, other/b, start."},
		{"a jump there and back with a wait", flowOf(elements{"start": el("jump", `{"flow":"other"}`)}),
			[]tenants.Flow{{ID: "other", Start: "a", Elements: elements{"a": el("sleep", ``, "next->b"), "b": el("jump", `{"flow":"main"}`)}}}, ""},
		{"a circle of the other flow alone is told there", flowOf(elements{"start": el("jump", `{"flow":"other"}`)}),
			[]tenants.Flow{{ID: "other", Start: "a", Elements: elements{"a": hours("open->a")}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var circles []FlowFault
			for _, f := range CheckFlow(c.flow, Around{Flows: c.others}) {
				if f.Code == "loop_unbounded" {
					circles = append(circles, f)
				}
			}
			switch {
			case c.says == "" && len(circles) > 0 || c.says != "" && len(circles) != 1:
				t.Errorf("%d circles: %v", len(circles), circles)
			case c.says != "" && !strings.HasSuffix(circles[0].Detail, ": "+c.says):
				t.Errorf("%s, want %s", circles[0].Detail, c.says)
			}
			wellSaid(t, circles)
		})
	}
}

func TestAReferenceToWhatIsNotThereIsAFault(t *testing.T) {
	has := func(kind Reference, id string) bool { return id == "here" }
	for _, c := range []struct{ kind, settings, path, of string }{
		{"ring", `{"users":["here","gone"]}`, "/users/1", "user"},
		{"ring", `{"devices":["gone"]}`, "/devices/0", "device"},
		{"hours", `{"schedule":"gone"}`, "/schedule", "schedule"},
		{"jump", `{"flow":"gone"}`, "/flow", "flow"},
		{"play", `{"prompt":"gone"}`, "/prompt", "prompt"},
		{"branch", `{"cases":[{"exit":"a","open":"here","closed":"gone"}]}`, "/cases/0/closed", "schedule"},
		{"branch", `{"cases":[{"exit":"a","caller_number":{"in_list":"gone"}}]}`, "/cases/0/caller_number/in_list", "list"},
		{"branch", `{"cases":[{"exit":"a","variables":[{"name":"x","in_list":"gone"}]}]}`, "/cases/0/variables/0/in_list", "list"},
	} {
		var missing []FlowFault
		for _, f := range CheckFlow(flowOf(map[string]tenants.Element{"start": el(c.kind, c.settings)}), Around{Has: has}) {
			if f.Code == "reference_missing" {
				missing = append(missing, f)
			}
		}
		if len(missing) != 1 || missing[0].Path != "/elements/start/settings"+c.path || !strings.Contains(missing[0].Detail, "no "+c.of+" ") {
			t.Errorf("%s %s: %v", c.kind, c.settings, missing)
		}
		wellSaid(t, missing)
	}
	own := flowOf(map[string]tenants.Element{"start": el("jump", `{"flow":"main"}`)})
	for _, f := range CheckFlow(own, Around{Has: func(Reference, string) bool { return false }}) {
		if f.Code == "reference_missing" {
			t.Errorf("a flow that is being saved does not know itself: %s", f)
		}
	}
}

// What the check lets pass, a snapshot takes; whatever it is given, it ends, and says each fault well.
func FuzzCheckFlow(f *testing.F) {
	for _, e := range Elements() {
		flow, err := json.Marshal(flowOf(map[string]tenants.Element{"start": e.Example}))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(flow))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var flow tenants.Flow
		if json.Unmarshal([]byte(text), &flow) != nil {
			return
		}
		faults := CheckFlow(flow, Around{Has: func(Reference, string) bool { return false }})
		wellSaid(t, faults)
		if len(Errors(CheckFlow(flow, Around{}))) == 0 {
			flow.ID = "main"
			demo(t, flow)
		}
	})
}
