package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"tandem/because"
	"tandem/postgres"
	"tandem/provisioning"
)

// Bounds of requests.
const (
	MaxBody     = 64 << 10 // bytes of a body, unless an operation says otherwise
	RequestWait = 10 * time.Second
	bodyWait    = 10 * time.Second
)

// API serves the operations that are added to it. The fields but Operator are required.
type API struct {
	Owner   *postgres.Store // finds out who asks, and nothing else
	Service *provisioning.Service
	Log     *slog.Logger
	// Operator is a key of the worker's own machine, for its operator; empty: there is none.
	Operator string
	// Limits are how often each caller may ask; the zero Limits are the usual ones.
	Limits Limits
	// Resync asks phones to fetch their files again; nil: nobody can.
	Resync Resync
	// Contacts reaches the edges that hold contacts; nil: none can be.
	Contacts Contacts
	// Streams wakes those who follow events; nil: nobody can.
	Streams *Streams

	huma     huma.API
	router   *gin.Engine
	limiters limiters
	examples map[string]Example
}

// Version is the version of the API's document. Within v1 operations are added, and none is changed.
const Version = "1.0.0"

// New makes an API on a router, without any operation of a caller's own parts: what all have in common is there.
func New(router *gin.Engine, a *API) *API {
	overrideErrors()
	config := huma.DefaultConfig("Tandem", Version)
	config.Info.Description = description
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/v1/openapi", "", ""
	config.CreateHooks = nil // no $schema in answers: clients take it for a member
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An API key (tdm_...) or the token of a session (tds_...)."},
	}
	config.Servers = []*huma.Server{{URL: "/", Description: "The worker that serves this document."}}

	a.huma, a.router = humagin.New(router, config), router
	a.limiters.limits = a.Limits.orUsual()
	var err error
	if a.examples, err = Examples(); err != nil {
		panic(err) // at the start, of every test
	}
	// A reason is one flat object of texts in JSON, whatever it is in Go.
	config.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[because.Reason](), reflect.TypeFor[map[string]string]())
	for _, part := range a.parts() {
		part()
	}
	return a
}

// parts are the operations of this package, by noun.
func (a *API) parts() []func() {
	return []func(){
		a.sessions,
		a.tenants,
		a.people,
		a.keys,
		a.users,
		a.devices,
		a.phones,
		a.browserPhones,
		a.brands,
		a.webhooks,
		a.streamEvents,
		a.flows,
		a.elements,
		a.numbers,
		a.orders,
		a.portings,
		a.plans,
		a.media,
		a.recordings,
		a.boxes,
		a.registrations,
		a.calls,
		a.search,
		a.audit,
		a.docs,
	}
}

const description = `Everything that can be configured in Tandem is configured here; the command line and the admin use the same operations.

**Who asks**: ` + "`Authorization: Bearer KEY`" + `. Each operation names the scope that the key must have.
**Tenants**: what is not your own tenant or below it is answered with 404.
**Repeating**: send an ` + "`Idempotency-Key`" + ` (a UUID) with a POST, PUT, PATCH or DELETE, and repeat it as often as you like within 24 hours.
**Edits**: single objects have an ` + "`ETag`" + `; send it in ` + "`If-Match`" + `, and an edit of what somebody else has changed meanwhile is refused with 412.
**Lists**: ` + "`limit`, `cursor`, `sort`" + `, and the filters that the list names. The next page is at ` + "`next`" + `.
**Refusals**: RFC 9457 problems; ` + "`code`" + ` is stable, ` + "`detail`" + ` is for people.
**Times** are RFC 3339 in UTC, numbers E.164 with +.`

// errorsOf are the refusals that any operation can meet.
func errorsOf(op huma.Operation) []int {
	codes := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if strings.Contains(op.Path, "{") {
		codes = append(codes, http.StatusNotFound)
	}
	if op.Method != http.MethodGet {
		codes = append(codes, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge)
	}
	return append(codes, http.StatusUnprocessableEntity)
}

// tenantParameter is what every path below a tenant has. It is no member of an operation's input: TenantOf gives it.
func tenantParameter() *huma.Param {
	return &huma.Param{Name: "tenant", In: "path", Required: true, Description: "Id of a tenant: one's own, or one below it.", Example: "ada",
		Schema: &huma.Schema{Type: "string", Pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}}
}

// Add adds an operation for callers with a scope. handle's context has the caller (CallerOf) and, for the database, the tenant in the path,
// or the caller's own when the path has none.
func Add[I, O any](a *API, scope Scope, op huma.Operation, handle func(context.Context, *I) (*O, error)) {
	orOwn := a.prepare(scope, &op)
	plain, _ := scope.split()
	op.Middlewares = append(huma.Middlewares{a.identify(plain, orOwn), a.limit, a.once}, op.Middlewares...)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
	a.exemplify(op.Method, op.Path)
}

// prepare fills in what all operations have in common.
func (a *API) prepare(scope Scope, op *huma.Operation) (orOwn bool) {
	plain, orOwn := scope.split()
	if plain != Public && plain != SelfAccess && !slices.Contains(Scopes(), plain) {
		panic("api: operation " + op.OperationID + " has no scope that there is") // at the start, of every test
	}
	if orOwn && !strings.Contains(op.Path, "{user}") {
		panic("api: operation " + op.OperationID + " names no user")
	}
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = MaxBody
	}
	if op.BodyReadTimeout == 0 {
		op.BodyReadTimeout = bodyWait
	}
	op.Errors = append(op.Errors, errorsOf(*op)...)
	op.Extensions = map[string]any{"x-scope": string(plain)}
	if orOwn {
		op.Extensions["x-own"] = true
	}
	if plain != Public {
		op.Security = []map[string][]string{{"bearer": {}}}
	} else {
		op.Security = []map[string][]string{{}} // nothing is needed, and that is meant so
	}
	if strings.Contains(op.Path, "{tenant}") {
		op.Parameters = append(op.Parameters, tenantParameter())
	}
	if op.Method != http.MethodGet {
		op.Parameters = append(op.Parameters, idempotencyParameter())
	}
	return orOwn
}

// Document is the OpenAPI document.
func (a *API) Document() *huma.OpenAPI { return a.huma.OpenAPI() }
