package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// apiRole is the database role of those who ask over HTTP: it owns nothing, and row level security holds for it.
const apiRole = "tandem_api"

// Everybody is the scope of the platform's own people: every tenant, and what is no tenant's.
const Everybody = "*"

// Scope says whose rows the statements of a context may touch, and who it is that asks.
type Scope struct {
	Tenant  string // id, or Everybody
	Actor   string // key/ID or person/ID; every change is written down under this name
	Address string // the asker's
	Request string // id of the request
	// Once is what the request's Idempotency-Key is kept as; a change commits together with the note that it was made. nil: it has none.
	Once []byte
}

type scopeKey struct{}

// WithScope gives a context its scope.
func WithScope(ctx context.Context, s Scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

// ScopeOf is the scope of a context; the zero Scope when it has none.
func ScopeOf(ctx context.Context) Scope {
	s, _ := ctx.Value(scopeKey{}).(Scope)
	return s
}

// OpenAPI makes a Store for those who ask over HTTP. Each of its statements sees the rows of its context's scope, and no others; with
// no scope it sees none. Everything else is as Open says.
func OpenAPI(ctx context.Context, url string) (*Store, error) {
	config, err := poolConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.RuntimeParams["role"] = apiRole
	config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
		s := ScopeOf(ctx)
		_, err := conn.Exec(ctx, `
			SELECT set_config('tandem.tenant', $1, false), set_config('tandem.actor', $2, false),
			       set_config('tandem.address', $3, false), set_config('tandem.request', $4, false)`, s.Tenant, text(s.Actor), text(s.Address), text(s.Request))
		return err == nil, err // a connection of which it is not known whose rows it shows is closed
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	return &Store{Log: slog.Default(), pool: pool, scoped: true}, nil
}
