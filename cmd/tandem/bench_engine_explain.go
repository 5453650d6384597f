package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/nodes"
	"tandem/rabbit"
	"tandem/routing"
	"tandem/stack"
	"tandem/tenants"
)

// journalled is a step as package nodes journals it.
func journalled(c callflows.Config, before callflows.State, e callflows.Event, out callflows.Outcome, n int) (messages.JournalEntry, error) {
	input, err := json.Marshal(e)
	if err != nil {
		return messages.JournalEntry{}, err
	}
	commands, err := json.Marshal(out.Commands)
	call := out.State.Call
	return messages.JournalEntry{Call: call.ID, Tenant: call.Tenant, Source: messages.SourceCallflow, Leg: call.Leg, N: n, At: e.At, Version: call.Version,
		Element: callflows.ElementBefore(c, before, e), Because: out.Because, Input: input, Output: commands}, err
}

// explaining compares what whole calls cost a worker: a decision for an edge, and a call that package nodes drives over a real event
// socket against a node of recorded events, half of the calls in a menu, each ringing three phones of which one answers. CDRs go to
// RabbitMQ, confirmed. With explanations, each decision and each step besides says why and is journalled, and the journal
// goes to RabbitMQ, too. Without, no reason is made and nothing is journalled: all else is the same code. The node and the broker
// are processes of their own, whose time does not count.
func (c *benchEngineCommand) explaining(ctx context.Context) (figures []figure, err error) {
	if c.AMQPURL == "" {
		if err := stack.Install(ctx, os.Stderr, stack.RabbitMQ); err != nil {
			return nil, err
		}
		s, err := stack.Start(ctx, stack.Options{Out: os.Stderr, RabbitMQ: true})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		c.AMQPURL = s.AMQPURL
	}
	calls := 3000
	if c.Short {
		calls = 100
	}
	measure := func(explained bool) (microseconds float64, err error) {
		return c.worker(ctx, calls, explained)
	}
	for _, explained := range []bool{true, false} { // warm
		if _, err := measure(explained); err != nil {
			return nil, err
		}
	}
	var with, without, cost series
	for range c.Rounds {
		a, err := measure(true)
		if err != nil {
			return nil, err
		}
		b, err := measure(false)
		if err != nil {
			return nil, err
		}
		with, without, cost = append(with, a), append(without, b), append(cost, 1-b/a)
	}
	fmt.Printf("  a whole call, us of a worker's processor time: explained %s  not %s  share of throughput %s\n", with.spread(), without.spread(), cost.spread())
	return []figure{{"explain_cost", cost.median()}, {"call_cpu_us", with.median()}}, nil
}

// explainedWorld is what a worker needs besides node and broker.
type explainedWorld struct {
	parkedWorld
	ledger *rabbit.Ledger
	left   atomic.Int64 // callers' legs that have not ended
	over   chan struct{}
	once   sync.Once
}

func (w *explainedWorld) AddCDR(r messages.CDR) {
	w.ledger.AddCDR(r)
	if r.Role == messages.RoleCaller && w.left.Add(-1) == 0 {
		w.once.Do(func() { close(w.over) })
	}
}

func (w *explainedWorld) AddJournal(e messages.JournalEntry) { w.ledger.AddJournal(e) }

// worker drives so many calls, and says what each took.
func (c *benchEngineCommand) worker(ctx context.Context, calls int, explained bool) (microseconds float64, err error) {
	dir, err := os.MkdirTemp("", "tandem-bench-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	client, err := rabbit.Connect(ctx, rabbit.Options{URL: c.AMQPURL, Name: "bench", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	defer client.Close()
	w := &explainedWorld{over: make(chan struct{})}
	w.left.Store(int64(calls))
	if w.ledger, err = client.OpenLedger(rabbit.LedgerOptions{StateDir: dir}); err != nil {
		return 0, err
	}
	child, err := startEslChild(ctx, "parked", "--captures", c.Captures, "--calls", strconv.Itoa(calls), "--whole")
	if err != nil {
		return 0, errors.Join(err, w.ledger.Close(ctx))
	}
	defer func() { err = errors.Join(err, child.stop()) }()
	before, err := processorTimeUsed()
	if err != nil {
		return 0, err
	}
	err = errors.Join(w.drive(ctx, child.address, calls, explained), w.ledger.Close(ctx)) // with what has still to be sent
	after, used := processorTimeUsed()
	return float64((after - before).Microseconds()) / float64(calls), errors.Join(err, used)
}

// drive decides and drives all calls.
func (w *explainedWorld) drive(ctx context.Context, address string, calls int, explained bool) error {
	snapshot, err := parkedSnapshot()
	if err != nil {
		return err
	}
	if err := w.route(calls, explained); err != nil {
		return err
	}
	owning, stop := context.WithCancel(ctx)
	var own sync.WaitGroup
	own.Go(func() {
		nodes.Own(owning, nodes.Options{Node: tenants.Node{Name: "node1", SIPURI: "sip:192.0.2.10:5060", EventSocket: address},
			Password: eslPassword, Profile: "internal", Worker: "bench", Snapshot: func() *tenants.Snapshot { return snapshot },
			Ledger: w, Contacts: w, Announcer: w, Live: w, Prompts: nodes.Prompts(nodes.Sounds{Folder: "/sounds"}), Unexplained: !explained, Logger: slog.New(slog.DiscardHandler)})
	})
	defer func() { stop(); own.Wait() }()
	patience, cancel := context.WithTimeout(ctx, eslPatience)
	defer cancel()
	select {
	case <-w.over:
		return nil
	case <-patience.Done():
		return fmt.Errorf("%d of %d calls have not ended", w.left.Load(), calls)
	}
}

// route decides as many calls as come.
func (w *explainedWorld) route(calls int, explained bool) error {
	snapshot, faults := tenants.NewSnapshot(customers(1, customerNumbers), callflows.ParseSettings)
	if len(faults) > 0 {
		return faults[0]
	}
	a, err := newBenchQuestions(customerNumbers, 1)
	if err != nil {
		return err
	}
	for range calls {
		m, r, err := a.read()
		if err != nil {
			return err
		}
		a.facts.At = time.Now().UTC()
		decide := routing.Decide
		if !explained {
			decide = routing.DecideUnexplained
		}
		d := decide(snapshot, a.facts, r)
		if d.Verdict != messages.Route {
			return errors.New("a call is refused")
		}
		if _, err := messages.Encode(routing.Answer(m, d)); err != nil {
			return err
		}
		if explained {
			var e messages.JournalEntry
			e, a.journal = routing.Journal(a.journal, a.facts, r, d)
			w.ledger.AddJournal(e)
		}
	}
	return nil
}
