package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// InsertUser adds a user to a tenant.
func (t *Tx) InsertUser(ctx context.Context, tenantID string, u tenants.User) error {
	return t.exec(ctx, "insert user", `
		INSERT INTO users (tenant_id, id, name, extension, number) VALUES (@tenant_id, @id, @name, @extension, @number)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": u.ID, "name": u.Name, "extension": u.Extension,
			"number": orNull(u.Number)})
}

// Users lists a tenant's users in the order in which they were added.
func (t *Tx) Users(ctx context.Context, tenantID string) ([]tenants.User, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT id, name, extension, coalesce(number, '') AS number FROM users WHERE tenant_id = @tenant_id
		 ORDER BY created_at, id`, pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: users: %w", err)
	}
	users, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.User])
	if err != nil {
		return nil, fmt.Errorf("postgres: users: %w", err)
	}
	return users, nil
}
