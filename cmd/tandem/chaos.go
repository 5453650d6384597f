package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"tandem/esl"
	"tandem/stack"
	"tandem/tenants"
)

// chaosCommand lets faults fall on the owner of a media node while calls are up, and measures what callers could notice.
//
//	phones (SIPp) ── Kamailio ── media node ── tap ──┬── worker a ──┐
//	                                                 └── worker b ──┴── link, PostgreSQL, RabbitMQ, each through a wire
//
// A round waits until the node has an owner and a standby, brings calls into several phases, and strikes the owner in the
// instant in which one call needs its next command. The gap ends with that command, as the tap sees it go to the node.
type chaosCommand struct {
	Rounds      int    `default:"200" help:"Rounds of each fault."`
	Only        string `enum:"all,kill,pause,cut" default:"all" help:"Only this fault: ${enum}."`
	FreeSWITCH  string `name:"freeswitch" env:"TANDEM_FREESWITCH" type:"path" help:"Binary of a FreeSWITCH; the stand-in unless given."`
	Keep        string `type:"path" help:"Folder in which the workers' logs, and the messages of phones that failed, are kept."`
	StackDir    string `env:"TANDEM_STACK_DIR" hidden:"" help:"Set by tandem stack, whose servers are then used; otherwise private ones are started."`
	PostgresURL string `env:"TANDEM_POSTGRES_URL" hidden:""`
	AMQPURL     string `name:"amqp-url" env:"TANDEM_AMQP_URL" hidden:""`
}

// Bounds of a run.
const (
	chaosStart     = 2 * time.Minute
	chaosPatience  = 20 * time.Second // for whatever must happen in a round
	chaosSpread    = 600 * time.Millisecond
	chaosRegister  = time.Hour
	chaosSettle    = time.Minute           // for the records of the last calls
	chaosNotes     = 100                   // failures that are told
	chaosSlow      = 50 * time.Millisecond // a gap after a kill that is looked at
	chaosCompanies = 3
	maxTurns       = 3 // times the rounds that are wanted
)

// chaos is one run.
type chaos struct {
	keep      string
	stack     *stack.Stack
	system    *system
	tap       *tap
	edge      *stack.Process
	workers   []*chaosWorker
	observer  *esl.Conn
	companies []*chaosCompany

	mu      sync.Mutex
	legs    map[string]bool // that the node has had
	gaps    map[fault][]time.Duration
	byScene map[string][]time.Duration
	ends    map[string]int // by scene: the phones that failed in its rounds, which are over
	dialogs int
	dropped int
	out     bool     // failures are told at once
	told    []string // failures
	// unprovoked counts rounds in which another worker had taken the node before the fault.
	unprovoked int
}

// Run measures and prints lines for people, then the figures. It fails when a call or a record was lost or doubled.
func (c *chaosCommand) Run(ctx context.Context) (err error) {
	if err := stack.Install(ctx, os.Stderr, demoPrograms()...); err != nil {
		return err
	}
	s, err := stack.Start(ctx, stack.Options{Out: os.Stderr, PostgreSQL: c.StackDir == "", RabbitMQ: c.StackDir == ""})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.StackDir == "" {
		c.PostgresURL, c.AMQPURL = s.PostgresURL, s.AMQPURL
	}
	run := newChaos(s)
	run.keep, run.out = c.Keep, true
	starting, cancel := context.WithTimeout(ctx, chaosStart)
	defer cancel()
	defer run.end()
	if err := run.start(starting, c); err != nil {
		return err
	}
	if err := run.faults(ctx, c); err != nil {
		return err
	}
	return run.judge(ctx)
}

func newChaos(s *stack.Stack) *chaos {
	return &chaos{stack: s, legs: map[string]bool{}, gaps: map[fault][]time.Duration{}, byScene: map[string][]time.Duration{}, ends: map[string]int{}}
}

// start brings everything up.
func (c *chaos) start(ctx context.Context, o *chaosCommand) error {
	engine := "the stand-in"
	if o.FreeSWITCH != "" {
		engine = "FreeSWITCH"
	}
	if c.out {
		say("%d cores, %s, media node: %s; load average %s", runtime.NumCPU(), runtime.Version(), engine, loadAverage())
	}
	y, err := newSystem(ctx, c.stack, systemOptions{Out: os.Stderr, Name: "chaos", PostgresURL: o.PostgresURL, AMQPURL: o.AMQPURL, FreeSWITCH: o.FreeSWITCH})
	if err != nil {
		return err
	}
	c.system = y
	if err := y.addresses(); err != nil {
		return err
	}
	if err := c.startNode(ctx); err != nil {
		return err
	}
	for n := range chaosCompanies {
		m, err := c.newChaosCompany(ctx, n)
		if err != nil {
			return err
		}
		c.companies = append(c.companies, m)
	}
	if c.edge, err = y.startEdge(ctx); err != nil {
		return err
	}
	for _, name := range []string{"a", "b"} {
		w, err := newChaosWorker(y, name, c.tap)
		if err != nil {
			return err
		}
		c.workers = append(c.workers, w)
		if err := w.start(ctx, c.stack); err != nil {
			return err
		}
	}
	return y.awaitReady(ctx)
}

// startNode starts the node, and has the workers reach it through the tap.
func (c *chaos) startNode(ctx context.Context) error {
	if _, err := c.system.startNode(ctx, "node1"); err != nil {
		return err
	}
	data, err := c.system.Store.LoadData(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(data.Nodes, func(n tenants.Node) bool { return n.Name == "node1" })
	if at < 0 {
		return errors.New("the media node is not in the configuration")
	}
	node := data.Nodes[at]
	if err := c.observe(ctx, node.EventSocket); err != nil {
		return err
	}
	if c.tap, err = newTap(node.EventSocket); err != nil {
		return err
	}
	node.EventSocket = c.tap.address()
	return c.system.Provisioning.AddNode(ctx, node)
}

// end ends workers and edge while their servers are there, and keeps the logs, if they are wanted.
func (c *chaos) end() {
	ctx, cancel := context.WithTimeout(context.Background(), chaosPatience)
	defer cancel()
	for _, w := range c.workers {
		if w.process != nil {
			_ = w.process.Stop(ctx) // the stack tells of what survives
			c.keepLog(w)
		}
	}
	if c.edge != nil {
		_ = c.edge.Stop(ctx)
	}
	if c.observer != nil {
		_ = c.observer.Close()
	}
	if c.system != nil {
		c.system.Store.Close()
	}
}

func (c *chaos) keepLog(w *chaosWorker) {
	if c.keep == "" {
		return
	}
	text, err := os.ReadFile(w.process.Log())
	if err == nil {
		err = os.WriteFile(filepath.Join(c.keep, w.name+".log"), text, 0o644)
	}
	if err != nil {
		say("the log of worker %s is not kept: %v", w.name, err)
	}
}

// faults goes through all rounds, the faults by turns. A round that says nothing about its fault is made again.
func (c *chaos) faults(ctx context.Context, o *chaosCommand) error {
	began := time.Now()
	for turn, done := 1, false; !done; turn++ {
		done = true
		for _, f := range []fault{faultKill, faultPause, faultCut} {
			if o.Only != "all" && o.Only != string(f) || len(c.gaps[f]) >= o.Rounds {
				continue
			}
			done = false
			if turn > maxTurns*o.Rounds {
				return errors.New("too many rounds say nothing about their faults")
			}
			if err := c.one(ctx, f); err != nil {
				return err
			}
		}
		if turn%10 == 0 && !done {
			say("%d turns after %s; %d phones, %d of them failed", turn, time.Since(began).Round(time.Second), c.dialogs, c.dropped)
		}
	}
	return nil
}

// one makes a round of a fault, on the scene whose turn it is.
func (c *chaos) one(ctx context.Context, f fault) error {
	all := slices.DeleteFunc(scenes(), func(s scene) bool { return s.kill && f != faultKill })
	s := all[len(c.gaps[f])%len(all)]
	if s.idle { // besides, for it has no gap
		if err := c.round(ctx, f, s, c.free()); err != nil {
			return err
		}
		s = all[0]
	}
	return c.round(ctx, f, s, c.free())
}

// free gives the companies by turns.
func (c *chaos) free() *chaosCompany {
	m := c.companies[0]
	c.companies = append(c.companies[1:], m)
	return m
}

// note keeps a failure and tells of it, up to a bound.
func (c *chaos) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told = append(c.told, fmt.Sprintf(format, args...)); c.out && len(c.told) <= chaosNotes {
		say("%s", c.told[len(c.told)-1])
	}
}
