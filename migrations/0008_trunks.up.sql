-- Calling out: whose a trunk is and how it is called, which trunks serve which numbers, and what a tenant may do.

ALTER TABLE tenants
    ADD main_number          text, -- shown for users without a number; the tenant's own
    ADD country              text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),
    ADD international_prefix text NOT NULL DEFAULT '' CHECK (international_prefix ~ '^[0-9]{0,5}$'), -- empty: the country's
    ADD national_prefix      text NOT NULL DEFAULT '' CHECK (national_prefix ~ '^[0-9]{0,5}$'),      -- empty: the country's
    ADD area_code            text NOT NULL DEFAULT '' CHECK (area_code ~ '^[0-9]{0,6}$'),
    ADD may_call_out         boolean NOT NULL DEFAULT false,
    ADD blocked_prefixes     text[] NOT NULL DEFAULT '{}',
    ADD max_outgoing         integer NOT NULL DEFAULT 0 CHECK (max_outgoing >= 0),         -- calls out at once; 0: no limit
    ADD outgoing_per_second  integer NOT NULL DEFAULT 0 CHECK (outgoing_per_second >= 0),  -- 0: no limit
    ADD CONSTRAINT tenants_blocked_prefixes_check
        CHECK (array_to_string(blocked_prefixes, ' ') ~ '^(\+[1-9][0-9]{0,14}( \+[1-9][0-9]{0,14})*)?$'),
    ADD CONSTRAINT tenants_main_number_fkey FOREIGN KEY (id, main_number) REFERENCES numbers (tenant_id, number);

ALTER TABLE trunks
    ADD tenant_id        text CONSTRAINT trunks_tenant_id_fkey REFERENCES tenants (id), -- NULL: the platform's
    ADD disabled         boolean NOT NULL DEFAULT false,
    ADD may_call_out     boolean NOT NULL DEFAULT false, -- what comes in by it may go out again
    ADD incoming_form    text NOT NULL DEFAULT '' CHECK (incoming_form IN ('', 'e164', 'digits', 'national')),
    ADD incoming_country text NOT NULL DEFAULT '' CHECK (incoming_country ~ '^([A-Z]{2})?$'),
    ADD incoming_strip   text NOT NULL DEFAULT '' CHECK (incoming_strip ~ '^[0-9*#+]{0,16}$'),
    ADD incoming_add     text NOT NULL DEFAULT '' CHECK (incoming_add ~ '^[0-9*#+]{0,16}$'),
    ADD destinations     text[] NOT NULL DEFAULT '{}' -- empty: it is not called
                         CHECK (array_to_string(destinations, ' ') ~ '^(sips?:[^ @]+( sips?:[^ @]+)*)?$'),
    ADD number_form      text NOT NULL DEFAULT '' CHECK (number_form IN ('', 'e164', 'digits', 'national')),
    ADD number_country   text NOT NULL DEFAULT '' CHECK (number_country ~ '^([A-Z]{2})?$'),
    ADD number_strip     text NOT NULL DEFAULT '' CHECK (number_strip ~ '^[0-9*#+]{0,16}$'),
    ADD number_add       text NOT NULL DEFAULT '' CHECK (number_add ~ '^[0-9*#+]{0,16}$'),
    ADD caller_show      text NOT NULL DEFAULT '' CHECK (caller_show IN ('', 'owned', 'any', 'trunk')),
    ADD caller_number    text NOT NULL DEFAULT '' CHECK (caller_number ~ '^(\+[1-9][0-9]{6,14})?$'),
    ADD caller_carried   text NOT NULL DEFAULT '' CHECK (caller_carried IN ('', 'from', 'pai')),
    ADD max_calls        integer NOT NULL DEFAULT 0 CHECK (max_calls >= 0),
    ADD calls_per_second integer NOT NULL DEFAULT 0 CHECK (calls_per_second >= 0),
    ADD failover         text[] NOT NULL DEFAULT '{}' -- empty: what is usual
                         CHECK (array_to_string(failover, ' ') ~ '^(([3-6]([0-9][0-9]|xx)|timeout|unreachable)( ([3-6]([0-9][0-9]|xx)|timeout|unreachable))*)?$'),
    ADD progress_seconds integer NOT NULL DEFAULT 0 CHECK (progress_seconds BETWEEN 0 AND 60), -- 0: what is usual
    ADD from_domain      text NOT NULL DEFAULT '' CHECK (from_domain ~ '^[a-z0-9.-]{0,253}$');
CREATE INDEX trunks_tenant_id_idx ON trunks (tenant_id);

-- Which trunks serve which numbers: the rows of the longest prefix count, in the order of position. The rows of a tenant's
-- own trunks are that tenant's alone and come before the platform's.
CREATE TABLE outbound_routes (
    trunk_id text NOT NULL REFERENCES trunks (id) ON DELETE CASCADE,
    prefix   text NOT NULL CHECK (prefix ~ '^(\+[1-9][0-9]{0,14})?$'), -- empty: any number
    position integer NOT NULL CHECK (position >= 0),
    PRIMARY KEY (trunk_id, prefix)
);
CREATE INDEX outbound_routes_prefix_idx ON outbound_routes (prefix, position);
CREATE TRIGGER raise_revision BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON outbound_routes EXECUTE FUNCTION raise_revision();

-- What an edge answers a trunk's challenge with. A digest answer needs the password for whatever realm the trunk names, so
-- it is kept as it is; workers never read it, and of the edges' role it is all that it may read besides credentials.
CREATE TABLE trunk_logins (
    trunk_id text PRIMARY KEY REFERENCES trunks (id) ON DELETE CASCADE,
    username text NOT NULL CHECK (username ~ '^[!-~]{1,128}$'),
    password text NOT NULL CHECK (password ~ '^[ -~]{1,128}$')
);
CREATE VIEW edge.trunk_logins AS SELECT trunk_id, username, password FROM public.trunk_logins;
GRANT SELECT ON edge.trunk_logins TO tandem_edge;
