-- White label: how the pages and e-mails of a tenant, and of all below it that have no brand of their own, look.
CREATE TABLE brands (
    tenant_id     text PRIMARY KEY REFERENCES tenants (id) ON DELETE CASCADE,
    name          text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    primary_color text NOT NULL CHECK (primary_color ~ '^#[0-9a-f]{6}$'),
    accent_color  text NOT NULL CHECK (accent_color ~ '^#[0-9a-f]{6}$'),
    domain        text UNIQUE CHECK (domain = lower(domain) AND domain <> ''), -- under which its people reach the admin
    email_name    text NOT NULL DEFAULT '',
    email_address text NOT NULL DEFAULT '', -- empty: the platform's
    logo          text                      -- sha256 of one of brand_logos
);

-- Logos by their content: a change that is undone finds the old one.
CREATE TABLE brand_logos (
    tenant_id    text NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    sha256       text NOT NULL,
    content_type text NOT NULL,
    content      bytea NOT NULL CHECK (octet_length(content) <= 262144),
    added_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, sha256)
);
ALTER TABLE brands ADD CONSTRAINT brands_logo_fkey FOREIGN KEY (tenant_id, logo) REFERENCES brand_logos (tenant_id, sha256);

SELECT tenant_owned('brands', 'tenant_id'), tenant_guarded('brand_logos');

-- brand_over is the brand that holds for a tenant: its own, or that of the nearest above it that has one. A tenant may know it, though it
-- sees nothing else of those above: it is what everybody sees who opens the page.
CREATE FUNCTION brand_over(of text) RETURNS brands LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.* FROM tenant_tree t JOIN brands b ON b.tenant_id = t.ancestor_id WHERE t.tenant_id = of ORDER BY t.depth LIMIT 1
$$;
-- brand_at is the brand of a domain, for who has not signed in yet.
CREATE FUNCTION brand_at(at text) RETURNS brands LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT b.* FROM brands b WHERE b.domain = at
$$;
CREATE FUNCTION brand_logo(of text, hash text) RETURNS brand_logos LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT l.* FROM brand_logos l WHERE l.tenant_id = of AND l.sha256 = hash
$$;
REVOKE EXECUTE ON FUNCTION brand_over(text), brand_at(text), brand_logo(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION brand_over(text), brand_at(text), brand_logo(text, text) TO tandem_api;
