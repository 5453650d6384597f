package provisioning

import (
	"context"
	"errors"
	"slices"

	"tandem/postgres"
	"tandem/tenants"
)

// found turns the absence of a row into a refusal.
func found(noun string, err error) error {
	if errors.Is(err, postgres.ErrNotFound) {
		return missing(noun, "there is no such "+noun+" in this tenant")
	}
	return err
}

// removed turns the absence of a row that was to be removed into a refusal.
func removed(noun string, there bool, err error) error {
	if err == nil && !there {
		return missing(noun, "there is no such "+noun+" in this tenant")
	}
	return err
}

// User reads one of a tenant's users.
func (s *Service) User(ctx context.Context, tenantID, id string) (u postgres.UserRow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		u, err = tx.UserRow(ctx, tenantID, id)
		return found("user", err)
	})
	return u, err
}

// ChangeUser changes a user by edit. match judges him as he is. Another extension can be dialled once the tenant is published.
func (s *Service) ChangeUser(ctx context.Context, tenantID, id string, match func(postgres.UserRow) bool, edit func(*postgres.UserRow)) (u postgres.UserRow, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		was, err := tx.UserRow(ctx, tenantID, id)
		if err != nil {
			return found("user", err)
		}
		if !match(was) {
			return stale("user")
		}
		u = was
		edit(&u)
		u.ID = was.ID
		var c checks
		c.name("name", u.Name)
		c.form(extensionForm, "extension", u.Extension, "is not 2 to 8 digits")
		if u.Number != "" {
			c.number("number", u.Number)
		}
		if c.err != nil {
			return c.err
		}
		if err := refuseEmergency(ctx, tx, "extension", u.Extension); err != nil {
			return err
		}
		return tx.UpdateUser(ctx, tenantID, u)
	})
	return u, err
}

// RemoveUser removes a user whom no device, route or person is of any more.
func (s *Service) RemoveUser(ctx context.Context, tenantID, id string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		there, err := tx.DeleteUser(ctx, tenantID, id)
		switch postgres.Violated(err) {
		case "devices_user_id_fkey":
			return conflict("user", "has devices: remove them, or give them to another user, first")
		case "routes_user_id_fkey":
			return conflict("user", "is where a route leads: change the route first")
		}
		return removed("user", there, err)
	})
}

// Device reads one of a tenant's devices.
func (s *Service) Device(ctx context.Context, tenantID, id string) (d postgres.DeviceRow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		d, err = tx.DeviceRow(ctx, tenantID, id)
		return found("device", err)
	})
	return d, err
}

// ChangeDevice changes a device's name, and whose it is, by edit. match judges it as it is.
func (s *Service) ChangeDevice(ctx context.Context, tenantID, id string, match func(postgres.DeviceRow) bool, edit func(*postgres.DeviceRow)) (d postgres.DeviceRow, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		was, err := tx.DeviceRow(ctx, tenantID, id)
		if err != nil {
			return found("device", err)
		}
		if !match(was) {
			return stale("device")
		}
		d = was
		edit(&d)
		d.ID, d.Username = was.ID, was.Username
		var c checks
		c.name("name", d.Name)
		if c.err != nil {
			return c.err
		}
		return tx.UpdateDevice(ctx, tenantID, d)
	})
	return d, err
}

// RemoveDevice removes a device. Calls that it is in go on; it cannot register or call any more.
func (s *Service) RemoveDevice(ctx context.Context, tenantID, id string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		there, err := tx.DeleteDevice(ctx, tenantID, id)
		if postgres.Violated(err) == "trunks_device_id_fkey" {
			return conflict("device", "is what a trunk registers as: change the trunk first")
		}
		return removed("device", there, err)
	})
}

// one picks what has an id.
func one[T any](noun, id string, all []T, idOf func(T) string, err error) (T, error) {
	if err == nil {
		if i := slices.IndexFunc(all, func(v T) bool { return idOf(v) == id }); i >= 0 {
			return all[i], nil
		}
		err = missing(noun, "there is no such "+noun+" in this tenant")
	}
	var none T
	return none, err
}

// DraftFlow reads the draft of a flow.
func (s *Service) DraftFlow(ctx context.Context, tenantID, id string) (f tenants.Flow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		all, err := tx.Flows(ctx, tenantID)
		f, err = one("flow", id, all, func(f tenants.Flow) string { return f.ID }, err)
		return err
	})
	return f, err
}

// DraftSchedule reads the draft of a schedule.
func (s *Service) DraftSchedule(ctx context.Context, tenantID, id string) (d tenants.Schedule, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		all, err := tx.Schedules(ctx, tenantID)
		d, err = one("schedule", id, all, func(d tenants.Schedule) string { return d.ID }, err)
		return err
	})
	return d, err
}

// DraftList reads the draft of a list.
func (s *Service) DraftList(ctx context.Context, tenantID, id string) (l tenants.List, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		all, err := tx.Lists(ctx, tenantID)
		l, err = one("list", id, all, func(l tenants.List) string { return l.ID }, err)
		return err
	})
	return l, err
}

// RemoveDraft removes the draft of a flow, schedule or list. Whether others still refer to it is found when they are published.
func (s *Service) RemoveDraft(ctx context.Context, kind postgres.Draft, noun, tenantID, id string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		there, err := tx.DeleteDraft(ctx, kind, tenantID, id)
		if postgres.Violated(err) == "routes_flow_id_fkey" {
			return conflict("flow", "is where a route leads: change the route first")
		}
		return removed(noun, there, err)
	})
}

// DraftRoutes lists the drafts of a tenant's routes.
func (s *Service) DraftRoutes(ctx context.Context, tenantID string) (routes []tenants.Route, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		all, err := tx.Routes(ctx, tenantID)
		for _, r := range all {
			flow := r.FlowID
			if r.UserID != "" {
				flow = UserFlowPrefix + r.UserID
			}
			routes = append(routes, tenants.Route{Dialled: r.Dialled, Prefix: r.Prefix, FlowID: flow})
		}
		return err
	})
	return routes, err
}

// RemoveRoute removes the draft of a route.
func (s *Service) RemoveRoute(ctx context.Context, tenantID, dialled string) error {
	return s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		there, err := tx.DeleteRoute(ctx, tenantID, dialled)
		return removed("route", there, err)
	})
}

// BlockedCallers lists the draft of whose calls are refused.
func (s *Service) BlockedCallers(ctx context.Context, tenantID string) (callers []string, err error) {
	err = s.within(ctx, tenantID, func(tx *postgres.Tx, _ tenants.Tenant) error {
		callers, err = tx.BlockedCallers(ctx, tenantID)
		return err
	})
	return callers, err
}
