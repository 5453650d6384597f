package plan_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tandem/provisioning/plan"
	"tandem/provisioning/plan/plantest"
	"tandem/tenants"
)

func same(t rapid.TB, got, want plan.Document) {
	t.Helper()
	options := cmp.Options{cmpopts.IgnoreUnexported(tenants.Schedule{}, tenants.List{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
	if diff := cmp.Diff(want.Normal(), got.Normal(), options); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
}

func TestWhatIsWrittenIsReadAgainAndPlansToNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plantest.Maker{T: t}.Tenant()
		file, err := d.Write("")
		if err != nil {
			t.Fatal(err)
		}
		again, err := plan.Read(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		same(t, again, d)
		if changes := plan.Diff(d, again); len(changes) > 0 {
			t.Fatalf("plans %v\n%s", changes, file)
		}
		if twice, _ := again.Write(""); string(twice) != string(file) {
			t.Fatalf("is written otherwise:\n%s\n%s", file, twice)
		}
		if d.Tag() != again.Tag() {
			t.Fatal("has another tag")
		}
	})
}

func TestADocumentWithEveryFieldIsReadBackFromYAMLAndJSON(t *testing.T) {
	d := plantest.Full()
	file, err := d.Write("One\nTwo")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(file), "# One\n# Two\nformat: 1\ntenant: acme\n") {
		t.Errorf("begins otherwise:\n%.100s", file)
	}
	for name, file := range map[string][]byte{"YAML": file, "JSON": jsonOf(t, d)} {
		again, err := plan.Read(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		same(t, again, d)
	}
	if faults := plan.Check(d, plantest.Owned()); len(faults) > 0 {
		t.Errorf("has faults: %v", faults)
	}
}

func jsonOf(t testing.TB, d plan.Document) []byte {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func to[T any](v T) *T { return &v }

// carry carries one change out on a tenant.
func carry(d *plan.Document, to plan.Document, c plan.Change) {
	gone := c.Action == plan.Remove
	switch c.Section {
	case plan.SectionSettings:
		d.Settings = to.Settings
	case plan.SectionUsers:
		d.Users = put(d.Users, to.Users, c.ID, gone, func(u plan.User) string { return u.ID })
	case plan.SectionUserSettings:
		d.UserSettings = put(d.UserSettings, to.UserSettings, c.ID, gone, func(s plan.UserSettings) string { return s.User })
	case plan.SectionBoxes:
		d.VoicemailBoxes = put(d.VoicemailBoxes, to.VoicemailBoxes, c.ID, gone, func(b plan.Box) string { return b.User })
	case plan.SectionDevices:
		d.Devices = put(d.Devices, to.Devices, c.ID, gone, func(v plan.Device) string { return v.ID })
	case plan.SectionPhones:
		d.Phones = put(d.Phones, to.Phones, c.ID, gone, func(p plan.Phone) string { return p.Device })
	case plan.SectionWhereabouts:
		d.Whereabouts = put(d.Whereabouts, to.Whereabouts, c.ID, gone, func(w tenants.Whereabouts) string { return w.Device })
	case plan.SectionTrunks:
		d.Trunks = put(d.Trunks, to.Trunks, c.ID, gone, func(t plan.Trunk) string { return t.ID })
	case plan.SectionOutboundRoutes:
		d.OutboundRoutes = put(d.OutboundRoutes, to.OutboundRoutes, c.ID, gone, func(r plan.OutboundRoute) string { return r.Prefix })
	default:
		d.Schedules, d.Lists, d.Flows, d.Numbers, d.Routes, d.BlockedCallers = to.Schedules, to.Lists, to.Flows, to.Numbers, to.Routes, to.BlockedCallers
	}
}

func put[T any](has, from []T, id string, gone bool, of func(T) string) []T {
	has = slices.DeleteFunc(slices.Clone(has), func(t T) bool { return of(t) == id })
	if !gone {
		has = append(has, from[slices.IndexFunc(from, func(t T) bool { return of(t) == id })])
	}
	return has
}

// atOnce are faults that pass while changes are carried out: two that change places are one of a kind again at the end.
func atOnce(faults []plan.Fault) []plan.Fault {
	return slices.DeleteFunc(faults, func(f plan.Fault) bool {
		return strings.Contains(f.Detail, "of two") || strings.Contains(f.Detail, "of another trunk") || strings.Contains(f.Detail, "is the extension of the user") ||
			strings.Contains(f.Detail, "cannot be called")
	})
}

func TestChangesCarriedOutInTheirOrderMakeTheTenantWhatIsWantedAndNothingRefersToNothing(t *testing.T) {
	changed, parts := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := plantest.Maker{T: t}
		current, wanted := m.Tenant(), m.Tenant()
		if m.Yes("in part") {
			wanted = m.Part(wanted)
		}
		merged := plan.Merge(current, wanted)
		if faults := plan.Check(merged, plantest.Owned()); len(faults) > 0 {
			t.Skip("does not hold together")
		}
		parts++
		state := current
		for _, c := range plan.Diff(current, wanted) {
			changed++
			carry(&state, merged, c)
			if faults := atOnce(plan.Check(state, plantest.Owned())); len(faults) > 0 {
				t.Fatalf("after %s: %v", c.Words(), faults)
			}
			if words := c.Words(); strings.ContainsAny(words, "{}\n") && strings.HasPrefix(words, c.Because.Code) {
				t.Fatalf("%s has no words", c.Because.Code)
			}
		}
		if left := plan.Diff(state, wanted); len(left) > 0 {
			t.Fatalf("leaves %v", left)
		}
		same(t, state, merged)
	})
	if changed < 100 || parts < 20 {
		t.Errorf("only %d changes of %d pairs were tried", changed, parts)
	}
}

// eachLeaf changes every single value within v, one after the other, and calls try with the document as it is then.
func eachLeaf(v reflect.Value, path string, try func(path string)) {
	switch v.Kind() {
	case reflect.Pointer:
		eachLeaf(v.Elem(), path, try)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[netip.Addr]() {
			was := v.Interface()
			v.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.77")))
			try(path)
			v.Set(reflect.ValueOf(was))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() && v.Type().Field(i).Tag.Get("json") != "-" {
				eachLeaf(v.Field(i), path+"/"+v.Type().Field(i).Name, try)
			}
		}
	case reflect.Slice:
		if raw, is := v.Interface().(json.RawMessage); is {
			v.Set(reflect.ValueOf(json.RawMessage(`{"another":1}`)))
			try(path)
			v.Set(reflect.ValueOf(raw))
			return
		}
		for i := range v.Len() {
			eachLeaf(v.Index(i), path+"/"+v.Type().Elem().Name(), try)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			inner := reflect.New(v.Type().Elem()).Elem()
			was := v.MapIndex(key)
			inner.Set(was)
			eachLeaf(inner, path+"/"+key.String(), func(path string) {
				v.SetMapIndex(key, inner)
				try(path)
			})
			v.SetMapIndex(key, was)
		}
	case reflect.String:
		was := v.String()
		v.SetString(was + "x")
		try(path)
		v.SetString(was)
	case reflect.Int:
		was := v.Int()
		v.SetInt(was + 3)
		try(path)
		v.SetInt(was)
	case reflect.Bool:
		was := v.Bool()
		v.SetBool(!was)
		try(path)
		v.SetBool(was)
	default:
		panic("a kind of field that the test does not know: " + v.Kind().String())
	}
}

func TestAChangeOfAnySingleFieldIsPlanned(t *testing.T) {
	wanted, tried := plantest.Full(), 0
	eachLeaf(reflect.ValueOf(&wanted), "", func(path string) {
		if path == "/Format" || path == "/Tenant" {
			return
		}
		tried++
		changes := plan.Diff(plantest.Full(), wanted)
		if len(changes) == 0 && len(plan.Check(plan.Merge(plantest.Full(), wanted), plantest.Owned())) == 0 { // a number without assignment can only be refused
			t.Errorf("%s differs, and nothing is planned or refused", path)
		}
		for _, c := range changes {
			if c.Words() == "" || strings.Contains(c.Words(), "{what}") {
				t.Errorf("%s: no words: %v", path, c)
			}
		}
	})
	if tried < 80 {
		t.Errorf("only %d fields were tried", tried)
	}
	if changes := plan.Diff(plantest.Full(), wanted); len(changes) > 0 {
		t.Errorf("the test does not put back what it changes: %v", changes)
	}
}

func TestEveryFieldOfTheSampleIsSet(t *testing.T) {
	var unset []string
	d := plantest.Full()
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch {
		case v.Kind() == reflect.Pointer && !v.IsNil():
			walk(v.Elem(), path)
		case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[netip.Addr]():
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() && v.Type().Field(i).Tag.Get("json") != "-" {
					walk(v.Field(i), path+"/"+v.Type().Field(i).Name)
				}
			}
		case v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem().Kind() == reflect.Struct:
			walk(v.Index(0), path)
		case v.IsZero():
			unset = append(unset, path)
		}
	}
	walk(reflect.ValueOf(d), "")
	if len(unset) > 0 {
		t.Errorf("a field that the other tests never see: %v", unset)
	}
}

func TestEachChangeIsSaidInSimpleWords(t *testing.T) {
	for _, c := range []struct {
		change func(*plan.Document)
		want   string
	}{
		{func(d *plan.Document) { d.Users = append(d.Users, plan.User{ID: "cem", Name: "Cem", Extension: "103"}) }, `Adds user cem (extension 103).`},
		{func(d *plan.Document) { d.Users[0].Extension = "109" }, `Changes user ada: extension is "109" instead of "101".`},
		{func(d *plan.Document) { d.Users[0].Number = "" }, `Changes user ada: nothing is said of number any more; before, it was "+12025550101".`},
		{func(d *plan.Document) { d.VoicemailBoxes = []plan.Box{} }, `Lets the voicemail box of user ada no more be opened by telephone: its PIN is taken away. Its messages stay.`},
		{func(d *plan.Document) { d.VoicemailBoxes = append(d.VoicemailBoxes, plan.Box{User: "bob"}) }, `Lets the voicemail box of user bob be opened by telephone. Its PIN is made when the plan is applied, and shown once.`},
		{func(d *plan.Document) {
			d.Devices = append(d.Devices, plan.Device{ID: "hall", Name: "Hall", Username: "hall"})
		}, `Adds device hall (user name hall). Its password is made when the plan is applied, and shown once.`},
		{func(d *plan.Document) { d.Devices[0].Username = "ada2" }, `Changes device desk: user name is "ada2" instead of "ada". It gets a new password, which is shown once.`},
		{func(d *plan.Document) { d.Settings.TimeZone = to("UTC") }, `Changes the tenant: time zone is "UTC" instead of "Europe/Paris".`},
		{func(d *plan.Document) { d.Settings.CallingOut = &tenants.CallingOut{} }, `Changes the tenant: nothing is said of calling out, allowed any more; before, it was yes.` + "\n*"},
		{func(d *plan.Document) { d.UserSettings[0].ForwardAll.On = false }, `Changes the settings of user ada: nothing is said of forward all, on any more; before, it was yes.`},
		{func(d *plan.Document) { d.OutboundRoutes = []plan.OutboundRoute{} }, `Removes the trunks for numbers that begin with +33.`},
		{func(d *plan.Document) { d.Trunks[0].Addresses = d.Trunks[0].Addresses[:1] }, `Changes trunk carrier: addresses is "192.0.2.1" instead of "192.0.2.1", "2001:db8::1".`},
		{func(d *plan.Document) { d.Numbers[0].FlowID = "" }, `Calls to +12025550100 lead nowhere. Before, they led to the flow Main.`},
		{func(d *plan.Document) { d.Numbers = []plan.Number{} }, `Calls to +12025550100 lead nowhere. Before, they led to the flow Main.`},
		{func(d *plan.Document) { d.Numbers[1].FlowID = "user-bob" }, `Calls to +12025550101 lead to the flow of the user Bob. Before, they led nowhere.`},
		{func(d *plan.Document) { d.Flows[0].Name = "Front" }, `The flow Main is called Front.`},
		{func(d *plan.Document) { d.Users[0].Name = "Ada L" }, `Changes user ada: name is "Ada L" instead of "Ada".`},
	} {
		wanted := plantest.Full()
		c.change(&wanted)
		var lines []string
		for _, change := range plan.Diff(plantest.Full(), wanted) {
			lines = append(lines, change.Words())
		}
		got := strings.Join(lines, "\n")
		if rest, open := strings.CutSuffix(c.want, "*"); got != c.want && (!open || !strings.HasPrefix(got, rest)) {
			t.Errorf("says\n%s\ninstead of\n%s", got, c.want)
		}
	}
}

func TestWhatBelongsToAUserOrDeviceThatGoesGoesWithIt(t *testing.T) {
	without := plantest.Full()
	for _, d := range []plan.Document{
		{Format: plan.Format, Users: without.Users[1:], Devices: without.Devices[1:], Routes: without.Routes[:1]},
		{Format: plan.Format, Devices: without.Devices[1:]},
		{Format: plan.Format, Trunks: []plan.Trunk{}},
	} {
		merged := plan.Merge(plantest.Full(), d)
		if faults := plan.Check(merged, plantest.Owned()); len(faults) > 0 {
			t.Errorf("%v", faults)
		}
		if left := len(merged.UserSettings) + len(merged.VoicemailBoxes) + len(merged.Whereabouts) + len(merged.OutboundRoutes); left != map[bool]int{true: 1, false: 3}[d.Users != nil] {
			t.Errorf("%d things of others stay: %+v", left, merged)
		}
	}
}

func TestACommentIsNeverMoreThanOne(t *testing.T) {
	d := plan.Document{Format: plan.Format}
	file, err := d.Write("one\rusers: []\u2028users: []\u0085users: []\ntwo")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := plan.Read(file); err != nil || again.Users != nil {
		t.Errorf("is read as %+v, %v\n%q", again, err, file)
	}
}

func TestWhatRemovesAllOfASectionSaysSo(t *testing.T) {
	wanted := plan.Document{Format: plan.Format, Devices: []plan.Device{}, Trunks: []plan.Trunk{}, OutboundRoutes: []plan.OutboundRoute{}, Numbers: []plan.Number{}, Users: plantest.Full().Users[:1]}
	got := strings.Join(plan.Summary(plantest.Full(), wanted), "\n")
	want := `Removes 1 user.
Removes 2 devices: all that there are.
Removes 1 phone: all that there are.
Removes 1 device's whereabouts: all that there are.
Removes 1 trunk: all that there are.
Removes 1 outbound route: all that there are.
Takes the assignment of 1 number away: all that there are.`
	if got != want {
		t.Errorf("says\n%s", got)
	}
}
