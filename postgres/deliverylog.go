package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// DeliveryRow is a delivery as its tenant reads of it.
type DeliveryRow struct {
	ID        int64      `json:"id" db:"id"`
	Webhook   string     `json:"webhook" db:"webhook_id"`
	Event     string     `json:"event" db:"event_id"`
	Type      string     `json:"type" db:"type"`
	Subject   string     `json:"subject" db:"subject" doc:"What the event happened to: messages of one subject are sent one after another."`
	Again     bool       `json:"again" db:"again" doc:"Somebody has asked for it to be sent again."`
	State     string     `json:"state" db:"state" enum:"waiting,delivered,failed"`
	Attempts  int        `json:"attempts" db:"attempts"`
	NextAt    *time.Time `json:"next_at,omitempty" db:"next_at" doc:"When the next attempt is due, while it waits."`
	Status    int        `json:"status" db:"status" doc:"HTTP status of the last attempt; 0: no answer."`
	Problem   string     `json:"problem" db:"problem" doc:"Of the last attempt."`
	CreatedAt time.Time  `json:"created_at" db:"created_at"`
	DoneAt    *time.Time `json:"done_at,omitempty" db:"done_at"`
}

// DeliveryRows are what a list of deliveries is made of.
func DeliveryRows() Listing[DeliveryRow] {
	return Listing[DeliveryRow]{
		Columns: `d.id, webhook_id, event_id, type, subject, again, state, attempts, CASE WHEN state = 'waiting' THEN next_at END AS next_at, status, problem, created_at, done_at`,
		From:    `deliveries d`, Key: "id", Fields: map[string]Field{"id": {Column: "d.id", Type: "bigint"}, "state": {Column: "state", FilterOnly: true}, "event": {Column: "event_id", FilterOnly: true},
			"type": {Column: "type", FilterOnly: true}, "webhook": {Column: "webhook_id", FilterOnly: true}, "tenant": {Column: "tenant_id", FilterOnly: true},
			"one": {Column: "d.id", Type: "bigint", FilterOnly: true}}}
}

// AttemptRow is one attempt of a delivery.
type AttemptRow struct {
	N       int       `json:"n" doc:"1, 2, 3 ..."`
	At      time.Time `json:"at"`
	TookMS  int       `json:"took_ms"`
	Status  int       `json:"status" doc:"HTTP status; 0: no answer."`
	Problem string    `json:"problem"`
	Answer  string    `json:"answer" doc:"The beginning of what the receiver said."`
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
