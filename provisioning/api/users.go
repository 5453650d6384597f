package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/provisioning"
)

// UserBody is what is said of a user.
type UserBody struct {
	Name      string `json:"name" minLength:"1" maxLength:"256" example:"Ada Lovelace"`
	Extension string `json:"extension" pattern:"^[0-9]{2,8}$" example:"101" doc:"It can be dialled once the tenant is published."`
	Number    string `json:"number,omitempty" maxLength:"16" example:"+4930123456" doc:"Shown to the outside; one of the tenant's numbers."`
}

// NewUserBody is a user who is to be made.
type NewUserBody struct {
	ID string `json:"id,omitempty" pattern:"^[A-Za-z0-9][A-Za-z0-9_.-]{0,58}$" doc:"Absent: one is made."`
	UserBody
}

// UserInput names a user.
type UserInput struct {
	Conditional
	User string `path:"user" maxLength:"64"`
}

func (a *API) users() {
	tags := []string{"users"}
	Add(a, UsersRead, huma.Operation{OperationID: "list-users", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/users", Summary: "List users", Tags: tags},
		func(ctx context.Context, in *struct {
			ListInput
			Extension string `query:"extension" maxLength:"8"`
			Number    string `query:"number" maxLength:"16"`
		}) (*PageOutput[postgres.UserRow], error) {
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.UserRows(), in.Query(map[string]string{"extension": in.Extension, "number": in.Number, "tenant": TenantOf(ctx)})))
		})
	Add(a, UsersWrite, huma.Operation{OperationID: "create-user", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/users", Summary: "Add a user", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body NewUserBody }) (*One[postgres.UserRow], error) {
			b := in.Body
			u, err := a.Service.CreateUser(ctx, TenantOf(ctx), provisioning.NewUser{ID: b.ID, Name: b.Name, Extension: b.Extension, Number: b.Number})
			if err != nil {
				return nil, err
			}
			return OneOf(a.Service.User(ctx, TenantOf(ctx), u.ID))
		})
	Add(a, UsersRead.OrOwn(), huma.Operation{OperationID: "get-user", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/users/{user}", Summary: "Show a user", Tags: tags},
		func(ctx context.Context, in *UserInput) (*One[postgres.UserRow], error) {
			return OneOf(a.Service.User(ctx, TenantOf(ctx), in.User))
		})
	Add(a, UsersWrite, huma.Operation{OperationID: "update-user", Method: http.MethodPut, Path: "/v1/tenants/{tenant}/users/{user}", Summary: "Change a user", Tags: tags},
		func(ctx context.Context, in *struct {
			UserInput
			Body UserBody
		}) (*One[postgres.UserRow], error) {
			return OneOf(a.Service.ChangeUser(ctx, TenantOf(ctx), in.User, func(u postgres.UserRow) bool { return in.Holds(u) }, func(u *postgres.UserRow) {
				u.Name, u.Extension, u.Number = in.Body.Name, in.Body.Extension, in.Body.Number
			}))
		})
	Add(a, UsersWrite, huma.Operation{OperationID: "delete-user", Method: http.MethodDelete, Path: "/v1/tenants/{tenant}/users/{user}", Summary: "Remove a user who has no devices", Tags: tags},
		func(ctx context.Context, in *UserInput) (*None, error) {
			return nil, a.Service.RemoveUser(ctx, TenantOf(ctx), in.User)
		})
}
