package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// maxTouched is how many tenants a change may have touched to be read by itself. To read all is faster from some thousands on.
const maxTouched = 1000

// LoadChange reads what has changed since a snapshot: the tenants that were touched, whole, and all that is no tenant's, as of one
// moment. told is false when it cannot be told apart, as when the snapshot is of another database, or too much has changed;
// then LoadNext reads everything.
func (s *Store) LoadChange(ctx context.Context, since *tenants.Snapshot) (c tenants.Change, told bool, err error) {
	data := tenants.Data{LoadedAt: time.Now().UTC()}
	moment := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	var gone []string
	err = pgx.BeginTxFunc(ctx, s.pool, moment, func(tx pgx.Tx) error {
		var everything int64
		var err error
		if data.Revision, everything, data.Origin, err = readRevision(ctx, tx); err != nil {
			return err
		}
		if since.Origin() != data.Origin || since.Revision() > data.Revision || since.Revision() < everything {
			return nil
		}
		touched, err := touchedSince(ctx, tx, since.Revision())
		if err != nil || len(touched) > maxTouched {
			return err
		}
		if data.Tenants, err = s.loadWhole(ctx, tx, touched, since); err != nil {
			return err
		}
		there := make(map[string]bool, len(data.Tenants))
		for i := range data.Tenants {
			there[data.Tenants[i].ID] = true
		}
		for _, id := range touched {
			if !there[id] {
				gone = append(gone, id)
			}
		}
		told = true
		return loadPlatform(ctx, tx, &data)
	})
	if err != nil || !told {
		return tenants.Change{}, false, wrapped(err, "postgres: load change")
	}
	return tenants.Change{LoadedAt: data.LoadedAt, Revision: data.Revision, Origin: data.Origin, Tenants: data.Tenants, Gone: gone, Trunks: data.Trunks,
		Outbound: data.Outbound, Emergency: data.Emergency, Nodes: data.Nodes}, true, nil
}

func wrapped(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// touchedSince lists the tenants that were touched after a revision, never nil.
func touchedSince(ctx context.Context, tx pgx.Tx, revision int64) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT tenant_id FROM tenant_changes WHERE revision > @revision ORDER BY tenant_id LIMIT @most`,
		pgx.StrictNamedArgs{"revision": revision, "most": maxTouched + 1})
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if ids == nil {
		ids = []string{}
	}
	return ids, err
}

// LoadTenant reads one tenant with all that is its own, and the platform, as of one moment. There is no tenant in it when there is none of
// this id.
func (s *Store) LoadTenant(ctx context.Context, id string) (tenants.Data, error) {
	data := tenants.Data{LoadedAt: time.Now().UTC()}
	moment := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, moment, func(tx pgx.Tx) (err error) {
		if data.Revision, _, data.Origin, err = readRevision(ctx, tx); err != nil {
			return err
		}
		if data.Tenants, err = s.loadWhole(ctx, tx, []string{id}, nil); err != nil {
			return err
		}
		return loadPlatform(ctx, tx, &data)
	})
	if err != nil {
		return tenants.Data{}, fmt.Errorf("postgres: load tenant: %w", err)
	}
	return data, nil
}
