package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// flowDefinition is the column flows.definition.
type flowDefinition struct {
	Start    string                     `json:"start"`
	Elements map[string]tenants.Element `json:"elements"`
}

// SaveFlow adds a draft of a flow or replaces the one with its id.
func (t *Tx) SaveFlow(ctx context.Context, tenantID string, f tenants.Flow) error {
	definition, err := json.Marshal(flowDefinition{Start: f.Start, Elements: f.Elements})
	if err != nil {
		return fmt.Errorf("postgres: save flow: %w", err)
	}
	return t.exec(ctx, "save flow", `
		INSERT INTO flows (tenant_id, id, name, definition) VALUES (@tenant_id, @id, @name, @definition)
		ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name, definition = excluded.definition`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": f.ID, "name": f.Name, "definition": definition})
}

// Flows lists the drafts of a tenant's flows.
func (t *Tx) Flows(ctx context.Context, tenantID string) ([]tenants.Flow, error) {
	rows, err := t.tx.Query(ctx, `SELECT id, name, definition FROM flows WHERE tenant_id = @tenant_id ORDER BY id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: flows: %w", err)
	}
	flows, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenants.Flow, error) {
		var f tenants.Flow
		var d flowDefinition
		err := row.Scan(&f.ID, &f.Name, &d)
		f.Start, f.Elements = d.Start, d.Elements
		return f, err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: flows: %w", err)
	}
	return flows, nil
}
