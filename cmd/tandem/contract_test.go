package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tandem/provisioning/api"
)

// contractWait bounds the whole of it: some three hundred requests.
const contractWait = 3 * time.Minute

// contractRequest is the example of one operation, as it is sent to the world.
type contractRequest struct {
	op       *huma.Operation
	exchange api.Exchange
	ids      map[string]string // what stands in the place of the ids of the examples
	secret   string
	body     []byte
	header   http.Header
}

// request is an operation's example, before its hook has seen to it that there is what it names.
func (c *contract) request(op *huma.Operation) *contractRequest {
	r := &contractRequest{op: op, exchange: api.ExchangeOf(op), ids: with(c.own, nil), secret: testOperatorKey, header: http.Header{}}
	for name, id := range c.examples[op.OperationID].Path {
		r.ids[name] = id
	}
	if hook := contractHooks()[op.OperationID]; hook != nil {
		hook(c, r)
	}
	if r.exchange.Request == nil || r.body != nil {
		return r
	}
	text, _ := r.exchange.Request.Example.(json.RawMessage)
	if r.body = []byte(r.worldly(string(text))); r.exchange.Kind != "application/json" {
		var file string
		must(c.t, json.Unmarshal(r.body, &file))
		r.body = []byte(file)
	}
	return r
}

// worldly puts the world's ids and times into the place of those of an example.
func (r *contractRequest) worldly(text string) string {
	pairs := []string{`"2030-01-31T12:00:00Z"`, `"` + time.Now().Add(30*24*time.Hour).UTC().Format(time.RFC3339) + `"`, "2030-01-31", time.Now().UTC().Format(time.DateOnly)}
	for name, example := range api.PathExamples() {
		if id := r.ids[name]; id != example && len(example) > len("1234") {
			pairs = append(pairs, example, id)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// path is where the request goes.
func (r *contractRequest) path() string {
	query := url.Values{}
	for _, p := range r.op.Parameters {
		if p.In != "query" || p.Example == nil {
			continue
		}
		text, isText := p.Example.(string)
		if !isText {
			raw, _ := json.Marshal(p.Example)
			text = string(raw)
		}
		query.Set(p.Name, r.worldly(text))
	}
	path := inBraces.ReplaceAllStringFunc(r.op.Path, func(name string) string { return url.PathEscape(r.ids[strings.Trim(name, "{}")]) })
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// missing says which examples an operation has not got.
func missing(op *huma.Operation) (all []string) {
	x := api.ExchangeOf(op)
	for _, p := range op.Parameters {
		if p.Example == nil && (p.In == "path" || p.Required) {
			all = append(all, p.In+" "+p.Name)
		}
	}
	if x.Request != nil && x.Request.Example == nil {
		all = append(all, "the request's body")
	}
	if x.Answer != nil && x.Answer.Example == nil {
		all = append(all, "the answer")
	}
	return all
}

// schemaAt compiles a schema of the document.
func (c *contract) schemaAt(op *huma.Operation, steps ...string) *jsonschema.Schema {
	c.t.Helper()
	at := "openapi.json#"
	for _, step := range append([]string{"paths", op.Path, strings.ToLower(op.Method)}, steps...) {
		at += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	schema, err := c.schemas.Compile(at)
	must(c.t, err)
	return schema
}

// holds checks a text against a schema.
func holds(schema *jsonschema.Schema, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// ownExamples holds what an operation's examples say against what its schemas say.
func (c *contract) ownExamples(t *testing.T, op *huma.Operation) (n int) {
	x := api.ExchangeOf(op)
	for _, part := range []struct {
		what  string
		media *huma.MediaType
		steps []string
	}{{"request", x.Request, []string{"requestBody", "content", x.Kind, "schema"}}, {"answer", x.Answer, []string{"responses", strconv.Itoa(x.Status), "content", x.AnswerKind, "schema"}}} {
		if part.media == nil || part.media.Example == nil {
			continue
		}
		text, _ := part.media.Example.(json.RawMessage)
		if err := holds(c.schemaAt(op, part.steps...), text); err != nil {
			t.Errorf("%s: its %s's example: %v", op.OperationID, part.what, err)
		}
		n++
	}
	return n
}

// answered checks what came to the example.
func (c *contract) answered(t *testing.T, r *contractRequest, got contractAnswer) {
	x := r.exchange
	if got.status != x.Status {
		t.Errorf("%s %s %.300s: %d %.600s", r.op.Method, r.path(), r.body, got.status, got.body)
		return
	}
	for name, h := range x.Response.Headers {
		if got.header.Get(name) == "" && name != "Set-Cookie" { // which goes to browsers alone
			t.Errorf("there is no %s (%s)", name, h.Description)
		}
	}
	if x.Answer == nil {
		if len(got.body) > 0 {
			t.Errorf("it answers %.300s, and the document has nothing of it", got.body)
		}
		return
	}
	kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	if x.Response.Content[kind] == nil && x.Response.Content["*/*"] == nil {
		t.Errorf("it answers with %s, and the document has nothing of it", kind)
	}
	if x.AnswerKind == "application/json" && kind == "application/json" {
		if err := holds(c.schemaAt(r.op, "responses", strconv.Itoa(x.Status), "content", kind, "schema"), got.body); err != nil {
			t.Errorf("%v\n%.1000s", err, got.body)
		}
	}
}

// stranger is the request with a member that there is none of: it is refused, as the document says that it may be.
func (c *contract) stranger(t *testing.T, r *contractRequest) {
	var body map[string]any
	must(t, json.Unmarshal(r.body, &body))
	body["no_such_member"] = true
	text, err := json.Marshal(body)
	must(t, err)
	got := c.send(r.secret, r.op.Method, r.path(), r.exchange.Kind, text, r.header)
	documented := r.op.Responses[strconv.Itoa(got.status)]
	switch {
	case got.status < http.StatusBadRequest || got.status >= http.StatusInternalServerError:
		t.Errorf("a member that there is none of: %d %.300s", got.status, got.body)
	case documented == nil:
		t.Errorf("a member that there is none of: %d, which the document does not have", got.status)
	default:
		if err := holds(c.schemaAt(r.op, "responses", strconv.Itoa(got.status), "content", "application/problem+json", "schema"), got.body); err != nil {
			t.Errorf("a member that there is none of: %v\n%s", err, got.body)
		}
	}
}

// Every operation of the document has examples, of its request and of its answer. Each request is sent to a worker, which answers as the
// document says; with a member that there is none of, it is refused.
func TestEveryExampleOfTheDocumentHolds(t *testing.T) {
	c := newContract(t)
	operations, examples, strangers := c.operations(), 0, 0
	for _, op := range operations {
		t.Run(op.OperationID, func(t *testing.T) {
			c.t = t
			lacking := missing(op)
			if len(lacking) > 0 && !(*updateExamples && slices.Equal(lacking, []string{"the answer"})) {
				t.Fatalf("%s %s has no example of %s: provisioning/api/examples", op.Method, op.Path, strings.Join(lacking, ", "))
			}
			if !*updateExamples {
				examples += c.ownExamples(t, op)
			}
			r := c.request(op)
			if r.exchange.Kind == "application/json" {
				strangers++
				c.stranger(t, r)
			}
			got := c.send(r.secret, op.Method, r.path(), r.exchange.Kind, r.body, r.header)
			c.answered(t, r, got)
			clientReads(t, op, got.body)
			c.record(t, r, got)
		})
	}
	c.t = t
	c.write(t)
	t.Logf("figure contract_operations %d", len(operations))
	t.Logf("figure contract_examples %d", examples)
	t.Logf("figure contract_refusals %d", strangers)
}
