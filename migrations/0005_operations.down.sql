ALTER TABLE tenants DROP COLUMN max_calls_per_second;
ALTER TABLE media_nodes DROP COLUMN draining;
