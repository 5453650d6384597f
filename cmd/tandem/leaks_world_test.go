package main

import (
	"context"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/stack"
)

// foreignMark is in every text of the foreign tenants, and in no request of others. The ids of requests cannot have it: they have no 8, 0 and 9.
const foreignMark = "Zq7809"

// streamLook is how long a stream of events is listened to: what it has to show at once is there.
const streamLook = 100 * time.Millisecond

// leakWorld is the whole API of a worker, with a database of its own: a reseller north with the customer ada, whose people and keys
// ask, and a reseller south with the customer eve, of whom they must see nothing.
type leakWorld struct {
	furnisher
	w   *worker
	own map[string]string // ids of ada's things, by what names them
	far map[string]string // of eve's

	readable map[string]string // tables that findReadable has found, with the column of the tenant
}

func newLeakWorld(t *testing.T) *leakWorld {
	t.Helper()
	s := stack.ForTest(t)
	ctx, cancel := context.WithTimeout(t.Context(), leakWait)
	t.Cleanup(cancel)
	url := s.TestDatabase(t)
	must(t, postgres.Migrate(ctx, url))
	w := &worker{log: slog.New(slog.DiscardHandler), limits: api.Limits{PerSecond: 100_000, Burst: 1_000_000},
		settings: serveCommand{Name: "leaks", PostgresURL: url, AMQPURL: s.TestVHost(t), StateDir: t.TempDir(), MediaDir: t.TempDir(), OperatorKey: testOperatorKey, Phones: phoneFlags{SecretKey: newSecretKey()}}}
	must(t, w.open(ctx))
	t.Cleanup(w.close)
	w.running.Go(func() { _ = w.source.Run(ctx) })
	t.Cleanup(cancel)
	<-w.source.Ready()
	words, err := explain.Catalog()
	must(t, err)
	gin.SetMode(gin.ReleaseMode)
	l := &leakWorld{furnisher: furnisher{t: t, ctx: ctx, http: w.routes(words)}, w: w}
	l.db, err = pgx.Connect(ctx, url)
	must(t, err)
	t.Cleanup(func() { _ = l.db.Close(context.WithoutCancel(ctx)) })
	operator := &provisioning.Service{Store: w.store}
	for _, n := range []provisioning.NewTenant{{ID: "north", Kind: "reseller", Name: "North", Domain: "north.example"}, {ID: "ada", Parent: "north", Name: "Ada", Domain: "ada.example"},
		{ID: "south", Kind: "reseller", Name: foreignMark + " South", Domain: "zq7809-south.example"}, {ID: "eve", Parent: "south", Name: foreignMark + " Eve", Domain: "zq7809-eve.example"}} {
		_, err := operator.CreateTenant(ctx, n)
		must(t, err)
	}
	l.own = l.furnish("north", "Ada's", "00:15:65:00:00:01", plainIDs("ada", "own", "+4930111000"))
	l.far = l.furnish("south", foreignMark, "00:15:65:00:00:02", plainIDs("eve", "far", "+4930999000"))
	l.callUp(l.own, "Ada's")
	l.callUp(l.far, foreignMark)
	l.own["parent"], l.own["holder"], l.far["parent"], l.far["holder"] = "north", "north", "south", "south"
	w.facts.begin(ctx)
	return l
}

// callUp lets the worker hear of a call of a tenant's that is up.
func (l *leakWorld) callUp(ids map[string]string, mark string) {
	now := time.Now()
	l.w.facts.calls.Apply(&messages.CallEvent{Type: messages.CallEventV1, Call: ids["call"] + "-up", Tenant: ids["tenant"], State: messages.CallStarted, Node: "node1", At: now, From: mark, To: mark}, now)
}

// state is everything that the foreign tenants have, table by table.
func (l *leakWorld) state() map[string]string {
	l.t.Helper()
	return stateOf(l.ctx, l.t, l.db, "eve", "south")
}

// stateOf is everything that tenants have, table by table.
func stateOf(ctx context.Context, t *testing.T, db *pgx.Conn, tenants ...string) map[string]string {
	t.Helper()
	rows, err := db.Query(ctx, `SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND c.column_name = 'tenant_id' AND t.table_type = 'BASE TABLE' ORDER BY 1`)
	must(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	state, of := map[string]string{}, map[string]string{"tenants": "id"}
	for _, table := range tables {
		of[table] = "tenant_id"
	}
	batch := &pgx.Batch{}
	for table, column := range of {
		batch.Queue(`SELECT coalesce(string_agg(x::text, E'\n' ORDER BY x::text), '') FROM `+pgx.Identifier{table}.Sanitize()+` x WHERE `+column+` = ANY($1)`, tenants).QueryRow(func(row pgx.Row) error {
			var all string
			err := row.Scan(&all)
			state[table] = all
			return err
		})
	}
	must(t, db.SendBatch(ctx, batch).Close())
	return state
}

// with is ids with some of others in their place.
func with(ids, others map[string]string, names ...string) map[string]string {
	mixed := maps.Clone(ids)
	for _, name := range names {
		mixed[name] = others[name]
	}
	return mixed
}
