-- A version of a tenant's configuration that a share of its new calls gets before all do, and which versions calls may still
-- be up under.

ALTER TABLE tenants
    ADD candidate_version bigint,  -- NULL: none is on trial
    ADD candidate_share   integer CONSTRAINT tenants_candidate_share_check CHECK (candidate_share BETWEEN 1 AND 99), -- of a hundred new calls
    ADD CONSTRAINT tenants_candidate_check CHECK ((candidate_version IS NULL) = (candidate_share IS NULL)),
    ADD CONSTRAINT tenants_candidate_version_fkey
        FOREIGN KEY (id, candidate_version) REFERENCES tenant_versions (tenant_id, version);

-- When a version stopped being given to new calls. Workers keep it in memory for a while after that, for calls that are up.
CREATE TABLE version_ends (
    tenant_id text NOT NULL,
    version   bigint NOT NULL,
    ended_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, version),
    CONSTRAINT version_ends_version_fkey FOREIGN KEY (tenant_id, version) REFERENCES tenant_versions (tenant_id, version)
);
CREATE INDEX version_ends_ended_at_idx ON version_ends (ended_at);

INSERT INTO version_ends (tenant_id, version, ended_at)
SELECT v.tenant_id, v.version, v.ended_at
  FROM (SELECT tenant_id, version, lead(published_at, 1, published_at) OVER (PARTITION BY tenant_id ORDER BY version) AS ended_at
          FROM tenant_versions) v
  JOIN tenants t ON t.id = v.tenant_id
 WHERE v.version IS DISTINCT FROM t.published_version;

-- A trigger, so that whoever publishes does it: a worker of the release before as well.
CREATE FUNCTION end_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO version_ends (tenant_id, version, ended_at)
    SELECT OLD.id, gone.version, now()
      FROM (VALUES (OLD.published_version), (OLD.candidate_version)) AS gone (version)
     WHERE gone.version IS NOT NULL
       AND gone.version IS DISTINCT FROM NEW.published_version AND gone.version IS DISTINCT FROM NEW.candidate_version
    ON CONFLICT (tenant_id, version) DO UPDATE SET ended_at = excluded.ended_at;
    RETURN NULL;
END $$;
CREATE TRIGGER end_versions AFTER UPDATE ON tenants FOR EACH ROW
    WHEN (OLD.published_version IS DISTINCT FROM NEW.published_version OR OLD.candidate_version IS DISTINCT FROM NEW.candidate_version)
    EXECUTE FUNCTION end_versions();

-- What became of candidates, who decided it, and when. Publishing by itself is told by tenant_versions.
CREATE TABLE version_events (
    tenant_id text NOT NULL,
    n         bigint GENERATED ALWAYS AS IDENTITY,
    version   bigint NOT NULL,
    event     text NOT NULL CHECK (event IN ('canary', 'share', 'promoted', 'abandoned')),
    share     integer NOT NULL CHECK (share BETWEEN 0 AND 100), -- of new calls, from then on
    at        timestamptz NOT NULL DEFAULT now(),
    by        text NOT NULL CHECK (octet_length(by) <= 256),
    comment   text NOT NULL CHECK (octet_length(comment) <= 4096),
    PRIMARY KEY (tenant_id, n),
    CONSTRAINT version_events_version_fkey FOREIGN KEY (tenant_id, version) REFERENCES tenant_versions (tenant_id, version)
);
CREATE TRIGGER version_events_immutable BEFORE UPDATE OR DELETE ON version_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
