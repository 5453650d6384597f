-- Drafts of lists, with which flows compare callers. Publishing copies them into a document of tenant_versions, as it does
-- with flows and schedules.
CREATE TABLE lists (
    tenant_id text NOT NULL REFERENCES tenants (id),
    id        text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name      text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    entries   text[] NOT NULL CHECK (cardinality(entries) <= 10000),
    PRIMARY KEY (tenant_id, id)
);
