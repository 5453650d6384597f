package main

import (
	"net/http"
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"
)

// The leak checks themselves are checked here: a policy is taken away in a database of the test's own, and they must see it.

// shown are the tables in which a tenant sees rows of the foreign ones, asking by SQL as the API does.
func (l *leakWorld) shown(tenant string) (tables []string) {
	l.t.Helper()
	must(l.t, pgx.BeginFunc(l.ctx, l.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(l.ctx, `SELECT set_config('role', 'tandem_api', true), set_config('tandem.tenant', $1, true)`, tenant); err != nil {
			return err
		}
		for table, column := range l.readable {
			var n int
			if err := tx.QueryRow(l.ctx, `SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()+` WHERE `+column+` IN ('eve', 'south')`).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				tables = append(tables, table)
			}
		}
		return nil
	}))
	slices.Sort(tables)
	return tables
}

// findReadable finds the tables that the API may read in which the foreign tenants have rows.
func (l *leakWorld) findReadable() {
	l.t.Helper()
	rows, err := l.db.Query(l.ctx, `
		SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' JOIN pg_attribute a ON a.attrelid = c.oid
		 WHERE c.relkind = 'r' AND a.attname = 'tenant_id' AND NOT a.attisdropped AND has_table_privilege('tandem_api', c.oid, 'SELECT')
		   AND c.relname <> 'tenant_changes'`) // for triggers alone: it says which tenants have changed, and nothing else
	must(l.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(l.t, err)
	state := l.state()
	l.readable = map[string]string{"tenants": "id"}
	for _, table := range tables {
		if state[table] != "" {
			l.readable[table] = "tenant_id"
		}
	}
}

func (l *leakWorld) exec(statements ...string) {
	l.t.Helper()
	for _, statement := range statements {
		_, err := l.db.Exec(l.ctx, statement)
		must(l.t, err)
	}
}

// readers are operations that only read, or one of them.
func (l *leakWorld) readers(id string) []*huma.Operation {
	return slices.DeleteFunc(l.leakOps(), func(op *huma.Operation) bool {
		return op.Method != http.MethodGet || id != "" && op.OperationID != id
	})
}

// Beneath the API a tenant sees no row of the foreign tenants in any table; and of each table the check says so when its policy is not
// in force.
func TestTheLeakCheckSeesEachPolicyThatIsOff(t *testing.T) {
	l := newLeakWorld(t)
	l.findReadable()
	if len(l.readable) < 15 {
		t.Errorf("the foreign tenants have rows in %d tables alone", len(l.readable))
	}
	for _, tenant := range []string{"ada", "north", ""} {
		if tables := l.shown(tenant); len(tables) > 0 {
			t.Errorf("%q sees foreign rows of %v", tenant, tables)
		}
	}
	for table := range l.readable {
		name := pgx.Identifier{table}.Sanitize()
		l.exec(`ALTER TABLE ` + name + ` DISABLE ROW LEVEL SECURITY`)
		if tables := l.shown("ada"); !slices.Equal(tables, []string{table}) {
			t.Errorf("without row level security of %s the check sees %v", table, tables)
		}
		l.exec(`ALTER TABLE ` + name + ` ENABLE ROW LEVEL SECURITY`)
	}
}

// Where nothing but the policy keeps a request from another tenant's rows, TestNoOperationShowsAnotherTenantsAnything is red without it.
func TestTheLeakCheckSeesADroppedPolicyThroughTheAPI(t *testing.T) {
	l := newLeakWorld(t)
	askers := l.askers()
	for _, row := range []struct{ table, policy, operation string }{
		{"tenants", "within", "list-tenants"},
		{"number_stock", "seen", "get-number-of-tenant"},
	} {
		if before := l.try(l.readers(row.operation), askers); len(before.leaks) > 0 || before.cases == 0 {
			t.Fatalf("%s before: %+v", row.operation, before)
		}
		// Without any policy no row is seen: the fault is one that lets all of them through.
		l.exec(`DROP POLICY `+row.policy+` ON `+row.table, `CREATE POLICY everything ON `+row.table+` TO tandem_api USING (true)`)
		after := l.try(l.readers(row.operation), askers)
		if len(after.leaks) == 0 || slices.ContainsFunc(after.leaks, func(k leak) bool { return k.operation != row.operation }) {
			t.Errorf("without the policy of %s: %+v", row.table, after)
		}
	}
}
