package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"tandem/stack"
)

// bench is one measurement under way.
type bench struct {
	options  *benchRouteCommand
	plan     benchPlan
	system   *system
	amqp     *benchAMQP
	load     *load // through RabbitMQ
	profiles int   // that workers were told to leave
}

// benchStart bounds the start of one worker or edge.
const benchStart = 30 * time.Second

func newBench(ctx context.Context, s *stack.Stack, c *benchRouteCommand) (*bench, error) {
	if c.CPUProfile != "" {
		if err := os.MkdirAll(c.CPUProfile, 0o755); err != nil {
			return nil, err
		}
	}
	y, err := newSystem(ctx, s, systemOptions{Out: os.Stderr, PostgresURL: c.PostgresURL, AMQPURL: c.AMQPURL})
	if err != nil {
		return nil, err
	}
	b := &bench{options: c, plan: c.plan(), system: y}
	if err := provisionBench(ctx, y.Provisioning); err != nil {
		y.Store.Close()
		return nil, err
	}
	if b.amqp, err = dialBench(ctx, c.AMQPURL); err != nil {
		y.Store.Close()
		return nil, err
	}
	b.amqp.bodies, err = benchBodies()
	if err != nil {
		b.close()
		return nil, err
	}
	b.load = b.amqp.load()
	return b, nil
}

// end closes the measurement and its servers.
func (b *bench) end() error {
	b.close()
	return b.system.stack.Close()
}

func (b *bench) close() {
	b.amqp.close()
	b.system.Store.Close()
}

// with runs a measurement beside one worker, which is started for it and ended after it: ready asks until it answers.
func (b *bench) with(ctx context.Context, kind string, ready func() bool, measure func(cpu func() (usage, error)) error) (err error) {
	p, err := b.startBenchWorker(ctx, kind)
	if err != nil {
		return err
	}
	b.amqp.expect(kind)
	announcing, stop := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() {
		defer close(told)
		b.amqp.announcing(announcing)
	}()
	defer func() {
		stop()
		<-told
		err = errors.Join(err, p.Stop(context.WithoutCancel(ctx)))
		if forget := b.amqp.forgetLedger(); err == nil {
			err = forget
		}
		if err != nil {
			err = fmt.Errorf("beside the %s worker: %w; its log ends with %q", kind, err, logEnd(p.Log()))
		}
	}()
	starting, cancel := context.WithTimeout(ctx, benchStart)
	defer cancel()
	if err := await(starting, "no right answer came", func(context.Context) (bool, error) {
		if !p.Running() {
			return false, errors.New("it ended")
		}
		_ = b.amqp.announce(ctx) // it may not have listened before
		return ready(), nil
	}); err != nil {
		return err
	}
	return measure(func() (usage, error) { return b.used(p.Pid()) })
}

// used is the processor time until now. That of a broker which tandem stack has started is not known here.
func (b *bench) used(worker int) (u usage, err error) {
	if u.worker, err = cpuOf(worker); err != nil {
		return u, err
	}
	if u.load, err = cpuOf(os.Getpid()); err != nil {
		return u, err
	}
	if broker := b.system.stack.RabbitMQ(); broker != nil {
		u.broker, err = cpuOf(broker.Pid())
	}
	return u, err
}

// throughRabbitMQ measures decisions as an edge would ask for them, without an edge.
func (b *bench) throughRabbitMQ(ctx context.Context) ([]figure, error) {
	rate, err := b.calibrate(ctx)
	if err != nil {
		return nil, err
	}
	var saturated, paced []pair
	for range b.plan.rounds {
		var s, p pair
		for _, one := range []struct {
			kind string
			s, p *measured
		}{{echoWorker, &s.echo, &p.echo}, {routeWorker, &s.route, &p.route}} {
			err := b.with(ctx, one.kind, b.load.settled, func(cpu func() (usage, error)) (err error) {
				if *one.s, err = b.load.saturate(ctx, b.plan.outstanding, b.plan.warmUp, b.plan.saturated, cpu); err != nil {
					return err
				}
				*one.p, err = b.load.pace(ctx, rate, b.plan.paced)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		saturated, paced = append(saturated, s), append(paced, p)
	}
	fmt.Printf("through RabbitMQ alone, %d outstanding, median (least..most) of %d rounds\n", b.plan.outstanding, b.plan.rounds)
	return append(saturation("", saturated), pacing("route_", rate, paced)...), nil
}

// calibrate finds the fixed rate for both workers.
func (b *bench) calibrate(ctx context.Context) (rate int, err error) {
	const step = 50
	err = b.with(ctx, echoWorker, b.load.settled, func(cpu func() (usage, error)) error {
		m, err := b.load.saturate(ctx, b.plan.outstanding, b.plan.warmUp, b.plan.saturated, cpu)
		rate = max(int(math.Round(m.perSecond*b.plan.share/step))*step, step)
		return err
	})
	return rate, err
}

// throughKamailio measures INVITE to 404.
func (b *bench) throughKamailio(ctx context.Context) ([]figure, error) {
	if err := b.system.addresses(); err != nil {
		return nil, err
	}
	edge, err := b.system.startEdge(ctx)
	if err != nil {
		return nil, err
	}
	sip, err := dialSIP(b.system.Edge)
	if err != nil {
		return nil, err
	}
	defer sip.close()
	ready := func() bool {
		_ = b.amqp.configure(ctx, benchTrunk)
		return sip.load.settled()
	}
	var saturated []pair
	paced := make([][]pair, len(b.plan.sipRates))
	for range b.plan.rounds {
		var s pair
		p := make([]pair, len(b.plan.sipRates))
		for _, kind := range []string{echoWorker, routeWorker} {
			of := func(p *pair) *measured {
				if kind == echoWorker {
					return &p.echo
				}
				return &p.route
			}
			err := b.with(ctx, kind, ready, func(cpu func() (usage, error)) (err error) {
				for i, rate := range b.plan.sipRates {
					if *of(&p[i]), err = sip.load.pace(ctx, rate, b.plan.sipPaced); err != nil {
						return err
					}
				}
				*of(&s), err = sip.load.saturate(ctx, b.plan.outstanding, b.plan.warmUp, b.plan.saturated, cpu)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%w; Kamailio's log ends with %q", err, logEnd(edge.Log()))
			}
		}
		saturated = append(saturated, s)
		for i := range p {
			paced[i] = append(paced[i], p[i])
		}
	}
	fmt.Printf("through Kamailio, INVITE to 404, %d outstanding, median (least..most) of %d rounds\n", b.plan.outstanding, b.plan.rounds)
	figures := saturation("kamailio_", saturated)
	for i, rate := range b.plan.sipRates {
		found := pacing("kamailio_", rate, paced[i])
		if i == len(b.plan.sipRates)-1 {
			figures = append(figures, found...)
		}
	}
	return figures, edge.Stop(ctx)
}

// logEnd is the end of a log file, which goes with the stack.
func logEnd(file string) string {
	const most = 500 // bytes
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(len(text)-most, 0):])
}
