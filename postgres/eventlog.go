package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/webhooks"
)

// Positioned is an event with its place in the order.
type Positioned struct {
	webhooks.Event
	Position int64
}

// EventsAfter lists up to limit of a tenant's events behind a position, in their order.
func (s *Store) EventsAfter(ctx context.Context, tenantID string, position int64, limit int) ([]Positioned, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, tenant_id, type, subject, at, data, position FROM events
		 WHERE tenant_id = @tenant_id AND position > @position ORDER BY position LIMIT @limit`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "position": position, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("postgres: events: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanPositioned)
	if err != nil {
		return nil, fmt.Errorf("postgres: events: %w", err)
	}
	return all, nil
}

// EventsOfAllAfter lists up to limit events of all tenants that the scope shows, of some types (nil: of all), behind a position, in their
// order. last is the position up to which there is nothing else to be read: it goes on when no event is of these types, too.
func (s *Store) EventsOfAllAfter(ctx context.Context, position int64, types []string, limit int) (events []Positioned, last int64, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT id, tenant_id, type, subject, at, data, position FROM events WHERE position > @position ORDER BY position LIMIT @limit`,
		pgx.StrictNamedArgs{"position": position, "limit": limit})
	if err != nil {
		return nil, position, fmt.Errorf("postgres: events of all: %w", err)
	}
	all, err := pgx.CollectRows(rows, scanPositioned)
	if err != nil {
		return nil, position, fmt.Errorf("postgres: events of all: %w", err)
	}
	for _, e := range all {
		position = e.Position
		if len(types) == 0 || slices.Contains(types, e.Type) {
			events = append(events, e)
		}
	}
	return events, position, nil
}

func scanPositioned(row pgx.CollectableRow) (p Positioned, err error) {
	var data []byte
	err = row.Scan(&p.ID, &p.Tenant, &p.Type, &p.Subject, &p.At, &data, &p.Position)
	p.Data = data
	return p, err
}

// LastPosition is the position of the newest event of all, 0 when there is none.
func (s *Store) LastPosition(ctx context.Context) (position int64, err error) {
	if err = s.pool.QueryRow(ctx, `SELECT coalesce(max(position), 0) FROM events`).Scan(&position); err != nil {
		return 0, fmt.Errorf("postgres: last position: %w", err)
	}
	return position, nil
}

// PositionOf finds the position of a tenant's event, or with no tenant of any that the scope shows. ErrNotFound when it is not kept, or
// another tenant's.
func (s *Store) PositionOf(ctx context.Context, tenantID, event string) (position int64, err error) {
	err = s.pool.QueryRow(ctx, `SELECT position FROM events WHERE (@tenant_id = '' OR tenant_id = @tenant_id) AND id = @id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID, "id": text(event)}).Scan(&position)
	if err != nil {
		return 0, notFound("event", err)
	}
	return position, nil
}

// Channels on which the database announces.
const (
	OutboxChannel = "tandem_outbox" // there is something to dispatch or to deliver
	EventsChannel = "tandem_events" // events have got their place; the payload is their tenant
)

// Listen calls heard with each announcement on a channel, and with "" whenever announcements may have been missed: first of all, and
// each time it has connected again. It returns when ctx ends.
func (s *Store) Listen(ctx context.Context, channel string, heard func(payload string)) error {
	var wait backoff
	for {
		err := s.listen(ctx, channel, &wait, heard)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := pause(ctx, wait.next()); err != nil {
			return err
		}
		s.Log.WarnContext(ctx, "lost the connection on which PostgreSQL announces; connecting again", "channel", channel, "error", err)
	}
}

func (s *Store) listen(ctx context.Context, channel string, wait *backoff, heard func(string)) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	wait.reset()
	heard("")
	for {
		bounded, cancel := context.WithTimeout(ctx, listenFor)
		n, err := conn.WaitForNotification(bounded)
		cancel()
		switch {
		case err == nil:
			heard(n.Payload)
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			// Silence may be that of a dead connection, which a question shows.
			asked, cancel := context.WithTimeout(ctx, pollTimeout)
			err := conn.Ping(asked)
			cancel()
			if err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// listenFor is how long a connection may be silent before it is looked at.
const listenFor = 10 * time.Second
