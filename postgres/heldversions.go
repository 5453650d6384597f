package postgres

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// Bounds of the versions that a snapshot holds for calls that are up, besides the one that new calls get and a candidate. A call
// that outlives them has its version read from PostgreSQL should another worker take it over, and goes on under
// the current one, which its explanation says, if that cannot be done.
const (
	KeepVersions    = 24 * time.Hour // after they were given to new calls for the last time
	MaxKeptVersions = 32             // of one tenant: the last
)

// held is a version that a snapshot is to hold.
type held struct {
	TenantID    string
	Version     int64
	PublishedAt time.Time
}

// loadVersions gives each tenant its versions: from the previous snapshot what that has, and the rest from their documents.
func (s *Store) loadVersions(ctx context.Context, tx pgx.Tx, all []tenants.Tenant, only []string, previous *tenants.Snapshot) error {
	byID := make(map[string]*tenants.Tenant, len(all))
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	wanted, err := heldVersions(ctx, tx, only)
	if err != nil {
		return err
	}
	var ids []string
	var versions []int64
	for _, h := range wanted {
		if p, there := inMemory(previous, h); there {
			put(byID[h.TenantID], p)
			continue
		}
		ids, versions = append(ids, h.TenantID), append(versions, h.Version)
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT v.tenant_id, v.version, v.document FROM tenant_versions v
		  JOIN unnest(@ids::text[], @versions::bigint[]) AS w (tenant_id, version) USING (tenant_id, version)
		 ORDER BY v.tenant_id, v.version DESC`, pgx.StrictNamedArgs{"ids": ids, "versions": versions})
	if err != nil {
		return err
	}
	var id string
	var version int64
	var document []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &version, &document}, func() error {
		p, err := tenants.ReadPublished(document)
		if err != nil {
			s.Log.ErrorContext(ctx, "a published version cannot be read; its tenant's calls under it run without flows",
				slog.String("tenant_id", id), slog.Int64("version", version), slog.Any("error", err))
		}
		p.Version = version
		put(byID[id], p)
		return nil
	})
	return err
}

// heldVersions lists the versions that a snapshot is to hold, of some tenants or of all when only is nil, the newest of a tenant
// first.
func heldVersions(ctx context.Context, tx pgx.Tx, only []string) ([]held, error) {
	rows, err := tx.Query(ctx, `
		SELECT v.tenant_id, v.version, v.published_at
		  FROM tenant_versions v
		  JOIN (SELECT id AS tenant_id, published_version AS version FROM tenants WHERE @only::text[] IS NULL OR id = ANY(@only)
		        UNION
		        SELECT id, candidate_version FROM tenants WHERE @only::text[] IS NULL OR id = ANY(@only)
		        UNION
		        SELECT tenant_id, version
		          FROM (SELECT tenant_id, version, row_number() OVER (PARTITION BY tenant_id ORDER BY ended_at DESC, version DESC) AS place
		                  FROM version_ends WHERE ended_at > now() - make_interval(secs => @seconds) AND (@only::text[] IS NULL OR tenant_id = ANY(@only))) AS ended
		         WHERE place <= @most) AS h USING (tenant_id, version)
		 ORDER BY v.tenant_id, v.version DESC`, pgx.StrictNamedArgs{"seconds": KeepVersions.Seconds(), "most": MaxKeptVersions, "only": only})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[held])
}

// inMemory finds a version in a snapshot that may be nil. Its date tells a database that was restored from a backup.
func inMemory(s *tenants.Snapshot, h held) (p tenants.Published, there bool) {
	if s == nil {
		return p, false
	}
	t := s.Tenant(h.TenantID)
	if t == nil || t.At(h.Version) == nil || !t.At(h.Version).Published.PublishedAt.Equal(h.PublishedAt) {
		return p, false
	}
	return t.At(h.Version).Published, true
}

// put gives a tenant a version: the one that new calls get, or another.
func put(t *tenants.Tenant, p tenants.Published) {
	if t == nil {
		return // which the foreign keys rule out
	}
	if p.Version == t.Published.Version {
		t.Published = p
		return
	}
	t.Versions = append(t.Versions, p)
	slices.SortFunc(t.Versions, func(a, b tenants.Published) int { return cmp.Compare(b.Version, a.Version) }) // the newest first, wherever they are from
}
