package main

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// benchEslCommands measure the client of FreeSWITCH's event socket.
type benchEslCommands struct {
	Measure benchEslCommand  `cmd:"" default:"withargs" help:"Measure it (the default)."`
	Node    eslPlayerCommand `cmd:"" hidden:"" help:"The media node of the measurement: recorded events, no calls."`
	Parked  eslParkedCommand `cmd:"" hidden:"" help:"The media node of the measurement of memory: calls that stay where they are."`
}

// benchEslCommand compares package esl with other ways to read the same recorded events, in one run:
//
//	player (a process of its own) --- TCP, loopback ---> eslgo, esl inline, esl with shards, a bare read and index
//
// Each round measures all four, one right after the other. Processor time is this process's alone, so that the player's is
// not in it; the player shares the machine, so that wall time says less.
type benchEslCommand struct {
	Short    bool   `help:"Few rounds of few events: says only that the measurement works."`
	Rounds   int    `default:"9" help:"Rounds of the comparisons; one more before them warms up."`
	Captures string `default:"esl/testdata/captures" type:"path" help:"Folder of the recorded sessions."`
	Only     string `enum:"all,events,callers,memory" default:"all" help:"Measure this alone: ${enum}."`
}

// eslPlan is how much of what is measured.
type eslPlan struct {
	rounds      int
	events      int // a run
	eslgoEvents int // a run of eslgo, which takes longer for each
	callers     int
	commands    int // of each caller
	calls       int
}

func (c *benchEslCommand) plan() eslPlan {
	if c.Short {
		return eslPlan{rounds: 1, events: 10_000, eslgoEvents: 2000, callers: 64, commands: 200, calls: 10_000}
	}
	return eslPlan{rounds: c.Rounds, events: 150_000, eslgoEvents: 15_000, callers: 64, commands: 5000, calls: 10_000}
}

// Run measures and prints lines for people, then the figures.
func (c *benchEslCommand) Run(ctx context.Context) error {
	fmt.Printf("%d cores, %s; load average %s\n", runtime.NumCPU(), runtime.Version(), loadAverage())
	var figures []figure
	for _, part := range []struct {
		name    string
		measure func(context.Context, eslPlan) ([]figure, error)
	}{{"memory", c.memory}, {"events", c.events}, {"callers", c.callers}} { // memory first: it compares with an idle process
		if c.Only != "all" && c.Only != part.name {
			continue
		}
		started := time.Now()
		found, err := part.measure(ctx, c.plan())
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Printf("  (%s took %v)\n", part.name, time.Since(started).Round(time.Second))
		figures = append(figures, found...)
	}
	fmt.Printf("load average at the end %s\n", loadAverage())
	for _, f := range figures {
		fmt.Println(f)
	}
	return nil
}
