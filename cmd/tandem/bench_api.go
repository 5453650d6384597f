package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"tandem/postgres"
	"tandem/provisioning"
	"tandem/provisioning/api"
	"tandem/stack"
)

// benchAPICommand measures reads and writes a second over HTTP, with a key, for one tenant and for many, and what row level security
// costs: the same API on the owner's connections, by turns with the real one.
type benchAPICommand struct {
	Tenants     int           `default:"10000" help:"Tenants."`
	Clients     int           `default:"8" help:"Clients at once."`
	Round       time.Duration `default:"2s" help:"How long each round is."`
	Rounds      int           `default:"5" help:"Rounds of each kind."`
	StackDir    string        `env:"TANDEM_STACK_DIR" hidden:""`
	PostgresURL string        `env:"TANDEM_POSTGRES_URL" hidden:""`
}

// benchedAPI is one API on a port of its own.
type benchedAPI struct {
	url    string
	server *http.Server
	store  *postgres.Store
}

// Run measures and prints the figures.
func (c *benchAPICommand) Run(ctx context.Context) (err error) {
	if err := stack.Install(ctx, os.Stderr, stack.PostgreSQL); err != nil {
		return err
	}
	s, err := stack.Start(ctx, stack.Options{Out: os.Stderr, PostgreSQL: c.StackDir == ""})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.StackDir == "" {
		c.PostgresURL = s.PostgresURL
	}
	if err := postgres.Migrate(ctx, c.PostgresURL); err != nil {
		return err
	}
	const devices, numbers = 2, 1 // of each tenant
	if err := (&benchConfigCommand{Tenants: c.Tenants, Devices: devices, Numbers: numbers, PostgresURL: c.PostgresURL}).fill(ctx); err != nil {
		return err
	}
	owner, err := postgres.Open(ctx, c.PostgresURL)
	if err != nil {
		return err
	}
	defer owner.Close()
	secret, hash := api.NewSecret(api.KeyPrefix)
	key := postgres.Key{Name: "bench", Scopes: []string{string(api.UsersRead), string(api.UsersWrite)}, CreatedBy: "bench", ExpiresAt: time.Now().Add(time.Hour)}
	if _, err := (&provisioning.Service{Store: owner}).AddKey(ctx, key, hash); err != nil {
		return err
	}
	guarded, err := c.serve(ctx, owner, postgres.OpenAPI)
	if err != nil {
		return err
	}
	defer guarded.close()
	open, err := c.serve(ctx, owner, postgres.Open)
	if err != nil {
		return err
	}
	defer open.close()
	fmt.Printf("%d cores, %s, %d tenants, %d clients; load average %s\n", runtime.NumCPU(), runtime.Version(), c.Tenants, c.Clients, loadAverage())
	return c.measure(ctx, secret, guarded, open)
}

// serve serves an API on a store of its own.
func (c *benchAPICommand) serve(ctx context.Context, owner *postgres.Store, open func(context.Context, string) (*postgres.Store, error)) (*benchedAPI, error) {
	store, err := open(ctx, c.PostgresURL)
	if err != nil {
		return nil, err
	}
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	const never = 1e9 // requests a second: the limit is not what is measured
	api.New(router, &api.API{Owner: owner, Service: &provisioning.Service{Store: store}, Log: slog.New(slog.DiscardHandler), Limits: api.Limits{PerSecond: never, Burst: never}})
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		store.Close()
		return nil, err
	}
	b := &benchedAPI{url: "http://" + listener.Addr().String(), store: store, server: &http.Server{Handler: router, ReadHeaderTimeout: headerWait}}
	go func() { _ = b.server.Serve(listener) }() // ends with close
	return b, nil
}

func (b *benchedAPI) close() {
	_ = b.server.Close()
	b.store.Close()
}

// measure takes the kinds by turns, so that what else the machine does falls out of their ratio as far as it can.
func (c *benchAPICommand) measure(ctx context.Context, secret string, guarded, open *benchedAPI) error {
	var reads, writes, readsOfOne, writesOfOne, costs series
	for range c.Rounds {
		with, err := c.round(ctx, guarded.url, secret, false, c.Tenants)
		if err != nil {
			return err
		}
		without, err := c.round(ctx, open.url, secret, false, c.Tenants)
		if err != nil {
			return err
		}
		reads, costs = append(reads, with), append(costs, 1-with/without)
		for _, one := range []struct {
			into    *series
			write   bool
			tenants int
		}{{&writes, true, c.Tenants}, {&readsOfOne, false, 1}, {&writesOfOne, true, 1}} {
			rate, err := c.round(ctx, guarded.url, secret, one.write, one.tenants)
			if err != nil {
				return err
			}
			*one.into = append(*one.into, rate)
		}
	}
	fmt.Printf("reads a second %s, of one tenant %s; writes %s, of one tenant %s; row level security takes %s of reads\n", reads.spread(), readsOfOne.spread(),
		writes.spread(), writesOfOne.spread(), costs.spread())
	for _, f := range []figure{{"api_reads_per_s", reads.median()}, {"api_reads_per_s_1", readsOfOne.median()}, {"api_writes_per_s", writes.median()},
		{"api_writes_per_s_1", writesOfOne.median()}, {"rls_cost", costs.median()}} {
		fmt.Println(f)
	}
	return nil
}

// round asks for users of tenants drawn by chance, or changes their names, and gives requests a second.
func (c *benchAPICommand) round(ctx context.Context, url, secret string, write bool, tenants int) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Round)
	defer cancel()
	var done atomic.Int64
	var failed atomic.Pointer[error]
	transport := &http.Transport{MaxIdleConnsPerHost: c.Clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	began := time.Now()
	var group sync.WaitGroup
	for n := range c.Clients {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), uint64(began.UnixNano())))
			for i := 0; ctx.Err() == nil; i++ {
				path := url + "/v1/tenants/" + configTenant(1+rng.IntN(tenants)) + "/users/desk1"
				if err := askOnce(ctx, client, path, secret, write, n, i); err != nil && ctx.Err() == nil {
					failed.Store(&err)
					return
				} else if err == nil {
					done.Add(1)
				}
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

func askOnce(ctx context.Context, client *http.Client, path, secret string, write bool, n, i int) error {
	method, body := http.MethodGet, io.Reader(nil)
	if write {
		method, body = http.MethodPut, bytes.NewReader(fmt.Appendf(nil, `{"name":"Desk %d %d","extension":"1001"}`, n, i))
	}
	request, err := http.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	return err
}
