package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// LoadData reads all that workers decide from, as of one moment, in a fixed number of queries. A published document that
// this release cannot read leaves its tenant without flows and is logged; the other tenants live on.
func (s *Store) LoadData(ctx context.Context) (tenants.Data, error) {
	data := tenants.Data{LoadedAt: time.Now().UTC()}
	moment := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, s.pool, moment, func(tx pgx.Tx) error {
		var err error
		if data.Revision, err = currentRevision(ctx, tx); err != nil {
			return err
		}
		if data.Tenants, err = s.loadTenants(ctx, tx); err != nil {
			return err
		}
		if err = loadBelongings(ctx, tx, data.Tenants); err != nil {
			return err
		}
		if data.Trunks, err = loadTrunks(ctx, tx); err != nil {
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
	})
	if err != nil {
		return tenants.Data{}, fmt.Errorf("postgres: load configuration: %w", err)
	}
	return data, nil
}

func (s *Store) loadTenants(ctx context.Context, tx pgx.Tx) ([]tenants.Tenant, error) {
	rows, err := tx.Query(ctx, `
		SELECT t.id, t.name, t.domain, t.time_zone, t.language, t.suspended, t.max_calls,
		       coalesce(t.main_number, ''), t.country, t.international_prefix, t.national_prefix, t.area_code,
		       t.may_call_out, t.blocked_prefixes, t.max_outgoing, t.outgoing_per_second,
		       t.max_calls_per_second, coalesce(t.published_version, 0), v.document
		  FROM tenants t
		  LEFT JOIN tenant_versions v ON v.tenant_id = t.id AND v.version = t.published_version
		 ORDER BY t.id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (tenants.Tenant, error) {
		var t tenants.Tenant
		var version int64
		var document []byte
		if err := row.Scan(&t.ID, &t.Name, &t.Domain, &t.TimeZone, &t.Language, &t.Suspended, &t.MaxCalls,
			&t.MainNumber, &t.Dialling.Country, &t.Dialling.InternationalPrefix, &t.Dialling.NationalPrefix, &t.Dialling.AreaCode,
			&t.CallingOut.Allowed, &t.CallingOut.BlockedPrefixes, &t.CallingOut.MaxCalls, &t.CallingOut.PerSecond,
			&t.MaxCallsPerSecond, &version, &document); err != nil {
			return t, err
		}
		if document == nil {
			return t, nil
		}
		if err := json.Unmarshal(document, &t.Published); err != nil {
			s.Log.ErrorContext(ctx, "a published version cannot be read; its tenant runs without flows",
				slog.String("tenant_id", t.ID), slog.Int64("version", version), slog.Any("error", err))
			t.Published = tenants.Published{Version: version}
		}
		return t, nil
	})
}

// loadBelongings fills in what is always current. Rows come sorted by tenant, as the tenants are, but each is put by its
// tenant's id: one tenant's device must never land with another by a mistake in sorting.
func loadBelongings(ctx context.Context, tx pgx.Tx, all []tenants.Tenant) error {
	byID := make(map[string]*tenants.Tenant, len(all))
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	var tenantID string
	var u tenants.User
	rows, err := tx.Query(ctx, `
		SELECT tenant_id, id, name, extension, coalesce(number, '') FROM users ORDER BY tenant_id, created_at, id`)
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
		SELECT tenant_id, id, coalesce(user_id, ''), name, username FROM devices ORDER BY tenant_id, created_at, id`)
	if err != nil {
		return err
	}
	if _, err = pgx.ForEachRow(rows, []any{&tenantID, &d.ID, &d.UserID, &d.Name, &d.Username}, func() error {
		byID[tenantID].Devices = append(byID[tenantID].Devices, d)
		return nil
	}); err != nil {
		return err
	}
	var number string
	rows, err = tx.Query(ctx, `SELECT tenant_id, number FROM numbers ORDER BY tenant_id, number`)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&tenantID, &number}, func() error {
		byID[tenantID].Numbers = append(byID[tenantID].Numbers, number)
		return nil
	})
	return err
}
