package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
	"tandem/webhooks"
)

// What is told of calls. A moment is told in the transaction in which the ledger learns of it; the row of the call says what was
// told, and its lock makes one of two that learn of it at once the first.

// queueEnds adds to the calls of a batch what their caller's record says of the end.
func queueEnds(batch *pgx.Batch, cdrs []messages.CDR) {
	for i := range cdrs {
		c := &cdrs[i]
		if c.Role != messages.RoleCaller && !c.Over {
			continue
		}
		caller := c.Role == messages.RoleCaller
		batch.Queue(`
			UPDATE calls
			   SET answered_at = CASE WHEN @caller THEN coalesce(answered_at, @answered_at) ELSE answered_at END,
			       sip_code = CASE WHEN @caller THEN @sip_code ELSE sip_code END, cause = CASE WHEN @caller THEN @cause ELSE cause END,
			       q850 = CASE WHEN @caller THEN @q850 ELSE q850 END, fault = CASE WHEN @caller THEN @fault ELSE fault END,
			       over = over OR @over
			 WHERE call = @call`,
			pgx.StrictNamedArgs{"call": text(c.Call), "caller": caller, "answered_at": c.AnsweredAt, "sip_code": c.SIPCode, "cause": text(c.Cause),
				"q850": c.Q850, "fault": string(c.Fault), "over": c.Over})
	}
}

// SaveCallEvents keeps what nodes tell of live calls, and tells of it in the same transaction. Events may come twice, late and in
// any order.
func (s *Store) SaveCallEvents(ctx context.Context, events []messages.CallEvent) error {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b messages.CallEvent) int { return cmp.Compare(a.Call, b.Call) }) // as InsertCDRs locks them
	var batch pgx.Batch
	var calls []string
	for i := range events {
		e := &events[i]
		var answered *time.Time
		if e.State == messages.CallAnswered && e.Out == "" { // with Out it is no moment of the call's
			answered = &e.At
		}
		batch.Queue(`
			INSERT INTO calls AS c (call, tenant_id, "from", "to", started_at, answered_at, on_node, over)
			VALUES (@call, @tenant_id, @from, @to, @at, @answered_at, true, @over)
			ON CONFLICT (call) DO UPDATE
			SET tenant_id = coalesce(c.tenant_id, excluded.tenant_id), "from" = coalesce(nullif(c."from", ''), excluded."from"),
			    "to" = coalesce(nullif(c."to", ''), excluded."to"), started_at = least(c.started_at, excluded.started_at),
			    answered_at = coalesce(c.answered_at, excluded.answered_at), on_node = true, over = c.over OR excluded.over
			WHERE c.told & 4 = 0`,
			pgx.StrictNamedArgs{"call": text(e.Call), "tenant_id": orNull(e.Tenant), "from": text(e.From), "to": text(e.To), "at": e.At,
				"answered_at": answered, "over": e.State == messages.CallEnded})
		calls = append(calls, text(e.Call))
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return err
		}
		return tellCalls(ctx, tx, slices.Compact(calls), nil)
	})
	if err != nil {
		return fmt.Errorf("postgres: save call events: %w", err)
	}
	return nil
}

// tellCalls tells what is to be told of calls now, after other events of the same transaction.
func tellCalls(ctx context.Context, tx pgx.Tx, calls []string, first []webhooks.Event) error {
	rows, err := tx.Query(ctx, `
		SELECT call, coalesce(tenant_id, '') AS tenant, "from", "to", started_at, answered_at, ended_at, sip_code, cause, q850, fault, version,
		       on_node, over, told
		  FROM calls WHERE call = ANY (@calls) AND told & 4 = 0 ORDER BY call FOR UPDATE`, pgx.StrictNamedArgs{"calls": calls})
	if err != nil {
		return err
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[webhooks.Call])
	if err != nil {
		return err
	}
	var batch pgx.Batch
	var told, before, after []webhooks.Event
	for _, c := range open {
		moments, now := c.Moments()
		if now == c.Told {
			continue
		}
		told = append(told, moments...)
		batch.Queue(`UPDATE calls SET told = @told WHERE call = @call`, pgx.StrictNamedArgs{"call": c.ID, "told": int(now)})
	}
	// A call's end comes after its legs' ends, and those after its beginning.
	for _, e := range told {
		if e.Type == webhooks.CallEnded {
			after = append(after, e)
		} else {
			before = append(before, e)
		}
	}
	queueEvents(&batch, slices.Concat(before, first, after))
	if batch.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &batch).Close()
}

// TellOver tells the end of calls that have been over for a while and whose caller's record is lost. It gives how many it looked
// at.
func (s *Store) TellOver(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			UPDATE calls SET cause = 'NORMAL_UNSPECIFIED', q850 = 31, ended_at = coalesce(ended_at, started_at)
			 WHERE call IN (SELECT call FROM calls WHERE over AND told & 4 = 0 AND cause = '' AND coalesce(ended_at, started_at) < @before ORDER BY call LIMIT @limit FOR UPDATE)
			RETURNING call`, pgx.StrictNamedArgs{"before": before, "limit": limit})
		if err != nil {
			return err
		}
		calls, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if n = len(calls); err != nil || n == 0 {
			return err
		}
		return tellCalls(ctx, tx, calls, nil)
	})
	if err != nil {
		return 0, fmt.Errorf("postgres: tell of calls that are over: %w", err)
	}
	return n, nil
}
