package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// TenantRow is a tenant as those see it who look after it, without what belongs to it.
type TenantRow struct {
	ID             string    `json:"id" db:"id"`
	Name           string    `json:"name" db:"name"`
	Domain         string    `json:"domain" db:"domain" doc:"SIP domain and digest realm; it never changes."`
	Kind           string    `json:"kind" db:"kind" enum:"reseller,customer"`
	Parent         string    `json:"parent,omitempty" db:"parent_id" doc:"The reseller that it is of; absent: the platform's own."`
	Suspended      bool      `json:"suspended" db:"suspended" doc:"Its calls are refused, but for emergency calls."`
	SuspendedAbove bool      `json:"suspended_above" db:"suspended_above" doc:"So it is because one above it is."`
	Version        int64     `json:"version" db:"published_version" doc:"The version that new calls get; 0: none yet."`
	CreatedAt      time.Time `json:"created_at" db:"created_at"`
	TenantSettings
	TenantLimits
}

// TenantSettings are a tenant's own to change, at once.
type TenantSettings struct {
	TimeZone            string `json:"time_zone" db:"time_zone" maxLength:"64" example:"Europe/Berlin"`
	Language            string `json:"language" db:"language" maxLength:"8" example:"en"`
	MainNumber          string `json:"main_number,omitempty" db:"main_number" maxLength:"16" doc:"One of its numbers, shown for users who have none."`
	Country             string `json:"country,omitempty" db:"country" maxLength:"2" example:"DE" doc:"Whose way of writing numbers its people use."`
	InternationalPrefix string `json:"international_prefix,omitempty" db:"international_prefix" maxLength:"5" doc:"Absent: the country's."`
	NationalPrefix      string `json:"national_prefix,omitempty" db:"national_prefix" maxLength:"5" doc:"Absent: the country's."`
	AreaCode            string `json:"area_code,omitempty" db:"area_code" maxLength:"6"`
	MusicOnHold         string `json:"music_on_hold,omitempty" db:"music_on_hold" maxLength:"128" doc:"Name of a prompt."`
	Withheld            bool   `json:"withheld,omitempty" db:"withheld" doc:"Nobody outside learns who calls."`
}

// TenantLimits are for those above a tenant to change, at once. 0 is no limit.
type TenantLimits struct {
	MaxCalls          int      `json:"max_calls" db:"max_calls" minimum:"0" maximum:"1000000" doc:"Live calls at once, of it and all below it; 0: no limit."`
	MaxCallsPerSecond int      `json:"max_calls_per_second" db:"max_calls_per_second" minimum:"0" maximum:"1000000"`
	MayCallOut        bool     `json:"may_call_out" db:"may_call_out" doc:"It may call numbers on the telephone network."`
	MaxOutgoing       int      `json:"max_outgoing" db:"max_outgoing" minimum:"0" maximum:"1000000" doc:"Calls out at once."`
	OutgoingPerSecond int      `json:"outgoing_per_second" db:"outgoing_per_second" minimum:"0" maximum:"1000000"`
	BlockedPrefixes   []string `json:"blocked_prefixes" db:"blocked_prefixes" nullable:"false" maxItems:"1000" doc:"Numbers that begin so are not called: +1900."`
	ShownNumbers      []string `json:"shown_numbers" db:"shown_numbers" nullable:"false" maxItems:"1000" doc:"Numbers of others that it may show."`
}

const tenantColumns = `t.id, t.name, t.domain, t.kind, coalesce(t.parent_id, '') AS parent_id, t.suspended, t.suspended_above, coalesce(t.published_version, 0) AS published_version,
	t.created_at, t.time_zone, t.language, coalesce(t.main_number, '') AS main_number, t.country, t.international_prefix, t.national_prefix, t.area_code, t.music_on_hold,
	t.withheld, t.max_calls, t.max_calls_per_second, t.may_call_out, t.max_outgoing, t.outgoing_per_second, t.blocked_prefixes, t.shown_numbers`

// TenantRows are what a list of tenants is made of.
func TenantRows() Listing[TenantRow] {
	return Listing[TenantRow]{Columns: tenantColumns, From: `tenants t`, Key: "id", Fields: map[string]Field{"id": {Column: "t.id"}, "name": {Column: "t.name"},
		"created_at": {Column: "t.created_at", Type: "timestamptz"}, "domain": {Column: "t.domain"}, "kind": {Column: "t.kind", FilterOnly: true},
		"parent": {Column: "coalesce(t.parent_id, '')", FilterOnly: true}, "suspended": {Column: "t.suspended", Type: "boolean", FilterOnly: true}}}
}

// TenantRow locks a tenant for the time of the transaction and reads it. ErrNotFound when there is none within the scope.
func (t *Tx) TenantRow(ctx context.Context, id string) (TenantRow, error) {
	rows, err := t.tx.Query(ctx, `SELECT `+tenantColumns+` FROM tenants t WHERE t.id = @id FOR NO KEY UPDATE`, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return TenantRow{}, wrapped(err, "postgres: tenant")
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[TenantRow])
	if err != nil {
		return row, notFound("tenant", err)
	}
	return row, nil
}

// SaveTenantRow changes a tenant's name, settings and limits.
func (t *Tx) SaveTenantRow(ctx context.Context, r TenantRow) error {
	return t.exec(ctx, "save tenant", `
		UPDATE tenants SET name = @name, time_zone = @time_zone, language = @language, main_number = @main_number, country = @country,
		       international_prefix = @international_prefix, national_prefix = @national_prefix, area_code = @area_code, music_on_hold = @music_on_hold,
		       withheld = @withheld, max_calls = @max_calls, max_calls_per_second = @max_calls_per_second, may_call_out = @may_call_out,
		       max_outgoing = @max_outgoing, outgoing_per_second = @outgoing_per_second, blocked_prefixes = @blocked_prefixes, shown_numbers = @shown_numbers
		 WHERE id = @id`,
		pgx.StrictNamedArgs{"id": r.ID, "name": r.Name, "time_zone": r.TimeZone, "language": r.Language, "main_number": orNull(r.MainNumber), "country": r.Country,
			"international_prefix": r.InternationalPrefix, "national_prefix": r.NationalPrefix, "area_code": r.AreaCode, "music_on_hold": r.MusicOnHold,
			"withheld": r.Withheld, "max_calls": r.MaxCalls, "max_calls_per_second": r.MaxCallsPerSecond, "may_call_out": r.MayCallOut, "max_outgoing": r.MaxOutgoing,
			"outgoing_per_second": r.OutgoingPerSecond, "blocked_prefixes": list(r.BlockedPrefixes), "shown_numbers": list(r.ShownNumbers)})
}

// MoveTenant puts a tenant, with all below it, below a reseller; with an empty parent below none.
func (t *Tx) MoveTenant(ctx context.Context, id, parent string) error {
	return t.exec(ctx, "move tenant", `UPDATE tenants SET parent_id = @parent WHERE id = @id`, pgx.StrictNamedArgs{"id": id, "parent": orNull(parent)})
}

// LimitsOf gives what a tenant may, with all above it: the least of their limits. 0 is no limit.
func (t *Tx) LimitsOf(ctx context.Context, id string) (least TenantLimits, err error) {
	err = t.tx.QueryRow(ctx, `SELECT max_calls, max_calls_per_second, max_outgoing, outgoing_per_second, may_call_out FROM limits_of(@id)`, pgx.StrictNamedArgs{"id": id}).
		Scan(&least.MaxCalls, &least.MaxCallsPerSecond, &least.MaxOutgoing, &least.OutgoingPerSecond, &least.MayCallOut)
	return least, wrapped(err, "postgres: limits")
}
