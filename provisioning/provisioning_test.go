package provisioning_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/stack"
	"tandem/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type world struct {
	*provisioning.Service
	t   *testing.T
	url string
	ctx context.Context
}

func newWorld(t *testing.T) world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	url := stack.ForTest(t).TestDatabase(t)
	if err := postgres.Migrate(ctx, url); err != nil {
		t.Fatal(err)
	}
	store, err := postgres.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return world{Service: &provisioning.Service{Store: store}, t: t, url: url, ctx: ctx}
}

// must ends the test at an error.
func (w world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w world) tenant(id string) {
	w.t.Helper()
	_, err := w.CreateTenant(w.ctx, provisioning.NewTenant{ID: id, Name: id, Domain: id + ".example"})
	w.must(err)
}

func (w world) user(tenant, id, extension string) {
	w.t.Helper()
	_, err := w.CreateUser(w.ctx, tenant, provisioning.NewUser{ID: id, Name: id, Extension: extension})
	w.must(err)
}

// snapshot is what a worker would run.
func (w world) snapshot() *tenants.Snapshot {
	w.t.Helper()
	data, err := w.Store.LoadData(w.ctx)
	w.must(err)
	s, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	for _, f := range faults {
		w.t.Errorf("a worker would find: %v", f)
	}
	return s
}

func (w world) publish(tenant string) tenants.Published {
	w.t.Helper()
	p, err := w.Publish(w.ctx, tenant, "tester", "")
	w.must(err)
	return p
}

// hangupFlow is the smallest flow.
func hangupFlow(id, cause string) tenants.Flow {
	return tenants.Flow{ID: id, Name: id, Start: "end", Elements: map[string]tenants.Element{
		"end": {Type: "hangup", Settings: []byte(`{"cause":"` + cause + `"}`)}}}
}

func TestWhatIsRefusedSaysWhichFieldAndWhy(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	w.tenant("two")
	w.user("one", "u", "101")
	w.must(w.AddNumber(w.ctx, "two", "+12025550101"))
	_, _, err := w.CreateDevice(w.ctx, "one", provisioning.NewDevice{ID: "d", Name: "D", Username: "phone"})
	w.must(err)
	w.must(w.AddTrunk(w.ctx, tenants.Trunk{ID: "carrier", Name: "C", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}))
	w.must(w.AddNode(w.ctx, tenants.Node{Name: "m1", SIPURI: "sip:192.0.2.20:5080", EventSocket: "192.0.2.20:8021"}))

	w.must(w.AddTrunk(w.ctx, tenants.Trunk{ID: "out", Name: "Out", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.30"}}}))
	w.must(w.AddTrunk(w.ctx, tenants.Trunk{ID: "theirs", Name: "Theirs", Tenant: "two", Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.31"}}}))
	addOutgoing := func(change func(*tenants.Outgoing)) error {
		o := tenants.Outgoing{Destinations: []string{"sip:192.0.2.30"}}
		change(&o)
		return w.AddTrunk(w.ctx, tenants.Trunk{ID: "t", Name: "T", Outgoing: &o})
	}
	dialling := func(main string, d tenants.Dialling) error { return w.SetDialling(w.ctx, "one", main, d) }
	callingOut := func(o tenants.CallingOut) error { return w.SetCallingOut(w.ctx, "one", o) }

	createTenant := func(n provisioning.NewTenant) error { _, err := w.CreateTenant(w.ctx, n); return err }
	createUser := func(tenant string, n provisioning.NewUser) error {
		_, err := w.CreateUser(w.ctx, tenant, n)
		return err
	}
	createDevice := func(n provisioning.NewDevice) error { _, _, err := w.CreateDevice(w.ctx, "one", n); return err }
	schedule := func(hours ...tenants.Hours) error {
		return w.SaveSchedule(w.ctx, "one", tenants.Schedule{ID: "s", Name: "S", Weekly: hours})
	}
	const invalid, conflict, notFound = provisioning.Invalid, provisioning.Conflict, provisioning.NotFound
	for _, c := range []struct {
		what  string
		code  provisioning.Code
		field string
		err   error
	}{
		{"tenant without a name", invalid, "name", createTenant(provisioning.NewTenant{Domain: "x.example"})},
		{"tenant with a name on two lines", invalid, "name", createTenant(provisioning.NewTenant{Name: "a\r\nVia: b", Domain: "x.example"})},
		{"domain in capitals", invalid, "domain", createTenant(provisioning.NewTenant{Name: "X", Domain: "X.example"})},
		{"domain with a hole", invalid, "domain", createTenant(provisioning.NewTenant{Name: "X", Domain: "x..example"})},
		{"domain of another", conflict, "domain", createTenant(provisioning.NewTenant{Name: "X", Domain: "two.example"})},
		{"unknown time zone", invalid, "time_zone", createTenant(provisioning.NewTenant{Name: "X", Domain: "x.example", TimeZone: "Mars/Base"})},
		{"time zone of the machine", invalid, "time_zone", createTenant(provisioning.NewTenant{Name: "X", Domain: "x.example", TimeZone: "Local"})},
		{"negative limit", invalid, "max_calls", createTenant(provisioning.NewTenant{Name: "X", Domain: "x.example", MaxCalls: -1})},
		{"id taken", conflict, "id", createTenant(provisioning.NewTenant{ID: "one", Name: "X", Domain: "x.example"})},
		{"no such tenant", notFound, "tenant", createUser("three", provisioning.NewUser{Name: "U", Extension: "102"})},
		{"extension taken", conflict, "extension", createUser("one", provisioning.NewUser{Name: "U", Extension: "101"})},
		{"extension of letters", invalid, "extension", createUser("one", provisioning.NewUser{Name: "U", Extension: "abc"})},
		{"emergency number as extension", conflict, "extension", createUser("one", provisioning.NewUser{Name: "U", Extension: "112"})},
		{"number of another tenant", conflict, "number", createUser("one", provisioning.NewUser{Name: "U", Extension: "102", Number: "+12025550101"})},
		{"username taken", conflict, "username", createDevice(provisioning.NewDevice{Name: "D", Username: "phone"})},
		{"username with an @", invalid, "username", createDevice(provisioning.NewDevice{Name: "D", Username: "phone@one"})},
		{"device of nobody there", notFound, "user_id", createDevice(provisioning.NewDevice{Name: "D", Username: "x", UserID: "ghost"})},
		{"number without +", invalid, "number", w.AddNumber(w.ctx, "one", "12025550102")},
		{"number taken", conflict, "number", w.AddNumber(w.ctx, "one", "+12025550101")},
		{"flow with a user's id", invalid, "id", w.SaveFlow(w.ctx, "one", hangupFlow("user-u", "USER_BUSY"))},
		{"flow with an unknown cause", invalid, "elements/end/settings/cause", w.SaveFlow(w.ctx, "one", hangupFlow("f", "NO_SUCH_CAUSE"))},
		{"flow without elements", invalid, "elements", w.SaveFlow(w.ctx, "one", tenants.Flow{ID: "f", Name: "F"})},
		{"flow with the emergency element", invalid, "elements/e", w.SaveFlow(w.ctx, "one", tenants.Flow{ID: "f", Name: "F", Start: "e", Elements: map[string]tenants.Element{"e": {Type: "emergency"}}})},
		{"flow whose settings are no JSON", invalid, "elements", w.SaveFlow(w.ctx, "one", tenants.Flow{ID: "f", Name: "F", Start: "e", Elements: map[string]tenants.Element{"e": {Type: "play", Settings: []byte(`{`)}}})},
		{"hours of no day", invalid, "weekly", schedule(tenants.Hours{From: 60, Until: 120})},
		{"hours on an eighth day", invalid, "weekly", schedule(tenants.Hours{Days: []time.Weekday{7}, From: 60, Until: 120})},
		{"hours past the day", invalid, "weekly", schedule(tenants.Hours{Days: []time.Weekday{1}, From: 60, Until: 2000})},
		{"a date that is none", invalid, "dates", w.SaveSchedule(w.ctx, "one", tenants.Schedule{ID: "s", Name: "S", Dates: []tenants.Date{{Date: "2026-02-30", Name: "D"}}})},
		{"list with an empty entry", invalid, "entries/1", w.SaveList(w.ctx, "one", tenants.List{ID: "l", Name: "L", Entries: []string{"1", ""}})},
		{"list with an entry twice", invalid, "entries/1", w.SaveList(w.ctx, "one", tenants.List{ID: "l", Name: "L", Entries: []string{"1", "1"}})},
		{"list without a name", invalid, "name", w.SaveList(w.ctx, "one", tenants.List{ID: "l"})},
		{"list that is too long", invalid, "entries", w.SaveList(w.ctx, "one", tenants.List{ID: "l", Name: "L", Entries: make([]string, provisioning.MaxEntries+1)})},
		{"route to no flow", notFound, "flow_id", w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "200", FlowID: "ghost"})},
		{"route to no user", notFound, "flow_id", w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "200", FlowID: "user-ghost"})},
		{"route from another's number", conflict, "dialled", w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "+12025550101", FlowID: "user-u"})},
		{"route from an emergency number", conflict, "dialled", w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "911", FlowID: "user-u"})},
		{"prefix that is an emergency number", conflict, "dialled", w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "911", Prefix: true, FlowID: "user-u"})},
		{"prefix of numbers outside", invalid, "dialled", w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "+12025550100", Prefix: true, FlowID: "user-u"})},
		{"route from letters", invalid, "dialled", w.SaveRoute(w.ctx, "one", tenants.Route{Dialled: "sales", FlowID: "user-u"})},
		{"blocking nonsense", invalid, "caller", w.BlockCaller(w.ctx, "one", "a b")},
		{"publishing by nobody", invalid, "published_by", func() error { _, err := w.Publish(w.ctx, "one", "", ""); return err }()},
		{"node without a port", invalid, "event_socket", w.AddNode(w.ctx, tenants.Node{Name: "m2", SIPURI: "sip:192.0.2.21", EventSocket: "192.0.2.21"})},
		{"node with a user in its URI", invalid, "sip_uri", w.AddNode(w.ctx, tenants.Node{Name: "m2", SIPURI: "sip:a@192.0.2.21", EventSocket: "192.0.2.21:8021"})},
		{"node with an impossible port", invalid, "sip_uri", w.AddNode(w.ctx, tenants.Node{Name: "m2", SIPURI: "sip:192.0.2.21:99999", EventSocket: "192.0.2.21:8021"})},
		{"event socket of another node", conflict, "event_socket", w.AddNode(w.ctx, tenants.Node{Name: "m2", SIPURI: "sip:192.0.2.21", EventSocket: "192.0.2.20:8021"})},
		{"draining a node that is not there", notFound, "name", w.DrainNode(w.ctx, "m3")},
		{"resuming a node that is not there", notFound, "name", w.ResumeNode(w.ctx, "m3")},
		{"music that is no prompt", invalid, "music_on_hold", w.SetMusicOnHold(w.ctx, "one", "../secret")},
		{"music by a scheme of ours", invalid, "music_on_hold", w.SetMusicOnHold(w.ctx, "one", "Music")},
		{"PIN of letters", invalid, "pin", w.SetPIN(w.ctx, "one", "101", "47a1")},
		{"PIN of nobody", notFound, "user", w.SetPIN(w.ctx, "one", "999", "4711")},
		{"negative rate", invalid, "max_calls_per_second", w.SetMaxCallsPerSecond(w.ctx, "one", -1)},
		{"rate of no tenant", notFound, "tenant", w.SetMaxCallsPerSecond(w.ctx, "three", 5)},
		{"address of another trunk", conflict, "addresses", w.AddTrunk(w.ctx, tenants.Trunk{ID: "t", Name: "T", Addresses: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.1")}})},
		{"no address", invalid, "addresses", w.AddTrunk(w.ctx, tenants.Trunk{ID: "t", Name: "T", Addresses: []netip.Addr{{}}})},
		{"trunk of no tenant", notFound, "tenant", w.AddTrunk(w.ctx, tenants.Trunk{ID: "t", Name: "T", Tenant: "ghost"})},
		{"platform's trunk that calls out", invalid, "may_call_out", w.AddTrunk(w.ctx, tenants.Trunk{ID: "t", Name: "T", MayCallOut: true})},
		{"trunk that changes hands", conflict, "tenant", w.AddTrunk(w.ctx, tenants.Trunk{ID: "theirs", Name: "T", Tenant: "one"})},
		{"trunk without a destination", invalid, "outgoing/destinations", addOutgoing(func(o *tenants.Outgoing) { o.Destinations = nil })},
		{"destination with a user", invalid, "outgoing/destinations", addOutgoing(func(o *tenants.Outgoing) { o.Destinations = []string{"sip:a@192.0.2.30"} })},
		{"destination with a line break", invalid, "outgoing/destinations", addOutgoing(func(o *tenants.Outgoing) { o.Destinations = []string{"sip:192.0.2.30\r\nVia: x"} })},
		{"national form of nowhere", invalid, "outgoing/numbers/country", addOutgoing(func(o *tenants.Outgoing) { o.Numbers.Form = tenants.FormNational })},
		{"country without the national form", invalid, "outgoing/numbers/country", addOutgoing(func(o *tenants.Outgoing) { o.Numbers.Country = "DE" })},
		{"unknown form", invalid, "outgoing/numbers/form", addOutgoing(func(o *tenants.Outgoing) { o.Numbers.Form = "roman" })},
		{"prefix that is a variable", invalid, "outgoing/numbers/add", addOutgoing(func(o *tenants.Outgoing) { o.Numbers.Add = "${x}" })},
		{"trunk's own number without one", invalid, "outgoing/caller_id/number", addOutgoing(func(o *tenants.Outgoing) { o.CallerID.Show = tenants.CallerTrunk })},
		{"unknown place for identity", invalid, "outgoing/caller_id/carried", addOutgoing(func(o *tenants.Outgoing) { o.CallerID.Carried = "rpid" })},
		{"failover at an answer", invalid, "outgoing/failover", addOutgoing(func(o *tenants.Outgoing) { o.Failover = []string{"2xx"} })},
		{"waiting for ever", invalid, "outgoing/seconds", addOutgoing(func(o *tenants.Outgoing) { o.Seconds = 61 })},
		{"domain in capitals to a trunk", invalid, "outgoing/domain", addOutgoing(func(o *tenants.Outgoing) { o.Domain = "A.example" })},
		{"form of numbers from a trunk", invalid, "incoming/form", w.AddTrunk(w.ctx, tenants.Trunk{ID: "t", Name: "T", Incoming: tenants.NumberFormat{Form: "x"}})},
		{"login of no trunk", notFound, "trunk", w.SetTrunkLogin(w.ctx, "ghost", "u", "p")},
		{"login with a line break", invalid, "password", w.SetTrunkLogin(w.ctx, "out", "u", "p\r\n")},
		{"route by no trunk", notFound, "trunks", w.SetOutboundRoutes(w.ctx, "", []string{"ghost"})},
		{"route by a trunk that is not called", notFound, "trunks", w.SetOutboundRoutes(w.ctx, "", []string{"carrier"})},
		{"platform's route by a tenant's trunk", notFound, "trunks", w.SetOutboundRoutes(w.ctx, "", []string{"theirs"})},
		{"tenant's route by another's trunk", notFound, "trunks", w.SetOwnRoutes(w.ctx, "one", "", []string{"theirs"})},
		{"tenant's route by the platform's trunk", notFound, "trunks", w.SetOwnRoutes(w.ctx, "one", "", []string{"out"})},
		{"route by a trunk twice", invalid, "trunks", w.SetOutboundRoutes(w.ctx, "", []string{"out", "out"})},
		{"route of a prefix without +", invalid, "prefix", w.SetOutboundRoutes(w.ctx, "49", []string{"out"})},
		{"main number of another tenant", conflict, "main_number", dialling("+12025550101", tenants.Dialling{})},
		{"unknown country", invalid, "country", dialling("", tenants.Dialling{Country: "XX"})},
		{"area code of nowhere", invalid, "country", dialling("", tenants.Dialling{AreaCode: "30"})},
		{"prefix of letters", invalid, "national_prefix", dialling("", tenants.Dialling{Country: "DE", NationalPrefix: "x"})},
		{"blocking every number", invalid, "blocked_prefixes", callingOut(tenants.CallingOut{BlockedPrefixes: []string{""}})},
		{"blocking a prefix without +", invalid, "blocked_prefixes", callingOut(tenants.CallingOut{BlockedPrefixes: []string{"0190"}})},
		{"negative calls out", invalid, "max_calls", callingOut(tenants.CallingOut{MaxCalls: -1})},
		{"test number of its own", invalid, "test_number", w.SetEmergency(w.ctx, tenants.Emergency{Numbers: []string{"112"}, TestNumber: "933"})},
		{"no emergency numbers", invalid, "numbers", w.SetEmergency(w.ctx, tenants.Emergency{})},
		{"password of no device", notFound, "device", func() error { _, err := w.ResetPassword(w.ctx, "one", "ghost"); return err }()},
	} {
		var refused *provisioning.Error
		if !errors.As(c.err, &refused) {
			t.Errorf("%s: got %v, want a refusal", c.what, c.err)
			continue
		}
		if refused.Code != c.code || refused.Field != c.field || refused.Detail == "" {
			t.Errorf("%s: got %s at %q (%s), want %s at %q", c.what, refused.Code, refused.Field, refused.Detail, c.code, c.field)
		}
	}
}

func TestANodeIsDrainedAndResumedAnyNumberOfTimes(t *testing.T) {
	w := newWorld(t)
	node := tenants.Node{Name: "m1", SIPURI: "sip:192.0.2.20:5080", EventSocket: "192.0.2.20:8021"}
	w.must(w.AddNode(w.ctx, node))
	for _, step := range []struct {
		do   func() error
		want bool
	}{
		{func() error { return w.DrainNode(w.ctx, "m1") }, true}, {func() error { return w.DrainNode(w.ctx, "m1") }, true},
		{func() error { return w.AddNode(w.ctx, node) }, true}, // it has started again
		{func() error { return w.ResumeNode(w.ctx, "m1") }, false}, {func() error { return w.ResumeNode(w.ctx, "m1") }, false},
	} {
		w.must(step.do())
		data, err := w.Store.LoadData(w.ctx)
		w.must(err)
		if data.Nodes[0].Draining != step.want {
			t.Errorf("draining: %v, want %v", data.Nodes[0].Draining, step.want)
		}
	}
}

func TestEachCodeHasOneHTTPStatus(t *testing.T) {
	for code, want := range map[provisioning.Code]int{provisioning.Invalid: http.StatusUnprocessableEntity,
		provisioning.NotFound: http.StatusNotFound, provisioning.Conflict: http.StatusConflict, "new": http.StatusInternalServerError} {
		if got := code.HTTPStatus(); got != want {
			t.Errorf("%s: got %d, want %d", code, got, want)
		}
	}
}

func TestADatabaseThatIsAwayIsNoRefusal(t *testing.T) {
	w := newWorld(t)
	w.Store.Close()
	_, err := w.CreateTenant(w.ctx, provisioning.NewTenant{Name: "X", Domain: "x.example"})
	var refused *provisioning.Error
	if err == nil || errors.As(err, &refused) {
		t.Errorf("got %v", err)
	}
}

func TestAPasswordIsReturnedOnceAndOnlyItsHashIsKept(t *testing.T) {
	w := newWorld(t)
	w.tenant("one")
	_, first, err := w.CreateDevice(w.ctx, "one", provisioning.NewDevice{ID: "d", Name: "D", Username: "phone"})
	w.must(err)
	second, err := w.ResetPassword(w.ctx, "one", "d")
	w.must(err)
	if len(first) < 26 || first == second {
		t.Errorf("passwords %q and %q", first, second)
	}
	conn, err := pgx.Connect(w.ctx, w.url)
	w.must(err)
	defer conn.Close(context.Background())
	var ha1, row string
	w.must(conn.QueryRow(w.ctx, `SELECT ha1 FROM edge.credentials WHERE username = 'phone' AND domain = 'one.example'`).Scan(&ha1))
	if ha1 != provisioning.HA1("phone", "one.example", second) {
		t.Error("the edge would refuse the new password")
	}
	w.must(conn.QueryRow(w.ctx, `SELECT d::text FROM devices d`).Scan(&row))
	if strings.Contains(row, second) || strings.Contains(row, first) {
		t.Errorf("the password is kept: %s", row)
	}
}

// The example of RFC 2617 3.5, whose HA1 is known.
func TestHA1IsThatOfTheRFC(t *testing.T) {
	if got := provisioning.HA1("Mufasa", "testrealm@host.com", "Circle Of Life"); got != "939e7578ed9e3c518a452acee763bce9" {
		t.Errorf("got %s", got)
	}
}
