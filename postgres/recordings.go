package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
)

// InsertRecordings keeps a batch of recordings in one transaction and says how many rows it wrote. One that is there already
// is left as it is, except that a length that was not known is filled in. Errors are as with InsertCDRs.
func (s *Store) InsertRecordings(ctx context.Context, recordings []messages.Recording) (written int, err error) {
	recordings = slices.Clone(recordings)
	slices.SortStableFunc(recordings, func(a, b messages.Recording) int { return cmp.Compare(a.ID, b.ID) })
	var batch pgx.Batch
	for i := range recordings {
		r := &recordings[i]
		state := "new"
		if r.Discard {
			state = "discard"
		}
		batch.Queue(`
			INSERT INTO recordings AS r (id, tenant_id, kind, call, leg, box, file, "from", from_name, at, length_ms, least_ms, state)
			VALUES (@id, @tenant_id, @kind, @call, @leg, @box, @file, @from, @from_name, @at, nullif(@length_ms, 0), @least_ms, @state)
			ON CONFLICT (id) DO UPDATE
			SET length_ms = excluded.length_ms, state = excluded.state, leg = excluded.leg, "from" = excluded."from", from_name = excluded.from_name
			WHERE r.length_ms IS NULL AND excluded.length_ms IS NOT NULL AND r.state = 'new'`,
			pgx.StrictNamedArgs{"id": text(r.ID), "tenant_id": text(r.Tenant), "kind": string(r.Kind), "call": text(r.Call), "leg": text(r.Leg),
				"box": text(r.Box), "file": text(r.File), "from": text(r.From), "from_name": text(r.FromName), "at": r.At, "length_ms": r.LengthMS,
				"least_ms": r.LeastMS, "state": state})
	}
	if written, err = s.send(ctx, &batch, len(recordings)); err != nil {
		return 0, fmt.Errorf("postgres: insert recordings: %w", err)
	}
	return written, nil
}

// OpenRecording is one whose file is not filed yet.
type OpenRecording struct {
	ID       string
	File     string
	LengthMS int // 0: not known
	LeastMS  int
	Discard  bool
	Since    time.Time // when the ledger learned of it
}

// OpenRecordings lists recordings that are not filed yet, the oldest first.
func (s *Store) OpenRecordings(ctx context.Context, limit int) ([]OpenRecording, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, file, coalesce(length_ms, 0), least_ms, state = 'discard', recorded_at FROM recordings
		 WHERE state IN ('new', 'discard') ORDER BY recorded_at LIMIT @limit`, pgx.StrictNamedArgs{"limit": limit})
	if err != nil {
		return nil, fmt.Errorf("postgres: open recordings: %w", err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OpenRecording])
	if err != nil {
		return nil, fmt.Errorf("postgres: open recordings: %w", err)
	}
	return open, nil
}

// Filed is what the filing of a recording's file came to.
type Filed struct {
	Hash     string // SHA-256; empty: it is not kept
	Bytes    int64
	LengthMS int
	Lost     bool // there was no file
}

// FileRecording notes what the filing came to, and tells of a message that is kept. Filing twice is filing once.
func (s *Store) FileRecording(ctx context.Context, id string, f Filed) error {
	state := "discarded"
	switch {
	case f.Lost:
		state = "lost"
	case f.Hash != "":
		state = "kept"
	}
	_, err := s.pool.Exec(ctx, `
		WITH filed AS (
		    UPDATE recordings SET state = @state, hash = @hash, bytes = @bytes, length_ms = coalesce(nullif(@length_ms, 0), length_ms), filed_at = now()
		     WHERE id = @id AND state IN ('new', 'discard')
		    RETURNING id, tenant_id, kind, state, box, call, "from", from_name, at, length_ms
		)
		INSERT INTO outbox (tenant_id, type, subject, at, data)
		SELECT tenant_id, 'voicemail.kept', 'call:' || call, now(),
		       json_build_object('message', id, 'box', box, 'call', call, 'from', "from", 'from_name', from_name,
		                         'recorded_at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'length_ms', coalesce(length_ms, 0))
		  FROM filed WHERE kind = 'voicemail' AND state = 'kept'`,
		pgx.StrictNamedArgs{"id": id, "state": state, "hash": orNull(f.Hash), "bytes": f.Bytes, "length_ms": f.LengthMS})
	if err != nil {
		return fmt.Errorf("postgres: file recording: %w", err)
	}
	return nil
}

// KnownFiles says which of these files the ledger knows recordings of, and of which the incoming file is still needed.
func (s *Store) KnownFiles(ctx context.Context, files []string) (needed map[string]bool, err error) {
	rows, err := s.pool.Query(ctx, `SELECT file, state IN ('new', 'discard') FROM recordings WHERE file = ANY (@files)`, pgx.StrictNamedArgs{"files": files})
	if err != nil {
		return nil, fmt.Errorf("postgres: known files: %w", err)
	}
	needed = map[string]bool{}
	var file string
	var open bool
	if _, err = pgx.ForEachRow(rows, []any{&file, &open}, func() error { needed[file] = needed[file] || open; return nil }); err != nil {
		return nil, fmt.Errorf("postgres: known files: %w", err)
	}
	return needed, nil
}

// PurgeDeleted gives the hashes of recordings that were deleted before a moment and of which neither another recording nor media has the
// same sound; their files can go. PurgedHash notes that they went.
func (s *Store) PurgeDeleted(ctx context.Context, before time.Time, limit int) (hashes []string, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT r.hash FROM recordings r
		 WHERE r.deleted_at < @before AND r.purged_at IS NULL AND r.hash IS NOT NULL
		   AND NOT EXISTS (SELECT FROM recordings o WHERE o.hash = r.hash AND (o.deleted_at IS NULL OR o.deleted_at >= @before))
		   AND NOT EXISTS (SELECT FROM media m WHERE m.hash = r.hash)
		 LIMIT @limit`, pgx.StrictNamedArgs{"before": before, "limit": limit})
	if err == nil {
		hashes, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: deleted recordings: %w", err)
	}
	return hashes, nil
}

// PurgedHash notes that a sound is gone.
func (s *Store) PurgedHash(ctx context.Context, hash string) error {
	_, err := s.pool.Exec(ctx, `UPDATE recordings SET purged_at = now() WHERE hash = @hash AND purged_at IS NULL AND deleted_at IS NOT NULL`,
		pgx.StrictNamedArgs{"hash": hash})
	if err != nil {
		return fmt.Errorf("postgres: purge recordings: %w", err)
	}
	return nil
}

// RecordingRow is a recording as it is kept.
type RecordingRow struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	Call     string     `json:"call"`
	Box      string     `json:"box,omitempty"`
	From     string     `json:"from"`
	FromName string     `json:"from_name,omitempty"`
	At       time.Time  `json:"at"`
	LengthMS int        `json:"length_ms"`
	State    string     `json:"state"`          // new, kept, discarded, lost
	Hash     string     `json:"hash,omitempty"` // SHA-256 of its file
	Bytes    int64      `json:"bytes,omitempty"`
	HeardAt  *time.Time `json:"heard_at,omitempty"`
	File     string     `json:"-"` // name among what comes in
}

// RecordingsOf lists what was recorded of a call, the deleted left out.
func (s *Store) RecordingsOf(ctx context.Context, call string) ([]RecordingRow, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, kind, call, box, "from", from_name, at, coalesce(length_ms, 0), state, coalesce(hash, ''), coalesce(bytes, 0), heard_at, file
		  FROM recordings WHERE call = @call AND deleted_at IS NULL ORDER BY at, id`, pgx.StrictNamedArgs{"call": call})
	if err != nil {
		return nil, fmt.Errorf("postgres: recordings: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[RecordingRow])
	if err != nil {
		return nil, fmt.Errorf("postgres: recordings: %w", err)
	}
	return all, nil
}
