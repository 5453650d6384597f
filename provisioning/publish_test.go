package provisioning_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

var ignoreIndexes = cmpopts.IgnoreUnexported(tenants.Published{}, tenants.Schedule{}, tenants.List{})

// sameJSON compares settings by what they say.
var sameJSON = cmp.Comparer(func(a, b json.RawMessage) bool {
	var x, y any
	_ = json.Unmarshal(a, &x)
	_ = json.Unmarshal(b, &y)
	return cmp.Equal(x, y)
})

func TestPublishingFreezesTheDocument(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.user("one", "u", "101")
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "USER_BUSY")))
	w.must(w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "200", FlowID: "f"}))
	w.must(w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "*21", Prefix: true, FlowID: "f"}))
	first := w.publish("one")

	// Everything is edited afterwards.
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "CALL_REJECTED")))
	w.must(w.BlockCaller(w.ctx, "one", "+12025550199"))
	if got := w.snapshot().Tenant("one").Published; got.Version != 1 || len(got.BlockedCallers) != 0 {
		t.Errorf("drafts are live before they are published: %+v", got)
	}
	second := w.publish("one")
	if first.Version != 1 || second.Version != 2 {
		t.Errorf("versions %d and %d", first.Version, second.Version)
	}
	for version, want := range map[int64]tenants.Published{1: first, 2: second} {
		got, err := w.Store.Version(w.ctx, "one", version)
		w.must(err)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), ignoreIndexes, sameJSON); diff != "" {
			t.Errorf("version %d: %s", version, diff)
		}
	}
	if cause := string(first.Flows[0].Elements["end"].Settings); !strings.Contains(cause, "USER_BUSY") {
		t.Errorf("the first version hangs up with %s", cause)
	}
	if live := w.snapshot().Tenant("one"); live.Published.Version != 2 || !live.Blocked("+12025550199") {
		t.Error("the second version is not live")
	} else if r, rest := live.RouteByPrefix("*21123"); r == nil || rest != "123" {
		t.Error("the route by prefix is not live")
	}
}

func TestPublishingUnchangedDraftsMakesNoNewVersion(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.user("one", "u", "101")
	first := w.publish("one")
	before, err := w.Store.Revision(w.ctx)
	w.must(err)
	again := w.publish("one")
	if again.Version != first.Version || !again.PublishedAt.Equal(first.PublishedAt) {
		t.Errorf("got version %d of %v, want %d of %v", again.Version, again.PublishedAt, first.Version, first.PublishedAt)
	}
	if after, err := w.Store.Revision(w.ctx); err != nil || after != before {
		t.Errorf("the revision went from %d to %d, %v", before, after, err)
	}
	w.user("one", "v", "102") // its implied flow makes a difference
	if got := w.publish("one"); got.Version != 2 {
		t.Errorf("got version %d", got.Version)
	}
}

func TestPublishingManyTimesAtOnceMakesEachVersionOnce(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	const publishers, rounds = 6, 5
	for round := range rounds {
		var all sync.WaitGroup
		begin := make(chan struct{})
		for i := range publishers {
			all.Go(func() {
				<-begin
				if err := w.BlockCaller(w.ctx, "one", fmt.Sprintf("+1202555%04d", round*publishers+i)); err != nil {
					t.Error(err)
				}
				if _, err := w.Publish(w.ctx, "one", "tester", ""); err != nil {
					t.Error(err)
				}
			})
		}
		close(begin)
		all.Wait()
	}
	if got := w.snapshot().Tenant("one").Published; len(got.BlockedCallers) != publishers*rounds {
		t.Errorf("version %d blocks %d callers, want %d", got.Version, len(got.BlockedCallers), publishers*rounds)
	}
}

func TestAUsersExtensionRingsTheUserOnceItIsPublished(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.must(w.AddNumber(w.ctx, "one", "+12025550100"))
	w.user("one", "u", "101")
	w.must(w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "+12025550100", FlowID: "user-u"}))
	if w.snapshot().Tenant("one").Route("101") != nil {
		t.Error("the extension is there before it is published")
	}
	w.publish("one")
	tenant := w.snapshot().Tenant("one")
	for _, dialled := range []string{"101", "+12025550100"} {
		if r := tenant.Route(dialled); r == nil || r.FlowID != "user-u" || tenant.Flow("user-u") == nil {
			t.Errorf("%s leads to %+v", dialled, r)
		}
	}
	ring := tenant.Flow("user-u").Elements["ring"]
	want := json.RawMessage(`{"users":["u"],"strategy":"at_once","seconds":25}`)
	if ring.Type != "ring" || !cmp.Equal(want, ring.Settings, sameJSON) {
		t.Errorf("it does %s %s", ring.Type, ring.Settings)
	}
}

// oneElement is a flow of one element, saved past every check: as a draft may be that an older release took, or whose
// references have gone since.
func (w world) oneElement(elementType, settings string) {
	w.t.Helper()
	f := tenants.Flow{ID: "f", Name: "F", Start: "e", Elements: map[string]tenants.Element{"e": {Type: elementType, Settings: json.RawMessage(settings)}}}
	w.must(w.Store.Change(w.ctx, func(tx *postgres.Tx) error { return tx.SaveFlow(w.ctx, "one", f) }))
}

func TestDraftsThatDoNotHoldTogetherAreNotPublished(t *testing.T) {
	for what, c := range map[string]struct {
		draft func(world)
		field string
		code  provisioning.Code
	}{
		"a flow that rings a user who is not there": {func(w world) { w.oneElement("ring", `{"users":["ghost"]}`) },
			"flows/f/elements/e/settings/users/0", provisioning.NotFound},
		"a flow that rings another tenant's device": {func(w world) { w.oneElement("ring", `{"devices":["theirs"]}`) },
			"flows/f/elements/e/settings/devices/0", provisioning.NotFound},
		"a flow with a schedule that is not there": {func(w world) { w.oneElement("hours", `{"schedule":"ghost"}`) },
			"flows/f/elements/e/settings/schedule", provisioning.NotFound},
		"a flow that jumps to one that is not there": {func(w world) { w.oneElement("jump", `{"flow":"ghost"}`) },
			"flows/f/elements/e/settings/flow", provisioning.NotFound},
		"a flow that an older release took": {func(w world) { w.oneElement("hangup", `{"words":"so long"}`) },
			"flows/f/elements/e/settings/words", provisioning.Invalid},
		"a route for a user's extension": {func(w world) {
			w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "USER_BUSY")))
			w.must(w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "101", FlowID: "f"}))
		}, "routes/101", provisioning.Conflict},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.tenant("one")
			w.tenant("two")
			w.user("one", "u", "101")
			_, _, err := w.CreateDevice(w.ctx, "two", provisioning.NewDevice{ID: "theirs", Name: "D", Username: "theirs"})
			w.must(err)
			c.draft(w)
			_, err = w.Publish(w.ctx, "one", "tester", "")
			var refused *provisioning.Error
			if !errors.As(err, &refused) || refused.Field != c.field || refused.Code != c.code {
				t.Errorf("got %v, want %s at %s", err, c.code, c.field)
			}
			if got := w.snapshot().Tenant("one").Published.Version; got != 0 {
				t.Errorf("version %d was published", got)
			}
		})
	}
}

func TestAFlowIsSavedWithoutFaultsOnlyAndAllAreSaidAtOnce(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.tenant("two")
	w.user("one", "u", "101")
	w.user("two", "theirs", "101")
	flow := tenants.Flow{ID: "f", Name: "F", Start: "ring", Elements: map[string]tenants.Element{
		"ring": {Type: "ring", Settings: json.RawMessage(`{"users":["u","theirs","ghost"],"seconds":0}`), Exits: map[string]string{"no_answer": "gone"}},
		"lost": {Type: "hours", Settings: json.RawMessage(`{"schedule":"ghost"}`), Exits: map[string]string{"open": "lost"}},
		"more": {Type: "jump", Settings: json.RawMessage(`{"flow":"later"}`)},
	}}
	var refused *provisioning.Error
	if err := w.SaveFlow(w.ctx, "one", flow); !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	got := map[string]bool{} // by path and code: whether it is an error
	words := map[string]string{}
	for _, f := range refused.Faults {
		got[f.Path+" "+f.Code], words[f.ID] = !f.Warning, f.Detail
	}
	want := map[string]bool{
		"/elements/lost element_unreachable": true, "/elements/lost loop_unbounded": true, "/elements/more element_unreachable": true,
		"/elements/lost/settings/schedule reference_missing": true, "/elements/lost/exits/closed exit_open": false,
		"/elements/more/settings/flow reference_missing":    false, // the flow may be saved later
		"/elements/ring/settings/users/1 reference_missing": true, "/elements/ring/settings/users/2 reference_missing": true,
		"/elements/ring/settings/seconds setting_out_of_bounds": true, "/elements/ring/exits/no_answer exit_target_missing": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.ReplaceAll(words["theirs"], "theirs", "ghost") != words["ghost"] {
		t.Errorf("what another tenant has is told: %q, and %q of what nobody has", words["theirs"], words["ghost"])
	}
	checked, err := w.CheckFlow(w.ctx, "one", flow)
	w.must(err)
	if diff := cmp.Diff(refused.Faults, checked); diff != "" {
		t.Error(diff)
	}
	if p := w.publish("one"); len(p.Flows) != 1 {
		t.Errorf("it was saved all the same: %+v", p.Flows)
	}
}

func TestFlowsThatJumpToEachOtherAreSavedOneAfterTheOther(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.user("one", "u", "101")
	to := func(id, target string) tenants.Flow {
		return tenants.Flow{ID: id, Name: id, Start: "wait", Elements: map[string]tenants.Element{
			"wait": {Type: "sleep", Exits: map[string]string{"next": "jump"}},
			"jump": {Type: "jump", Settings: json.RawMessage(`{"flow":"` + target + `"}`)}}}
	}
	w.must(w.SaveFlow(w.ctx, "one", to("a", "b")))
	if _, err := w.Publish(w.ctx, "one", "tester", ""); err == nil {
		t.Error("half of it is published")
	}
	w.must(w.SaveFlow(w.ctx, "one", to("b", "a")))
	w.must(w.SaveFlow(w.ctx, "one", to("c", "user-u")))
	w.publish("one")
	w.snapshot()
	if err := w.SaveFlow(w.ctx, "one", to("d", "user-ghost")); err == nil {
		t.Error("a flow jumps to the flow of a user who is not there")
	}
}

// All flows with faults are told of at once, each fault with the flow that it is in.
func TestPublishingTellsTheFaultsOfAllFlows(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	for _, id := range []string{"f", "g", "h"} {
		w.must(w.SaveFlow(w.ctx, "one", hangupFlow(id, "USER_BUSY")))
	}
	w.must(w.Store.Change(w.ctx, func(tx *postgres.Tx) error {
		for _, id := range []string{"f", "h"} { // saved by a release that took other settings
			if err := tx.SaveFlow(w.ctx, "one", tenants.Flow{ID: id, Name: id, Start: "e", Elements: map[string]tenants.Element{
				"e": {Type: "hangup", Settings: json.RawMessage(`{"words":"so long","cause":"GONE"}`)}}}); err != nil {
				return err
			}
		}
		return nil
	}))
	_, err := w.Publish(w.ctx, "one", "tester", "")
	var refused *provisioning.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	var paths []string
	for _, f := range refused.Faults {
		paths = append(paths, f.Path)
	}
	want := "/flows/f/elements/e/settings/cause /flows/f/elements/e/settings/words /flows/h/elements/e/settings/cause /flows/h/elements/e/settings/words"
	if got := strings.Join(paths, " "); got != want || !strings.HasSuffix(refused.Detail, "Another flow has faults, too.") {
		t.Errorf("%v\n%s", refused, got)
	}
}

func TestAListIsPublishedWithTheFlowThatAsksIt(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	flow := tenants.Flow{ID: "f", Name: "F", Start: "who", Elements: map[string]tenants.Element{
		"who": {Type: "branch", Settings: json.RawMessage(`{"cases":[{"exit":"known","caller_number":{"in_list":"friends"}}]}`)}}}
	if err := w.SaveFlow(w.ctx, "one", flow); err == nil {
		t.Error("a flow asks a list that is not there")
	}
	w.must(w.SaveList(w.ctx, "one", tenants.List{ID: "friends", Name: "Friends", Entries: []string{"+1202*", "101"}}))
	w.must(w.SaveFlow(w.ctx, "one", flow))
	if w.snapshot().Tenant("one").List("friends") != nil {
		t.Error("the list is there before it is published")
	}
	first := w.publish("one")
	list := w.snapshot().Tenant("one").List("friends")
	if list == nil || list.Name != "Friends" {
		t.Fatalf("the list is %+v", list)
	}
	if entry, found := list.Match("+12025550100"); !found || entry != "+1202*" {
		t.Errorf("found by %q, %v", entry, found)
	}
	w.must(w.SaveList(w.ctx, "one", tenants.List{ID: "friends", Name: "Friends"}))
	if again := w.publish("one"); again.Version != first.Version+1 || len(again.Lists[0].Entries) != 0 {
		t.Errorf("version %d has %+v", again.Version, again.Lists)
	}
}

func TestTheDemoTenantIsWholeAndMakingItAgainMakesNothingTwice(t *testing.T) {
	w := newWorld(t)
	w.must(w.SetEmergency(w.ctx, tenants.Emergency{Numbers: []string{"112", "911"}, TrunkURI: "sip:192.0.2.9:5060"}))
	first, err := w.Demo(w.ctx)
	w.must(err)
	again, err := w.Demo(w.ctx)
	w.must(err)
	if first.Published.Version != 1 || again.Published.Version != 1 {
		t.Errorf("versions %d and %d", first.Published.Version, again.Published.Version)
	}
	s := w.snapshot() // finds faults
	demo := s.TenantByDomain(provisioning.DemoDomain)
	if demo == nil || len(demo.AllUsers()) != 3 || len(demo.AllDevices()) != 3 || len(demo.AllNumbers()) != 2 {
		t.Fatalf("got %+v", demo)
	}
	for i, extension := range []string{"101", "102", "103"} {
		phone, old := again.Phones[i], first.Phones[i]
		user := demo.User(phone.User.ID)
		if phone.Extension != extension || user == nil || user.Extension != extension || demo.DeviceByUsername(phone.Device.Username) == nil {
			t.Errorf("phone %d is %+v", i, phone)
		}
		if phone.Password == "" || phone.Password == old.Password {
			t.Errorf("the password of %s is %q and was %q", phone.Device.Name, phone.Password, old.Password)
		}
	}
	for dialled, flow := range map[string]string{"101": "user-reception", provisioning.DemoGroup: "group", provisioning.DemoMenu: "menu",
		provisioning.DemoMainNumber: "main", provisioning.DemoSalesNumber: "group"} {
		if r := demo.Route(dialled); r == nil || r.FlowID != flow {
			t.Errorf("%s leads to %+v, want %s", dialled, r, flow)
		}
	}
	if !demo.Blocked(provisioning.DemoBlockedCaller) || demo.Schedule("office") == nil {
		t.Error("the blocked caller or the opening hours are missing")
	}
	want := tenants.Emergency{Numbers: []string{"112", "911", "933"}, TestNumber: "933", TrunkURI: "sip:192.0.2.9:5060"}
	if diff := cmp.Diff(want, s.Emergency()); diff != "" {
		t.Error(diff)
	}
}

func TestAPreviewIsWhatPublishingWouldMakeAndMakesNothing(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.user("one", "u", "101")
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "USER_BUSY")))
	w.must(w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "200", FlowID: "f"}))
	preview, err := w.Preview(w.ctx, "one")
	w.must(err)
	if got := w.snapshot().Tenant("one"); preview.Version != 0 || got.Published.Version != 0 || got.Route("200") != nil {
		t.Errorf("a preview of version %d makes the version %d", preview.Version, got.Published.Version)
	}
	published := w.publish("one")
	published.Version, published.PublishedAt = 0, preview.PublishedAt
	if diff := cmp.Diff(published, preview, cmpopts.EquateEmpty(), ignoreIndexes, sameJSON); diff != "" {
		t.Error(diff)
	}
	_, err = w.Preview(w.ctx, "two")
	var refused *provisioning.Error
	if !errors.As(err, &refused) || refused.Code != provisioning.NotFound {
		t.Errorf("of a tenant that is not there: %v", err)
	}
}
