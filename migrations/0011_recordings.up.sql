-- What media nodes have recorded: voicemail and calls. A row comes by the ledger as recording.v1, once for each id. There is
-- no foreign key to the tenant: a message whose tenant is gone is kept for a person to look at, not refused for ever.
CREATE TABLE recordings (
    id           text PRIMARY KEY CHECK (id <> '' AND octet_length(id) <= 256), -- of the command that recorded it: <call>/<n>
    tenant_id    text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('voicemail', 'call')),
    call         text NOT NULL,
    leg          text NOT NULL,
    box          text NOT NULL, -- id of the user whose box it is for; empty for a call's
    file         text NOT NULL, -- name in the media folder's "incoming"
    "from"       text NOT NULL,
    from_name    text NOT NULL,
    at           timestamptz NOT NULL, -- when it began
    length_ms    integer CHECK (length_ms >= 0), -- NULL: not known, until it is filed
    least_ms     integer NOT NULL DEFAULT 0,
    state        text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'discard', 'kept', 'discarded', 'lost')),
    hash         text CHECK (hash ~ '^[0-9a-f]{64}$'), -- SHA-256 of the file, once it is filed
    bytes        bigint,
    filed_at     timestamptz,
    heard_at     timestamptz,
    deleted_at   timestamptz,
    purged_at    timestamptz, -- its sound is gone
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'kept') = (hash IS NOT NULL)),
    CHECK (kind = 'call' OR box <> '')
);
CREATE INDEX recordings_box_idx ON recordings (tenant_id, box, at DESC, id DESC) WHERE kind = 'voicemail' AND deleted_at IS NULL;
CREATE INDEX recordings_call_idx ON recordings (call);
CREATE INDEX recordings_open_idx ON recordings (recorded_at) WHERE state IN ('new', 'discard');
CREATE INDEX recordings_hash_idx ON recordings (hash) WHERE hash IS NOT NULL;

-- What a box needs besides its messages. A user without a row has a box all the same: one that takes messages, and that
-- nobody can open by telephone.
CREATE TABLE voicemail_boxes (
    tenant_id    text NOT NULL,
    box          text NOT NULL,
    pin_hash     text NOT NULL CHECK (pin_hash LIKE '$argon2id$%' AND octet_length(pin_hash) <= 256),
    failed       integer NOT NULL DEFAULT 0 CHECK (failed >= 0), -- wrong PINs in a row
    locked_until timestamptz,
    PRIMARY KEY (tenant_id, box),
    CONSTRAINT voicemail_boxes_user_fkey FOREIGN KEY (tenant_id, box) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

-- What a held caller hears: the name of a prompt. Empty: what the media node plays.
ALTER TABLE tenants ADD music_on_hold text NOT NULL DEFAULT '' CHECK (music_on_hold ~ '^[a-z0-9]?[a-z0-9_/:.-]{0,127}$' AND music_on_hold NOT LIKE '%..%');
