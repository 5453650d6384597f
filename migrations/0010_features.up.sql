-- A route by prefix serves all that begins with what is dialled, such as a feature code with a number after it. Numbers
-- outside have none.
ALTER TABLE routes
    ADD prefix boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT routes_prefix_check CHECK (NOT prefix OR dialled ~ '^[0-9*#]{1,20}$');

-- What users set for themselves, at a phone or for them by the API. It is always current, never versioned. A user without a row
-- has set nothing.
CREATE TABLE user_settings (
    tenant_id            text NOT NULL,
    user_id              text NOT NULL,
    no_answer_seconds    integer NOT NULL DEFAULT 0 CHECK (no_answer_seconds BETWEEN 0 AND 600), -- 0: as long as the flow says
    do_not_disturb       boolean NOT NULL DEFAULT false,
    do_not_disturb_since timestamptz,
    no_call_waiting      boolean NOT NULL DEFAULT false,
    reject_anonymous     boolean NOT NULL DEFAULT false,
    changed_at           timestamptz NOT NULL DEFAULT now(),
    changed_by           text NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT user_settings_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE user_forwards (
    tenant_id text NOT NULL,
    user_id   text NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('all', 'busy', 'no_answer')),
    active    boolean NOT NULL,
    target    text NOT NULL CONSTRAINT user_forwards_target_check CHECK (target ~ '^(\+?[0-9*#]{1,32})?$'), -- as the tenant's people dial it
    confirm   boolean NOT NULL DEFAULT false,
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, kind),
    FOREIGN KEY (tenant_id, user_id) REFERENCES user_settings (tenant_id, user_id) ON DELETE CASCADE
);

CREATE TABLE speed_dials (
    tenant_id text NOT NULL,
    user_id   text NOT NULL,
    key       text NOT NULL CHECK (key ~ '^[0-9]{1,2}$'),
    number    text NOT NULL CONSTRAINT speed_dials_number_check CHECK (number ~ '^\+?[0-9*#]{1,32}$'),
    PRIMARY KEY (tenant_id, user_id, key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES user_settings (tenant_id, user_id) ON DELETE CASCADE
);

-- Who has logged in at which device: as long as he has, it is his.
CREATE TABLE hot_desks (
    tenant_id text NOT NULL,
    device_id text NOT NULL,
    user_id   text NOT NULL,
    since     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, device_id),
    CONSTRAINT hot_desks_device_id_fkey FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT hot_desks_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX hot_desks_user_id_idx ON hot_desks (tenant_id, user_id);

-- Every change of these, by whom. command names the order of a call that made it, so that the order is carried out once.
CREATE TABLE setting_changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  text NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id    text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    command    text CONSTRAINT setting_changes_command_key UNIQUE, -- "<call id>/<n>"; NULL for a change that no call made
    change     jsonb NOT NULL
);
CREATE INDEX setting_changes_user_idx ON setting_changes (tenant_id, user_id, changed_at);

CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON user_settings EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON user_forwards EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON speed_dials EXECUTE FUNCTION raise_revision();
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON hot_desks EXECUTE FUNCTION raise_revision();
