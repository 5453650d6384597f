package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"tandem/stack"
	"tandem/tenants"
)

// benchConfigCommand measures how long a change of configuration takes until it is live on every one of two workers: from when
// PostgreSQL has committed it until the worker decides by it, which its log says. Each worker is a process with all that it
// does besides; changes come at a fixed rate with exponential gaps, so that some meet one that is still being read.
type benchConfigCommand struct {
	Changes     int     `default:"300" help:"Changes: three of four publish a version, the others suspend a tenant or let it go on."`
	Rate        float64 `default:"10" help:"Changes a second."`
	Tenants     int     `default:"100" help:"Tenants, each with a published version."`
	Devices     int     `default:"20" help:"Users of each tenant, with a device and a flow each."`
	Numbers     int     `default:"10" help:"Numbers of each tenant."`
	StackDir    string  `env:"TANDEM_STACK_DIR" hidden:""`
	PostgresURL string  `env:"TANDEM_POSTGRES_URL" hidden:""`
	AMQPURL     string  `name:"amqp-url" env:"TANDEM_AMQP_URL" hidden:""`
}

// configChange is one change: the revision that it made, and when it was asked for and committed.
type configChange struct {
	revision         int64
	asked, committed time.Time
}

// Run measures and prints lines for people, then the figures.
func (c *benchConfigCommand) Run(ctx context.Context) (err error) {
	if err := stack.Install(ctx, os.Stderr, stack.PostgreSQL, stack.RabbitMQ); err != nil {
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
	y, err := newSystem(ctx, s, systemOptions{Out: os.Stderr, PostgresURL: c.PostgresURL, AMQPURL: c.AMQPURL})
	if err != nil {
		return err
	}
	defer y.Store.Close()
	if err := c.fill(ctx); err != nil {
		return err
	}
	fmt.Printf("%d cores, %s, %d tenants with %d devices and %d numbers each; load average %s\n", runtime.NumCPU(), runtime.Version(), c.Tenants,
		c.Devices, c.Numbers, loadAverage())
	var workers []*stack.Process
	defer func() {
		for _, w := range workers {
			err = errors.Join(err, w.Stop(context.WithoutCancel(ctx)))
		}
	}()
	for _, name := range []string{"bench1", "bench2"} {
		w, err := y.startWorker(ctx, name)
		if err != nil {
			return err
		}
		workers = append(workers, w)
	}
	changes, err := c.change(ctx, y)
	if err != nil {
		return err
	}
	return c.print(ctx, changes, workers)
}

// change makes the changes.
func (c *benchConfigCommand) change(ctx context.Context, y *system) (changes []configChange, err error) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n, due := 0, time.Now(); n < c.Changes; n++ {
		due = due.Add(time.Duration(rng.ExpFloat64() / c.Rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Until(due)):
		}
		tenant := configTenant(1 + rng.IntN(c.Tenants))
		list := tenants.List{ID: "bench", Name: "Bench", Entries: []string{fmt.Sprint(n)}}
		if err := y.Provisioning.SaveList(ctx, tenant, list); err != nil { // a draft: nobody sees it yet
			return nil, err
		}
		one := configChange{asked: time.Now()}
		if n%4 == 3 {
			err = y.Provisioning.SetSuspended(ctx, tenant, n%8 == 3)
		} else {
			_, err = y.Provisioning.Publish(ctx, tenant, "bench", "")
		}
		if err != nil {
			return nil, err
		}
		one.committed = time.Now()
		if one.revision, err = y.Store.Revision(ctx); err != nil {
			return nil, err
		}
		changes = append(changes, one)
	}
	return changes, nil
}

// liveAt reads from a worker's log when it had which revision.
func liveAt(w *stack.Process) (all []configChange, err error) {
	file, err := os.Open(w.Log())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var line struct {
			Time     time.Time
			Msg      string
			Revision int64
		}
		if strings.Contains(lines.Text(), "configuration is live") && json.Unmarshal(lines.Bytes(), &line) == nil {
			all = append(all, configChange{revision: line.Revision, committed: line.Time})
		}
	}
	return all, lines.Err()
}

// print gives how long the changes took until the slower of the workers had them.
func (c *benchConfigCommand) print(ctx context.Context, changes []configChange, workers []*stack.Process) error {
	last := changes[len(changes)-1].revision
	var had [][]configChange
	for _, w := range workers {
		err := await(ctx, "a worker did not get the last change", func(context.Context) (bool, error) {
			all, err := liveAt(w)
			if len(all) > 0 && all[len(all)-1].revision >= last {
				had = append(had, all)
				return true, err
			}
			return false, err
		})
		if err != nil {
			return err
		}
	}
	var fromCommit, fromAsking []time.Duration
	for _, change := range changes {
		var live time.Time
		for _, all := range had {
			i := slices.IndexFunc(all, func(l configChange) bool { return l.revision >= change.revision })
			if all[i].committed.After(live) {
				live = all[i].committed
			}
		}
		// The commit is known when its answer has come: a worker may have been told sooner.
		fromCommit, fromAsking = append(fromCommit, max(0, live.Sub(change.committed))), append(fromAsking, live.Sub(change.asked))
	}
	for name, all := range map[string][]time.Duration{"from the commit": fromCommit, "from asking for it": fromAsking} {
		fmt.Printf("%-18s  of %d changes at %.0f/s: p50 %.1f ms, p99 %.1f ms, most %.1f ms\n", name, len(all), c.Rate, milliseconds(percentile(all, 50)),
			milliseconds(percentile(all, 99)), milliseconds(slices.Max(all)))
	}
	fmt.Printf("the workers read %d and %d snapshots; load average at the end %s\n", len(had[0])-1, len(had[1])-1, loadAverage())
	for _, f := range []figure{{"config_live_p50_ms", milliseconds(percentile(fromCommit, 50))}, {"config_live_p99_ms", milliseconds(percentile(fromCommit, 99))},
		{"config_live_max_ms", milliseconds(slices.Max(fromCommit))}, {"config_live_changes", float64(len(changes))}} {
		fmt.Println(f)
	}
	return nil
}
