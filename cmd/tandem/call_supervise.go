package main

import (
	"context"
	"fmt"

	rest "tandem/provisioning/client"
)

// callListenCommand lets somebody's phone hear a live call.
type callListenCommand struct {
	client
	Call       string `arg:"" help:"Tandem's id of the call, or its SIP Call-ID."`
	User       string `xor:"who" required:"" help:"Whose phones ring; whoever answers hears the call."`
	Device     string `xor:"who" required:"" help:"Which phone rings, by its id."`
	Mode       string `default:"listen" enum:"listen,whisper,barge" help:"Who hears the one who listens: nobody (listen), the leg (whisper), or both sides (barge)."`
	Leg        string `help:"Which leg is heard, and whispered to: 'tandem call show' lists them."`
	AutoAnswer bool   `help:"Ask the phone to answer by itself."`
	By         string `env:"USER" default:"an operator" help:"Who wants it: it stands in the call's explanation and in the audit."`
}

// Run orders it.
func (c *callListenCommand) Run(ctx context.Context) error {
	answer, err := c.api().ListenToCall(ctx, c.Call, rest.ListenBody{User: c.User, Device: c.Device, Mode: rest.ListenBodyMode(c.Mode), Leg: c.Leg, AutoAnswer: c.AutoAnswer, By: c.By})
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

// callRecordCommand records a live call, or ends that.
type callRecordCommand struct {
	client
	Call string `arg:"" help:"Tandem's id of the call, or its SIP Call-ID."`
	End  bool   `help:"End the recording rather than begin one."`
	By   string `env:"USER" default:"an operator" help:"Who wants it: it stands in the call's explanation and in the audit."`
}

// Run orders it.
func (c *callRecordCommand) Run(ctx context.Context) error {
	if c.End {
		answer, err := c.api().EndRecordingOfCall(ctx, c.Call)
		return ordered(c.client, answer, err)
	}
	answer, err := c.api().RecordCall(ctx, c.Call, rest.RecordBody{By: c.By})
	return ordered(c.client, answer, err)
}
