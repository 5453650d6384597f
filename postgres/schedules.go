package postgres

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// scheduleDefinition is the column schedules.definition.
type scheduleDefinition struct {
	Weekly []tenants.Hours `json:"weekly"`
	Dates  []tenants.Date  `json:"dates,omitempty"`
}

// SaveSchedule adds a draft of a schedule or replaces the one with its id.
func (t *Tx) SaveSchedule(ctx context.Context, tenantID string, s tenants.Schedule) error {
	definition, err := json.Marshal(scheduleDefinition{Weekly: s.Weekly, Dates: s.Dates})
	if err != nil {
		return fmt.Errorf("postgres: save schedule: %w", err)
	}
	return t.exec(ctx, "save schedule", `
		INSERT INTO schedules (tenant_id, id, name, time_zone, definition)
		VALUES (@tenant_id, @id, @name, @time_zone, @definition)
		ON CONFLICT (tenant_id, id) DO UPDATE
		SET name = excluded.name, time_zone = excluded.time_zone, definition = excluded.definition`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": s.ID, "name": s.Name, "time_zone": s.TimeZone,
			"definition": definition})
}

// Schedules lists the drafts of a tenant's schedules.
func (t *Tx) Schedules(ctx context.Context, tenantID string) ([]tenants.Schedule, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT id, name, time_zone, definition FROM schedules WHERE tenant_id = @tenant_id ORDER BY id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: schedules: %w", err)
	}
	schedules, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenants.Schedule, error) {
		var s tenants.Schedule
		var d scheduleDefinition
		err := row.Scan(&s.ID, &s.Name, &s.TimeZone, &d)
		s.Weekly, s.Dates = d.Weekly, d.Dates
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: schedules: %w", err)
	}
	return schedules, nil
}
