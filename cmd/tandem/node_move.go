package main

import (
	"context"
	"fmt"
	"time"

	"tandem/callflows"
	"tandem/messages"
	rest "tandem/provisioning/client"
)

// movingShown is how many calls of a node are looked at, at most.
const movingShown = 1000

// move empties a node by moving its calls, and tells of each.
func (c *nodeDrainCommand) move(ctx context.Context) error {
	answer, err := c.api().MoveCallsOfNode(ctx, c.Name)
	if err != nil {
		return c.refused(err)
	}
	fmt.Printf("%s takes no new calls from now on, and its calls move to other nodes. %s\n", plain(c.Name), leftWords(answer.Body.Calls))
	told, ends, taken := map[string]string{}, time.After(c.Limit), false // the worker has read the change
	for {
		here, err := c.tellMoves(ctx, told)
		if err == nil {
			answer, err = c.api().GetNode(ctx, c.Name)
		}
		if ctx.Err() != nil {
			return c.stopMoving(context.WithoutCancel(ctx), here)
		}
		if err != nil {
			return c.refused(err)
		}
		n := answer.Body
		taken = taken || n.Draining && n.Moving
		switch {
		case !taken:
		case !n.Draining:
			return fmt.Errorf("%s was resumed meanwhile", n.Name)
		case here == 0 && n.Calls == 0 && messages.NodeState(n.State) == messages.NodeDraining:
			fmt.Println(leftWords(0))
			return nil
		case !n.Moving:
			return fmt.Errorf("the moving was stopped meanwhile. %s", leftWords(n.Calls))
		}
		select {
		case <-ctx.Done():
		case <-ends:
			fmt.Printf("%v are over. %s They go on, and the moving too: tandem node drain %s ends it.\n", c.Limit, leftWords(here), plain(c.Name))
			return exitCode(1)
		case <-time.After(emptyLook):
		}
	}
}

// stopMoving ends the moving half way.
func (c *nodeDrainCommand) stopMoving(ctx context.Context, here int64) error {
	if _, err := c.api().DrainNode(ctx, c.Name); err != nil {
		return c.refused(err)
	}
	fmt.Printf("Stopped: no further call moves. %s %s takes no new ones until tandem node resume.\n", leftWords(here), plain(c.Name))
	return exitCode(1)
}

// tellMoves says what has become of the node's calls since the last look, and gives how many there are.
func (c *nodeDrainCommand) tellMoves(ctx context.Context, told map[string]string) (int64, error) {
	answer, err := c.api().ListLiveCalls(ctx, rest.ListLiveCallsParams{Live: "true", Node: c.Name, Limit: movingShown})
	if err != nil {
		return int64(len(told)), err
	}
	here := map[string]bool{}
	for _, call := range answer.Body.Calls {
		here[call.Call] = true
		if had, seen := told[call.Call]; call.Waits != "" && (!seen || had != call.Waits) {
			fmt.Printf("%s  waits: %s\n", plain(call.Call), waitsWords(callflows.MoveWaits(call.Waits)))
		}
		told[call.Call] = call.Waits
	}
	for id := range told {
		if here[id] {
			continue
		}
		switch call, err := c.api().GetCall(ctx, id); {
		case err != nil && ctx.Err() != nil:
			return int64(len(told)), err
		case err == nil && messages.CallState(call.Body.State) != messages.CallEnded && call.Body.Node != "" && call.Body.Node != c.Name:
			fmt.Printf("%s  has moved to %s\n", plain(id), plain(call.Body.Node))
		default:
			fmt.Printf("%s  has ended\n", plain(id))
		}
		delete(told, id)
	}
	return int64(len(here)), nil
}

// waitsWords says why a call cannot move.
func waitsWords(w callflows.MoveWaits) string {
	switch w {
	case callflows.WaitsUnanswered:
		return "it is not answered"
	case callflows.WaitsRinging:
		return "it rings"
	case callflows.WaitsConference:
		return "it pages or listens in"
	case callflows.WaitsTransfer:
		return "it is being transferred"
	case callflows.WaitsJoined:
		return "it talks to another call"
	case callflows.WaitsEmergency:
		return "it is for help, and is never moved"
	case callflows.WaitsMedia:
		return "its media is encrypted, fax or video"
	case callflows.WaitsSize:
		return "too much is known of it for one message"
	case callflows.WaitsNowhere:
		return "no other node can take it"
	}
	return "not all is known of a leg's SIP dialog"
}
