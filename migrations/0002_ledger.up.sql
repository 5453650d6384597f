-- The ledger: what happened. Rows come from RabbitMQ, at least once and in any order; each key makes a second arrival
-- harmless. No foreign key leads to configuration: a call that was made stays in the ledger whatever became of its
-- tenant, and a row is never refused because something else is missing.
--
-- Decision: cdrs is one plain table with leg as its primary key, not partitioned by day.
--   Context: 33 million legs a day at the design point make one table unwieldy after some weeks. A partitioned table in
--     PostgreSQL must have the partition key in each unique key, and (day, leg) would keep a leg twice when its two
--     arrivals disagree about the day, which is just what an estimated row and the real one may do.
--   Choice: "a leg is kept once" is stated by one constraint that nobody can get wrong.
--   Cost: old days are deleted by row, not by dropping a partition; the unique index is as long as the ledger.
--   Revisit: before a ledger holds some 300 million rows. Then cdr_legs (leg PRIMARY KEY, day) becomes the place of
--     uniqueness, filled in the same transaction; this table gets a validated check on its days and is attached, as it
--     stands, as the first partition of the new parent. The same goes for journal.

-- calls has a row for each call as soon as anything about it is known, so that support finds it by number or Call-ID.
CREATE TABLE calls (
    call        text PRIMARY KEY,
    tenant_id   text, -- NULL when no tenant could be found
    sip_call_id text NOT NULL DEFAULT '',
    "from"      text NOT NULL DEFAULT '',
    "to"        text NOT NULL DEFAULT '',
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz, -- end of the last leg that has reported; NULL while none has
    version     bigint NOT NULL DEFAULT 0
);
CREATE INDEX calls_started_at_idx ON calls (started_at);
CREATE INDEX calls_from_idx ON calls ("from", started_at);
CREATE INDEX calls_to_idx ON calls ("to", started_at);
CREATE INDEX calls_sip_call_id_idx ON calls (sip_call_id) WHERE sip_call_id <> '';

-- input and output are json, not jsonb: they are kept byte for byte so that a decision replays from what it really
-- read, and json takes the escape \u0000, which a phone may have sent and jsonb refuses.
CREATE TABLE journal (
    call      text NOT NULL,
    source    text NOT NULL CHECK (source IN ('routing', 'callflow')),
    leg       text NOT NULL, -- the caller's, on the node that the flow runs on; empty for routing
    n         integer NOT NULL CHECK (n >= 0),
    tenant_id text,
    at        timestamptz NOT NULL,
    version   bigint NOT NULL,
    element   text NOT NULL,
    because   json NOT NULL,
    input     json NOT NULL,
    output    json NOT NULL,
    PRIMARY KEY (call, source, leg, n)
);

CREATE TABLE cdrs (
    leg         text PRIMARY KEY,
    call        text NOT NULL,
    tenant_id   text,
    role        text NOT NULL CHECK (role IN ('caller', 'callee')),
    node        text NOT NULL,
    sip_call_id text NOT NULL,
    "from"      text NOT NULL,
    from_name   text NOT NULL,
    "to"        text NOT NULL,
    device      text NOT NULL,
    trunk       text NOT NULL,
    started_at  timestamptz NOT NULL,
    answered_at timestamptz,
    ended_at    timestamptz NOT NULL CHECK (ended_at >= started_at),
    sip_code    integer NOT NULL,
    cause       text NOT NULL,
    q850        integer NOT NULL,
    fault       text NOT NULL CHECK (fault IN ('none', 'caller', 'callee', 'tenant', 'carrier', 'platform')),
    version     bigint NOT NULL,
    estimated   boolean NOT NULL, -- gives way to the node's own word, and never the other way round
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cdrs_call_idx ON cdrs (call);
CREATE INDEX cdrs_sip_call_id_idx ON cdrs (sip_call_id) WHERE sip_call_id <> '';
CREATE INDEX cdrs_started_at_idx ON cdrs USING brin (started_at);
