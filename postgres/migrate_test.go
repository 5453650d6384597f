package postgres

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-migrate/migrate/v4"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"tandem/migrations"
	"tandem/stack"
	"tandem/tenants"
)

// migratorOf goes up and down as a test wants it to.
func migratorOf(t *testing.T, address string) *migrate.Migrate {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	files, err := iofs.New(migrations.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	driver, err := pgxmigrate.WithInstance(stdlib.OpenDB(*config), &pgxmigrate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := migrate.NewWithInstance("migrations", files, "pgx5", driver)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = m.Close() })
	return m
}

func TestMigrationsGoUpDownAndUpAgain(t *testing.T) {
	address := newDatabase(t)
	m := migratorOf(t, address)
	if err := m.Down(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, address)
	var left int
	err := s.pool.QueryRow(testContext(t), `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace
		AND relkind IN ('r', 'v', 'S') AND relname <> 'schema_migrations'`).Scan(&left)
	if err != nil || left != 0 {
		t.Fatalf("going down leaves %d tables, %v", left, err)
	}
	if err := Migrate(testContext(t), address); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadData(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

// Versions from before there were candidates are kept for calls that are up, too.
func TestVersionsFromBeforeAreKnownToHaveEnded(t *testing.T) {
	address := newDatabase(t)
	m := migratorOf(t, address)
	if err := m.Migrate(8); err != nil {
		t.Fatal(err)
	}
	s, ctx := openStore(t, address), testContext(t)
	if _, err := s.pool.Exec(ctx, `
		INSERT INTO tenants (id, name, domain, time_zone, language) VALUES ('one', 'One', 'one.example', 'UTC', 'en');
		INSERT INTO tenant_versions SELECT 'one', v, '{}', now() - make_interval(hours => 100 - 25 * v), 't', '' FROM generate_series(1, 4) AS v;
		UPDATE tenants SET published_version = 4`); err != nil {
		t.Fatal(err)
	}
	if err := m.Up(); err != nil {
		t.Fatal(err)
	}
	data, err := s.LoadData(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if one := data.Tenants[0]; one.Published.Version != 4 || len(one.Versions) != 1 || one.Versions[0].Version != 3 { // the second ended 25 hours ago
		t.Errorf("beside version %d there are %+v", one.Published.Version, one.Versions)
	}
}

// Numbers from before there was an inventory are in it, in the states that they are in.
func TestNumbersFromBeforeComeIntoTheInventory(t *testing.T) {
	address := newDatabase(t)
	m := migratorOf(t, address)
	if err := m.Migrate(14); err != nil {
		t.Fatal(err)
	}
	s, ctx := openStore(t, address), testContext(t)
	if _, err := s.pool.Exec(ctx, `
		INSERT INTO tenants (id, name, domain, time_zone, language, kind, parent_id) VALUES ('shop', 'S', 'shop.example', 'UTC', 'en', 'reseller', NULL), ('one', 'One', 'one.example', 'UTC', 'en', 'customer', 'shop');
		INSERT INTO numbers (number, tenant_id) VALUES ('+12025550100', 'one'), ('+12025550101', 'one');
		INSERT INTO tenant_versions VALUES ('one', 1, '{"routes": [{"dialled": "101", "flow_id": "f"}, {"dialled": "+12025550101", "flow_id": "f"}]}', now(), 't', ''), ('shop', 1, '{"routes": null}', now(), 't', '');
		UPDATE tenants SET published_version = 1`); err != nil {
		t.Fatal(err)
	}
	if err := m.Up(); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := s.pool.QueryRow(ctx, `SELECT array_agg(concat_ws(' ', number, state, tenant_id, holder_id) ORDER BY number) FROM number_stock`).Scan(&got); err != nil {
		t.Fatal(err)
	}
	if want := []string{"+12025550100 assigned one shop", "+12025550101 in_use one shop"}; !slices.Equal(got, want) {
		t.Errorf("in the inventory are %q", got)
	}
}

func TestOfSeveralMigratorsOneMigratesAndTheOthersWait(t *testing.T) {
	private := stack.ForTest(t)
	ctx := testContext(t)
	address := emptyDatabase(t, private)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := Migrate(ctx, address); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if _, err := openStore(t, address).LoadData(ctx); err != nil {
		t.Fatal(err)
	}
}

// emptyDatabase has no tables, whatever the template has.
func emptyDatabase(t *testing.T, private *stack.Stack) string {
	t.Helper()
	address := private.TestDatabase(t)
	conn, err := pgx.Connect(testContext(t), address)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	if _, err := conn.Exec(testContext(t), `DROP SCHEMA IF EXISTS edge CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
		t.Fatal(err)
	}
	return address
}

func TestMigrateWaitsForAServerThatIsAbsent(t *testing.T) {
	line, address := newLine(t, newDatabase(t))
	done := make(chan error, 1)
	go func() { done <- Migrate(testContext(t), address) }()
	// It has been refused at least once by the time a second connection would be.
	if _, err := pgx.Connect(t.Context(), address); err == nil {
		t.Fatal("the line is not cut")
	}
	line.join()
	if err := receive(t, "the end of Migrate", done); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateGivesUpWhenItsContextEnds(t *testing.T) {
	_, address := newLine(t, stack.ForTest(t).PostgresURL)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := Migrate(ctx, address); err == nil || !strings.Contains(err.Error(), "no server at 127.0.0.1") {
		t.Fatalf("got %v", err)
	}
}

func TestMigrateDoesNotWaitForWhatTimeCannotMend(t *testing.T) {
	u, err := url.Parse(stack.ForTest(t).PostgresURL)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/there_is_no_such_database"
	var refused *pgconn.PgError
	if err := Migrate(testContext(t), u.String()); !errors.As(err, &refused) || refused.Code != "3D000" {
		t.Fatalf("got %v, want that the database does not exist", err)
	}
}

func TestASchemaOfTheNextReleaseIsLeftAsItIs(t *testing.T) {
	address := newDatabase(t)
	s := openStore(t, address)
	if _, err := s.pool.Exec(testContext(t), `UPDATE schema_migrations SET version = 9000`); err != nil {
		t.Fatal(err)
	}
	if err := Migrate(testContext(t), address); err != nil {
		t.Fatal(err)
	}
}

func TestAnEdgeReadsCredentialsAndNothingElse(t *testing.T) {
	ctx := testContext(t)
	// A server of its own: the role and its password belong to the whole server, which other tests share.
	server, err := stack.Start(ctx, stack.Options{PostgreSQL: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	address := server.PostgresURL
	if err := Migrate(ctx, address); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, address)
	addTenant(t, s, "one")
	ha1 := strings.Repeat("0a", 16)
	change(t, s, func(tx *Tx) error {
		// A suspended tenant's devices must still reach emergency numbers.
		if err := tx.SetSuspended(ctx, "one", true); err != nil {
			return err
		}
		return tx.InsertDevice(ctx, "one", tenants.Device{ID: "d", Name: "Phone", Username: "phone"}, ha1)
	})
	const password = `it's "quoted" $and \slashed`
	if err := s.SetEdgePassword(ctx, password); err != nil {
		t.Fatal(err)
	}
	login := func(password string) (*pgx.Conn, error) {
		config, err := pgx.ParseConfig(address)
		if err != nil {
			t.Fatal(err)
		}
		config.User, config.Password = EdgeRole, password
		return pgx.ConnectConfig(ctx, config)
	}
	if conn, err := login("wrong"); err == nil {
		closeConn(conn)
		t.Fatal("a wrong password logs in")
	}
	conn, err := login(password)
	if err != nil {
		t.Fatal(err)
	}
	defer closeConn(conn)
	var username, domain, got string
	// Without a schema's name, as Kamailio's auth_db asks.
	if err := conn.QueryRow(ctx, `SELECT username, domain, ha1 FROM credentials`).Scan(&username, &domain, &got); err != nil {
		t.Fatal(err)
	}
	if username != "phone" || domain != "one.example" || got != ha1 {
		t.Errorf("got %s@%s %s", username, domain, got)
	}
	for _, forbidden := range []string{`SELECT ha1 FROM public.devices`, `SELECT id FROM public.tenants`,
		`SELECT leg FROM public.cdrs`, `UPDATE public.devices SET ha1 = ha1`, `CREATE TABLE edge.t ()`, `CREATE TABLE public.t ()`} {
		var refused *pgconn.PgError
		if _, err := conn.Exec(ctx, forbidden); !errors.As(err, &refused) || refused.Code != "42501" {
			t.Errorf("%s: got %v, want insufficient privilege", forbidden, err)
		}
	}
}
