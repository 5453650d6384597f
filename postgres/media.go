package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// MediaRow is a sound that a tenant has brought. What is in it is in the media folder, by its hash.
type MediaRow struct {
	ID        string    `json:"id" db:"id"`
	Name      string    `json:"name" db:"name" doc:"By which flows play it." example:"menu/main"`
	Language  string    `json:"language,omitempty" db:"language" doc:"Absent: any." example:"de-AT"`
	Kind      string    `json:"kind" db:"kind" enum:"prompt,greeting,music"`
	Box       string    `json:"box,omitempty" db:"box" doc:"The user whose greeting it is; absent: it is a prompt of the tenant's."`
	SHA256    string    `json:"sha256" db:"hash"`
	Bytes     int64     `json:"bytes" db:"bytes"`
	LengthMS  int       `json:"length_ms" db:"length_ms"`
	Encoding  string    `json:"encoding" db:"encoding" enum:"pcm_s16le,alaw,ulaw"`
	Rate      int       `json:"rate" db:"rate" enum:"8000,16000" doc:"Samples a second."`
	CreatedAt time.Time `json:"created_at" db:"created_at"`
	ChangedAt time.Time `json:"changed_at" db:"changed_at" doc:"When its sound came."`
	Place     string    `json:"-" db:"place"` // where it stands among the tenant's prompts
}

const mediaColumns = `id, name, language, kind, coalesce(box, '') AS box, hash, bytes, length_ms, encoding, rate, created_at, changed_at, place`

// Media are what a list of media is made of. The greetings of boxes are not among them.
func Media() Listing[MediaRow] {
	return Listing[MediaRow]{Columns: mediaColumns, From: `media`, Where: `box IS NULL`, Key: "id", Fields: map[string]Field{"id": {Column: "id"}, "name": {Column: "name"},
		"created_at": {Column: "created_at", Type: "timestamptz"}, "kind": {Column: "kind", FilterOnly: true}, "language": {Column: "language", FilterOnly: true},
		"tenant": {Column: "tenant_id", FilterOnly: true}}}
}

// MediaByID reads one. ErrNotFound when there is none.
func (t *Tx) MediaByID(ctx context.Context, tenantID, id string) (MediaRow, error) {
	rows, err := t.tx.Query(ctx, `SELECT `+mediaColumns+` FROM media WHERE tenant_id = @tenant_id AND id = @id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
	if err != nil {
		return MediaRow{}, fmt.Errorf("postgres: media: %w", err)
	}
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[MediaRow])
	if err != nil {
		return m, notFound("media", err)
	}
	return m, nil
}

// MediaOf reads all of a tenant's, by place.
func (t *Tx) MediaOf(ctx context.Context, tenantID string) ([]MediaRow, error) {
	rows, err := t.tx.Query(ctx, `SELECT `+mediaColumns+` FROM media WHERE tenant_id = @tenant_id ORDER BY place`, pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: media: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[MediaRow])
	if err != nil {
		return nil, fmt.Errorf("postgres: media: %w", err)
	}
	return all, nil
}

// HoldSound keeps others from clearing a sound away until the transaction ends.
func (t *Tx) HoldSound(ctx context.Context, hash string) error {
	return t.exec(ctx, "hold sound", `SELECT pg_advisory_xact_lock(hashtextextended('media ' || @hash, 0))`, pgx.StrictNamedArgs{"hash": hash})
}

// SaveMedia adds one, or changes the one of its id.
func (t *Tx) SaveMedia(ctx context.Context, tenantID string, m MediaRow) error {
	return t.exec(ctx, "save media", `
		INSERT INTO media (tenant_id, id, name, language, kind, box, hash, bytes, length_ms, encoding, rate, created_at, changed_at)
		VALUES (@tenant_id, @id, @name, @language, @kind, @box, @hash, @bytes, @length_ms, @encoding, @rate, @created_at, @changed_at)
		ON CONFLICT ON CONSTRAINT media_pkey DO UPDATE
		SET name = excluded.name, language = excluded.language, kind = excluded.kind, hash = excluded.hash, bytes = excluded.bytes,
		    length_ms = excluded.length_ms, encoding = excluded.encoding, rate = excluded.rate, changed_at = excluded.changed_at`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": m.ID, "name": m.Name, "language": m.Language, "kind": m.Kind, "box": orNull(m.Box), "hash": m.SHA256,
			"bytes": m.Bytes, "length_ms": m.LengthMS, "encoding": m.Encoding, "rate": m.Rate, "created_at": m.CreatedAt, "changed_at": m.ChangedAt})
}

// DeleteMedia removes one.
func (t *Tx) DeleteMedia(ctx context.Context, tenantID, id string) error {
	return t.exec(ctx, "delete media", `DELETE FROM media WHERE tenant_id = @tenant_id AND id = @id`, pgx.StrictNamedArgs{"tenant_id": tenantID, "id": id})
}

// MusicOnHold reads the name of the prompt that a tenant's held callers hear; empty: what the media node plays.
func (t *Tx) MusicOnHold(ctx context.Context, tenantID string) (prompt string, err error) {
	err = t.tx.QueryRow(ctx, `SELECT music_on_hold FROM tenants WHERE id = @tenant_id`, pgx.StrictNamedArgs{"tenant_id": tenantID}).Scan(&prompt)
	if err != nil {
		return "", notFound("music on hold", err)
	}
	return prompt, nil
}

// MediaPlaces gives what stands where, of all tenants: tenant to place to hash.
func (s *Store) MediaPlaces(ctx context.Context) (map[string]map[string]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT tenant_id, place, hash FROM media`)
	if err != nil {
		return nil, fmt.Errorf("postgres: media: %w", err)
	}
	all := map[string]map[string]string{}
	var tenant, place, hash string
	_, err = pgx.ForEachRow(rows, []any{&tenant, &place, &hash}, func() error {
		if all[tenant] == nil {
			all[tenant] = map[string]string{}
		}
		all[tenant][place] = hash
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: media: %w", err)
	}
	return all, nil
}

// DroppedMedia lists sounds that a row has let go of before a moment.
func (s *Store) DroppedMedia(ctx context.Context, before time.Time, limit int) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT hash FROM media_dropped WHERE at < @before ORDER BY at LIMIT @limit`, pgx.StrictNamedArgs{"before": before, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("postgres: dropped media: %w", err)
	}
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("postgres: dropped media: %w", err)
	}
	return hashes, nil
}

// ClearMedia lets remove take a dropped sound away, if neither media nor a recording has it, and forgets that it was dropped. Nobody can
// bring the same sound meanwhile.
func (s *Store) ClearMedia(ctx context.Context, hash string, remove func(hash string) error) error {
	return s.Change(ctx, func(tx *Tx) error {
		if err := tx.HoldSound(ctx, hash); err != nil {
			return err
		}
		var needed bool
		err := tx.tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM media WHERE hash = @hash) OR EXISTS (SELECT FROM recordings WHERE hash = @hash AND purged_at IS NULL)`,
			pgx.StrictNamedArgs{"hash": hash}).Scan(&needed)
		if err == nil && !needed {
			err = remove(hash)
		}
		if err != nil {
			return fmt.Errorf("postgres: clear media: %w", err)
		}
		return tx.exec(ctx, "clear media", `DELETE FROM media_dropped WHERE hash = @hash`, pgx.StrictNamedArgs{"hash": hash})
	})
}
