package provisioning

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tandem/postgres"
)

// AddKey adds an API key, of which hash is the SHA-256.
func (s *Service) AddKey(ctx context.Context, k postgres.Key, hash []byte) (postgres.Key, error) {
	k.ID, k.CreatedAt = cmp.Or(k.ID, uuid.NewString()), time.Now().UTC()
	var c checks
	c.id("id", k.ID)
	c.name("name", k.Name)
	c.that(len(k.Scopes) > 0, "scopes", "are none")
	lasts := k.ExpiresAt.Sub(k.CreatedAt)
	c.that(lasts > 0 && lasts <= MaxKeyLasts, "expires_at", "is not within the next five years")
	if c.err != nil {
		return k, c.err
	}
	return k, s.platform(ctx, func(tx *postgres.Tx) error { return tx.InsertKey(ctx, k, hash) })
}

// RevokeKey ends a key of a tenant's, or with an empty tenant of the platform's, at once.
func (s *Service) RevokeKey(ctx context.Context, tenant, id string) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		there, err := tx.RevokeKey(ctx, tenant, id)
		if err == nil && !there {
			return missing("key", "there is no such key")
		}
		return err
	})
}

// Undo puts an object back to what it was before a change of the audit.
func (s *Service) Undo(ctx context.Context, tenant string, id int64) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		switch err := tx.Undo(ctx, tenant, id); {
		case err == nil:
			return nil
		case errors.Is(err, postgres.ErrNotFound):
			return missing("change", "there is no such change")
		case errors.Is(err, postgres.ErrNotNewest):
			return conflict("change", "is not the newest of its object: something has happened to it since")
		default:
			return err
		}
	})
}
