package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// SaveTrunk adds a trunk or replaces the one with its id, addresses included.
func (t *Tx) SaveTrunk(ctx context.Context, trunk tenants.Trunk) error {
	if err := t.exec(ctx, "save trunk", `
		INSERT INTO trunks (id, name) VALUES (@id, @name) ON CONFLICT (id) DO UPDATE SET name = excluded.name`,
		pgx.StrictNamedArgs{"id": trunk.ID, "name": trunk.Name}); err != nil {
		return err
	}
	if err := t.exec(ctx, "save trunk", `DELETE FROM trunk_addresses WHERE trunk_id = @id`,
		pgx.StrictNamedArgs{"id": trunk.ID}); err != nil {
		return err
	}
	for _, a := range trunk.Addresses {
		if err := t.exec(ctx, "save trunk", `
			INSERT INTO trunk_addresses (address, trunk_id) VALUES (@address, @id)`,
			pgx.StrictNamedArgs{"address": a.Unmap(), "id": trunk.ID}); err != nil {
			return err
		}
	}
	return nil
}

func loadTrunks(ctx context.Context, tx pgx.Tx) ([]tenants.Trunk, error) {
	rows, err := tx.Query(ctx, `
		SELECT t.id, t.name, array_remove(array_agg(a.address ORDER BY a.address), NULL) AS addresses
		  FROM trunks t LEFT JOIN trunk_addresses a ON a.trunk_id = t.id
		 GROUP BY t.id ORDER BY t.id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.Trunk])
}
