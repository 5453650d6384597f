package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// DeliveryRow is a delivery as its tenant reads of it.
type DeliveryRow struct {
	ID        int64      `json:"id"`
	Webhook   string     `json:"webhook"`
	Event     string     `json:"event"`
	Type      string     `json:"type"`
	Subject   string     `json:"subject"`
	Again     bool       `json:"again"` // somebody has asked for it to be sent again
	State     string     `json:"state"` // webhooks.State
	Attempts  int        `json:"attempts"`
	NextAt    *time.Time `json:"next_at,omitempty"` // while it waits
	Status    int        `json:"status"`            // of the last attempt; 0: no answer
	Problem   string     `json:"problem"`           // of the last attempt, in words
	CreatedAt time.Time  `json:"created_at"`
	DoneAt    *time.Time `json:"done_at,omitempty"`
}

// DeliveryFilter chooses deliveries of one webhook. Zero values choose all.
type DeliveryFilter struct {
	State  string
	Event  string
	Before int64 // id
}

// Deliveries lists up to limit deliveries of a webhook, the newest first.
func (s *Store) Deliveries(ctx context.Context, tenantID, webhookID string, f DeliveryFilter, limit int) ([]DeliveryRow, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, webhook_id, event_id, type, subject, again, state, attempts, CASE WHEN state = 'waiting' THEN next_at END, status, problem, created_at, done_at
		  FROM deliveries
		 WHERE tenant_id = @tenant_id AND webhook_id = @webhook_id AND (@before::bigint = 0 OR id < @before)
		   AND (@state::text = '' OR state = @state) AND (@event::text = '' OR event_id = @event)
		 ORDER BY id DESC LIMIT @limit`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "webhook_id": webhookID, "before": f.Before, "state": f.State, "event": text(f.Event), "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("postgres: deliveries: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[DeliveryRow])
	if err != nil {
		return nil, fmt.Errorf("postgres: deliveries: %w", err)
	}
	return all, nil
}

// AttemptRow is one attempt of a delivery.
type AttemptRow struct {
	N       int       `json:"n"` // 1, 2, 3 ...
	At      time.Time `json:"at"`
	TookMS  int       `json:"took_ms"`
	Status  int       `json:"status"` // of HTTP; 0: no answer
	Problem string    `json:"problem"`
	Answer  string    `json:"answer"` // the beginning of what the receiver said
}

// Attempts lists the attempts of a delivery, the first first.
func (s *Store) Attempts(ctx context.Context, tenantID, webhookID string, delivery int64) ([]AttemptRow, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT a.n, a.at, a.took_ms, a.status, a.problem, a.answer
		  FROM delivery_attempts a JOIN deliveries d ON d.id = a.delivery_id
		 WHERE a.tenant_id = @tenant_id AND d.tenant_id = @tenant_id AND d.webhook_id = @webhook_id AND a.delivery_id = @delivery ORDER BY a.n`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "webhook_id": webhookID, "delivery": delivery})
	if err != nil {
		return nil, fmt.Errorf("postgres: attempts: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AttemptRow])
	if err != nil {
		return nil, fmt.Errorf("postgres: attempts: %w", err)
	}
	return all, nil
}

// Again has events sent once more to a webhook: those of the delivery, or with 0 all of its types that were recorded from a moment
// until another, the oldest first. What waits already is sent at once instead. It gives how many there were, at most limit.
func (t *Tx) Again(ctx context.Context, tenantID, webhookID string, delivery int64, from, until time.Time, limit int) (n int64, err error) {
	done, err := t.tx.Exec(ctx, `
		INSERT INTO deliveries AS d (tenant_id, webhook_id, event_id, position, type, subject, again)
		SELECT w.tenant_id, w.id, e.id, e.position, e.type, e.subject, true
		  FROM webhooks w JOIN events e ON e.tenant_id = w.tenant_id
		 WHERE w.tenant_id = @tenant_id AND w.id = @webhook_id
		   AND CASE WHEN @delivery::bigint <> 0
		            THEN e.id = (SELECT event_id FROM deliveries WHERE id = @delivery AND tenant_id = @tenant_id AND webhook_id = @webhook_id)
		            ELSE e.recorded_at >= @from::timestamptz AND e.recorded_at < @until::timestamptz AND e.type <> 'webhook.test' AND (w.types = '{}' OR e.type = ANY (w.types)) END
		 ORDER BY e.position LIMIT @limit
		ON CONFLICT (tenant_id, webhook_id, event_id) WHERE state = 'waiting' DO UPDATE
		SET next_at = least(d.next_at, clock_timestamp())`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "webhook_id": webhookID, "delivery": delivery, "from": from, "until": until, "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("postgres: deliver again: %w", err)
	}
	return done.RowsAffected(), t.exec(ctx, "wake deliveries", `SELECT pg_notify('tandem_outbox', '')`, nil)
}
