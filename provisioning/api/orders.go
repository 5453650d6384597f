package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/numbers"
	"tandem/postgres"
	"tandem/provisioning"
)

// orderBody is work that is carried out in the background, as a whole or not at all.
type orderBody struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind" example:"number_import"`
	State      string          `json:"state" enum:"queued,running,done,failed,cancelled"`
	DryRun     bool            `json:"dry_run" doc:"Everything is looked at, and nothing done."`
	Done       int             `json:"done" doc:"How many of total are through. Nothing has taken effect before all are."`
	Total      int             `json:"total" doc:"0: not known yet."`
	Errors     int             `json:"errors" doc:"How many; the first thousand are listed."`
	Result     json.RawMessage `json:"result,omitempty" doc:"What came of it, by its kind."`
	CreatedBy  string          `json:"created_by"`
	CreatedAt  time.Time       `json:"created_at"`
	StartedAt  *time.Time      `json:"started_at,omitempty"`
	FinishedAt *time.Time      `json:"finished_at,omitempty"`
}

func shownOrder(o postgres.Order) orderBody {
	b := orderBody{ID: o.ID, Kind: o.Kind, State: string(o.State), DryRun: o.DryRun, Done: o.Done, Total: o.Total, Errors: o.Errors, CreatedBy: o.CreatedBy, CreatedAt: o.CreatedAt.UTC(),
		StartedAt: inUTC(o.StartedAt), FinishedAt: inUTC(o.FinishedAt)}
	if o.State.Over() && string(o.Result) != "{}" {
		b.Result = o.Result
	}
	return b
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}

// OrderInput names an order.
type OrderInput struct {
	Order string `path:"order" maxLength:"64"`
}

// orders are what is carried out in the background.
func (a *API) orders() {
	tags := []string{"orders"}
	for _, of := range []struct{ base, suffix, whose string }{{"/v1", "", "the platform"}, {"/v1/tenants/{tenant}", "-of-tenant", "a tenant"}} {
		Add(a, OrdersRead, huma.Operation{OperationID: "list-orders" + of.suffix, Method: http.MethodGet, Path: of.base + "/orders", Summary: "List the orders of " + of.whose, Tags: tags},
			func(ctx context.Context, in *struct {
				ListInput
				State string `query:"state" enum:"queued,running,done,failed,cancelled"`
				Kind  string `query:"kind" maxLength:"32"`
			}) (*PageOutput[orderBody], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				q := in.Query(map[string]string{"state": in.State, "kind": in.Kind})
				q.Where["tenant"] = TenantOf(ctx)
				p, err := postgres.List(ctx, a.Service.Store, postgres.OrderRows(), q)
				return shownPage(p, err, shownOrder)
			})
		Add(a, OrdersRead, huma.Operation{OperationID: "get-order" + of.suffix, Method: http.MethodGet, Path: of.base + "/orders/{order}", Summary: "Show an order and how far it is", Tags: tags},
			func(ctx context.Context, in *OrderInput) (*One[orderBody], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				o, err := a.Service.Order(ctx, TenantOf(ctx), in.Order)
				return OneOf(shownOrder(o), err)
			})
		Add(a, OrdersRead, huma.Operation{OperationID: "list-order-errors" + of.suffix, Method: http.MethodGet, Path: of.base + "/orders/{order}/errors", Summary: "List what was wrong with an order", Tags: tags}, a.orderErrors)
		Add(a, OrdersWrite, huma.Operation{OperationID: "cancel-order" + of.suffix, Method: http.MethodPost, Path: of.base + "/orders/{order}/cancel", Summary: "End an order that is not over",
			Description: "Nothing of it takes effect.", Tags: tags},
			func(ctx context.Context, in *OrderInput) (*One[orderBody], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				o, err := a.Service.CancelOrder(ctx, TenantOf(ctx), in.Order)
				return OneOf(shownOrder(o), err)
			})
		Add(a, NumbersAdd, huma.Operation{OperationID: "import-numbers" + of.suffix, Method: http.MethodPost, Path: of.base + "/number-imports", Summary: "Bring a sheet of numbers (CSV) into a stock, in the background",
			Description: "The first row names the columns: number, country, kind, trunk, tenant, note. The answer is an order: either all rows take effect at once or none, and each fault is listed with its line.",
			Tags:        tags, DefaultStatus: http.StatusAccepted, MaxBodyBytes: numbers.MaxSheetBytes, BodyReadTimeout: sheetWait}, a.importNumbers)
		Add(a, NumbersWrite, huma.Operation{OperationID: "change-numbers" + of.suffix, Method: http.MethodPost, Path: of.base + "/number-changes", Summary: "Do what a sheet says with numbers (CSV), in the background",
			Description: "The first row names the columns: number, step (assign, retake, release, withdraw, reserve, free, block, unblock, route, unroute), tenant (whose it is to be), flow (which it is to start, in the drafts of whose it is). " +
				"The answer is an order: either all rows take effect at once or none, and each fault is listed with its line. Flows need the scope flows:write, too.",
			Tags: tags, DefaultStatus: http.StatusAccepted, MaxBodyBytes: numbers.MaxSheetBytes, BodyReadTimeout: sheetWait}, a.changeNumbers)
	}
}

// sheetWait is how long a sheet may take to come.
const sheetWait = time.Minute

func (a *API) orderErrors(ctx context.Context, in *struct {
	ListInput
	OrderInput
	Code string `query:"code" maxLength:"64"`
}) (*PageOutput[postgres.OrderErrorRow], error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	if _, err := a.Service.Order(ctx, TenantOf(ctx), in.Order); err != nil {
		return nil, err
	}
	return PageOf(postgres.List(ctx, a.Service.Store, postgres.OrderErrorRows(), in.Query(map[string]string{"order": in.Order, "code": in.Code})))
}

// acceptedOrder is an order that was taken.
type acceptedOrder struct {
	Location string `header:"Location"`
	Body     orderBody
}

func (a *API) importNumbers(ctx context.Context, in *struct {
	DryRun  bool   `query:"dry_run" doc:"Look at everything, and do nothing."`
	Country string `query:"country" pattern:"^[A-Z]{2}$" doc:"Of numbers that are not written internationally; absent: the tenant's."`
	RawBody []byte `contentType:"text/csv"`
}) (*acceptedOrder, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	o, err := a.Service.CreateOrder(ctx, provisioning.NewOrder{Tenant: TenantOf(ctx), Kind: provisioning.ImportNumbers, DryRun: in.DryRun, Country: in.Country, Body: in.RawBody, By: CallerOf(ctx).Actor})
	return accepted(o, err)
}

func (a *API) changeNumbers(ctx context.Context, in *struct {
	DryRun  bool   `query:"dry_run" doc:"Look at everything, and do nothing. Whether drafts can be published is not looked at."`
	Country string `query:"country" pattern:"^[A-Z]{2}$" doc:"Of numbers that are not written internationally; absent: the tenant's."`
	Publish bool   `query:"publish" doc:"Publish the drafts of tenants whose flows change, with all else that waits in them. It needs the scopes flows:write and publish:write."`
	RawBody []byte `contentType:"text/csv"`
}) (*acceptedOrder, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	caller := CallerOf(ctx)
	flows := caller.May(FlowsWrite)
	if in.Publish && (!flows || !caller.May(PublishWrite)) {
		return nil, Refuse(http.StatusForbidden, "forbidden", "Publishing needs the scopes flows:write and publish:write.")
	}
	return accepted(a.Service.CreateOrder(ctx, provisioning.NewOrder{Tenant: TenantOf(ctx), Kind: provisioning.ChangeNumbers, DryRun: in.DryRun, Country: in.Country, Body: in.RawBody, By: caller.Actor,
		Flows: flows, Publish: in.Publish}))
}

// accepted tells of an order that was taken.
func accepted(o postgres.Order, err error) (*acceptedOrder, error) {
	if err != nil {
		return nil, err
	}
	location := "/v1/orders/" + o.ID
	if o.Tenant != "" {
		location = "/v1/tenants/" + o.Tenant + "/orders/" + o.ID
	}
	return &acceptedOrder{Location: location, Body: shownOrder(o)}, nil
}
