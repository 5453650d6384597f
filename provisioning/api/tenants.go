package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/provisioning"
)

// TenantBody is a tenant that is to be made.
type TenantBody struct {
	ID     string `json:"id,omitempty" pattern:"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" doc:"Absent: one is made."`
	Name   string `json:"name" minLength:"1" maxLength:"256" example:"Ada & Co."`
	Domain string `json:"domain" maxLength:"253" example:"ada.example.com" doc:"SIP domain and digest realm; it never changes."`
	Kind   string `json:"kind,omitempty" enum:"reseller,customer" default:"customer"`
	Parent string `json:"parent,omitempty" maxLength:"64" doc:"The reseller that it is of; absent: the caller's own tenant."`
	TenantOptions
}

// TenantOptions may be left out.
type TenantOptions struct {
	TimeZone string `json:"time_zone,omitempty" maxLength:"64" example:"Europe/Berlin" doc:"Absent: UTC."`
	Language string `json:"language,omitempty" maxLength:"8" example:"en"`
	MaxCalls int    `json:"max_calls,omitempty" minimum:"0" maximum:"1000000"`
}

type limitsBody struct {
	postgres.TenantLimits
	Effective postgres.TenantLimits `json:"effective" doc:"With those of all above it."`
}

// tenants are the tree.
func (a *API) tenants() {
	tags := []string{"tenants"}
	Add(a, TenantsRead, huma.Operation{OperationID: "list-tenants", Method: http.MethodGet, Path: "/v1/tenants", Summary: "List one's own tenant and all below it", Tags: tags},
		func(ctx context.Context, in *struct {
			ListInput
			Parent    string `query:"parent" maxLength:"64" doc:"Those directly below this one."`
			Kind      string `query:"kind" enum:"reseller,customer"`
			Domain    string `query:"domain" maxLength:"253"`
			Suspended string `query:"suspended" enum:"true,false"`
		}) (*PageOutput[postgres.TenantRow], error) {
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.TenantRows(),
				in.Query(map[string]string{"parent": in.Parent, "kind": in.Kind, "domain": in.Domain, "suspended": in.Suspended})))
		})
	Add(a, TenantsWrite, huma.Operation{OperationID: "create-tenant", Method: http.MethodPost, Path: "/v1/tenants", Summary: "Make a tenant", Tags: tags, DefaultStatus: http.StatusCreated}, a.createTenant)
	Add(a, TenantsRead, huma.Operation{OperationID: "get-tenant", Method: http.MethodGet, Path: "/v1/tenants/{tenant}", Summary: "Show a tenant", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*One[postgres.TenantRow], error) {
			return OneOf(a.Service.TenantByID(ctx, TenantOf(ctx)))
		})
	Add(a, SettingsWrite, huma.Operation{OperationID: "set-tenant-settings", Method: http.MethodPut, Path: "/v1/tenants/{tenant}/settings", Summary: "Change a tenant's name and settings, at once", Tags: tags},
		func(ctx context.Context, in *struct {
			Conditional
			Body struct {
				Name string `json:"name" minLength:"1" maxLength:"256"`
				postgres.TenantSettings
			}
		}) (*One[postgres.TenantRow], error) {
			return OneOf(a.Service.ChangeTenant(ctx, TenantOf(ctx), func(r postgres.TenantRow) bool { return in.Holds(r) }, func(r *postgres.TenantRow) {
				r.Name, r.TenantSettings = in.Body.Name, in.Body.TenantSettings
			}))
		})
	Add(a, TenantsRead, huma.Operation{OperationID: "get-tenant-limits", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/limits", Summary: "Show what a tenant may, with all above it", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*One[limitsBody], error) { return OneOf(a.limitsOf(ctx)) })
	Add(a, TenantsWrite, huma.Operation{OperationID: "set-tenant-limits", Method: http.MethodPut, Path: "/v1/tenants/{tenant}/limits", Summary: "Limit a tenant, at once",
		Description: "For those above it alone. What those above it may bounds it besides.", Tags: tags},
		func(ctx context.Context, in *struct {
			Conditional
			Body postgres.TenantLimits
		}) (*One[limitsBody], error) {
			if err := aboveOnly(ctx); err != nil {
				return nil, err
			}
			match := func(r postgres.TenantRow) bool {
				if in.IfMatch == "" {
					return true
				}
				current, err := a.limitsOf(ctx)
				return err == nil && in.Holds(current)
			}
			if _, err := a.Service.ChangeTenant(ctx, TenantOf(ctx), match, func(r *postgres.TenantRow) { r.TenantLimits = in.Body }); err != nil {
				return nil, err
			}
			return OneOf(a.limitsOf(ctx))
		})
	for suspended, op := range map[bool]huma.Operation{
		true: {OperationID: "suspend-tenant", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/suspend", Summary: "Suspend a tenant and all below it, at once",
			Description: "Their phones stay registered and reach emergency numbers.", Tags: tags},
		false: {OperationID: "reactivate-tenant", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/reactivate", Summary: "Let a suspended tenant go on", Tags: tags},
	} {
		Add(a, TenantsWrite, op, func(ctx context.Context, _ *struct{}) (*One[postgres.TenantRow], error) {
			if err := aboveOnly(ctx); err != nil {
				return nil, err
			}
			return OneOf(a.Service.Suspend(ctx, TenantOf(ctx), suspended))
		})
	}
	Add(a, TenantsWrite, huma.Operation{OperationID: "move-tenant", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/move", Summary: "Move a tenant, with all below it, to another reseller",
		Description: "Both the old and the new reseller must be within the caller's own tree. Calls go on.", Tags: tags}, a.moveTenant)
}

// aboveOnly lets nobody change what those above his tenant set.
func aboveOnly(ctx context.Context) error {
	if c := CallerOf(ctx); c.Home != "" && c.Home == TenantOf(ctx) {
		return Refuse(http.StatusForbidden, "own_tenant", "This is for those above the tenant to change.")
	}
	return nil
}

func (a *API) limitsOf(ctx context.Context) (limitsBody, error) {
	r, err := a.Service.TenantByID(ctx, TenantOf(ctx))
	if err != nil {
		return limitsBody{}, err
	}
	effective, err := a.Service.TenantLimitsOf(ctx, r.ID)
	effective.BlockedPrefixes, effective.ShownNumbers = slices.Clone(r.BlockedPrefixes), slices.Clone(r.ShownNumbers)
	return limitsBody{TenantLimits: r.TenantLimits, Effective: effective}, err
}

// within gives a context the scope of another tenant than the one in the path, which must be the caller's own or below it.
func (a *API) within(ctx context.Context, tenant string) (context.Context, error) {
	scope := postgres.ScopeOf(ctx)
	scope.Tenant = CallerOf(ctx).Home
	if scope.Tenant == "" {
		scope.Tenant = postgres.Everybody
	}
	above := postgres.WithScope(ctx, scope)
	if tenant == "" {
		return above, nil
	}
	if _, err := a.Service.TenantByID(above, tenant); err != nil {
		return nil, err
	}
	return above, nil
}

func (a *API) createTenant(ctx context.Context, in *struct{ Body TenantBody }) (*One[postgres.TenantRow], error) {
	b := in.Body
	if b.Parent == "" {
		b.Parent = CallerOf(ctx).Home
	} else if _, err := a.within(ctx, b.Parent); err != nil {
		return nil, Refuse(http.StatusNotFound, "not_found", "There is no such reseller.")
	}
	t, err := a.Service.CreateTenant(ctx, provisioning.NewTenant{ID: b.ID, Name: b.Name, Domain: b.Domain, TimeZone: b.TimeZone, Language: b.Language, MaxCalls: b.MaxCalls,
		Kind: b.Kind, Parent: b.Parent})
	if err != nil {
		return nil, err
	}
	return OneOf(a.Service.TenantByID(ctx, t.ID))
}

func (a *API) moveTenant(ctx context.Context, in *struct {
	Body struct {
		Parent string `json:"parent" maxLength:"64" doc:"The reseller; empty: directly below the platform, for its own people alone."`
	}
}) (*One[postgres.TenantRow], error) {
	if err := aboveOnly(ctx); err != nil {
		return nil, err
	}
	if in.Body.Parent == "" && !CallerOf(ctx).IsPlatform() {
		return nil, Refuse(http.StatusForbidden, "platform_only", "Only the platform's people put a tenant directly below it.")
	}
	above, err := a.within(ctx, in.Body.Parent)
	if err != nil {
		return nil, Refuse(http.StatusNotFound, "not_found", "There is no such reseller.")
	}
	return OneOf(a.Service.MoveTenant(above, TenantOf(ctx), in.Body.Parent))
}
