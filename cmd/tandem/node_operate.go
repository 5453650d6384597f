package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tandem/messages"
)

// nodeListCommand lists all media nodes.
type nodeListCommand struct{ client }

// Run lists.
func (c *nodeListCommand) Run(ctx context.Context) error {
	var answer struct{ Nodes []nodeView }
	if _, done, err := c.ask(ctx, http.MethodGet, "/v1/nodes", nil, &answer); err != nil || done {
		return err
	}
	var rows [][]string
	for _, n := range answer.Nodes {
		rows = append(rows, []string{n.Name, n.stateWords(), strconv.Itoa(n.Calls), orDash(n.MaxCalls), n.loadWords(), n.Owner, strconv.FormatUint(n.Epoch, 10), n.SIPURI})
	}
	if len(rows) == 0 {
		fmt.Println("No media node is configured: tandem node add makes one known.")
		return nil
	}
	return table("NODE STATE CALLS LIMIT LOAD OWNER EPOCH ADDRESS", rows)
}

func orDash(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// stateWords is the state, with what is about to change it.
func (v nodeView) stateWords() string {
	state := string(v.State)
	switch {
	case v.Draining && v.State == messages.NodeUp:
		state += " (drain ordered)"
	case !v.Draining && v.State == messages.NodeDraining:
		state += " (resume ordered)"
	case v.Draining && v.State != messages.NodeDraining:
		state += " (to be drained)"
	case v.Overloaded != "":
		state += " (overloaded)"
	}
	return state
}

// loadWords is the node's load for one cell.
func (v nodeView) loadWords() string {
	if v.Load == nil {
		return ""
	}
	return fmt.Sprintf("cpu %d%%, sessions %d%%, rate %d%%", v.Busy.CPU, v.Busy.Sessions, v.Busy.Rate)
}

// nodeShowCommand shows one.
type nodeShowCommand struct {
	client
	Name string `arg:"" help:"The node's name."`
}

// shownCalls is how many calls of a node are listed when it is shown.
const shownCalls = 20

// Run shows.
func (c *nodeShowCommand) Run(ctx context.Context) error {
	var n nodeView
	if _, done, err := c.ask(ctx, http.MethodGet, "/v1/nodes/"+url.PathEscape(c.Name), nil, &n); err != nil || done {
		return err
	}
	fmt.Printf("Media node %s is %s.\n", plain(n.Name), n.stateWords())
	lines := [][2]string{{"owner", cmp.Or(n.Owner, "nobody that was heard of")}, {"epoch", strconv.FormatUint(n.Epoch, 10)},
		{"calls", strconv.Itoa(n.Calls) + limitWords(n.MaxCalls)}, {"address", n.SIPURI}, {"event socket", n.EventSocket}}
	if n.Load != nil {
		lines = append(lines, [2]string{"sessions", fmt.Sprintf("%d of %d (%d %%)", n.Load.Sessions, n.Load.MaxSessions, n.Busy.Sessions)},
			[2]string{"new a second", fmt.Sprintf("%d of %d (%d %%)", n.Load.SessionsPerSecond, n.Load.MaxSessionsPerSecond, n.Busy.Rate)},
			[2]string{"processors", fmt.Sprintf("%d %% busy", n.Busy.CPU)}, [2]string{"load told", age(&n.Load.At) + " ago"})
	}
	if n.HeardAt != nil {
		lines = append(lines, [2]string{"last heard", age(n.HeardAt) + " ago"})
	}
	for _, l := range lines {
		fmt.Printf("  %-13s %s\n", l[0], plain(l[1]))
	}
	switch {
	case n.Draining && n.Calls == 0:
		fmt.Println("It takes no new calls, and none is left: it can be stopped.")
	case n.Draining:
		fmt.Printf("It takes no new calls. %s\n", leftWords(n.Calls))
	case n.Overloaded != "":
		fmt.Printf("It takes no new calls while another node can: %s are at their bound.\n", n.Overloaded)
	}
	return c.calls(ctx, n)
}

func limitWords(limit int) string {
	if limit == 0 {
		return ", no limit"
	}
	return " of at most " + strconv.Itoa(limit)
}

func leftWords(calls int) string {
	switch calls {
	case 0:
		return "No call is left."
	case 1:
		return "1 call is left."
	}
	return strconv.Itoa(calls) + " calls are left."
}

// calls lists the node's, the oldest first.
func (c *nodeShowCommand) calls(ctx context.Context, n nodeView) error {
	if n.Calls == 0 {
		return nil
	}
	var answer struct {
		Calls []callView
		More  bool
	}
	query := url.Values{"live": {""}, "node": {c.Name}, "limit": {strconv.Itoa(shownCalls)}}
	if _, _, err := c.ask(ctx, http.MethodGet, "/v1/calls?"+query.Encode(), nil, &answer); err != nil {
		return err
	}
	if len(answer.Calls) == 0 {
		return nil
	}
	fmt.Println()
	if err := callTable(answer.Calls); err != nil || !answer.More {
		return err
	}
	fmt.Printf("and more: tandem call list --node %s\n", plain(c.Name))
	return nil
}

// nodeDrainCommand empties a node.
type nodeDrainCommand struct {
	client
	Name string `arg:"" help:"The node's name."`
	Wait bool   `help:"Wait until no call is left on it."`
}

// emptyLook is how often a node that is being emptied is looked at.
const emptyLook = time.Second

// Run drains.
func (c *nodeDrainCommand) Run(ctx context.Context) error {
	var n nodeView
	path := "/v1/nodes/" + url.PathEscape(c.Name)
	_, done, err := c.ask(ctx, http.MethodPost, path+"/drain", struct{}{}, &n)
	if err != nil {
		return err
	}
	if !done {
		fmt.Printf("%s takes no new calls from now on. %s\n", plain(n.Name), leftWords(n.Calls))
	}
	if !c.Wait {
		return nil
	}
	quiet := c.client
	quiet.JSON = false
	before := -1
	for {
		if _, _, err := quiet.ask(ctx, http.MethodGet, path, nil, &n); err != nil {
			return err
		}
		switch {
		case !n.Draining:
			return fmt.Errorf("%s was resumed meanwhile", n.Name)
		case n.Calls == 0 && n.State == messages.NodeDraining:
			if !c.JSON {
				fmt.Println(leftWords(0))
			}
			return nil
		case n.Calls != before && before >= 0 && !c.JSON:
			fmt.Println(leftWords(n.Calls))
		}
		before = n.Calls
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(emptyLook):
		}
	}
}

// nodeResumeCommand lets a node take calls again.
type nodeResumeCommand struct {
	client
	Name string `arg:"" help:"The node's name."`
}

// Run resumes.
func (c *nodeResumeCommand) Run(ctx context.Context) error {
	var n nodeView
	if _, done, err := c.ask(ctx, http.MethodPost, "/v1/nodes/"+url.PathEscape(c.Name)+"/resume", struct{}{}, &n); err != nil || done {
		return err
	}
	fmt.Printf("%s takes new calls again.\n", plain(n.Name))
	return nil
}
