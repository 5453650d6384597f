package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/provisioning"
)

// DeviceBody is what may be changed of a device.
type DeviceBody struct {
	Name string `json:"name" minLength:"1" maxLength:"256" example:"Desk phone"`
	User string `json:"user,omitempty" maxLength:"64" doc:"Whose it is; absent: nobody's."`
}

// NewDeviceBody is a device that is to be made.
type NewDeviceBody struct {
	ID       string `json:"id,omitempty" pattern:"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" doc:"Absent: one is made."`
	Username string `json:"username" pattern:"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$" example:"ada-desk" doc:"Digest user, and user part of its address; it never changes."`
	DeviceBody
}

// DeviceInput names a device.
type DeviceInput struct {
	Conditional
	Device string `path:"device" maxLength:"64"`
}

// newDevice is a device that was made.
type newDevice struct {
	postgres.DeviceRow
	Password string `json:"password" doc:"It is kept nowhere, and not shown again."`
}

func (a *API) devices() {
	tags := []string{"devices"}
	Add(a, DevicesRead, huma.Operation{OperationID: "list-devices", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/devices", Summary: "List devices", Tags: tags},
		func(ctx context.Context, in *struct {
			ListInput
			User     string `query:"user" maxLength:"64"`
			Username string `query:"username" maxLength:"64"`
		}) (*PageOutput[postgres.DeviceRow], error) {
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.DeviceRows(), in.Query(map[string]string{"user": in.User, "username": in.Username, "tenant": TenantOf(ctx)})))
		})
	Add(a, DevicesWrite, huma.Operation{OperationID: "create-device", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/devices", Summary: "Add a device", Tags: tags, DefaultStatus: http.StatusCreated},
		func(ctx context.Context, in *struct{ Body NewDeviceBody }) (*One[newDevice], error) {
			b := in.Body
			d, password, err := a.Service.CreateDevice(ctx, TenantOf(ctx), provisioning.NewDevice{ID: b.ID, UserID: b.User, Name: b.Name, Username: b.Username})
			if err != nil {
				return nil, err
			}
			row, err := a.Service.Device(ctx, TenantOf(ctx), d.ID)
			return &One[newDevice]{ETag: Tag(row), Body: newDevice{DeviceRow: row, Password: password}}, err
		})
	Add(a, DevicesRead, huma.Operation{OperationID: "get-device", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/devices/{device}", Summary: "Show a device", Tags: tags},
		func(ctx context.Context, in *DeviceInput) (*One[postgres.DeviceRow], error) {
			return OneOf(a.Service.Device(ctx, TenantOf(ctx), in.Device))
		})
	Add(a, DevicesWrite, huma.Operation{OperationID: "update-device", Method: http.MethodPut, Path: "/v1/tenants/{tenant}/devices/{device}", Summary: "Change a device", Tags: tags},
		func(ctx context.Context, in *struct {
			DeviceInput
			Body DeviceBody
		}) (*One[postgres.DeviceRow], error) {
			return OneOf(a.Service.ChangeDevice(ctx, TenantOf(ctx), in.Device, func(d postgres.DeviceRow) bool { return in.Holds(d) }, func(d *postgres.DeviceRow) {
				d.Name, d.User = in.Body.Name, in.Body.User
			}))
		})
	Add(a, DevicesWrite, huma.Operation{OperationID: "delete-device", Method: http.MethodDelete, Path: "/v1/tenants/{tenant}/devices/{device}", Summary: "Remove a device", Tags: tags},
		func(ctx context.Context, in *DeviceInput) (*None, error) {
			return nil, a.Service.RemoveDevice(ctx, TenantOf(ctx), in.Device)
		})
	Add(a, DevicesWrite, huma.Operation{OperationID: "reset-device-password", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/devices/{device}/password", Summary: "Give a device another password",
		Description: "Edges forget the old one at once.", Tags: tags},
		func(ctx context.Context, in *DeviceInput) (*struct {
			Body struct {
				Password string `json:"password" doc:"It is kept nowhere, and not shown again."`
			}
		}, error) {
			out := &struct {
				Body struct {
					Password string `json:"password" doc:"It is kept nowhere, and not shown again."`
				}
			}{}
			var err error
			out.Body.Password, err = a.Service.ResetPassword(ctx, TenantOf(ctx), in.Device)
			return out, err
		})
}
