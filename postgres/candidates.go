package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// AddCandidate makes a document the tenant's next version, and gives it to a share of new calls, in percent. p.Version must be
// one more than the last; LastVersion gives it, under LockTenant.
func (t *Tx) AddCandidate(ctx context.Context, tenantID string, p tenants.Published, share int, by, comment string) error {
	if err := t.insertVersion(ctx, tenantID, p, by, comment); err != nil {
		return err
	}
	return t.exec(ctx, "add candidate", `UPDATE tenants SET candidate_version = @version, candidate_share = @share WHERE id = @tenant_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": p.Version, "share": share})
}

// SetShare changes the share of new calls that get the tenant's candidate.
func (t *Tx) SetShare(ctx context.Context, tenantID string, share int) error {
	return t.exec(ctx, "set share", `UPDATE tenants SET candidate_share = @share WHERE id = @tenant_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "share": share})
}

// PromoteCandidate gives the tenant's candidate to all new calls.
func (t *Tx) PromoteCandidate(ctx context.Context, tenantID string) error {
	return t.exec(ctx, "promote candidate", `
		UPDATE tenants SET published_version = candidate_version, candidate_version = NULL, candidate_share = NULL
		 WHERE id = @tenant_id AND candidate_version IS NOT NULL`, pgx.StrictNamedArgs{"tenant_id": tenantID})
}

// DropCandidate gives the tenant's candidate to no new calls any more.
func (t *Tx) DropCandidate(ctx context.Context, tenantID string) error {
	return t.exec(ctx, "drop candidate", `UPDATE tenants SET candidate_version = NULL, candidate_share = NULL WHERE id = @tenant_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
}

// What becomes of a candidate.
const (
	EventCanary    = "canary"    // it is given to a share of new calls
	EventShare     = "share"     // to another share
	EventPromoted  = "promoted"  // to all
	EventAbandoned = "abandoned" // to none
)

// VersionEvent is what became of a candidate version, who decided it and when.
type VersionEvent struct {
	Version int64     `json:"version"`
	Event   string    `json:"event"`
	Share   int       `json:"share"` // of a hundred new calls, from then on
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Comment string    `json:"comment"`
}

// AddVersionEvent keeps what became of a candidate. At is when the transaction began.
func (t *Tx) AddVersionEvent(ctx context.Context, tenantID string, e VersionEvent) error {
	return t.exec(ctx, "add version event", `
		INSERT INTO version_events (tenant_id, version, event, share, by, comment)
		VALUES (@tenant_id, @version, @event, @share, @by, @comment)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "version": e.Version, "event": e.Event, "share": e.Share, "by": text(e.By), "comment": text(e.Comment)})
}

// VersionEvents lists what became of some of a tenant's versions, the earliest first.
func (t *Tx) VersionEvents(ctx context.Context, tenantID string, versions []int64) ([]VersionEvent, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT version, event, share, at, by, comment FROM version_events
		 WHERE tenant_id = @tenant_id AND version = ANY (@versions) ORDER BY n`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "versions": versions})
	if err != nil {
		return nil, fmt.Errorf("postgres: version events: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[VersionEvent])
	if err != nil {
		return nil, fmt.Errorf("postgres: version events: %w", err)
	}
	return all, nil
}

// VersionOutcome is what the calls under one version came to, as far as they are over and recorded.
type VersionOutcome struct {
	Version  int64 `json:"version"`
	Calls    int   `json:"calls"`
	Answered int   `json:"answered"`
	Failed   int   `json:"failed"` // by the tenant's configuration, a carrier or the platform
}

// VersionOutcomes counts a tenant's calls that began since a moment, by the version that drove them.
func (s *Store) VersionOutcomes(ctx context.Context, tenantID string, since time.Time) ([]VersionOutcome, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT version, count(*)::int AS calls, count(answered_at)::int AS answered,
		       count(*) FILTER (WHERE fault IN ('tenant', 'carrier', 'platform'))::int AS failed
		  FROM cdrs WHERE tenant_id = @tenant_id AND role = 'caller' AND started_at >= @since
		 GROUP BY version ORDER BY version DESC`, pgx.StrictNamedArgs{"tenant_id": tenantID, "since": since})
	if err != nil {
		return nil, fmt.Errorf("postgres: version outcomes: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[VersionOutcome])
	if err != nil {
		return nil, fmt.Errorf("postgres: version outcomes: %w", err)
	}
	return all, nil
}
