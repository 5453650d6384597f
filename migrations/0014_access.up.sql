-- Who may change and see what: the tree of tenants, people and their sessions, API keys, row level security, and the audit of every
-- change that somebody made.

-- The tree. A tenant without a parent is the platform's own customer or reseller. Only resellers have tenants below them.
ALTER TABLE tenants
    ADD kind            text NOT NULL DEFAULT 'customer' CONSTRAINT tenants_kind_check CHECK (kind IN ('reseller', 'customer')),
    ADD parent_id       text CONSTRAINT tenants_parent_id_fkey REFERENCES tenants (id),
    ADD suspended_above boolean NOT NULL DEFAULT false; -- one above it is suspended
CREATE INDEX tenants_parent_id_idx ON tenants (parent_id);

-- Each tenant with all above it, and itself at depth 0: "within" is one look-up however deep the tree is.
CREATE TABLE tenant_tree (
    tenant_id   text NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    ancestor_id text NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    depth       integer NOT NULL CHECK (depth BETWEEN 0 AND 16), -- the deepest tree
    PRIMARY KEY (tenant_id, ancestor_id)
);
CREATE INDEX tenant_tree_ancestor_id_idx ON tenant_tree (ancestor_id, tenant_id);
INSERT INTO tenant_tree SELECT id, id, 0 FROM tenants;

CREATE FUNCTION grow_tenant_tree() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.parent_id IS NOT NULL AND NOT EXISTS (SELECT FROM tenants WHERE id = NEW.parent_id AND kind = 'reseller') THEN
        RAISE EXCEPTION 'tenant % is no reseller', NEW.parent_id USING ERRCODE = 'check_violation', CONSTRAINT = 'tenants_parent_is_reseller';
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tenant_tree SELECT NEW.id, NEW.id, 0
        UNION ALL SELECT NEW.id, ancestor_id, depth + 1 FROM tenant_tree WHERE tenant_id = NEW.parent_id;
        RETURN NULL;
    END IF;
    -- Moved: all below it go along.
    IF EXISTS (SELECT FROM tenant_tree WHERE tenant_id = NEW.parent_id AND ancestor_id = NEW.id) THEN
        RAISE EXCEPTION 'tenant % is below itself', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'tenants_no_circle';
    END IF;
    DELETE FROM tenant_tree t USING tenant_tree below
     WHERE below.ancestor_id = NEW.id AND t.tenant_id = below.tenant_id
       AND t.ancestor_id NOT IN (SELECT tenant_id FROM tenant_tree WHERE ancestor_id = NEW.id);
    INSERT INTO tenant_tree
    SELECT below.tenant_id, above.ancestor_id, below.depth + above.depth + 1
      FROM tenant_tree below, tenant_tree above WHERE below.ancestor_id = NEW.id AND above.tenant_id = NEW.parent_id;
    RETURN NULL;
END $$;
CREATE TRIGGER grow_tenant_tree AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION grow_tenant_tree();
CREATE TRIGGER move_tenant_tree AFTER UPDATE OF parent_id ON tenants FOR EACH ROW
    WHEN (NEW.parent_id IS DISTINCT FROM OLD.parent_id) EXECUTE FUNCTION grow_tenant_tree();
CREATE FUNCTION keep_tenant_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM tenants WHERE parent_id = NEW.id) THEN
        RAISE EXCEPTION 'tenant % has tenants below it', NEW.id USING ERRCODE = 'check_violation', CONSTRAINT = 'tenants_parent_is_reseller';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_tenant_kind AFTER UPDATE OF kind ON tenants FOR EACH ROW WHEN (NEW.kind = 'customer' AND OLD.kind = 'reseller')
    EXECUTE FUNCTION keep_tenant_kind();

-- What holds for a tenant holds for all below it: they are read anew when it changes, and know whether one above them is suspended.
CREATE FUNCTION spread_tenant() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE tenants c SET suspended_above = above.suspended
      FROM (SELECT d.tenant_id, coalesce(bool_or(a.suspended) FILTER (WHERE a.id <> d.tenant_id), false) AS suspended
              FROM tenant_tree d JOIN tenant_tree up ON up.tenant_id = d.tenant_id JOIN tenants a ON a.id = up.ancestor_id
             WHERE d.ancestor_id = NEW.id GROUP BY d.tenant_id) above
     WHERE c.id = above.tenant_id AND c.suspended_above <> above.suspended;
    INSERT INTO tenant_changes AS c (tenant_id, revision)
    SELECT d.tenant_id, r.revision FROM tenant_tree d, revision r WHERE d.ancestor_id = NEW.id
    ON CONFLICT (tenant_id) DO UPDATE SET revision = excluded.revision WHERE c.revision <> excluded.revision;
    RETURN NULL;
END $$;
CREATE TRIGGER spread_inserted AFTER INSERT ON tenants FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION spread_tenant();
CREATE TRIGGER spread_updated AFTER UPDATE OF suspended, parent_id, max_calls, max_calls_per_second, max_outgoing, outgoing_per_second, may_call_out ON tenants
    FOR EACH ROW WHEN ((NEW.suspended, NEW.parent_id, NEW.max_calls, NEW.max_calls_per_second, NEW.max_outgoing, NEW.outgoing_per_second, NEW.may_call_out)
        IS DISTINCT FROM (OLD.suspended, OLD.parent_id, OLD.max_calls, OLD.max_calls_per_second, OLD.max_outgoing, OLD.outgoing_per_second, OLD.may_call_out))
    EXECUTE FUNCTION spread_tenant();

-- What a tenant may, with all above it: the least of their limits, where 0 is none.
CREATE FUNCTION limits_of(of text, OUT max_calls integer, OUT max_calls_per_second integer, OUT max_outgoing integer, OUT outgoing_per_second integer, OUT may_call_out boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(min(nullif(a.max_calls, 0)), 0), coalesce(min(nullif(a.max_calls_per_second, 0)), 0), coalesce(min(nullif(a.max_outgoing, 0)), 0),
           coalesce(min(nullif(a.outgoing_per_second, 0)), 0), coalesce(bool_and(a.may_call_out), false)
      FROM tenant_tree t JOIN tenants a ON a.id = t.ancestor_id WHERE t.tenant_id = of
$$;

-- Who asks over HTTP. The role owns nothing and is subject to row level security; a connection says in tandem.tenant whose rows it
-- may touch ('*': everybody's), and in tandem.actor who asks. With neither it sees nothing.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tandem_api') THEN
        CREATE ROLE tandem_api NOLOGIN NOINHERIT;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
GRANT tandem_api TO CURRENT_USER;
GRANT USAGE ON SCHEMA public TO tandem_api;

CREATE TABLE people (
    id            text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    tenant_id     text REFERENCES tenants (id) ON DELETE CASCADE, -- NULL: the platform's
    user_id       text, -- of the tenant's users, whose own things a person with the role user sees
    email         text NOT NULL CONSTRAINT people_email_key UNIQUE CHECK (email = lower(email) AND octet_length(email) <= 254 AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    name          text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    role          text NOT NULL CHECK (role IN ('platform_admin', 'support', 'reseller', 'tenant_admin', 'user')),
    password_hash text CHECK (password_hash LIKE '$argon2id$%' AND octet_length(password_hash) <= 256), -- NULL: none set yet
    totp_secret   text CHECK (octet_length(totp_secret) <= 128), -- base32, RFC 6238
    totp_on       boolean NOT NULL DEFAULT false,
    totp_step     bigint NOT NULL DEFAULT 0, -- the last time step that was used: a code passes once
    failed        integer NOT NULL DEFAULT 0 CHECK (failed >= 0), -- wrong passwords or codes in a row
    locked_until  timestamptz,
    disabled      boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT people_role_place CHECK ((tenant_id IS NULL) = (role IN ('platform_admin', 'support'))),
    CONSTRAINT people_role_user CHECK ((user_id IS NOT NULL) = (role = 'user')),
    CONSTRAINT people_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX people_tenant_id_idx ON people (tenant_id, id);

CREATE TABLE sessions (
    hash       bytea PRIMARY KEY, -- SHA-256 of the token; the token itself is kept nowhere
    person_id  text NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    acting_as  text REFERENCES tenants (id) ON DELETE CASCADE, -- the tenant that it was opened for by somebody above it
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    address    text NOT NULL CHECK (octet_length(address) <= 64)
);
CREATE INDEX sessions_person_id_idx ON sessions (person_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

-- Whoever may less than before, or whose password is another, is signed out.
CREATE FUNCTION end_sessions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM sessions WHERE person_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER end_sessions AFTER UPDATE OF password_hash, disabled, role, user_id, totp_on ON people FOR EACH ROW
    WHEN (NEW.password_hash IS DISTINCT FROM OLD.password_hash OR NEW.disabled AND NOT OLD.disabled OR NEW.role <> OLD.role
          OR NEW.user_id IS DISTINCT FROM OLD.user_id) EXECUTE FUNCTION end_sessions();

CREATE TABLE api_keys (
    id           text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    tenant_id    text REFERENCES tenants (id) ON DELETE CASCADE, -- NULL: the platform's
    name         text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    hash         bytea NOT NULL CONSTRAINT api_keys_hash_key UNIQUE, -- SHA-256 of the key
    scopes       text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 200),
    created_by   text NOT NULL CHECK (octet_length(created_by) <= 256),
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz, -- within some minutes
    revoked_at   timestamptz
);
CREATE INDEX api_keys_tenant_id_idx ON api_keys (tenant_id, id);

-- What a request with an Idempotency-Key came to. answer is sealed with the key itself, which is kept as a hash alone.
CREATE TABLE idempotency (
    actor      text NOT NULL,
    key_hash   bytea NOT NULL,
    request    bytea NOT NULL, -- SHA-256 of method, path and body
    begun_at   timestamptz NOT NULL DEFAULT now(),
    done       boolean NOT NULL DEFAULT false, -- its change is committed, in the same transaction as this
    status     integer,
    answer     bytea,
    PRIMARY KEY (actor, key_hash)
);
CREATE INDEX idempotency_begun_at_idx ON idempotency (begun_at);

-- Every change that an actor made, by whatever statement. Columns that hold secrets are kept beside, for an undo alone.
CREATE TABLE audit (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at            timestamptz NOT NULL DEFAULT now(),
    tenant_id     text, -- NULL: the platform's
    object        text NOT NULL, -- the table
    object_id     text NOT NULL, -- its key within the tenant, parts joined by /
    change        text NOT NULL CHECK (change IN ('created', 'updated', 'deleted')),
    actor         text NOT NULL, -- key/ID or person/ID
    address       text NOT NULL,
    request       text NOT NULL, -- the request's id: what one request did belongs together
    before        jsonb,
    after         jsonb,
    sealed_before jsonb,
    sealed_after  jsonb,
    undone_by     bigint
);
CREATE INDEX audit_tenant_id_idx ON audit (tenant_id, id);
CREATE INDEX audit_object_idx ON audit (object, tenant_id, object_id, id);

-- sealed are the columns that no view of a change shows.
CREATE FUNCTION sealed_columns() RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT ARRAY['ha1', 'password', 'password_hash', 'secret', 'secret_hash', 'pin_hash', 'hash', 'totp_secret', 'totp_step', 'secrets'] $$;

CREATE FUNCTION note_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    who    text := coalesce(current_setting('tandem.actor', true), '');
    tenant text := TG_ARGV[0]; -- the column that says whose a row is
    key    text; -- of a row r
    old    text := 'NULL::jsonb';
    new    text := 'NULL::jsonb';
    source text;
BEGIN
    IF who = '' THEN
        RETURN NULL; -- the platform's own work, which has trails of its own
    END IF;
    SELECT 'concat_ws(''/'', ' || string_agg(format('%%1$s.%I', k), ', ') || ')' INTO key FROM unnest(TG_ARGV[1:]) k;
    source := CASE TG_OP
        WHEN 'INSERT' THEN format('SELECT NULL::jsonb AS o, to_jsonb(r) AS n, r.%I AS t, %s AS k FROM rows_after r', tenant, format(key, 'r'))
        WHEN 'DELETE' THEN format('SELECT to_jsonb(r) AS o, NULL::jsonb AS n, r.%I AS t, %s AS k FROM rows_before r', tenant, format(key, 'r'))
        ELSE format('SELECT o, n, coalesce(b.t, a.t) AS t, coalesce(b.k, a.k) AS k
                       FROM (SELECT to_jsonb(r) AS o, r.%1$I AS t, %2$s AS k FROM rows_before r) b
                       FULL JOIN (SELECT to_jsonb(r) AS n, r.%1$I AS t, %2$s AS k FROM rows_after r) a
                         ON b.t IS NOT DISTINCT FROM a.t AND b.k = a.k', tenant, format(key, 'r')) END;
    EXECUTE format('INSERT INTO audit (tenant_id, object, object_id, change, actor, address, request, before, after, sealed_before, sealed_after)
        SELECT t, %L, k, CASE WHEN o IS NULL THEN ''created'' WHEN n IS NULL THEN ''deleted'' ELSE ''updated'' END, $1, $2, $3,
               o - sealed_columns(), n - sealed_columns(),
               (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(o) e WHERE e.key = ANY (sealed_columns())),
               (SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(n) e WHERE e.key = ANY (sealed_columns()))
          FROM (%s) changed WHERE o IS DISTINCT FROM n', TG_TABLE_NAME, source)
    USING who, coalesce(current_setting('tandem.address', true), ''), coalesce(current_setting('tandem.request', true), '');
    RETURN NULL;
END $$;

-- undo_change puts a row back to what it was before a change. It runs with the asker's rights and under his row level security, but for
-- what it reads of the audit.
CREATE FUNCTION undo_change(which bigint, of text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a        audit;
    was      jsonb;
    became   jsonb;
    now_is   jsonb;
    keys     text;
    settings text;
    touched  bigint;
BEGIN
    SELECT * INTO a FROM audit WHERE id = which AND tenant_id IS NOT DISTINCT FROM of;
    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;
    IF a.undone_by IS NOT NULL OR EXISTS (SELECT FROM audit b WHERE b.object = a.object AND b.tenant_id IS NOT DISTINCT FROM a.tenant_id
                                             AND b.object_id = a.object_id AND b.id > a.id) THEN
        RETURN 'later';
    END IF;
    was := a.before || coalesce(a.sealed_before, '{}');
    became := a.after || coalesce(a.sealed_after, '{}');
    -- The row is named by its primary key.
    SELECT string_agg(format('r.%1$I = k.%1$I', c.attname), ' AND ') INTO keys
      FROM pg_index i JOIN pg_attribute c ON c.attrelid = i.indrelid AND c.attnum = ANY (i.indkey)
     WHERE i.indrelid = a.object::regclass AND i.indisprimary;
    IF a.change = 'deleted' THEN
        SELECT string_agg(quote_ident(attname), ', ') INTO settings FROM pg_attribute
         WHERE attrelid = a.object::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
        EXECUTE format('INSERT INTO %1$I (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::%1$I, $1)', a.object, settings) USING was;
    ELSE
        EXECUTE format('SELECT to_jsonb(r) FROM %1$I r, jsonb_populate_record(NULL::%1$I, $1) k WHERE %2$s FOR UPDATE OF r', a.object, keys) INTO now_is USING became;
        IF now_is IS DISTINCT FROM became THEN
            RETURN 'later'; -- by the platform's own work, of which the audit does not tell
        END IF;
        IF a.change = 'created' THEN
            EXECUTE format('DELETE FROM %1$I r USING jsonb_populate_record(NULL::%1$I, $1) k WHERE %2$s', a.object, keys) USING became;
        ELSE
            SELECT string_agg(format('%1$I = k.%1$I', attname), ', ') INTO settings FROM pg_attribute
             WHERE attrelid = a.object::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '';
            EXECUTE format('UPDATE %1$I r SET %2$s FROM jsonb_populate_record(NULL::%1$I, $1) k WHERE %3$s', a.object, settings, keys) USING was;
        END IF;
    END IF;
    UPDATE audit SET undone_by = (SELECT max(b.id) FROM audit b WHERE b.object = a.object AND b.tenant_id IS NOT DISTINCT FROM a.tenant_id
                                     AND b.object_id = a.object_id AND b.id > a.id) WHERE id = which;
    RETURN 'undone';
END $$;

-- tenant_guarded lets tandem_api at the rows of one tenant in a table, and at no other's.
CREATE FUNCTION tenant_guarded(of regclass, owner text DEFAULT 'tenant_id') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', of);
    EXECUTE format('CREATE POLICY of_tenant ON %s TO tandem_api USING (%I = current_setting(''tandem.tenant'', true) OR current_setting(''tandem.tenant'', true) = ''*'')', of, owner);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO tandem_api', of);
END $$;

-- audited writes down every change of a table. keys name an object within its tenant.
CREATE FUNCTION audited(of regclass, owner text, VARIADIC keys text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    arguments text;
BEGIN
    SELECT string_agg(quote_literal(k), ', ') INTO arguments FROM unnest(owner || keys) k;
    EXECUTE format('CREATE TRIGGER audit_inserted AFTER INSERT ON %s REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION note_audit(%s)', of, arguments);
    EXECUTE format('CREATE TRIGGER audit_updated AFTER UPDATE ON %s REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION note_audit(%s)', of, arguments);
    EXECUTE format('CREATE TRIGGER audit_deleted AFTER DELETE ON %s REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION note_audit(%s)', of, arguments);
END $$;

-- tenant_owned does both.
CREATE FUNCTION tenant_owned(of regclass, VARIADIC keys text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tenant_guarded(of), audited(of, 'tenant_id', VARIADIC keys);
END $$;

SELECT tenant_owned('users', 'id'), tenant_owned('devices', 'id'), tenant_owned('numbers', 'number'), tenant_owned('flows', 'id'), tenant_owned('schedules', 'id'),
       tenant_owned('lists', 'id'), tenant_owned('routes', 'dialled'), tenant_owned('blocked_callers', 'caller'), tenant_owned('user_settings', 'user_id'),
       tenant_owned('user_forwards', 'user_id', 'kind'), tenant_owned('speed_dials', 'user_id', 'key'), tenant_owned('hot_desks', 'device_id'),
       tenant_owned('whereabouts', 'device_id'), tenant_owned('trunks', 'id'), tenant_owned('voicemail_boxes', 'box'), tenant_owned('people', 'id'),
       tenant_owned('api_keys', 'id');
SELECT tenant_guarded('recordings'), tenant_guarded('calls'), tenant_guarded('journal'), tenant_guarded('cdrs'), tenant_guarded('registrations'),
       tenant_guarded('setting_changes'), tenant_guarded('audit'), tenant_guarded('version_ends'), tenant_guarded('version_events');
REVOKE INSERT, UPDATE, DELETE ON audit, cdrs, calls, journal FROM tandem_api;
GRANT UPDATE (undone_by) ON audit TO tandem_api;

-- Tenants: oneself and all below. What stands above is not seen, nor those beside.
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY within ON tenants TO tandem_api USING (
    current_setting('tandem.tenant', true) IN (id, '*') OR
    EXISTS (SELECT FROM tenant_tree t WHERE t.tenant_id = tenants.id AND t.ancestor_id = current_setting('tandem.tenant', true)))
    WITH CHECK (current_setting('tandem.tenant', true) IN (id, parent_id, '*') OR
    EXISTS (SELECT FROM tenant_tree t WHERE t.tenant_id = tenants.parent_id AND t.ancestor_id = current_setting('tandem.tenant', true)));
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants TO tandem_api;
SELECT audited('tenants', 'id', 'id');
ALTER TABLE tenant_tree ENABLE ROW LEVEL SECURITY;
CREATE POLICY within ON tenant_tree FOR SELECT TO tandem_api USING (
    current_setting('tandem.tenant', true) IN (tenant_id, ancestor_id, '*'));
GRANT SELECT ON tenant_tree TO tandem_api;

-- What has its tenant in another table.
DO $$
DECLARE
    of text;
BEGIN
    FOREACH of IN ARRAY ARRAY['trunk_addresses', 'trunk_logins', 'outbound_routes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', of);
        EXECUTE format('CREATE POLICY of_trunk ON %I TO tandem_api USING (EXISTS (SELECT FROM trunks t WHERE t.id = trunk_id))', of);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO tandem_api', of);
    END LOOP;
END $$;

-- The versions of tenants: a new one may be published; none ever changes.
ALTER TABLE tenant_versions ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_tenant ON tenant_versions TO tandem_api USING (current_setting('tandem.tenant', true) IN (tenant_id, '*'));
GRANT SELECT, INSERT ON tenant_versions TO tandem_api;

-- The platform's own, which tenants neither see nor change.
DO $$
DECLARE
    of text;
BEGIN
    FOREACH of IN ARRAY ARRAY['media_nodes', 'emergency', 'edges'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', of);
        EXECUTE format('CREATE POLICY of_platform ON %I TO tandem_api USING (current_setting(''tandem.tenant'', true) = ''*'')', of);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO tandem_api', of);
    END LOOP;
END $$;

-- Whoever makes an extension must be told that it is an emergency number.
CREATE POLICY to_be_known ON emergency FOR SELECT TO tandem_api USING (current_setting('tandem.tenant', true) <> '');

-- These write where no asker may.
ALTER FUNCTION raise_revision() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION note_tenants() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION note_credential() SECURITY DEFINER SET search_path = public, pg_temp;
-- Keeps other changes of configuration waiting until the transaction is over.
CREATE FUNCTION lock_configuration() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT FROM revision FOR UPDATE $$;
GRANT SELECT ON revision, tenant_changes TO tandem_api;
GRANT SELECT (actor, key_hash), UPDATE (done) ON idempotency TO tandem_api;
