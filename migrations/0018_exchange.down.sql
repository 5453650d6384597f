ALTER TABLE users DROP CONSTRAINT users_extension_key, ADD CONSTRAINT users_extension_key UNIQUE (tenant_id, extension);
ALTER TABLE devices DROP CONSTRAINT devices_username_key, ADD CONSTRAINT devices_username_key UNIQUE (tenant_id, username);
