package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// LoadData reads all that workers decide from, as of one moment, in a fixed number of queries. A published document that
// this release cannot read leaves its tenant without flows and is logged; the other tenants live on.
func (s *Store) LoadData(ctx context.Context) (tenants.Data, error) { return s.LoadNext(ctx, nil) }

// LoadNext is LoadData for what follows on a snapshot: versions that it holds are not read again. nil holds none.
func (s *Store) LoadNext(ctx context.Context, previous *tenants.Snapshot) (tenants.Data, error) {
	data := tenants.Data{LoadedAt: time.Now().UTC()}
	moment := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, moment, func(tx pgx.Tx) error {
		var err error
		if data.Revision, _, data.Origin, err = readRevision(ctx, tx); err != nil {
			return err
		}
		if data.Tenants, err = s.loadWhole(ctx, tx, nil, previous); err != nil {
			return err
		}
		return loadPlatform(ctx, tx, &data)
	})
	if err != nil {
		return tenants.Data{}, fmt.Errorf("postgres: load configuration: %w", err)
	}
	return data, nil
}

// loadPlatform reads all that is no tenant's.
func loadPlatform(ctx context.Context, tx pgx.Tx, data *tenants.Data) (err error) {
	if data.Trunks, err = loadTrunks(ctx, tx, nil); err != nil {
		return err
	}
	if data.Outbound, err = loadOutboundRoutes(ctx, tx); err != nil {
		return err
	}
	if data.Emergency, err = loadEmergency(ctx, tx); err != nil {
		return err
	}
	data.Nodes, err = loadNodes(ctx, tx)
	return err
}

// loadWhole reads tenants with all that is theirs: those of some ids, or all when ids is nil.
func (s *Store) loadWhole(ctx context.Context, tx pgx.Tx, ids []string, previous *tenants.Snapshot) ([]tenants.Tenant, error) {
	all, err := s.loadTenants(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	if err := s.loadVersions(ctx, tx, all, ids, previous); err != nil {
		return nil, err
	}
	return all, loadBelongings(ctx, tx, all, ids)
}

func (s *Store) loadTenants(ctx context.Context, tx pgx.Tx, ids []string) ([]tenants.Tenant, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, name, domain, time_zone, language, suspended OR suspended_above,
		       coalesce(parent_id, ''), max_calls, -- a reseller's is held against all its customers' calls together
		       coalesce(main_number, ''), country, international_prefix, national_prefix, area_code,
		       CASE WHEN parent_id IS NULL THEN may_call_out ELSE (limits_of(id)).may_call_out END, blocked_prefixes,
		       CASE WHEN parent_id IS NULL THEN max_outgoing ELSE (limits_of(id)).max_outgoing END,
		       CASE WHEN parent_id IS NULL THEN outgoing_per_second ELSE (limits_of(id)).outgoing_per_second END, shown_numbers, withheld,
		       max_calls_per_second, coalesce(published_version, 0), coalesce(candidate_version, 0), coalesce(candidate_share, 0), music_on_hold
		  FROM tenants WHERE @ids::text[] IS NULL OR id = ANY(@ids)
		 ORDER BY id`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenants.Tenant, error) {
		var t tenants.Tenant
		err := row.Scan(&t.ID, &t.Name, &t.Domain, &t.TimeZone, &t.Language, &t.Suspended, &t.Parent, &t.MaxCalls,
			&t.MainNumber, &t.Dialling.Country, &t.Dialling.InternationalPrefix, &t.Dialling.NationalPrefix, &t.Dialling.AreaCode,
			&t.CallingOut.Allowed, &t.CallingOut.BlockedPrefixes, &t.CallingOut.MaxCalls, &t.CallingOut.PerSecond,
			&t.CallingOut.Shown, &t.CallingOut.Withheld,
			&t.MaxCallsPerSecond, &t.Published.Version, &t.Candidate.Version, &t.Candidate.Share, &t.MusicOnHold)
		return t, err
	})
}

// loadBelongings fills in what is always current. Rows come sorted by tenant, as the tenants are, but each is put by its
// tenant's id: one tenant's device must never land with another by a mistake in sorting.
func loadBelongings(ctx context.Context, tx pgx.Tx, all []tenants.Tenant, ids []string) error {
	byID := make(map[string]*tenants.Tenant, len(all))
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	var tenantID string
	var u tenants.User
	rows, err := tx.Query(ctx, `
		SELECT tenant_id, id, name, extension, coalesce(number, '') FROM users WHERE @ids::text[] IS NULL OR tenant_id = ANY(@ids) ORDER BY tenant_id, created_at, id`,
		pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	if _, err = pgx.ForEachRow(rows, []any{&tenantID, &u.ID, &u.Name, &u.Extension, &u.Number}, func() error {
		byID[tenantID].Users = append(byID[tenantID].Users, u)
		return nil
	}); err != nil {
		return err
	}
	var d tenants.Device
	rows, err = tx.Query(ctx, `
		SELECT d.tenant_id, d.id, coalesce(h.user_id, d.user_id, ''), d.name, d.username
		  FROM devices d LEFT JOIN hot_desks h ON h.tenant_id = d.tenant_id AND h.device_id = d.id
		 WHERE @ids::text[] IS NULL OR d.tenant_id = ANY(@ids)
		 ORDER BY d.tenant_id, d.created_at, d.id`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	if _, err = pgx.ForEachRow(rows, []any{&tenantID, &d.ID, &d.UserID, &d.Name, &d.Username}, func() error {
		byID[tenantID].Devices = append(byID[tenantID].Devices, d)
		return nil
	}); err != nil {
		return err
	}
	if err := loadUserSettings(ctx, tx, byID, ids); err != nil {
		return err
	}
	var w tenants.Whereabouts
	rows, err = tx.Query(ctx, `
		SELECT tenant_id, device_id, coalesce(number, ''), location FROM whereabouts WHERE @ids::text[] IS NULL OR tenant_id = ANY(@ids) ORDER BY tenant_id, device_id`,
		pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	if _, err = pgx.ForEachRow(rows, []any{&tenantID, &w.Device, &w.Number, &w.Location}, func() error {
		byID[tenantID].Places = append(byID[tenantID].Places, w)
		return nil
	}); err != nil {
		return err
	}
	var number string
	rows, err = tx.Query(ctx, `SELECT tenant_id, number FROM numbers WHERE @ids::text[] IS NULL OR tenant_id = ANY(@ids) ORDER BY tenant_id, number`,
		pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&tenantID, &number}, func() error {
		byID[tenantID].Numbers = append(byID[tenantID].Numbers, number)
		return nil
	})
	return err
}
