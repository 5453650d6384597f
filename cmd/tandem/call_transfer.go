package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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
	var answer struct{ Call, State, Detail string }
	body := map[string]string{"by": c.By, "to": c.To, "leg": c.Leg}
	status, done, err := c.ask(ctx, http.MethodPost, "/v1/calls/"+url.PathEscape(c.Call)+"/transfer", body, &answer)
	if err != nil {
		return err
	}
	if !done {
		fmt.Println(answer.Detail)
	}
	if status == http.StatusAccepted {
		return exitUnconfirmed
	}
	return nil
}
