DROP TABLE version_events;
DROP TRIGGER end_versions ON tenants;
DROP FUNCTION end_versions();
DROP TABLE version_ends;
ALTER TABLE tenants DROP COLUMN candidate_version, DROP COLUMN candidate_share;
