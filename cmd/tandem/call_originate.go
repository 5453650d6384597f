package main

import (
	"context"
	"fmt"

	rest "tandem/provisioning/client"
)

// callOriginateCommand starts a call that nobody has dialled.
type callOriginateCommand struct {
	client
	Tenant     string `required:"" help:"Id of the tenant."`
	User       string `xor:"first" required:"" help:"Whose phones ring first, by his id."`
	Device     string `xor:"first" required:"" help:"Which phone rings first, by its id."`
	To         string `required:"" help:"The number that whoever answers calls, as his phone dials it."`
	Seconds    int64  `default:"30" help:"How long the first phones ring."`
	AutoAnswer bool   `help:"Ask the first phones to answer by themselves."`
	ShowNumber string `help:"The number that the first phones show. Left out: the one that is called next."`
	ShowName   string `help:"The name that they show."`
	By         string `env:"USER" default:"an operator" help:"Who wants it: it stands in the call's explanation."`
}

// Run starts it.
func (c *callOriginateCommand) Run(ctx context.Context) error {
	body := rest.StartBody{User: c.User, Device: c.Device, To: c.To, Seconds: c.Seconds, AutoAnswer: c.AutoAnswer, By: c.By}
	if c.ShowNumber != "" || c.ShowName != "" {
		body.Show = &rest.StartShow{Number: c.ShowNumber, Name: c.ShowName}
	}
	answer, err := c.api().StartCall(ctx, c.Tenant, body)
	done, err := told(c.client, answer, err)
	if err != nil {
		return err
	}
	if !done {
		fmt.Printf("Call %s: %s\n", plain(answer.Body.Call), plain(answer.Body.Detail))
	}
	if answer.Body.State == callOrdered {
		return exitUnconfirmed
	}
	return nil
}
