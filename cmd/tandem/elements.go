package main

import (
	"encoding/json"
	"fmt"
	"os"

	"tandem/callflows"
)

// elementsCommand prints what a flow can be made of.
type elementsCommand struct {
	JSON bool `name:"json" help:"Print JSON: with the schema of each element's settings, for editors."`
}

// Run prints docs/elements.md.
func (c *elementsCommand) Run() error {
	if !c.JSON {
		_, err := fmt.Print(callflows.Page())
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(callflows.Elements())
}
