package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tandem/callflows"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// maxFlowBody bounds the body of a flow, in bytes.
const maxFlowBody = provisioning.MaxFlowBytes + 4<<10

// DraftInput names a draft.
type DraftInput struct {
	Conditional
	ID string `path:"id" maxLength:"64"`
}

// drafting is how the drafts of one kind are read and saved.
type drafting[T any] struct {
	kind  postgres.Draft
	noun  string
	words string // what it is, for people
	read  func(s *provisioning.Service, ctx context.Context, tenant, id string) (T, error)
	save  func(s *provisioning.Service, ctx context.Context, tenant string, v T) error
	named func(v *T, id string)
}

// drafts adds the operations of one kind. They touch drafts alone: what new calls get is changed by publishing.
func drafts[T any](a *API, d drafting[T]) {
	tags, base := []string{"flows"}, "/v1/tenants/{tenant}/"+d.noun+"s"
	Add(a, FlowsRead, huma.Operation{OperationID: "list-" + d.noun + "s", Method: http.MethodGet, Path: base, Summary: "List the drafts of " + d.words + "s", Tags: tags},
		func(ctx context.Context, in *ListInput) (*PageOutput[postgres.DraftRow], error) {
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.DraftRows(d.kind), in.Query(map[string]string{"tenant": TenantOf(ctx)})))
		})
	Add(a, FlowsRead, huma.Operation{OperationID: "get-" + d.noun, Method: http.MethodGet, Path: base + "/{id}", Summary: "Show the draft of a " + d.words, Tags: tags},
		func(ctx context.Context, in *DraftInput) (*One[T], error) {
			return OneOf(d.read(a.Service, ctx, TenantOf(ctx), in.ID))
		})
	Add(a, FlowsWrite, huma.Operation{OperationID: "set-" + d.noun, Method: http.MethodPut, Path: base + "/{id}", Summary: "Save the draft of a " + d.words, MaxBodyBytes: maxFlowBody,
		Description: "It adds it, or puts it in place of what has its id. New calls get it once the tenant is published.", Tags: tags},
		func(ctx context.Context, in *struct {
			DraftInput
			Body T
		}) (*One[T], error) {
			if err := holdsNow(in.Conditional, func() (T, error) { return d.read(a.Service, ctx, TenantOf(ctx), in.ID) }); err != nil {
				return nil, err
			}
			d.named(&in.Body, in.ID)
			if err := d.save(a.Service, ctx, TenantOf(ctx), in.Body); err != nil {
				return nil, err
			}
			return OneOf(d.read(a.Service, ctx, TenantOf(ctx), in.ID))
		})
	Add(a, FlowsWrite, huma.Operation{OperationID: "delete-" + d.noun, Method: http.MethodDelete, Path: base + "/{id}", Summary: "Remove the draft of a " + d.words, Tags: tags},
		func(ctx context.Context, in *DraftInput) (*None, error) {
			return nil, a.Service.RemoveDraft(ctx, d.kind, d.noun, TenantOf(ctx), in.ID)
		})
}

// holdsNow checks preconditions against what there is now.
func holdsNow[T any](c Conditional, read func() (T, error)) error {
	if c.IfMatch == "" && c.IfNoneMatch == "" {
		return nil
	}
	var current any
	v, err := read()
	if err == nil {
		current = v
	}
	if !c.Holds(current) {
		return Refuse(http.StatusPreconditionFailed, "stale", "It has been changed meanwhile: read it again.")
	}
	return nil
}

// flows are drafts of what is published together.
func (a *API) flows() {
	drafts(a, drafting[tenants.Flow]{postgres.DraftFlow, "flow", "flow", (*provisioning.Service).DraftFlow, (*provisioning.Service).SaveFlow, func(f *tenants.Flow, id string) { f.ID = id }})
	drafts(a, drafting[tenants.Schedule]{postgres.DraftSchedule, "schedule", "schedule", (*provisioning.Service).DraftSchedule, (*provisioning.Service).SaveSchedule,
		func(s *tenants.Schedule, id string) { s.ID = id }})
	drafts(a, drafting[tenants.List]{postgres.DraftList, "list", "list", (*provisioning.Service).DraftList, (*provisioning.Service).SaveList, func(l *tenants.List, id string) { l.ID = id }})
	tags := []string{"flows"}
	Add(a, FlowsRead, huma.Operation{OperationID: "check-flow", Method: http.MethodPost, Path: "/v1/tenants/{tenant}/flows/{id}/check", Summary: "Say all that is wrong with a flow, and save nothing",
		MaxBodyBytes: maxFlowBody, Tags: tags},
		func(ctx context.Context, in *struct {
			DraftInput
			Body tenants.Flow
		}) (*struct {
			Body struct {
				Faults []callflows.FlowFault `json:"faults" nullable:"false"`
			}
		}, error) {
			in.Body.ID = in.ID
			faults, err := a.Service.CheckFlow(ctx, TenantOf(ctx), in.Body)
			out := &struct {
				Body struct {
					Faults []callflows.FlowFault `json:"faults" nullable:"false"`
				}
			}{}
			out.Body.Faults = append([]callflows.FlowFault{}, faults...)
			return out, err
		})
	a.routes()
	a.blocked()
}

// RouteBody says where a dialled number leads.
type RouteBody struct {
	FlowID string `json:"flow_id" maxLength:"69" doc:"A flow, or user- and the id of a user."`
	Prefix bool   `json:"prefix,omitempty" doc:"It serves all that begins so too: a feature code and what follows it."`
}

type routeInput struct {
	Dialled string `path:"dialled" maxLength:"20" example:"+4930123456" doc:"Extension, feature code or E.164 number; # is written %23."`
}

type routesOutput struct {
	Body struct {
		Items []tenants.Route `json:"items" nullable:"false"`
	}
}

func (a *API) routes() {
	tags, base := []string{"flows"}, "/v1/tenants/{tenant}/routes"
	Add(a, FlowsRead, huma.Operation{OperationID: "list-routes", Method: http.MethodGet, Path: base, Summary: "List the drafts of routes: what is dialled, and which flow it starts", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*routesOutput, error) {
			routes, err := a.Service.DraftRoutes(ctx, TenantOf(ctx))
			out := &routesOutput{}
			out.Body.Items = append([]tenants.Route{}, routes...)
			return out, err
		})
	Add(a, FlowsWrite, huma.Operation{OperationID: "set-route", Method: http.MethodPut, Path: base + "/{dialled}", Summary: "Say which flow a number or extension starts", Tags: tags},
		func(ctx context.Context, in *struct {
			Dialled string `path:"dialled" maxLength:"20" example:"+4930123456" doc:"Extension, feature code or E.164 number; # is written %23."`
			Body    RouteBody
		}) (*struct{ Body tenants.Route }, error) {
			r := tenants.Route{Dialled: in.Dialled, Prefix: in.Body.Prefix, FlowID: in.Body.FlowID}
			return &struct{ Body tenants.Route }{r}, a.Service.SaveRoute(ctx, TenantOf(ctx), r)
		})
	Add(a, FlowsWrite, huma.Operation{OperationID: "delete-route", Method: http.MethodDelete, Path: base + "/{dialled}", Summary: "Remove the draft of a route", Tags: tags},
		func(ctx context.Context, in *routeInput) (*None, error) {
			return nil, a.Service.RemoveRoute(ctx, TenantOf(ctx), in.Dialled)
		})
}

type blockedInput struct {
	Caller string `path:"caller" maxLength:"64" example:"+4930123456" doc:"E.164 number, or the user name of a device."`
}

type blockedOutput struct {
	Body struct {
		Items []string `json:"items" nullable:"false"`
	}
}

func (a *API) blocked() {
	tags, base := []string{"flows"}, "/v1/tenants/{tenant}/blocked-callers"
	Add(a, FlowsRead, huma.Operation{OperationID: "list-blocked-callers", Method: http.MethodGet, Path: base, Summary: "List the draft of whose calls are refused", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*blockedOutput, error) {
			callers, err := a.Service.BlockedCallers(ctx, TenantOf(ctx))
			out := &blockedOutput{}
			out.Body.Items = append([]string{}, callers...)
			return out, err
		})
	Add(a, FlowsWrite, huma.Operation{OperationID: "block-caller", Method: http.MethodPut, Path: base + "/{caller}", Summary: "Refuse somebody's calls, once published", Tags: tags},
		func(ctx context.Context, in *blockedInput) (*None, error) {
			return nil, a.Service.BlockCaller(ctx, TenantOf(ctx), in.Caller)
		})
	Add(a, FlowsWrite, huma.Operation{OperationID: "unblock-caller", Method: http.MethodDelete, Path: base + "/{caller}", Summary: "Take somebody's calls again, once published", Tags: tags},
		func(ctx context.Context, in *blockedInput) (*None, error) {
			return nil, a.Service.UnblockCaller(ctx, TenantOf(ctx), in.Caller)
		})
}
