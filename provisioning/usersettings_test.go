package provisioning_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

func TestWhatAUserSetsIsKeptAndLiveWithoutPublishing(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.user("one", "u", "101")
	w.user("one", "v", "102")
	set := tenants.UserSettings{User: "u", ForwardAll: tenants.Forward{On: true, To: "102"}, ForwardNoAnswer: tenants.Forward{To: "+4930123", Confirm: true}, NoAnswerSeconds: 15,
		DoNotDisturb: true, NoCallWaiting: true, RejectAnonymous: true, SpeedDials: map[string]string{"1": "102", "22": "030123"}}
	got, err := w.SetUserSettings(w.ctx, "one", set, "anna")
	w.must(err)
	times := cmpopts.IgnoreFields(tenants.Forward{}, "Since")
	disturb := cmpopts.IgnoreFields(tenants.UserSettings{}, "DisturbSince")
	if diff := cmp.Diff(set, got, times, disturb); diff != "" || got.ForwardAll.Since.IsZero() || got.DisturbSince.IsZero() {
		t.Errorf("%s %+v", diff, got)
	}
	kept, err := w.UserSettings(w.ctx, "one", "u")
	w.must(err)
	if diff := cmp.Diff(got, kept); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(got, w.snapshot().Tenant("one").SettingsOf("u")); diff != "" {
		t.Errorf("in the snapshot: %s", diff)
	}
	if other := w.snapshot().Tenant("one").SettingsOf("v"); !cmp.Equal(other, tenants.UserSettings{User: "v"}) {
		t.Errorf("another user has %+v", other)
	}

	// What has not changed keeps its time; what has gets a new one.
	set.DoNotDisturb = false
	again, err := w.SetUserSettings(w.ctx, "one", set, "anna")
	w.must(err)
	if !again.ForwardAll.Since.Equal(got.ForwardAll.Since) || !again.DisturbSince.After(got.DisturbSince) {
		t.Errorf("times: %+v after %+v", again, got)
	}
}

func TestASettingOfACallIsSavedOnce(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.user("one", "u", "101")
	w.user("one", "v", "102")
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("f", "USER_BUSY")))
	_, _, err := w.CreateDevice(w.ctx, "one", provisioning.NewDevice{ID: "desk", Name: "Desk", Username: "desk", UserID: "u"})
	w.must(err)
	save := func(id string, change callflows.UserSetting, want string) {
		t.Helper()
		refused, err := w.SaveSetting(w.ctx, "one", id, "device desk", change)
		w.must(err)
		if refused != want {
			t.Errorf("%+v: %q, want %q", change, refused, want)
		}
	}
	now := func() tenants.UserSettings { return w.snapshot().Tenant("one").SettingsOf("u") }
	save("c/1", callflows.UserSetting{Name: callflows.SettingForwardAll, User: "u", On: true, Value: "102"}, "")
	save("c/2", callflows.UserSetting{Name: callflows.SettingForwardAll, User: "u"}, "")
	if f := now().ForwardAll; f.On || f.To != "102" {
		t.Errorf("off, it keeps where it went: %+v", f)
	}
	save("c/1", callflows.UserSetting{Name: callflows.SettingForwardAll, User: "u", On: true, Value: "102"}, "")
	if now().ForwardAll.On {
		t.Error("an order that was carried out is carried out again")
	}
	for i, change := range []callflows.UserSetting{{Name: callflows.SettingForwardBusy, On: true, Value: "102"}, {Name: callflows.SettingForwardNoAnswer, On: true, Value: "030123"},
		{Name: callflows.SettingDoNotDisturb, On: true}, {Name: callflows.SettingCallWaiting}, {Name: callflows.SettingRejectAnonymous, On: true},
		{Name: callflows.SettingSpeedDial, On: true, Key: "5", Value: "102"}} {
		change.User = "u"
		save("d/"+string(rune('1'+i)), change, "")
	}
	if s := now(); !s.ForwardBusy.Active() || !s.ForwardNoAnswer.Active() || !s.DoNotDisturb || !s.NoCallWaiting || !s.RejectAnonymous || s.SpeedDials["5"] != "102" {
		t.Errorf("got %+v", s)
	}
	save("d/9", callflows.UserSetting{Name: callflows.SettingSpeedDial, User: "u", Key: "5"}, "")
	if s := now(); len(s.SpeedDials) != 0 {
		t.Errorf("got %+v", s.SpeedDials)
	}

	desk := func() string { return w.snapshot().Tenant("one").Device("desk").UserID }
	save("e/1", callflows.UserSetting{Name: callflows.SettingHotDesk, User: "v", Device: "desk", On: true}, "")
	if desk() != "v" {
		t.Errorf("the desk is %s's", desk())
	}
	save("e/2", callflows.UserSetting{Name: callflows.SettingHotDesk, User: "v", Device: "desk"}, "")
	if desk() != "u" {
		t.Errorf("given back, the desk is %s's", desk())
	}
	told := map[string]int{} // the phone changed each of these in the audit
	page, err := postgres.List(w.ctx, w.Store, postgres.Audit(), postgres.Query{Limit: 100, Where: map[string]string{"tenant": "one"}})
	w.must(err)
	for _, e := range page.Items {
		if e.Actor == "device/desk" {
			told[e.Object]++
		}
	}
	if told["user_settings"] == 0 || told["user_forwards"] < 4 || told["speed_dials"] != 2 || told["hot_desks"] != 2 {
		t.Errorf("the audit tells of %v", told)
	}

	save("e/3", callflows.UserSetting{Name: callflows.SettingHotDesk, User: "v", Device: "ghost", On: true}, "device: there is no such device in this tenant")
	save("e/4", callflows.UserSetting{Name: callflows.SettingForwardAll, User: "ghost", On: true, Value: "1"}, "user: there is no such user in this tenant")
	save("e/5", callflows.UserSetting{Name: callflows.SettingForwardAll, User: "u", On: true, Value: "<x>"}, "forward_all/to: is not an extension or number as it is dialled")
	save("e/6", callflows.UserSetting{Name: "ceiling", User: "u"}, `setting: "ceiling" is none that a call can change`)
}

func TestSettingsThatCannotBe(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.user("one", "u", "101")
	for claim, set := range map[string]tenants.UserSettings{
		"nowhere":           {User: "u", ForwardAll: tenants.Forward{On: true}},
		"letters":           {User: "u", ForwardBusy: tenants.Forward{To: "sales"}},
		"too long a time":   {User: "u", NoAnswerSeconds: 601},
		"a key of letters":  {User: "u", SpeedDials: map[string]string{"a": "102"}},
		"a user who is not": {User: "ghost"},
	} {
		if _, err := w.SetUserSettings(w.ctx, "one", set, "anna"); err == nil {
			t.Errorf("%s is taken", claim)
		}
	}
	if _, err := w.SetUserSettings(w.ctx, "one", tenants.UserSettings{User: "u"}, ""); err == nil {
		t.Error("it is nobody's wish")
	}
}

func TestFeatureCodesAreDraftsThatHoldTogether(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.must(w.SaveFlow(w.ctx, "one", hangupFlow("own", "USER_BUSY")))
	w.must(w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "*78", FlowID: "own"}))
	for range 2 {
		taken, err := w.AddFeatureCodes(w.ctx, "one")
		w.must(err)
		if !cmp.Equal(taken, []string{"*78"}) {
			t.Errorf("taken: %v", taken)
		}
	}
	w.publish("one")
	live := w.snapshot().Tenant("one")
	if r, rest := live.RouteByPrefix("*21030123"); r == nil || r.FlowID != "code-forward-all" || rest != "030123" {
		t.Errorf("*21 leads to %+v with %q", r, rest)
	}
	if r := live.Route("*78"); r == nil || r.FlowID != "own" {
		t.Errorf("*78 leads to %+v", r)
	}
}
