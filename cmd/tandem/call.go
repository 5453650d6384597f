package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"tandem/messages"
)

// callCommands look at live calls and end them.
type callCommands struct {
	List   callListCommand   `cmd:"" help:"List live calls, the oldest first."`
	Show   callShowCommand   `cmd:"" help:"Show a call as it is now."`
	HangUp callHangUpCommand `cmd:"" name:"hangup" help:"End a live call."`

	Transfer callTransferCommand `cmd:"" help:"Take a leg of a live call to a number."`
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
	query := url.Values{"live": {""}, "limit": {strconv.Itoa(c.Limit)}}
	for name, value := range map[string]string{"tenant": c.Tenant, "node": c.Node} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var answer struct {
		Calls []callView
		More  bool
	}
	if _, done, err := c.ask(ctx, http.MethodGet, "/v1/calls?"+query.Encode(), nil, &answer); err != nil || done {
		return err
	}
	if len(answer.Calls) == 0 {
		fmt.Println("No call is up.")
		return nil
	}
	if err := callTable(answer.Calls); err != nil || !answer.More {
		return err
	}
	fmt.Printf("and more: --limit shows up to %d.\n", maxCalls)
	return nil
}

func callTable(calls []callView) error {
	var rows [][]string
	for _, v := range calls {
		rows = append(rows, []string{v.Call, v.stateWords(), v.Tenant, v.From, v.To, v.Node, age(v.StartedAt)})
	}
	return table("CALL STATE TENANT FROM TO NODE AGE", rows)
}

// stateWords is the state for one cell.
func (v callView) stateWords() string {
	if v.Uncertain {
		return string(v.State) + " (uncertain)"
	}
	return string(v.State)
}

// callShowCommand shows one call.
type callShowCommand struct {
	client
	Call string `arg:"" help:"Tandem's id of the call, or its SIP Call-ID."`
}

// Run shows.
func (c *callShowCommand) Run(ctx context.Context) error {
	var v callView
	if _, done, err := c.ask(ctx, http.MethodGet, "/v1/calls/"+url.PathEscape(c.Call), nil, &v); err != nil || done {
		return err
	}
	fmt.Printf("Call %s of tenant %s, from %s to %s.\n", plain(v.Call), plain(v.Tenant), plain(v.From), plain(v.To))
	for _, l := range [][2]string{{"state", v.describe()}, {"node", v.Node}, {"driven by", v.Worker}, {"flow", v.Flow}, {"element", v.Element}, {"phase", v.Phase},
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

// describe is the state in words.
func (v callView) describe() string {
	switch {
	case v.State == messages.CallEnded:
		return "over"
	case v.State == callUnseen:
		return "not seen on a media node: it has not reached one yet, or its records are on their way"
	case v.Uncertain:
		return "uncertain: nobody has spoken for its node for a while, so it may be over"
	case v.State == messages.CallAnswered:
		return "up, answered"
	}
	return "up, not answered"
}

func clockWords(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000 UTC") + " (" + age(t) + " ago)"
}

func legTable(legs []legView) error {
	var rows [][]string
	for _, l := range legs {
		rows = append(rows, []string{l.Leg, string(l.Role), strings.TrimSpace(l.Device + " " + l.Trunk), age(l.AnsweredAt)})
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
	var answer struct{ Call, State, Detail string }
	body := map[string]string{"by": c.By, "reason": c.Reason}
	status, done, err := c.ask(ctx, http.MethodPost, "/v1/calls/"+url.PathEscape(c.Call)+"/hangup", body, &answer)
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintln(os.Stderr, "The worker did not answer in time, so whether the call is over is not known. Ask again: twice does no harm.")
		return exitUnconfirmed
	}
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
