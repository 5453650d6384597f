package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tandem/callflows"
	fetcher "tandem/fetch"
	"tandem/media"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/rabbit"
)

// The roles that a worker can have. One process may have all of them.
const (
	roleRoute = "route" // answer the edges' routing requests
	roleCalls = "calls" // own media nodes and drive their calls
	roleJobs  = "jobs"  // write ledger and registrations to PostgreSQL
	roleAPI   = "api"   // serve HTTP
)

// serveCommand runs a worker.
type serveCommand struct {
	PostgresURL  string         `required:"" env:"TANDEM_POSTGRES_URL" help:"PostgreSQL."`
	AMQPURL      string         `required:"" name:"amqp-url" env:"TANDEM_AMQP_URL" help:"RabbitMQ: amqp://user:password@host:port/vhost."`
	StateDir     string         `required:"" env:"TANDEM_STATE_DIR" help:"Folder for local snapshots and the spool of CDRs; one for each worker." type:"path"`
	HTTPAddress  string         `env:"TANDEM_HTTP_ADDRESS" default:"127.0.0.1:8080" help:"Where the API listens."`
	Name         string         `env:"TANDEM_WORKER" help:"Name of this worker; the host's name unless given."`
	Roles        []string       `env:"TANDEM_ROLES" default:"route,calls,jobs,api" enum:"route,calls,jobs,api" help:"What this worker does."`
	NodePassword string         `env:"TANDEM_NODE_PASSWORD" help:"Password of the media nodes' event sockets."`
	OperatorKey  string         `env:"TANDEM_OPERATOR_KEY" help:"API key of the operator, tdo_ and 26 characters at least, the same for all workers; without it each worker makes one when it starts, in its state folder."`
	LinkAddress  string         `env:"TANDEM_LINK_ADDRESS" default:"127.0.0.1:0" help:"host:port where the standby of this worker's nodes connects; workers on other machines must reach it."`
	LinkReached  string         `env:"TANDEM_LINK_REACHED" help:"host:port by which other workers reach it, when that is another one, as behind a NAT."`
	NodeProfile  string         `env:"TANDEM_NODE_PROFILE" default:"internal" help:"Sofia profile by which media nodes send calls."`
	Sounds       string         `env:"TANDEM_SOUNDS" default:"tandem" help:"Folder of prompts on the media nodes."`
	FetchAllow   []netip.Prefix `env:"TANDEM_FETCH_ALLOW" help:"Networks that flows and webhooks may ask over HTTP although they are private: 10.1.2.0/24."`
	MediaDir     string         `env:"TANDEM_MEDIA_DIR" help:"Folder of recordings and prompts, shared with the other workers and the media nodes; without it nothing is recorded." type:"path"`
	NodeMediaDir string         `env:"TANDEM_NODE_MEDIA_DIR" help:"The same folder as the media nodes see it, when that is another path."`
	Speech       string         `env:"TANDEM_TTS" help:"Engine for text to speech that the media nodes have loaded, and its voice: flite/kal. Without it nothing is spoken."`
	IgnoreCPU    bool           `name:"ignore-node-cpu" env:"TANDEM_IGNORE_NODE_CPU" help:"Do not judge by its machine's processors whether a media node is overloaded: for machines that do other work."`
	Phones       phoneFlags     `embed:""`
	Prefetch     int            `env:"TANDEM_ROUTE_PREFETCH" default:"${route_prefetch}" help:"Routing requests that this worker may hold at once; a paused one holds them up."`
}

// worker is one running process: the adapters, and the facts that they feed.
type worker struct {
	settings serveCommand
	log      *slog.Logger
	store    *postgres.Store
	apiStore *postgres.Store // of those who ask by HTTP: row level security holds for it
	source   *postgres.Source
	rabbit   *rabbit.Client
	ledger   *rabbit.Ledger
	facts    *facts
	nodes    ownedNodes
	fences   fences
	fetcher  *fetcher.Client
	media    *media.Folder // nil: there is none
	prompts  media.Prompts
	meters   *meters
	streams  api.Streams
	decided  sync.Pool // of *decided

	rest        *api.API
	phones      provisioning.PhoneSettings
	operatorKey string     // of whoever operates this worker, for as long as it runs
	limits      api.Limits // how often each caller may ask; zero: the usual

	replaying atomic.Bool // calls, for somebody who asked by HTTP
	running   sync.WaitGroup
}

// What a decision leaves behind is garbage at once, and collecting it took a tenth of a worker's time. So the heap may grow to
// nine times what is live before it is collected, or by gcRoom where that is less: the configuration of a large platform alone
// may be gigabytes.
const (
	gcPercent = 800
	gcRoom    = 2 << 30          // bytes
	gcLook    = 10 * time.Second // between looks at what is live
)

// relaxGC sets how far the heap may grow, by what is live now, unless the environment does (GOGC, GOMEMLIMIT).
func relaxGC() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := gcPercent
	if live[0].Value.Kind() == metrics.KindUint64 {
		percent = gcPercentOf(live[0].Value.Uint64())
	}
	debug.SetGCPercent(percent)
}

// gcPercentOf is how far the heap may grow, in percent of what is live.
func gcPercentOf(live uint64) int {
	return int(max(min(gcPercent, gcRoom*100/max(live, 1)), gcLeast))
}

// gcLeast is the least, in percent: with less, collecting would be most of the work.
const gcLeast = 25

// keepGCRelaxed looks again and again: a configuration may have come or gone.
func keepGCRelaxed(ctx context.Context) {
	look := time.NewTicker(gcLook)
	defer look.Stop()
	last := uint64(0)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		// Setting it stops the world for a moment: not without need.
		if metrics.Read(live); live[0].Value.Uint64()/(gcRoom/16) != last/(gcRoom/16) {
			last = live[0].Value.Uint64()
			relaxGC()
		}
	}
}

// operatorKeyLetters is how long the operator's key is at least, besides what it begins with: 130 bits in base32.
const operatorKeyLetters = 26

// Bounds of stopping a worker.
const flushWait = 5 * time.Second

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error {
	if c.Name == "" {
		name, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the worker needs a name (TANDEM_WORKER): %w", err)
		}
		c.Name = name
	}
	if slices.Contains(c.Roles, roleCalls) && c.NodePassword == "" {
		return errors.New("TANDEM_NODE_PASSWORD is not set: the media nodes' event sockets have no default password")
	}
	if k := c.OperatorKey; k != "" && (!strings.HasPrefix(k, api.OperatorPrefix) || len(k) < len(api.OperatorPrefix)+operatorKeyLetters) {
		return errors.New("TANDEM_OPERATOR_KEY is not tdo_ and 26 characters at least, by chance")
	}
	relaxGC()
	relaxed := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	defer func() { stop(); <-relaxed }()
	go func() {
		defer close(relaxed)
		keepGCRelaxed(ctx)
	}()
	w := &worker{settings: *c, log: newLogger().With(slog.String("worker", c.Name))}
	return w.run(ctx)
}

func (w *worker) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := w.open(ctx); err != nil {
		return err
	}
	defer w.close()
	w.start(ctx, cancel, "configuration", w.source.Run)
	select {
	case <-w.source.Ready():
	case <-ctx.Done():
		return stopped(ctx)
	}
	w.facts.begin(ctx)
	w.start(ctx, cancel, "facts", w.facts.follow)
	w.start(ctx, cancel, "sweep", w.facts.sweep)
	if slices.Contains(w.settings.Roles, roleCalls) {
		w.start(ctx, cancel, "credentials", w.forgetCredentials)
	}
	if w.facts.carries() {
		w.start(ctx, cancel, "dialogs", w.facts.askDialogs)
	}
	for role, run := range map[string]func(context.Context) error{roleRoute: w.route, roleCalls: w.calls, roleJobs: w.jobs, roleAPI: w.api} {
		if slices.Contains(w.settings.Roles, role) {
			w.start(ctx, cancel, role, run)
		}
	}
	if slices.Contains(w.settings.Roles, roleAPI) {
		w.start(ctx, cancel, "phones", w.phoneFiles)
	}
	w.log.InfoContext(ctx, "worker is up", slog.Any("roles", w.settings.Roles), slog.Int64("revision", w.source.Current().Revision()))
	<-ctx.Done()
	return stopped(ctx)
}

// stopped is nil for an orderly stop.
func stopped(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// open makes the adapters. None of them needs its server to be there.
func (w *worker) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(w.settings.StateDir, 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	if w.phones, err = w.settings.Phones.settings(); err != nil {
		return err
	}
	if w.store, err = postgres.Open(ctx, w.settings.PostgresURL); err != nil {
		return err
	}
	if w.apiStore, err = postgres.OpenAPI(ctx, w.settings.PostgresURL); err != nil {
		w.store.Close()
		return err
	}
	if w.operatorKey = w.settings.OperatorKey; w.operatorKey == "" {
		w.operatorKey, _ = api.NewSecret(api.OperatorPrefix)
	}
	w.source = &postgres.Source{Store: w.store, Dir: filepath.Join(w.settings.StateDir, "snapshots"), Parse: callflows.ParseSettings, Log: w.log}
	if w.rabbit, err = rabbit.Connect(ctx, rabbit.Options{URL: w.settings.AMQPURL, Name: w.settings.Name, Logger: w.log}); err != nil {
		w.closeStores()
		return err
	}
	if w.ledger, err = w.rabbit.OpenLedger(rabbit.LedgerOptions{StateDir: w.settings.StateDir, OnSafe: w.nodes.safe}); err != nil {
		w.rabbit.Close()
		w.closeStores()
		return err
	}
	w.fetcher = fetcher.New(w.settings.FetchAllow)
	w.facts, w.meters = &facts{worker: w}, newMeters()
	w.facts.calls.Above = w.tenantsAbove
	return w.openMedia()
}

func (w *worker) closeStores() {
	w.apiStore.Close()
	w.store.Close()
}

// close stops in the order in which things depend on each other: who makes records first, then who keeps them.
func (w *worker) close() {
	w.running.Wait()
	w.fetcher.Close()
	ctx, cancel := context.WithTimeout(context.Background(), flushWait)
	defer cancel()
	if err := w.ledger.Close(ctx); err != nil {
		w.log.Warn("the ledger was not flushed; CDRs are in the spool", slog.Any("error", err))
	}
	w.rabbit.Close()
	w.closeStores()
	if w.media != nil {
		_ = w.media.Close()
	}
}

// start runs one part of the worker. A part that fails ends the worker, so that whoever supervises it sees.
func (w *worker) start(ctx context.Context, cancel context.CancelCauseFunc, name string, run func(context.Context) error) {
	w.running.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			cancel(fmt.Errorf("%s: %w", name, err))
		}
	})
}

// every does something at regular times until ctx ends.
func every(ctx context.Context, interval time.Duration, do func(now time.Time)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			do(now)
		}
	}
}
