package numbers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tandem/tenants"
)

func TestASheetOfChangesIsRead(t *testing.T) {
	s := ReadChanges([]byte("Step;Number;Flow;Tenant\nassign;030 1234567;main;shop\n\nRelease;+493012345602;;\nroute;+493012345603;user-ada;\nreserve;+493012345604;;\n"), tenants.Dialling{Country: "DE"})
	want := []ChangeRow{{Line: 2, Number: "+49301234567", Step: Assign, Tenant: "shop", Flow: "main"}, {Line: 4, Number: "+493012345602", Step: Release},
		{Line: 5, Number: "+493012345603", Step: Route, Flow: "user-ada"}, {Line: 6, Number: "+493012345604", Step: Reserve}}
	if diff := cmp.Diff(want, s.Rows); diff != "" || s.Faults.Count != 0 || s.Lines != 4 {
		t.Errorf("%d rows, %v\n%s", s.Lines, s.Faults, diff)
	}
}

func TestWhatIsWrongWithASheetOfChanges(t *testing.T) {
	for name, row := range map[string]struct {
		sheet string
		want  []string
	}{
		"empty":            {"", []string{"0  sheet_empty"}},
		"no steps":         {"number\n+493012345601\n", []string{"1  column_missing"}},
		"a foreign column": {"number,step,country\n+493012345601,release,DE\n", []string{"1  column_unknown"}},
		"steps": {"number,step,tenant,flow\n+493012345601,give,,\n+493012345602,ported_in,,\n+493012345603,hand,,\n+493012345604,,,\n",
			[]string{"2 step step_unknown", "3 step step_unknown", "4 step step_unknown", "5 step step_unknown"}},
		"what they need": {"number,step,tenant,flow\n+493012345601,assign,,\n+493012345602,route,,\n+493012345603,release,shop,\n+493012345604,block,,main\n+493012345605,assign,shop/x,a b\n",
			[]string{"2 tenant cell_missing", "3 flow cell_missing", "4 tenant cell_needless", "5 flow cell_needless", "6 tenant tenant_unknown", "6 flow flow_unknown"}},
		"numbers": {"number,step\n4.93E+11,release\n=1+1,release\n+493012345601,release\n+493012345601,block\n", []string{"2 number number_mangled", "3 number cell_formula", "5 number number_twice"}},
	} {
		s := ReadChanges([]byte(row.sheet), tenants.Dialling{})
		var got []string
		for _, f := range s.Faults.List {
			got = append(got, fmt.Sprintf("%d %s %s", f.Line, f.Column, f.Code))
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func FuzzReadChanges(f *testing.F) {
	f.Add([]byte("number;step;tenant;flow\n+49 30 1234567;assign;shop;main\n+493012345602;release;;\n"))
	f.Add([]byte("sep=,\nstep,number\nroute,\"+4930\"\"1\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := ReadChanges(raw, german())
		seen := map[string]bool{}
		for _, r := range s.Rows {
			n, ok := tenants.Dialling{}.E164(r.Number)
			if !ok || n != r.Number || seen[r.Number] || r.Line < 1 || !slices.Contains(SheetSteps(), r.Step) {
				t.Fatalf("%+v", r)
			}
			seen[r.Number] = true
			for _, id := range []string{r.Tenant, r.Flow} {
				if id != "" && !idForm.MatchString(id) {
					t.Fatalf("%q", id)
				}
			}
		}
		if len(s.Faults.List) > MaxFaults || len(s.Rows) > s.Lines {
			t.Fatalf("%d faults, %d rows of %d", len(s.Faults.List), len(s.Rows), s.Lines)
		}
		for _, fault := range s.Faults.List {
			if strings.ContainsFunc(fault.Detail, func(c rune) bool { return c < ' ' }) {
				t.Fatalf("%q", fault.Detail)
			}
		}
	})
}
