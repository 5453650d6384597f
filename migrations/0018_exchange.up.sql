-- Extensions and user names may change places within one transaction: whose they are is looked at when it asks for that, or ends.
-- Otherwise they are looked at after each statement, as before.
ALTER TABLE users DROP CONSTRAINT users_extension_key,
    ADD CONSTRAINT users_extension_key UNIQUE (tenant_id, extension) DEFERRABLE INITIALLY IMMEDIATE;
ALTER TABLE devices DROP CONSTRAINT devices_username_key,
    ADD CONSTRAINT devices_username_key UNIQUE (tenant_id, username) DEFERRABLE INITIALLY IMMEDIATE;
