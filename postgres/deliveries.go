package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/webhooks"
)

// LeaseFor is how long a worker that has claimed a delivery has it for itself: longer than an attempt takes, so that only one that
// has died or stood still is overtaken.
const LeaseFor = 4 * webhooks.AttemptFor

// Claim gives this worker up to most deliveries that are due, and nobody else before their leases end. Of events of one subject only
// the first that waits is due; no webhook and no tenant has more under way than package webhooks says. A webhook whose messages
// wait because of that keeps no other from being served. It is one transaction that is sent to the server at once, as Dispatch is.
func (s *Store) Claim(ctx context.Context, most int) ([]webhooks.Claim, error) {
	var batch pgx.Batch
	batch.Queue(`SELECT pg_advisory_xact_lock(@lock)`, pgx.StrictNamedArgs{"lock": int64(claimLock)})
	batch.Queue(`
		WITH RECURSIVE hook AS ( -- those for which something waits, found from one to the next
		    (SELECT tenant_id, webhook_id FROM deliveries WHERE state = 'waiting' ORDER BY tenant_id, webhook_id LIMIT 1)
		    UNION ALL
		    SELECT d.tenant_id, d.webhook_id FROM hook h, LATERAL (
		        SELECT tenant_id, webhook_id FROM deliveries WHERE state = 'waiting' AND (tenant_id, webhook_id) > (h.tenant_id, h.webhook_id)
		         ORDER BY tenant_id, webhook_id LIMIT 1) d
		), busy AS (
		    SELECT tenant_id, webhook_id, count(*) AS n FROM deliveries
		     WHERE state = 'waiting' AND leased_until IS NOT NULL AND leased_until > clock_timestamp() GROUP BY tenant_id, webhook_id
		), due AS (
		    SELECT d.id, d.next_at, row_number() OVER (PARTITION BY h.tenant_id ORDER BY d.next_at, d.id)
		           + coalesce((SELECT sum(n) FROM busy b WHERE b.tenant_id = h.tenant_id), 0) AS of_tenant
		      FROM hook h
		      JOIN webhooks w ON w.tenant_id = h.tenant_id AND w.id = h.webhook_id AND w.disabled_at IS NULL
		      LEFT JOIN webhook_health ill ON ill.tenant_id = h.tenant_id AND ill.webhook_id = h.webhook_id
		     CROSS JOIN LATERAL (
		        SELECT d.id, d.next_at FROM deliveries d
		         WHERE d.tenant_id = h.tenant_id AND d.webhook_id = h.webhook_id AND d.state = 'waiting' AND d.next_at <= clock_timestamp()
		           AND (d.leased_until IS NULL OR d.leased_until <= clock_timestamp())
		           AND NOT EXISTS (SELECT FROM deliveries e WHERE e.tenant_id = d.tenant_id AND e.webhook_id = d.webhook_id AND e.subject = d.subject
		                              AND e.state = 'waiting' AND (e.position, e.id) < (d.position, d.id))
		         ORDER BY d.next_at, d.id
		         LIMIT greatest(0, CASE WHEN ill.webhook_id IS NULL THEN @of_webhook WHEN ill.paused_until > clock_timestamp() THEN 0 ELSE 1 END
		                           - coalesce((SELECT n FROM busy b WHERE b.tenant_id = h.tenant_id AND b.webhook_id = h.webhook_id), 0))) d
		), chosen AS (
		    SELECT d.id FROM deliveries d JOIN due ON due.id = d.id WHERE due.of_tenant <= @of_tenant ORDER BY due.next_at, due.id LIMIT @most
		       FOR UPDATE OF d SKIP LOCKED
		), claimed AS (
		    UPDATE deliveries d SET lease = d.lease + 1, leased_until = clock_timestamp() + @lease_for
		      FROM chosen WHERE d.id = chosen.id AND d.state = 'waiting'
		    RETURNING d.id, d.lease, d.attempts, d.next_at, d.tenant_id, d.webhook_id, d.event_id
		)
		SELECT c.id, c.lease, c.attempts, c.tenant_id, c.webhook_id, w.url,
		       (SELECT array_agg(k ->> 'secret' ORDER BY i) FROM jsonb_array_elements(w.secrets) WITH ORDINALITY AS s (k, i)
		         WHERE k ->> 'until' IS NULL OR (k ->> 'until')::timestamptz > now()) AS secrets,
		       c.event_id, coalesce(e.type, ''), coalesce(e.subject, ''), coalesce(e.at, c.next_at), e.data
		  FROM claimed c JOIN webhooks w ON w.tenant_id = c.tenant_id AND w.id = c.webhook_id LEFT JOIN events e ON e.id = c.event_id
		 ORDER BY c.next_at, c.id`,
		pgx.StrictNamedArgs{"most": most, "of_webhook": webhooks.MaxOfWebhook, "of_tenant": webhooks.MaxOfTenant, "lease_for": LeaseFor})
	results := s.pool.SendBatch(ctx, &batch)
	_, err := results.Exec()
	var claims []webhooks.Claim
	if err == nil {
		var rows pgx.Rows
		if rows, err = results.Query(); err == nil {
			claims, err = pgx.CollectRows(rows, scanClaim)
		}
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: claim deliveries: %w", err)
	}
	return claims, nil
}

func scanClaim(row pgx.CollectableRow) (c webhooks.Claim, err error) {
	var data []byte
	err = row.Scan(&c.Delivery, &c.Lease, &c.Attempts, &c.Event.Tenant, &c.Webhook, &c.URL, &c.Secrets, &c.Event.ID, &c.Event.Type, &c.Event.Subject, &c.Event.At, &data)
	c.Event.Data = data
	return c, err
}

// Settle keeps what came of an attempt: the delivery's state, its log, and the health of the receiver, in one transaction. An
// attempt whose lease somebody else has taken over, and one of a delivery that is over, changes nothing. chance is within 0 to 1.
func (s *Store) Settle(ctx context.Context, c webhooks.Claim, a webhooks.Answer, at time.Time, chance float64) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		d := webhooks.Delivery{}
		err := tx.QueryRow(ctx, `
			SELECT state, attempts, next_at FROM deliveries WHERE id = @id AND lease = @lease AND state = 'waiting' FOR UPDATE`,
			pgx.StrictNamedArgs{"id": c.Delivery, "lease": c.Lease}).Scan(&d.State, &d.Attempts, &d.NextAt)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		next := d.After(a, at, chance)
		if c.Lost() {
			next.State = webhooks.Failed // there is nothing to send any more
		}
		var batch pgx.Batch
		queueSettled(&batch, c, next, a, at)
		if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
			return err
		}
		if c.Lost() {
			return nil
		}
		return settleHealth(ctx, tx, c, a, at)
	})
	if err != nil {
		return fmt.Errorf("postgres: settle delivery: %w", err)
	}
	return nil
}

func queueSettled(batch *pgx.Batch, c webhooks.Claim, next webhooks.Delivery, a webhooks.Answer, at time.Time) {
	batch.Queue(`
		UPDATE deliveries SET state = @state, attempts = @attempts, next_at = CASE WHEN @state = 'waiting' THEN @next_at ELSE next_at END, leased_until = NULL,
		       status = @status, problem = @problem, done_at = CASE WHEN @state = 'waiting' THEN NULL ELSE @at::timestamptz END
		 WHERE id = @id`,
		pgx.StrictNamedArgs{"id": c.Delivery, "state": string(next.State), "attempts": next.Attempts, "next_at": next.NextAt, "status": a.Status, "problem": text(a.Problem), "at": at})
	batch.Queue(`
		INSERT INTO delivery_attempts (tenant_id, delivery_id, n, at, took_ms, status, problem, answer)
		VALUES (@tenant_id, @id, @n, @at, @took_ms, @status, @problem, @answer)`,
		pgx.StrictNamedArgs{"tenant_id": c.Event.Tenant, "id": c.Delivery, "n": next.Attempts, "at": at, "took_ms": a.Took.Milliseconds(), "status": a.Status, "problem": text(a.Problem), "answer": text(a.Body)})
}

// settleHealth keeps how a receiver fares. One that is well and stays well costs no write.
func settleHealth(ctx context.Context, tx pgx.Tx, c webhooks.Claim, a webhooks.Answer, at time.Time) error {
	var h webhooks.Health
	var paused *time.Time
	key := pgx.StrictNamedArgs{"tenant_id": c.Event.Tenant, "id": c.Webhook}
	err := tx.QueryRow(ctx, `
		SELECT failures, failing_since, last_failure, paused_until FROM webhook_health WHERE tenant_id = @tenant_id AND webhook_id = @id FOR UPDATE`, key).
		Scan(&h.Failures, &h.FailingSince, &h.LastFailure, &paused)
	ill := err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if paused != nil {
		h.PausedUntil = *paused
	}
	next, disable := h.After(a, at)
	switch {
	case next == webhooks.Health{} && !ill:
		return nil
	case next == webhooks.Health{}:
		_, err = tx.Exec(ctx, `DELETE FROM webhook_health WHERE tenant_id = @tenant_id AND webhook_id = @id`, key)
		return err
	}
	if paused = &next.PausedUntil; paused.IsZero() {
		paused = nil
	}
	if _, err = tx.Exec(ctx, `
		INSERT INTO webhook_health (tenant_id, webhook_id, failures, failing_since, last_failure, paused_until)
		VALUES (@tenant_id, @id, @failures, @failing_since, @last_failure, @paused_until)
		ON CONFLICT (tenant_id, webhook_id) DO UPDATE
		SET failures = excluded.failures, failing_since = excluded.failing_since, last_failure = excluded.last_failure, paused_until = excluded.paused_until`,
		pgx.StrictNamedArgs{"tenant_id": c.Event.Tenant, "id": c.Webhook, "failures": next.Failures, "failing_since": next.FailingSince,
			"last_failure": next.LastFailure, "paused_until": paused}); err != nil || disable == "" {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE webhooks SET disabled_at = @at, disabled_because = @because WHERE tenant_id = @tenant_id AND id = @id AND disabled_at IS NULL`,
		pgx.StrictNamedArgs{"tenant_id": c.Event.Tenant, "id": c.Webhook, "at": at, "because": string(disable)})
	return err
}

// Release gives a claimed delivery back unattempted.
func (s *Store) Release(ctx context.Context, c webhooks.Claim) error {
	_, err := s.pool.Exec(ctx, `UPDATE deliveries SET leased_until = NULL WHERE id = @id AND lease = @lease AND state = 'waiting'`,
		pgx.StrictNamedArgs{"id": c.Delivery, "lease": c.Lease})
	if err != nil {
		return fmt.Errorf("postgres: release delivery: %w", err)
	}
	return nil
}

// NextDue says in how long the next delivery that waits becomes due, or ErrNotFound.
func (s *Store) NextDue(ctx context.Context) (in time.Duration, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT next_at - clock_timestamp() FROM deliveries WHERE state = 'waiting' AND next_at > clock_timestamp() ORDER BY next_at LIMIT 1`).Scan(&in)
	if err != nil {
		return 0, notFound("next delivery", err)
	}
	return in, nil
}

// MaxCountedWaiting bounds what Waiting counts.
const MaxCountedWaiting = 100_000

// WaitingRow is what waits to be sent to webhooks, on the whole platform.
type WaitingRow struct {
	Count   int           // MaxCountedWaiting at most
	Oldest  time.Duration // since the oldest of those came to be
	Overdue time.Duration // how long that which is due the longest has been due
}

// Waiting looks at the queue.
func (s *Store) Waiting(ctx context.Context) (w WaitingRow, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), coalesce(clock_timestamp() - min(created_at), '0'),
		       coalesce((SELECT clock_timestamp() - next_at FROM deliveries WHERE state = 'waiting' AND next_at < clock_timestamp() ORDER BY next_at LIMIT 1), '0')
		  FROM (SELECT created_at FROM deliveries WHERE state = 'waiting' ORDER BY next_at LIMIT @most) w`, pgx.StrictNamedArgs{"most": MaxCountedWaiting}).
		Scan(&w.Count, &w.Oldest, &w.Overdue)
	if err != nil {
		return WaitingRow{}, fmt.Errorf("postgres: waiting deliveries: %w", err)
	}
	return w, nil
}

// PruneEvents deletes what is kept no longer than package webhooks says, up to limit rows of each kind, and gives how many there
// were. Deliveries that still wait for an event that goes are given up.
func (s *Store) PruneEvents(ctx context.Context, now time.Time, limit int) (n int64, err error) {
	var batch pgx.Batch
	keep, log := now.Add(-webhooks.Keep), now.Add(-webhooks.KeepLog)
	batch.Queue(`
		UPDATE deliveries SET state = 'failed', done_at = now(), leased_until = NULL, problem = 'the event is not kept any longer'
		 WHERE id IN (SELECT d.id FROM deliveries d JOIN events e ON e.id = d.event_id WHERE d.state = 'waiting' AND e.recorded_at < @before LIMIT @limit)`,
		pgx.StrictNamedArgs{"before": keep, "limit": limit})
	batch.Queue(`
		DELETE FROM events WHERE position IN (SELECT position FROM events WHERE recorded_at < @before ORDER BY position LIMIT @limit)`,
		pgx.StrictNamedArgs{"before": keep, "limit": limit})
	batch.Queue(`
		DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state <> 'waiting' AND done_at < @before ORDER BY done_at LIMIT @limit)`,
		pgx.StrictNamedArgs{"before": log, "limit": limit})
	results := s.pool.SendBatch(ctx, &batch)
	for range batch.Len() {
		done, err := results.Exec()
		if err != nil {
			_ = results.Close()
			return 0, fmt.Errorf("postgres: prune events: %w", err)
		}
		n += done.RowsAffected()
	}
	if err := results.Close(); err != nil {
		return 0, fmt.Errorf("postgres: prune events: %w", err)
	}
	return n, nil
}
