package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"tandem/callflows"
	"tandem/callflows/sim"
)

// simCommand runs the engine in simulated worlds (package callflows/sim).
type simCommand struct {
	Seeds uint64 `default:"2000" help:"How many worlds."`
	From  uint64 `default:"1" help:"The first seed."`
	Seed  uint64 `help:"This world alone."`
	Trace bool   `help:"Tell the story of each world."`
	Cores int    `default:"0" help:"Worlds that are lived through at once. 0: one for each core."`
	Plant string `help:"Plant a fault, to see how it is found: a name that docs/simulation.md lists."`
}

// maxBrokenWorlds is how many broken worlds are shown: more say nothing new.
const maxBrokenWorlds = 20

// simGarbage is how much garbage a collection waits for, in percent of what lives (runtime/debug): worlds are small, and live
// for a moment.
const simGarbage = 400

// Run lives through the worlds, prints a line for each that breaks an invariant, and then the figures: of those until then when ctx
// ends, which is an error.
func (c *simCommand) Run(ctx context.Context) error { return c.run(ctx, os.Stdout) }

func (c *simCommand) run(ctx context.Context, out io.Writer) error {
	words, err := callflows.Reasons()
	if err != nil {
		return err
	}
	o := sim.Options{Words: words}
	if o.Plant, err = c.plant(); err != nil {
		return err
	}
	if c.Seed != 0 {
		c.From, c.Seeds = c.Seed, 1
	}
	if c.Cores <= 0 {
		c.Cores = runtime.GOMAXPROCS(0)
	}
	if c.Trace { // stories are told one after the other
		c.Cores = 1
		o.Trace = func(line string) { fmt.Fprintln(out, line) }
	}
	defer debug.SetGCPercent(debug.SetGCPercent(simGarbage))
	lived, broken, violations, calls, steps := 0, 0, 0, 0, 0
	visited, happened := map[string]int{}, map[string]int{}
	start := time.Now()
	for r := range c.results(ctx, sim.New(o)) {
		lived++
		calls, steps, violations = calls+r.Calls, steps+r.Steps, violations+len(r.Violations)
		add(visited, r.Visited)
		add(happened, r.Happened)
		if len(r.Violations) == 0 {
			continue
		}
		if broken++; broken <= maxBrokenWorlds {
			fmt.Fprintln(out, r.Violations[0])
		}
	}
	took := time.Since(start)
	fmt.Fprintf(out, "%d worlds, %d calls, %d steps in %s\n", lived, calls, steps, took.Round(time.Millisecond))
	fmt.Fprintf(out, "elements entered: %s\nturns: %s\n", counted(visited), counted(happened))
	fmt.Fprintf(out, "figure sim_seeds %d\nfigure sim_violations %d\nfigure sim_calls_per_s %.0f\n", lived, violations, float64(calls)/took.Seconds())
	if broken > 0 {
		return exitCode(1)
	}
	return ctx.Err()
}

// results gives what came of each world, in the order of seeds, while Cores of them go on at once.
func (c *simCommand) results(ctx context.Context, worlds *sim.Worlds) iter.Seq[sim.Result] {
	return func(yield func(sim.Result) bool) {
		pending := make(chan chan sim.Result, c.Cores)
		go func() {
			defer close(pending)
			busy := make(chan struct{}, c.Cores)
			for seed := c.From; seed < c.From+c.Seeds && ctx.Err() == nil; seed++ {
				result := make(chan sim.Result, 1)
				busy <- struct{}{}
				pending <- result
				go func() {
					result <- worlds.Run(seed)
					<-busy
				}()
			}
		}()
		for result := range pending {
			if !yield(<-result) {
				panic("sim: all results are taken")
			}
		}
	}
}

func (c *simCommand) plant() (sim.Plant, error) {
	if c.Plant == "" {
		return sim.Plant{}, nil
	}
	for _, p := range sim.Plants() {
		if p.Name == c.Plant {
			return p, nil
		}
	}
	return sim.Plant{}, errors.New("there is no planted fault of this name")
}

func add(to, from map[string]int) {
	for name, n := range from {
		to[name] += n
	}
}

// counted lists what was counted, by name.
func counted(counts map[string]int) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		text += fmt.Sprintf("%s %d, ", name, counts[name])
	}
	return text[:max(0, len(text)-len(", "))]
}
