package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"tandem/messages"
	rest "tandem/provisioning/client"
)

// callCommands look at live calls and end them.
type callCommands struct {
	List   callListCommand   `cmd:"" help:"List live calls, the oldest first."`
	Show   callShowCommand   `cmd:"" help:"Show a call as it is now."`
	HangUp callHangUpCommand `cmd:"" name:"hangup" help:"End a live call."`
	Ladder callLadderCommand `cmd:"" help:"Show the SIP of a call, as far as it was reported."`

	Transfer callTransferCommand `cmd:"" help:"Take a leg of a live call to a number."`

	Listen callListenCommand `cmd:"" help:"Let somebody's phone hear a live call, whisper or barge in."`
	Record callRecordCommand `cmd:"" help:"Record a live call from now on, or end that."`

	Originate callOriginateCommand `cmd:"" help:"Start a call: somebody's phones ring first, and whoever answers calls a number."`
}

// callListCommand lists live calls.
type callListCommand struct {
	client
	Tenant string `help:"Of one tenant, by its id."`
	Node   string `help:"On one media node."`
	Limit  int    `default:"100" help:"At most so many."`
}

// Run lists.
func (c *callListCommand) Run(ctx context.Context) error {
	answer, err := c.api().ListLiveCalls(ctx, rest.ListLiveCallsParams{Live: "true", Tenant: c.Tenant, Node: c.Node, Limit: int64(c.Limit)})
	if done, err := told(c.client, answer, err); done {
		return err
	}
	if len(answer.Body.Calls) == 0 {
		fmt.Println("No call is up.")
		return nil
	}
	if err := callTable(answer.Body.Calls); err != nil || !answer.Body.More {
		return err
	}
	fmt.Printf("and more: --limit shows up to %d.\n", maxCalls)
	return nil
}

func callTable(calls []rest.CallView) error {
	var rows [][]string
	for _, v := range calls {
		rows = append(rows, []string{v.Call, callWords(v), v.Tenant, v.From, v.To, v.Node, age(v.StartedAt)})
	}
	return table("CALL STATE TENANT FROM TO NODE AGE", rows)
}

// callWords is a call's state for one cell.
func callWords(v rest.CallView) string {
	if v.Uncertain {
		return v.State + " (uncertain)"
	}
	return v.State
}

// callShowCommand shows one call.
type callShowCommand struct {
	client
	Call string `arg:"" help:"Tandem's id of the call, or its SIP Call-ID."`
}

// Run shows.
func (c *callShowCommand) Run(ctx context.Context) error {
	answer, err := c.api().GetCall(ctx, c.Call)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	v := answer.Body
	fmt.Printf("Call %s of tenant %s, from %s to %s.\n", plain(v.Call), plain(v.Tenant), plain(v.From), plain(v.To))
	for _, l := range [][2]string{{"state", describeCall(v)}, {"node", v.Node}, {"driven by", v.Worker}, {"flow", v.Flow}, {"element", v.Element}, {"phase", v.Phase},
		{"started", clockWords(v.StartedAt)}, {"answered", clockWords(v.AnsweredAt)}, {"ended", clockWords(v.EndedAt)}} {
		if l[1] != "" {
			fmt.Printf("  %-10s %s\n", l[0], plain(l[1]))
		}
	}
	if len(v.Legs) > 0 {
		fmt.Println()
		if err := legTable(v.Legs); err != nil {
			return err
		}
	}
	fmt.Printf("\nWhy it went so: tandem explain %s\n", plain(v.Call))
	return nil
}

// describeCall is a call's state in words.
func describeCall(v rest.CallView) string {
	switch state := messages.CallState(v.State); {
	case state == messages.CallEnded:
		return "over"
	case state == callUnseen:
		return "not seen on a media node: it has not reached one yet, or its records are on their way"
	case v.Uncertain:
		return "uncertain: nobody has spoken for its node for a while, so it may be over"
	case state == messages.CallAnswered:
		return "up, answered"
	}
	return "up, not answered"
}

func clockWords(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000 UTC") + " (" + age(t) + " ago)"
}

func legTable(legs []rest.LegView) error {
	var rows [][]string
	for _, l := range legs {
		rows = append(rows, []string{l.Leg, l.Role, strings.TrimSpace(l.Device + " " + l.Trunk), age(l.AnsweredAt)})
	}
	return table("LEG ROLE LEADS-TO TALKING-FOR", rows)
}

// callHangUpCommand ends a live call.
type callHangUpCommand struct {
	client
	Call   string `arg:"" help:"Tandem's id of the call, or its SIP Call-ID."`
	By     string `env:"USER" default:"an operator" help:"Who wants it: it stands in the call's explanation."`
	Reason string `help:"Why: it stands in the call's explanation."`
}

// exitUnconfirmed says that an order went out and what came of it was not heard.
const exitUnconfirmed exitCode = 3

// Run ends it.
func (c *callHangUpCommand) Run(ctx context.Context) error {
	answer, err := c.api().HangUpCall(ctx, c.Call, rest.HangUpBody{By: c.By, Reason: c.Reason})
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintln(os.Stderr, "The worker did not answer in time, so whether the call is over is not known. Ask again: twice does no harm.")
		return exitUnconfirmed
	}
	return ordered(c.client, answer, err)
}

// ordered tells what became of an order about a call.
func ordered(c client, answer *rest.Answer[rest.OrderedBody], err error) error {
	done, err := told(c, answer, err)
	if err != nil {
		return err
	}
	if !done {
		fmt.Println(answer.Body.Detail)
	}
	if answer.Status == http.StatusAccepted {
		return exitUnconfirmed
	}
	return nil
}
