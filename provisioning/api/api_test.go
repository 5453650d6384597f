package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v5"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/stack"
)

// world is an API with a database of its own.
type world struct {
	t     *testing.T
	ctx   context.Context
	api   *api.API
	http  http.Handler
	owner *provisioning.Service
	// Made by newWorld: a reseller north with the customers ada and bob, and a reseller south with the customer eve.
	operator string
	url      string // of the database
}

const operatorKey = api.OperatorPrefix + "of-this-test"

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	url := stack.ForTest(t).TestDatabase(t)
	must(t, postgres.Migrate(ctx, url))
	owner, err := postgres.Open(ctx, url)
	must(t, err)
	t.Cleanup(owner.Close)
	scoped, err := postgres.OpenAPI(ctx, url)
	must(t, err)
	t.Cleanup(scoped.Close)
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.ContextWithFallback = true
	a := api.New(router, &api.API{Owner: owner, Service: &provisioning.Service{Store: scoped}, Log: slog.New(slog.DiscardHandler), Operator: operatorKey,
		Limits: api.Limits{PerSecond: 1000, Burst: 100_000}})
	w := &world{t: t, ctx: ctx, api: a, http: router, owner: &provisioning.Service{Store: owner}, operator: operatorKey, url: url}
	for _, n := range []provisioning.NewTenant{{ID: "north", Kind: "reseller"}, {ID: "south", Kind: "reseller"}, {ID: "ada", Parent: "north"}, {ID: "bob", Parent: "north"}, {ID: "eve", Parent: "south"}} {
		n.Name, n.Domain = n.ID, n.ID+".example"
		_, err := w.owner.CreateTenant(ctx, n)
		must(t, err)
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is what came of a request.
type answer struct {
	Status int
	Header http.Header
	Text   string
	t      *testing.T
}

// into reads the answer's body, of an answer that must be status.
func (a answer) into(status int, v any) {
	a.t.Helper()
	a.is(status, "")
	if v != nil {
		if err := json.Unmarshal([]byte(a.Text), v); err != nil {
			a.t.Fatalf("%v: %s", err, a.Text)
		}
	}
}

// is asks for a status, and for a problem's code if code is not empty.
func (a answer) is(status int, code string) {
	a.t.Helper()
	var p api.Problem
	if a.Status >= http.StatusBadRequest {
		_ = json.Unmarshal([]byte(a.Text), &p)
	}
	if a.Status != status || code != "" && p.Code != code {
		a.t.Fatalf("answer %d %s, want %d %s", a.Status, a.Text, status, code)
	}
}

// ask sends a request with a key or token.
func (w *world) ask(secret, method, path string, body any, headers ...string) answer {
	w.t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		must(w.t, err)
		sent = bytes.NewReader(text)
	}
	request := httptest.NewRequestWithContext(w.ctx, method, path, sent)
	if secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.http.ServeHTTP(recorder, request)
	return answer{Status: recorder.Code, Header: recorder.Header(), Text: recorder.Body.String(), t: w.t}
}

// sql does what no use case does.
func (w *world) sql(statement string, args ...any) {
	w.t.Helper()
	conn, err := pgx.Connect(w.ctx, w.url)
	must(w.t, err)
	defer conn.Close(w.ctx)
	_, err = conn.Exec(w.ctx, statement, args...)
	must(w.t, err)
}

type object = map[string]any

// key makes a key of a tenant's (empty: the platform's) with scopes; none: all that there are.
func (w *world) key(tenant string, scopes ...api.Scope) string {
	w.t.Helper()
	path := "/v1/keys"
	if tenant != "" {
		path = "/v1/tenants/" + tenant + "/keys"
	}
	if scopes == nil {
		if scopes = api.Scopes(); tenant != "" {
			scopes = api.TenantScopes()
		}
	}
	var made struct {
		Secret string `json:"secret"`
	}
	w.ask(w.operator, "POST", path, object{"name": "key of " + tenant, "scopes": scopes, "expires_at": time.Now().Add(time.Hour)}).into(http.StatusCreated, &made)
	return made.Secret
}
