package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	rest "tandem/provisioning/client"
)

// callLadderCommand shows the SIP of a call.
type callLadderCommand struct {
	client
	Call string `arg:"" help:"Tandem's id of the call, or its SIP Call-ID."`
}

// Run shows it.
func (c *callLadderCommand) Run(ctx context.Context) error {
	answer, err := c.api().DrawCall(ctx, c.Call)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	l := answer.Body
	names := map[string]string{}
	for _, column := range l.Columns {
		names[column.ID] = column.Name
	}
	var rows [][]string
	for _, a := range l.Arrows {
		rows = append(rows, []string{a.At.UTC().Format("15:04:05.000"), names[a.From], cmp.Or(a.Message, "-"), ladderTarget(a, names), strings.TrimSpace(a.Words + " " + a.Cause), string(a.Told)})
	}
	if err := table("TIME FROM MESSAGE TO WHAT TOLD", rows); err != nil {
		return err
	}
	if l.More > 0 {
		fmt.Printf("%d more are left out.\n", l.More)
	}
	fmt.Printf("\nNobody reports: %s\n", plain(strings.Join(l.Unknown, " ")))
	return nil
}

func ladderTarget(a rest.Arrow, names map[string]string) string {
	switch {
	case a.Message == "":
		return ""
	case a.Via != "":
		return names[a.To] + " (by " + names[a.Via] + ")"
	}
	return names[a.To]
}
