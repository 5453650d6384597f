package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// RegistrationRow is a contact that is registered now.
type RegistrationRow struct {
	ID           string    `json:"id" db:"id"`
	Tenant       string    `json:"tenant,omitempty" db:"tenant" doc:"Absent: no tenant has the domain any more."`
	Device       string    `json:"device,omitempty" db:"device" doc:"Absent: the device was removed."`
	User         string    `json:"user,omitempty" db:"user" doc:"Whose device it is."`
	Username     string    `json:"username" db:"username"`
	Domain       string    `json:"domain" db:"domain"`
	Contact      string    `json:"contact" db:"contact" doc:"Where it is called."`
	Address      string    `json:"address" db:"address" doc:"From which it registers, as the edge sees it."`
	Port         int       `json:"port" db:"port"`
	Transport    string    `json:"transport" db:"transport" example:"udp"`
	UserAgent    string    `json:"user_agent,omitempty" db:"user_agent" doc:"What it says of itself."`
	Edge         string    `json:"edge" db:"edge"`
	RegisteredAt time.Time `json:"registered_at" db:"registered_at" doc:"The last time."`
	ExpiresAt    time.Time `json:"expires_at" db:"expires_at"`
	CallID       string    `json:"-" db:"call_id"`
	CSeq         int       `json:"-" db:"cseq"`
	EdgeURI      string    `json:"-" db:"edge_uri"`
}

// RegistrationRows are what a list of registrations is made of. The filter user_agent takes a pattern of ILIKE.
func RegistrationRows() Listing[RegistrationRow] {
	return Listing[RegistrationRow]{
		Columns: `r.id, coalesce(r.tenant_id, '') AS tenant, coalesce(d.id, '') AS device, coalesce(d.user_id, '') AS "user", r.username, r.domain, r.contact,
			r.source_address AS address, r.source_port AS port, r.transport, r.user_agent, r.edge, r.at AS registered_at, r.expires_at, r.call_id, r.cseq, r.edge_uri`,
		From:  `registrations r LEFT JOIN devices d ON d.tenant_id = r.tenant_id AND d.username = r.username`,
		Where: `r.event = 'registered' AND r.expires_at > now() AND r.contact <> '*'`, Key: "id",
		Fields: map[string]Field{"id": {Column: "r.id"}, "username": {Column: "r.username"}, "address": {Column: "r.source_address"}, "edge": {Column: "r.edge"},
			"registered_at": {Column: "r.at", Type: "timestamptz"}, "expires_at": {Column: "r.expires_at", Type: "timestamptz"},
			"domain": {Column: "r.domain", FilterOnly: true}, "device": {Column: "coalesce(d.id, '')", FilterOnly: true}, "user": {Column: "coalesce(d.user_id, '')", FilterOnly: true},
			"user_agent": {Column: "r.user_agent", Match: "ILIKE", FilterOnly: true}, "tenant": {Column: "coalesce(r.tenant_id, '')", FilterOnly: true}}}
}

// Registration reads one; of a tenant's alone unless tenantID is empty. ErrNotFound when it is not there any more.
func (s *Store) Registration(ctx context.Context, tenantID, id string) (RegistrationRow, error) {
	l := RegistrationRows()
	rows, err := s.pool.Query(ctx, `SELECT `+l.Columns+` FROM `+l.From+` WHERE `+l.Where+` AND r.id = @id AND (@tenant_id = '' OR r.tenant_id = @tenant_id)`,
		pgx.StrictNamedArgs{"id": text(id), "tenant_id": tenantID})
	if err != nil {
		return RegistrationRow{}, fmt.Errorf("postgres: registration: %w", err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[RegistrationRow])
	if err != nil {
		return r, notFound("registration", err)
	}
	return r, nil
}

// EdgeHeard says whether an edge was heard of within three minutes, which is three times as long as one is silent.
func (s *Store) EdgeHeard(ctx context.Context, name string) (heard bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM edges WHERE name = @name AND seen_at > now() - interval '3 minutes')`, pgx.StrictNamedArgs{"name": text(name)}).Scan(&heard)
	if err != nil {
		return false, fmt.Errorf("postgres: edge: %w", err)
	}
	return heard, nil
}
