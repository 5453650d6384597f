package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/callflows"
	"tandem/messages"
	"tandem/postgres"
	"tandem/tenants"
)

// replayCustomer is the customer whose calls are replayed: another than those of the measurement of snapshots.
const replayCustomer = 99_999

// replay measures how many past calls a second are read from the ledger and judged under a draft, on all cores. The calls are those that
// the steps are measured with; the draft lets the menu's first choice lead elsewhere, so that a part of them goes differently.
func (c *benchEngineCommand) replay(ctx context.Context) ([]figure, error) {
	store, err := c.emptyStore(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	began := time.Now()
	id, err := c.fillLedger(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("fill the ledger: %w", err)
	}
	fmt.Printf("  %d calls are in the ledger after %v\n", c.Calls, time.Since(began).Round(time.Second))
	of := postgres.CallsOf{Tenant: id, Since: replayBegan(), Until: replayBegan().AddDate(1, 0, 0)}
	var perSecond series
	for range min(c.Rounds, 3) {
		command := &replayCommand{Tenant: id, Version: 2}
		r, err := command.replay(ctx, store, of)
		if err != nil {
			return nil, err
		}
		if s := r.Summary; s.Calls != c.Calls || s.Unfaithful > 0 || s.Different == 0 || s.Same == 0 {
			return nil, fmt.Errorf("of %d calls %d are the same, %d different, %d unfaithful: %+v", s.Calls, s.Same, s.Different, s.Unfaithful, s.Groups)
		}
		perSecond = append(perSecond, r.CallsPerSecond)
	}
	fmt.Printf("  calls replayed a second %s\n", perSecond.spread())
	return []figure{{"replay_calls_per_s", perSecond.median()}}, nil
}

func replayBegan() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }

// fillLedger writes a customer with two versions, and the journals of its calls under the first.
func (c *benchEngineCommand) fillLedger(ctx context.Context, store *postgres.Store) (tenant string, err error) {
	data := customers(0, customerNumbers)
	t := customer(replayCustomer, customerNumbers)
	data.Tenants = []tenants.Tenant{t}
	if err := c.fill(ctx, data); err != nil {
		return "", err
	}
	changed := customer(replayCustomer, customerNumbers).Published
	changed.Version = 2
	changed.Flows[0].Elements["menu"].Exits["1"] = "service"
	if err := store.Change(ctx, func(tx *postgres.Tx) error { return tx.Publish(ctx, t.ID, changed, "bench", "") }); err != nil {
		return "", err
	}
	s, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	if len(faults) > 0 {
		return "", faults[0]
	}
	var played [][]messages.JournalEntry
	for _, k := range callKinds(s.Tenant(t.ID)) {
		_, entries, err := k.play(s)
		if err != nil {
			return "", err
		}
		played = append(played, entries)
	}
	return t.ID, c.copyJournal(ctx, played)
}

// copyJournal writes calls by turns, each with an id of its own.
func (c *benchEngineCommand) copyJournal(ctx context.Context, played [][]messages.JournalEntry) error {
	conn, err := pgx.Connect(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var calls, journal [][]any
	flush := func() error {
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{"calls"}, []string{"call", "tenant_id", "started_at", "version"}, pgx.CopyFromRows(calls)); err != nil {
			return err
		}
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"journal"}, []string{"call", "source", "leg", "n", "tenant_id", "at", "version", "element", "because", "input", "output"},
			pgx.CopyFromRows(journal))
		calls, journal = nil, nil
		return err
	}
	const atOnce = 2000
	for n := range c.Calls {
		id := fmt.Sprintf("%08x-68a1-8b8f-a3c5-6dd1d9a1f7c4", n)
		entries := played[n%len(played)]
		calls = append(calls, []any{id, entries[0].Tenant, replayBegan().Add(time.Duration(n) * time.Second), entries[0].Version})
		for _, e := range entries {
			why, err := json.Marshal(e.Because)
			if err != nil {
				return err
			}
			journal = append(journal, []any{id, string(e.Source), e.Leg, e.N, e.Tenant, e.At, e.Version, e.Element, why, []byte(e.Input), []byte(e.Output)})
		}
		if len(calls) == atOnce || n == c.Calls-1 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	_, err = conn.Exec(ctx, `ANALYZE calls, journal`)
	return err
}
