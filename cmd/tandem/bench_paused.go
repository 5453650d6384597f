package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/rabbit"
)

// benchPausedCommand measures how long an INVITE waits for its answer while one of two route workers is paused (SIGSTOP):
//
//	load --- SIP ---> Kamailio --- AMQP ---> RabbitMQ ---> two workers
//
// Each round has a time in which both run, a pause of one, and a time in which it has been woken. INVITEs come at a fixed
// rate all the while and are refused with 404.
type benchPausedCommand struct {
	Rounds      int           `default:"10" help:"How often the worker is paused."`
	Rate        int           `default:"100" help:"INVITEs a second."`
	For         time.Duration `default:"2s" help:"How long each time."`
	Prefetch    int           `default:"${route_prefetch}" help:"Requests that each worker may hold at once."`
	StackDir    string        `env:"TANDEM_STACK_DIR" hidden:""`
	PostgresURL string        `env:"TANDEM_POSTGRES_URL" hidden:""`
	AMQPURL     string        `name:"amqp-url" env:"TANDEM_AMQP_URL" hidden:""`
}

// The times of a round.
const (
	bothRun   = "both run"
	onePaused = "one paused"
	oneWoken  = "one woken"
)

// benchPaused is that measurement under way.
type benchPaused struct {
	*bench
	options *benchPausedCommand
	sip     *benchSIP
	took    map[string][]time.Duration
	sent    map[string]int
	again   map[string]int // questions that the edge asked a second time
	failed  map[string]int // INVITEs without an answer, or with another than 404
}

// Run measures and prints.
func (c *benchPausedCommand) Run(ctx context.Context) (err error) {
	r := &benchRouteCommand{Short: true, Prefetch: c.Prefetch, StackDir: c.StackDir, PostgresURL: c.PostgresURL, AMQPURL: c.AMQPURL}
	b, err := r.start(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.end()) }()
	p := &benchPaused{bench: b, options: c, took: map[string][]time.Duration{}, sent: map[string]int{}, again: map[string]int{}, failed: map[string]int{}}
	if err := b.system.addresses(); err != nil {
		return err
	}
	edge, err := b.system.startEdge(ctx)
	if err != nil {
		return err
	}
	if p.sip, err = dialSIP(b.system.Edge); err != nil {
		return err
	}
	defer p.sip.close()
	ready := func() bool {
		_ = b.amqp.configure(ctx, benchTrunk)
		return p.sip.load.settled()
	}
	fmt.Printf("INVITE to 404 at %d/s, load average %s\n", c.Rate, loadAverage())
	err = b.with(ctx, routeWorker, ready, func(func() (usage, error)) error { return p.rounds(ctx) })
	if err != nil {
		return fmt.Errorf("%w; Kamailio's log ends with %q", err, logEnd(edge.Log()))
	}
	fmt.Printf("load average at the end %s\n", loadAverage())
	return p.print()
}

// rounds pauses and wakes a second worker.
func (p *benchPaused) rounds(ctx context.Context) (err error) {
	second, err := p.startBenchWorker(ctx, routeWorker)
	if err != nil {
		return err
	}
	defer func() {
		second.Resume()
		err = errors.Join(err, second.Stop(context.WithoutCancel(ctx)))
	}()
	for range p.options.Rounds {
		if err := p.awaitBoth(ctx); err != nil {
			return err
		}
		if err := p.during(ctx, bothRun); err != nil {
			return err
		}
		second.Pause()
		if err := p.during(ctx, onePaused); err != nil {
			return err
		}
		second.Resume()
		if err := p.during(ctx, oneWoken); err != nil {
			return err
		}
	}
	return nil
}

// awaitBoth waits until both workers take requests.
func (p *benchPaused) awaitBoth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, benchStart)
	defer cancel()
	return await(ctx, "the second worker takes no requests", func(context.Context) (bool, error) {
		q, err := p.amqp.requests.QueueInspect(rabbit.QueueRoute)
		return q.Consumers == 2*rabbit.RouteLanes, err
	})
}

// during sends INVITEs for one time of a round.
func (p *benchPaused) during(ctx context.Context, when string) error {
	before, err := p.askedAgain(ctx)
	if err != nil {
		return err
	}
	m, err := p.sip.load.pace(ctx, p.options.Rate, p.options.For)
	if err != nil {
		return err
	}
	after, err := p.askedAgain(ctx)
	p.took[when] = append(p.took[when], p.sip.load.times()...)
	p.sent[when] += m.sent
	p.failed[when] += m.lost + m.wrong
	p.again[when] += after - before
	return err
}

// askedAgain is the edge's own count.
func (p *benchPaused) askedAgain(ctx context.Context) (int, error) {
	text, err := p.system.askEdge(ctx, "pv.shvGet", "asked_again")
	if err != nil {
		return 0, err
	}
	_, value, _ := strings.Cut(text, "value: ")
	value, _, _ = strings.Cut(value, "\n")
	return strconv.Atoi(value)
}

// print gives what each time of the rounds came to, all rounds together.
func (p *benchPaused) print() error {
	for _, when := range []string{bothRun, onePaused, oneWoken} {
		all := p.took[when]
		slices.Sort(all)
		if len(all) == 0 {
			return errors.New("nothing was measured")
		}
		fmt.Printf("%-10s  of %d INVITEs %d asked again, %d without the right answer; p50 %.1f ms, p99 %.1f ms, most %.1f ms\n", when, p.sent[when], p.again[when],
			p.failed[when], milliseconds(percentile(all, 50)), milliseconds(percentile(all, 99)), milliseconds(all[len(all)-1]))
	}
	paused := p.took[onePaused]
	for _, f := range []figure{
		{"paused_worker_p50_ms", milliseconds(percentile(paused, 50))}, {"paused_worker_p99_ms", milliseconds(percentile(paused, 99))},
		{"paused_worker_max_ms", milliseconds(paused[len(paused)-1])}, {"paused_worker_unanswered", float64(p.failed[onePaused])},
	} {
		fmt.Println(f)
	}
	return nil
}
