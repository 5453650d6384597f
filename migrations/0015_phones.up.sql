-- Phones that provision themselves: what a device's hardware is and shows, and how its files are fetched.

-- What is set. A phone is a device; a device need not be a phone that we know.
CREATE TABLE phones (
    tenant_id text NOT NULL,
    device_id text NOT NULL,
    mac       text NOT NULL CONSTRAINT phones_mac_key UNIQUE -- over all tenants: there is one such phone in the world
              CHECK (mac ~ '^[0-9a-f]{12}$'),
    vendor    text NOT NULL CHECK (vendor ~ '^[a-z]{1,32}$'),
    model     text NOT NULL DEFAULT '' CHECK (octet_length(model) <= 64),
    time_zone text NOT NULL DEFAULT '' CHECK (octet_length(time_zone) <= 64), -- empty: the tenant's
    codecs    text[] NOT NULL DEFAULT '{}' CHECK (cardinality(codecs) <= 16), -- in order; none: the usual ones
    keys      jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(keys) = 'array'), -- [phones.Key], by place
    note      text NOT NULL DEFAULT '' CHECK (octet_length(note) <= 2000), -- stands in the file, such as which firmware the phone should have
    secret_made_at timestamptz NOT NULL DEFAULT now(), -- of the URL; here, so that the audit shows who replaced it
    PRIMARY KEY (tenant_id, device_id),
    CONSTRAINT phones_device_id_fkey FOREIGN KEY (tenant_id, device_id) REFERENCES devices (tenant_id, id) ON DELETE CASCADE
);

-- How its files are fetched, and when they were. Workers that decide calls read neither table: a fetch raises no revision.
CREATE TABLE phone_access (
    tenant_id     text NOT NULL,
    device_id     text NOT NULL,
    secret_hash   bytea NOT NULL CONSTRAINT phone_access_secret_key UNIQUE CHECK (octet_length(secret_hash) = 32), -- SHA-256 of the secret in the URL
    sealed        bytea CHECK (octet_length(sealed) <= 512), -- the device's password, with the installation's key; NULL: not made yet
    fetched_at    timestamptz,
    fetched_from  text NOT NULL DEFAULT '' CHECK (octet_length(fetched_from) <= 64),
    fetched_agent text NOT NULL DEFAULT '' CHECK (octet_length(fetched_agent) <= 256), -- what the phone says of itself
    fetched_file  text NOT NULL DEFAULT '' CHECK (octet_length(fetched_file) <= 128),
    fetches       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, device_id),
    CONSTRAINT phone_access_device_id_fkey FOREIGN KEY (tenant_id, device_id) REFERENCES phones (tenant_id, device_id) ON DELETE CASCADE
);

SELECT tenant_owned('phones', 'device_id'), tenant_guarded('phone_access');
