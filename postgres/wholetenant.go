package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// WholeTenant is a tenant with all that is its own and current; drafts and versions are read by themselves.
type WholeTenant struct {
	tenants.Tenant // users and devices as they are configured: who has logged in where does not count
	Boxes          []string
	Phones         []Phone // devices that provision themselves
	Trunks         []tenants.Trunk
	Outbound       []tenants.OutboundRoute // of its own trunks
}

// WholeTenant reads a tenant, under LockTenant.
func (t *Tx) WholeTenant(ctx context.Context, id string) (w WholeTenant, err error) {
	w.ID = id
	err = t.tx.QueryRow(ctx, `
		SELECT name, domain, time_zone, language, suspended, max_calls, coalesce(main_number, ''), country, international_prefix, national_prefix,
		       area_code, may_call_out, blocked_prefixes, max_outgoing, outgoing_per_second, shown_numbers, withheld, max_calls_per_second,
		       coalesce(published_version, 0), coalesce(candidate_version, 0), coalesce(candidate_share, 0), music_on_hold
		  FROM tenants WHERE id = @id`, pgx.StrictNamedArgs{"id": id}).
		Scan(&w.Name, &w.Domain, &w.TimeZone, &w.Language, &w.Suspended, &w.MaxCalls, &w.MainNumber, &w.Dialling.Country, &w.Dialling.InternationalPrefix,
			&w.Dialling.NationalPrefix, &w.Dialling.AreaCode, &w.CallingOut.Allowed, &w.CallingOut.BlockedPrefixes, &w.CallingOut.MaxCalls,
			&w.CallingOut.PerSecond, &w.CallingOut.Shown, &w.CallingOut.Withheld, &w.MaxCallsPerSecond,
			&w.Published.Version, &w.Candidate.Version, &w.Candidate.Share, &w.MusicOnHold)
	if err != nil {
		return w, notFound("whole tenant", err)
	}
	if w.Users, err = t.Users(ctx, id); err != nil {
		return w, err
	}
	if w.Devices, err = t.Devices(ctx, id); err != nil {
		return w, err
	}
	if w.Numbers, err = t.Numbers(ctx, id); err != nil {
		return w, err
	}
	if err := loadUserSettings(ctx, t.tx, map[string]*tenants.Tenant{id: &w.Tenant}, []string{id}); err != nil {
		return w, fmt.Errorf("postgres: whole tenant: %w", err)
	}
	if w.Trunks, err = loadTrunks(ctx, t.tx, &id); err != nil {
		return w, fmt.Errorf("postgres: whole tenant: %w", err)
	}
	return w, t.wholeRest(ctx, &w)
}

func (t *Tx) wholeRest(ctx context.Context, w *WholeTenant) error {
	of := pgx.StrictNamedArgs{"tenant_id": w.ID}
	rows, err := t.tx.Query(ctx, `SELECT device_id, coalesce(number, ''), location FROM whereabouts WHERE tenant_id = @tenant_id ORDER BY device_id`, of)
	if err == nil {
		w.Places, err = pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.Whereabouts])
	}
	if err == nil {
		rows, err = t.tx.Query(ctx, `SELECT device_id, mac, vendor, model, time_zone, codecs, keys, note FROM phones WHERE tenant_id = @tenant_id ORDER BY device_id`, of)
	}
	if err == nil {
		w.Phones, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Phone])
	}
	if err == nil {
		rows, err = t.tx.Query(ctx, `SELECT box FROM voicemail_boxes WHERE tenant_id = @tenant_id ORDER BY box`, of)
	}
	if err == nil {
		w.Boxes, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err == nil {
		rows, err = t.tx.Query(ctx, `
			SELECT r.prefix, r.position, r.trunk_id FROM outbound_routes r JOIN trunks t ON t.id = r.trunk_id
			 WHERE t.tenant_id = @tenant_id ORDER BY r.prefix, r.position, r.trunk_id`, of)
	}
	if err == nil {
		w.Outbound, err = pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.OutboundRoute])
	}
	if err != nil {
		return fmt.Errorf("postgres: whole tenant: %w", err)
	}
	return nil
}

// HoldConfiguration keeps other changes of configuration waiting until the transaction is over. The tenant counts as touched.
func (t *Tx) HoldConfiguration(ctx context.Context, tenantID string) error {
	return t.exec(ctx, "hold configuration", `UPDATE tenants SET name = name WHERE id = @id`, pgx.StrictNamedArgs{"id": tenantID})
}

// ExchangeNames lets extensions of users and user names of devices change places until the transaction is over; whose they are is
// looked at when it ends.
func (t *Tx) ExchangeNames(ctx context.Context) error {
	return t.exec(ctx, "exchange names", `SET CONSTRAINTS users_extension_key, devices_username_key DEFERRED`, nil)
}

// SettleNames looks at them now.
func (t *Tx) SettleNames(ctx context.Context) error {
	return t.exec(ctx, "settle names", `SET CONSTRAINTS users_extension_key, devices_username_key IMMEDIATE`, nil)
}

// SetTenant sets what a tenant is called, where it is and what it speaks.
func (t *Tx) SetTenant(ctx context.Context, id, name, timeZone, language string) error {
	return t.exec(ctx, "set tenant", `UPDATE tenants SET name = @name, time_zone = @time_zone, language = @language WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "name": name, "time_zone": timeZone, "language": language})
}

// ReplaceUser makes a user what is given.
func (t *Tx) ReplaceUser(ctx context.Context, tenantID string, u tenants.User) error {
	return t.exec(ctx, "replace user", `
		UPDATE users SET name = @name, extension = @extension, number = @number WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": u.ID, "name": u.Name, "extension": u.Extension, "number": orNull(u.Number)})
}

// DropUser removes a user with what he has set. What refers to him must be gone.
func (t *Tx) DropUser(ctx context.Context, tenantID, id string) error {
	return t.exec(ctx, "drop user", `DELETE FROM users WHERE tenant_id = @tenant_id AND id = @id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
}

// DropUserSettings removes what a user has set.
func (t *Tx) DropUserSettings(ctx context.Context, tenantID, userID string) error {
	return t.exec(ctx, "drop user settings", `DELETE FROM user_settings WHERE tenant_id = @tenant_id AND user_id = @user_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "user_id": userID})
}

// ReplaceDevice makes a device what is given. One with another user name needs another password.
func (t *Tx) ReplaceDevice(ctx context.Context, tenantID string, d tenants.Device) error {
	return t.exec(ctx, "replace device", `
		UPDATE devices SET user_id = @user_id, name = @name, username = @username WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": d.ID, "user_id": orNull(d.UserID), "name": d.Name, "username": d.Username})
}

// DropDevice removes a device with its whereabouts. What refers to it must be gone.
func (t *Tx) DropDevice(ctx context.Context, tenantID, id string) error {
	return t.exec(ctx, "drop device", `DELETE FROM devices WHERE tenant_id = @tenant_id AND id = @id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
}

// DropPIN takes the PIN of a box away: nobody can open it by telephone. Its messages stay.
func (t *Tx) DropPIN(ctx context.Context, tenantID, box string) error {
	return t.exec(ctx, "drop PIN", `DELETE FROM voicemail_boxes WHERE tenant_id = @tenant_id AND box = @box`, pgx.StrictNamedArgs{"tenant_id": tenantID, "box": box})
}

// FreeTrunk takes the addresses and the device of a tenant's own trunk away, so that another can have them. It is saved or removed after that.
func (t *Tx) FreeTrunk(ctx context.Context, tenantID, id string) error {
	if err := t.exec(ctx, "free trunk", `
		DELETE FROM trunk_addresses a USING trunks t WHERE t.id = a.trunk_id AND t.tenant_id = @tenant_id AND t.id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id}); err != nil {
		return err
	}
	return t.exec(ctx, "free trunk", `UPDATE trunks SET device_id = NULL WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
}

// TrunkOwner gives the owner of a trunk, called or not: a tenant's id, or "" for the platform.
func (t *Tx) TrunkOwner(ctx context.Context, id string) (owner string, there bool, err error) {
	err = t.tx.QueryRow(ctx, `SELECT coalesce(tenant_id, '') FROM trunks WHERE id = @id`, pgx.StrictNamedArgs{"id": id}).Scan(&owner)
	if err == pgx.ErrNoRows {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("postgres: trunk owner: %w", err)
	}
	return owner, true, nil
}
