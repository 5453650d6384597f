package postgres

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/tenants"
)

// published is a small document.
func published(version int64) tenants.Published {
	return tenants.Published{
		Version: version, PublishedAt: time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC),
		Flows: []tenants.Flow{{ID: "main", Name: "Main", Start: "a",
			Elements: map[string]tenants.Element{"a": {Type: "answer", Settings: json.RawMessage(`{}`), Exits: map[string]string{"next": "a"}}}}},
		Schedules: []tenants.Schedule{{ID: "office", Name: "Office", Weekly: []tenants.Hours{{Days: []time.Weekday{1, 2}, From: 540, Until: 1440}},
			Dates: []tenants.Date{{Date: "2030-01-01", Name: "New Year"}}}},
		Routes:         []tenants.Route{{Dialled: "200", FlowID: "main"}},
		BlockedCallers: []string{"+12025550199"},
	}
}

func TestASnapshotHoldsWhatWasConfiguredAndNothingOfOthers(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "one")
	addTenant(t, s, "two")
	change(t, s, func(tx *Tx) error {
		for _, step := range []error{
			tx.InsertNumber(ctx, "one", "+12025550100"),
			tx.InsertUser(ctx, "one", tenants.User{ID: "b", Name: "First", Extension: "102", Number: "+12025550100"}),
			tx.InsertDevice(ctx, "one", tenants.Device{ID: "d", UserID: "b", Name: "Phone", Username: "phone"}, strings.Repeat("0", 32)),
			// The same names with another tenant are another's.
			tx.InsertUser(ctx, "two", tenants.User{ID: "b", Name: "Other", Extension: "102"}),
			tx.InsertDevice(ctx, "two", tenants.Device{ID: "d", Name: "Door", Username: "phone"}, strings.Repeat("1", 32)),
			tx.Publish(ctx, "one", published(1), "tester", ""),
			tx.SaveTrunk(ctx, tenants.Trunk{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{
				netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::ffff:192.0.2.2")}}),
			tx.SaveTrunk(ctx, tenants.Trunk{ID: "silent", Name: "Without addresses"}),
			tx.SaveTrunk(ctx, ownTrunk()),
			tx.SetTrunkLogin(ctx, "pbx", "account", "secret"),
			tx.SetOutboundRoutes(ctx, "one", "+49", []string{"pbx"}),
			tx.SetDialling(ctx, "one", "+12025550100", tenants.Dialling{Country: "US", InternationalPrefix: "011", NationalPrefix: "1", AreaCode: "202"}),
			tx.SetCallingOut(ctx, "one", tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+1900", "+88"}, MaxCalls: 5, PerSecond: 2}),
			tx.SetEmergency(ctx, tenants.Emergency{Numbers: []string{"112", "933"}, TestNumber: "933", TrunkURI: "sip:192.0.2.9:5060"}),
			tx.SaveNode(ctx, tenants.Node{Name: "m1", SIPURI: "sip:192.0.2.20:5080", EventSocket: "192.0.2.20:8021", MaxCalls: 100}),
			tx.SetDraining(ctx, "m1", true, false),
			tx.SaveNode(ctx, tenants.Node{Name: "m1", SIPURI: "sip:192.0.2.20:5080", EventSocket: "192.0.2.20:8021", MaxCalls: 100}), // it starts again
			tx.SetMaxCallsPerSecond(ctx, "two", 5),
			tx.SetMusicOnHold(ctx, "two", "music/two"),
		} {
			if step != nil {
				return step
			}
		}
		return nil
	})
	got, err := s.LoadData(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := tenants.Data{
		Revision: revisionOf(t, s),
		Tenants: []tenants.Tenant{
			{ID: "one", Name: "one", Domain: "one.example", TimeZone: "UTC", Language: "en", Numbers: []string{"+12025550100"},
				Users:      []tenants.User{{ID: "b", Name: "First", Extension: "102", Number: "+12025550100"}},
				Devices:    []tenants.Device{{ID: "d", UserID: "b", Name: "Phone", Username: "phone"}},
				MainNumber: "+12025550100", Dialling: tenants.Dialling{Country: "US", InternationalPrefix: "011", NationalPrefix: "1", AreaCode: "202"},
				CallingOut: tenants.CallingOut{Allowed: true, BlockedPrefixes: []string{"+1900", "+88"}, MaxCalls: 5, PerSecond: 2},
				Published:  published(1)},
			{ID: "two", Name: "two", Domain: "two.example", TimeZone: "UTC", Language: "en", MaxCallsPerSecond: 5, MusicOnHold: "music/two",
				Users:   []tenants.User{{ID: "b", Name: "Other", Extension: "102"}},
				Devices: []tenants.Device{{ID: "d", Name: "Door", Username: "phone"}}},
		},
		Trunks: []tenants.Trunk{
			{ID: "carrier", Name: "Carrier", Addresses: []netip.Addr{
				netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")}},
			ownTrunk(),
			{ID: "silent", Name: "Without addresses"},
		},
		Outbound:  []tenants.OutboundRoute{{Prefix: "+49", Trunk: "pbx"}},
		Emergency: tenants.Emergency{Numbers: []string{"112", "933"}, TestNumber: "933", TrunkURI: "sip:192.0.2.9:5060"},
		Nodes:     []tenants.Node{{Name: "m1", SIPURI: "sip:192.0.2.20:5080", EventSocket: "192.0.2.20:8021", MaxCalls: 100, Draining: true}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(tenants.Data{}, "LoadedAt", "Origin"), cmpopts.EquateEmpty(), asDocument,
		cmpopts.IgnoreUnexported(tenants.Tenant{}, tenants.Schedule{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if age := time.Since(got.LoadedAt); age < 0 || age > patience {
		t.Errorf("loaded at %v", got.LoadedAt)
	}
}

// ownTrunk is a trunk of tenant one in which every member says something.
func ownTrunk() tenants.Trunk {
	return tenants.Trunk{ID: "pbx", Name: "PBX", Tenant: "one", Disabled: true, MayCallOut: true,
		Incoming: tenants.NumberFormat{Form: tenants.FormNational, Country: "DE", Strip: "0", Add: "9"},
		Outgoing: &tenants.Outgoing{Destinations: []string{"sip:192.0.2.7:5060", "sip:pbx.example;transport=tcp"},
			Numbers:  tenants.NumberFormat{Form: tenants.FormDigits, Strip: "49", Add: "#"},
			CallerID: tenants.CallerIDRule{Show: tenants.CallerTrunk, Number: "+12025550100", Carried: tenants.CarriedPAI},
			MaxCalls: 3, PerSecond: 1, Failover: []string{"5xx", "timeout"}, Seconds: 4, Domain: "pbx.example"}}
}

func TestATrunkIsReplacedAndRemovedWithAllThatIsIts(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "one")
	change(t, s, func(tx *Tx) error { return tx.SaveTrunk(ctx, ownTrunk()) })
	change(t, s, func(tx *Tx) error { return tx.SetTrunkLogin(ctx, "pbx", "account", "secret") })
	change(t, s, func(tx *Tx) error { return tx.SetOutboundRoutes(ctx, "one", "", []string{"pbx"}) })
	change(t, s, func(tx *Tx) error { return tx.SaveTrunk(ctx, tenants.Trunk{ID: "pbx", Name: "Renamed"}) })
	data, err := s.LoadData(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]tenants.Trunk{{ID: "pbx", Name: "Renamed"}}, data.Trunks, cmpopts.EquateEmpty()); diff != "" || len(data.Outbound) != 1 {
		t.Error(diff, data.Outbound)
	}
	change(t, s, func(tx *Tx) error { return tx.DeleteTrunk(ctx, "pbx") })
	var left int
	if err := s.pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM trunk_logins) + (SELECT count(*) FROM outbound_routes)`).Scan(&left); err != nil || left != 0 {
		t.Errorf("it leaves %d rows, %v", left, err)
	}
}

func TestADocumentThatCannotBeReadStopsItsTenantAlone(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	seen := newLogs()
	s.Log = seen.logger()
	addTenant(t, s, "one")
	addTenant(t, s, "two")
	change(t, s, func(tx *Tx) error { return tx.Publish(ctx, "two", published(1), "tester", "") })
	if _, err := s.pool.Exec(ctx, `
		INSERT INTO tenant_versions VALUES ('one', 7, '{"version": 7, "flows": "of another kind"}', now(), 'tester', '')`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(ctx, `UPDATE tenants SET published_version = 7 WHERE id = 'one'`); err != nil {
		t.Fatal(err)
	}
	data, err := s.LoadData(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if p := data.Tenants[0].Published; p.Version != 7 || p.AllFlows() != nil {
		t.Errorf("tenant one runs %+v", p)
	}
	if p := data.Tenants[1].Published; p.Version != 1 || len(p.AllFlows()) != 1 {
		t.Errorf("tenant two runs %+v", p)
	}
	seen.await(t, "tenant_id=one")
}

func TestTheSchemaRefusesWhatMustNeverBe(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "one")
	addTenant(t, s, "two")
	ha1 := strings.Repeat("0", 32)
	change(t, s, func(tx *Tx) error {
		if err := tx.InsertUser(ctx, "two", tenants.User{ID: "theirs", Name: "Theirs", Extension: "101"}); err != nil {
			return err
		}
		if err := tx.InsertUser(ctx, "one", tenants.User{ID: "ours", Name: "Ours", Extension: "101"}); err != nil {
			return err
		}
		if err := tx.InsertNumber(ctx, "two", "+12025550101"); err != nil {
			return err
		}
		if err := tx.SaveFlow(ctx, "two", published(1).Flows[0]); err != nil {
			return err
		}
		if err := tx.InsertDevice(ctx, "one", tenants.Device{ID: "d", Name: "Phone", Username: "phone"}, ha1); err != nil {
			return err
		}
		return tx.Publish(ctx, "one", published(1), "tester", "")
	})
	cases := map[string]struct {
		constraint string
		do         func(*Tx) error
	}{
		"a device of another tenant's user": {"devices_user_id_fkey", func(tx *Tx) error {
			return tx.InsertDevice(ctx, "one", tenants.Device{ID: "e", UserID: "theirs", Name: "E", Username: "e"}, ha1)
		}},
		"a username twice in a tenant": {"devices_username_key", func(tx *Tx) error {
			return tx.InsertDevice(ctx, "one", tenants.Device{ID: "e", Name: "E", Username: "phone"}, ha1)
		}},
		"a password where ha1 belongs": {"devices_ha1_check", func(tx *Tx) error {
			return tx.InsertDevice(ctx, "one", tenants.Device{ID: "e", Name: "E", Username: "e"}, "secret")
		}},
		"a number of two tenants":    {"numbers_pkey", func(tx *Tx) error { return tx.InsertNumber(ctx, "one", "+12025550101") }},
		"a number that is not E.164": {"numbers_number_check", func(tx *Tx) error { return tx.InsertNumber(ctx, "one", "12025550101") }},
		"showing another's number": {"users_number_fkey", func(tx *Tx) error {
			return tx.InsertUser(ctx, "one", tenants.User{ID: "u", Name: "U", Extension: "102", Number: "+12025550101"})
		}},
		"a route from another's number": {"routes_number_fkey", func(tx *Tx) error { return tx.SaveRoute(ctx, "one", Route{Dialled: "+12025550101", UserID: "ours"}) }},
		"a route to another's flow":     {"routes_flow_id_fkey", func(tx *Tx) error { return tx.SaveRoute(ctx, "one", Route{Dialled: "200", FlowID: "main"}) }},
		"a route to nowhere":            {"routes_one_target", func(tx *Tx) error { return tx.SaveRoute(ctx, "one", Route{Dialled: "200"}) }},
		"a domain of two tenants": {"tenants_domain_key", func(tx *Tx) error {
			return tx.InsertTenant(ctx, tenants.Tenant{ID: "three", Name: "T", Domain: "one.example", TimeZone: "UTC", Language: "en"}, "customer", "")
		}},
		"a main number of another tenant": {"tenants_main_number_fkey", func(tx *Tx) error { return tx.SetDialling(ctx, "one", "+12025550101", tenants.Dialling{}) }},
		"a trunk of no tenant":            {"trunks_tenant_id_fkey", func(tx *Tx) error { return tx.SaveTrunk(ctx, tenants.Trunk{ID: "t", Name: "T", Tenant: "ghost"}) }},
		"a blocked prefix of letters": {"tenants_blocked_prefixes_check", func(tx *Tx) error {
			return tx.SetCallingOut(ctx, "one", tenants.CallingOut{BlockedPrefixes: []string{"+49", "x"}})
		}},
		"a route by a trunk that is not there": {"outbound_routes_trunk_id_fkey", func(tx *Tx) error { return tx.SetOutboundRoutes(ctx, "", "", []string{"ghost"}) }},
		"a login of a trunk that is not there": {"trunk_logins_trunk_id_fkey", func(tx *Tx) error { return tx.SetTrunkLogin(ctx, "ghost", "u", "p") }},
		"a version published twice":            {"tenant_versions_pkey", func(tx *Tx) error { return tx.Publish(ctx, "one", published(1), "tester", "") }},
		"a network for a trunk's address": {"trunk_addresses_host_check", func(tx *Tx) error {
			_, err := tx.tx.Exec(ctx, `WITH t AS (INSERT INTO trunks (id, name) VALUES ('t', 't')) INSERT INTO trunk_addresses VALUES ('192.0.2.0/24', 't')`)
			return err
		}},
		"a test number that is no emergency number": {"emergency_check", func(tx *Tx) error {
			return tx.SetEmergency(ctx, tenants.Emergency{Numbers: []string{"112"}, TestNumber: "933"})
		}},
		"another document for a version": {"tenant_versions_immutable", func(tx *Tx) error {
			_, err := tx.tx.Exec(ctx, `UPDATE tenant_versions SET document = '{}'`)
			return err
		}},
		"removing a version": {"tenant_versions_immutable", func(tx *Tx) error {
			_, err := tx.tx.Exec(ctx, `DELETE FROM tenant_versions`)
			return err
		}},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			err := s.Change(ctx, c.do)
			if err == nil || Violated(err) != c.constraint || !IsRefused(err) {
				t.Errorf("got %v (%s), want a violation of %s", err, Violated(err), c.constraint)
			}
		})
	}
}
