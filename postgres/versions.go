package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// Publish makes a document the tenant's next version and the one that workers run. p.Version must be one more than the
// last; LastVersion gives it, under LockTenant.
func (t *Tx) Publish(ctx context.Context, tenantID string, p tenants.Published, by, comment string) error {
	document, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("postgres: publish: %w", err)
	}
	if err := t.exec(ctx, "publish", `
		INSERT INTO tenant_versions (tenant_id, version, document, published_at, published_by, comment)
		VALUES (@tenant_id, @version, @document, @published_at, @published_by, @comment)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": p.Version, "document": document,
			"published_at": p.PublishedAt, "published_by": by, "comment": comment}); err != nil {
		return err
	}
	return t.exec(ctx, "publish", `UPDATE tenants SET published_version = @version WHERE id = @tenant_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": p.Version})
}

// LastVersion is the highest version that a tenant ever published, 0 for none.
func (t *Tx) LastVersion(ctx context.Context, tenantID string) (version int64, err error) {
	err = t.tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM tenant_versions WHERE tenant_id = @tenant_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID}).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("postgres: last version: %w", err)
	}
	return version, nil
}

// PublishedSame gives the version that a tenant runs when its content equals that of p, number and date aside. The
// second value says whether it does.
func (t *Tx) PublishedSame(ctx context.Context, tenantID string, p tenants.Published) (tenants.Published, bool, error) {
	document, err := json.Marshal(p)
	if err != nil {
		return p, false, fmt.Errorf("postgres: compare versions: %w", err)
	}
	var same tenants.Published
	err = t.tx.QueryRow(ctx, `
		SELECT v.document FROM tenants t
		  JOIN tenant_versions v ON v.tenant_id = t.id AND v.version = t.published_version
		 WHERE t.id = @tenant_id
		   AND v.document - 'version' - 'published_at' = @document::jsonb - 'version' - 'published_at'`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "document": document}).Scan(&same)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("postgres: compare versions: %w", err)
	}
	return same, true, nil
}

// Version reads one published version of a tenant, for explanations and replays. ErrNotFound when there is none.
func (s *Store) Version(ctx context.Context, tenantID string, version int64) (tenants.Published, error) {
	var p tenants.Published
	err := s.pool.QueryRow(ctx, `
		SELECT document FROM tenant_versions WHERE tenant_id = @tenant_id AND version = @version`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": version}).Scan(&p)
	if err != nil {
		return p, notFound("version", err)
	}
	return p, nil
}
