package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tandem/explain"
	"tandem/messages"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/tenants"
)

// replayCommand says which calls that were made would have gone differently under another configuration of their tenant.
type replayCommand struct {
	Tenant      string `required:"" help:"Id of the tenant whose calls are replayed."`
	Since       string `required:"" help:"Calls that began then or later: 2006-01-02T15:04:05Z, 2006-01-02 (UTC), or how long ago, as 24h."`
	Until       string `help:"Calls that began before then, likewise; now unless given."`
	Draft       bool   `help:"Under the tenant's draft, as it would be published now."`
	Version     int64  `help:"Under this published version."`
	PostgresURL string `required:"" env:"TANDEM_POSTGRES_URL" help:"PostgreSQL."`
	JSON        bool   `name:"json" help:"Print JSON."`
}

// What a replay may be asked for that is not there.
var (
	errNoTenant  = errors.New("there is no such tenant")
	errNoVersion = errors.New("the tenant has no such version")
)

// waitingPerCore is how many calls are held ready for each core.
const waitingPerCore = 16

// Run replays.
func (c *replayCommand) Run(ctx context.Context) error { return c.run(ctx, os.Stdout, time.Now()) }

func (c *replayCommand) run(ctx context.Context, out io.Writer, now time.Time) error {
	of, err := c.period(now)
	if err != nil {
		return err
	}
	words, err := explain.Catalog()
	if err != nil {
		return err
	}
	store, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer store.Close()
	r, err := c.replay(ctx, store, of)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	return r.print(out, words)
}

// period is which calls are meant.
func (c *replayCommand) period(now time.Time) (of postgres.CallsOf, err error) {
	if c.Draft == (c.Version != 0) {
		return of, errors.New("give either --draft or --version")
	}
	of = postgres.CallsOf{Tenant: c.Tenant, Until: now}
	if of.Since, err = readMoment(c.Since, now); err != nil {
		return of, fmt.Errorf("--since: %w", err)
	}
	if c.Until != "" {
		if of.Until, err = readMoment(c.Until, now); err != nil {
			return of, fmt.Errorf("--until: %w", err)
		}
	}
	if !of.Since.Before(of.Until) {
		return of, errors.New("--since is not before --until")
	}
	return of, nil
}

// readMoment reads a time, a day, or how long before now.
func readMoment(text string, now time.Time) (time.Time, error) {
	for _, form := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(form, text); err == nil {
			return at, nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return now, fmt.Errorf("%q is neither a time (2006-01-02T15:04:05Z), nor a day (2006-01-02), nor how long ago (24h)", text)
}

// under is the configuration that is tried.
func (c *replayCommand) under(ctx context.Context, store *postgres.Store, versions *tenantVersions) (*tenants.Snapshot, error) {
	if c.Draft {
		document, err := (&provisioning.Service{Store: store}).Preview(ctx, c.Tenant)
		if err != nil {
			return nil, fmt.Errorf("the draft: %w", err)
		}
		return versions.with("the draft", document), nil
	}
	s, err := versions.get(ctx, c.Version)
	if err == nil && s == nil {
		err = fmt.Errorf("%w: %s, %d", errNoVersion, c.Tenant, c.Version)
	}
	return s, err
}

func (c *replayCommand) underWords() string {
	if c.Draft {
		return "the draft"
	}
	return versionWords(c.Version)
}

// replayAll replays calls on all cores. They are read by one, in order, and wait in a bounded queue.
func replayAll(ctx context.Context, store *postgres.Store, versions *tenantVersions, of postgres.CallsOf, under *tenants.Snapshot, summary *explain.Summary) (*explain.Summary, error) {
	type job struct {
		call    string
		then    *tenants.Snapshot
		journal []messages.JournalEntry
	}
	cores := runtime.GOMAXPROCS(0)
	jobs := make(chan job, waitingPerCore*cores)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(jobs)
		return store.EachJournal(ctx, of, func(call string, journal []messages.JournalEntry) error {
			j := job{call: call, journal: journal}
			if len(journal) > 0 {
				var err error
				if j.then, err = versions.of(ctx, journal); err != nil {
					return err
				}
			}
			select {
			case jobs <- j:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	var adding sync.Mutex
	for range cores {
		group.Go(func() error {
			for j := range jobs {
				r := explain.Replay(j.then, under, j.journal)
				r.Call = j.call // one without a journal has it from nowhere else
				adding.Lock()
				summary.Add(r)
				adding.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	summary.Sort()
	return summary, nil
}
