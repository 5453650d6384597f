package provisioning_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/plan"
	"tandem/provisioning/plan/plantest"
	"tandem/tenants"
)

// asFile gives a tenant with some numbers of its own.
func asFile(t *testing.T) world {
	t.Helper()
	w := newWorld(t)
	w.tenant("acme")
	w.Phones = provisioning.PhoneSettings{Keys: ring(t, ringKey(1)), URL: "https://phones.example.test"}
	for _, number := range plantest.Owned() {
		w.must(w.AddNumber(w.ctx, "acme", number))
	}
	return w
}

func (w world) apply(wanted plan.Document) provisioning.Applied {
	w.t.Helper()
	planned, err := w.Plan(w.ctx, "acme", wanted)
	w.must(err)
	done, err := w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, MadeOf: planned.MadeOf, By: "tester"})
	w.must(err)
	return done
}

func (w world) export() provisioning.Exported {
	w.t.Helper()
	e, err := w.Export(w.ctx, "acme", provisioning.LiveVersion)
	w.must(err)
	return e
}

func TestAnExportedTenantPlansToNothingAndApplyingItDoesNothing(t *testing.T) {
	w := newWorld(t)
	_, err := w.Demo(w.ctx)
	w.must(err)
	e, err := w.Export(w.ctx, provisioning.DemoTenantID, provisioning.LiveVersion)
	w.must(err)
	file, err := e.Document.Write("")
	w.must(err)
	wanted, err := plan.Read(file)
	w.must(err)
	planned, err := w.Plan(w.ctx, provisioning.DemoTenantID, wanted)
	w.must(err)
	if len(planned.Changes) > 0 || planned.MadeOf != e.MadeOf {
		t.Fatalf("plans %v", planned)
	}
	before, err := w.Store.Revision(w.ctx)
	w.must(err)
	done, err := w.Apply(w.ctx, provisioning.DemoTenantID, provisioning.Apply{Wanted: wanted, MadeOf: planned.MadeOf, By: "tester"})
	w.must(err)
	after, err := w.Store.Revision(w.ctx)
	w.must(err)
	if done.Published != 0 || len(done.Passwords) > 0 || before != after {
		t.Errorf("something was done: %+v", done)
	}
}

// Random tenants become one another: what is exported afterwards is what was wanted, whatever it was before, and workers find no
// fault with it.
func TestApplyingAFileMakesTheTenantWhatItSays(t *testing.T) {
	w := asFile(t)
	changed, versions := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		m := plantest.Maker{T: rt}
		current, wanted := w.export().Document, m.Tenant()
		if m.Yes("in part") {
			wanted = m.Part(wanted)
		}
		merged := plan.Merge(current, wanted)
		if len(plan.Check(merged, plantest.Owned())) > 0 {
			if _, err := w.Plan(w.ctx, "acme", wanted); err == nil {
				rt.Fatal("what does not hold together is planned")
			}
			rt.Skip("does not hold together")
		}
		planned, err := w.Plan(w.ctx, "acme", wanted)
		var refused *provisioning.Error
		if errors.As(err, &refused) { // a name that cannot be shown, and such
			rt.Skip(refused.Detail)
		}
		if err != nil {
			rt.Fatal(err)
		}
		done, err := w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, MadeOf: planned.MadeOf, By: "tester"})
		if err != nil {
			rt.Fatal(err)
		}
		changed += len(done.Changes)
		if done.Published > 0 {
			versions++
		}
		after := w.export()
		options := cmp.Options{cmpopts.IgnoreUnexported(tenants.Schedule{}, tenants.List{}), cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}
		if diff := cmp.Diff(merged, after.Document, options); diff != "" {
			rt.Fatalf("(-wanted +exported)\n%s", diff)
		}
		if again, err := w.Plan(w.ctx, "acme", wanted); err != nil || len(again.Changes) > 0 || len(again.Waiting) > 0 {
			rt.Fatalf("still plans %v, waiting %v, %v", again.Changes, again.Waiting, err)
		}
	})
	if changed < 50 || versions < 10 {
		t.Errorf("only %d changes in %d versions", changed, versions)
	}
	w.snapshot()
}

func TestNamesAndAddressesChangePlaces(t *testing.T) {
	w := asFile(t)
	first := plantest.Full()
	other := first.Trunks[0]
	other.ID, other.Device, other.Addresses = "other", "desk", nil
	first.Trunks = append(slices.Clone(first.Trunks), other)
	w.apply(first)
	second := w.export().Document
	second.Users[0].Extension, second.Users[1].Extension = second.Users[1].Extension, second.Users[0].Extension
	second.Devices[0].Username, second.Devices[1].Username = second.Devices[1].Username, second.Devices[0].Username
	// The hardware address goes to another device, which is a phone only now.
	second.Phones = []plan.Phone{{Device: second.Devices[1].ID, MAC: "00:15:65:00:00:01", Vendor: "snom"}, {Device: second.Devices[0].ID, MAC: "00:15:65:00:00:02", Vendor: "snom"}}
	a, b := &second.Trunks[0], &second.Trunks[1]
	a.Addresses, b.Addresses = b.Addresses, a.Addresses
	a.Device, b.Device = b.Device, a.Device
	done := w.apply(second)
	if len(done.Passwords) != 2 {
		t.Errorf("devices with other user names got %d new passwords", len(done.Passwords))
	}
	if changes := plan.Diff(w.export().Document, second); len(changes) > 0 {
		t.Errorf("still differs: %v", changes)
	}
	w.snapshot()
}

func TestNewSecretsAreShownOnceAndWork(t *testing.T) {
	w := asFile(t)
	done := w.apply(plantest.Full())
	if len(done.Phones) != 1 || !strings.HasPrefix(done.Phones[0].URL, "https://phones.example.test/provision/") {
		t.Errorf("URLs of phones: %+v", done.Phones)
	}
	if len(done.Passwords) != 2 || len(done.PINs) != 1 || len(done.PINs[0].PIN) != 6 || done.Published != 1 {
		t.Fatalf("applying gives %+v", done)
	}
	for _, p := range done.Passwords {
		if p.Password == "" || p.Username == "" {
			t.Errorf("a password is missing: %+v", p)
		}
	}
	right, _, err := w.Store.OpenBox(w.ctx, "acme", "ada", postgres.Lock{After: 5, For: time.Minute}, func(hash string) bool { return provisioning.VerifyPIN(hash, done.PINs[0].PIN) })
	if err != nil || !right {
		t.Errorf("the PIN does not open the box: %v", err)
	}
	file, err := w.export().Document.Write("")
	w.must(err)
	for _, secret := range []string{done.Passwords[0].Password, done.PINs[0].PIN, "argon2", "/provision/"} {
		if strings.Contains(string(file), secret) {
			t.Error("the file shows a secret")
		}
	}
	planned, err := w.Plan(w.ctx, "acme", plantest.Full())
	w.must(err)
	if len(planned.Changes) > 0 {
		t.Errorf("still plans %v", planned.Changes)
	}
}

// A phone that was there keeps its URL when it is changed; one that goes gives nothing any more; one that another tenant has is refused.
func TestPhonesOfAFile(t *testing.T) {
	w := asFile(t)
	url := w.apply(plantest.Full()).Phones[0].URL
	secret := strings.Split(strings.TrimPrefix(url, "https://phones.example.test/provision/"), "/")[0]
	changed := w.export().Document
	changed.Phones[0].Keys, changed.Phones[0].Note = nil, ""
	if done := w.apply(changed); len(done.Phones) != 0 || len(done.Changes) != 2 {
		t.Errorf("a change gives %+v", done)
	}
	if f, err := w.Store.PhoneBySecret(w.ctx, hashOf(secret)); err != nil || f.DeviceID != "desk" || len(f.Keys) != 0 {
		t.Errorf("the URL leads to %+v: %v", f.Phone, err)
	}
	w.tenant("other")
	_, _, err := w.CreateDevice(w.ctx, "other", provisioning.NewDevice{ID: "d", Name: "D", Username: "d"})
	w.must(err)
	_, _, err = w.SetPhone(w.ctx, "other", "d", provisioning.NewPhone{MAC: "001565000009", Vendor: "snom"}, func(*provisioning.Phone) bool { return true })
	w.must(err)
	for name, c := range map[string]struct {
		phones []plan.Phone
		words  string
	}{
		"another tenant's": {[]plan.Phone{{Device: "desk", MAC: "001565000009", Vendor: "snom"}}, "belongs to another device"},
		"no address":       {[]plan.Phone{{Device: "desk", MAC: "desk", Vendor: "snom"}}, "hardware address"},
		"a strange vendor": {[]plan.Phone{{Device: "desk", MAC: "001565000001", Vendor: "acme"}}, "vendor"},
		"no device":        {[]plan.Phone{{Device: "ghost", MAC: "001565000001", Vendor: "snom"}}, "device that is not there"},
		"twice":            {[]plan.Phone{{Device: "desk", MAC: "00-15-65-00-00-01", Vendor: "snom"}, {Device: "pbx", MAC: "001565000001", Vendor: "snom"}}, "two phones"},
	} {
		wanted := plan.Document{Format: plan.Format, Phones: c.phones}
		_, err := w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, Again: true, By: "tester"})
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.apply(plan.Document{Format: plan.Format, Phones: []plan.Phone{}})
	if _, err := w.Store.PhoneBySecret(w.ctx, hashOf(secret)); !errors.Is(err, postgres.ErrNotFound) {
		t.Errorf("of a phone that is gone: %v", err)
	}
	w.Phones.Keys = nil
	_, err = w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: plantest.Full(), Again: true, By: "tester"})
	if err == nil || !strings.Contains(err.Error(), "TANDEM_SECRET_KEY") {
		t.Errorf("without a key: %v", err)
	}
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func TestAPlanThatWasMadeOfAnotherTenantIsStale(t *testing.T) {
	w := asFile(t)
	w.apply(plantest.Full())
	wanted := w.export().Document
	wanted.Users[0].Name = "Ada L"
	planned, err := w.Plan(w.ctx, "acme", wanted)
	w.must(err)
	_, err = w.SetUserSettings(w.ctx, "acme", tenants.UserSettings{User: "bob", DoNotDisturb: true}, "bob")
	w.must(err)
	_, err = w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, MadeOf: planned.MadeOf, By: "tester"})
	var refused *provisioning.Error
	if !errors.As(err, &refused) || refused.Code != provisioning.Stale {
		t.Fatalf("applying gives %v", err)
	}
	if _, err = w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, MadeOf: planned.MadeOf, Again: true, By: "tester"}); err != nil {
		t.Fatal(err)
	}
}

func TestOfTwoWhoApplyTheSamePlanAtOnceOneIsStale(t *testing.T) {
	w := asFile(t)
	w.apply(plantest.Full())
	wanted := w.export().Document
	wanted.Users[0].Name = "Ada L"
	planned, err := w.Plan(w.ctx, "acme", wanted)
	w.must(err)
	var wait sync.WaitGroup
	results := make([]error, 2)
	for i := range results {
		wait.Go(func() {
			_, results[i] = w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, MadeOf: planned.MadeOf, By: "tester"})
		})
	}
	wait.Wait()
	stale := 0
	for _, err := range results {
		var refused *provisioning.Error
		if errors.As(err, &refused) && refused.Code == provisioning.Stale {
			stale++
		} else if err != nil {
			t.Error(err)
		}
	}
	if stale != 1 {
		t.Errorf("%d of 2 are stale", stale)
	}
}

func TestDraftsThatAreNotPublishedAreNotLostUnasked(t *testing.T) {
	w := asFile(t)
	w.apply(plantest.Full())
	w.must(w.SaveFlow(w.ctx, "acme", hangupFlow("draft", "USER_BUSY")))
	wanted := w.export().Document
	wanted.Lists[0].Name = "Friends"
	planned, err := w.Plan(w.ctx, "acme", wanted)
	w.must(err)
	if len(planned.Waiting) != 1 || !strings.Contains(planned.Waiting[0].Words(), "The flow draft is new.") {
		t.Errorf("waiting are %v", planned.Waiting)
	}
	ask := provisioning.Apply{Wanted: wanted, MadeOf: planned.MadeOf, By: "tester"}
	_, err = w.Apply(w.ctx, "acme", ask)
	var refused *provisioning.Error
	if !errors.As(err, &refused) || refused.Code != provisioning.Conflict || refused.Field != "drafts" {
		t.Fatalf("applying gives %v", err)
	}
	other := w.export().Document
	other.Devices[0].Name = "Front desk" // not versioned: drafts do not matter
	if done := w.apply(other); done.Published != 0 {
		t.Errorf("version %d was published for a device's name", done.Published)
	}
	drafts, err := w.Export(w.ctx, "acme", provisioning.DraftVersion)
	w.must(err)
	if len(drafts.Document.Flows) != 2 {
		t.Errorf("the drafts have %d flows", len(drafts.Document.Flows))
	}
	ask.Drafts, ask.Again = provisioning.DraftsReplace, true
	_, err = w.Apply(w.ctx, "acme", ask)
	w.must(err)
	if e := w.export(); len(e.Waiting) > 0 || len(e.Document.Flows) != 1 {
		t.Errorf("the draft is still there: %v", e.Waiting)
	}
}

func TestAFileOfTheDraftsIsTakenAsItIs(t *testing.T) {
	w := asFile(t)
	w.apply(plantest.Full())
	w.must(w.SaveFlow(w.ctx, "acme", hangupFlow("draft", "USER_BUSY")))
	drafts, err := w.Export(w.ctx, "acme", provisioning.DraftVersion)
	w.must(err)
	if done := w.apply(drafts.Document); done.Published != 2 {
		t.Errorf("version %d was published", done.Published)
	}
}

func TestWhatDoesNotHoldTogetherIsRefusedAsAWholeWithEveryFault(t *testing.T) {
	w := asFile(t)
	w.apply(plantest.Full())
	before := w.export()
	for _, c := range []struct {
		name   string
		change func(*plan.Document)
		want   []string // path: detail
	}{
		{"another tenant", func(d *plan.Document) { d.Tenant = "other" }, []string{`tenant: is "other" in the file, which is another tenant`}},
		{"a foreign number", func(d *plan.Document) {
			d.Numbers = append(d.Numbers, plan.Number{Number: "+12025550177"})
			d.Users[0].Name = "x"
		},
			[]string{"/numbers/+12025550177: is no number of this tenant's: a file assigns numbers, and acquires none"}},
		{"an emergency number", func(d *plan.Document) { d.Users[0].Extension = "112" }, []string{"/users/ada/extension: is an emergency number"}},
		{"users who are needed", func(d *plan.Document) { d.Users = []plan.User{} }, []string{
			"/user_settings/ada: names a user who is not there: ada", "/voicemail_boxes/ada: names a user who is not there: ada",
			"/devices/desk/user_id: names a user who is not there: ada", "/devices/pbx/user_id: names a user who is not there: bob",
			"/routes/200/flow_id: leads to a flow that is not there: user-ada"}},
		{"bad values everywhere", func(d *plan.Document) {
			d.Users[0].Extension, d.Devices[0].Username, d.Lists[0].ID = "1", "a b", ""
			d.Settings.TimeZone = new(string)
		}, []string{"/settings/time_zone: is not a time zone such as Europe/Berlin", "/users/ada/extension: is not 2 to 8 digits",
			"/devices/desk/username: is not 1 to 64 letters, digits or _ . -", "/lists//id: is not 1 to 64 letters, digits or _ . -"}},
		{"a flow with faults", func(d *plan.Document) {
			d.Flows[0].Elements["end"] = tenants.Element{Type: "ring", Settings: json.RawMessage(`{"users":["nobody"]}`)}
		}, []string{`/flows/main/elements/end/settings/users/0: There is no user "nobody" in this tenant.`}},
	} {
		wanted := w.export().Document
		c.change(&wanted)
		_, err := w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, Again: true, By: "tester"})
		var refused *provisioning.Error
		if !errors.As(err, &refused) {
			t.Errorf("%s: applying gives %v", c.name, err)
			continue
		}
		got := []string{refused.Error()}
		if len(refused.Faults) > 0 {
			got = nil
		}
		for _, f := range refused.Faults {
			got = append(got, f.Path+": "+f.Detail)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
		if _, planErr := w.Plan(w.ctx, "acme", wanted); planErr == nil {
			t.Errorf("%s: is planned", c.name)
		}
	}
	if after := w.export(); after.MadeOf != before.MadeOf {
		t.Error("something was changed")
	}
}

func TestWhoMayNotMakeAChangeMakesNone(t *testing.T) {
	w := asFile(t)
	w.apply(plantest.Full())
	before := w.export()
	wanted := w.export().Document
	wanted.Users[0].Name, wanted.Settings.MaxCalls = "Ada L", new(int)
	no := errors.New("no")
	_, err := w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: wanted, Again: true, By: "tester", May: func(changes []plan.Change) error {
		if len(changes) != 2 {
			t.Errorf("%d changes are to be judged", len(changes))
		}
		return no
	}})
	if !errors.Is(err, no) {
		t.Errorf("applying gives %v", err)
	}
	if w.export().MadeOf != before.MadeOf {
		t.Error("something was changed")
	}
}

func TestATrunkOfAnotherTenantIsNotTaken(t *testing.T) {
	w := asFile(t)
	w.tenant("other")
	w.must(w.AddTrunk(w.ctx, tenants.Trunk{ID: "carrier", Name: "Theirs", Tenant: "other"}))
	_, err := w.Apply(w.ctx, "acme", provisioning.Apply{Wanted: plantest.Full(), Again: true, By: "tester"})
	var refused *provisioning.Error
	if !errors.As(err, &refused) || refused.Code != provisioning.Conflict {
		t.Fatalf("applying gives %v", err)
	}
	if e := w.export(); len(e.Document.Users) > 0 {
		t.Error("a half of it was done")
	}
}
