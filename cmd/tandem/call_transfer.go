package main

import (
	"context"

	rest "tandem/provisioning/client"
)

// callTransferCommand takes a leg of a live call to a number.
type callTransferCommand struct {
	client
	Call string `arg:"" help:"Tandem's id of the call, or its SIP Call-ID."`
	To   string `required:"" help:"The number, as a phone of the tenant's dials it."`
	Leg  string `help:"The leg that goes there: 'tandem call show' lists them. Left out: the caller's, or who was made the caller by a transfer."`
	By   string `env:"USER" default:"an operator" help:"Who wants it: it stands in the call's explanation."`
}

// Run transfers.
func (c *callTransferCommand) Run(ctx context.Context) error {
	answer, err := c.api().TransferCall(ctx, c.Call, rest.TransferBody{By: c.By, To: c.To, Leg: c.Leg})
	return ordered(c.client, answer, err)
}
