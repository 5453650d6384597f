package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"tandem/migrations"
)

// migrationLock is the key of the advisory lock that one migrator holds: "tandem" in ASCII.
const migrationLock = 0x74616e64656d

// Migrate brings the schema up to this release. It waits for a server that is absent or still starting, until ctx ends.
// Of several that run at once, one migrates and the others wait for it. A schema that is newer than this release is
// left as it is: the previous release runs on the next one's schema.
func Migrate(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("postgres: the URL: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	conn, err := connectWhenThere(ctx, config)
	if err != nil {
		return err
	}
	// The lock is the session's: it ends with the connection, also when this process dies.
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return fmt.Errorf("postgres: wait for another migrator: %w", err)
	}
	if err := migrateUp(ctx, config); err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	return nil
}

// connectWhenThere connects, and while there is no server pauses and logs one line for each attempt.
func connectWhenThere(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	var wait backoff
	for {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			return conn, nil
		}
		if !absent(err) {
			return nil, fmt.Errorf("postgres: %w", err)
		}
		d := wait.next()
		slog.WarnContext(ctx, "PostgreSQL is not there; trying again", slog.String("host", config.Host),
			slog.Int("port", int(config.Port)), slog.Duration("in", d), slog.Any("error", err))
		if pause(ctx, d) != nil {
			return nil, fmt.Errorf("postgres: no server at %s:%d: %w", config.Host, config.Port, err)
		}
	}
}

// absent says whether an error to connect may pass with time. A refused user (class 28) or an unknown database (3D) does
// not.
func absent(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return true
	}
	return !strings.HasPrefix(refused.Code, "28") && !strings.HasPrefix(refused.Code, "3D")
}

func migrateUp(ctx context.Context, config *pgx.ConnConfig) error {
	files, err := iofs.New(migrations.FS, ".")
	if err != nil {
		return err
	}
	driver, err := pgxmigrate.WithInstance(stdlib.OpenDB(*config), &pgxmigrate.Config{})
	if err != nil {
		return errors.Join(err, files.Close())
	}
	m, err := migrate.NewWithInstance("migrations", files, "pgx5", driver)
	if err != nil {
		return errors.Join(err, files.Close(), driver.Close())
	}
	defer m.Close()
	last, err := newest(files)
	if err != nil {
		return err
	}
	version, dirty, err := m.Version()
	switch {
	case errors.Is(err, migrate.ErrNilVersion):
	case err != nil:
		return err
	case !dirty && version > last:
		slog.InfoContext(ctx, "the schema is newer than this release", slog.Uint64("schema", uint64(version)),
			slog.Uint64("release", uint64(last)))
		return nil
	}
	stop := context.AfterFunc(ctx, func() { m.GracefulStop <- true }) // between two files; the channel is buffered
	defer stop()
	if err := m.Up(); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return err
	}
	return ctx.Err()
}

// newest is the number of the last file.
func newest(files source.Driver) (uint, error) {
	version, err := files.First()
	for err == nil {
		next, end := files.Next(version)
		if errors.Is(end, fs.ErrNotExist) {
			return version, nil
		}
		version, err = next, end
	}
	return 0, err
}

// closeTimeout bounds the farewell to a server that may not listen any more.
const closeTimeout = time.Second

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}
