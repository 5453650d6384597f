package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	"tandem/stack"
)

// benchEngineCommands measure the engine and the configuration that it runs on.
type benchEngineCommands struct {
	Measure    benchEngineCommand     `cmd:"" default:"withargs" help:"Measure it (the default)."`
	Configured benchConfiguredCommand `cmd:"" hidden:"" help:"A process that holds a configuration and decides: one side of a comparison."`
}

// benchEngineCommand measures decisions, steps of calls, the configuration in memory and replays, each with a baseline in the same
// run where there is one:
//
//	decide    a million numbers of 10,000 tenants against ten numbers, by turns, each in a process of its own
//	steps     whole calls through the engine; the same with their reasons and journal against without
//	snapshot  the million numbers from PostgreSQL and from the disk
//	replay    calls with menus, groups and trunks from the ledger, under a draft
type benchEngineCommand struct {
	Short       bool     `help:"Little of everything: says only that the measurement works."`
	Rounds      int      `default:"15" help:"Rounds of each comparison."`
	Tenants     int      `default:"10000" help:"Tenants of the large configuration, with 100 numbers each."`
	Calls       int      `default:"50000" help:"Calls that are replayed."`
	Only        []string `enum:"decide,steps,snapshot,replay" default:"steps,decide,snapshot,replay" help:"Measure these alone: ${enum}."`
	StackDir    string   `env:"TANDEM_STACK_DIR" hidden:"" help:"Set by tandem stack, whose servers are then used; otherwise private ones are started."`
	Captures    string   `default:"esl/testdata/captures" type:"path" help:"Folder of the recorded sessions."`
	AMQPURL     string   `name:"amqp-url" env:"TANDEM_AMQP_URL" hidden:""`
	PostgresURL string   `env:"TANDEM_POSTGRES_URL" hidden:""`
}

// Run measures and prints lines for people, then the figures.
func (c *benchEngineCommand) Run(ctx context.Context) (err error) {
	if c.Short {
		c.Rounds, c.Tenants, c.Calls = 2, 50, 300
	}
	if c.StackDir == "" { // any other servers that the environment names may be somebody's
		c.PostgresURL, c.AMQPURL = "", ""
	}
	if c.StackDir == "" && (slices.Contains(c.Only, "snapshot") || slices.Contains(c.Only, "replay")) {
		if err := stack.Install(ctx, os.Stderr, stack.PostgreSQL); err != nil {
			return err
		}
		s, err := stack.Start(ctx, stack.Options{Out: os.Stderr, PostgreSQL: true})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		c.PostgresURL = s.PostgresURL
	}
	fmt.Printf("%d cores, %s; load average %s\n", runtime.NumCPU(), runtime.Version(), loadAverage())
	var figures []figure
	for _, part := range []struct {
		name    string
		measure func(context.Context) ([]figure, error)
	}{{"steps", c.steps}, {"decide", c.decide}, {"snapshot", c.snapshot}, {"replay", c.replay}} {
		if !slices.Contains(c.Only, part.name) {
			continue
		}
		began := time.Now()
		found, err := part.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Printf("  (%s took %v)\n", part.name, time.Since(began).Round(time.Second))
		figures = append(figures, found...)
	}
	fmt.Printf("load average at the end %s\n", loadAverage())
	for _, f := range figures {
		fmt.Println(f)
	}
	return nil
}

// processorTimeUsed is what this process has used, its garbage collection included: on a busy machine it tells more than the clock.
func processorTimeUsed() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}

// megabytes of bytes.
func megabytes(bytes uint64) float64 { return float64(bytes) / (1 << 20) }
