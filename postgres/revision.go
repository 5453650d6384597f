package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// pollInterval is how often the revision is compared although nothing was announced. It bounds how late a change is
// seen when an announcement is lost, and how late a dead connection is noticed.
const pollInterval = 5 * time.Second

// pollTimeout bounds one comparison.
const pollTimeout = 3 * time.Second

// Revision is the platform-wide revision now.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	revision, err := currentRevision(ctx, s.pool)
	if err != nil {
		return 0, fmt.Errorf("postgres: revision: %w", err)
	}
	return revision, nil
}

// querier is what a pool, a connection and a transaction have in common.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func currentRevision(ctx context.Context, q querier) (revision int64, err error) {
	err = q.QueryRow(ctx, `SELECT revision FROM revision`).Scan(&revision)
	return revision, err
}

// readRevision gives the revision, the last one at which it is not said which tenants were touched, and which run of which database
// they are of: after a restore, the same numbers may mean something else.
func readRevision(ctx context.Context, tx pgx.Tx) (revision, everything int64, origin string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT revision, everything, pg_postmaster_start_time()::text || ' ' || (SELECT oid FROM pg_database WHERE datname = current_database())
		  FROM revision`).Scan(&revision, &everything, &origin)
	return revision, everything, origin, err
}

// WatchRevision calls changed with the current revision, and again with each other one that it sees; several changes in
// a row may come as one call. It listens on a connection of its own, compares every pollInterval besides, and connects
// again when the connection is lost. It calls changed from one goroutine, its caller's, and returns when ctx ends.
func (s *Store) WatchRevision(ctx context.Context, changed func(revision int64)) error {
	w := watch{store: s, changed: changed, last: -1, poll: pollInterval}
	for {
		err := w.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d := w.wait.next()
		s.Log.WarnContext(ctx, "lost sight of the configuration's revision; connecting again",
			slog.Duration("in", d), slog.Any("error", err))
		if err := pause(ctx, d); err != nil {
			return err
		}
	}
}

type watch struct {
	store   *Store
	changed func(int64)
	last    int64 // the revision that changed knows, -1 for none
	poll    time.Duration
	wait    backoff
}

// session watches over one connection until it fails.
func (w *watch) session(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, w.store.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	// Listen before the first look: a change between the two is then announced.
	if _, err := conn.Exec(ctx, `LISTEN tandem_config`); err != nil {
		return err
	}
	for {
		if err := w.compare(ctx, conn); err != nil {
			return err
		}
		w.wait.reset()
		if err := w.announced(ctx, conn); err != nil {
			return err
		}
	}
}

// compare looks at the revision itself rather than at the announcement, which may be one of several.
func (w *watch) compare(ctx context.Context, conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	revision, err := currentRevision(bounded, conn)
	if err != nil {
		return err
	}
	// Different, not greater: a database that was restored from a backup goes back.
	if revision != w.last {
		w.last = revision
		w.changed(revision)
	}
	return nil
}

// announced waits for a notification, or for the time to compare without one.
func (w *watch) announced(ctx context.Context, conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, w.poll)
	defer cancel()
	_, err := conn.WaitForNotification(bounded)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}
