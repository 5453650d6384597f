package main

import (
	"context"
	"errors"
	"fmt"

	rest "tandem/provisioning/client"
)

// voicemailGreetingCommand gives a box a greeting.
type voicemailGreetingCommand struct {
	boxArguments
	File     string `arg:"" optional:"" type:"existingfile" help:"WAV file."`
	Language string `help:"Language, such as de or de-AT; without one it is played in any."`
	Remove   bool   `help:"Take the greeting away."`
}

// Run gives it, or takes it away.
func (c *voicemailGreetingCommand) Run(ctx context.Context) error {
	if c.Remove == (c.File != "") {
		return errors.New("name a file, or say --remove")
	}
	if c.Remove {
		gone, err := c.api().DeleteBoxGreeting(ctx, c.Tenant, c.Box, rest.DeleteBoxGreetingParams{Language: c.Language})
		if done, err := told(c.client, gone, err); done {
			return err
		}
		fmt.Println("It is removed.")
		return nil
	}
	sound, err := soundFile(c.File)
	if err != nil {
		return err
	}
	g, err := c.api().SetBoxGreeting(ctx, c.Tenant, c.Box, rest.SetBoxGreetingParams{Language: c.Language}, sound)
	if done, err := told(c.client, g, err); done {
		return err
	}
	fmt.Printf("Callers are greeted for %s.\n", length(g.Body.LengthMs))
	return nil
}
