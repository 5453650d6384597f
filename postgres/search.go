package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Found is what a search has found, of each kind what fits best.
type Found struct {
	Calls   []CallRow     `json:"calls" nullable:"false" doc:"By id, Call-ID, number, or the name of a user: the last first."`
	Tenants []FoundTenant `json:"tenants" nullable:"false"`
	Users   []FoundUser   `json:"users" nullable:"false"`
	Devices []FoundDevice `json:"devices" nullable:"false"`
	Numbers []FoundNumber `json:"numbers" nullable:"false" doc:"That are live at a tenant."`
}

// FoundTenant is a tenant by its name, id or domain.
type FoundTenant struct {
	ID     string `json:"id" db:"id"`
	Name   string `json:"name" db:"name"`
	Domain string `json:"domain" db:"domain"`
}

// FoundUser is a user by his name, id, extension or number.
type FoundUser struct {
	Tenant    string `json:"tenant" db:"tenant_id"`
	ID        string `json:"id" db:"id"`
	Name      string `json:"name" db:"name"`
	Extension string `json:"extension,omitempty" db:"extension"`
	Number    string `json:"number,omitempty" db:"number"`
}

// FoundDevice is a device by its name, id or digest user.
type FoundDevice struct {
	Tenant   string `json:"tenant" db:"tenant_id"`
	ID       string `json:"id" db:"id"`
	Name     string `json:"name" db:"name"`
	Username string `json:"username" db:"username"`
	User     string `json:"user,omitempty" db:"user_id"`
}

// FoundNumber is a number by its beginning.
type FoundNumber struct {
	Tenant string `json:"tenant" db:"tenant_id"`
	Number string `json:"number" db:"number"`
}

// Sought is what is searched for.
type Sought struct {
	Text    string
	Numbers []string // Text as a number, in each way that the ledger may have it
	Tenant  string   // within one tenant; empty: within all that the scope shows
	Limit   int      // of each kind
	Calls   bool
	Tenants bool
	Users   bool // also: calls by a user's name
	Devices bool
	Live    bool // numbers
}

// searchPeriod bounds how far back calls are found by a user's name; by a number they are found however old they are.
const searchPeriod = 31 * 24 * time.Hour

// Search finds calls and what is configured. What the scope does not show is not found.
func (s *Store) Search(ctx context.Context, q Sought) (Found, error) {
	f := Found{Calls: []CallRow{}, Tenants: []FoundTenant{}, Users: []FoundUser{}, Devices: []FoundDevice{}, Numbers: []FoundNumber{}}
	args := pgx.StrictNamedArgs{"text": text(q.Text), "like": "%" + likely(text(q.Text)) + "%", "numbers": q.Numbers, "tenant": q.Tenant, "limit": q.Limit}
	with := func(names ...string) pgx.StrictNamedArgs {
		some := pgx.StrictNamedArgs{"tenant": args["tenant"], "limit": args["limit"]}
		for _, name := range names {
			some[name] = args[name]
		}
		return some
	}
	var err error
	if q.Tenants {
		if f.Tenants, err = collect[FoundTenant](ctx, s, `
			SELECT id, name, domain FROM tenants WHERE (@tenant = '' OR id = @tenant) AND (name ILIKE @like OR id ILIKE @like OR domain ILIKE @like)
			 ORDER BY lower(name) = lower(@text) DESC, name, id LIMIT @limit`, with("like", "text")); err != nil {
			return f, err
		}
	}
	if q.Users {
		if f.Users, err = collect[FoundUser](ctx, s, `
			SELECT tenant_id, id, name, coalesce(extension, '') AS extension, coalesce(number, '') AS number FROM users
			 WHERE (@tenant = '' OR tenant_id = @tenant) AND (name ILIKE @like OR id = @text OR extension = ANY (@numbers) OR number = ANY (@numbers))
			 ORDER BY lower(name) = lower(@text) DESC, name, tenant_id, id LIMIT @limit`, with("like", "text", "numbers")); err != nil {
			return f, err
		}
	}
	if q.Devices {
		if f.Devices, err = collect[FoundDevice](ctx, s, `
			SELECT tenant_id, id, name, username, coalesce(user_id, '') AS user_id FROM devices
			 WHERE (@tenant = '' OR tenant_id = @tenant) AND (name ILIKE @like OR username ILIKE @like OR id = @text)
			 ORDER BY name, tenant_id, id LIMIT @limit`, with("like", "text")); err != nil {
			return f, err
		}
	}
	if q.Live && len(q.Numbers) > 0 {
		if f.Numbers, err = collect[FoundNumber](ctx, s, `
			SELECT tenant_id, number FROM numbers WHERE (@tenant = '' OR tenant_id = @tenant) AND EXISTS (SELECT FROM unnest(@numbers::text[]) n WHERE number ^@ n AND length(n) > 2)
			 ORDER BY number LIMIT @limit`, with("numbers")); err != nil {
			return f, err
		}
	}
	if q.Calls {
		f.Calls, err = s.searchCalls(ctx, q, f.Users)
	}
	return f, err
}

// maxTheirs bounds how many users' calls are looked for by name.
const maxTheirs = 10

// searchCalls finds calls. Each way of finding is a statement of its own, with the number in it: then PostgreSQL knows how many calls to
// expect of it, and takes the index of that number's calls rather than the one of all by time.
func (s *Store) searchCalls(ctx context.Context, q Sought, users []FoundUser) ([]CallRow, error) {
	const columns = `SELECT call, coalesce(tenant_id, '') AS tenant_id, sip_call_id, "from", "to", started_at, answered_at, ended_at, version, sip_code, cause, fault FROM calls `
	const last = ` AND (@tenant = '' OR tenant_id = @tenant) ORDER BY started_at DESC LIMIT @limit`
	found := map[string]CallRow{}
	batch := &pgx.Batch{}
	add := func(where string, args pgx.StrictNamedArgs) {
		args["limit"] = q.Limit
		batch.Queue(columns+where+last, args).Query(func(rows pgx.Rows) error {
			all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[CallRow])
			for _, c := range all {
				found[c.Call] = c
			}
			return err
		})
	}
	add(`WHERE call IN (SELECT @text UNION SELECT call FROM calls WHERE sip_call_id = @text AND sip_call_id <> ''
		UNION SELECT call FROM cdrs WHERE sip_call_id = @text AND sip_call_id <> '')`, pgx.StrictNamedArgs{"text": text(q.Text), "tenant": q.Tenant})
	for _, n := range q.Numbers {
		add(`WHERE "from" = @number`, pgx.StrictNamedArgs{"number": text(n), "tenant": q.Tenant})
		add(`WHERE "to" = @number`, pgx.StrictNamedArgs{"number": text(n), "tenant": q.Tenant})
	}
	for _, u := range users[:min(len(users), maxTheirs)] {
		for _, n := range []string{u.Extension, u.Number} {
			if n == "" {
				continue
			}
			for _, column := range []string{`"from"`, `"to"`} {
				add(`WHERE started_at > now() - @within::interval AND `+column+` = @number`, pgx.StrictNamedArgs{"number": n, "tenant": u.Tenant, "within": searchPeriod})
			}
		}
	}
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("postgres: search: %w", err)
	}
	calls := slices.SortedFunc(maps.Values(found), func(a, b CallRow) int { return cmp.Or(b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.Call, b.Call)) })
	return append([]CallRow{}, calls[:min(len(calls), q.Limit)]...), nil
}

func collect[T any](ctx context.Context, s *Store, sql string, args pgx.StrictNamedArgs) ([]T, error) {
	rows, err := s.pool.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("postgres: search: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[T])
	if err != nil {
		return nil, fmt.Errorf("postgres: search: %w", err)
	}
	return append([]T{}, all...), nil
}

// likely writes a text so that it stands for itself in a LIKE.
func likely(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
