package provisioning_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
	"tandem/versions"
)

// say gives changes in words.
func say(changes []versions.Change) string {
	var lines []string
	for _, c := range changes {
		lines = append(lines, c.Words())
	}
	return strings.Join(lines, "\n")
}

// twoVersions makes a tenant with a flow that is milder in version 1 than in version 2.
func (w world) twoVersions() {
	w.t.Helper()
	w.tenant("one")
	w.user("one", "u", "101")
	w.must(w.AddNumber(w.ctx, "one", "+12025550100"))
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "USER_BUSY")))
	w.must(w.SaveSchedule(w.ctx, "one", tenants.Schedule{ID: "s", Name: "Office"}))
	w.must(w.SaveList(w.ctx, "one", tenants.List{ID: "l", Name: "VIP", Entries: []string{"101"}}))
	for _, r := range []tenants.Route{{Dialled: "200", FlowID: "f"}, {Dialled: "+12025550100", FlowID: "user-u"}} {
		w.must(w.SaveRoute(w.ctx, "one", r))
	}
	_, err := w.Publish(w.ctx, "one", "anna", "The first.")
	w.must(err)
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "CALL_REJECTED")))
	w.must(w.BlockCaller(w.ctx, "one", "+12025550199"))
	done, err := w.PublishDrafts(w.ctx, "one", "ben", "Stricter.")
	w.must(err)
	want := `The flow f: in the hang up end, cause is "CALL_REJECTED" instead of "USER_BUSY"`
	if got := say(done.Changes); done.Published.Version != 2 || done.Same || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "\nCalls from +12025550199 are refused.") {
		w.t.Fatalf("version %d changes %s", done.Published.Version, got)
	}
}

func (w world) rollBack(version int64, drafts string) provisioning.RolledBack {
	w.t.Helper()
	done, err := w.RollBack(w.ctx, "one", provisioning.RollBack{Version: version, By: "carl", Comment: "Too strict.", Drafts: drafts})
	w.must(err)
	return done
}

func TestAnOldVersionIsPublishedAgainAsANewOneWithTheUsersOfToday(t *testing.T) {
	w := newWorld(t)
	w.twoVersions()
	w.user("one", "v", "102") // since
	done := w.rollBack(1, provisioning.DraftsAsFits)
	if done.Published.Version != 3 || done.Same || !done.Replaced || len(done.Waiting) != 0 {
		t.Errorf("got %+v", done)
	}
	if got := say(done.Changes); !strings.Contains(got, `"USER_BUSY" instead of "CALL_REJECTED"`) || !strings.Contains(got, "+12025550199 are not refused any more") {
		t.Errorf("it changes %s", got)
	}
	want := "The flow of the user v is new. It begins with the ring ring and has 1 element.\nCalls to 102 lead to the flow of the user v. Before, they led nowhere."
	if got := say(done.Adapted); got != want {
		t.Errorf("beside version 1 it has %s", got)
	}
	live := w.snapshot().Tenant("one")
	if live.Published.Version != 3 || live.Blocked("+12025550199") || live.Route("102") == nil || live.Route("+12025550100").FlowID != "user-u" ||
		live.Route("200") == nil || live.Schedule("s") == nil || live.List("l") == nil {
		t.Errorf("workers run %+v", live.Published)
	}
	all, more, err := w.Versions(w.ctx, "one", 0, 2)
	w.must(err)
	if len(all) != 2 || !more || !all[0].Live || all[1].Live || all[0].PublishedBy != "carl" || all[0].Comment != "Version 1 again. Too strict." ||
		all[1].Version != 2 || all[1].PublishedBy != "ben" || all[1].Comment != "Stricter." || all[0].PublishedAt.Before(all[1].PublishedAt) {
		t.Errorf("the newest versions are %+v (more: %v)", all, more)
	}
	if rest, more, err := w.Versions(w.ctx, "one", 2, 2); err != nil || len(rest) != 1 || more || rest[0].PublishedBy != "anna" {
		t.Errorf("before version 2: %+v, more: %v, %v", rest, more, err)
	}
	// The drafts are those of version 1: the next publishing does not bring version 2 back.
	if again := w.publish("one"); again.Version != 3 {
		t.Errorf("version %d is published", again.Version)
	}
	if twice := w.rollBack(1, provisioning.DraftsAsFits); !twice.Same || twice.Published.Version != 3 || twice.Replaced {
		t.Errorf("the second time: %+v", twice)
	}
}

func TestDraftsThatWaitToBePublishedOutliveARollBack(t *testing.T) {
	w := newWorld(t)
	w.twoVersions()
	w.must(w.SaveList(w.ctx, "one", tenants.List{ID: "l", Name: "VIP", Entries: []string{"101", "102"}}))
	done := w.rollBack(1, provisioning.DraftsAsFits)
	got := say(done.Waiting)
	if done.Replaced || !strings.Contains(got, "The list VIP has 1 more entry: 102.") || !strings.Contains(got, `"CALL_REJECTED" instead of "USER_BUSY"`) {
		t.Errorf("replaced: %v; waiting: %s", done.Replaced, got)
	}
	c, err := w.Compare(w.ctx, "one", provisioning.LiveVersion, provisioning.DraftVersion)
	w.must(err)
	if say(c.Changes) != got || c.From.Version != 3 || !c.To.Draft || c.To.Refused != nil {
		t.Errorf("later: %+v", c)
	}
	// Until somebody wants them gone.
	if done = w.rollBack(1, provisioning.DraftsReplace); !done.Same || !done.Replaced {
		t.Errorf("replacing them: %+v", done)
	}
	c, err = w.Compare(w.ctx, "one", provisioning.LiveVersion, provisioning.DraftVersion)
	w.must(err)
	if len(c.Changes) > 0 {
		t.Errorf("the drafts still differ: %s", say(c.Changes))
	}
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "CALL_REJECTED")))
	w.publish("one")
	if done = w.rollBack(1, provisioning.DraftsKeep); done.Replaced || len(done.Waiting) != 1 {
		t.Errorf("keeping them: %+v", done)
	}
}

func TestAVersionThatReliesOnWhatIsGoneIsRefusedInFull(t *testing.T) {
	w := newWorld(t)
	w.twoVersions()
	_, _, err := w.CreateDevice(w.ctx, "one", provisioning.NewDevice{ID: "door", Name: "Door", Username: "door"})
	w.must(err)
	w.oneElement("ring", `{"devices":["door"]}`)
	w.must(w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "300", FlowID: "f"}))
	w.publish("one") // version 3
	w.must(w.Store.Change(w.ctx, func(tx *postgres.Tx) error { return tx.ClearDrafts(w.ctx, "one") }))
	conn, err := pgx.Connect(w.ctx, w.url)
	w.must(err)
	defer conn.Close(context.Background())
	for _, gone := range []string{`DELETE FROM devices WHERE id = 'door'`, `DELETE FROM numbers WHERE number = '+12025550100'`} {
		_, err := conn.Exec(w.ctx, gone)
		w.must(err)
	}
	w.user("one", "late", "300")
	var refused *provisioning.Error
	_, err = w.RollBack(w.ctx, "one", provisioning.RollBack{Version: 3, By: "carl"})
	if !errors.As(err, &refused) || refused.Code != provisioning.Conflict || refused.Field != "version" || !strings.Contains(refused.Detail, "3 things") {
		t.Fatalf("got %v", err)
	}
	var faults []string
	for _, f := range refused.Faults {
		faults = append(faults, f.Path+" "+f.Code)
	}
	slices.Sort(faults)
	want := []string{"/flows/f/elements/e/settings/devices/0 reference_missing", "/routes/+12025550100 number_not_owned", "/routes/300 extension_taken"}
	if !slices.Equal(faults, want) {
		t.Errorf("got %q, want %q", faults, want)
	}
	if live, err := w.Version(w.ctx, "one", provisioning.LiveVersion); err != nil || live.Version != 3 {
		t.Errorf("version %d is live, %v", live.Version, err)
	}
}

func TestVersionsAreNamedByNumberLiveOrDraft(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "USER_BUSY")))
	refused := func(err error) string {
		var no *provisioning.Error
		if !errors.As(err, &no) {
			return "no refusal"
		}
		return string(no.Code) + " " + no.Field
	}
	version := func(tenant, name string) error { _, err := w.Version(w.ctx, tenant, name); return err }
	rollBack := func(r provisioning.RollBack) error { _, err := w.RollBack(w.ctx, "one", r); return err }
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"live, before anything is": {version("one", "live"), "not_found version"},
		"one that is not there":    {version("one", "7"), "not_found version"},
		"no number":                {version("one", "last"), "invalid version"},
		"number nought":            {version("one", "0"), "invalid version"},
		"of no tenant":             {version("two", "draft"), "not_found tenant"},
		"back to none":             {rollBack(provisioning.RollBack{Version: 7, By: "carl"}), "not_found version"},
		"back by nobody":           {rollBack(provisioning.RollBack{Version: 1}), "invalid published_by"},
		"back with odd drafts":     {rollBack(provisioning.RollBack{Version: 1, By: "carl", Drafts: "burn"}), "invalid drafts"},
		"back with a long comment": {rollBack(provisioning.RollBack{Version: 1, By: "carl", Comment: strings.Repeat("x", provisioning.MaxComment)}), "invalid comment"},
	} {
		if got := refused(c.err); got != c.want {
			t.Errorf("%s: got %s, want %s", what, got, c.want)
		}
	}
	if all, more, err := w.Versions(w.ctx, "one", 0, 5); err != nil || len(all) != 0 || more {
		t.Errorf("before anything is published: %+v, %v", all, err)
	}
	c, err := w.Compare(w.ctx, "one", provisioning.LiveVersion, provisioning.DraftVersion)
	w.must(err)
	if got := say(c.Changes); c.From.Version != 0 || got != "The flow f is new. It begins with the hang up end and has 1 element." {
		t.Errorf("the first publishing would change %s", got)
	}
	w.publish("one")
	w.oneElement("ring", `{"users":["ghost"]}`)
	c, err = w.Compare(w.ctx, "one", "1", provisioning.DraftVersion)
	w.must(err)
	if c.To.Refused == nil || len(c.Changes) == 0 {
		t.Errorf("drafts that cannot be published are compared as %+v", c)
	}
	if d, err := w.Version(w.ctx, "one", "1"); err != nil || d.PublishedBy != "tester" || !d.Live || len(d.Published.Flows) != 1 {
		t.Errorf("version 1 is %+v, %v", d, err)
	}
}
