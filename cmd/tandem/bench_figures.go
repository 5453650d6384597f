package main

import (
	"fmt"
	"slices"
	"time"
)

// figure is a result that a program may read: "figure NAME VALUE".
type figure struct {
	name  string
	value float64
}

func (f figure) String() string { return fmt.Sprintf("figure %s %.3f", f.name, f.value) }

// series are the values of one quantity, one for each round.
type series []float64

// median is the middle value, or the mean of the two in the middle; 0 of nothing.
func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// spread is the median with the smallest and the largest.
func (s series) spread() string {
	if len(s) == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%.2f (%.2f..%.2f)", s.median(), slices.Min(s), slices.Max(s))
}

// percentile of durations, which are sorted by it; 0 of nothing.
func percentile(took []time.Duration, percent int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[min(len(took)*percent/100, len(took)-1)]
}

// pair is the two workers in one round, measured one right after the other, so that what else the machine does falls out
// of their ratio and their difference as far as it can.
type pair struct{ echo, route measured }

// compared collects what the rounds have in common.
func compared(pairs []pair, value func(pair) float64) series {
	var s series
	for _, p := range pairs {
		s = append(s, value(p))
	}
	return s
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// saturation prints how the pairs compare at saturation and gives the figures.
func saturation(prefix string, pairs []pair) []figure {
	ratio := compared(pairs, func(p pair) float64 { return p.route.perSecond / p.echo.perSecond })
	echo := compared(pairs, func(p pair) float64 { return p.echo.perSecond })
	route := compared(pairs, func(p pair) float64 { return p.route.perSecond })
	fmt.Printf("  saturation, answers/s    echo %s  route %s  ratio %s\n", echo.spread(), route.spread(), ratio.spread())
	added := processorTime("worker", pairs, func(u usage) time.Duration { return u.worker })
	processorTime("broker", pairs, func(u usage) time.Duration { return u.broker })
	processorTime("load", pairs, func(u usage) time.Duration { return u.load })
	if all := compared(pairs, func(p pair) float64 { return float64(p.echo.cpu.all()) / float64(p.route.cpu.all()) }); pairs[0].echo.cpu.broker > 0 {
		fmt.Printf("  by the CPU of all three  ratio %s\n", all.spread())
	}
	printLosses(pairs)
	return []figure{
		{prefix + "route_vs_echo", ratio.median()}, {prefix + "echo_per_s", echo.median()}, {prefix + "route_per_s", route.median()},
		{prefix + "route_cpu_us", added.median()},
	}
}

// processorTime prints what an answer costs one of the processes, and gives what the route worker adds.
func processorTime(whose string, pairs []pair, of func(usage) time.Duration) series {
	echo := compared(pairs, func(p pair) float64 { return microseconds(of(p.echo.cpu)) })
	route := compared(pairs, func(p pair) float64 { return microseconds(of(p.route.cpu)) })
	added := compared(pairs, func(p pair) float64 { return microseconds(of(p.route.cpu) - of(p.echo.cpu)) })
	fmt.Printf("  CPU of the %s, us/answer  echo %s  route %s  added %s\n", whose, echo.spread(), route.spread(), added.spread())
	return added
}

// printLosses says so when requests got no answer, or a wrong one.
func printLosses(pairs []pair) {
	var all measured
	for _, p := range pairs {
		for _, m := range []measured{p.echo, p.route} {
			all.sent, all.lost, all.wrong = all.sent+m.sent, all.lost+m.lost, all.wrong+m.wrong
		}
	}
	if all.lost+all.wrong > 0 {
		fmt.Printf("  of %d requests %d got no answer and %d a wrong one\n", all.sent, all.lost, all.wrong)
	}
}

// pacing prints how the pairs compare at a fixed rate and gives the figures.
func pacing(prefix string, rate int, pairs []pair) []figure {
	var figures []figure
	printLosses(pairs)
	for _, q := range []struct {
		name  string
		value func(measured) time.Duration
	}{
		{"p50", func(m measured) time.Duration { return m.p50 }},
		{"p99", func(m measured) time.Duration { return m.p99 }},
	} {
		echo := compared(pairs, func(p pair) float64 { return milliseconds(q.value(p.echo)) })
		route := compared(pairs, func(p pair) float64 { return milliseconds(q.value(p.route)) })
		added := compared(pairs, func(p pair) float64 { return milliseconds(q.value(p.route) - q.value(p.echo)) })
		fmt.Printf("  %s at %d/s, ms           echo %s  route %s  added %s\n", q.name, rate, echo.spread(), route.spread(), added.spread())
		figures = append(figures, figure{prefix + "added_" + q.name + "_ms", added.median()})
	}
	return figures
}
