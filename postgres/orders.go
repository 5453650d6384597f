package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/numbers"
)

// Order is work that is carried out in the background.
type Order struct {
	ID         string             `db:"id"`
	Tenant     string             `db:"tenant"` // whose; empty: the platform's
	Kind       string             `db:"kind"`
	State      numbers.OrderState `db:"state"`
	DryRun     bool               `db:"dry_run"`
	Request    json.RawMessage    `db:"request"`
	Total      int                `db:"total"` // 0: not known yet
	Done       int                `db:"done"`
	Errors     int                `db:"errors"`
	Result     json.RawMessage    `db:"result"`
	CreatedBy  string             `db:"created_by"`
	CreatedAt  time.Time          `db:"created_at"`
	StartedAt  *time.Time         `db:"started_at"`
	FinishedAt *time.Time         `db:"finished_at"`
}

// ErrOrderLost says that an order was cancelled, or taken up by another, while somebody worked on it.
var ErrOrderLost = errors.New("postgres: the order is not the worker's any more")

// InsertOrder adds an order, which somebody will take up soon.
func (t *Tx) InsertOrder(ctx context.Context, o Order, body []byte) error {
	if err := t.exec(ctx, "insert order", `
		INSERT INTO orders (id, tenant_id, kind, dry_run, request, created_by) VALUES (@id, @tenant_id, @kind, @dry_run, @request, @created_by)`,
		pgx.StrictNamedArgs{"id": o.ID, "tenant_id": orNull(o.Tenant), "kind": o.Kind, "dry_run": o.DryRun, "request": o.Request, "created_by": text(o.CreatedBy)}); err != nil {
		return err
	}
	return t.exec(ctx, "insert order", `INSERT INTO order_bodies (order_id, tenant_id, body) VALUES (@id, @tenant_id, @body)`,
		pgx.StrictNamedArgs{"id": o.ID, "tenant_id": orNull(o.Tenant), "body": body})
}

// OpenOrders counts the orders of a tenant (empty: the platform) that are not over.
func (t *Tx) OpenOrders(ctx context.Context, tenantID string) (n int, err error) {
	err = t.tx.QueryRow(ctx, `SELECT count(*) FROM orders WHERE tenant_id IS NOT DISTINCT FROM nullif(@tenant_id, '') AND state IN ('queued', 'running')`,
		pgx.StrictNamedArgs{"tenant_id": tenantID}).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("postgres: open orders: %w", err)
	}
	return n, nil
}

// Order reads an order of a tenant's; the empty tenant is the platform. ErrNotFound when there is none.
func (t *Tx) Order(ctx context.Context, tenantID, id string) (Order, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT id, coalesce(tenant_id, '') AS tenant, kind, state, dry_run, request, total, done, errors, result, created_by, created_at, started_at, finished_at
		  FROM orders WHERE id = @id AND tenant_id IS NOT DISTINCT FROM nullif(@tenant_id, '')`, pgx.StrictNamedArgs{"id": id, "tenant_id": tenantID})
	if err != nil {
		return Order{}, fmt.Errorf("postgres: order: %w", err)
	}
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Order])
	if err != nil {
		return o, notFound("order", err)
	}
	return o, nil
}

// CancelOrder ends an order that is not over, and says whether it did. Whoever works on it finds out when he wants to commit, at the latest.
func (t *Tx) CancelOrder(ctx context.Context, tenantID, id string) (cancelled bool, err error) {
	tag, err := t.tx.Exec(ctx, `
		UPDATE orders SET state = 'cancelled', finished_at = now(), claimed_by = NULL, lease_until = NULL
		 WHERE id = @id AND tenant_id IS NOT DISTINCT FROM nullif(@tenant_id, '') AND state IN ('queued', 'running')`, pgx.StrictNamedArgs{"id": id, "tenant_id": tenantID})
	if err != nil {
		return false, fmt.Errorf("postgres: cancel order: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	return true, t.exec(ctx, "cancel order", `DELETE FROM order_bodies WHERE order_id = @id`, pgx.StrictNamedArgs{"id": id})
}

// OrderErrors lists what was wrong with an order of a tenant's, from the nth on.
func (t *Tx) OrderErrors(ctx context.Context, tenantID, id string, from, limit int) ([]numbers.Fault, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT line, field, code, detail FROM order_errors
		 WHERE order_id = @id AND tenant_id IS NOT DISTINCT FROM nullif(@tenant_id, '') AND n >= @from ORDER BY n LIMIT @limit`,
		pgx.StrictNamedArgs{"id": id, "tenant_id": tenantID, "from": from, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("postgres: errors of an order: %w", err)
	}
	faults, err := pgx.CollectRows(rows, pgx.RowToStructByPos[numbers.Fault])
	if err != nil {
		return nil, fmt.Errorf("postgres: errors of an order: %w", err)
	}
	return faults, nil
}

// ForgetOrders deletes orders that were over before a moment, and says how many.
func (s *Store) ForgetOrders(ctx context.Context, before time.Time, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, `DELETE FROM orders WHERE id IN (SELECT id FROM orders WHERE finished_at < @before LIMIT @limit)`,
		pgx.StrictNamedArgs{"before": before, "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("postgres: forget orders: %w", err)
	}
	return int(tag.RowsAffected()), nil
}
