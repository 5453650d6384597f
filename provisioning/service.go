package provisioning

import (
	"context"
	"errors"
	"net/netip"

	"tandem/postgres"
	"tandem/tenants"
)

// Service runs the use cases. Store is required.
type Service struct {
	Store  *postgres.Store
	Phones PhoneSettings
	// WebhookNetworks may hold webhooks although they are private.
	WebhookNetworks []netip.Prefix
	// Sounds keeps what is uploaded; nil: nothing can be.
	Sounds Sounds
}

// platform runs a use case that concerns no single tenant.
func (s *Service) platform(ctx context.Context, fn func(*postgres.Tx) error) error {
	return explained(s.Store.Change(ctx, fn))
}

// within runs a use case for one tenant, one at a time.
func (s *Service) within(ctx context.Context, tenantID string, fn func(*postgres.Tx, tenants.Tenant) error) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		t, err := tx.LockTenant(ctx, tenantID)
		if errors.Is(err, postgres.ErrNotFound) {
			return missing("tenant", "there is no such tenant")
		}
		if err != nil {
			return err
		}
		return fn(tx, t)
	})
}
