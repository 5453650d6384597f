package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// CallRecording is what was recorded of a call by the element record.
type CallRecording struct {
	ID       string    `json:"id" db:"id" doc:"The call's id, a dot and a number."`
	Call     string    `json:"call" db:"call"`
	Leg      string    `json:"leg" db:"leg" doc:"Whose both sides were recorded."`
	From     string    `json:"from,omitempty" db:"from" doc:"Absent: hidden."`
	FromName string    `json:"from_name,omitempty" db:"from_name"`
	At       time.Time `json:"at" db:"at" doc:"When it began."`
	LengthMS int       `json:"length_ms,omitempty" db:"length_ms" doc:"Absent: not known before it is filed."`
	State    string    `json:"state" db:"state" enum:"new,kept,lost" doc:"new: it is being filed; lost: the media node has left no sound."`
	SHA256   string    `json:"sha256,omitempty" db:"hash"`
	Bytes    int64     `json:"bytes,omitempty" db:"bytes"`
	File     string    `json:"-" db:"file"` // name among what comes in
}

const callRecordingColumns = `replace(id, '/', '.') AS id, call, leg, "from", from_name, at, coalesce(length_ms, 0) AS length_ms, state, coalesce(hash, '') AS hash,
	coalesce(bytes, 0) AS bytes, file`

// CallRecordings are what a list of recordings of calls is made of: neither those that were deleted nor those that nobody wanted.
func CallRecordings() Listing[CallRecording] {
	return Listing[CallRecording]{Columns: callRecordingColumns, From: `recordings`, Where: `kind = 'call' AND deleted_at IS NULL AND state IN ('new', 'kept', 'lost')`, Key: "id",
		Fields: map[string]Field{"id": {Column: "recordings.id"}, "at": {Column: "at", Type: "timestamptz"}, "call": {Column: "call", FilterOnly: true},
			"from": {Column: `"from"`, FilterOnly: true}, "since": {Column: "at", Type: "timestamptz", Match: ">=", FilterOnly: true},
			"until": {Column: "at", Type: "timestamptz", Match: "<", FilterOnly: true}, "tenant": {Column: "tenant_id", FilterOnly: true}}}
}

// CallRecording reads one. ErrNotFound when it is not there, or deleted. id is as the list gives it.
func (s *Store) CallRecording(ctx context.Context, tenantID, id string) (CallRecording, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+callRecordingColumns+` FROM recordings
		 WHERE tenant_id = @tenant_id AND kind = 'call' AND id = replace(@id, '.', '/') AND deleted_at IS NULL AND state IN ('new', 'kept', 'lost')`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": text(id)})
	if err != nil {
		return CallRecording{}, fmt.Errorf("postgres: recording: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[CallRecording])
	if err != nil {
		return r, notFound("recording", err)
	}
	return r, nil
}

// DeleteCallRecording takes one away; its sound follows a day later. ErrNotFound when it is not there any more.
func (t *Tx) DeleteCallRecording(ctx context.Context, tenantID, id string) error {
	done, err := t.tx.Exec(ctx, `
		UPDATE recordings SET deleted_at = now()
		 WHERE tenant_id = @tenant_id AND kind = 'call' AND id = replace(@id, '.', '/') AND deleted_at IS NULL`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": text(id)})
	switch {
	case err != nil:
		return fmt.Errorf("postgres: delete recording: %w", err)
	case done.RowsAffected() == 0:
		return ErrNotFound
	}
	return nil
}
