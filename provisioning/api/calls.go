package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
)

// Period is a stretch of time that a list is of.
type Period struct {
	Since time.Time `query:"since" doc:"That began then, or later."`
	Until time.Time `query:"until" doc:"That began before."`
}

type callsInput struct {
	ListInput
	Period
	From      string `query:"from" maxLength:"256"`
	To        string `query:"to" maxLength:"256"`
	Fault     string `query:"fault" enum:"none,caller,callee,tenant,carrier,platform"`
	SIPCallID string `query:"sip_call_id" maxLength:"256"`
}

type cdrsInput struct {
	ListInput
	Period
	Call   string `query:"call" maxLength:"64"`
	Device string `query:"device" maxLength:"64"`
	Trunk  string `query:"trunk" maxLength:"64"`
	Fault  string `query:"fault" enum:"none,caller,callee,tenant,carrier,platform"`
}

// lastFirst sorts a list by time unless it is said otherwise.
func lastFirst(q postgres.Query) postgres.Query {
	if q.Sort == "" {
		q.Sort = "-started_at"
	}
	return q
}

// calls are those of the ledger. Live ones are the worker's to tell.
func (a *API) calls() {
	tags := []string{"calls"}
	Add(a, CallsRead, huma.Operation{OperationID: "list-past-calls", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/past-calls", Summary: "List the calls of the ledger, the last first", Tags: tags},
		func(ctx context.Context, in *callsInput) (*PageOutput[postgres.CallRow], error) {
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.CallRows(), lastFirst(in.Query(map[string]string{"tenant": TenantOf(ctx), "from": in.From, "to": in.To,
				"fault": in.Fault, "sip_call_id": in.SIPCallID, "since": stamp(in.Since), "until": stamp(in.Until)}))))
		})
	Add(a, CallsRead, huma.Operation{OperationID: "list-past-calls-of-all", Method: http.MethodGet, Path: "/v1/past-calls", Summary: "List the calls of all tenants, the last first", Tags: tags},
		func(ctx context.Context, in *callsInput) (*PageOutput[postgres.CallRow], error) {
			if err := platformOnly(ctx); err != nil {
				return nil, err
			}
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.CallRows(), lastFirst(in.Query(map[string]string{"from": in.From, "to": in.To,
				"fault": in.Fault, "sip_call_id": in.SIPCallID, "since": stamp(in.Since), "until": stamp(in.Until)}))))
		})
	Add(a, CallsRead, huma.Operation{OperationID: "list-cdrs", Method: http.MethodGet, Path: "/v1/tenants/{tenant}/cdrs", Summary: "List the records of legs, the last first", Tags: tags},
		func(ctx context.Context, in *cdrsInput) (*PageOutput[postgres.CDRRow], error) {
			return PageOf(postgres.List(ctx, a.Service.Store, postgres.CDRRows(), lastFirst(in.Query(map[string]string{"tenant": TenantOf(ctx), "call": in.Call, "device": in.Device,
				"trunk": in.Trunk, "fault": in.Fault, "since": stamp(in.Since), "until": stamp(in.Until)}))))
		})
}
