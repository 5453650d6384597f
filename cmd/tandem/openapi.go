package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"tandem/explain"
)

// openAPICommand prints the API's document. It needs no server: the document is made of the program alone.
type openAPICommand struct{}

// Run prints it.
func (c *openAPICommand) Run(context.Context) error {
	document, err := wholeDocument()
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
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
