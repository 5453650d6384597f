package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// Credential names the digest credentials of one device.
type Credential struct {
	Username string
	Domain   string
}

// credentialsAtOnce bounds one look at what has changed.
const credentialsAtOnce = 1000

// ChangedCredentials gives which credentials have changed or gone after a change, oldest first and within bounds, and which
// change was the last of them. After none (0) it begins a day ago: no edge keeps credentials for longer.
func (s *Store) ChangedCredentials(ctx context.Context, after int64) (changed []Credential, last int64, err error) {
	last = after
	rows, err := s.pool.Query(ctx, `
		SELECT id, username, domain FROM credential_changes
		 WHERE id > @after AND at > now() - interval '1 day' ORDER BY id LIMIT @limit`,
		pgx.StrictNamedArgs{"after": after, "limit": credentialsAtOnce})
	var c Credential
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&last, &c.Username, &c.Domain}, func() error { changed = append(changed, c); return nil })
	}
	if err != nil {
		return nil, after, fmt.Errorf("postgres: changed credentials: %w", err)
	}
	return changed, last, nil
}

// SetWhereabouts keeps where a device stands; none of both removes it.
func (t *Tx) SetWhereabouts(ctx context.Context, tenantID string, w tenants.Whereabouts) error {
	if w.Number == "" && w.Location == "" {
		return t.exec(ctx, "remove whereabouts", `DELETE FROM whereabouts WHERE tenant_id = @tenant_id AND device_id = @device`,
			pgx.StrictNamedArgs{"tenant_id": tenantID, "device": w.Device})
	}
	return t.exec(ctx, "set whereabouts", `
		INSERT INTO whereabouts (tenant_id, device_id, number, location) VALUES (@tenant_id, @device, @number, @location)
		ON CONFLICT (tenant_id, device_id) DO UPDATE SET number = excluded.number, location = excluded.location`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device": w.Device, "number": orNull(w.Number), "location": w.Location})
}
