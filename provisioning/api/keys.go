package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tandem/postgres"
)

type keyInput struct {
	Key string `path:"key" maxLength:"64"`
}

// newKeyBody is a key that was made.
type newKeyBody struct {
	postgres.Key
	Secret string `json:"secret" doc:"The key itself. It is not shown again."`
}

// keys are the API keys of the platform and of each tenant.
func (a *API) keys() {
	for _, of := range []struct{ base, suffix, whose string }{{"/v1", "", "the platform"}, {"/v1/tenants/{tenant}", "-of-tenant", "a tenant"}} {
		tags := []string{"keys"}
		Add(a, KeysRead, huma.Operation{OperationID: "list-keys" + of.suffix, Method: http.MethodGet, Path: of.base + "/keys", Summary: "List the API keys of " + of.whose, Tags: tags},
			func(ctx context.Context, in *struct {
				ListInput
			}) (*PageOutput[postgres.Key], error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				q := in.Query(nil)
				q.Where["tenant"] = TenantOf(ctx)
				return PageOf(postgres.List(ctx, a.Service.Store, postgres.Keys(), q))
			})
		Add(a, KeysWrite, huma.Operation{OperationID: "create-key" + of.suffix, Method: http.MethodPost, Path: of.base + "/keys", Summary: "Make an API key",
			Description: "It can have the scopes of who makes it, and no others.", Tags: tags, DefaultStatus: http.StatusCreated}, a.createKey)
		Add(a, KeysWrite, huma.Operation{OperationID: "revoke-key" + of.suffix, Method: http.MethodDelete, Path: of.base + "/keys/{key}", Summary: "Revoke an API key, at once", Tags: tags},
			func(ctx context.Context, in *keyInput) (*None, error) {
				if err := platformOnly(ctx); err != nil {
					return nil, err
				}
				return nil, a.Service.RevokeKey(ctx, TenantOf(ctx), in.Key)
			})
	}
}

// KeyBody is a key that is to be made.
type KeyBody struct {
	Name      string    `json:"name" minLength:"1" maxLength:"256" example:"billing export"`
	Scopes    []Scope   `json:"scopes" minItems:"1" maxItems:"100" nullable:"false" uniqueItems:"true" example:"[\"calls:read\"]"`
	ExpiresAt time.Time `json:"expires_at" doc:"Within five years."`
}

func (a *API) createKey(ctx context.Context, in *struct {
	Body KeyBody
}) (*struct{ Body newKeyBody }, error) {
	if err := platformOnly(ctx); err != nil {
		return nil, err
	}
	for _, s := range in.Body.Scopes {
		if TenantOf(ctx) != "" && s.ofPlatform() {
			return nil, Refuse(http.StatusUnprocessableEntity, "platform_scope", "The scope "+string(s)+" is the platform's: a tenant's key cannot have it. Make a key of the platform's (/v1/keys), or leave it out.")
		}
	}
	if err := mayGive(ctx, in.Body.Scopes); err != nil {
		return nil, err
	}
	names := make([]string, len(in.Body.Scopes))
	for i, s := range in.Body.Scopes {
		names[i] = string(s)
	}
	secret, hash := NewSecret(KeyPrefix)
	k, err := a.Service.AddKey(ctx, postgres.Key{Tenant: TenantOf(ctx), Name: in.Body.Name, Scopes: names, CreatedBy: CallerOf(ctx).Actor, ExpiresAt: in.Body.ExpiresAt}, hash)
	if err != nil {
		return nil, err
	}
	return &struct{ Body newKeyBody }{newKeyBody{Key: k, Secret: secret}}, nil
}
