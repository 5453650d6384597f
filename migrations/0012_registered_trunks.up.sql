-- Trunks that register, at us and outward; emergency numbers and places of devices; numbers that a tenant may show; and what
-- edges must forget.

-- A trunk that registers here does so as a device of its tenant's: user name, password and contacts are the device's.
ALTER TABLE trunks
    ADD device_id        text,
    ADD registrar        text NOT NULL DEFAULT '' CHECK (registrar ~ '^(sip:[A-Za-z0-9.:;=-]+)?$'), -- where edges register for it; empty: nowhere
    ADD register_seconds integer NOT NULL DEFAULT 0 CHECK (register_seconds BETWEEN 0 AND 86400),   -- 0: what is usual
    ADD CONSTRAINT trunks_device_id_owned CHECK (device_id IS NULL OR tenant_id IS NOT NULL),
    ADD CONSTRAINT trunks_device_id_fkey FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id);
CREATE UNIQUE INDEX trunks_device_id_key ON trunks (tenant_id, device_id);

-- What an edge registers with: of the trunks that want it, with a login.
CREATE VIEW edge.trunk_registrations AS
    SELECT t.id AS trunk_id, t.registrar, t.register_seconds, l.username, l.password
      FROM public.trunks t JOIN public.trunk_logins l ON l.trunk_id = t.id
     WHERE t.registrar <> '' AND NOT t.disabled;
GRANT SELECT ON edge.trunk_registrations TO tandem_edge;

-- The edges that workers have heard of lately: the first by name registers at carriers. It is no configuration.
CREATE TABLE edges (
    name    text PRIMARY KEY CHECK (octet_length(name) <= 256),
    seen_at timestamptz NOT NULL
);

-- Where a device stands, and whom emergency services call back; what is left out is the user's, then the tenant's main number.
CREATE TABLE whereabouts (
    tenant_id text NOT NULL,
    device_id text NOT NULL,
    number    text, -- the tenant's own
    location  text NOT NULL DEFAULT '' CHECK (octet_length(location) <= 512 AND location ~ '^[^[:cntrl:]]*$'),
    PRIMARY KEY (tenant_id, device_id),
    CONSTRAINT whereabouts_device_id_fkey FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT whereabouts_number_fkey FOREIGN KEY (tenant_id, number) REFERENCES numbers (tenant_id, number)
);
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON whereabouts EXECUTE FUNCTION raise_revision();

ALTER TABLE tenants
    ADD shown_numbers text[] NOT NULL DEFAULT '{}' -- of others, that the platform lets it show outside
        CHECK (array_to_string(shown_numbers, ' ') ~ '^(\+[1-9][0-9]{6,14}( \+[1-9][0-9]{6,14})*)?$'),
    ADD withheld boolean NOT NULL DEFAULT false;   -- nobody outside learns who calls

-- Which credentials have changed or gone: edges keep them for a while, and are told by the workers to forget them. Whoever
-- changes them holds the revision's lock, so that the ids are in the order of the commits.
CREATE TABLE credential_changes (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL,
    domain   text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX credential_changes_at_idx ON credential_changes (at);

CREATE FUNCTION note_credential() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO credential_changes (username, domain) SELECT OLD.username, domain FROM tenants WHERE id = OLD.tenant_id;
    DELETE FROM credential_changes WHERE at < now() - interval '2 days'; -- longer than an edge keeps any
    RETURN NULL;
END $$;
CREATE TRIGGER note_credential AFTER UPDATE OF ha1, username OR DELETE ON devices FOR EACH ROW EXECUTE FUNCTION note_credential();
