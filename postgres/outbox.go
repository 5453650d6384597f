package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/webhooks"
)

// dispatchLock is the key of the advisory lock under which events get their order, and claimLock that under which deliveries are
// claimed: "tandemev" and "tandemwh" in ASCII.
const (
	dispatchLock = 0x74616e64656d6576
	claimLock    = 0x74616e64656d7768
)

// queueEvents adds events to a batch that is one transaction with what they tell of. Their ids are the database's.
func queueEvents(batch *pgx.Batch, events []webhooks.Event) {
	if len(events) == 0 {
		return
	}
	sql, args := eventRows(events)
	batch.Queue(sql, args)
}

// AddEvent tells of what this transaction does, once it is committed, and gives the event's id.
func (t *Tx) AddEvent(ctx context.Context, e webhooks.Event) (id string, err error) {
	err = t.tx.QueryRow(ctx, `
		INSERT INTO outbox (tenant_id, type, subject, at, data) VALUES (@tenant_id, @type, @subject, @at, @data) RETURNING id`,
		pgx.StrictNamedArgs{"tenant_id": e.Tenant, "type": e.Type, "subject": text(e.Subject), "at": e.At, "data": document(e.Data)}).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("postgres: add event: %w", err)
	}
	return id, nil
}

func eventRows(events []webhooks.Event) (string, pgx.StrictNamedArgs) {
	tenants, types, subjects, data := make([]string, len(events)), make([]string, len(events)), make([]string, len(events)), make([]string, len(events))
	at := make([]time.Time, len(events))
	for i, e := range events {
		tenants[i], types[i], subjects[i], at[i], data[i] = text(e.Tenant), e.Type, text(e.Subject), e.At, string(document(e.Data))
	}
	return `
		INSERT INTO outbox (tenant_id, type, subject, at, data)
		SELECT e.tenant_id, e.type, e.subject, e.at, e.data::json
		  FROM unnest(@tenants::text[], @types::text[], @subjects::text[], @at::timestamptz[], @data::text[])
		       WITH ORDINALITY AS e (tenant_id, type, subject, at, data, i) ORDER BY e.i`,
		pgx.StrictNamedArgs{"tenants": tenants, "types": types, "subjects": subjects, "at": at, "data": data}
}

// Dispatch brings up to most events from the outbox into their order, and makes a delivery of each for every webhook that wants
// it. It says how many there were: as many as most means that there may be more. It is one transaction that is sent to the server
// at once, so that a process which is stopped in the middle of it holds up nobody.
//
// The order is sound because of the lock: the statement begins when the last holder has committed, and sees all that was
// committed before. So of two events of which the second was written after the first was committed, the first gets the lower
// position; and who reads a position sees all below it.
func (s *Store) Dispatch(ctx context.Context, most int) (dispatched int, err error) {
	var batch pgx.Batch
	batch.Queue(`SELECT pg_advisory_xact_lock(@lock)`, pgx.StrictNamedArgs{"lock": int64(dispatchLock)})
	batch.Queue(`
		WITH taken AS (
		    DELETE FROM outbox WHERE n IN (SELECT n FROM outbox ORDER BY n LIMIT @most) RETURNING n, id, tenant_id, type, subject, at, data
		), ordered AS (
		    INSERT INTO events (id, tenant_id, type, subject, at, data)
		    SELECT id, tenant_id, type, subject, at, data FROM taken ORDER BY n
		    RETURNING position, id, tenant_id, type, subject
		), sent AS (
		    INSERT INTO deliveries (tenant_id, webhook_id, event_id, position, type, subject)
		    SELECT e.tenant_id, w.id, e.id, e.position, e.type, e.subject
		      FROM ordered e JOIN webhooks w ON w.tenant_id = e.tenant_id
		     WHERE w.disabled_at IS NULL
		       AND CASE WHEN e.type = 'webhook.test' THEN e.subject = 'webhook:' || w.id ELSE w.types = '{}' OR e.type = ANY (w.types) END
		     ORDER BY e.position
		)
		SELECT count(*)::int FROM ordered`, pgx.StrictNamedArgs{"most": most})
	results := s.pool.SendBatch(ctx, &batch)
	if _, err = results.Exec(); err == nil {
		err = results.QueryRow().Scan(&dispatched)
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return 0, fmt.Errorf("postgres: dispatch events: %w", err)
	}
	return dispatched, nil
}
