package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// SaveNode adds a media node or replaces the one with its name. One that is being drained stays so: a node that starts
// again adds itself.
func (t *Tx) SaveNode(ctx context.Context, n tenants.Node) error {
	return t.exec(ctx, "save node", `
		INSERT INTO media_nodes (name, sip_uri, event_socket, max_calls)
		VALUES (@name, @sip_uri, @event_socket, @max_calls)
		ON CONFLICT (name) DO UPDATE
		SET sip_uri = excluded.sip_uri, event_socket = excluded.event_socket, max_calls = excluded.max_calls`,
		pgx.StrictNamedArgs{"name": n.Name, "sip_uri": n.SIPURI, "event_socket": n.EventSocket, "max_calls": n.MaxCalls})
}

// DeleteNode takes a media node out of the configuration. The second time it does nothing.
func (t *Tx) DeleteNode(ctx context.Context, name string) error {
	return t.exec(ctx, "delete node", `DELETE FROM media_nodes WHERE name = @name`, pgx.StrictNamedArgs{"name": name})
}

// SetDraining drains a media node, its calls moving to others or not, or lets it take calls again. ErrNotFound when there is no such
// node.
func (t *Tx) SetDraining(ctx context.Context, name string, draining, moving bool) error {
	var found string
	err := t.tx.QueryRow(ctx, `UPDATE media_nodes SET draining = @draining, moving = @moving WHERE name = @name RETURNING name`,
		pgx.StrictNamedArgs{"name": name, "draining": draining, "moving": moving}).Scan(&found)
	if err != nil {
		return notFound("drain node", err)
	}
	return nil
}

func loadNodes(ctx context.Context, tx pgx.Tx) ([]tenants.Node, error) {
	rows, err := tx.Query(ctx, `SELECT name, sip_uri, event_socket, max_calls, draining, moving FROM media_nodes ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.Node])
}
