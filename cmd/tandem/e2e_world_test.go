package main

import (
	"context"
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/because"
	"tandem/explain"
	"tandem/postgres"
	"tandem/provisioning"
	"tandem/sipptest"
	"tandem/stack"
	"tandem/tenants"
)

// Bounds of waiting in tests, for what takes milliseconds on an idle machine.
const (
	patience  = 20 * time.Second
	logLines  = 25 // of each log, when a test has failed
	lookAtAll = 1000
)

// Addresses of loopback that the edge tells apart. Each tenant's phones have one of their own besides.
const (
	carrierAddress   = "127.0.0.2" // the trunk that calls come in by
	emergencyAddress = "127.0.0.3" // the emergency trunk
	strangerAddress  = "127.0.0.4" // nobody that the configuration knows
)

// The emergency numbers. The last is the test number.
var emergencyNumbers = []string{"112", "911", provisioning.DemoTestNumber}

// world is a system under test, with what tests share of it.
type world struct {
	*system
	words  because.Catalog
	nodes  map[string]*stack.Process
	edge   *stack.Process
	worker *stack.Process
	line   emergencyLine

	mu      sync.Mutex
	tenants int
}

// emergencyLine is the emergency trunk's one address, for one test at a time.
type emergencyLine struct {
	sync.Mutex
	port int
}

// worldOptions say what a world is made of.
type worldOptions struct {
	Name       string // when it shares its stack with another
	Nodes      int
	FreeSWITCH string
	StandIn    []string // further arguments of the stand-in
	NoWorker   bool     // the test starts it
	OwnStack   bool     // with the stack's own database and virtual host
}

// newWorld starts a system with the demo tenant, a trunk and an emergency trunk.
func newWorld(ctx context.Context, t stack.T, s *stack.Stack, o worldOptions) (_ *world, err error) {
	w := &world{nodes: map[string]*stack.Process{}}
	if w.words, err = explain.Catalog(); err != nil {
		return nil, err
	}
	if w.line.port, err = stack.FreeUDPPort(); err != nil {
		return nil, err
	}
	trunk := "sip:" + net.JoinHostPort(emergencyAddress, strconv.Itoa(w.line.port))
	options := systemOptions{Name: o.Name, FreeSWITCH: o.FreeSWITCH, StandIn: o.StandIn, EmergencyTrunk: trunk, EmergencyNumbers: emergencyNumbers}
	if !o.OwnStack {
		options.PostgresURL, options.AMQPURL = s.TestDatabase(t), s.TestVHost(t)
	}
	if w.system, err = newSystem(ctx, s, options); err != nil {
		return nil, err
	}
	t.Cleanup(func() { w.end(t) })
	if err := w.configure(ctx, trunk); err != nil {
		return nil, err
	}
	if err := w.addresses(); err != nil {
		return nil, err
	}
	for i := range o.Nodes {
		if err := w.restartNode(ctx, "node"+strconv.Itoa(i+1)); err != nil {
			return nil, err
		}
	}
	if w.edge, err = w.startEdge(ctx); err != nil {
		return nil, err
	}
	if o.NoWorker {
		return w, nil
	}
	return w, w.restartWorker(ctx)
}

// end ends the processes, the worker while its servers are still there, and looks for what no test asks for: a race or a
// panic in one of them.
func (w *world) end(t stack.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, p := range append([]*stack.Process{w.worker, w.edge}, slices.Collect(maps.Values(w.nodes))...) {
		if p == nil {
			continue
		}
		_ = p.Stop(ctx) // the stack tells of what survives
		text, _ := os.ReadFile(p.Log())
		for _, fault := range []string{"DATA RACE", "panic", "exited by a signal"} {
			if _, rest, found := strings.Cut(string(text), fault); found {
				t.Errorf("%s: %s%.2000s", p.Name(), fault, rest)
			}
		}
	}
	w.Store.Close()
}

func (w *world) configure(ctx context.Context, trunk string) error {
	return errors.Join(
		w.Provisioning.SetEmergency(ctx, tenants.Emergency{Numbers: emergencyNumbers, TestNumber: provisioning.DemoTestNumber, TrunkURI: trunk}),
		w.Provisioning.AddTrunk(ctx, tenants.Trunk{ID: "carrier", Name: "Carrier", Addresses: addresses(carrierAddress)}))
}

// restartNode starts a node, or one in the place of a dead one.
func (w *world) restartNode(ctx context.Context, name string) (err error) {
	w.nodes[name], err = w.startNode(ctx, name)
	return err
}

// reviveNode starts a dead node anew where it was.
func (w *world) reviveNode(t *testing.T, name string) {
	t.Helper()
	s, err := w.Store.LoadData(within(t))
	must(t, err)
	for _, n := range s.Nodes {
		if n.Name == name {
			w.nodes[name], err = w.startNodeAt(within(t), name, strings.TrimPrefix(n.SIPURI, "sip:"), n.EventSocket)
			must(t, err)
		}
	}
}

// restartWorker starts the worker and waits until it drives all nodes and the edge knows them.
func (w *world) restartWorker(ctx context.Context) (err error) {
	if w.worker, err = w.startWorker(ctx, "worker1"); err != nil {
		return err
	}
	return w.awaitNodes(ctx)
}

func (w *world) awaitNodes(ctx context.Context) error {
	names := make([]string, 0, len(w.nodes))
	for name := range w.nodes {
		names = append(names, name)
	}
	return w.awaitReady(ctx, names...)
}

// within is a context for all of one test's waiting.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	return ctx
}

// must ends the test on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// awaitThat waits for a condition that nothing announces to this process.
func awaitThat(t *testing.T, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, await(ctx, what, condition))
}

// emergencyPhone takes the emergency trunk for this test.
func (w *world) emergencyPhone(t *testing.T) *sipptest.Phone {
	t.Helper()
	w.line.Lock()
	t.Cleanup(w.line.Unlock)
	return &sipptest.Phone{Edge: w.Edge, User: "emergency", Address: emergencyAddress, Port: w.line.port}
}

// carrier is the trunk's side of a call that comes in.
func (w *world) carrier() *sipptest.Phone {
	return &sipptest.Phone{Edge: w.Edge, Domain: w.Edge, Address: carrierAddress}
}

// callsOf lists a tenant's calls, newest first.
func (w *world) callsOf(ctx context.Context, tenant string) ([]postgres.Call, error) {
	all, err := w.Store.RecentCalls(ctx, lookAtAll, postgres.CallFilter{})
	return slices.DeleteFunc(all, func(c postgres.Call) bool { return c.Tenant != tenant }), err
}

// tellOnFailure shows the ends of the logs when the test has failed.
func (w *world) tellOnFailure(t *testing.T) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for _, p := range []*stack.Process{w.worker, w.edge} {
			if p != nil {
				t.Logf("%s:\n%s", p.Name(), endOf(p.Log()))
			}
		}
	})
}

func endOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-logLines):], "\n")
}
