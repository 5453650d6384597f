package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// UserRow is a user as those see it who look after it.
type UserRow struct {
	ID        string    `json:"id" db:"id"`
	Name      string    `json:"name" db:"name"`
	Extension string    `json:"extension" db:"extension"`
	Number    string    `json:"number,omitempty" db:"number" doc:"Shown to the outside; one of the tenant's numbers."`
	CreatedAt time.Time `json:"created_at" db:"created_at"`
}

// UserRows are what a list of users is made of.
func UserRows() Listing[UserRow] {
	return Listing[UserRow]{Columns: `id, name, extension, coalesce(number, '') AS number, created_at`, From: `users`, Key: "id", Fields: map[string]Field{
		"id": {Column: "id"}, "name": {Column: "name"}, "extension": {Column: "extension"}, "created_at": {Column: "created_at", Type: "timestamptz"},
		"number": {Column: "coalesce(number, '')", FilterOnly: true}, "tenant": {Column: "tenant_id", FilterOnly: true}}}
}

// DeviceRow is a device as those see it who look after it. Its password is kept nowhere.
type DeviceRow struct {
	ID        string    `json:"id" db:"id"`
	User      string    `json:"user,omitempty" db:"user_id" doc:"Whose it is; absent: nobody's, such as a door phone."`
	Name      string    `json:"name" db:"name"`
	Username  string    `json:"username" db:"username" doc:"Digest user, and user part of its address."`
	CreatedAt time.Time `json:"created_at" db:"created_at"`
}

// DeviceRows are what a list of devices is made of.
func DeviceRows() Listing[DeviceRow] {
	return Listing[DeviceRow]{Columns: `id, coalesce(user_id, '') AS user_id, name, username, created_at`, From: `devices`, Key: "id", Fields: map[string]Field{
		"id": {Column: "id"}, "name": {Column: "name"}, "username": {Column: "username"}, "created_at": {Column: "created_at", Type: "timestamptz"},
		"user": {Column: "coalesce(user_id, '')", FilterOnly: true}, "tenant": {Column: "tenant_id", FilterOnly: true}}}
}

// DraftRow is the draft of a flow, schedule or list, without its content.
type DraftRow struct {
	ID   string `json:"id" db:"id"`
	Name string `json:"name" db:"name"`
}

// DraftRows are what a list of drafts is made of.
func DraftRows(d Draft) Listing[DraftRow] {
	return Listing[DraftRow]{Columns: `id, name`, From: d.table(), Key: "id", Fields: map[string]Field{"id": {Column: "id"}, "name": {Column: "name"},
		"tenant": {Column: "tenant_id", FilterOnly: true}}}
}

// Draft is a kind of versioned configuration whose drafts have ids.
type Draft int

// The kinds.
const (
	DraftFlow Draft = iota
	DraftSchedule
	DraftList
)

func (d Draft) table() string { return [...]string{"flows", "schedules", "lists"}[d] }

// DeleteDraft removes a draft, and says whether there was one.
func (t *Tx) DeleteDraft(ctx context.Context, d Draft, tenantID, id string) (there bool, err error) {
	return t.deleteRow(ctx, "DELETE FROM "+d.table()+" WHERE tenant_id = @tenant_id AND id = @id", tenantID, id)
}

// DeleteRoute removes the draft of a route.
func (t *Tx) DeleteRoute(ctx context.Context, tenantID, dialled string) (there bool, err error) {
	return t.deleteRow(ctx, `DELETE FROM routes WHERE tenant_id = @tenant_id AND dialled = @id`, tenantID, dialled)
}

// DeleteUser removes a user with what he has set.
func (t *Tx) DeleteUser(ctx context.Context, tenantID, id string) (there bool, err error) {
	return t.deleteRow(ctx, `DELETE FROM users WHERE tenant_id = @tenant_id AND id = @id`, tenantID, id)
}

// DeleteDevice removes a device; edges that cached its credentials are told.
func (t *Tx) DeleteDevice(ctx context.Context, tenantID, id string) (there bool, err error) {
	return t.deleteRow(ctx, `DELETE FROM devices WHERE tenant_id = @tenant_id AND id = @id`, tenantID, id)
}

func (t *Tx) deleteRow(ctx context.Context, sql, tenantID, id string) (there bool, err error) {
	tag, err := t.tx.Exec(ctx, sql, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
	if err != nil {
		return false, fmt.Errorf("postgres: delete: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// UserRow reads one. ErrNotFound when the tenant has no such user.
func (t *Tx) UserRow(ctx context.Context, tenantID, id string) (UserRow, error) {
	return oneRow[UserRow](ctx, t, `
		SELECT id, name, extension, coalesce(number, '') AS number, created_at FROM users WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE`, tenantID, id)
}

// DeviceRow reads one. ErrNotFound when the tenant has no such device.
func (t *Tx) DeviceRow(ctx context.Context, tenantID, id string) (DeviceRow, error) {
	return oneRow[DeviceRow](ctx, t, `
		SELECT id, coalesce(user_id, '') AS user_id, name, username, created_at FROM devices WHERE tenant_id = @tenant_id AND id = @id FOR UPDATE`, tenantID, id)
}

func oneRow[T any](ctx context.Context, t *Tx, sql, tenantID, id string) (row T, err error) {
	rows, err := t.tx.Query(ctx, sql, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
	if err == nil {
		row, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return row, ErrNotFound
	}
	return row, wrapped(err, "postgres: one row")
}

// UpdateUser changes what may change of a user.
func (t *Tx) UpdateUser(ctx context.Context, tenantID string, u UserRow) error {
	return t.exec(ctx, "update user", `
		UPDATE users SET name = @name, extension = @extension, number = @number WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": u.ID, "name": u.Name, "extension": u.Extension, "number": orNull(u.Number)})
}

// UpdateDevice changes what may change of a device without a new password: the digest hash is made of its username too.
func (t *Tx) UpdateDevice(ctx context.Context, tenantID string, d DeviceRow) error {
	return t.exec(ctx, "update device", `
		UPDATE devices SET name = @name, user_id = @user_id WHERE tenant_id = @tenant_id AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": d.ID, "name": d.Name, "user_id": orNull(d.User)})
}
