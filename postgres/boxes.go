package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// BoxState says whether a box has a PIN, and until when wrong ones have locked it; nil: it is not locked.
func (t *Tx) BoxState(ctx context.Context, tenantID, box string) (pin bool, lockedUntil *time.Time, err error) {
	err = t.tx.QueryRow(ctx, `SELECT CASE WHEN locked_until > now() THEN locked_until END FROM voicemail_boxes WHERE tenant_id = @tenant_id AND box = @box`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "box": box}).Scan(&lockedUntil)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil, nil
	}
	if err != nil {
		return false, nil, fmt.Errorf("postgres: box: %w", err)
	}
	return true, lockedUntil, nil
}

// MarkUnheard makes a message of a box new again. It is false when there is no such message.
func (t *Tx) MarkUnheard(ctx context.Context, tenantID, box, id string) (bool, error) {
	done, err := t.tx.Exec(ctx, `
		UPDATE recordings SET heard_at = NULL
		 WHERE tenant_id = @tenant_id AND box = @box AND kind = 'voicemail' AND id = @id AND deleted_at IS NULL`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "box": box, "id": text(id)})
	if err != nil {
		return false, fmt.Errorf("postgres: mark message: %w", err)
	}
	return done.RowsAffected() > 0, nil
}
