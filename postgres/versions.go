package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
	"tandem/webhooks"
)

// Publish makes a document the tenant's next version and the one that workers run, and tells of it. p.Version must be one more than the
// last; LastVersion gives it, under LockTenant.
func (t *Tx) Publish(ctx context.Context, tenantID string, p tenants.Published, by, comment string) error {
	if err := t.insertVersion(ctx, tenantID, p, by, comment); err != nil {
		return err
	}
	if err := t.exec(ctx, "publish", `UPDATE tenants SET published_version = @version WHERE id = @tenant_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": p.Version}); err != nil {
		return err
	}
	_, err := t.AddEvent(ctx, webhooks.Published(tenantID, p.Version, by, comment, p.PublishedAt))
	return err
}

func (t *Tx) insertVersion(ctx context.Context, tenantID string, p tenants.Published, by, comment string) error {
	document, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("postgres: publish: %w", err)
	}
	return t.exec(ctx, "publish", `
		INSERT INTO tenant_versions (tenant_id, version, document, published_at, published_by, comment)
		VALUES (@tenant_id, @version, @document, @published_at, @published_by, @comment)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": p.Version, "document": document,
			"published_at": p.PublishedAt, "published_by": by, "comment": comment})
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

// VersionInfo is who published a version, when, and what was said of it.
type VersionInfo struct {
	Version     int64     `json:"version"`
	PublishedAt time.Time `json:"published_at"`
	PublishedBy string    `json:"published_by"`
	Comment     string    `json:"comment"`
	Live        bool      `json:"live"`  // it is the one that new calls get
	Share       int       `json:"share"` // of a hundred new calls that get it, while it is a candidate; 0 otherwise
}

// Versions lists up to limit of a tenant's versions, the newest first: those before a version, or all when before is 0.
func (t *Tx) Versions(ctx context.Context, tenantID string, before int64, limit int) ([]VersionInfo, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT v.version, v.published_at, v.published_by, v.comment, coalesce(v.version = t.published_version, false) AS live,
		       CASE WHEN v.version = t.candidate_version THEN t.candidate_share ELSE 0 END AS share
		  FROM tenant_versions v JOIN tenants t ON t.id = v.tenant_id
		 WHERE v.tenant_id = @tenant_id AND (@before::bigint = 0 OR v.version < @before)
		 ORDER BY v.version DESC LIMIT @limit`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "before": before, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("postgres: versions: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[VersionInfo])
	if err != nil {
		return nil, fmt.Errorf("postgres: versions: %w", err)
	}
	return all, nil
}

// Version reads one published version of a tenant and what is kept of its publishing. ErrNotFound when there is none.
func (t *Tx) Version(ctx context.Context, tenantID string, version int64) (p tenants.Published, info VersionInfo, err error) {
	err = t.tx.QueryRow(ctx, `
		SELECT v.document, v.version, v.published_at, v.published_by, v.comment, coalesce(v.version = t.published_version, false),
		       CASE WHEN v.version = t.candidate_version THEN t.candidate_share ELSE 0 END
		  FROM tenant_versions v JOIN tenants t ON t.id = v.tenant_id
		 WHERE v.tenant_id = @tenant_id AND v.version = @version`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": version}).
		Scan(&p, &info.Version, &info.PublishedAt, &info.PublishedBy, &info.Comment, &info.Live, &info.Share)
	if err != nil {
		return p, info, notFound("version", err)
	}
	return p, info, nil
}

// ClearDrafts takes away all drafts of what is versioned. It must be followed by saving others.
func (t *Tx) ClearDrafts(ctx context.Context, tenantID string) error {
	for _, statement := range []string{ // routes first: they refer to flows
		`DELETE FROM routes WHERE tenant_id = @tenant_id`, `DELETE FROM flows WHERE tenant_id = @tenant_id`,
		`DELETE FROM schedules WHERE tenant_id = @tenant_id`, `DELETE FROM lists WHERE tenant_id = @tenant_id`,
		`DELETE FROM blocked_callers WHERE tenant_id = @tenant_id`,
	} {
		if err := t.exec(ctx, "clear drafts", statement, pgx.StrictNamedArgs{"tenant_id": tenantID}); err != nil {
			return err
		}
	}
	return nil
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
