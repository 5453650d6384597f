package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

func configTenant(n int) string { return fmt.Sprintf("bench-%06d", n) }

// fill makes the tenants of the measurement in a few statements: one by one, ten thousand of them would take longer than all the
// rest. Each has a published version, with a flow for each user.
func (c *benchConfigCommand) fill(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	args := pgx.StrictNamedArgs{"tenants": c.Tenants, "devices": c.Devices, "numbers": c.Numbers}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, statement := range []string{`
			INSERT INTO tenants (id, name, domain, time_zone, language)
			SELECT format('bench-%s', lpad(t::text, 6, '0')), 'Tenant ' || t, format('t%s.example', t), 'UTC', 'en'
			  FROM generate_series(1, @tenants::int) AS t WHERE @devices::int > 0 OR @numbers::int > 0`, `
			INSERT INTO numbers (tenant_id, number)
			SELECT format('bench-%s', lpad(t::text, 6, '0')), '+1' || (2000000000 + (t - 1) * @numbers::int + n)::text
			  FROM generate_series(1, @tenants::int) AS t, generate_series(1, @numbers::int) AS n WHERE @devices::int >= 0`, `
			INSERT INTO users (tenant_id, id, name, extension)
			SELECT format('bench-%s', lpad(t::text, 6, '0')), 'desk' || d, 'Desk ' || d, (1000 + d)::text
			  FROM generate_series(1, @tenants::int) AS t, generate_series(1, @devices::int) AS d WHERE @numbers::int >= 0`, `
			INSERT INTO devices (tenant_id, id, user_id, name, username, ha1)
			SELECT format('bench-%s', lpad(t::text, 6, '0')), 'desk' || d, 'desk' || d, 'Phone ' || d, 'desk' || d, md5(t || '/' || d)
			  FROM generate_series(1, @tenants::int) AS t, generate_series(1, @devices::int) AS d WHERE @numbers::int >= 0`, `
			INSERT INTO tenant_versions (tenant_id, version, document, published_at, published_by, comment)
			SELECT format('bench-%s', lpad(t::text, 6, '0')), 1, jsonb_build_object('version', 1, 'published_at', '2026-01-01T00:00:00Z', 'flows',
			       (SELECT jsonb_agg(jsonb_build_object('id', 'user-desk' || d, 'name', 'Desk ' || d, 'start', 'ring', 'elements', jsonb_build_object('ring',
			               jsonb_build_object('type', 'ring', 'settings', jsonb_build_object('users', jsonb_build_array('desk' || d), 'strategy', 'at_once', 'seconds', 25)))))
			          FROM generate_series(1, @devices::int) AS d), 'routes',
			       (SELECT jsonb_agg(jsonb_build_object('dialled', (1000 + d)::text, 'flow_id', 'user-desk' || d)) FROM generate_series(1, @devices::int) AS d)),
			       '2026-01-01T00:00:00Z', 'bench', ''
			  FROM generate_series(1, @tenants::int) AS t WHERE @numbers::int >= 0`,
			`UPDATE tenants SET published_version = 1 WHERE id LIKE 'bench-%' AND @tenants::int + @devices::int + @numbers::int > 0`,
		} {
			if _, err := tx.Exec(ctx, statement, args); err != nil {
				return err
			}
		}
		return nil
	})
}
