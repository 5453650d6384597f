package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tandem/messages"
	rest "tandem/provisioning/client"
)

// nodeListCommand lists all media nodes.
type nodeListCommand struct{ client }

// Run lists.
func (c *nodeListCommand) Run(ctx context.Context) error {
	answer, err := c.api().ListNodes(ctx)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	var rows [][]string
	for _, n := range answer.Body.Nodes {
		rows = append(rows, []string{n.Name, nodeWords(n), count(n.Calls), orDash(n.MaxCalls), loadWords(n), n.Owner, count(n.Epoch), n.SIPURI})
	}
	if len(rows) == 0 {
		fmt.Println("No media node is configured: tandem node add makes one known.")
		return nil
	}
	return table("NODE STATE CALLS LIMIT LOAD OWNER EPOCH ADDRESS", rows)
}

func orDash(n int64) string {
	if n == 0 {
		return "-"
	}
	return count(n)
}

// nodeWords is a node's state, with what is about to change it.
func nodeWords(v rest.NodeView) string {
	state := v.State
	switch now := messages.NodeState(state); {
	case v.Draining && now == messages.NodeUp:
		state += " (drain ordered)"
	case !v.Draining && now == messages.NodeDraining:
		state += " (resume ordered)"
	case v.Draining && now != messages.NodeDraining:
		state += " (to be drained)"
	case v.Overloaded != "":
		state += " (overloaded)"
	}
	return state
}

// loadWords is a node's load for one cell.
func loadWords(v rest.NodeView) string {
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
	answer, err := c.api().GetNode(ctx, c.Name)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	n := answer.Body
	fmt.Printf("Media node %s is %s.\n", plain(n.Name), nodeWords(n))
	lines := [][2]string{{"owner", cmp.Or(n.Owner, "nobody that was heard of")}, {"epoch", count(n.Epoch)},
		{"calls", count(n.Calls) + limitWords(n.MaxCalls)}, {"address", n.SIPURI}, {"event socket", n.EventSocket}}
	if n.Load != nil {
		lines = append(lines, [2]string{"sessions", fmt.Sprintf("%d of %d (%d %%)", n.Load.Sessions, n.Load.MaxSessions, n.Busy.Sessions)},
			[2]string{"new a second", fmt.Sprintf("%d of %d (%d %%)", n.Load.SessionsPerSecond, n.Load.MaxSessionsPerSecond, n.Busy.Rate)},
			[2]string{"processors", fmt.Sprintf("%d %% busy", n.Busy.CPU)}, [2]string{"load told", age(n.Load.At) + " ago"})
	}
	if !n.HeardAt.IsZero() {
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

func limitWords(limit int64) string {
	if limit == 0 {
		return ", no limit"
	}
	return " of at most " + count(limit)
}

func leftWords(calls int64) string {
	switch calls {
	case 0:
		return "No call is left."
	case 1:
		return "1 call is left."
	}
	return count(calls) + " calls are left."
}

// calls lists the node's, the oldest first.
func (c *nodeShowCommand) calls(ctx context.Context, n rest.NodeView) error {
	if n.Calls == 0 {
		return nil
	}
	answer, err := c.api().ListLiveCalls(ctx, rest.ListLiveCallsParams{Live: "true", Node: c.Name, Limit: shownCalls})
	if err != nil {
		return c.refused(err)
	}
	if len(answer.Body.Calls) == 0 {
		return nil
	}
	fmt.Println()
	if err := callTable(answer.Body.Calls); err != nil || !answer.Body.More {
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
	Move bool   `help:"Move its calls to other nodes and wait until none is left, telling of each; interrupting it ends the moving."`

	Limit time.Duration `default:"10m" help:"With --move: how long calls that cannot move are waited for."`
}

// emptyLook is how often a node that is being emptied is looked at.
const emptyLook = time.Second

// Run drains.
func (c *nodeDrainCommand) Run(ctx context.Context) error {
	if c.Move {
		return c.move(ctx)
	}
	answer, err := c.api().DrainNode(ctx, c.Name)
	done, err := told(c.client, answer, err)
	if err != nil {
		return err
	}
	if !done {
		fmt.Printf("%s takes no new calls from now on. %s\n", plain(answer.Body.Name), leftWords(answer.Body.Calls))
	}
	if !c.Wait {
		return nil
	}
	before := int64(-1)
	for {
		answer, err := c.api().GetNode(ctx, c.Name)
		if err != nil {
			return c.refused(err)
		}
		n := answer.Body
		switch {
		case !n.Draining:
			return fmt.Errorf("%s was resumed meanwhile", n.Name)
		case n.Calls == 0 && messages.NodeState(n.State) == messages.NodeDraining:
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
	answer, err := c.api().ResumeNode(ctx, c.Name)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Printf("%s takes new calls again.\n", plain(answer.Body.Name))
	return nil
}
