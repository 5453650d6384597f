DROP TABLE blocked_callers, routes, schedules, flows, emergency, media_nodes, trunk_addresses, trunks, devices, users, numbers;
ALTER TABLE tenants DROP CONSTRAINT tenants_published_version_fkey;
DROP TABLE tenant_versions, tenants, revision;
DROP FUNCTION refuse_change(), raise_revision();
