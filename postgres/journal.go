package postgres

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"tandem/because"
	"tandem/messages"
)

// InsertJournal keeps a batch of decisions in one transaction and says how many were new. An entry that is there already
// is left as it is. Errors are as with InsertCDRs.
func (s *Store) InsertJournal(ctx context.Context, entries []messages.JournalEntry) (inserted int, err error) {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b messages.JournalEntry) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Leg, b.Leg), cmp.Compare(a.N, b.N))
	})
	var batch pgx.Batch
	for i := range entries {
		e := &entries[i]
		why, err := json.Marshal(e.Because)
		if err != nil {
			return 0, fmt.Errorf("postgres: insert journal: %w", err)
		}
		batch.Queue(`
			INSERT INTO journal (call, source, leg, n, tenant_id, at, version, element, because, input, output)
			VALUES (@call, @source, @leg, @n, @tenant_id, @at, @version, @element, @because, @input, @output)
			ON CONFLICT (call, source, leg, n) DO NOTHING`,
			pgx.StrictNamedArgs{"call": text(e.Call), "source": string(e.Source), "leg": text(e.Leg), "n": e.N,
				"tenant_id": orNull(e.Tenant), "at": e.At, "version": e.Version, "element": text(e.Element),
				"because": why, "input": document(e.Input), "output": document(e.Output)})
	}
	queueCalls(&batch, callsOfJournal(entries))
	if inserted, err = s.send(ctx, &batch, len(entries)); err != nil {
		return 0, fmt.Errorf("postgres: insert journal: %w", err)
	}
	return inserted, nil
}

// document makes JSON from outside fit for a column: none is null, and bytes that are not UTF-8 are replaced.
func document(raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return []byte("null")
	}
	return bytes.ToValidUTF8(raw, []byte("\uFFFD"))
}

// JournalOf lists the decisions of a call in the order in which they were taken: routing's, then the call flow's on each node that took the call.
func (s *Store) JournalOf(ctx context.Context, call string) ([]messages.JournalEntry, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT call, source, leg, n, coalesce(tenant_id, ''), at, version, element, because, input, output
		  FROM journal WHERE call = @call ORDER BY source DESC, min(at) OVER (PARTITION BY source, leg), leg, n`, pgx.StrictNamedArgs{"call": call})
	if err != nil {
		return nil, fmt.Errorf("postgres: journal: %w", err)
	}
	entries, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("postgres: journal: %w", err)
	}
	return entries, nil
}

// scanEntry reads a row of call, source, leg, n, tenant, at, version, element, because, input and output.
func scanEntry(row pgx.CollectableRow) (messages.JournalEntry, error) {
	var e messages.JournalEntry
	var why, input, output []byte
	if err := row.Scan(&e.Call, &e.Source, &e.Leg, &e.N, &e.Tenant, &e.At, &e.Version, &e.Element, &why, &input, &output); err != nil {
		return e, err
	}
	e.Input, e.Output = input, output
	e.Because = []because.Reason{}
	return e, json.Unmarshal(why, &e.Because)
}
