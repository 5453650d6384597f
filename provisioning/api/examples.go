package api

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The examples of all operations, a file for each tag: those that need the worker's live facts too. A test sends every request to a
// worker, and holds both what is answered and the answer here against the document's schema.
//
//go:embed examples/*.json
var exampleFiles embed.FS

// Example is how one operation is asked, and what it answers. What is no JSON is a text.
type Example struct {
	Path    map[string]string `json:"path,omitempty"` // what differs from PathExamples
	Query   map[string]string `json:"query,omitempty"`
	Request json.RawMessage   `json:"request,omitempty"`
	Answer  json.RawMessage   `json:"answer,omitempty"`
}

// Examples are those of all operations, by operation id.
func Examples() (map[string]Example, error) {
	files, err := exampleFiles.ReadDir("examples")
	if err != nil {
		return nil, err
	}
	all := map[string]Example{}
	for _, file := range files {
		text, err := exampleFiles.ReadFile(path.Join("examples", file.Name()))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &all); err != nil { // adds to what is there
			return nil, fmt.Errorf("api: examples/%s: %w", file.Name(), err)
		}
	}
	return all, nil
}

// PathExamples are the ids that examples have in paths, by the parameter's name. What the platform makes itself has ids that it has made.
func PathExamples() map[string]string {
	const call = "6f1c2d3e-8a47-5b60-9c1d-2e3f40516273"
	return map[string]string{
		"tenant": "ada", "user": "grace", "box": "grace", "device": "desk", "trunk": "ada-line", "name": "node1",
		"id": "reception", "version": "1", "number": "+493012345678", "dialled": "+493012345678", "caller": "+493099887766",
		"call": call, "message": call + ".1", "recording": call + ".2", "change": "4711", "delivery": "1024",
		"key":          "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b01",
		"person":       "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b02",
		"porting":      "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b03",
		"document":     "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b04",
		"webhook":      "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b05",
		"order":        "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b06",
		"registration": "5d0f6c1f0a5c4c3a9c1f2f6f0a7e9b11",
		"media":        "0b8f5a52-51f2-4c3e-9a37-6d1f0e6a7b07",
	}
}

// Exchange is what an operation takes and its main answer, as the document has them; nil: there is none.
type Exchange struct {
	Status          int
	Kind            string // of the request's body, such as application/json
	AnswerKind      string
	Request, Answer *huma.MediaType
	Response        *huma.Response
}

// ExchangeOf finds them.
func ExchangeOf(op *huma.Operation) Exchange {
	x := Exchange{Status: op.DefaultStatus}
	if op.RequestBody != nil {
		for kind, media := range op.RequestBody.Content {
			x.Kind, x.Request = kind, media
		}
	}
	for status, response := range op.Responses {
		if n, err := strconv.Atoi(status); err == nil && n < http.StatusMultipleChoices && (x.Response == nil || n == op.DefaultStatus) {
			x.Status, x.Response = n, response
		}
	}
	if x.Response != nil {
		for kind, media := range x.Response.Content {
			x.AnswerKind, x.Answer = kind, media
		}
	}
	return x
}

// exemplify puts an operation's examples into the document.
func (a *API) exemplify(method, at string) {
	op := operationOf(a.huma.OpenAPI().Paths[at], method)
	if op == nil {
		return // hidden
	}
	example, paths, x := a.examples[op.OperationID], PathExamples(), ExchangeOf(op)
	for _, p := range op.Parameters {
		switch {
		case p.In == "path" && paths[p.Name] != "":
			p.Example = ofType(cmp.Or(example.Path[p.Name], paths[p.Name]), p.Schema)
		case p.In == "query" && example.Query[p.Name] != "":
			p.Example = ofType(example.Query[p.Name], p.Schema)
		}
	}
	if x.Request != nil && example.Request != nil {
		x.Request.Example = example.Request
	}
	if x.Answer != nil && example.Answer != nil {
		own := *x.Answer // operations may share one that they were added with
		own.Example = example.Answer
		for kind := range x.Response.Content {
			x.Response.Content[kind] = &own
		}
	}
}

// ofType is a parameter's value as the schema wants it.
func ofType(text string, s *huma.Schema) any {
	if s == nil || s.Type == huma.TypeString || !json.Valid([]byte(text)) || strings.HasPrefix(text, "+") {
		return text
	}
	return json.RawMessage(text)
}

func operationOf(item *huma.PathItem, method string) *huma.Operation {
	if item == nil {
		return nil
	}
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete}[method]
}
