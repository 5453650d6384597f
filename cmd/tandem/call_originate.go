package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// callOriginateCommand starts a call that nobody has dialled.
type callOriginateCommand struct {
	client
	Tenant     string `required:"" help:"Id of the tenant."`
	User       string `xor:"first" required:"" help:"Whose phones ring first, by his id."`
	Device     string `xor:"first" required:"" help:"Which phone rings first, by its id."`
	To         string `required:"" help:"The number that whoever answers calls, as his phone dials it."`
	Seconds    int    `default:"30" help:"How long the first phones ring."`
	AutoAnswer bool   `help:"Ask the first phones to answer by themselves."`
	ShowNumber string `help:"The number that the first phones show. Left out: the one that is called next."`
	ShowName   string `help:"The name that they show."`
	By         string `env:"USER" default:"an operator" help:"Who wants it: it stands in the call's explanation."`
}

// Run starts it.
func (c *callOriginateCommand) Run(ctx context.Context) error {
	body := map[string]any{"to": c.To, "seconds": c.Seconds, "auto_answer": c.AutoAnswer, "by": c.By}
	if c.User != "" {
		body["user"] = c.User
	} else {
		body["device"] = c.Device
	}
	if c.ShowNumber != "" || c.ShowName != "" {
		body["show"] = map[string]string{"number": c.ShowNumber, "name": c.ShowName}
	}
	var answer struct{ Call, State, Detail string }
	_, done, err := c.ask(ctx, http.MethodPost, "/v1/tenants/"+url.PathEscape(c.Tenant)+"/calls", body, &answer)
	if err != nil {
		return err
	}
	if !done {
		fmt.Printf("Call %s: %s\n", plain(answer.Call), plain(answer.Detail))
	}
	if answer.State == callOrdered {
		return exitUnconfirmed
	}
	return nil
}
