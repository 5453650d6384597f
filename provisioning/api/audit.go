package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
)

type auditInput struct {
	ListInput
	Object   string    `query:"object" maxLength:"64" doc:"What kind of thing, such as devices."`
	ObjectID string    `query:"object_id" maxLength:"256"`
	Actor    string    `query:"actor" maxLength:"256"`
	Request  string    `query:"request" maxLength:"64"`
	Since    time.Time `query:"since"`
	Until    time.Time `query:"until"`
}

// audit is who has changed what.
func (a *API) audit() {
	for _, of := range []struct{ base, suffix, whose string }{{"/v1", "", "the platform"}, {"/v1/tenants/{tenant}", "-of-tenant", "a tenant"}} {
		tags := []string{"audit"}
		Add(a, AuditRead, huma.Operation{OperationID: "list-audit" + of.suffix, Method: http.MethodGet, Path: of.base + "/audit", Summary: "List the changes of " + of.whose + ", the last first", Tags: tags},
			func(ctx context.Context, in *auditInput) (*PageOutput[postgres.AuditEntry], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				q := in.Query(map[string]string{"object": in.Object, "object_id": in.ObjectID, "actor": in.Actor, "request": in.Request,
					"since": stamp(in.Since), "until": stamp(in.Until)})
				q.Where["tenant"] = TenantOf(ctx)
				if q.Sort == "" {
					q.Sort = "-id"
				}
				return PageOf(postgres.List(ctx, a.Service.Store, postgres.Audit(), q))
			})
		Add(a, AuditWrite, huma.Operation{OperationID: "undo-change" + of.suffix, Method: http.MethodPost, Path: of.base + "/audit/{change}/undo", Summary: "Undo a change that is the newest of its object", Tags: tags},
			func(ctx context.Context, in *struct {
				Change int64 `path:"change" minimum:"1"`
			}) (*struct{ Body postgres.AuditEntry }, error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				if err := a.undoable(ctx, TenantOf(ctx), in.Change); err != nil {
					return nil, err
				}
				if err := a.Service.Undo(ctx, TenantOf(ctx), in.Change); err != nil {
					return nil, err
				}
				entry, err := a.auditEntry(ctx, TenantOf(ctx), in.Change)
				return &struct{ Body postgres.AuditEntry }{entry}, err
			})
	}
}

// scopesOfObject are what it takes to change an object of a kind, and so to undo a change of it.
func scopesOfObject(object string) []Scope {
	if object == "recordings" { // of calls, and messages in boxes
		return []Scope{RecordingsWrite, VoicemailWrite}
	}
	return []Scope{scopeOfObject(object)}
}

func scopeOfObject(object string) Scope {
	switch object {
	case "tenants":
		return TenantsWrite
	case "users", "user_settings", "user_forwards", "speed_dials", "hot_desks":
		return UsersWrite
	case "devices", "whereabouts":
		return DevicesWrite
	case "numbers":
		return NumbersWrite
	case "flows", "schedules", "lists", "routes", "blocked_callers":
		return FlowsWrite
	case "trunks":
		return TrunksWrite
	case "voicemail_boxes":
		return VoicemailWrite
	case "media":
		return MediaWrite
	case "people":
		return PeopleWrite
	case "api_keys":
		return KeysWrite
	case "brands":
		return SettingsWrite
	case "webhooks":
		return WebhooksWrite
	}
	return PlatformWrite
}

// undoable refuses to undo what the caller could not have done.
func (a *API) undoable(ctx context.Context, tenant string, change int64) error {
	entry, err := a.auditEntry(ctx, tenant, change)
	if err != nil {
		return err
	}
	switch caller := CallerOf(ctx); {
	case entry.Object == "people" || entry.Object == "api_keys":
		return Refuse(http.StatusConflict, "not_undoable", "Who may sign in is not changed by undoing: change it itself.")
	case entry.Object == "media":
		return Refuse(http.StatusConflict, "not_undoable", "What was removed of a sound is not kept: bring it once more.")
	case entry.Object == "tenants" && caller.Home == tenant:
		return Refuse(http.StatusForbidden, "own_tenant", "A tenant's own limits are changed by those above it.")
	default:
		return mayGive(ctx, scopesOfObject(entry.Object))
	}
}

func (a *API) auditEntry(ctx context.Context, tenant string, change int64) (postgres.AuditEntry, error) {
	page, err := postgres.List(ctx, a.Service.Store, postgres.Audit(), postgres.Query{Where: map[string]string{"tenant": tenant, "id": strconv.FormatInt(change, 10)}})
	if err != nil {
		return postgres.AuditEntry{}, err
	}
	if len(page.Items) == 0 {
		return postgres.AuditEntry{}, NotHere("change")
	}
	return page.Items[0], nil
}

// stamp is a time as a filter's value; empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
