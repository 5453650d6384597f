package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"tandem/callflows"
)

// elementsOutput is what flows can be made of.
type elementsOutput struct {
	Body struct {
		Items []callflows.ElementType `json:"items" nullable:"false"`
	}
}

// elements describe what a flow can be made of, for editors: it is the same for all tenants, and changes with releases alone.
func (a *API) elements() {
	Add(a, FlowsRead, huma.Operation{OperationID: "list-elements", Method: http.MethodGet, Path: "/v1/elements", Summary: "List the types of elements that flows can be made of", Tags: []string{"flows"},
		Description: "Each with its words, the schema of its settings (JSON Schema 2020-12, in which x-tandem-reference says what an id names and x-tandem-unit what a number counts), its exits and what each is taken for, " +
			"and an example. It is what `tandem elements --json` prints of the same release."},
		func(context.Context, *struct{}) (*elementsOutput, error) {
			out := &elementsOutput{}
			out.Body.Items = callflows.Elements()
			return out, nil
		})
}
