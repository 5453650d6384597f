-- What is changed of recordings by those who ask over HTTP is in the audit, as all else is. The ledger's own work is not.
SELECT audited('recordings', 'tenant_id', 'id');
CREATE INDEX recordings_calls_idx ON recordings (tenant_id, at DESC, id DESC) WHERE kind = 'call' AND deleted_at IS NULL;

-- A registration is named by one short text, by which lists go on and by which it is removed.
ALTER TABLE registrations ADD id text NOT NULL GENERATED ALWAYS AS (md5(domain || ' ' || username || ' ' || contact)) STORED;
CREATE UNIQUE INDEX registrations_id_idx ON registrations (id);
CREATE INDEX registrations_tenant_idx ON registrations (tenant_id, id) WHERE event = 'registered';
