package provisioning

import (
	"context"
	"slices"

	"tandem/postgres"
	"tandem/tenants"
)

// TrunkChange asks for a trunk to be as it says.
type TrunkChange struct {
	Trunk tenants.Trunk
	Login *TrunkLogin // nil leaves it as it is; one without a user name removes it
	// Within is the tenant that asks for one of its own; another's is not there, as far as it is told. Empty: the platform.
	Within string
	// Match judges the trunk as it is, nil when there is none: false refuses the change as stale. nil takes it whatever there is.
	Match func(current *tenants.Trunk) bool
}

// TrunkLogin is what edges answer a trunk's challenges with and register with. Nobody can read the password back.
type TrunkLogin struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// SetTrunk adds a trunk or replaces the one with its id, and its login, in one transaction.
func (s *Service) SetTrunk(ctx context.Context, c TrunkChange) error {
	if c.Within != "" {
		c.Trunk.Tenant = c.Within
	}
	if err := checkTrunk(c.Trunk); err != nil {
		return err
	}
	if c.Login != nil {
		if err := checkLogin(c.Trunk.ID, *c.Login); err != nil {
			return err
		}
	}
	return s.platform(ctx, func(tx *postgres.Tx) error {
		if err := matched(ctx, tx, c.Trunk.ID, c.Within, c.Match); err != nil {
			return err
		}
		if err := ownerStays(ctx, tx, c.Trunk); err != nil {
			return err
		}
		if err := tx.SaveTrunk(ctx, c.Trunk); postgres.IsForeign(err) {
			return missing("trunk", "there is no such trunk of this tenant's, and its id is taken")
		} else if err != nil || c.Login == nil {
			return err
		}
		return tx.SetTrunkLogin(ctx, c.Trunk.ID, c.Login.Username, c.Login.Password)
	})
}

// DropTrunk removes a trunk, of a tenant's alone if within names it, if it is as match says. The second time it does nothing.
func (s *Service) DropTrunk(ctx context.Context, id, within string, match func(*tenants.Trunk) bool) error {
	return s.platform(ctx, func(tx *postgres.Tx) error {
		if err := matched(ctx, tx, id, within, match); err != nil {
			return err
		}
		return tx.DeleteTrunk(ctx, id)
	})
}

// matched looks at a trunk as it is, with all changes of configuration kept waiting.
func matched(ctx context.Context, tx *postgres.Tx, id, within string, match func(*tenants.Trunk) bool) error {
	all, err := tx.LockTrunks(ctx)
	if err != nil {
		return err
	}
	var current *tenants.Trunk
	if i := slices.IndexFunc(all, func(t tenants.Trunk) bool { return t.ID == id }); i >= 0 {
		current = &all[i]
	}
	if current != nil && within != "" && current.Tenant != within {
		return missing("trunk", "there is no such trunk of this tenant's, and its id is taken")
	}
	if match != nil && !match(current) {
		return &Error{Code: Stale, Field: "trunk", Detail: "has changed since, or is not there: read it again"}
	}
	return nil
}

// Trunks lists trunks: all, or those of one tenant, and which of them have a login.
func (s *Service) Trunks(ctx context.Context, within string) (all []tenants.Trunk, login map[string]bool, err error) {
	all, login, err = s.Store.Trunks(ctx)
	return slices.DeleteFunc(all, func(t tenants.Trunk) bool { return within != "" && t.Tenant != within }), login, err
}
