package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"
)

// AuditEntry is a change that somebody made to one row of configuration. Secrets are not in it.
type AuditEntry struct {
	ID       int64           `json:"id" db:"id"`
	At       time.Time       `json:"at" db:"at"`
	Tenant   string          `json:"tenant,omitempty" db:"tenant_id"`
	Object   string          `json:"object" db:"object" doc:"What kind of thing was changed, such as devices."`
	ObjectID string          `json:"object_id" db:"object_id" doc:"Which one, within the tenant."`
	Change   string          `json:"change" db:"change" enum:"created,updated,deleted"`
	Actor    string          `json:"actor" db:"actor" doc:"Who: key/ID or person/ID."`
	Address  string          `json:"address" db:"address"`
	Request  string          `json:"request" db:"request" doc:"What one request has done has one of these."`
	Before   json.RawMessage `json:"before,omitempty" db:"before" doc:"The row as it was, without secrets."`
	After    json.RawMessage `json:"after,omitempty" db:"after" doc:"The row as it became, without secrets."`
	Newest   bool            `json:"newest" db:"newest" doc:"Nothing has happened to the object since: the change can be undone."`
	UndoneBy *int64          `json:"undone_by,omitempty" db:"undone_by" doc:"The entry of the change that undid this one."`
}

// Audit is what a list of changes is made of.
func Audit() Listing[AuditEntry] {
	return Listing[AuditEntry]{
		Columns: `a.id, a.at, coalesce(a.tenant_id, '') AS tenant_id, a.object, a.object_id, a.change, a.actor, a.address, a.request, a.before, a.after, a.undone_by,
			a.undone_by IS NULL AND a.object <> 'calls' AND NOT EXISTS (SELECT FROM audit b WHERE b.object = a.object AND b.tenant_id IS NOT DISTINCT FROM a.tenant_id
			    AND b.object_id = a.object_id AND b.id > a.id) AS newest`,
		From: `audit a`,
		Key:  "id",
		Fields: map[string]Field{"id": {Column: "a.id", Type: "bigint"}, "object": {Column: "a.object", FilterOnly: true}, "object_id": {Column: "a.object_id", FilterOnly: true},
			"tenant": {Column: "coalesce(a.tenant_id, '')", FilterOnly: true}, "actor": {Column: "a.actor", FilterOnly: true}, "request": {Column: "a.request", FilterOnly: true},
			"since": {Column: "a.at", Type: "timestamptz", Match: ">=", FilterOnly: true}, "until": {Column: "a.at", Type: "timestamptz", Match: "<", FilterOnly: true}}}
}

// Undo puts an object back to what it was before a change, which must be the newest of it. ErrNotFound when there is no such change of
// the tenant's (empty: of the platform's); ErrNotNewest when something has happened to the object since.
func (t *Tx) Undo(ctx context.Context, tenant string, id int64) error {
	var outcome string
	err := t.tx.QueryRow(ctx, `SELECT CASE WHEN EXISTS (SELECT FROM audit WHERE id = @id AND object = 'calls') THEN 'later' ELSE undo_change(@id, @tenant) END`, pgx.StrictNamedArgs{"id": id, "tenant": orNull(tenant)}).Scan(&outcome)
	if err != nil {
		return wrapped(err, "postgres: undo")
	}
	switch outcome {
	case "undone":
		return nil
	case "unknown":
		return ErrNotFound
	}
	return ErrNotNewest
}

// NoteCall writes down what somebody did to a live call: it is no row of configuration, and is not undone. Who it was stands in the
// context's scope. What he did becomes the entry's After.
func (s *Store) NoteCall(ctx context.Context, tenant, call string, did any) error {
	who := ScopeOf(ctx)
	after, err := json.Marshal(did)
	if err != nil {
		return wrapped(err, "postgres: note call")
	}
	_, err = s.pool.Exec(ctx, `
		INSERT INTO audit (tenant_id, object, object_id, change, actor, address, request, after)
		VALUES (@tenant, 'calls', @call, 'updated', @actor, @address, @request, @after)`, pgx.StrictNamedArgs{"tenant": orNull(tenant), "call": text(call),
		"actor": text(who.Actor), "address": text(who.Address), "request": text(who.Request), "after": after})
	return wrapped(err, "postgres: note call")
}
