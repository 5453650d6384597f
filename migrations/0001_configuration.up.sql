-- Configuration: what staff and tenants edit, and what workers decide from.
--
-- Names are those of the Go structs in package tenants and of their JSON. Every table that belongs to a tenant has a
-- tenant_id and begins its key with it, so that row level security can be laid over it without a change of shape, and
-- so that a foreign key can never lead from one tenant to another's row.

-- The platform-wide revision: one row, one number, which grows once for each transaction that changes what workers
-- read. The row's lock makes such transactions commit one after another; therefore a reader that sees revision N sees
-- every change up to N and none after, which a sequence could not promise. Drafts do not count: workers never read them.
CREATE TABLE revision (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision    bigint NOT NULL,
    transaction xid8 NOT NULL -- the transaction that raised it last
);
INSERT INTO revision (revision, transaction) VALUES (1, pg_current_xact_id());

-- The trigger runs BEFORE the statement: every transaction takes the revision's lock before it locks rows of
-- configuration, so two of them cannot wait for each other. The notification is sent by PostgreSQL at commit.
CREATE FUNCTION raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    UPDATE revision SET revision = revision + 1, transaction = pg_current_xact_id()
     WHERE transaction <> pg_current_xact_id()
    RETURNING revision INTO raised;
    IF raised IS NOT NULL THEN
        PERFORM pg_notify('tandem_config', raised::text);
    END IF;
    RETURN NULL;
END $$;

CREATE TABLE tenants (
    id                text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name              text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    -- SIP domain and digest realm. The ha1 of every device is made from it: it cannot change while there are devices.
    domain            text NOT NULL CONSTRAINT tenants_domain_key UNIQUE
                      CHECK (domain = lower(domain) AND domain ~ '^[a-z0-9.-]{1,253}$'),
    time_zone         text NOT NULL,
    language          text NOT NULL,
    suspended         boolean NOT NULL DEFAULT false,
    max_calls         integer NOT NULL DEFAULT 0 CHECK (max_calls >= 0), -- 0: no limit
    published_version bigint, -- the version that workers run; NULL before the first
    created_at        timestamptz NOT NULL DEFAULT now()
);

-- Published versions. A row never changes: calls pin the version that they began with, and replays read it years later.
CREATE TABLE tenant_versions (
    tenant_id    text NOT NULL REFERENCES tenants (id),
    version      bigint NOT NULL CHECK (version > 0),
    document     jsonb NOT NULL, -- tenants.Published
    published_at timestamptz NOT NULL,
    published_by text NOT NULL CHECK (octet_length(published_by) <= 256),
    comment      text NOT NULL CHECK (octet_length(comment) <= 4096),
    PRIMARY KEY (tenant_id, version)
);
ALTER TABLE tenants ADD CONSTRAINT tenants_published_version_fkey
    FOREIGN KEY (id, published_version) REFERENCES tenant_versions (tenant_id, version);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % never changes once it is written', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_immutable';
END $$;
CREATE TRIGGER tenant_versions_immutable BEFORE UPDATE OR DELETE ON tenant_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE numbers (
    number     text CONSTRAINT numbers_pkey PRIMARY KEY
               CONSTRAINT numbers_number_check CHECK (number ~ '^\+[1-9][0-9]{6,14}$'), -- E.164
    tenant_id  text NOT NULL REFERENCES tenants (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, number)
);

CREATE TABLE users (
    tenant_id  text NOT NULL REFERENCES tenants (id),
    id         text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,58}$'), -- "user-" before it makes a flow's id
    name       text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    extension  text NOT NULL CONSTRAINT users_extension_check CHECK (extension ~ '^[0-9]{2,8}$'),
    number     text, -- shown to the outside; the tenant's own
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT users_extension_key UNIQUE (tenant_id, extension),
    CONSTRAINT users_number_fkey FOREIGN KEY (tenant_id, number) REFERENCES numbers (tenant_id, number)
);

CREATE TABLE devices (
    tenant_id  text NOT NULL REFERENCES tenants (id),
    id         text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    user_id    text,
    name       text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    username   text NOT NULL CONSTRAINT devices_username_check CHECK (username ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    ha1        text NOT NULL CHECK (ha1 ~ '^[0-9a-f]{32}$'), -- RFC 7616 3.4.2, MD5; the password itself is kept nowhere
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT devices_username_key UNIQUE (tenant_id, username),
    CONSTRAINT devices_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE TABLE trunks (
    id         text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name       text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE trunk_addresses (
    address  inet CONSTRAINT trunk_addresses_pkey PRIMARY KEY
             CONSTRAINT trunk_addresses_host_check CHECK (masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END),
    trunk_id text NOT NULL REFERENCES trunks (id) ON DELETE CASCADE
);
CREATE INDEX trunk_addresses_trunk_id_idx ON trunk_addresses (trunk_id);

-- Media nodes. The event socket's password is no configuration of the platform: workers have it from their environment.
CREATE TABLE media_nodes (
    name         text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    sip_uri      text NOT NULL CONSTRAINT media_nodes_sip_uri_key UNIQUE CHECK (sip_uri ~ '^sips?:'),
    event_socket text NOT NULL CONSTRAINT media_nodes_event_socket_key UNIQUE, -- host:port
    max_calls    integer NOT NULL DEFAULT 0 CHECK (max_calls >= 0), -- 0: no limit
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- The way to the emergency services. There is always exactly one row.
CREATE TABLE emergency (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    numbers     text[] NOT NULL CHECK (array_to_string(numbers, ' ') ~ '^[0-9]{2,8}( [0-9]{2,8})*$'),
    test_number text NOT NULL CHECK (test_number = '' OR test_number = ANY (numbers)),
    trunk_uri   text NOT NULL CHECK (trunk_uri = '' OR trunk_uri ~ '^sips?:')
);
INSERT INTO emergency (numbers, test_number, trunk_uri) VALUES ('{112,911}', '', '');

-- Drafts of what is versioned. Publishing copies them into a document of tenant_versions; nothing else reads them.
CREATE TABLE flows (
    tenant_id  text NOT NULL REFERENCES tenants (id),
    id         text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$')
               CONSTRAINT flows_id_reserved CHECK (id NOT LIKE 'user-%'), -- those are implied by users
    name       text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    definition jsonb NOT NULL, -- {"start": key, "elements": {key: tenants.Element}}
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE schedules (
    tenant_id  text NOT NULL REFERENCES tenants (id),
    id         text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name       text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    time_zone  text NOT NULL, -- empty: the tenant's
    definition jsonb NOT NULL, -- {"weekly": [tenants.Hours], "dates": [tenants.Date]}
    PRIMARY KEY (tenant_id, id)
);

-- A route leads to a flow, or to a user, whose flow publishing implies.
CREATE TABLE routes (
    tenant_id text NOT NULL REFERENCES tenants (id),
    dialled   text NOT NULL CONSTRAINT routes_dialled_check CHECK (dialled ~ '^(\+[1-9][0-9]{6,14}|[0-9*#]{1,20})$'),
    flow_id   text,
    user_id   text,
    number    text GENERATED ALWAYS AS (CASE WHEN dialled LIKE '+%' THEN dialled END) STORED,
    PRIMARY KEY (tenant_id, dialled),
    CONSTRAINT routes_one_target CHECK (num_nonnulls(flow_id, user_id) = 1),
    CONSTRAINT routes_flow_id_fkey FOREIGN KEY (tenant_id, flow_id) REFERENCES flows (tenant_id, id),
    CONSTRAINT routes_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    CONSTRAINT routes_number_fkey FOREIGN KEY (tenant_id, number) REFERENCES numbers (tenant_id, number)
);

CREATE TABLE blocked_callers (
    tenant_id text NOT NULL REFERENCES tenants (id),
    caller    text NOT NULL CHECK (caller ~ '^(\+[1-9][0-9]{6,14}|[A-Za-z0-9][A-Za-z0-9_.-]{0,63})$'), -- E.164, or a user name of ours
    PRIMARY KEY (tenant_id, caller)
);

-- What workers read raises the revision; tenant_versions does so through tenants.published_version.
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON tenants EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON numbers EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON users EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON devices EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON trunks EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON trunk_addresses EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON media_nodes EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON emergency EXECUTE FUNCTION raise_revision();
