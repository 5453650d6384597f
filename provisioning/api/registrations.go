package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
	"tandem/provisioning"
)

// Contacts orders something of the edge that holds a contact.
type Contacts interface {
	// Unregister lets the edge forget it. gone says whether the workers have heard so; otherwise the order is on its way.
	Unregister(ctx context.Context, r postgres.RegistrationRow) (gone bool, err error)
	// Notify sends it a NOTIFY with an event (RFC 6665).
	Notify(ctx context.Context, r postgres.RegistrationRow, event string) error
}

// usualEvent is what makes most phones fetch their files again, of whatever make they are.
const usualEvent = "check-sync;reboot=false"

// RegistrationInput names a registration.
type RegistrationInput struct {
	Registration string `path:"registration" pattern:"^[0-9a-f]{32}$" example:"0123456789abcdef0123456789abcdef"`
}

type registrationListInput struct {
	ListInput
	Device    string `query:"device" maxLength:"64"`
	User      string `query:"user" maxLength:"64"`
	Username  string `query:"username" maxLength:"64"`
	Address   string `query:"address" maxLength:"64" example:"192.0.2.7" doc:"From which it registers."`
	UserAgent string `query:"user_agent" maxLength:"128" example:"Yealink" doc:"Those that say this of themselves somewhere, in capitals or not."`
	Edge      string `query:"edge" maxLength:"256"`
	Domain    string `query:"domain" maxLength:"253"`
}

// orderedRegistration is what became of an order about a registration.
type orderedRegistration struct {
	Status int
	Body   struct {
		State string `json:"state" enum:"removed,ordered" doc:"ordered: the edge has not said yet that it did it."`
	}
}

// registrations are where devices can be reached, over all of a tenant's or of the platform's.
func (a *API) registrations() {
	tags := []string{"registrations"}
	for _, of := range []struct{ base, suffix, whose string }{{"/v1", "", "all tenants"}, {"/v1/tenants/{tenant}", "-of-tenant", "a tenant"}} {
		base := of.base + "/registrations"
		Add(a, RegistrationsRead, huma.Operation{OperationID: "list-registrations" + of.suffix, Method: http.MethodGet, Path: base, Summary: "List the registrations of " + of.whose, Tags: tags,
			Description: "Those that hold now. What a worker believes of one device is at " + of.base + "/contacts."}, a.listRegistrations)
		Add(a, RegistrationsRead, huma.Operation{OperationID: "get-registration" + of.suffix, Method: http.MethodGet, Path: base + "/{registration}", Summary: "Show a registration", Tags: tags},
			func(ctx context.Context, in *RegistrationInput) (*One[postgres.RegistrationRow], error) {
				r, err := a.registration(ctx, in)
				return OneOf(r, err)
			})
		Add(a, RegistrationsWrite, huma.Operation{OperationID: "unregister" + of.suffix, Method: http.MethodDelete, Path: base + "/{registration}", Summary: "Forget where a device is",
			Description: "Its edge forgets the contact, and no call goes there. The device may register again: to keep it out, give it another password. 202 when the edge has not said yet that it did it.",
			Tags:        tags, DefaultStatus: http.StatusOK, Responses: map[string]*huma.Response{"202": {Description: "Ordered"}}}, a.unregister)
		Add(a, RegistrationsWrite, huma.Operation{OperationID: "resync-registration" + of.suffix, Method: http.MethodPost, Path: base + "/{registration}/resync", Summary: "Ask one phone to fetch its files again", Tags: tags,
			DefaultStatus: http.StatusAccepted}, a.resyncRegistration)
	}
}

func (a *API) listRegistrations(ctx context.Context, in *registrationListInput) (*PageOutput[postgres.RegistrationRow], error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	agent := ""
	if in.UserAgent != "" {
		agent = "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(in.UserAgent) + "%"
	}
	p, err := postgres.List(ctx, a.Service.Store, postgres.RegistrationRows(), in.Query(map[string]string{"device": in.Device, "user": in.User, "username": in.Username,
		"address": in.Address, "user_agent": agent, "edge": in.Edge, "domain": strings.ToLower(in.Domain), "tenant": TenantOf(ctx)}))
	return shownPage(p, err, shownRegistration)
}

func shownRegistration(r postgres.RegistrationRow) postgres.RegistrationRow {
	r.RegisteredAt, r.ExpiresAt = r.RegisteredAt.UTC(), r.ExpiresAt.UTC()
	return r
}

func (a *API) registration(ctx context.Context, in *RegistrationInput) (postgres.RegistrationRow, error) {
	if err := platformOnly(ctx); err != nil {
		return postgres.RegistrationRow{}, err
	}
	r, err := a.Service.Store.Registration(ctx, TenantOf(ctx), in.Registration)
	if errors.Is(err, postgres.ErrNotFound) {
		err = NotHere("registration")
	}
	return shownRegistration(r), err
}

func (a *API) unregister(ctx context.Context, in *RegistrationInput) (*orderedRegistration, error) {
	r, err := a.registration(ctx, in)
	if err != nil {
		return nil, err
	}
	if a.Contacts == nil {
		return nil, Refuse(http.StatusServiceUnavailable, "no_edge", "This worker reaches no edge.")
	}
	gone, err := a.Contacts.Unregister(ctx, r)
	if err != nil {
		return nil, a.edgeAway(ctx, r, err)
	}
	a.Log.InfoContext(ctx, "a registration is forgotten by order", slog.String("tenant_id", r.Tenant), slog.String("device", r.Device), slog.String("by", CallerOf(ctx).Actor))
	out := &orderedRegistration{Status: http.StatusOK}
	if out.Body.State = "removed"; !gone {
		out.Status, out.Body.State = http.StatusAccepted, "ordered"
	}
	return out, nil
}

func (a *API) edgeAway(ctx context.Context, r postgres.RegistrationRow, err error) error {
	a.Log.WarnContext(ctx, "an edge could not be told of a contact", slog.String("tenant_id", r.Tenant), slog.String("edge", r.Edge), slog.Any("error", err))
	return Refuse(http.StatusServiceUnavailable, "edge_away", "No edge can be reached at the moment. Try again shortly.")
}

func (a *API) resyncRegistration(ctx context.Context, in *RegistrationInput) (*struct{ Body resyncBody }, error) {
	r, err := a.registration(ctx, in)
	if err != nil {
		return nil, err
	}
	if a.Contacts == nil {
		return nil, Refuse(http.StatusServiceUnavailable, "no_edge", "This worker reaches no edge.")
	}
	event := usualEvent
	if r.Tenant != "" && r.Device != "" {
		_, _, of, err := a.Service.PhoneEvent(ctx, r.Tenant, r.Device)
		var refused *provisioning.Error
		switch {
		case err == nil:
			event = of
		case !errors.As(err, &refused): // otherwise it is a device that does not provision itself here
			return nil, err
		}
	}
	if err := a.Contacts.Notify(ctx, r, event); err != nil {
		return nil, a.edgeAway(ctx, r, err)
	}
	return &struct{ Body resyncBody }{resyncBody{1}}, nil
}
