package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

// unguarded are tables with a tenant that nobody who asks over HTTP can touch at all.
var unguarded = []string{"tenant_changes"}

func TestEveryTableOfATenantIsUnderRowLevelSecurity(t *testing.T) {
	s := newStore(t)
	rows, err := s.pool.Query(testContext(t), `
		SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		 WHERE c.relkind = 'r' AND a.attname = 'tenant_id' AND NOT a.attisdropped AND NOT c.relrowsecurity AND c.relname <> ALL ($1)`, unguarded)
	if err != nil {
		t.Fatal(err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(open) > 0 {
		t.Errorf("anybody could read %v: say tenant_owned or tenant_guarded in the migration that makes them", open)
	}
}

func TestAStoreForTheAPISeesTheRowsOfItsScopeAlone(t *testing.T) {
	address := newDatabase(t)
	owner := openStore(t, address)
	addTenant(t, owner, "one")
	addTenant(t, owner, "two")
	scoped, err := OpenAPI(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scoped.Close)
	count := func(ctx context.Context) (n int) {
		t.Helper()
		if err := scoped.pool.QueryRow(ctx, `SELECT count(*) FROM tenants`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for tenant, want := range map[string]int{"": 0, "one": 1, "two": 1, "three": 0, Everybody: 2} {
		if got := count(WithScope(testContext(t), Scope{Tenant: tenant})); got != want {
			t.Errorf("scope %q sees %d tenants, want %d", tenant, got, want)
		}
	}
	if got := count(testContext(t)); got != 0 {
		t.Errorf("without a scope %d tenants are seen", got)
	}
	if _, err := scoped.pool.Exec(WithScope(testContext(t), Scope{Tenant: "one"}), `INSERT INTO numbers (number, tenant_id) VALUES ('+4930123456', 'two')`); err == nil {
		t.Error("a number was given to another tenant")
	}
	for _, table := range []string{"sessions", "revision"} {
		if _, err := scoped.pool.Exec(WithScope(testContext(t), Scope{Tenant: Everybody}), `DELETE FROM `+table); err == nil {
			t.Errorf("rows of %s can be deleted", table)
		}
	}
}
