-- What lets a large platform live with small changes: calls of one tenant are found in the order of time, and a worker is told
-- which tenants a change has touched, so that it reads those alone.

CREATE INDEX calls_tenant_id_started_at_idx ON calls (tenant_id, started_at);

-- The revision at which a tenant was last touched, one that is gone included. A row of a tenant that was never touched since
-- this migration is not there.
CREATE TABLE tenant_changes (
    tenant_id text PRIMARY KEY,
    revision  bigint NOT NULL
);
CREATE INDEX tenant_changes_revision_idx ON tenant_changes (revision);

-- everything: the last revision at which something changed of which it is not said whose it is. Who has read an older one reads
-- all anew.
ALTER TABLE revision ADD everything bigint NOT NULL DEFAULT 0;

-- Which tables say whose their rows are is said here, and nowhere else: of any other table that raises the revision, and of a
-- TRUNCATE, it is not known. What belongs to the platform is small, and is always read.
CREATE OR REPLACE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
    known  boolean := TG_OP <> 'TRUNCATE' AND TG_TABLE_NAME IN ('tenants', 'users', 'devices', 'numbers', 'user_settings', 'user_forwards', 'speed_dials', 'hot_desks', 'whereabouts') OR
        TG_TABLE_NAME IN ('trunks', 'trunk_addresses', 'outbound_routes', 'media_nodes', 'emergency');
BEGIN
    UPDATE revision SET revision = revision + 1, transaction = pg_current_xact_id()
     WHERE transaction <> pg_current_xact_id()
    RETURNING revision INTO raised;
    IF raised IS NOT NULL THEN
        PERFORM pg_notify('tandem_config', raised::text);
    END IF;
    IF NOT known THEN
        UPDATE revision SET everything = revision WHERE everything <> revision;
    END IF;
    RETURN NULL;
END $$;

-- Runs after raise_revision of the same statement: the revision is that of this transaction, whose row it has locked.
CREATE FUNCTION note_tenants() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'tenants' THEN
        INSERT INTO tenant_changes AS c (tenant_id, revision)
        SELECT DISTINCT touched.id, r.revision FROM touched, revision r
        ON CONFLICT (tenant_id) DO UPDATE SET revision = excluded.revision WHERE c.revision <> excluded.revision;
    ELSE
        INSERT INTO tenant_changes AS c (tenant_id, revision)
        SELECT DISTINCT touched.tenant_id, r.revision FROM touched, revision r
        ON CONFLICT (tenant_id) DO UPDATE SET revision = excluded.revision WHERE c.revision <> excluded.revision;
    END IF;
    RETURN NULL;
END $$;

-- What a statement has made and what it has done away with are told of: a row may go from one tenant to another.
DO $$
DECLARE
    of text;
BEGIN
    FOREACH of IN ARRAY ARRAY['tenants', 'users', 'devices', 'numbers', 'user_settings', 'user_forwards', 'speed_dials', 'hot_desks', 'whereabouts'] LOOP
        EXECUTE format('CREATE TRIGGER note_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_tenants()', of);
        EXECUTE format('CREATE TRIGGER note_updated AFTER UPDATE ON %I REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_tenants()', of);
        EXECUTE format('CREATE TRIGGER note_replaced AFTER UPDATE ON %I REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_tenants()', of);
        EXECUTE format('CREATE TRIGGER note_deleted AFTER DELETE ON %I REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION note_tenants()', of);
    END LOOP;
END $$;
