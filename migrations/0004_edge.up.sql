-- What an edge may read: the digest credentials, and nothing else. The view is the contract with Kamailio's auth_db;
-- the tables behind it may change.
--
-- A suspended tenant's devices stay in it: they must go on registering and dialling emergency numbers. Suspension is
-- judged by routing, call by call.
CREATE SCHEMA edge;
CREATE VIEW edge.credentials AS
    SELECT d.username, t.domain, d.ha1
      FROM public.devices d JOIN public.tenants t ON t.id = d.tenant_id;

-- A role belongs to the whole server, not to this database: another database's migration may have made it, or be
-- making it at this moment. It gets its password from postgres.SetEdgePassword.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tandem_edge') THEN
        CREATE ROLE tandem_edge LOGIN NOINHERIT;
        ALTER ROLE tandem_edge SET search_path = edge;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
GRANT USAGE ON SCHEMA edge TO tandem_edge;
GRANT SELECT ON edge.credentials TO tandem_edge;
