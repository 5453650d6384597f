package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
)

// callsAtOnce is how many calls EachJournal looks up at once. Of their journals one is in memory at a time.
const callsAtOnce = 200

// CallsOf chooses the calls of a tenant that began within a time: from Since on, and before Until.
type CallsOf struct {
	Tenant       string
	Since, Until time.Time
}

// place is where a page of calls ended.
type place struct {
	at   time.Time
	call string
}

// EachJournal gives fn each call with its whole journal, one after another in the order in which they began. A call of which a
// record alone has come has an empty one; a call that begins meanwhile may be left out. It ends with the first error of fn, and
// gives it back as it is. Memory and the time for
// which rows are held do not grow with the number of calls: they are read page by page.
func (s *Store) EachJournal(ctx context.Context, of CallsOf, fn func(call string, journal []messages.JournalEntry) error) error {
	after := place{at: of.Since}
	for {
		calls, last, err := s.callsAfter(ctx, of, after)
		if err != nil {
			return err
		}
		if len(calls) == 0 {
			return nil
		}
		if err := s.journalsOf(ctx, calls, fn); err != nil {
			return err
		}
		after = last
	}
}

// callsAfter is the next page of calls, and where it ends.
func (s *Store) callsAfter(ctx context.Context, of CallsOf, after place) (calls []string, last place, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT call, started_at FROM calls
		 WHERE tenant_id = @tenant AND started_at >= @at AND started_at < @until AND (started_at, call) > (@at, @call)
		 ORDER BY started_at, call LIMIT @limit`,
		pgx.StrictNamedArgs{"tenant": of.Tenant, "at": after.at, "call": after.call, "until": of.Until, "limit": callsAtOnce})
	if err != nil {
		return nil, after, fmt.Errorf("postgres: calls of a tenant: %w", err)
	}
	last = after
	if _, err = pgx.ForEachRow(rows, []any{&last.call, &last.at}, func() error {
		calls = append(calls, last.call)
		return nil
	}); err != nil {
		return nil, after, fmt.Errorf("postgres: calls of a tenant: %w", err)
	}
	return calls, last, nil
}

// journalsOf gives fn the journals of some calls.
func (s *Store) journalsOf(ctx context.Context, calls []string, fn func(call string, journal []messages.JournalEntry) error) error {
	rows, err := s.pool.Query(ctx, `
		SELECT j.call, j.source, j.leg, j.n, coalesce(j.tenant_id, ''), j.at, j.version, j.element, j.because, j.input, j.output
		  FROM unnest(@calls::text[]) WITH ORDINALITY AS page (call, place) JOIN journal j ON j.call = page.call
		 ORDER BY page.place, j.source DESC, j.leg, j.n`, pgx.StrictNamedArgs{"calls": calls})
	if err != nil {
		return fmt.Errorf("postgres: journals: %w", err)
	}
	defer rows.Close()
	var journal []messages.JournalEntry // of the first of calls
	next := func(until string) error {
		for len(calls) > 0 && calls[0] != until {
			if err := fn(calls[0], journal); err != nil {
				return err
			}
			calls, journal = calls[1:], nil // fn may keep it
		}
		return nil
	}
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return fmt.Errorf("postgres: journals: %w", err)
		}
		if err := next(e.Call); err != nil {
			return err
		}
		journal = append(journal, e)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("postgres: journals: %w", err)
	}
	return next("")
}
