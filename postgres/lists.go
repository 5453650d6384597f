package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// SaveList adds a draft of a list or replaces the one with its id.
func (t *Tx) SaveList(ctx context.Context, tenantID string, l tenants.List) error {
	return t.exec(ctx, "save list", `
		INSERT INTO lists (tenant_id, id, name, entries) VALUES (@tenant_id, @id, @name, @entries)
		ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, entries = excluded.entries`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": l.ID, "name": l.Name, "entries": append([]string{}, l.Entries...)})
}

// Lists lists the drafts of a tenant's lists.
func (t *Tx) Lists(ctx context.Context, tenantID string) ([]tenants.List, error) {
	rows, err := t.tx.Query(ctx, `SELECT id, name, entries FROM lists WHERE tenant_id = @tenant_id ORDER BY id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: lists: %w", err)
	}
	lists, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenants.List, error) {
		var l tenants.List
		err := row.Scan(&l.ID, &l.Name, &l.Entries)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: lists: %w", err)
	}
	return lists, nil
}
