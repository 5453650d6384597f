package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// InsertNumber gives an E.164 number to a tenant.
func (t *Tx) InsertNumber(ctx context.Context, tenantID, number string) error {
	return t.exec(ctx, "insert number", `INSERT INTO numbers (number, tenant_id) VALUES (@number, @tenant_id)`,
		pgx.StrictNamedArgs{"number": number, "tenant_id": tenantID})
}

// Numbers lists a tenant's numbers.
func (t *Tx) Numbers(ctx context.Context, tenantID string) ([]string, error) {
	rows, err := t.tx.Query(ctx, `SELECT number FROM numbers WHERE tenant_id = @tenant_id ORDER BY number`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: numbers: %w", err)
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("postgres: numbers: %w", err)
	}
	return numbers, nil
}
