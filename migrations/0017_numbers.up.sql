-- The inventory of numbers, orders that are carried out in the background, and porting orders.
--
-- numbers stays what it was: which numbers are live at which tenant; workers read it, and routes refer to it. number_stock holds every
-- number of the platform's, in whatever state. A live one stands in both, and triggers keep it so, whoever writes.

CREATE TABLE number_stock (
    number         text COLLATE "C" CONSTRAINT number_stock_pkey PRIMARY KEY
                   CONSTRAINT number_stock_number_check CHECK (number ~ '^\+[1-9][0-9]{6,14}$'),
    holder_id      text, -- in whose stock; NULL: the platform's
    state          text NOT NULL CHECK (state IN ('available', 'reserved', 'assigned', 'in_use', 'ageing', 'porting_in', 'porting_out', 'blocked')),
    step           text NOT NULL CHECK (step ~ '^[a-z_]{1,32}$'), -- what has led to the state
    tenant_id      text, -- at whom it is live
    reserved_for   text,
    last_tenant_id text, -- whose it was, while it rests
    until          timestamptz,
    since          timestamptz NOT NULL DEFAULT now(),
    country        text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),
    kind           text NOT NULL DEFAULT '' CHECK (kind IN ('', 'geographic', 'mobile', 'national', 'toll_free', 'shared_cost', 'premium', 'non_geographic')),
    trunk_id       text, -- by which its calls come
    note           text NOT NULL DEFAULT '' CHECK (octet_length(note) <= 512),
    -- numbers.Number.Check says the same.
    CONSTRAINT number_stock_live CHECK ((state IN ('assigned', 'in_use', 'porting_out')) = (tenant_id IS NOT NULL)),
    CONSTRAINT number_stock_kept CHECK (CASE state WHEN 'porting_in' THEN reserved_for IS NOT NULL WHEN 'reserved' THEN true ELSE reserved_for IS NULL END),
    CONSTRAINT number_stock_last CHECK ((state = 'ageing') = (last_tenant_id IS NOT NULL)),
    CONSTRAINT number_stock_until CHECK ((state IN ('reserved', 'ageing')) = (until IS NOT NULL))
);

-- Its references follow when it is filled: checked all at once they cost a fraction, and nothing may wait for the commit while indexes are made.
INSERT INTO number_stock (number, holder_id, state, step, tenant_id, since)
SELECT n.number, t.parent_id, 'assigned', 'add', n.tenant_id, n.created_at FROM numbers n JOIN tenants t ON t.id = n.tenant_id;

CREATE INDEX number_stock_holder_id_idx ON number_stock (holder_id, number);
CREATE INDEX number_stock_tenant_id_idx ON number_stock (tenant_id, number) WHERE tenant_id IS NOT NULL;
CREATE INDEX number_stock_reserved_for_idx ON number_stock (reserved_for, number) WHERE reserved_for IS NOT NULL;
CREATE INDEX number_stock_last_tenant_id_idx ON number_stock (last_tenant_id, number) WHERE last_tenant_id IS NOT NULL;
CREATE INDEX number_stock_until_idx ON number_stock (until) WHERE until IS NOT NULL;
CREATE INDEX number_stock_trunk_id_idx ON number_stock (trunk_id) WHERE trunk_id IS NOT NULL;

-- What has happened to numbers: each change of state, by whom. It outlives the number's stay in the inventory.
CREATE TABLE number_steps (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number     text COLLATE "C" NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    step       text NOT NULL,
    from_state text NOT NULL, -- empty: it came into the inventory
    to_state   text NOT NULL, -- empty: it left it
    holder_id  text,
    tenant_id  text, -- whose it was, is or is to be
    by         text NOT NULL
);
CREATE INDEX number_steps_number_idx ON number_steps (number, id);

-- note_used makes the states of a tenant's live numbers say whether a published route, or one of a version on trial, leads from them.
CREATE FUNCTION note_used(of text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH routed AS (
        SELECT DISTINCT jsonb_path_query(v.document, '$.routes[*].dialled') #>> '{}' AS number
          FROM tenants t JOIN tenant_versions v ON v.tenant_id = t.id AND v.version IN (t.published_version, t.candidate_version)
         WHERE t.id = of),
    changing AS (
        SELECT s.number, r.number IS NOT NULL AS used FROM number_stock s LEFT JOIN routed r ON r.number = s.number
         WHERE s.tenant_id = of AND s.state IN ('assigned', 'in_use') AND (s.state = 'in_use') <> (r.number IS NOT NULL))
    UPDATE number_stock s
       SET state = CASE WHEN c.used THEN 'in_use' ELSE 'assigned' END, step = CASE WHEN c.used THEN 'route' ELSE 'unroute' END, since = now()
      FROM changing c WHERE s.number = c.number
$$;
ANALYZE number_stock;
SELECT note_used(id) FROM tenants WHERE published_version IS NOT NULL AND EXISTS (SELECT FROM numbers WHERE tenant_id = tenants.id);

ALTER TABLE number_stock
    ADD CONSTRAINT number_stock_holder_id_fkey FOREIGN KEY (holder_id) REFERENCES tenants (id),
    ADD CONSTRAINT number_stock_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    ADD CONSTRAINT number_stock_reserved_for_fkey FOREIGN KEY (reserved_for) REFERENCES tenants (id),
    ADD CONSTRAINT number_stock_trunk_id_fkey FOREIGN KEY (trunk_id) REFERENCES trunks (id) ON DELETE SET NULL,
    ADD CONSTRAINT number_stock_lives FOREIGN KEY (tenant_id, number) REFERENCES numbers (tenant_id, number) DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION note_used_by_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM note_used(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER note_used AFTER UPDATE ON tenants FOR EACH ROW
    WHEN (OLD.published_version IS DISTINCT FROM NEW.published_version OR OLD.candidate_version IS DISTINCT FROM NEW.candidate_version)
    EXECUTE FUNCTION note_used_by_version();

-- note_stock writes the history, and brings to numbers what has become live, and away what is live no more. It touches numbers only if need
-- be: every statement on it is a new revision for the workers.
CREATE FUNCTION note_stock() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    who text := coalesce(nullif(current_setting('tandem.by', true), ''), current_setting('tandem.actor', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO number_steps (number, step, from_state, to_state, holder_id, tenant_id, by)
        SELECT number, step, '', state, holder_id, coalesce(tenant_id, reserved_for), who FROM rows_after;
        IF EXISTS (SELECT FROM rows_after WHERE tenant_id IS NOT NULL) THEN
            INSERT INTO numbers (number, tenant_id) SELECT number, tenant_id FROM rows_after WHERE tenant_id IS NOT NULL
            ON CONFLICT ON CONSTRAINT numbers_pkey DO NOTHING;
            PERFORM note_used(t.id) FROM tenants t
              WHERE (t.published_version IS NOT NULL OR t.candidate_version IS NOT NULL) AND t.id IN (SELECT tenant_id FROM rows_after);
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        INSERT INTO number_steps (number, step, from_state, to_state, holder_id, tenant_id, by)
        SELECT number, coalesce(nullif(current_setting('tandem.step', true), ''), 'retire'), state, '', holder_id, coalesce(tenant_id, reserved_for, last_tenant_id), who FROM rows_before;
        IF EXISTS (SELECT FROM rows_before WHERE tenant_id IS NOT NULL) THEN
            DELETE FROM numbers n USING rows_before b WHERE b.tenant_id = n.tenant_id AND b.number = n.number;
        END IF;
        RETURN NULL;
    END IF;
    INSERT INTO number_steps (number, step, from_state, to_state, holder_id, tenant_id, by)
    SELECT a.number, a.step, b.state, a.state, a.holder_id, coalesce(a.tenant_id, b.tenant_id, a.reserved_for, b.reserved_for, b.last_tenant_id), who
      FROM rows_after a JOIN rows_before b ON b.number = a.number
     WHERE a.since <> b.since OR a.state <> b.state OR a.holder_id IS DISTINCT FROM b.holder_id;
    IF EXISTS (SELECT FROM rows_after a JOIN rows_before b ON b.number = a.number WHERE b.tenant_id IS NOT NULL AND a.tenant_id IS DISTINCT FROM b.tenant_id) THEN
        DELETE FROM numbers n USING rows_after a, rows_before b
         WHERE b.number = a.number AND b.tenant_id IS NOT NULL AND a.tenant_id IS DISTINCT FROM b.tenant_id AND n.number = b.number AND n.tenant_id = b.tenant_id;
    END IF;
    IF EXISTS (SELECT FROM rows_after a JOIN rows_before b ON b.number = a.number WHERE a.tenant_id IS NOT NULL AND a.tenant_id IS DISTINCT FROM b.tenant_id) THEN
        INSERT INTO numbers (number, tenant_id)
        SELECT a.number, a.tenant_id FROM rows_after a JOIN rows_before b ON b.number = a.number
         WHERE a.tenant_id IS NOT NULL AND a.tenant_id IS DISTINCT FROM b.tenant_id
        ON CONFLICT ON CONSTRAINT numbers_pkey DO NOTHING;
    END IF;
    PERFORM note_used(t.id) FROM tenants t
      WHERE (t.published_version IS NOT NULL OR t.candidate_version IS NOT NULL)
        AND t.id IN (SELECT a.tenant_id FROM rows_after a JOIN rows_before b ON b.number = a.number WHERE a.tenant_id IS DISTINCT FROM b.tenant_id OR b.state = 'porting_out');
    RETURN NULL;
END $$;
CREATE TRIGGER note_inserted AFTER INSERT ON number_stock REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION note_stock();
CREATE TRIGGER note_updated AFTER UPDATE ON number_stock REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION note_stock();
CREATE TRIGGER note_deleted AFTER DELETE ON number_stock REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION note_stock();

-- Whoever writes to numbers itself, as the previous release does: the inventory follows, if it is the platform's own work. Askers change the
-- inventory, and never numbers alone.
CREATE FUNCTION follow_numbers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM touched n WHERE NOT EXISTS (SELECT FROM number_stock s WHERE s.number = n.number AND s.tenant_id = n.tenant_id)) THEN
            RETURN NULL;
        END IF;
    ELSIF NOT EXISTS (SELECT FROM touched n JOIN number_stock s ON s.number = n.number AND s.tenant_id = n.tenant_id) THEN
        RETURN NULL;
    END IF;
    IF coalesce(current_setting('tandem.tenant', true), '') NOT IN ('', '*') THEN
        RAISE EXCEPTION 'numbers come and go by the inventory' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'numbers_by_inventory';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF EXISTS (SELECT FROM touched n JOIN number_stock s ON s.number = n.number
                    WHERE s.tenant_id IS DISTINCT FROM n.tenant_id AND NOT (s.state = 'available' OR s.state = 'reserved' AND s.reserved_for IS NOT DISTINCT FROM n.tenant_id
                          OR s.state = 'ageing' AND s.last_tenant_id = n.tenant_id)) THEN
            RAISE EXCEPTION 'a number is not to be had' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'numbers_pkey';
        END IF;
        INSERT INTO number_stock AS s (number, holder_id, state, step, tenant_id)
        SELECT n.number, t.parent_id, 'assigned', 'add', n.tenant_id FROM touched n JOIN tenants t ON t.id = n.tenant_id
        ON CONFLICT (number) DO UPDATE SET state = 'assigned', step = 'assign', tenant_id = excluded.tenant_id, reserved_for = NULL, last_tenant_id = NULL,
               until = NULL, since = now()
         WHERE s.tenant_id IS NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        UPDATE number_stock s SET state = 'assigned', step = 'assign', tenant_id = n.tenant_id, since = now()
          FROM touched n WHERE s.number = n.number AND s.tenant_id <> n.tenant_id;
    ELSE
        UPDATE number_stock s SET state = 'ageing', step = 'withdraw', tenant_id = NULL, last_tenant_id = n.tenant_id, since = now(),
               until = now() + make_interval(days => ageing_days(s.holder_id))
          FROM touched n WHERE s.number = n.number AND s.tenant_id = n.tenant_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER follow_inserted AFTER INSERT ON numbers REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION follow_numbers();
CREATE TRIGGER follow_updated AFTER UPDATE ON numbers REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION follow_numbers();
CREATE TRIGGER follow_deleted AFTER DELETE ON numbers REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION follow_numbers();

-- A tenant that is moved to another reseller takes along what is live at it, and at all below it, and what is on its way there: whoever is not above it any more holds
-- nothing of it. What he has kept back for it is available again. The trigger's name comes after that of the one that moves the tree.
CREATE FUNCTION numbers_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE number_stock s SET holder_id = NEW.parent_id, step = 'hand'
      FROM tenant_tree below
     WHERE below.ancestor_id = NEW.id AND (s.tenant_id = below.tenant_id OR s.reserved_for = below.tenant_id) AND s.state <> 'reserved' AND s.holder_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM tenant_tree above WHERE above.tenant_id = below.tenant_id AND above.ancestor_id = s.holder_id);
    UPDATE number_stock s SET state = 'available', step = 'free', reserved_for = NULL, until = NULL, since = now()
      FROM tenant_tree below
     WHERE below.ancestor_id = NEW.id AND s.reserved_for = below.tenant_id AND s.state = 'reserved' AND s.holder_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM tenant_tree above WHERE above.tenant_id = below.tenant_id AND above.ancestor_id = s.holder_id);
    RETURN NULL;
END $$;
CREATE TRIGGER numbers_move AFTER UPDATE OF parent_id ON tenants FOR EACH ROW WHEN (NEW.parent_id IS DISTINCT FROM OLD.parent_id) EXECUTE FUNCTION numbers_move();

-- How long numbers rest before they are given to the next. The row of the nearest holder above counts; without a tenant it is the
-- platform's.
CREATE TABLE number_rules (
    tenant_id   text REFERENCES tenants (id) ON DELETE CASCADE, -- NULL: the platform's
    holder      text GENERATED ALWAYS AS (coalesce(tenant_id, '')) STORED CONSTRAINT number_rules_pkey PRIMARY KEY,
    ageing_days integer NOT NULL CHECK (ageing_days BETWEEN 0 AND 3650)
);
CREATE FUNCTION ageing_days(of text) RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(
        (SELECT r.ageing_days FROM tenant_tree t JOIN number_rules r ON r.tenant_id = t.ancestor_id WHERE t.tenant_id = of ORDER BY t.depth LIMIT 1),
        (SELECT r.ageing_days FROM number_rules r WHERE r.tenant_id IS NULL), 30)
$$;

-- Orders: what is carried out in the background, as a whole or not at all.
CREATE TABLE orders (
    id          text CONSTRAINT orders_pkey PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    tenant_id   text REFERENCES tenants (id) ON DELETE CASCADE, -- whose; NULL: the platform's
    kind        text NOT NULL CHECK (kind ~ '^[a-z_]{1,32}$'),
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    dry_run     boolean NOT NULL DEFAULT false,
    request     jsonb NOT NULL DEFAULT '{}', -- what the kind needs besides the body
    total       integer NOT NULL DEFAULT 0 CHECK (total >= 0), -- 0: not known yet
    done        integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    errors      integer NOT NULL DEFAULT 0 CHECK (errors >= 0), -- all of them; order_errors lists the first
    result      jsonb NOT NULL DEFAULT '{}',
    created_by  text NOT NULL CHECK (octet_length(created_by) <= 256),
    created_at  timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz,
    finished_at timestamptz,
    claimed_by  text,        -- the attempt that works on it
    lease_until timestamptz, -- until when nobody else may take it up
    attempts    integer NOT NULL DEFAULT 0,
    CONSTRAINT orders_claim CHECK ((state = 'running') = (claimed_by IS NOT NULL AND lease_until IS NOT NULL)),
    CONSTRAINT orders_finish CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE INDEX orders_tenant_id_idx ON orders (tenant_id, created_at, id);
CREATE INDEX orders_open_idx ON orders (created_at, id) WHERE state IN ('queued', 'running');
-- What was sent along. It goes when the order is over.
CREATE TABLE order_bodies (
    order_id  text PRIMARY KEY REFERENCES orders (id) ON DELETE CASCADE,
    tenant_id text,
    body      bytea NOT NULL
);
CREATE TABLE order_errors (
    order_id  text NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    n         integer NOT NULL CHECK (n > 0),
    tenant_id text,
    line      integer NOT NULL, -- 0: the order as a whole
    field     text NOT NULL,
    code      text NOT NULL,
    detail    text NOT NULL,
    PRIMARY KEY (order_id, n)
);

-- Porting orders.
CREATE TABLE portings (
    tenant_id    text NOT NULL REFERENCES tenants (id),
    id           text NOT NULL CONSTRAINT portings_id_key UNIQUE CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    direction    text NOT NULL CHECK (direction IN ('in', 'out')),
    state        text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'submitted', 'accepted', 'rejected', 'scheduled', 'ported', 'cancelled')),
    carrier      text NOT NULL CHECK (carrier <> '' AND octet_length(carrier) <= 256), -- the other one
    account      text NOT NULL CHECK (octet_length(account) <= 256), -- the customer's there
    subscriber   text NOT NULL CHECK (subscriber <> '' AND octet_length(subscriber) <= 256), -- as the other carrier knows him
    address      text NOT NULL CHECK (octet_length(address) <= 1024),
    wanted_on    date,
    scheduled_on date,
    trunk_id     text CONSTRAINT portings_trunk_id_fkey REFERENCES trunks (id) ON DELETE SET NULL, -- by which the numbers' calls will come
    note         text NOT NULL CHECK (octet_length(note) <= 4096),
    created_by   text NOT NULL CHECK (octet_length(created_by) <= 256),
    created_at   timestamptz NOT NULL DEFAULT now(),
    changed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT portings_scheduled CHECK (state NOT IN ('scheduled', 'ported') OR scheduled_on IS NOT NULL)
);
CREATE INDEX portings_trunk_id_idx ON portings (trunk_id) WHERE trunk_id IS NOT NULL;
CREATE TABLE porting_numbers (
    tenant_id  text NOT NULL,
    porting_id text NOT NULL,
    number     text COLLATE "C" NOT NULL CHECK (number ~ '^\+[1-9][0-9]{6,14}$'),
    PRIMARY KEY (tenant_id, porting_id, number),
    FOREIGN KEY (tenant_id, porting_id) REFERENCES portings (tenant_id, id) ON DELETE CASCADE
);
CREATE TABLE porting_steps (
    tenant_id  text NOT NULL,
    porting_id text NOT NULL,
    n          bigint GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL DEFAULT now(),
    step       text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    on_day     date,
    comment    text NOT NULL CHECK (octet_length(comment) <= 4096),
    by         text NOT NULL CHECK (octet_length(by) <= 256),
    PRIMARY KEY (tenant_id, porting_id, n),
    FOREIGN KEY (tenant_id, porting_id) REFERENCES portings (tenant_id, id) ON DELETE CASCADE
);
CREATE TRIGGER porting_steps_immutable BEFORE UPDATE ON porting_steps FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Documents by their content, each once for each tenant: that another has the same one shows nowhere.
CREATE TABLE documents (
    tenant_id text NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    hash      text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'), -- SHA-256
    content   bytea NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);
ALTER TABLE documents ALTER content SET STORAGE EXTERNAL; -- what is sent is compressed by itself
CREATE TABLE porting_documents (
    tenant_id    text NOT NULL,
    porting_id   text NOT NULL,
    id           text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name         text NOT NULL CHECK (name <> '' AND octet_length(name) <= 256),
    content_type text NOT NULL CHECK (content_type IN ('application/pdf', 'image/jpeg', 'image/png', 'image/tiff')),
    bytes        integer NOT NULL CHECK (bytes > 0),
    document     text NOT NULL,
    created_by   text NOT NULL CHECK (octet_length(created_by) <= 256),
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, porting_id, id),
    FOREIGN KEY (tenant_id, porting_id) REFERENCES portings (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT porting_documents_document_fkey FOREIGN KEY (tenant_id, document) REFERENCES documents (tenant_id, hash)
);
CREATE INDEX porting_documents_document_idx ON porting_documents (tenant_id, document);

-- Who sees and changes what. A number of the stock is seen by its holder, by whose it is, for whom it is kept, and by whose it was while it rests. Only its
-- holder makes it somebody's, within his own tree; and nobody but a holder, or who deals with porting, brings a number in.
ALTER TABLE number_stock ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON number_stock FOR SELECT TO tandem_api USING (
    current_setting('tandem.tenant', true) IN (holder_id, tenant_id, reserved_for, last_tenant_id, '*'));
CREATE POLICY added ON number_stock FOR INSERT TO tandem_api WITH CHECK (
    current_setting('tandem.tenant', true) = '*'
    OR holder_id = current_setting('tandem.tenant', true) AND (tenant_id IS NULL OR EXISTS (SELECT FROM tenant_tree t WHERE t.tenant_id = number_stock.tenant_id AND t.ancestor_id = holder_id))
    OR state = 'porting_in' AND reserved_for = current_setting('tandem.tenant', true));
CREATE POLICY changed ON number_stock FOR UPDATE TO tandem_api
    USING (current_setting('tandem.tenant', true) IN (holder_id, tenant_id, reserved_for, '*'))
    WITH CHECK (current_setting('tandem.tenant', true) = '*'
    OR holder_id = current_setting('tandem.tenant', true) AND (tenant_id IS NULL OR EXISTS (SELECT FROM tenant_tree t WHERE t.tenant_id = number_stock.tenant_id AND t.ancestor_id = number_stock.holder_id))
    OR current_setting('tandem.tenant', true) IN (tenant_id, last_tenant_id, reserved_for)
    OR EXISTS (SELECT FROM tenant_tree t WHERE t.tenant_id = number_stock.holder_id AND t.ancestor_id = current_setting('tandem.tenant', true)));
CREATE POLICY removed ON number_stock FOR DELETE TO tandem_api USING (
    current_setting('tandem.tenant', true) IN (holder_id, '*') OR current_setting('tandem.tenant', true) IN (tenant_id, reserved_for) AND state IN ('porting_in', 'porting_out'));
GRANT SELECT, INSERT, UPDATE, DELETE ON number_stock TO tandem_api;
ALTER TABLE number_steps ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON number_steps FOR SELECT TO tandem_api USING (current_setting('tandem.tenant', true) IN (holder_id, tenant_id, '*'));
GRANT SELECT ON number_steps TO tandem_api;

SELECT tenant_owned('number_rules', 'holder'), tenant_guarded('orders'), tenant_guarded('order_bodies'), tenant_guarded('order_errors'),
       tenant_guarded('portings'), tenant_guarded('porting_numbers'), tenant_guarded('porting_steps'), tenant_guarded('documents'), tenant_guarded('porting_documents');
