package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Key is an API key as everybody may see it who manages keys; the key itself is kept nowhere.
type Key struct {
	ID         string     `json:"id" db:"id"`
	Tenant     string     `json:"tenant,omitempty" db:"tenant_id"` // empty: the platform's
	Name       string     `json:"name" db:"name"`
	Scopes     []string   `json:"scopes" db:"scopes"`
	CreatedBy  string     `json:"created_by" db:"created_by"`
	CreatedAt  time.Time  `json:"created_at" db:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at" db:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" db:"last_used_at"` // within some minutes
	RevokedAt  *time.Time `json:"revoked_at,omitempty" db:"revoked_at"`
}

// usedWithin is how exactly it is known when a key was used last.
const usedWithin = 5 * time.Minute

// Keys are what a list of keys is made of.
func Keys() Listing[Key] {
	return Listing[Key]{Columns: `id, coalesce(tenant_id, '') AS tenant_id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at`, From: `api_keys`,
		Fields: map[string]Field{"id": {Column: "id"}, "name": {Column: "name"}, "tenant": {Column: "coalesce(tenant_id, '')", FilterOnly: true}, "created_at": {Column: "created_at", Type: "timestamptz"}},
		Key:    "id"}
}

// InsertKey adds a key, of which hash is the SHA-256.
func (t *Tx) InsertKey(ctx context.Context, k Key, hash []byte) error {
	return t.exec(ctx, "insert key", `
		INSERT INTO api_keys (id, tenant_id, name, hash, scopes, created_by, expires_at)
		VALUES (@id, @tenant_id, @name, @hash, @scopes, @created_by, @expires_at)`,
		pgx.StrictNamedArgs{"id": k.ID, "tenant_id": orNull(k.Tenant), "name": k.Name, "hash": hash, "scopes": list(k.Scopes), "created_by": k.CreatedBy,
			"expires_at": k.ExpiresAt})
}

// RevokeKey ends a key, and says whether there is such a one: of a tenant, or with an empty tenant the platform's.
func (t *Tx) RevokeKey(ctx context.Context, tenant, id string) (there bool, err error) {
	tag, err := t.tx.Exec(ctx, `
		UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = @id AND tenant_id IS NOT DISTINCT FROM @tenant`,
		pgx.StrictNamedArgs{"id": id, "tenant": orNull(tenant)})
	return tag.RowsAffected() > 0, wrapped(err, "postgres: revoke key")
}

// Caller is who a secret belongs to, as far as a request needs it.
type Caller struct {
	Key      string // id of the key; empty: it is a person
	Person   string
	Role     string   // a person's
	Scopes   []string // a key's
	Tenant   string   // empty: the platform's
	User     string   // of the tenant, for a person with the role user
	ActingAs string   // the tenant that the session was opened for
	// Within says whether the tenant that was asked about is the caller's, or below it.
	Within bool
}

// CallerByKey finds who may use a key, and whether the tenant that he asks about is within his own. ErrNotFound when the key is unknown,
// revoked or expired, or its tenant is gone.
func (s *Store) CallerByKey(ctx context.Context, hash []byte, about string) (Caller, error) {
	var c Caller
	var touch bool
	err := s.pool.QueryRow(ctx, `
		SELECT k.id, coalesce(k.tenant_id, ''), k.scopes, coalesce(k.last_used_at < now() - make_interval(secs => @within), true),
		       CASE WHEN k.tenant_id IS NULL THEN EXISTS (SELECT FROM tenants WHERE id = @about)
		            ELSE EXISTS (SELECT FROM tenant_tree WHERE tenant_id = @about AND ancestor_id = k.tenant_id) END
		  FROM api_keys k WHERE k.hash = @hash AND k.revoked_at IS NULL AND k.expires_at > now()`,
		pgx.StrictNamedArgs{"hash": hash, "about": about, "within": usedWithin.Seconds()}).Scan(&c.Key, &c.Tenant, &c.Scopes, &touch, &c.Within)
	if err != nil {
		return c, notFound("key", err)
	}
	if touch {
		if _, err := s.pool.Exec(ctx, `UPDATE api_keys SET last_used_at = now() WHERE hash = @hash`, pgx.StrictNamedArgs{"hash": hash}); err != nil {
			return c, fmt.Errorf("postgres: key: %w", err)
		}
	}
	return c, nil
}

// CallerBySession finds whose session a token opens, as CallerByKey does.
func (s *Store) CallerBySession(ctx context.Context, hash []byte, about string) (Caller, error) {
	var c Caller
	err := s.pool.QueryRow(ctx, `
		SELECT p.id, p.role, coalesce(p.tenant_id, ''), coalesce(p.user_id, ''), coalesce(s.acting_as, ''),
		       CASE WHEN coalesce(s.acting_as, p.tenant_id) IS NULL THEN EXISTS (SELECT FROM tenants WHERE id = @about)
		            ELSE EXISTS (SELECT FROM tenant_tree WHERE tenant_id = @about AND ancestor_id = coalesce(s.acting_as, p.tenant_id)) END
		  FROM sessions s JOIN people p ON p.id = s.person_id
		 WHERE s.hash = @hash AND s.expires_at > now() AND NOT p.disabled
		   AND (s.acting_as IS NULL OR p.tenant_id IS NULL OR EXISTS (SELECT FROM tenant_tree WHERE tenant_id = s.acting_as AND ancestor_id = p.tenant_id))`,
		pgx.StrictNamedArgs{"hash": hash, "about": about}).Scan(&c.Person, &c.Role, &c.Tenant, &c.User, &c.ActingAs, &c.Within)
	if err != nil {
		return c, notFound("session", err)
	}
	return c, nil
}

// Within says whether a tenant is another, or below it.
func (s *Store) Within(ctx context.Context, above, tenant string) (within bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tenant_tree WHERE tenant_id = @tenant AND ancestor_id = @above)`,
		pgx.StrictNamedArgs{"tenant": tenant, "above": above}).Scan(&within)
	return within, wrapped(err, "postgres: within")
}
