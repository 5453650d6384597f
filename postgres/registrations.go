package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
)

// RegistrationMemory is how long the row of a contact that is gone or expired is kept after that. An event which comes
// later than this may bring a contact back, unless it has expired by itself.
const RegistrationMemory = 24 * time.Hour

// everyContact is the contact by which a device removes all of its contacts, RFC 3261 10.2.2.
const everyContact = "*"

// SaveRegistration keeps what an event says about a contact, unless a newer event about it is known, and tells of what has
// changed by it; a refresh changes nothing. Newer is by At,
// then by CSeq; the same event twice is kept once. It may be called for events in any order.
func (s *Store) SaveRegistration(ctx context.Context, r messages.Registration) error {
	args := pgx.StrictNamedArgs{"username": text(r.Username), "domain": text(r.Domain), "at": r.At, "cseq": r.CSeq}
	var batch pgx.Batch // one transaction, one round trip
	// One writer for each address of record at a time: an event for all contacts and one for a single contact look at
	// each other's rows.
	batch.Queue(`SELECT pg_advisory_xact_lock(hashtextextended(@username || '@' || @domain, 0))`,
		pgx.StrictNamedArgs{"username": args["username"], "domain": args["domain"]})
	if r.Contact == everyContact {
		batch.Queue(`
			WITH before AS (
			    SELECT contact, event = 'registered' AND expires_at > to_timestamp(@at) AS live FROM registrations WHERE domain = @domain AND username = @username
			), gone AS (
			    UPDATE registrations SET event = 'unregistered', at = to_timestamp(@at), cseq = @cseq, expires_at = to_timestamp(@at)
			     WHERE domain = @domain AND username = @username AND (at, cseq) < (to_timestamp(@at), @cseq) AND contact <> '*'
			    RETURNING contact, source_address, transport, user_agent, expires_at
			), device AS (
			    SELECT d.tenant_id, d.id FROM tenants t JOIN devices d ON d.tenant_id = t.id AND d.username = @username WHERE t.domain = lower(@domain)
			), changes AS (
			    SELECT d.tenant_id, d.id, 'registration.changed' AS type, json_build_object('device', d.id, 'username', @username::text, 'domain', @domain::text,
			           'change', 'removed', 'contact', g.contact, 'address', g.source_address, 'transport', g.transport, 'user_agent', g.user_agent,
			           'expires_at', to_char(g.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS data, g.contact
			      FROM gone g JOIN before b ON b.contact = g.contact AND b.live CROSS JOIN device d
			    UNION ALL
			    SELECT d.tenant_id, d.id, 'device.unregistered', json_build_object('device', d.id, 'username', @username::text, 'domain', @domain::text), NULL
			      FROM device d WHERE EXISTS (SELECT FROM before WHERE live) AND NOT EXISTS (SELECT FROM before b WHERE live AND NOT EXISTS (SELECT FROM gone g WHERE g.contact = b.contact))
			)
			INSERT INTO outbox (tenant_id, type, subject, at, data)
			SELECT tenant_id, type, 'device:' || id, to_timestamp(@at), data FROM changes ORDER BY type DESC, contact`, args)
	}
	batch.Queue(`
		WITH before AS (
		    SELECT contact, event = 'registered' AND expires_at > to_timestamp(@at) AS live, source_address, source_port
		      FROM registrations WHERE domain = @domain AND username = @username
		), saved AS (
		    INSERT INTO registrations (username, domain, contact, tenant_id, event, at, cseq, expires_at, edge, edge_uri,
		           call_id, source_address, source_port, transport, user_agent, path)
		    SELECT @username, @domain, @contact, (SELECT id FROM tenants WHERE domain = lower(@domain)), @event,
		           to_timestamp(@at), @cseq, to_timestamp(@expires_at), @edge, @edge_uri,
		           @call_id, @source_address, @source_port, @transport, @user_agent, @path
		     WHERE NOT EXISTS (SELECT FROM registrations
		            WHERE domain = @domain AND username = @username AND contact = '*'
		              AND (at, cseq) >= (to_timestamp(@at), @cseq))
		    ON CONFLICT (domain, username, contact) DO UPDATE
		    SET tenant_id = excluded.tenant_id, event = excluded.event, at = excluded.at, cseq = excluded.cseq,
		        expires_at = excluded.expires_at, edge = excluded.edge, edge_uri = excluded.edge_uri,
		        call_id = excluded.call_id, source_address = excluded.source_address,
		        source_port = excluded.source_port, transport = excluded.transport, user_agent = excluded.user_agent,
		        path = excluded.path
		    WHERE (registrations.at, registrations.cseq) < (excluded.at, excluded.cseq)
		    RETURNING contact, tenant_id, event, source_address, source_port, transport, user_agent, expires_at
		), change AS (
		    SELECT s.tenant_id, s.contact, s.source_address, s.transport, s.user_agent, s.expires_at,
		           CASE WHEN s.event = 'registered' AND coalesce(b.live, false) THEN 'moved' WHEN s.event = 'registered' THEN 'added'
		                WHEN s.event = 'expired' THEN 'expired' ELSE 'removed' END AS change,
		           EXISTS (SELECT FROM before o WHERE o.live AND o.contact <> s.contact) AS others
		      FROM saved s LEFT JOIN before b ON b.contact = s.contact
		     WHERE s.contact <> '*' AND s.tenant_id IS NOT NULL
		       AND CASE WHEN s.event = 'registered' THEN NOT coalesce(b.live, false) OR (b.source_address, b.source_port) <> (s.source_address, s.source_port)
		                ELSE coalesce(b.live, false) OR s.event = 'expired' AND b.contact IS NOT NULL END
		), news AS (
		    SELECT c.tenant_id, d.id, 'registration.changed' AS type, json_build_object('device', d.id, 'username', @username::text, 'domain', @domain::text,
		           'change', c.change, 'contact', c.contact, 'address', c.source_address, 'transport', c.transport, 'user_agent', c.user_agent,
		           'expires_at', to_char(c.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS data
		      FROM change c JOIN devices d ON d.tenant_id = c.tenant_id AND d.username = @username
		    UNION ALL
		    SELECT c.tenant_id, d.id, CASE c.change WHEN 'added' THEN 'device.registered' ELSE 'device.unregistered' END,
		           json_build_object('device', d.id, 'username', @username::text, 'domain', @domain::text)
		      FROM change c JOIN devices d ON d.tenant_id = c.tenant_id AND d.username = @username
		     WHERE c.change <> 'moved' AND NOT c.others
		)
		INSERT INTO outbox (tenant_id, type, subject, at, data)
		SELECT tenant_id, type, 'device:' || id, to_timestamp(@at), data FROM news ORDER BY type DESC`,
		pgx.StrictNamedArgs{"username": args["username"], "domain": args["domain"], "contact": text(r.Contact),
			"event": string(r.Event), "at": r.At, "cseq": r.CSeq, "expires_at": expiry(r), "edge": text(r.Edge),
			"edge_uri": text(r.EdgeURI), "call_id": text(r.CallID), "source_address": text(r.SourceAddress),
			"source_port": r.SourcePort, "transport": text(r.Transport), "user_agent": text(r.UserAgent),
			"path": text(r.Path)})
	if err := s.pool.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("postgres: save registration: %w", err)
	}
	return nil
}

// expiry is the Unix second from which a contact must not be called: at once when it is gone, whatever Expires says.
func expiry(r messages.Registration) int64 {
	if r.Event != messages.Registered {
		return r.At
	}
	return r.ExpiresAt().Unix()
}

// LoadRegistrations lists the contacts that may be called now, each as the event that made or last refreshed it.
func (s *Store) LoadRegistrations(ctx context.Context, now time.Time) ([]messages.Registration, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT edge, edge_uri, username, domain, contact,
		       extract(epoch FROM expires_at - at)::bigint, extract(epoch FROM at)::bigint,
		       call_id, cseq, source_address, source_port, transport, user_agent, path
		  FROM registrations WHERE event = 'registered' AND expires_at > @now
		 ORDER BY domain, username, contact`, pgx.StrictNamedArgs{"now": now})
	if err != nil {
		return nil, fmt.Errorf("postgres: load registrations: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (messages.Registration, error) {
		r := messages.Registration{Type: messages.RegistrationV1, Event: messages.Registered}
		err := row.Scan(&r.Edge, &r.EdgeURI, &r.Username, &r.Domain, &r.Contact, &r.Expires, &r.At,
			&r.CallID, &r.CSeq, &r.SourceAddress, &r.SourcePort, &r.Transport, &r.UserAgent, &r.Path)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: load registrations: %w", err)
	}
	return all, nil
}

// ForgetRegistrations removes rows that have been gone or expired for RegistrationMemory, and says how many.
func (s *Store) ForgetRegistrations(ctx context.Context, now time.Time) (int64, error) {
	done, err := s.pool.Exec(ctx, `DELETE FROM registrations WHERE expires_at < @before`,
		pgx.StrictNamedArgs{"before": now.Add(-RegistrationMemory)})
	if err != nil {
		return 0, fmt.Errorf("postgres: forget registrations: %w", err)
	}
	return done.RowsAffected(), nil
}
