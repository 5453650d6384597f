package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// InsertTenant adds a tenant of a kind, below a reseller, or with an empty parent below none. Its users, devices and numbers are added by themselves.
func (t *Tx) InsertTenant(ctx context.Context, n tenants.Tenant, kind, parent string) error {
	return t.exec(ctx, "insert tenant", `
		INSERT INTO tenants (id, name, domain, time_zone, language, suspended, max_calls, kind, parent_id)
		VALUES (@id, @name, @domain, @time_zone, @language, @suspended, @max_calls, @kind, @parent)`,
		pgx.StrictNamedArgs{"id": n.ID, "name": n.Name, "domain": n.Domain, "time_zone": n.TimeZone,
			"language": n.Language, "suspended": n.Suspended, "max_calls": n.MaxCalls, "kind": kind, "parent": orNull(parent)})
}

// LockTenant makes other transactions that lock the same tenant wait, and gives the tenant's own row, without what
// belongs to it. ErrNotFound when there is none.
func (t *Tx) LockTenant(ctx context.Context, id string) (tenants.Tenant, error) {
	n := tenants.Tenant{ID: id}
	// NO KEY: rows that merely refer to the tenant may be inserted meanwhile.
	err := t.tx.QueryRow(ctx, `
		SELECT name, domain, time_zone, language, suspended, max_calls, coalesce(published_version, 0),
		       coalesce(candidate_version, 0), coalesce(candidate_share, 0)
		  FROM tenants WHERE id = @id FOR NO KEY UPDATE`, pgx.StrictNamedArgs{"id": id}).
		Scan(&n.Name, &n.Domain, &n.TimeZone, &n.Language, &n.Suspended, &n.MaxCalls, &n.Published.Version, &n.Candidate.Version, &n.Candidate.Share)
	if err != nil {
		return n, notFound("lock tenant", err)
	}
	return n, nil
}

// SetSuspended suspends a tenant or lets it go on.
func (t *Tx) SetSuspended(ctx context.Context, id string, suspended bool) error {
	return t.exec(ctx, "suspend tenant", `UPDATE tenants SET suspended = @suspended WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "suspended": suspended})
}

// SetMaxCalls limits the live calls of a tenant; 0 means no limit.
func (t *Tx) SetMaxCalls(ctx context.Context, id string, maxCalls int) error {
	return t.exec(ctx, "limit tenant", `UPDATE tenants SET max_calls = @max_calls WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "max_calls": maxCalls})
}

// SetMaxCallsPerSecond limits the calls of a tenant that begin within a second; 0 means no limit.
func (t *Tx) SetMaxCallsPerSecond(ctx context.Context, id string, limit int) error {
	return t.exec(ctx, "limit tenant's rate", `UPDATE tenants SET max_calls_per_second = @limit WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "limit": limit})
}

// SetMusicOnHold names the prompt that held callers hear; empty: what the media node plays.
func (t *Tx) SetMusicOnHold(ctx context.Context, id, prompt string) error {
	return t.exec(ctx, "set music on hold", `UPDATE tenants SET music_on_hold = @prompt WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "prompt": prompt})
}

// SetDialling says how a tenant's people write numbers, and which number of the tenant's is its main one.
func (t *Tx) SetDialling(ctx context.Context, id, mainNumber string, d tenants.Dialling) error {
	return t.exec(ctx, "set dialling", `
		UPDATE tenants SET main_number = @main_number, country = @country, international_prefix = @international_prefix,
		       national_prefix = @national_prefix, area_code = @area_code WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "main_number": orNull(mainNumber), "country": d.Country, "international_prefix": d.InternationalPrefix,
			"national_prefix": d.NationalPrefix, "area_code": d.AreaCode})
}

// SetCallingOut says what a tenant may do on the telephone network.
func (t *Tx) SetCallingOut(ctx context.Context, id string, c tenants.CallingOut) error {
	return t.exec(ctx, "set calling out", `
		UPDATE tenants SET may_call_out = @may_call_out, blocked_prefixes = @blocked_prefixes, max_outgoing = @max_outgoing,
		       outgoing_per_second = @outgoing_per_second, shown_numbers = @shown_numbers, withheld = @withheld WHERE id = @id`,
		pgx.StrictNamedArgs{"id": id, "may_call_out": c.Allowed, "blocked_prefixes": list(c.BlockedPrefixes), "max_outgoing": c.MaxCalls,
			"outgoing_per_second": c.PerSecond, "shown_numbers": list(c.Shown), "withheld": c.Withheld})
}

// notFound turns the absence of a row into ErrNotFound.
func notFound(what string, err error) error {
	if err == pgx.ErrNoRows {
		return fmt.Errorf("%w: %s", ErrNotFound, what)
	}
	return fmt.Errorf("postgres: %s: %w", what, err)
}

// Dialling is how a tenant's people write numbers.
func (t *Tx) Dialling(ctx context.Context, id string) (d tenants.Dialling, err error) {
	err = t.tx.QueryRow(ctx, `SELECT country, international_prefix, national_prefix, area_code FROM tenants WHERE id = @id`, pgx.StrictNamedArgs{"id": id}).
		Scan(&d.Country, &d.InternationalPrefix, &d.NationalPrefix, &d.AreaCode)
	if err != nil {
		return d, notFound("dialling", err)
	}
	return d, nil
}
