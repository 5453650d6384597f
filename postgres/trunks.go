package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tandem/tenants"
)

// SaveTrunk adds a trunk or replaces the one with its id, addresses included. Its login and its routes stay.
func (t *Tx) SaveTrunk(ctx context.Context, trunk tenants.Trunk) error {
	out := trunk.Outgoing
	if out == nil {
		out = &tenants.Outgoing{}
	}
	if err := t.exec(ctx, "save trunk", `
		INSERT INTO trunks (id, name, tenant_id, disabled, may_call_out, incoming_form, incoming_country, incoming_strip, incoming_add,
		       destinations, number_form, number_country, number_strip, number_add, caller_show, caller_number, caller_carried,
		       max_calls, calls_per_second, failover, progress_seconds, from_domain, device_id, registrar, register_seconds)
		VALUES (@id, @name, @tenant_id, @disabled, @may_call_out, @incoming_form, @incoming_country, @incoming_strip, @incoming_add,
		       @destinations, @number_form, @number_country, @number_strip, @number_add, @caller_show, @caller_number, @caller_carried,
		       @max_calls, @calls_per_second, @failover, @progress_seconds, @from_domain,
		       @device_id, @registrar, @register_seconds)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, tenant_id = excluded.tenant_id, disabled = excluded.disabled,
		       may_call_out = excluded.may_call_out, incoming_form = excluded.incoming_form, incoming_country = excluded.incoming_country,
		       incoming_strip = excluded.incoming_strip, incoming_add = excluded.incoming_add, destinations = excluded.destinations,
		       number_form = excluded.number_form, number_country = excluded.number_country, number_strip = excluded.number_strip,
		       number_add = excluded.number_add, caller_show = excluded.caller_show, caller_number = excluded.caller_number,
		       caller_carried = excluded.caller_carried, max_calls = excluded.max_calls, calls_per_second = excluded.calls_per_second,
		       failover = excluded.failover, progress_seconds = excluded.progress_seconds, from_domain = excluded.from_domain,
		       device_id = excluded.device_id, registrar = excluded.registrar, register_seconds = excluded.register_seconds`,
		pgx.StrictNamedArgs{"id": trunk.ID, "name": trunk.Name, "tenant_id": orNull(trunk.Tenant), "disabled": trunk.Disabled,
			"may_call_out": trunk.MayCallOut, "incoming_form": trunk.Incoming.Form, "incoming_country": trunk.Incoming.Country,
			"incoming_strip": trunk.Incoming.Strip, "incoming_add": trunk.Incoming.Add, "destinations": list(out.Destinations),
			"number_form": out.Numbers.Form, "number_country": out.Numbers.Country, "number_strip": out.Numbers.Strip, "number_add": out.Numbers.Add,
			"caller_show": out.CallerID.Show, "caller_number": out.CallerID.Number, "caller_carried": out.CallerID.Carried,
			"max_calls": out.MaxCalls, "calls_per_second": out.PerSecond, "failover": list(out.Failover), "progress_seconds": out.Seconds,
			"from_domain": out.Domain, "device_id": orNull(trunk.Device), "registrar": trunk.Registrar, "register_seconds": trunk.Renew}); err != nil {
		return err
	}
	if err := t.exec(ctx, "save trunk", `DELETE FROM trunk_addresses WHERE trunk_id = @id`,
		pgx.StrictNamedArgs{"id": trunk.ID}); err != nil {
		return err
	}
	for _, a := range trunk.Addresses {
		if err := t.exec(ctx, "save trunk", `
			INSERT INTO trunk_addresses (address, trunk_id) VALUES (@address, @id)`,
			pgx.StrictNamedArgs{"address": a.Unmap(), "id": trunk.ID}); err != nil {
			return err
		}
	}
	return nil
}

// LockTrunks gives all trunks, and keeps other changes of configuration waiting until the transaction is over.
func (t *Tx) LockTrunks(ctx context.Context) ([]tenants.Trunk, error) {
	if _, err := t.tx.Exec(ctx, `SELECT lock_configuration()`); err != nil {
		return nil, fmt.Errorf("postgres: lock trunks: %w", err)
	}
	all, err := loadTrunks(ctx, t.tx, nil)
	if err != nil {
		return nil, fmt.Errorf("postgres: lock trunks: %w", err)
	}
	return all, nil
}

// Trunks gives all trunks as they are in PostgreSQL now, and which of them have a login.
func (s *Store) Trunks(ctx context.Context) (all []tenants.Trunk, login map[string]bool, err error) {
	login = map[string]bool{}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		if all, err = loadTrunks(ctx, tx, nil); err != nil {
			return err
		}
		var id string
		rows, err := tx.Query(ctx, `SELECT trunk_id FROM trunk_logins`)
		if err == nil {
			_, err = pgx.ForEachRow(rows, []any{&id}, func() error { login[id] = true; return nil })
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("postgres: trunks: %w", err)
	}
	return all, login, nil
}

// DeleteTrunk removes a trunk with its addresses, routes and login. The second time it does nothing.
func (t *Tx) DeleteTrunk(ctx context.Context, id string) error {
	return t.exec(ctx, "delete trunk", `DELETE FROM trunks WHERE id = @id`, pgx.StrictNamedArgs{"id": id})
}

// SetTrunkLogin keeps what edges answer the trunk's challenges with; an empty user name removes it.
func (t *Tx) SetTrunkLogin(ctx context.Context, id, username, password string) error {
	if username == "" {
		return t.exec(ctx, "remove trunk login", `DELETE FROM trunk_logins WHERE trunk_id = @id`, pgx.StrictNamedArgs{"id": id})
	}
	return t.exec(ctx, "set trunk login", `
		INSERT INTO trunk_logins (trunk_id, username, password) VALUES (@id, @username, @password)
		ON CONFLICT (trunk_id) DO UPDATE SET username = excluded.username, password = excluded.password`,
		pgx.StrictNamedArgs{"id": id, "username": username, "password": password})
}

// TrunkOwners gives the owner of each of these trunks that is there and is called: a tenant's id, or "" for the platform.
func (t *Tx) TrunkOwners(ctx context.Context, ids []string) (map[string]string, error) {
	owners := map[string]string{}
	var id, owner string
	rows, err := t.tx.Query(ctx, `
		SELECT id, coalesce(tenant_id, '') FROM trunks WHERE id = ANY (@ids) AND (destinations <> '{}' OR device_id IS NOT NULL)`,
		pgx.StrictNamedArgs{"ids": list(ids)})
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&id, &owner}, func() error { owners[id] = owner; return nil })
	}
	if err != nil {
		return nil, fmt.Errorf("postgres: trunk owners: %w", err)
	}
	return owners, nil
}

// OwnTrunks lists a tenant's own trunks that are called.
func (t *Tx) OwnTrunks(ctx context.Context, tenantID string) ([]string, error) {
	rows, err := t.tx.Query(ctx, `SELECT id FROM trunks WHERE tenant_id = @tenant_id AND (destinations <> '{}' OR device_id IS NOT NULL) ORDER BY id`,
		pgx.StrictNamedArgs{"tenant_id": tenantID})
	if err != nil {
		return nil, fmt.Errorf("postgres: own trunks: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("postgres: own trunks: %w", err)
	}
	return ids, nil
}

// SetOutboundRoutes makes these trunks, all of one owner, the ones that serve a prefix for that owner, in this order.
func (t *Tx) SetOutboundRoutes(ctx context.Context, owner, prefix string, trunks []string) error {
	if err := t.exec(ctx, "set outbound routes", `
		DELETE FROM outbound_routes r USING trunks t
		 WHERE t.id = r.trunk_id AND r.prefix = @prefix AND coalesce(t.tenant_id, '') = @owner`,
		pgx.StrictNamedArgs{"prefix": prefix, "owner": owner}); err != nil {
		return err
	}
	for i, trunk := range trunks {
		if err := t.exec(ctx, "set outbound routes", `
			INSERT INTO outbound_routes (trunk_id, prefix, position) VALUES (@trunk, @prefix, @position)`,
			pgx.StrictNamedArgs{"trunk": trunk, "prefix": prefix, "position": i}); err != nil {
			return err
		}
	}
	return nil
}

func loadOutboundRoutes(ctx context.Context, tx pgx.Tx) ([]tenants.OutboundRoute, error) {
	rows, err := tx.Query(ctx, `SELECT prefix, position, trunk_id FROM outbound_routes ORDER BY prefix, position, trunk_id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[tenants.OutboundRoute])
}

// loadTrunks reads the trunks of one tenant, or all when owner is nil.
func loadTrunks(ctx context.Context, tx pgx.Tx, owner *string) ([]tenants.Trunk, error) {
	rows, err := tx.Query(ctx, `
		SELECT t.id, t.name, array_remove(array_agg(a.address ORDER BY a.address), NULL) AS addresses,
		       coalesce(t.tenant_id, ''), t.disabled, t.may_call_out, t.incoming_form, t.incoming_country, t.incoming_strip, t.incoming_add,
		       t.destinations, t.number_form, t.number_country, t.number_strip, t.number_add, t.caller_show, t.caller_number, t.caller_carried,
		       t.max_calls, t.calls_per_second, t.failover, t.progress_seconds, t.from_domain,
		       coalesce(t.device_id, ''), t.registrar, t.register_seconds
		  FROM trunks t LEFT JOIN trunk_addresses a ON a.trunk_id = t.id
		 WHERE @owner::text IS NULL OR t.tenant_id = @owner
		 GROUP BY t.id ORDER BY t.id`, pgx.StrictNamedArgs{"owner": owner})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t tenants.Trunk, err error) {
		var out tenants.Outgoing
		in, numbers, caller := &t.Incoming, &out.Numbers, &out.CallerID
		err = row.Scan(&t.ID, &t.Name, &t.Addresses, &t.Tenant, &t.Disabled, &t.MayCallOut, &in.Form, &in.Country, &in.Strip, &in.Add,
			&out.Destinations, &numbers.Form, &numbers.Country, &numbers.Strip, &numbers.Add, &caller.Show, &caller.Number, &caller.Carried,
			&out.MaxCalls, &out.PerSecond, &out.Failover, &out.Seconds, &out.Domain,
			&t.Device, &t.Registrar, &t.Renew)
		if len(out.Destinations) > 0 || t.Device != "" {
			t.Outgoing = &out
		}
		return t, err
	})
}

// list makes an empty array of none, since NULL is neither.
func list(values []string) []string {
	if values == nil {
		return []string{}
	}
	return values
}
