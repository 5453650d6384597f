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

// ClaimedOrder is an order that somebody has taken up.
type ClaimedOrder struct {
	Order
	Body     []byte
	Attempts int // this one included
}

// ClaimOrder takes up the order that has waited longest, or one whose worker has let its lease run out, and gives it to an attempt, which nobody else's name is. Tenants
// of whom somebody works on an order wait until that is over. ErrNotFound when there is nothing to do.
func (s *Store) ClaimOrder(ctx context.Context, attempt string, lease time.Duration) (c ClaimedOrder, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE orders o
		   SET state = 'running', claimed_by = @attempt, lease_until = clock_timestamp() + @lease::interval, attempts = attempts + 1,
		       started_at = coalesce(started_at, now()), done = 0
		  FROM (SELECT id FROM orders w
		         WHERE state = 'queued' AND NOT EXISTS (SELECT FROM orders r WHERE r.state = 'running' AND r.tenant_id IS NOT DISTINCT FROM w.tenant_id)
		            OR state = 'running' AND lease_until < clock_timestamp()
		         ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) next
		 WHERE o.id = next.id
		RETURNING o.id, coalesce(o.tenant_id, ''), o.kind, o.dry_run, o.request, o.created_by, o.created_at, o.attempts,
		          (SELECT body FROM order_bodies b WHERE b.order_id = o.id)`, pgx.StrictNamedArgs{"attempt": attempt, "lease": lease}).
		Scan(&c.ID, &c.Tenant, &c.Kind, &c.DryRun, &c.Request, &c.CreatedBy, &c.CreatedAt, &c.Attempts, &c.Body)
	if err != nil {
		return c, notFound("order to work on", err)
	}
	c.State = numbers.Running
	return c, nil
}

// RenewOrder keeps an order for the attempt that works on it, and tells how far that is. ErrOrderLost when it is not its any more.
func (s *Store) RenewOrder(ctx context.Context, id, attempt string, lease time.Duration, done, total int) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE orders SET lease_until = clock_timestamp() + @lease::interval, done = @done, total = @total WHERE id = @id AND claimed_by = @attempt AND state = 'running'`,
		pgx.StrictNamedArgs{"id": id, "attempt": attempt, "lease": lease, "done": done, "total": total})
	if err != nil {
		return fmt.Errorf("postgres: renew order: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrOrderLost
	}
	return nil
}

// GiveUpOrder lets another attempt take up an order at once. One that is not the attempt's any more is left as it is.
func (s *Store) GiveUpOrder(ctx context.Context, id, attempt string) error {
	_, err := s.pool.Exec(ctx, `UPDATE orders SET state = 'queued', claimed_by = NULL, lease_until = NULL WHERE id = @id AND claimed_by = @attempt AND state = 'running'`,
		pgx.StrictNamedArgs{"id": id, "attempt": attempt})
	return wrapped(err, "postgres: give up order")
}

// OrderEnd is what came of an order.
type OrderEnd struct {
	State  numbers.OrderState // Done or Failed
	Total  int
	Done   int
	Result any
	Faults numbers.Faults
}

// FinishOrder ends an order for the attempt that works on it, in the transaction of all that it does: either both happen or neither. ErrOrderLost when the order is not
// the attempt's any more; the transaction must not be committed then.
func (t *Tx) FinishOrder(ctx context.Context, id, attempt string, end OrderEnd) error {
	result, err := json.Marshal(end.Result)
	if err != nil {
		return fmt.Errorf("postgres: finish order: %w", err)
	}
	var tenant *string
	err = t.tx.QueryRow(ctx, `
		UPDATE orders SET state = @state, finished_at = clock_timestamp(), claimed_by = NULL, lease_until = NULL, total = @total, done = @done, errors = @errors, result = @result
		 WHERE id = @id AND claimed_by = @attempt AND state = 'running' RETURNING tenant_id`,
		pgx.StrictNamedArgs{"id": id, "attempt": attempt, "state": string(end.State), "total": end.Total, "done": end.Done, "errors": end.Faults.Count, "result": result}).Scan(&tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrOrderLost
	}
	if err != nil {
		return fmt.Errorf("postgres: finish order: %w", err)
	}
	if err := t.exec(ctx, "finish order", `DELETE FROM order_bodies WHERE order_id = @id`, pgx.StrictNamedArgs{"id": id}); err != nil {
		return err
	}
	var line []int
	var field, code, detail []string
	for _, f := range end.Faults.List {
		line, field, code, detail = append(line, f.Line), append(field, f.Column), append(code, f.Code), append(detail, text(f.Detail))
	}
	return t.exec(ctx, "errors of an order", `
		INSERT INTO order_errors (order_id, n, tenant_id, line, field, code, detail)
		SELECT @id, n, @tenant_id, l, f, c, d FROM unnest(@lines::int[], @fields::text[], @codes::text[], @details::text[]) WITH ORDINALITY AS v (l, f, c, d, n)`,
		pgx.StrictNamedArgs{"id": id, "tenant_id": tenant, "lines": line, "fields": field, "codes": code, "details": detail})
}
