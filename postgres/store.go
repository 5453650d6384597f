package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout bounds one attempt to connect, unless the URL says otherwise.
const connectTimeout = 3 * time.Second

// ErrNotFound says that what was asked for is not there.
var ErrNotFound = errors.New("postgres: not found")

// Store is a pool of connections to one database. It may be used by any number of goroutines.
type Store struct {
	// Log gets a line for each thing that an operator should know. Open sets it to slog.Default().
	Log *slog.Logger

	pool   *pgxpool.Pool
	scoped bool // its statements are those of a scope: OpenAPI
}

// Open makes a Store for a URL such as postgres://user:password@host:port/database. It does not wait for the server:
// connections are made when they are needed, so that a worker can start while PostgreSQL is away. The error is about
// the URL alone.
func Open(ctx context.Context, url string) (*Store, error) {
	config, err := poolConfig(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	return &Store{Log: slog.Default(), pool: pool}, nil
}

func poolConfig(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: the URL: %w", err)
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	return config, nil
}

// Close waits for connections in use and closes them all.
func (s *Store) Close() { s.pool.Close() }

// Ping says whether the server answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("postgres: ping: %w", err)
	}
	return nil
}

// Tx is one transaction that changes configuration. Its methods stand in the file of their noun.
type Tx struct{ tx pgx.Tx }

// Change runs one use case in one transaction: all that fn did is committed, or nothing. Transactions that touch the
// same tenant should begin with LockTenant.
func (s *Store) Change(ctx context.Context, fn func(*Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		watched := &watchedTx{Tx: tx}
		if err := fn(&Tx{tx: watched}); err != nil || !s.scoped || !watched.wrote {
			return err // what only looks, before the change itself, is not the change
		}
		return noteDone(ctx, tx)
	})
}

func (t *Tx) exec(ctx context.Context, what, sql string, args pgx.StrictNamedArgs) error {
	if _, err := t.tx.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("postgres: %s: %w", what, err)
	}
	return nil
}

// Violated names the constraint that an error is about, or returns "".
func Violated(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && strings.HasPrefix(refused.Code, "23") {
		return refused.ConstraintName
	}
	return ""
}

// IsRefused says whether an error is about the data itself, so that trying again cannot help: PostgreSQL's error
// classes 22 (data exception), 23 (integrity constraint) and 54 (program limit). Anything else may pass with time.
func IsRefused(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || len(refused.Code) < 2 {
		return false
	}
	class := refused.Code[:2]
	return class == "22" || class == "23" || class == "54"
}

// IsForeign says whether an error is about a row that is not of the scope: one that is there, and cannot be seen.
func IsForeign(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.Code == "42501" // insufficient_privilege
}

// text makes a string from outside fit for a column: PostgreSQL keeps neither NUL nor anything but UTF-8.
func text(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// orNull makes NULL of an empty string.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	s = text(s)
	return &s
}
