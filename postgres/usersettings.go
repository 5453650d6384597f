package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// The kinds of forwarding as they are kept.
const (
	forwardAll      = "all"
	forwardBusy     = "busy"
	forwardNoAnswer = "no_answer"
)

// UserSettings reads what a user has set. One who has set nothing has the zero settings.
func (t *Tx) UserSettings(ctx context.Context, tenantID, userID string) (tenants.UserSettings, error) {
	found := map[string]*tenants.UserSettings{}
	err := eachUserSettings(ctx, t.tx, tenantID, userID, func(_, user string) *tenants.UserSettings {
		if found[user] == nil {
			found[user] = &tenants.UserSettings{User: user}
		}
		return found[user]
	})
	if err != nil {
		return tenants.UserSettings{}, fmt.Errorf("postgres: user settings: %w", err)
	}
	if s := found[userID]; s != nil {
		return *s, nil
	}
	return tenants.UserSettings{User: userID}, nil
}

// SaveUserSettings makes a user's settings what is given.
func (t *Tx) SaveUserSettings(ctx context.Context, tenantID string, s tenants.UserSettings, by string) error {
	err := t.exec(ctx, "save user settings", `
		INSERT INTO user_settings (tenant_id, user_id, no_answer_seconds, do_not_disturb, do_not_disturb_since, no_call_waiting,
		                           reject_anonymous, changed_by)
		VALUES (@tenant_id, @user_id, @no_answer_seconds, @do_not_disturb, @do_not_disturb_since, @no_call_waiting,
		        @reject_anonymous, @changed_by)
		ON CONFLICT (tenant_id, user_id) DO UPDATE SET no_answer_seconds = excluded.no_answer_seconds,
		       do_not_disturb = excluded.do_not_disturb, do_not_disturb_since = excluded.do_not_disturb_since,
		       no_call_waiting = excluded.no_call_waiting, reject_anonymous = excluded.reject_anonymous,
		       changed_by = excluded.changed_by, changed_at = now()`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "user_id": s.User, "no_answer_seconds": s.NoAnswerSeconds, "do_not_disturb": s.DoNotDisturb,
			"do_not_disturb_since": orNoTime(s.DisturbSince), "no_call_waiting": s.NoCallWaiting, "reject_anonymous": s.RejectAnonymous,
			"changed_by": by})
	if err != nil {
		return err
	}
	of := pgx.StrictNamedArgs{"tenant_id": tenantID, "user_id": s.User}
	if err := t.exec(ctx, "clear forwards", `DELETE FROM user_forwards WHERE tenant_id = @tenant_id AND user_id = @user_id`, of); err != nil {
		return err
	}
	if err := t.exec(ctx, "clear speed dials", `DELETE FROM speed_dials WHERE tenant_id = @tenant_id AND user_id = @user_id`, of); err != nil {
		return err
	}
	for kind, f := range map[string]tenants.Forward{forwardAll: s.ForwardAll, forwardBusy: s.ForwardBusy, forwardNoAnswer: s.ForwardNoAnswer} {
		if f == (tenants.Forward{}) {
			continue
		}
		if f.Since.IsZero() {
			f.Since = time.Now().UTC()
		}
		err := t.exec(ctx, "save forward", `
			INSERT INTO user_forwards (tenant_id, user_id, kind, active, target, confirm, since)
			VALUES (@tenant_id, @user_id, @kind, @active, @target, @confirm, @since)`,
			pgx.StrictNamedArgs{"tenant_id": tenantID, "user_id": s.User, "kind": kind, "active": f.On, "target": f.To, "confirm": f.Confirm, "since": f.Since})
		if err != nil {
			return err
		}
	}
	for key, number := range s.SpeedDials {
		err := t.exec(ctx, "save speed dial", `
			INSERT INTO speed_dials (tenant_id, user_id, key, number) VALUES (@tenant_id, @user_id, @key, @number)`,
			pgx.StrictNamedArgs{"tenant_id": tenantID, "user_id": s.User, "key": key, "number": number})
		if err != nil {
			return err
		}
	}
	return nil
}

// SettingChanged keeps who has changed what of a user's. command names the order of a call that does it, or is empty. It is false
// when that order was carried out before: then nothing is to be done again.
func (t *Tx) SettingChanged(ctx context.Context, tenantID, userID, by, command string, change any) (fresh bool, err error) {
	body, err := json.Marshal(change)
	if err != nil {
		return false, fmt.Errorf("postgres: setting change: %w", err)
	}
	tag, err := t.tx.Exec(ctx, `
		INSERT INTO setting_changes (tenant_id, user_id, changed_by, command, change)
		VALUES (@tenant_id, @user_id, @changed_by, @command, @change)
		ON CONFLICT (command) DO NOTHING`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "user_id": userID, "changed_by": by, "command": orNull(command), "change": body})
	if err != nil {
		return false, fmt.Errorf("postgres: setting change: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// LogIn makes a device the one of a user, until he logs out or another logs in.
func (t *Tx) LogIn(ctx context.Context, tenantID, deviceID, userID string) error {
	return t.exec(ctx, "log in", `
		INSERT INTO hot_desks (tenant_id, device_id, user_id) VALUES (@tenant_id, @device_id, @user_id)
		ON CONFLICT (tenant_id, device_id) DO UPDATE SET user_id = excluded.user_id, since = now()`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID, "user_id": userID})
}

// LogOut gives a device back to the user of the configuration, or nobody.
func (t *Tx) LogOut(ctx context.Context, tenantID, deviceID string) error {
	return t.exec(ctx, "log out", `DELETE FROM hot_desks WHERE tenant_id = @tenant_id AND device_id = @device_id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "device_id": deviceID})
}

// eachUserSettings reads what users have set, all users' if the tenant is empty, into what of gives.
func eachUserSettings(ctx context.Context, tx pgx.Tx, tenant, user string, of func(tenantID, userID string) *tenants.UserSettings) error {
	which := pgx.StrictNamedArgs{"tenant_id": tenant, "user_id": user}
	var tenantID, userID string
	var s tenants.UserSettings
	var since *time.Time
	rows, err := tx.Query(ctx, `
		SELECT tenant_id, user_id, no_answer_seconds, do_not_disturb, do_not_disturb_since, no_call_waiting, reject_anonymous
		  FROM user_settings WHERE @tenant_id = '' OR tenant_id = @tenant_id AND (@user_id = '' OR user_id = @user_id) ORDER BY tenant_id, user_id`, which)
	if err != nil {
		return err
	}
	into := []any{&tenantID, &userID, &s.NoAnswerSeconds, &s.DoNotDisturb, &since, &s.NoCallWaiting, &s.RejectAnonymous}
	if _, err = pgx.ForEachRow(rows, into, func() error {
		s.User, s.DisturbSince = userID, time.Time{}
		if since != nil {
			s.DisturbSince = since.UTC()
		}
		*of(tenantID, userID) = s
		return nil
	}); err != nil {
		return err
	}
	var kind string
	var f tenants.Forward
	rows, err = tx.Query(ctx, `
		SELECT tenant_id, user_id, kind, active, target, confirm, since
		  FROM user_forwards WHERE @tenant_id = '' OR tenant_id = @tenant_id AND (@user_id = '' OR user_id = @user_id) ORDER BY tenant_id, user_id`, which)
	if err != nil {
		return err
	}
	if _, err = pgx.ForEachRow(rows, []any{&tenantID, &userID, &kind, &f.On, &f.To, &f.Confirm, &f.Since}, func() error {
		f.Since = f.Since.UTC()
		switch of := of(tenantID, userID); kind {
		case forwardAll:
			of.ForwardAll = f
		case forwardBusy:
			of.ForwardBusy = f
		case forwardNoAnswer:
			of.ForwardNoAnswer = f
		}
		return nil
	}); err != nil {
		return err
	}
	var key, number string
	rows, err = tx.Query(ctx, `
		SELECT tenant_id, user_id, key, number
		  FROM speed_dials WHERE @tenant_id = '' OR tenant_id = @tenant_id AND (@user_id = '' OR user_id = @user_id) ORDER BY tenant_id, user_id`, which)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&tenantID, &userID, &key, &number}, func() error {
		of := of(tenantID, userID)
		if of.SpeedDials == nil {
			of.SpeedDials = map[string]string{}
		}
		of.SpeedDials[key] = number
		return nil
	})
	return err
}

// loadUserSettings fills in what users have set.
func loadUserSettings(ctx context.Context, tx pgx.Tx, byID map[string]*tenants.Tenant, ids []string) error {
	at := map[[2]string]int{}
	of := func(tenantID, userID string) *tenants.UserSettings {
		t, key := byID[tenantID], [2]string{tenantID, userID}
		i, known := at[key]
		if !known {
			i = len(t.Settings)
			at[key] = i
			t.Settings = append(t.Settings, tenants.UserSettings{User: userID})
		}
		return &t.Settings[i]
	}
	if ids == nil {
		return eachUserSettings(ctx, tx, "", "", of)
	}
	for _, id := range ids { // few, or all would be read
		if err := eachUserSettings(ctx, tx, id, "", of); err != nil {
			return err
		}
	}
	return nil
}

// orNoTime makes NULL of the zero time.
func orNoTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
