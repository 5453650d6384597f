package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
	"tandem/webhooks"
)

// InsertCDRs keeps a batch of legs in one transaction, tells of their ends and their calls' in the same, and says how many rows it wrote. A leg that is there already is
// left as it is, except that a real CDR takes the place of an estimated one. An error means that nothing of the batch
// was kept; when IsRefused says that one of the CDRs is at fault, the batch is best tried again one by one.
func (s *Store) InsertCDRs(ctx context.Context, cdrs []messages.CDR) (written int, err error) {
	// The same order in every batch: two batches with legs in common then never wait for each other.
	cdrs = slices.Clone(cdrs)
	slices.SortStableFunc(cdrs, func(a, b messages.CDR) int { return cmp.Compare(a.Leg, b.Leg) })
	var batch pgx.Batch
	for i := range cdrs {
		c := &cdrs[i]
		batch.Queue(`
			INSERT INTO cdrs (leg, call, tenant_id, role, node, sip_call_id, "from", from_name, "to", device, trunk,
			       started_at, answered_at, ended_at, sip_code, cause, q850, fault, version, estimated, segments)
			VALUES (@leg, @call, @tenant_id, @role, @node, @sip_call_id, @from, @from_name, @to, @device, @trunk,
			       @started_at, @answered_at, @ended_at, @sip_code, @cause, @q850, @fault, @version, @estimated, @segments)
			ON CONFLICT (leg) DO UPDATE
			SET call = excluded.call, tenant_id = excluded.tenant_id, role = excluded.role, node = excluded.node,
			    sip_call_id = excluded.sip_call_id, "from" = excluded."from", from_name = excluded.from_name,
			    "to" = excluded."to", device = excluded.device, trunk = excluded.trunk,
			    started_at = excluded.started_at, answered_at = excluded.answered_at, ended_at = excluded.ended_at,
			    sip_code = excluded.sip_code, cause = excluded.cause, q850 = excluded.q850, fault = excluded.fault,
			    version = excluded.version, segments = excluded.segments, estimated = false, recorded_at = now()
			WHERE cdrs.estimated AND NOT excluded.estimated`,
			pgx.StrictNamedArgs{"leg": text(c.Leg), "call": text(c.Call), "tenant_id": orNull(c.Tenant),
				"role": string(c.Role), "node": text(c.Node), "sip_call_id": text(c.SIPCallID), "from": text(c.From),
				"from_name": text(c.FromName), "to": text(c.To), "device": text(c.Device), "trunk": text(c.Trunk),
				"started_at": c.StartedAt, "answered_at": c.AnsweredAt, "ended_at": c.EndedAt, "sip_code": c.SIPCode,
				"cause": text(c.Cause), "q850": c.Q850, "fault": string(c.Fault), "version": c.Version,
				"estimated": c.Estimated, "segments": c.Segments})
	}
	calls := callsOfCDRs(cdrs)
	queueCalls(&batch, calls)
	queueEnds(&batch, cdrs)
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		kept, err := runCounted(ctx, tx, &batch, len(cdrs))
		if err != nil {
			return err
		}
		var ids []string
		for _, c := range calls {
			ids = append(ids, text(c.Call))
		}
		var ends []webhooks.Event
		for i, is := range kept {
			if is {
				written++
			}
			if is && cdrs[i].Tenant != "" {
				ends = append(ends, webhooks.LegEnded(cdrs[i]))
			}
		}
		return tellCalls(ctx, tx, ids, ends)
	})
	if err != nil {
		return 0, fmt.Errorf("postgres: insert CDRs: %w", err)
	}
	return written, nil
}

// runCounted runs a batch and says which of its first statements wrote a row.
func runCounted(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, counted int) (wrote []bool, err error) {
	results := tx.SendBatch(ctx, batch)
	for range counted {
		done, err := results.Exec()
		if err != nil {
			_ = results.Close()
			return nil, err
		}
		wrote = append(wrote, done.RowsAffected() > 0)
	}
	return wrote, results.Close()
}

// send runs a batch in one transaction and counts the rows that its first statements wrote.
func (s *Store) send(ctx context.Context, batch *pgx.Batch, counted int) (written int, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		wrote, err := runCounted(ctx, tx, batch, counted)
		for _, is := range wrote {
			if is {
				written++
			}
		}
		return err
	})
	return written, err
}

// CDRsOf lists the legs of a call, the caller's first.
func (s *Store) CDRsOf(ctx context.Context, call string) ([]messages.CDR, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT leg, call, coalesce(tenant_id, ''), role, node, sip_call_id, "from", from_name, "to", device, trunk,
		       started_at, answered_at, ended_at, sip_code, cause, q850, fault, version, estimated, segments
		  FROM cdrs WHERE call = @call ORDER BY role <> 'caller', started_at, leg`, pgx.StrictNamedArgs{"call": call})
	if err != nil {
		return nil, fmt.Errorf("postgres: CDRs: %w", err)
	}
	cdrs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (messages.CDR, error) {
		c := messages.CDR{Type: messages.CDRV1}
		err := row.Scan(&c.Leg, &c.Call, &c.Tenant, &c.Role, &c.Node, &c.SIPCallID, &c.From, &c.FromName, &c.To,
			&c.Device, &c.Trunk, &c.StartedAt, &c.AnsweredAt, &c.EndedAt, &c.SIPCode, &c.Cause, &c.Q850, &c.Fault,
			&c.Version, &c.Estimated, &c.Segments)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("postgres: CDRs: %w", err)
	}
	return cdrs, nil
}
