package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Route is the draft of a route: what is dialled leads to a flow or to a user, one of the two.
type Route struct {
	Dialled string
	Prefix  bool // it serves what begins with Dialled too
	FlowID  string
	UserID  string
}

// SaveRoute adds a draft of a route or replaces the one for what is dialled.
func (t *Tx) SaveRoute(ctx context.Context, tenantID string, r Route) error {
	return t.exec(ctx, "save route", `
		INSERT INTO routes (tenant_id, dialled, prefix, flow_id, user_id) VALUES (@tenant_id, @dialled, @prefix, @flow_id, @user_id)
		ON CONFLICT (tenant_id, dialled) DO UPDATE SET prefix = excluded.prefix, flow_id = excluded.flow_id, user_id = excluded.user_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "dialled": r.Dialled, "prefix": r.Prefix, "flow_id": orNull(r.FlowID),
			"user_id": orNull(r.UserID)})
}

// Routes lists the drafts of a tenant's routes.
func (t *Tx) Routes(ctx context.Context, tenantID string) ([]Route, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT dialled, prefix, coalesce(flow_id, '') AS flow_id, coalesce(user_id, '') AS user_id FROM routes
		 WHERE tenant_id = @tenant_id ORDER BY dialled`, pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: routes: %w", err)
	}
	routes, err := pgx.CollectRows(rows, pgx.RowToStructByName[Route])
	if err != nil {
		return nil, fmt.Errorf("postgres: routes: %w", err)
	}
	return routes, nil
}
