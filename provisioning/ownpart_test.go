package provisioning

import (
	"encoding/json"
	"slices"
	"testing"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

func TestTheOwnPartOfADocumentIsWhatPeopleHaveEdited(t *testing.T) {
	users := []tenants.User{{ID: "u", Name: "Anna", Extension: "101"}, {ID: "v", Name: "Ben", Extension: "102"}}
	drafts := []postgres.Route{{Dialled: "+12025550100", UserID: "u"}, {Dialled: "200", FlowID: "f"}, {Dialled: "201", UserID: "v"}}
	p := tenants.Published{Flows: []tenants.Flow{{ID: "f"}}, BlockedCallers: []string{"x"}}
	if err := addImplied(&p, users); err != nil {
		t.Fatal(err)
	}
	if err := addRoutes(&p, users, drafts); err != nil {
		t.Fatal(err)
	}
	own := ownPart(p)
	want := []tenants.Route{{Dialled: "+12025550100", FlowID: "user-u"}, {Dialled: "200", FlowID: "f"}, {Dialled: "201", FlowID: "user-v"}}
	if len(own.Flows) != 1 || own.Flows[0].ID != "f" || !slices.Equal(own.Routes, want) || len(own.BlockedCallers) != 1 {
		t.Errorf("got %+v", own)
	}
	for i, r := range own.Routes {
		if got := draftOf(r); got != drafts[i] {
			t.Errorf("%+v becomes the draft %+v, and was %+v", r, got, drafts[i])
		}
	}
	if len(p.Flows) != 3 || len(p.Routes) != 5 {
		t.Errorf("the document itself has changed: %+v", p)
	}
}

func TestADocumentThatWasMadeOtherwiseKeepsItsRoutes(t *testing.T) {
	p := tenants.Published{Flows: []tenants.Flow{{ID: "user-u"}}, Routes: []tenants.Route{{Dialled: "200", FlowID: "f"}, {Dialled: "101", FlowID: "user-u"}}}
	if own := ownPart(p); len(own.Flows) != 0 || len(own.Routes) != 2 {
		t.Errorf("got %+v", own)
	}
}

func TestRoutesThatCannotBeTodayAreAllTold(t *testing.T) {
	d := drafts{users: []tenants.User{{ID: "u", Name: "Anna", Extension: "101"}}, flows: []tenants.Flow{{ID: "f"}}}
	routes := []tenants.Route{{Dialled: "200", FlowID: "f"}, {Dialled: "+12025550100", FlowID: "user-u"},
		{Dialled: "101", FlowID: "f"}, {Dialled: "911", FlowID: "f"}, {Dialled: "+12025550199", FlowID: "user-gone"}, {Dialled: "201", FlowID: "gone"}}
	var got []string
	for _, f := range routeFaults(routes, d.users, []string{"+12025550100"}, tenants.Emergency{Numbers: []string{"911"}}, d.around()) {
		got = append(got, f.Path+" "+f.Code+" "+string(f.Refers)+" "+f.ID)
		if f.Detail == "" || f.Mend == "" {
			t.Errorf("%s has no words", f.Path)
		}
	}
	want := []string{"/routes/101 extension_taken  ", "/routes/911 number_emergency  ",
		"/routes/+12025550199 reference_missing " + string(callflows.RefersToUser) + " gone", "/routes/+12025550199 number_not_owned  ",
		"/routes/201 reference_missing " + string(callflows.RefersToFlow) + " gone"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestACommentNamesTheVersionThatIsPublishedAgain(t *testing.T) {
	if got := againComment(RollBack{Version: 3}); got != "Version 3 again." {
		t.Errorf("got %q", got)
	}
	if got := againComment(RollBack{Version: 1<<63 - 1, Comment: "Too strict."}); len(got) > maxPreface+len("Too strict.") || got[len(got)-11:] != "Too strict." {
		t.Errorf("got %q", got)
	}
}

// What is kept in PostgreSQL comes back as it was, so that a version that is published again unchanged is known as the same.
func TestTheOwnPartSurvivesBeingKept(t *testing.T) {
	for _, p := range []tenants.Published{{}, {Flows: []tenants.Flow{}, Routes: []tenants.Route{}, BlockedCallers: []string{}}} {
		p.Flows = append(p.Flows, tenants.Flow{ID: "user-u"})
		p.Routes = append(p.Routes, tenants.Route{Dialled: "101", FlowID: "user-u"})
		own := ownPart(p)
		if body, err := json.Marshal(own.Flows); err != nil || string(body) != "[]" {
			t.Errorf("no flows are %s", body)
		}
	}
}
