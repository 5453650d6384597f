package main

import (
	"encoding/json"
	"fmt"
	"os"

	"tandem/webhooks"
)

// eventsCommand prints which events webhooks and the stream tell.
type eventsCommand struct {
	JSON bool `name:"json" help:"Print the JSON Schema of each type's message."`
}

// Run prints docs/webhooks.md.
func (c *eventsCommand) Run() error {
	if !c.JSON {
		_, err := fmt.Print(webhooks.Page())
		return err
	}
	schemas := map[string]any{}
	for _, t := range webhooks.Types() {
		schemas[t.Name] = t.Schema()
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(schemas)
}
