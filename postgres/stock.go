package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tandem/numbers"
)

// Stock is a number of the inventory with what is said of it.
type Stock struct {
	numbers.Number
	Country string // ISO 3166-1 alpha-2, or empty
	Kind    string // one of numbers.Kinds, or empty
	Trunk   string // by which its calls come, or empty
	Note    string
}

// Stock reads numbers of the inventory, sorted; those that are not in it are left out. With lock nobody else changes them until the
// transaction ends: the tenants at whom they are live must be locked before.
func (t *Tx) Stock(ctx context.Context, of []string, lock bool) ([]Stock, error) {
	const read = `
		SELECT number, coalesce(holder_id, ''), state, coalesce(tenant_id, ''), coalesce(reserved_for, ''), coalesce(last_tenant_id, ''), until, since,
		       country, kind, coalesce(trunk_id, ''), note
		  FROM number_stock WHERE number = ANY (@numbers) ORDER BY number`
	sql := read
	if lock {
		sql += " FOR UPDATE"
	}
	rows, err := t.tx.Query(ctx, sql, pgx.StrictNamedArgs{"numbers": of})
	if err != nil {
		return nil, fmt.Errorf("postgres: stock: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Stock, err error) {
		var until *time.Time
		err = row.Scan(&s.Number.Number, &s.Holder, &s.State, &s.Tenant, &s.ReservedFor, &s.LastTenant, &until, &s.Since, &s.Country, &s.Kind, &s.Trunk, &s.Note)
		if until != nil {
			s.Until = until.UTC()
		}
		s.Since = s.Since.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: stock: %w", err)
	}
	return all, nil
}

// columns are numbers as arrays, by the names of the columns.
func columns(stock []Stock, step numbers.Step) pgx.StrictNamedArgs {
	var number, holder, state, tenant, reserved, last, country, kind, trunk, note []string
	var until []*time.Time
	var since []time.Time
	for _, s := range stock {
		number, holder, state, tenant = append(number, s.Number.Number), append(holder, s.Holder), append(state, string(s.State)), append(tenant, s.Tenant)
		reserved, last, country = append(reserved, s.ReservedFor), append(last, s.LastTenant), append(country, s.Country)
		kind, trunk, note, since = append(kind, s.Kind), append(trunk, s.Trunk), append(note, text(s.Note)), append(since, s.Since)
		if s.Until.IsZero() {
			until = append(until, nil)
		} else {
			until = append(until, &s.Until)
		}
	}
	return pgx.StrictNamedArgs{"numbers": number, "holders": holder, "states": state, "tenants": tenant, "reserved": reserved, "last": last, "until": until,
		"since": since, "countries": country, "kinds": kind, "trunks": trunk, "notes": note, "step": string(step)}
}

// InsertStock adds numbers to the inventory, by a step, and says how many; those that are in it, whosever they are, are left out. What is live comes to the
// tenants' numbers with it.
func (t *Tx) InsertStock(ctx context.Context, stock []Stock, step numbers.Step) (added int, err error) {
	tag, err := t.tx.Exec(ctx, `
		INSERT INTO number_stock (number, holder_id, state, step, tenant_id, reserved_for, last_tenant_id, until, since, country, kind, trunk_id, note)
		SELECT n, nullif(h, ''), s, @step, nullif(t, ''), nullif(r, ''), nullif(l, ''), u, c, y, k, nullif(w, ''), o
		  FROM unnest(@numbers::text[], @holders::text[], @states::text[], @tenants::text[], @reserved::text[], @last::text[], @until::timestamptz[],
		              @since::timestamptz[], @countries::text[], @kinds::text[], @trunks::text[], @notes::text[]) AS v (n, h, s, t, r, l, u, c, y, k, w, o)
		ON CONFLICT (number) DO NOTHING`, columns(stock, step))
	if err != nil {
		return 0, fmt.Errorf("postgres: insert stock: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

// SaveStock writes what a step has made of numbers, and what is said of them. What is live no more goes from the tenants' numbers with it, and what has become live
// comes.
func (t *Tx) SaveStock(ctx context.Context, stock []Stock, step numbers.Step) error {
	return t.exec(ctx, "save stock", `
		UPDATE number_stock s
		   SET holder_id = nullif(h, ''), state = v.s, step = @step, tenant_id = nullif(t, ''), reserved_for = nullif(r, ''), last_tenant_id = nullif(l, ''),
		       until = u, since = c, country = y, kind = k, trunk_id = nullif(w, ''), note = o
		  FROM unnest(@numbers::text[], @holders::text[], @states::text[], @tenants::text[], @reserved::text[], @last::text[], @until::timestamptz[],
		              @since::timestamptz[], @countries::text[], @kinds::text[], @trunks::text[], @notes::text[]) AS v (n, h, s, t, r, l, u, c, y, k, w, o)
		 WHERE s.number = v.n`, columns(stock, step))
}

// HandStock is SaveStock for numbers that go into another's stock. Who hands them away does not see them any more, and may not write what he does not see: row level security looks
// away for this one statement, before which the caller has found out that they are his and where they may go.
func (t *Tx) HandStock(ctx context.Context, stock []Stock, step numbers.Step) error {
	var scope string
	if err := t.tx.QueryRow(ctx, `SELECT coalesce(current_setting('tandem.tenant', true), '')`).Scan(&scope); err != nil {
		return fmt.Errorf("postgres: hand stock: %w", err)
	}
	if err := t.say(ctx, "tandem.tenant", Everybody); err != nil {
		return err
	}
	if err := t.SaveStock(ctx, stock, step); err != nil {
		return err // and the transaction is over
	}
	return t.say(ctx, "tandem.tenant", scope)
}

// DropStock takes numbers out of the inventory, and from the tenants at whom they are live, by a step that the history keeps.
func (t *Tx) DropStock(ctx context.Context, of []string, step numbers.Step) error {
	if err := t.say(ctx, "tandem.step", string(step)); err != nil {
		return err
	}
	return t.exec(ctx, "drop stock", `DELETE FROM number_stock WHERE number = ANY (@numbers)`, pgx.StrictNamedArgs{"numbers": of})
}

// By says on whose behalf the rest of the transaction works, for the history of numbers, when it is not who asks.
func (t *Tx) By(ctx context.Context, who string) error { return t.say(ctx, "tandem.by", who) }

// AuditAs says who changes what the rest of the transaction changes, for the audit; empty: the platform itself, which it does not tell of.
func (t *Tx) AuditAs(ctx context.Context, who string) error { return t.say(ctx, "tandem.actor", who) }

// say sets a setting until the transaction ends.
func (t *Tx) say(ctx context.Context, setting, value string) error {
	return t.exec(ctx, "set "+setting, `SELECT set_config(@setting, @value, true)`, pgx.StrictNamedArgs{"setting": setting, "value": text(value)})
}

// AgeNumbers makes numbers available whose rest or reservation was over at a moment, and says how many.
func (s *Store) AgeNumbers(ctx context.Context, now time.Time, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE number_stock s
		   SET state = 'available', step = CASE s.state WHEN 'ageing' THEN 'age' ELSE 'expire' END, reserved_for = NULL, last_tenant_id = NULL, until = NULL, since = @now
		  FROM (SELECT number FROM number_stock WHERE until <= @now AND state IN ('ageing', 'reserved') ORDER BY until LIMIT @limit FOR UPDATE SKIP LOCKED) over
		 WHERE s.number = over.number`, pgx.StrictNamedArgs{"now": now, "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("postgres: age numbers: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

// IsForbidden says whether an error is row level security's: who asked may not do that to these rows.
func IsForbidden(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "42501"
}

// DescribeStock writes what is said of a number, and nothing else.
func (t *Tx) DescribeStock(ctx context.Context, s Stock) error {
	return t.exec(ctx, "describe number", `
		UPDATE number_stock SET country = @country, kind = @kind, trunk_id = @trunk, note = @note WHERE number = @number`,
		pgx.StrictNamedArgs{"number": s.Number.Number, "country": s.Country, "kind": s.Kind, "trunk": orNull(s.Trunk), "note": text(s.Note)})
}
