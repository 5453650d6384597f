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

// SaveRoutes is SaveRoute for many numbers.
func (t *Tx) SaveRoutes(ctx context.Context, tenantID string, routes []Route) error {
	var dialled, flow, user []string
	for _, r := range routes {
		dialled, flow, user = append(dialled, r.Dialled), append(flow, r.FlowID), append(user, r.UserID)
	}
	return t.exec(ctx, "save routes", `
		INSERT INTO routes (tenant_id, dialled, prefix, flow_id, user_id)
		SELECT @tenant_id, d, false, nullif(f, ''), nullif(u, '') FROM unnest(@dialled::text[], @flows::text[], @users::text[]) AS v (d, f, u)
		ON CONFLICT (tenant_id, dialled) DO UPDATE SET prefix = excluded.prefix, flow_id = excluded.flow_id, user_id = excluded.user_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "dialled": dialled, "flows": flow, "users": user})
}

// DeleteRoutes removes the drafts of routes from what is dialled.
func (t *Tx) DeleteRoutes(ctx context.Context, tenantID string, dialled []string) error {
	return t.exec(ctx, "delete routes", `DELETE FROM routes WHERE tenant_id = @tenant_id AND dialled = ANY (@dialled)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "dialled": dialled})
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
