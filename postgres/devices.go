package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// InsertDevice adds a device to a tenant. ha1 is the digest hash of its credentials, 32 hexadecimal digits.
func (t *Tx) InsertDevice(ctx context.Context, tenantID string, d tenants.Device, ha1 string) error {
	return t.exec(ctx, "insert device", `
		INSERT INTO devices (tenant_id, id, user_id, name, username, ha1)
		VALUES (@tenant_id, @id, @user_id, @name, @username, @ha1)`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": d.ID, "user_id": orNull(d.UserID), "name": d.Name,
			"username": d.Username, "ha1": ha1})
}

// Devices lists a tenant's devices in the order in which they were added.
func (t *Tx) Devices(ctx context.Context, tenantID string) ([]tenants.Device, error) {
	rows, err := t.tx.Query(ctx, `
		SELECT id, coalesce(user_id, '') AS user_id, name, username FROM devices WHERE tenant_id = @tenant_id
		 ORDER BY created_at, id`, pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: devices: %w", err)
	}
	devices, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.Device])
	if err != nil {
		return nil, fmt.Errorf("postgres: devices: %w", err)
	}
	return devices, nil
}

// SetDeviceHA1 replaces a device's credentials. Edges that cached the old ones must be told.
func (t *Tx) SetDeviceHA1(ctx context.Context, tenantID, id, ha1 string) error {
	return t.exec(ctx, "set device credentials", `
		UPDATE devices SET ha1 = @ha1 WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id, "ha1": ha1})
}
