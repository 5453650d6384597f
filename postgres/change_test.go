package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tandem/tenants"
)

// Whatever is changed by whichever statement: what is read of the change makes the snapshot that all would make.
func TestAChangeIsReadByItself(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	for _, id := range []string{"one", "two", "three"} {
		addTenant(t, s, id)
	}
	now := snapshotOf(t, s)
	for _, c := range []struct {
		what    string
		touches string
		do      func(*Tx) error
	}{
		{"a number", "one", func(tx *Tx) error { return tx.InsertNumber(ctx, "one", "+12025550100") }},
		{"a user", "one", func(tx *Tx) error {
			return tx.InsertUser(ctx, "one", tenants.User{ID: "u", Name: "U", Extension: "101", Number: "+12025550100"})
		}},
		{"a device of another", "two", func(tx *Tx) error {
			return tx.InsertDevice(ctx, "two", tenants.Device{ID: "d", Name: "D", Username: "d"}, strings.Repeat("0", 32))
		}},
		{"a device's place", "two", func(tx *Tx) error {
			_, err := tx.tx.Exec(ctx, `INSERT INTO whereabouts (tenant_id, device_id, location) VALUES ('two', 'd', 'Hall')`)
			return err
		}},
		{"what a user has set", "one", func(tx *Tx) error {
			_, err := tx.tx.Exec(ctx, `INSERT INTO user_settings (tenant_id, user_id, do_not_disturb, changed_by) VALUES ('one', 'u', true, 'tester')`)
			return err
		}},
		{"another's limit", "two", func(tx *Tx) error { return tx.SetMaxCalls(ctx, "two", 7) }},
		{"a version", "two", func(tx *Tx) error { return tx.Publish(ctx, "two", published(1), "tester", "") }},
		{"another version", "two", func(tx *Tx) error { return tx.Publish(ctx, "two", published(2), "tester", "") }},
		{"a limit", "three", func(tx *Tx) error { return tx.SetMaxCalls(ctx, "three", 5) }},
		{"the platform's", "", func(tx *Tx) error { return tx.SaveTrunk(ctx, tenants.Trunk{ID: "carrier", Name: "Carrier"}) }},
		{"a number that moves", "one two", func(tx *Tx) error {
			_, err := tx.tx.Exec(ctx, `WITH u AS (UPDATE users SET number = NULL) UPDATE numbers SET tenant_id = 'two' WHERE number = '+12025550100'`)
			return err
		}},
		{"a device that goes", "two", func(tx *Tx) error { _, err := tx.tx.Exec(ctx, `DELETE FROM devices`); return err }},
		{"a tenant that goes", "three", func(tx *Tx) error { _, err := tx.tx.Exec(ctx, `DELETE FROM tenants WHERE id = 'three'`); return err }},
		{"a tenant that comes", "four", func(tx *Tx) error {
			return tx.InsertTenant(ctx, tenants.Tenant{ID: "four", Name: "Four", Domain: "four.example", TimeZone: "UTC", Language: "en"}, "customer", "")
		}},
	} {
		change(t, s, c.do)
		read, told, err := s.LoadChange(ctx, now)
		if err != nil || !told {
			t.Fatalf("%s: told %t, %v", c.what, told, err)
		}
		touched := read.Gone
		for _, x := range read.Tenants {
			touched = append(touched, x.ID)
		}
		if got := strings.Join(touched, " "); got != c.touches {
			t.Errorf("%s touches %q, want %q", c.what, got, c.touches)
		}
		now, _ = now.With(read, anySettings)
		whole := snapshotOf(t, s)
		if diff := cmp.Diff(whole.Data(), now.Data(), cmpopts.IgnoreFields(tenants.Data{}, "LoadedAt"), cmpopts.EquateEmpty(), asDocument,
			cmpopts.IgnoreUnexported(tenants.Tenant{}, tenants.Schedule{}, tenants.List{})); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}

// asDocument has versions compared as they are published, in whichever form they are there.
var asDocument = cmp.Transformer("document", func(p tenants.Published) any {
	return struct {
		Version        int64
		PublishedAt    time.Time
		Flows          []tenants.Flow
		Schedules      []tenants.Schedule
		Lists          []tenants.List
		Routes         []tenants.Route
		BlockedCallers []string
	}{p.Version, p.PublishedAt, p.AllFlows(), p.Schedules, p.Lists, p.AllRoutes(), p.BlockedCallers}
})

func snapshotOf(t *testing.T, s *Store) *tenants.Snapshot {
	t.Helper()
	data, err := s.LoadData(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	snapshot, faults := tenants.NewSnapshot(data, anySettings)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return snapshot
}

func TestWhatCannotBeToldApartIsReadAnew(t *testing.T) {
	s := newStore(t)
	ctx := testContext(t)
	addTenant(t, s, "one")
	now := snapshotOf(t, s)
	data := now.Data()
	elsewhere, _ := tenants.NewSnapshot(tenants.Data{Revision: data.Revision, Origin: "another run"}, anySettings)
	later, _ := tenants.NewSnapshot(tenants.Data{Revision: data.Revision + 1, Origin: data.Origin}, anySettings)
	for what, since := range map[string]*tenants.Snapshot{"another run of the database": elsewhere, "a snapshot of later": later} {
		if _, told, err := s.LoadChange(ctx, since); told || err != nil {
			t.Errorf("%s is told apart, %v", what, err)
		}
	}
	if _, told, err := s.LoadChange(ctx, now); !told || err != nil {
		t.Errorf("nothing is not told, %v", err)
	}
	if _, err := s.pool.Exec(ctx, `TRUNCATE speed_dials`); err != nil {
		t.Fatal(err)
	}
	if _, told, err := s.LoadChange(ctx, now); told || err != nil {
		t.Errorf("a table that was emptied is told apart, %v", err)
	}
	if _, told, err := s.LoadChange(ctx, snapshotOf(t, s)); !told || err != nil {
		t.Errorf("and for ever, %v", err)
	}
}
