package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// BlockCaller adds a caller to the draft of those whom a tenant refuses. Blocking twice is blocking once.
func (t *Tx) BlockCaller(ctx context.Context, tenantID, caller string) error {
	return t.exec(ctx, "block caller", `
		INSERT INTO blocked_callers (tenant_id, caller) VALUES (@tenant_id, @caller) ON CONFLICT DO NOTHING`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "caller": caller})
}

// UnblockCaller takes a caller out of the draft again.
func (t *Tx) UnblockCaller(ctx context.Context, tenantID, caller string) error {
	return t.exec(ctx, "unblock caller", `
		DELETE FROM blocked_callers WHERE tenant_id = @tenant_id AND caller = @caller`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "caller": caller})
}

// BlockedCallers lists the draft of those whom a tenant refuses.
func (t *Tx) BlockedCallers(ctx context.Context, tenantID string) ([]string, error) {
	rows, err := t.tx.Query(ctx, `SELECT caller FROM blocked_callers WHERE tenant_id = @tenant_id ORDER BY caller`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: blocked callers: %w", err)
	}
	callers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("postgres: blocked callers: %w", err)
	}
	return callers, nil
}
