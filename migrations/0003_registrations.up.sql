-- Registrations: the last word about each contact of each address of record. Events come late, twice and out of order;
-- (at, cseq) says which is newer. A contact that is gone leaves its row behind for a while, and a request to remove all
-- contacts leaves a row with the contact "*", so that an older event which arrives afterwards brings nothing back.
CREATE TABLE registrations (
    username       text NOT NULL,
    domain         text NOT NULL,
    contact        text NOT NULL,
    tenant_id      text, -- by domain when the event arrived; NULL when no tenant has it
    event          text NOT NULL CHECK (event IN ('registered', 'unregistered', 'expired')),
    at             timestamptz NOT NULL, -- at the edge
    cseq           bigint NOT NULL,
    expires_at     timestamptz NOT NULL,
    edge           text NOT NULL,
    edge_uri       text NOT NULL,
    call_id        text NOT NULL,
    source_address text NOT NULL,
    source_port    integer NOT NULL,
    transport      text NOT NULL,
    user_agent     text NOT NULL,
    path           text NOT NULL,
    PRIMARY KEY (domain, username, contact)
);
CREATE INDEX registrations_expires_at_idx ON registrations (expires_at);
