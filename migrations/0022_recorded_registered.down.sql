DROP INDEX registrations_tenant_idx;
DROP INDEX registrations_id_idx;
ALTER TABLE registrations DROP id;
DROP INDEX recordings_calls_idx;
DROP TRIGGER audit_inserted ON recordings;
DROP TRIGGER audit_updated ON recordings;
DROP TRIGGER audit_deleted ON recordings;
