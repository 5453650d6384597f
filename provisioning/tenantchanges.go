package provisioning

import (
	"context"
	"errors"
	"strconv"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/tenants"
)

// TenantByID reads one tenant.
func (s *Service) TenantByID(ctx context.Context, id string) (r postgres.TenantRow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		r, err = tenantRow(ctx, tx, id)
		return err
	})
	return r, err
}

func tenantRow(ctx context.Context, tx *postgres.Tx, id string) (postgres.TenantRow, error) {
	r, err := tx.TenantRow(ctx, id)
	if errors.Is(err, postgres.ErrNotFound) {
		return r, missing("tenant", "there is no such tenant")
	}
	return r, err
}

// ChangeTenant changes a tenant's name, settings and limits by edit, at once. match judges it as it is. What it may is bounded by those
// above it besides (LimitsOf).
func (s *Service) ChangeTenant(ctx context.Context, id string, match func(postgres.TenantRow) bool, edit func(*postgres.TenantRow)) (r postgres.TenantRow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		was, err := tenantRow(ctx, tx, id)
		if err != nil {
			return err
		}
		if !match(was) {
			return stale("tenant")
		}
		r = was
		edit(&r)
		r.ID = was.ID
		if err := checkTenantRow(r); err != nil {
			return err
		}
		if err := tx.SaveTenantRow(ctx, r); err != nil {
			return err
		}
		r, err = tenantRow(ctx, tx, id)
		return err
	})
	return r, err
}

func checkTenantRow(r postgres.TenantRow) error {
	var c checks
	c.name("name", r.Name)
	c.timeZone("time_zone", r.TimeZone)
	c.form(languageForm, "language", r.Language, "is not a language such as en or en-GB")
	if r.MainNumber != "" {
		c.number("main_number", r.MainNumber)
	}
	c.limit("max_calls", r.MaxCalls)
	c.limit("max_calls_per_second", r.MaxCallsPerSecond)
	c.limit("max_outgoing", r.MaxOutgoing)
	c.limit("outgoing_per_second", r.OutgoingPerSecond)
	if r.MusicOnHold != "" {
		c.form(callflows.PromptForm(), "music_on_hold", r.MusicOnHold, "is not the name of a prompt")
	}
	c.dialling(tenants.Dialling{Country: r.Country, InternationalPrefix: r.InternationalPrefix, NationalPrefix: r.NationalPrefix, AreaCode: r.AreaCode})
	c.that(len(r.BlockedPrefixes) <= MaxBlockedPrefixes, "blocked_prefixes", "are more than "+strconv.Itoa(MaxBlockedPrefixes))
	c.that(len(r.ShownNumbers) <= MaxShown, "shown_numbers", "are more than "+strconv.Itoa(MaxShown))
	for i, p := range r.BlockedPrefixes {
		c.that(p != "" && prefixForm.MatchString(p), "blocked_prefixes/"+strconv.Itoa(i), "is not the beginning of an E.164 number written with +")
	}
	for i, n := range r.ShownNumbers {
		c.number("shown_numbers/"+strconv.Itoa(i), n)
	}
	return c.err
}

// Suspend suspends a tenant and all below it at once, or lets them go on. Their phones stay registered and reach emergency numbers.
func (s *Service) Suspend(ctx context.Context, id string, suspended bool) (r postgres.TenantRow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		if _, err := tenantRow(ctx, tx, id); err != nil {
			return err
		}
		if err := tx.SetSuspended(ctx, id, suspended); err != nil {
			return err
		}
		r, err = tenantRow(ctx, tx, id)
		return err
	})
	return r, err
}

// MoveTenant puts a tenant, with all below it, below another reseller, or with an empty parent directly below the platform. Its calls go
// on; its own trunks, numbers and versions go with it.
func (s *Service) MoveTenant(ctx context.Context, id, parent string) (r postgres.TenantRow, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		if _, err := tenantRow(ctx, tx, id); err != nil {
			return err
		}
		if parent != "" {
			to, err := tenantRow(ctx, tx, parent)
			if err == nil && to.Kind != KindReseller || errors.As(err, new(*Error)) {
				return missing("parent", "there is no such reseller")
			}
			if err != nil {
				return err
			}
		}
		if err := tx.MoveTenant(ctx, id, parent); err != nil {
			return err
		}
		r, err = tenantRow(ctx, tx, id)
		return err
	})
	return r, err
}

// TenantLimitsOf gives what a tenant may, with all above it.
func (s *Service) TenantLimitsOf(ctx context.Context, id string) (l postgres.TenantLimits, err error) {
	err = s.platform(ctx, func(tx *postgres.Tx) error {
		l, err = tx.LimitsOf(ctx, id)
		return err
	})
	return l, err
}
