-- Webhooks and the event stream. What happens is written into outbox by the transaction that makes it so, brought from there into
-- events in one order (postgres.Store.Dispatch), and for each webhook that wants it into deliveries.

-- What of a call has been told, and what is needed to tell its end. told is a set: 1 started, 2 answered, 4 ended. Calls from
-- before this migration are not told of.
ALTER TABLE calls
    ADD answered_at timestamptz,
    ADD sip_code    integer NOT NULL DEFAULT 0,
    ADD cause       text NOT NULL DEFAULT '',     -- why the caller's leg ended; empty: it has not reported
    ADD q850        integer NOT NULL DEFAULT 0,
    ADD fault       text NOT NULL DEFAULT 'none',
    ADD on_node     boolean NOT NULL DEFAULT false,
    ADD over        boolean NOT NULL DEFAULT false, -- no leg is left
    ADD told        integer NOT NULL DEFAULT 0;
-- Calls that are over and whose end is not told: their caller's record is on its way, or lost.
CREATE INDEX calls_untold_idx ON calls (ended_at) WHERE over AND told & 4 = 0;

-- Events that are committed and not in their order yet. It is empty most of the time. There is no foreign key to the tenant: an
-- event must never keep from happening what it tells of.
CREATE TABLE outbox (
    n         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        text NOT NULL DEFAULT 'evt_' || replace(gen_random_uuid()::text, '-', ''),
    tenant_id text NOT NULL,
    type      text NOT NULL,
    subject   text NOT NULL,
    at        timestamptz NOT NULL, -- when it happened
    data      json NOT NULL         -- json, not jsonb: it is sent byte for byte, and takes \u0000
);

-- position is given by one transaction at a time: who sees a position sees all before it. It is the stream's order.
CREATE TABLE events (
    position    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text NOT NULL UNIQUE,
    tenant_id   text NOT NULL,
    type        text NOT NULL,
    subject     text NOT NULL,
    at          timestamptz NOT NULL,
    data        json NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX events_tenant_id_position_idx ON events (tenant_id, position);
CREATE INDEX events_recorded_at_idx ON events USING brin (recorded_at);

CREATE TABLE webhooks (
    tenant_id        text NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    id               text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    url              text NOT NULL CHECK (url ~ '^https?://' AND octet_length(url) <= 2048),
    name             text NOT NULL CHECK (octet_length(name) <= 256),
    types            text[] NOT NULL CHECK (cardinality(types) <= 100), -- empty: all
    secrets          jsonb NOT NULL CHECK (jsonb_array_length(secrets) BETWEEN 1 AND 4), -- webhooks.Key, the newest first
    disabled_at      timestamptz,
    disabled_because text NOT NULL DEFAULT '' CHECK (disabled_because IN ('', 'asked', 'gone', 'failing')),
    created_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CHECK ((disabled_at IS NULL) = (disabled_because = ''))
);

-- A receiver that has failed since it last took a message. One without a row is well.
CREATE TABLE webhook_health (
    tenant_id     text NOT NULL,
    webhook_id    text NOT NULL,
    failures      integer NOT NULL,
    failing_since timestamptz NOT NULL,
    last_failure  timestamptz NOT NULL,
    paused_until  timestamptz,
    PRIMARY KEY (tenant_id, webhook_id),
    CONSTRAINT webhook_health_webhook_id_fkey FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id) ON DELETE CASCADE
);

-- One event for one webhook. A worker that makes an attempt holds a lease; each lease has a higher number than the last, by which
-- the word of a worker that was paused and overtaken is known.
CREATE TABLE deliveries (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    text NOT NULL,
    webhook_id   text NOT NULL,
    event_id     text NOT NULL,
    position     bigint NOT NULL,
    type         text NOT NULL,
    subject      text NOT NULL,
    again        boolean NOT NULL DEFAULT false, -- somebody has asked for it to be sent again
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts     integer NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease        bigint NOT NULL DEFAULT 0,
    leased_until timestamptz,
    status       integer NOT NULL DEFAULT 0,  -- of the last attempt; 0: no answer
    problem      text NOT NULL DEFAULT '',    -- of the last attempt, in words
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at      timestamptz,
    CONSTRAINT deliveries_webhook_id_fkey FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id) ON DELETE CASCADE,
    CHECK ((state = 'waiting') = (done_at IS NULL))
);
CREATE INDEX deliveries_due_idx ON deliveries (tenant_id, webhook_id, next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_next_idx ON deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX deliveries_order_idx ON deliveries (tenant_id, webhook_id, subject, position, id) WHERE state = 'waiting';
CREATE INDEX deliveries_leased_idx ON deliveries (tenant_id, webhook_id) WHERE state = 'waiting' AND leased_until IS NOT NULL;
CREATE INDEX deliveries_log_idx ON deliveries (tenant_id, webhook_id, id DESC);
CREATE INDEX deliveries_done_idx ON deliveries (done_at) WHERE state <> 'waiting';
CREATE UNIQUE INDEX deliveries_waiting_key ON deliveries (tenant_id, webhook_id, event_id) WHERE state = 'waiting'; -- once is enough

CREATE TABLE delivery_attempts (
    tenant_id   text NOT NULL,
    delivery_id bigint NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    n           integer NOT NULL, -- 1, 2, 3 ...
    at          timestamptz NOT NULL,
    took_ms     integer NOT NULL,
    status      integer NOT NULL, -- of HTTP; 0: no answer
    problem     text NOT NULL,
    answer      text NOT NULL CHECK (octet_length(answer) <= 4096), -- the beginning of what the receiver said
    PRIMARY KEY (delivery_id, n)
);

-- Who delivers and who streams is woken by these, once for each transaction: PostgreSQL joins equal notifications.
CREATE FUNCTION tell_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added) THEN -- a statement that has inserted nothing wakes nobody
        PERFORM pg_notify('tandem_outbox', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_outbox AFTER INSERT ON outbox REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tell_outbox();
CREATE TRIGGER tell_outbox AFTER INSERT ON deliveries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tell_outbox();

CREATE FUNCTION tell_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tandem_events', tenant_id) FROM (SELECT DISTINCT tenant_id FROM added) AS tenants;
    RETURN NULL;
END $$;
CREATE TRIGGER tell_events AFTER INSERT ON events REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tell_events();

SELECT tenant_owned('webhooks', 'id'), tenant_guarded('webhook_health'), tenant_guarded('outbox'), tenant_guarded('events'), tenant_guarded('deliveries'),
       tenant_guarded('delivery_attempts');
REVOKE UPDATE, DELETE ON outbox, events, delivery_attempts FROM tandem_api;
REVOKE INSERT ON events, delivery_attempts FROM tandem_api;
