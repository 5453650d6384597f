-- Sounds that tenants bring: prompts, greetings, music. What is in them is in the media folder, by its hash; where they stand there
-- follows these rows.
CREATE TABLE media (
    tenant_id  text NOT NULL REFERENCES tenants (id),
    id         text NOT NULL CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'),
    name       text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*){0,3}$' AND octet_length(name) <= 128), -- by which flows play it
    language   text NOT NULL DEFAULT '' CHECK (language ~ '^([a-z]{2,3}(-[A-Z]{2})?)?$'), -- empty: any
    kind       text NOT NULL CHECK (kind IN ('prompt', 'greeting', 'music')),
    box        text, -- whose greeting it is, a user's id; NULL: it is a prompt of the tenant's
    place      text NOT NULL GENERATED ALWAYS AS (CASE WHEN language <> '' THEN language || '/' ELSE '' END || CASE WHEN box IS NOT NULL THEN 'boxes/' || box || '/' ELSE '' END || name) STORED,
    hash       text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'), -- SHA-256 of what is kept
    bytes      bigint NOT NULL CHECK (bytes > 0),
    length_ms  integer NOT NULL CHECK (length_ms > 0),
    encoding   text NOT NULL CHECK (encoding IN ('pcm_s16le', 'alaw', 'ulaw')),
    rate       integer NOT NULL CHECK (rate IN (8000, 16000)), -- samples a second
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(), -- of its sound
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT media_place_key UNIQUE (tenant_id, place), -- "de/menu" in any language stands where "menu" in German does
    CONSTRAINT media_box_fkey FOREIGN KEY (tenant_id, box) REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX media_hash_idx ON media (hash);
CREATE INDEX media_box_idx ON media (tenant_id, box) WHERE box IS NOT NULL;

-- Sounds that some row has let go of. They go from the folder a while later, if none has them then.
CREATE TABLE media_dropped (
    hash text PRIMARY KEY,
    at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX media_dropped_at_idx ON media_dropped (at);

CREATE FUNCTION note_dropped_media() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO media_dropped (hash) VALUES (OLD.hash) ON CONFLICT ON CONSTRAINT media_dropped_pkey DO UPDATE SET at = excluded.at;
    RETURN NULL;
END $$;
CREATE TRIGGER note_dropped AFTER DELETE ON media FOR EACH ROW EXECUTE FUNCTION note_dropped_media();
CREATE TRIGGER note_replaced AFTER UPDATE ON media FOR EACH ROW WHEN (NEW.hash <> OLD.hash) EXECUTE FUNCTION note_dropped_media();

SELECT tenant_owned('media', 'id');
