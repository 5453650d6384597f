package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

// snapshot measures how long a worker takes to have its configuration in memory, from PostgreSQL on this machine and from the local
// snapshot, each in a process of its own, and how long a running one takes when one tenant has changed.
func (c *benchEngineCommand) snapshot(ctx context.Context) (figures []figure, err error) {
	store, err := c.emptyStore(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	began := time.Now()
	data := customers(c.Tenants, customerNumbers)
	if err := c.fill(ctx, data); err != nil {
		return nil, fmt.Errorf("fill PostgreSQL: %w", err)
	}
	fmt.Printf("  %d tenants with %d numbers are in PostgreSQL after %v\n", c.Tenants, c.Tenants*customerNumbers, time.Since(began).Round(time.Second))
	dir, err := os.MkdirTemp("", "tandem-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	began = time.Now()
	if err := postgres.WriteSnapshot(dir, data); err != nil {
		return nil, err
	}
	fmt.Printf("  the local snapshot is written in %.1f s\n", time.Since(began).Seconds())
	data = tenants.Data{}
	for _, from := range []struct{ name, kind string }{{"snapshot_load_s", "postgres"}, {"snapshot_local_load_s", "disk"}} {
		p, err := startConfigured(ctx, "--tenants", strconv.Itoa(c.Tenants), "--each", strconv.Itoa(customerNumbers), "--from", from.kind, "--dir", dir,
			"--postgres-url", c.PostgresURL)
		if err != nil {
			return nil, err
		}
		if _, err := p.decide(decideAlone, 1000); err != nil {
			return nil, errors.Join(err, p.stop())
		}
		if err := p.stop(); err != nil {
			return nil, err
		}
		fmt.Printf("  from %s in %.1f s, %.0f MB\n", from.kind, p.is.LoadSeconds, p.is.HeapMB)
		figures = append(figures, figure{from.name, p.is.LoadSeconds})
	}
	reload, err := c.reload(ctx, store)
	return append(figures, figure{"snapshot_reload_s", reload}), err
}

// emptyStore is an empty, migrated database.
func (c *benchEngineCommand) emptyStore(ctx context.Context) (*postgres.Store, error) {
	if err := postgres.Migrate(ctx, c.PostgresURL); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, c.PostgresURL)
}

// reload measures what a running worker does when a user of one tenant is added, median of some rounds.
func (c *benchEngineCommand) reload(ctx context.Context, store *postgres.Store) (seconds float64, err error) {
	data, err := store.LoadData(ctx)
	if err != nil {
		return 0, err
	}
	snapshot, _ := tenants.NewSnapshot(data, callflows.ParseSettings)
	data = tenants.Data{}
	var took series
	for round := range c.Rounds {
		id := customerID(round * 7 % c.Tenants)
		if err := store.Change(ctx, func(tx *postgres.Tx) error {
			return tx.InsertUser(ctx, id, tenants.User{ID: fmt.Sprintf("new-%d", round), Name: "New", Extension: fmt.Sprint(90000 + round)})
		}); err != nil {
			return 0, err
		}
		began := time.Now()
		change, told, err := store.LoadChange(ctx, snapshot)
		if err != nil || !told || len(change.Tenants) != 1 {
			return 0, errors.Join(err, fmt.Errorf("a change of one tenant is read as %d", len(change.Tenants)))
		}
		snapshot, _ = snapshot.With(change, callflows.ParseSettings)
		took = append(took, time.Since(began).Seconds())
	}
	fmt.Printf("  after a change of one tenant, in ms %s\n", scaled(took, 1000).spread())
	return took.median(), nil
}

func scaled(s series, by float64) (all series) {
	for _, v := range s {
		all = append(all, v*by)
	}
	return all
}

// fill writes customers into an empty database by COPY: through provisioning it would take most of an hour.
func (c *benchEngineCommand) fill(ctx context.Context, data tenants.Data) (err error) {
	conn, err := pgx.Connect(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	rows := map[string][][]any{}
	add := func(table string, row ...any) { rows[table] = append(rows[table], row) }
	for i := range data.Tenants {
		t := &data.Tenants[i]
		add("tenants", t.ID, t.Name, t.Domain, t.TimeZone, t.Language, t.MaxCalls, t.Dialling.Country, t.Dialling.AreaCode, t.CallingOut.Allowed, t.CallingOut.MaxCalls)
		document, err := json.Marshal(t.Published)
		if err != nil {
			return err
		}
		add("tenant_versions", t.ID, t.Published.Version, document, t.Published.PublishedAt, "bench", "")
		for _, n := range t.Numbers {
			add("numbers", n, t.ID)
		}
		for _, u := range t.Users {
			var number any
			if u.Number != "" {
				number = u.Number
			}
			add("users", t.ID, u.ID, u.Name, u.Extension, number)
		}
		for _, d := range t.Devices {
			add("devices", t.ID, d.ID, d.UserID, d.Name, d.Username, strings.Repeat("0", 32))
		}
	}
	for _, of := range []struct {
		table   string
		columns []string
	}{
		{"tenants", []string{"id", "name", "domain", "time_zone", "language", "max_calls", "country", "area_code", "may_call_out", "max_outgoing"}},
		{"tenant_versions", []string{"tenant_id", "version", "document", "published_at", "published_by", "comment"}},
		{"numbers", []string{"number", "tenant_id"}},
		{"users", []string{"tenant_id", "id", "name", "extension", "number"}},
		{"devices", []string{"tenant_id", "id", "user_id", "name", "username", "ha1"}},
	} {
		if of.table == "numbers" { // no snapshot reads the inventory and the history that triggers write for each, in minutes
			if _, err := conn.Exec(ctx, `SET session_replication_role = replica`); err != nil {
				return err
			}
		}
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{of.table}, of.columns, pgx.CopyFromRows(rows[of.table])); err != nil {
			return fmt.Errorf("%s: %w", of.table, err)
		}
		delete(rows, of.table)
	}
	for _, statement := range []string{`UPDATE tenants SET published_version = 1`, `SET session_replication_role = DEFAULT`, `ANALYZE`} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return c.fillPlatform(ctx, data)
}

func (c *benchEngineCommand) fillPlatform(ctx context.Context, data tenants.Data) error {
	store, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer store.Close()
	return store.Change(ctx, func(tx *postgres.Tx) error {
		for _, t := range data.Trunks {
			if err := tx.SaveTrunk(ctx, t); err != nil {
				return err
			}
		}
		for i, n := range data.Nodes {
			n.EventSocket = fmt.Sprintf("192.0.2.%d:8021", 20+i)
			if err := tx.SaveNode(ctx, n); err != nil {
				return err
			}
		}
		if err := tx.SetOutboundRoutes(ctx, "", "", []string{"carrier", "second"}); err != nil {
			return err
		}
		return tx.SetEmergency(ctx, data.Emergency)
	})
}
