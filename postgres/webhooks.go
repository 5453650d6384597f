package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/webhooks"
)

// Webhook is a receiver of a tenant's events.
type Webhook struct {
	ID          string             `json:"id" db:"id"`
	URL         string             `json:"url" db:"url"`
	Name        string             `json:"name" db:"name"`
	Types       []string           `json:"types" db:"types" nullable:"false" doc:"Which events it gets; empty: all."`
	CreatedAt   time.Time          `json:"created_at" db:"created_at"`
	DisabledAt  *time.Time         `json:"disabled_at,omitempty" db:"disabled_at"`
	Because     webhooks.Disabling `json:"disabled_because,omitempty" db:"disabled_because" enum:"asked,gone,failing" doc:"asked: by hand; gone: it answered 410; failing: it has taken nothing for five days."`
	Failures    int                `json:"failures" db:"failures" doc:"Attempts that failed since it last took a message."`
	Failing     *time.Time         `json:"failing_since,omitempty" db:"failing_since" doc:"Absent: it has not failed since it last took a message."`
	PausedUntil *time.Time         `json:"paused_until,omitempty" db:"paused_until" doc:"It is left alone until then."`
	Waiting     int                `json:"waiting" db:"waiting" doc:"Messages that wait for it; 10000: that many or more."`
}

// WebhookRows are what a list of webhooks is made of.
func WebhookRows() Listing[Webhook] {
	return Listing[Webhook]{
		Columns: `w.id, w.url, w.name, w.types, w.created_at, w.disabled_at, w.disabled_because, coalesce(h.failures, 0) AS failures, h.failing_since, h.paused_until,
		       (SELECT count(*)::int FROM (SELECT FROM deliveries d WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 'waiting' LIMIT 10000) AS counted) AS waiting`,
		From: `webhooks w LEFT JOIN webhook_health h ON h.tenant_id = w.tenant_id AND h.webhook_id = w.id`, Key: "id",
		Fields: map[string]Field{"id": {Column: "w.id"}, "name": {Column: "w.name"}, "created_at": {Column: "w.created_at", Type: "timestamptz"}, "tenant": {Column: "w.tenant_id", FilterOnly: true}},
	}
}

// MaxCounted bounds what is counted for people to read.
const MaxCounted = 10_000

// Webhook reads one, and locks it. ErrNotFound when there is none.
func (t *Tx) Webhook(ctx context.Context, tenantID, id string) (Webhook, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT w.id, w.url, w.name, w.types, w.created_at, w.disabled_at, w.disabled_because, coalesce(h.failures, 0), h.failing_since, h.paused_until,
		       (SELECT count(*)::int FROM (SELECT FROM deliveries d WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 'waiting' LIMIT @counted) AS counted)
		  FROM webhooks w LEFT JOIN webhook_health h ON h.tenant_id = w.tenant_id AND h.webhook_id = w.id
		 WHERE w.tenant_id = @tenant_id AND w.id = @id FOR UPDATE OF w`, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id, "counted": MaxCounted})
	if err != nil {
		return Webhook{}, fmt.Errorf("postgres: webhook: %w", err)
	}
	w, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Webhook])
	if err != nil {
		return Webhook{}, notFound("webhook", err)
	}
	return w, nil
}

// CountWebhooks counts a tenant's webhooks.
func (t *Tx) CountWebhooks(ctx context.Context, tenantID string) (n int, err error) {
	err = t.tx.QueryRow(ctx, `SELECT count(*)::int FROM webhooks WHERE tenant_id = @tenant_id`, pgx.StrictNamedArgs{"tenant_id": tenantID}).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("postgres: count webhooks: %w", err)
	}
	return n, nil
}

// InsertWebhook adds a webhook. Its URL, name and types are those of w; it is enabled.
func (t *Tx) InsertWebhook(ctx context.Context, tenantID string, w Webhook, keys []webhooks.Key) error {
	return t.exec(ctx, "insert webhook", `
		INSERT INTO webhooks (tenant_id, id, url, name, types, secrets) VALUES (@tenant_id, @id, @url, @name, @types, @secrets)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": w.ID, "url": w.URL, "name": w.Name, "types": orEmpty(w.Types), "secrets": keys})
}

// SaveWebhook changes a webhook's URL, name and types, and whether and why it is disabled. One that is enabled, or that leads
// elsewhere, begins as a healthy one.
func (t *Tx) SaveWebhook(ctx context.Context, tenantID string, w Webhook) error {
	args := pgx.StrictNamedArgs{"tenant_id": tenantID, "id": w.ID, "url": w.URL, "name": w.Name, "types": orEmpty(w.Types), "because": string(w.Because)}
	if err := t.exec(ctx, "forget webhook health", `
		DELETE FROM webhook_health WHERE tenant_id = @tenant_id AND webhook_id = @id
		   AND EXISTS (SELECT FROM webhooks WHERE tenant_id = @tenant_id AND id = @id AND (url <> @url OR disabled_at IS NOT NULL AND @because = ''))`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": w.ID, "url": w.URL, "because": string(w.Because)}); err != nil {
		return err
	}
	if err := t.exec(ctx, "save webhook", `
		UPDATE webhooks SET url = @url, name = @name, types = @types, disabled_because = @because,
		       disabled_at = CASE WHEN @because <> '' THEN coalesce(disabled_at, now()) END
		 WHERE tenant_id = @tenant_id AND id = @id`, args); err != nil {
		return err
	}
	return t.exec(ctx, "wake deliveries", `SELECT pg_notify('tandem_outbox', '')`, nil)
}

// DeleteWebhook takes a webhook away, with its secrets and its log, and says whether there was one.
func (t *Tx) DeleteWebhook(ctx context.Context, tenantID, id string) (bool, error) {
	done, err := t.tx.Exec(ctx, `DELETE FROM webhooks WHERE tenant_id = @tenant_id AND id = @id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
	if err != nil {
		return false, fmt.Errorf("postgres: delete webhook: %w", err)
	}
	return done.RowsAffected() > 0, nil
}

// Keys are the secrets that a webhook's messages are signed with, the newest first.
func (t *Tx) Keys(ctx context.Context, tenantID, id string) (keys []webhooks.Key, err error) {
	err = t.tx.QueryRow(ctx, `SELECT secrets FROM webhooks WHERE tenant_id = @tenant_id AND id = @id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id}).Scan(&keys)
	if err != nil {
		return nil, notFound("webhook's secrets", err)
	}
	return keys, nil
}

// SetKeys replaces them.
func (t *Tx) SetKeys(ctx context.Context, tenantID, id string, keys []webhooks.Key) error {
	return t.exec(ctx, "set webhook secrets", `UPDATE webhooks SET secrets = @secrets WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id, "secrets": keys})
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
