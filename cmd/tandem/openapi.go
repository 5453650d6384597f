package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/explain"
	"tandem/provisioning/api"
)

// openAPICommand prints the API's document. It needs no server: the document is made of the program alone.
type openAPICommand struct {
	ForClients bool `hidden:"" help:"Without what generators of clients make of each operation again: refusals, examples, Idempotency-Key."`
}

// Run prints it.
func (c *openAPICommand) Run(context.Context) error {
	whole, err := wholeDocument()
	if err != nil {
		return err
	}
	var document any = whole
	if c.ForClients {
		if document, err = documentForClients(whole); err != nil {
			return err
		}
	}
	return writeDocument(os.Stdout, document)
}

func writeDocument(out io.Writer, document any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

// wholeDocument is the document of all operations that a worker serves.
func wholeDocument() (*huma.OpenAPI, error) {
	words, err := explain.Catalog()
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	w := &worker{log: newLogger()}
	w.operations(gin.New(), words)
	return w.rest.Document(), nil
}

// documentForClients is the document with an operation's main answer alone: every refusal is a Problem, which a client reads in one place, as it
// sends an Idempotency-Key in one.
func documentForClients(whole *huma.OpenAPI) (map[string]any, error) {
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, err
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	for _, path := range whole.Paths {
		for _, op := range operationsOf(path) {
			lean, _ := document["paths"].(map[string]any)[op.Path].(map[string]any)[strings.ToLower(op.Method)].(map[string]any)
			responses, _ := lean["responses"].(map[string]any)
			maps.DeleteFunc(responses, func(status string, _ any) bool { return status != strconv.Itoa(api.ExchangeOf(op).Status) })
			parameters, _ := lean["parameters"].([]any)
			lean["parameters"] = slices.DeleteFunc(parameters, func(p any) bool {
				one, _ := p.(map[string]any)
				return one["name"] == "Idempotency-Key"
			})
		}
	}
	withoutExamples(document)
	schemas, _ := document["components"].(map[string]any)["schemas"].(map[string]any)
	for name, schema := range schemas {
		forGo(name, schema)
	}
	return document, nil
}

// forGo says what a generator for Go cannot know of an object's members: which are not what they are when they are absent (objects, and what a
// change leaves as it is), and which are of any kind.
func forGo(name string, schema any) {
	object, _ := schema.(map[string]any)
	properties, _ := object["properties"].(map[string]any)
	required, _ := object["required"].([]any)
	for member, of := range properties {
		property, _ := of.(map[string]any)
		if property["type"] == nil && property["$ref"] == nil {
			property["x-go-type"] = "json.RawMessage" // of any kind
		}
		if !slices.Contains(required, any(member)) && (property["$ref"] != nil || name == "NumberTextInputBody") {
			property["x-go-type-skip-optional-pointer"] = false
		}
	}
}

// operationsOf are those of a path.
func operationsOf(path *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{path.Get, path.Delete, path.Post, path.Put, path.Patch}, func(op *huma.Operation) bool { return op == nil })
}

// withoutExamples takes them out of whatever has some: a value of a schema or a parameter, whose type says that it is one.
func withoutExamples(value any) {
	switch v := value.(type) {
	case map[string]any:
		if v["schema"] != nil {
			delete(v, "example")
		}
		if v["type"] != nil {
			delete(v, "examples")
		}
		for name, member := range v {
			if properties, ok := member.(map[string]any); ok && name == "properties" { // whose names may be anything
				for _, of := range properties {
					withoutExamples(of)
				}
				continue
			}
			withoutExamples(member)
		}
	case []any:
		for _, item := range v {
			withoutExamples(item)
		}
	}
}
