package main

import (
	"context"
	"errors"
	"fmt"
)

// eslShards is what package nodes uses.
const eslShards = 8

// eslRound is one run of each client, one right after the other, so that what else the machine does falls out of their
// ratios as far as it can.
type eslRound struct{ eslgo, inline, index, sharded eslRun }

// events compares the clients.
func (c *benchEslCommand) events(ctx context.Context, plan eslPlan) (figures []figure, err error) {
	sessions, err := eslCaptures(c.Captures)
	if err != nil {
		return nil, err
	}
	reel, err := newReel(sessions)
	if err != nil {
		return nil, err
	}
	child, err := startEslChild(ctx, "node", "--captures", c.Captures)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, child.stop()) }()
	var rounds []eslRound
	for i := range plan.rounds + 1 {
		r, err := oneEslRound(ctx, child.address, reel.events, plan)
		if err != nil {
			return nil, err
		}
		if i > 0 { // the first one warms up
			rounds = append(rounds, r)
		}
	}
	fmt.Printf("%d recorded events of %d sessions, %d bytes each, median (least..most) of %d rounds\n", reel.events, len(sessions),
		len(reel.wire)/reel.events, plan.rounds)
	return eslCompared(rounds), nil
}

func oneEslRound(ctx context.Context, address string, each int, plan eslPlan) (r eslRound, err error) {
	for _, one := range []struct {
		name   string
		run    func(ctx context.Context, address string, passes, events int) (eslRun, error)
		events int
		into   *eslRun
	}{
		{"eslgo", throughEslgo, plan.eslgoEvents, &r.eslgo},
		{"esl inline", throughEsl(0), plan.events, &r.inline},
		{"read and index", throughReadAndIndex, plan.events, &r.index},
		{"esl with shards", throughEsl(eslShards), plan.events, &r.sharded},
	} {
		passes := max(1, one.events/each)
		if *one.into, err = one.run(ctx, address, passes, passes*each); err != nil {
			return r, fmt.Errorf("%s: %w", one.name, err)
		}
	}
	// All clients read the same, event for event.
	perEvent := func(run eslRun) int64 { return run.content * int64(each) / int64(run.events) }
	if perEvent(r.eslgo) != perEvent(r.inline) || perEvent(r.inline) != perEvent(r.sharded) {
		return r, fmt.Errorf("the clients read different headers: %d, %d and %d bytes", perEvent(r.eslgo), perEvent(r.inline), perEvent(r.sharded))
	}
	return r, nil
}

func eslCompared(rounds []eslRound) []figure {
	over := func(value func(eslRound) float64) (s series) {
		for _, r := range rounds {
			s = append(s, value(r))
		}
		return s
	}
	for _, client := range []struct {
		name string
		of   func(eslRound) eslRun
	}{
		{"eslgo 1.5.2", func(r eslRound) eslRun { return r.eslgo }},
		{"esl, inline", func(r eslRound) eslRun { return r.inline }},
		{"read and index alone", func(r eslRound) eslRun { return r.index }},
		{fmt.Sprintf("esl, %d shards", eslShards), func(r eslRound) eslRun { return r.sharded }},
	} {
		cpu := over(func(r eslRound) float64 { return client.of(r).cpuEach() })
		wall := over(func(r eslRound) float64 { return client.of(r).wallEach() })
		allocated := over(func(r eslRound) float64 { return float64(client.of(r).allocated) / float64(client.of(r).events) })
		fmt.Printf("  %-20s  us CPU/event %s  us/event %s  bytes allocated/event %.0f\n", client.name, cpu.spread(), wall.spread(), allocated.median())
	}
	byCPU := over(func(r eslRound) float64 { return r.eslgo.cpuEach() / r.inline.cpuEach() })
	byWall := over(func(r eslRound) float64 { return r.eslgo.wallEach() / r.inline.wallEach() })
	bare := over(func(r eslRound) float64 { return r.sharded.cpuEach() / r.index.cpuEach() })
	fmt.Printf("  eslgo's time / esl's, inline: by CPU %s, by wall %s\n", byCPU.spread(), byWall.spread())
	fmt.Printf("  CPU of esl with %d shards / of a read and index: %s\n", eslShards, bare.spread())
	return []figure{{"esl_vs_eslgo", byCPU.median()}, {"esl_vs_eslgo_wall", byWall.median()}, {"esl_vs_read_index_cpu", bare.median()}}
}
