package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// Parameter describes a parameter of an operation that AddHandler adds.
func Parameter(in, name, example, description string) *huma.Param {
	p := &huma.Param{Name: name, In: in, Required: in == "path", Description: description, Schema: &huma.Schema{Type: "string"}}
	if example != "" {
		p.Example = example
	}
	return p
}

// Needed is a parameter that must be there.
func Needed(in, name, description string) *huma.Param {
	p := Parameter(in, name, "", description)
	p.Required = true
	return p
}

// Count is a parameter of the query that says how many, or from which number on.
func Count(name, description string) *huma.Param {
	p := Parameter("query", name, "", description)
	p.Schema = &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
	return p
}

// Tagged is the main answer of an operation whose object has an entity tag, in its header.
func Tagged() map[string]*huma.Response {
	return map[string]*huma.Response{strconv.Itoa(http.StatusOK): {Description: http.StatusText(http.StatusOK),
		Headers: map[string]*huma.Param{"ETag": {Description: "Names this state of the object; send it in If-Match.", Schema: &huma.Schema{Type: huma.TypeString}}}}}
}

// Nothing stands for a body that is not there.
type Nothing struct{}

// AddHandler adds an operation that reads its request and writes its answer by itself, for callers with a scope. Body and Answer say in the
// document what it reads and writes; Nothing says that there is none. What else Add promises holds: the caller, the tenant in the path, the scope for
// the database, limits and Idempotency-Key.
func AddHandler[Body, Answer any](a *API, scope Scope, op huma.Operation, handle gin.HandlerFunc) {
	orOwn := a.prepare(scope, &op)
	plain, _ := scope.split()
	registry := a.huma.OpenAPI().Components.Schemas
	if t := reflect.TypeFor[Body](); t != reflect.TypeFor[Nothing]() {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(t, true, "")}}}
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	answer := &huma.Response{Description: http.StatusText(op.DefaultStatus)}
	if t := reflect.TypeFor[Answer](); t != reflect.TypeFor[Nothing]() {
		answer.Content = map[string]*huma.MediaType{"application/json": {Schema: registry.Schema(t, true, "")}}
	}
	switch main := op.Responses[strconv.Itoa(op.DefaultStatus)]; {
	case main == nil:
		op.Responses[strconv.Itoa(op.DefaultStatus)] = answer
	case main.Content == nil:
		main.Content = answer.Content
	}
	problem := registry.Schema(reflect.TypeFor[Problem](), true, "")
	for _, status := range op.Errors {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
	}
	a.huma.OpenAPI().AddOperation(&op)
	a.exemplify(op.Method, op.Path)
	chain := append(a.huma.Middlewares(), a.identify(plain, orOwn), a.limit, a.once, a.jsonOnly)
	a.huma.Adapter().Handle(&op, chain.Handler(func(ctx huma.Context) {
		g := humagin.Unwrap(ctx)
		g.Request = g.Request.WithContext(ctx.Context())
		g.Request.Body = http.MaxBytesReader(g.Writer, g.Request.Body, op.MaxBodyBytes)
		if stranger := strange[Body](g.Request); stranger != "" {
			a.refuse(ctx, newProblem(http.StatusUnprocessableEntity, "", &huma.ErrorDetail{Location: "body." + stranger, Message: "unexpected property"}))
			return
		}
		handle(g)
	}))
}

// strange names a member of the body that there is none of; empty: all are known, or what else is wrong is for the operation to say. The body
// can be read again.
func strange[Body any](r *http.Request) string {
	if reflect.TypeFor[Body]() == reflect.TypeFor[Nothing]() {
		return ""
	}
	text, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(text), failing{err}))
	if err != nil {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err = d.Decode(new(Body))
	if err == nil {
		return ""
	}
	quoted, unknown := strings.CutPrefix(err.Error(), "json: unknown field ") // encoding/json has no type for it
	name, wrong := strconv.Unquote(quoted)
	if !unknown || wrong != nil {
		return ""
	}
	return name
}

// failing is read as an error; nil: as the end.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}

// jsonOnly refuses bodies that are not JSON.
func (a *API) jsonOnly(ctx huma.Context, next func(huma.Context)) {
	g := humagin.Unwrap(ctx)
	if g.Request.ContentLength != 0 && g.ContentType() != "application/json" && g.Request.Method != http.MethodGet {
		a.refuse(ctx, Refuse(http.StatusUnsupportedMediaType, "content_type", "Send the body as application/json."))
		return
	}
	next(ctx)
}

// Sees says whether a tenant is the caller's own or below it.
func (a *API) Sees(ctx context.Context, tenant string) (bool, error) {
	c := CallerOf(ctx)
	if c.Home == "" {
		return c.Actor != "", nil
	}
	return a.Owner.Within(ctx, c.Home, tenant)
}

// By names the caller for records that name one: what he calls himself is added to what he is.
func By(ctx context.Context, says string) string {
	c := CallerOf(ctx)
	switch {
	case says == "":
		return c.Actor
	case c.Actor == "" || c.Actor == "operator":
		return says
	}
	return c.Actor + ": " + says
}
