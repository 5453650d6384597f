package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"tandem/messages"
)

// MaxRecentCalls is the most that RecentCalls gives.
const MaxRecentCalls = 1000

// Call is what the ledger knows about a call as a whole. Fields are empty until the journal or a CDR tells them.
type Call struct {
	Call      string     `json:"call"`
	Tenant    string     `json:"tenant"`
	SIPCallID string     `json:"sip_call_id"` // of the caller's leg
	From      string     `json:"from"`        // as presented on the caller's leg
	To        string     `json:"to"`          // as the caller dialled
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"` // end of the last leg that has reported; nil while none has
	Version   int64      `json:"version"`
}

// queueCalls adds what a batch tells about calls to the calls table. Whichever message comes first makes the row; what
// one knows and another does not is never overwritten by nothing.
func queueCalls(batch *pgx.Batch, calls []Call) {
	for _, c := range calls {
		batch.Queue(`
			INSERT INTO calls AS c (call, tenant_id, sip_call_id, "from", "to", started_at, ended_at, version)
			VALUES (@call, @tenant_id, @sip_call_id, @from, @to, @started_at, @ended_at, @version)
			ON CONFLICT (call) DO UPDATE
			SET tenant_id = coalesce(c.tenant_id, excluded.tenant_id),
			    sip_call_id = coalesce(nullif(excluded.sip_call_id, ''), c.sip_call_id),
			    "from" = coalesce(nullif(excluded."from", ''), c."from"),
			    "to" = coalesce(nullif(excluded."to", ''), c."to"),
			    started_at = least(c.started_at, excluded.started_at),
			    ended_at = greatest(c.ended_at, excluded.ended_at),
			    version = coalesce(nullif(c.version, 0), excluded.version)`,
			pgx.StrictNamedArgs{"call": text(c.Call), "tenant_id": orNull(c.Tenant), "sip_call_id": text(c.SIPCallID),
				"from": text(c.From), "to": text(c.To), "started_at": c.StartedAt, "ended_at": c.EndedAt,
				"version": c.Version})
	}
}

// callsOfCDRs joins a batch of legs to calls, sorted by call. Only the caller's leg tells who called whom.
func callsOfCDRs(cdrs []messages.CDR) []Call {
	calls := make(map[string]Call)
	for _, l := range cdrs {
		c, known := calls[l.Call]
		if !known {
			c = Call{Call: l.Call, StartedAt: l.StartedAt, EndedAt: &l.EndedAt}
		}
		c.Tenant, c.Version = cmp.Or(c.Tenant, l.Tenant), cmp.Or(c.Version, l.Version)
		if l.StartedAt.Before(c.StartedAt) {
			c.StartedAt = l.StartedAt
		}
		if l.EndedAt.After(*c.EndedAt) {
			c.EndedAt = &l.EndedAt
		}
		if l.Role == messages.RoleCaller {
			c.SIPCallID, c.From, c.To = l.SIPCallID, l.From, l.To
		}
		calls[l.Call] = c
	}
	return sorted(calls)
}

// callsOfJournal joins a batch of decisions to calls, sorted by call.
func callsOfJournal(entries []messages.JournalEntry) []Call {
	calls := make(map[string]Call)
	for _, e := range entries {
		c, known := calls[e.Call]
		if !known {
			c = Call{Call: e.Call, StartedAt: e.At}
		}
		c.Tenant, c.Version = cmp.Or(c.Tenant, e.Tenant), cmp.Or(c.Version, e.Version)
		if e.Source == messages.SourceRouting {
			c.readRouting(e)
		}
		if e.At.Before(c.StartedAt) {
			c.StartedAt = e.At
		}
		calls[e.Call] = c
	}
	return sorted(calls)
}

// readRouting takes from a routing decision what a call is searched by, so that a call is found while it lasts. What is
// not there, or not as expected, is left for the CDR to tell.
func (c *Call) readRouting(e messages.JournalEntry) {
	var input struct {
		Request struct {
			SIPCallID string `json:"sip_call_id"`
		} `json:"request"`
	}
	var output struct {
		Caller struct {
			Number string `json:"number"`
		} `json:"caller"`
		Dialled string `json:"dialled"`
	}
	if json.Unmarshal(e.Input, &input) == nil {
		c.SIPCallID = cmp.Or(input.Request.SIPCallID, c.SIPCallID)
	}
	if json.Unmarshal(e.Output, &output) == nil {
		c.From, c.To = cmp.Or(output.Caller.Number, c.From), cmp.Or(output.Dialled, c.To)
	}
}

func sorted(calls map[string]Call) []Call {
	return slices.SortedFunc(maps.Values(calls), func(a, b Call) int { return cmp.Compare(a.Call, b.Call) })
}

// Call finds a call by its id or by the SIP Call-ID of any of its legs. When several calls share a Call-ID, which a
// sender may bring about, it is the latest. ErrNotFound when there is none.
func (s *Store) Call(ctx context.Context, id string) (Call, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT call, coalesce(tenant_id, '') AS tenant, sip_call_id, "from", "to", started_at, ended_at, version
		  FROM calls
		 WHERE call IN (SELECT @id UNION SELECT call FROM calls WHERE sip_call_id = @id AND sip_call_id <> ''
		                UNION SELECT call FROM cdrs WHERE sip_call_id = @id AND sip_call_id <> '')
		 ORDER BY call = @id DESC, started_at DESC, call LIMIT 1`, pgx.StrictNamedArgs{"id": text(id)})
	if err != nil {
		return Call{}, fmt.Errorf("postgres: call: %w", err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Call])
	if err != nil {
		return Call{}, notFound("call", err)
	}
	return c, nil
}

// CallFilter chooses calls. The zero value chooses all.
type CallFilter struct {
	Number string // caller or callee, as presented or dialled
}

// RecentCalls lists the latest calls, newest first, at most limit and never more than MaxRecentCalls.
func (s *Store) RecentCalls(ctx context.Context, limit int, filter CallFilter) ([]Call, error) {
	limit = max(0, min(limit, MaxRecentCalls))
	var rows pgx.Rows
	var err error
	if filter.Number == "" {
		rows, err = s.pool.Query(ctx, `
			SELECT call, coalesce(tenant_id, '') AS tenant, sip_call_id, "from", "to", started_at, ended_at, version
			  FROM calls ORDER BY started_at DESC LIMIT @limit`, pgx.StrictNamedArgs{"limit": limit})
	} else {
		// Two index scans, each in order and cut off, rather than an OR over the whole ledger.
		rows, err = s.pool.Query(ctx, `
			SELECT call, coalesce(tenant_id, '') AS tenant, sip_call_id, "from", "to", started_at, ended_at, version
			  FROM ((SELECT * FROM calls WHERE "from" = @number ORDER BY started_at DESC LIMIT @limit) UNION
			        (SELECT * FROM calls WHERE "to" = @number ORDER BY started_at DESC LIMIT @limit)) AS either
			 ORDER BY started_at DESC LIMIT @limit`,
			pgx.StrictNamedArgs{"number": text(filter.Number), "limit": limit})
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: recent calls: %w", err)
	}
	calls, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Call])
	if err != nil {
		return nil, fmt.Errorf("postgres: recent calls: %w", err)
	}
	return calls, nil
}
