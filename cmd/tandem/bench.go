package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"tandem/stack"
)

// benchCommands measure.
type benchCommands struct {
	Route  benchRouteCommand   `cmd:"" help:"Measure routing decisions over AMQP against a bare echo in the same run."`
	Paused benchPausedCommand  `cmd:"" help:"Measure how long callers wait while one of two route workers is paused."`
	Config benchConfigCommand  `cmd:"" help:"Measure how long a change of configuration takes until it is live on every one of two workers."`
	API    benchAPICommand     `cmd:"" name:"api" help:"Measure the API: reads and writes a second, and what row level security costs."`
	Esl    benchEslCommands    `cmd:"" help:"Measure the client of the event socket against others in the same run."`
	Engine benchEngineCommands `cmd:"" help:"Measure the engine and its configuration: steps, explanations, a million numbers, replays."`
	Worker benchWorkerCommand  `cmd:"" hidden:"" help:"One of the two workers that the measurement compares."`
}

// benchRouteCommand compares the route role of a real worker with a worker that echoes, each a process of its own, by
// turns on the same broker and the same edge:
//
//	load ---- AMQP ----> RabbitMQ ----> worker (echo, route, echo, route ...)
//	load --- SIP ---> Kamailio --- AMQP ---> RabbitMQ ---> worker (the same)
//
// Load, broker, edge and worker share the machine: ratios and differences say something, absolute figures little.
type benchRouteCommand struct {
	Short       bool   `help:"One short round each: says only that the measurement works."`
	Rounds      int    `default:"6" help:"Rounds of each worker."`
	Only        string `enum:"all,rabbitmq,kamailio" default:"all" help:"Measure through this alone: ${enum}."`
	Prefetch    int    `default:"${route_prefetch}" help:"Requests that each worker may hold at once."`
	CPUProfile  string `name:"cpu-profile" type:"path" help:"Leave a CPU profile of each worker in this folder."`
	StackDir    string `env:"TANDEM_STACK_DIR" hidden:"" help:"Set by tandem stack, whose servers are then used; otherwise private ones are started."`
	PostgresURL string `env:"TANDEM_POSTGRES_URL" hidden:""`
	AMQPURL     string `name:"amqp-url" env:"TANDEM_AMQP_URL" hidden:""`
}

// benchPlan is how long what takes.
type benchPlan struct {
	rounds      int
	warmUp      time.Duration // at saturation, before anything is counted
	saturated   time.Duration
	paced       time.Duration // at the fixed rate
	outstanding int           // requests under way at saturation
	share       float64       // of the echo's saturation: the fixed rate through RabbitMQ alone
	sipRates    []int         // a second, through Kamailio
	sipPaced    time.Duration // at each of them
}

func (c *benchRouteCommand) plan() benchPlan {
	if c.Short {
		return benchPlan{rounds: 1, warmUp: 200 * time.Millisecond, saturated: 400 * time.Millisecond, paced: 400 * time.Millisecond,
			outstanding: 200, share: 0.35, sipRates: []int{100}, sipPaced: 500 * time.Millisecond}
	}
	return benchPlan{rounds: c.Rounds, warmUp: 500 * time.Millisecond, saturated: 1500 * time.Millisecond, paced: 1500 * time.Millisecond,
		outstanding: 200, share: 0.35, sipRates: []int{100, 200}, sipPaced: 1500 * time.Millisecond}
}

// Run measures and prints lines for people, then the figures.
func (c *benchRouteCommand) Run(ctx context.Context) (err error) {
	b, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.end()) }()
	fmt.Printf("%d cores, %s, RabbitMQ %s; load average %s\n", runtime.NumCPU(), runtime.Version(), b.amqp.brokerVersion(), loadAverage())
	var figures []figure
	if c.Only != "kamailio" {
		if figures, err = b.throughRabbitMQ(ctx); err != nil {
			return err
		}
	}
	if c.Only != "rabbitmq" {
		more, err := b.throughKamailio(ctx)
		if err != nil {
			return err
		}
		figures = append(figures, more...)
	}
	fmt.Printf("load average at the end %s\n", loadAverage())
	for _, f := range figures {
		fmt.Println(f)
	}
	return nil
}

// start prepares a measurement on the servers of tandem stack, or private ones.
func (c *benchRouteCommand) start(ctx context.Context) (*bench, error) {
	if err := stack.Install(ctx, os.Stderr, stack.PostgreSQL, stack.RabbitMQ, stack.Kamailio); err != nil {
		return nil, err
	}
	// Any other PostgreSQL that the environment names may hold somebody's configuration.
	s, err := stack.Start(ctx, stack.Options{Out: os.Stderr, PostgreSQL: c.StackDir == "", RabbitMQ: c.StackDir == ""})
	if err != nil {
		return nil, err
	}
	if c.StackDir == "" {
		c.PostgresURL, c.AMQPURL = s.PostgresURL, s.AMQPURL
	}
	b, err := newBench(ctx, s, c)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return b, nil
}

// loadAverage says how busy the machine is, this measurement included (proc(5)).
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}
