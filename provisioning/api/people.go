package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/provisioning"
)

type peopleInput struct {
	ListInput
	Email string `query:"email" maxLength:"254"`
	Role  string `query:"role" enum:"platform_admin,support,reseller,tenant_admin,user"`
}

type PersonInput struct {
	Conditional
	Person string `path:"person" maxLength:"64"`
}

// PersonBody is what is said of a person.
type PersonBody struct {
	Email    string `json:"email" minLength:"3" maxLength:"254" example:"ada@example.com"`
	Name     string `json:"name" minLength:"1" maxLength:"256" example:"Ada"`
	Role     string `json:"role" enum:"platform_admin,support,reseller,tenant_admin,user"`
	User     string `json:"user,omitempty" maxLength:"64" doc:"The tenant's user whose own things he sees, for the role user."`
	Disabled bool   `json:"disabled,omitempty"`
}

// people are those who sign in: the platform's own, and each tenant's.
func (a *API) people() {
	for _, of := range []struct{ base, suffix, whose string }{{"/v1", "", "the platform"}, {"/v1/tenants/{tenant}", "-of-tenant", "a tenant"}} {
		tags := []string{"people"}
		Add(a, PeopleRead, huma.Operation{OperationID: "list-people" + of.suffix, Method: http.MethodGet, Path: of.base + "/people", Summary: "List the people of " + of.whose, Tags: tags},
			func(ctx context.Context, in *peopleInput) (*PageOutput[postgres.Person], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				q := in.Query(map[string]string{"email": in.Email, "role": in.Role})
				q.Where["tenant"] = TenantOf(ctx)
				return PageOf(postgres.List(ctx, a.Service.Store, postgres.People(), q))
			})
		Add(a, PeopleWrite, huma.Operation{OperationID: "create-person" + of.suffix, Method: http.MethodPost, Path: of.base + "/people", Summary: "Let somebody sign in", Tags: tags,
			DefaultStatus: http.StatusCreated}, a.createPerson)
		Add(a, PeopleRead, huma.Operation{OperationID: "get-person" + of.suffix, Method: http.MethodGet, Path: of.base + "/people/{person}", Summary: "Show a person of " + of.whose, Tags: tags},
			func(ctx context.Context, in *PersonInput) (*One[postgres.Person], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				return OneOf(a.Service.PersonByID(ctx, TenantOf(ctx), in.Person))
			})
		Add(a, PeopleWrite, huma.Operation{OperationID: "update-person" + of.suffix, Method: http.MethodPut, Path: of.base + "/people/{person}", Summary: "Change a person",
			Description: "Whoever gets another role, or is disabled, is signed out.", Tags: tags}, a.changePerson)
		Add(a, PeopleWrite, huma.Operation{OperationID: "delete-person" + of.suffix, Method: http.MethodDelete, Path: of.base + "/people/{person}", Summary: "Remove a person", Tags: tags},
			func(ctx context.Context, in *PersonInput) (*None, error) {
				if err := a.mayTouch(ctx, in.Person); err != nil {
					return nil, err
				}
				return nil, a.Service.RemovePerson(ctx, TenantOf(ctx), in.Person)
			})
		Add(a, PeopleWrite, huma.Operation{OperationID: "set-person-password" + of.suffix, Method: http.MethodPut, Path: of.base + "/people/{person}/password",
			Summary: "Give a person another password", Description: "He is signed out.", Tags: tags}, a.personPassword)
	}
}

// mayTouch lets nobody at a person who may more than he himself: he could sign in as that one.
func (a *API) mayTouch(ctx context.Context, person string) error {
	if err := platformOnly(ctx); err != nil {
		return err
	}
	p, err := a.Service.PersonByID(ctx, TenantOf(ctx), person)
	if err != nil {
		return err
	}
	return mayGive(ctx, ScopesOf(p.Role))
}

// NewPersonBody is somebody who is to be made.
type NewPersonBody struct {
	PersonBody
	Password string `json:"password,omitempty" minLength:"10" maxLength:"256" doc:"Left out: he cannot sign in until one is set."`
}

func (a *API) createPerson(ctx context.Context, in *struct {
	Body NewPersonBody
}) (*One[postgres.Person], error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	if err := mayGive(ctx, ScopesOf(in.Body.Role)); err != nil {
		return nil, err
	}
	b := in.Body
	return OneOf(a.Service.AddPerson(ctx, provisioning.NewPerson{Password: b.Password,
		Person: postgres.Person{Tenant: TenantOf(ctx), User: b.User, Email: b.Email, Name: b.Name, Role: b.Role, Disabled: b.Disabled}}))
}

func (a *API) changePerson(ctx context.Context, in *struct {
	PersonInput
	Body PersonBody
}) (*One[postgres.Person], error) {
	if err := a.mayTouch(ctx, in.Person); err != nil {
		return nil, err
	}
	if err := mayGive(ctx, ScopesOf(in.Body.Role)); err != nil {
		return nil, err
	}
	return OneOf(a.Service.ChangePerson(ctx, TenantOf(ctx), in.Person, func(p postgres.Person) bool { return in.Holds(p) }, func(p *postgres.Person) {
		p.Email, p.Name, p.Role, p.User, p.Disabled = in.Body.Email, in.Body.Name, in.Body.Role, in.Body.User, in.Body.Disabled
	}))
}

func (a *API) personPassword(ctx context.Context, in *struct {
	PersonInput
	Body struct {
		Password string `json:"password" minLength:"10" maxLength:"256"`
	}
}) (*None, error) {
	if err := a.mayTouch(ctx, in.Person); err != nil {
		return nil, err
	}
	return nil, a.Service.SetPersonPassword(ctx, TenantOf(ctx), in.Person, in.Body.Password)
}
