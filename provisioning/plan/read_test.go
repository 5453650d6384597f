package plan

import (
	"errors"
	"strings"
	"testing"
)

func TestWhatIsWrongWithAFileIsToldWithItsPlace(t *testing.T) {
	deep := "format: 1\nflows: [{id: a, elements: {e: {type: say, settings: " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "}}}]\n"
	for _, c := range []struct{ name, file, want string }{
		{"nothing", "", "the file is empty"},
		{"comment", "# nothing\n", "the file is empty"},
		{"no record", "- a\n", "line 1: the file is no record of members"},
		{"no format", "users: []\n", "/format is missing: write format: 1"},
		{"later format", "format: 2\n", "/format is 2; this release reads 1"},
		{"not UTF-8", "format: 1\ntenant: \xff\n", "the file is not UTF-8"},
		{"UTF-16", "\xff\xfef\x00o\x00", "the file is not UTF-8"},
		{"unknown", "format: 1\nuser: []\n", "line 2: /user is not known"},
		{"unknown within", "format: 1\nusers:\n- id: ada\n  extention: 101\n", "line 4: /users/ada/extention is not known"},
		{"doubled", "format: 1\nusers: []\nusers: []\n", "line 3: /users is there twice"},
		{"doubled within settings", "format: 1\nflows: [{id: a, elements: {e: {settings: {p: {x: 1, x: 2}}}}}]\n", "line 2: /flows/a/elements/e/settings/p/x is there twice"},
		{"doubled in JSON", "{\"format\": 1,\n\"users\": [],\n\"users\": []}", "line 3: /users is there twice"},
		{"empty section", "format: 1\ndevices:\n", "line 2: /devices is empty: write [] to remove all, or leave it out to leave all alone"},
		{"empty section in JSON", `{"format": 1, "devices": null}`, "line 1: /devices is empty: write [] to remove all, or leave it out to leave all alone"},
		{"empty text", "format: 1\nusers: [{id: ada, name: }]\n", "line 2: /users/ada/name is empty: leave it out instead"},
		{"anchor", "format: 1\nusers: &a []\n", "line 2: /users has an anchor, an alias or a merge: write out what is meant"},
		{"alias", "format: 1\nlists: [{id: a, name: &n x, entries: [*n]}]\n", "line 2: /lists/a/name has an anchor, an alias or a merge: write out what is meant\nline 2: /lists/a/entries/0 has an anchor, an alias or a merge: write out what is meant"},
		{"merge", "format: 1\nflows: [{id: a, elements: {e: {settings: {<<: {x: 1}}}}}]\n", "line 2: /flows/a/elements/e/settings has a member whose name is no text: write it in quotes; names are not merged"},
		{"tag", "format: 1\ntenant: !!binary aGk=\n", "line 2: /tenant has a tag of YAML's: write the value alone"},
		{"two documents", "format: 1\n---\nformat: 1\n", "the file holds more than one document"},
		{"a list that is none", "format: 1\nusers: ada\n", "line 2: /users is no list"},
		{"a number that is none", "format: 1\nsettings: {max_calls: many}\n", "line 2: /settings/max_calls is no whole number"},
		{"a huge number", "format: 1\nsettings: {max_calls: 99999999999999999999}\n", "line 2: /settings/max_calls is no whole number"},
		{"a switch that is none", "format: 1\nsettings: {calling_out: {allowed: yes}}\n", "line 2: /settings/calling_out/allowed is neither true nor false"},
		{"text that is a switch", "format: 1\nusers: [{id: true}]\n", "line 2: /users/true/id is no text: write it in quotes"},
		{"an address that is none", "format: 1\ntrunks: [{id: t, addresses: [one]}]\n", `line 2: /trunks/t/addresses/0 is not right: ParseAddr("one"): unable to parse IP`},
		{"an hour that is none", "format: 1\nschedules: [{id: s, weekly: [{from: 9 o'clock}]}]\n", "line 2: /schedules/s/weekly/0/from is not right: tenants: a time of day is written 15:04"},
		{"too deep", deep, "line 2: /flows/a/elements/e/settings" + strings.Repeat("/0", 36) + " has more than 40 things within each other"},
		{"JSON that goes on", `{"format": 1} {}`, "line 1: the file goes on after its end"},
		{"JSON that is none", `{"format": 1`, "line 1: the file is no JSON: EOF"},
		{"too long", strings.Repeat(" ", MaxBytes+1), "the file is longer than 8388608 bytes"},
	} {
		_, err := Read([]byte(c.file))
		var refused *Refused
		if !errors.As(err, &refused) || err.Error() != c.want {
			t.Errorf("%s: says\n%v\ninstead of\n%s", c.name, err, c.want)
		}
	}
}

func TestAllThatIsWrongIsToldAtOnceAndWithinBounds(t *testing.T) {
	_, err := Read([]byte("format: 1\nusers:\n" + strings.Repeat("- {x: 1, y: 2}\n", 1000)))
	var refused *Refused
	if !errors.As(err, &refused) || len(refused.Faults) != maxFaults {
		t.Errorf("%d faults are told", len(refused.Faults))
	}
	if _, err = Read([]byte("format: 1\nlists: [{id: a, entries: [" + strings.Repeat("1,", MaxValues) + "]}]")); err == nil || !strings.Contains(err.Error(), "values") {
		t.Errorf("a million values are taken: %.80v", err)
	}
}

func TestTextsMayBeWrittenWithoutQuotes(t *testing.T) {
	d, err := Read([]byte("\uFEFFformat: 1\nusers:\n- {id: ada, name: Ada, extension: 0101, number: +12025550100}\nschedules:\n" +
		"- {id: s, name: 1e3, weekly: [{days: [1], from: 09:00, until: 24:00}], dates: [{date: 2030-01-01, name: off}]}\n" +
		"flows:\n- id: f\n  elements: {e: {type: say, settings: {number: +12025550100, seconds: 5, digits: 0101, on: true, half: 0.5}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if u := d.Users[0]; u.Extension != "0101" || u.Number != "+12025550100" {
		t.Errorf("the user is %+v", u)
	}
	if s := d.Schedules[0]; s.Name != "1e3" || s.Weekly[0].From != 540 || s.Weekly[0].Until != 1440 || s.Dates[0].Date != "2030-01-01" || s.Dates[0].Name != "off" {
		t.Errorf("the schedule is %+v", s)
	}
	if got, want := string(d.Flows[0].Elements["e"].Settings), `{"number":"+12025550100","seconds":5,"digits":"0101","on":true,"half":0.5}`; got != want {
		t.Errorf("the settings are %s", got)
	}
}
