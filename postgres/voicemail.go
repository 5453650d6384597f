package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// MaxMessages is the most that Messages gives at once.
const MaxMessages = 500

// MessagePage says which messages of a box to list: the newest first, before the last one that was listed.
type MessagePage struct {
	New    bool // those alone that were not heard
	Before time.Time
	ID     string // of the last one that was listed; empty: from the newest on
	Limit  int
}

// Messages lists the messages of a box that are ready to be heard.
func (s *Store) Messages(ctx context.Context, tenant, box string, p MessagePage) ([]RecordingRow, error) {
	if p.Limit <= 0 || p.Limit > MaxMessages {
		p.Limit = MaxMessages
	}
	rows, err := s.pool.Query(ctx, `
		SELECT id, kind, call, box, "from", from_name, at, length_ms, state, coalesce(hash, ''), coalesce(bytes, 0), heard_at, file
		  FROM recordings
		 WHERE tenant_id = @tenant_id AND box = @box AND kind = 'voicemail' AND deleted_at IS NULL
		   AND state IN ('new', 'kept') AND length_ms IS NOT NULL AND (NOT @new OR heard_at IS NULL)
		   AND (@id = '' OR (at, id) < (@before, @id))
		 ORDER BY at DESC, id DESC LIMIT @limit`,
		pgx.StrictNamedArgs{"tenant_id": tenant, "box": box, "new": p.New, "id": p.ID, "before": p.Before, "limit": p.Limit})
	if err != nil {
		return nil, fmt.Errorf("postgres: messages: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[RecordingRow])
	if err != nil {
		return nil, fmt.Errorf("postgres: messages: %w", err)
	}
	return all, nil
}

// Message gives one message of a box; ErrNotFound when it is not there, or deleted.
func (s *Store) Message(ctx context.Context, tenant, box, id string) (RecordingRow, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, kind, call, box, "from", from_name, at, coalesce(length_ms, 0), state, coalesce(hash, ''), coalesce(bytes, 0), heard_at, file
		  FROM recordings WHERE tenant_id = @tenant_id AND box = @box AND kind = 'voicemail' AND deleted_at IS NULL AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenant, "box": box, "id": id})
	if err != nil {
		return RecordingRow{}, fmt.Errorf("postgres: message: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[RecordingRow])
	if err != nil {
		return row, notFound("message", err)
	}
	return row, nil
}

// MarkHeard notes that a message was heard. Marking twice is marking once. It is false when there is no such message.
func (s *Store) MarkHeard(ctx context.Context, tenant, box, id string) (bool, error) {
	done, err := s.pool.Exec(ctx, `
		UPDATE recordings SET heard_at = coalesce(heard_at, now())
		 WHERE tenant_id = @tenant_id AND box = @box AND kind = 'voicemail' AND id = @id AND deleted_at IS NULL`,
		pgx.StrictNamedArgs{"tenant_id": tenant, "box": box, "id": id})
	if err != nil {
		return false, fmt.Errorf("postgres: mark message: %w", err)
	}
	return done.RowsAffected() > 0, nil
}

// DeleteMessage takes a message out of its box; its sound follows later. It is false when it is not there any more.
func (s *Store) DeleteMessage(ctx context.Context, tenant, box, id string) (bool, error) {
	done, err := s.pool.Exec(ctx, `
		UPDATE recordings SET deleted_at = now()
		 WHERE tenant_id = @tenant_id AND box = @box AND kind = 'voicemail' AND id = @id AND deleted_at IS NULL`,
		pgx.StrictNamedArgs{"tenant_id": tenant, "box": box, "id": id})
	if err != nil {
		return false, fmt.Errorf("postgres: delete message: %w", err)
	}
	return done.RowsAffected() > 0, nil
}

// BoxCount is how many messages a box holds: what a lamp shows.
type BoxCount struct {
	Box   string `json:"box"`
	New   int    `json:"new"`
	Heard int    `json:"heard"`
}

// BoxCounts counts the messages in each box of a tenant that has any.
func (s *Store) BoxCounts(ctx context.Context, tenant string) ([]BoxCount, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT box, count(*) FILTER (WHERE heard_at IS NULL), count(*) FILTER (WHERE heard_at IS NOT NULL)
		  FROM recordings
		 WHERE tenant_id = @tenant_id AND kind = 'voicemail' AND deleted_at IS NULL AND state IN ('new', 'kept') AND length_ms IS NOT NULL
		 GROUP BY box ORDER BY box`, pgx.StrictNamedArgs{"tenant_id": tenant})
	if err != nil {
		return nil, fmt.Errorf("postgres: count messages: %w", err)
	}
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BoxCount])
	if err != nil {
		return nil, fmt.Errorf("postgres: count messages: %w", err)
	}
	return counts, nil
}

// SetPIN gives a box a PIN by its hash, and lets it be opened again.
func (t *Tx) SetPIN(ctx context.Context, tenant, box, hash string) error {
	return t.exec(ctx, "set PIN", `
		INSERT INTO voicemail_boxes (tenant_id, box, pin_hash) VALUES (@tenant_id, @box, @pin_hash)
		ON CONFLICT (tenant_id, box) DO UPDATE SET pin_hash = excluded.pin_hash, failed = 0, locked_until = NULL`,
		pgx.StrictNamedArgs{"tenant_id": tenant, "box": box, "pin_hash": hash})
}

// Lock is how wrong PINs lock a box.
type Lock struct {
	After int           // so many in a row
	For   time.Duration // so long
}

// OpenBox tries a PIN: verify says whether it is the one whose hash it is given. While the box is locked, verify is not
// asked. Two tries at once wait for each other. ErrNotFound when the box has no PIN.
func (s *Store) OpenBox(ctx context.Context, tenant, box string, lock Lock, verify func(hash string) bool) (right, locked bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var hash string
		var failed int
		args := pgx.StrictNamedArgs{"tenant_id": tenant, "box": box}
		err := tx.QueryRow(ctx, `
			SELECT pin_hash, failed, coalesce(locked_until > now(), false) FROM voicemail_boxes
			 WHERE tenant_id = @tenant_id AND box = @box FOR UPDATE`, args).Scan(&hash, &failed, &locked)
		if err != nil {
			return notFound("box", err)
		}
		if locked {
			return nil
		}
		if right = verify(hash); right {
			_, err = tx.Exec(ctx, `UPDATE voicemail_boxes SET failed = 0, locked_until = NULL WHERE tenant_id = @tenant_id AND box = @box AND failed > 0`, args)
			return err
		}
		failed++
		if locked = failed >= lock.After; locked {
			failed = 0
			_, err = tx.Exec(ctx, `
				UPDATE voicemail_boxes SET failed = 0, locked_until = now() + @seconds * interval '1 second' WHERE tenant_id = @tenant_id AND box = @box`,
				pgx.StrictNamedArgs{"tenant_id": tenant, "box": box, "seconds": int(lock.For.Seconds())})
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE voicemail_boxes SET failed = @failed WHERE tenant_id = @tenant_id AND box = @box`,
			pgx.StrictNamedArgs{"tenant_id": tenant, "box": box, "failed": failed})
		return err
	})
	if err != nil {
		return false, false, fmt.Errorf("postgres: open box: %w", err)
	}
	return right, locked, nil
}
