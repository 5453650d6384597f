DO $$
DECLARE
    p record;
BEGIN
    FOR p IN SELECT schemaname, tablename, policyname FROM pg_policies WHERE 'tandem_api' = ANY (roles) LOOP
        EXECUTE format('DROP POLICY %I ON %I.%I', p.policyname, p.schemaname, p.tablename);
        EXECUTE format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', p.schemaname, p.tablename);
    END LOOP;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM tandem_api;
REVOKE ALL ON SCHEMA public FROM tandem_api; -- the role is the whole server's, and stays
ALTER FUNCTION raise_revision() SECURITY INVOKER RESET search_path;
ALTER FUNCTION note_tenants() SECURITY INVOKER RESET search_path;
ALTER FUNCTION note_credential() SECURITY INVOKER RESET search_path;
DROP FUNCTION tenant_owned(regclass, text[]);
DROP FUNCTION audited(regclass, text, text[]);
DROP FUNCTION tenant_guarded(regclass, text);
DROP FUNCTION note_audit() CASCADE; -- and its triggers
DROP FUNCTION lock_configuration();
DROP FUNCTION undo_change(bigint, text);
DROP FUNCTION sealed_columns();
DROP TABLE audit, idempotency, api_keys, sessions, people, tenant_tree;
DROP FUNCTION end_sessions();
DROP FUNCTION spread_tenant() CASCADE;
DROP FUNCTION limits_of(text);
DROP FUNCTION grow_tenant_tree() CASCADE;
DROP FUNCTION keep_tenant_kind() CASCADE;
ALTER TABLE tenants DROP suspended_above, DROP parent_id, DROP kind;
