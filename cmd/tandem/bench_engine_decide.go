package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/postgres"
	"tandem/routing"
	"tandem/tenants"
)

// benchConfiguredCommand is a process that holds a configuration as a worker does. It says what that took, and then decides as
// many calls as each line of standard input says: "whole 1000", "started 1000" or "alone 1000".
type benchConfiguredCommand struct {
	Tenants     int    `required:""`
	Each        int    `required:"" help:"Numbers of each tenant."`
	From        string `enum:"made,postgres,disk" default:"made"`
	Dir         string `help:"Folder of the local snapshot."`
	Seed        uint64 `default:"1"`
	PostgresURL string `env:"TANDEM_POSTGRES_URL"`
}

// configured is what the process says first.
type configured struct {
	LoadSeconds float64 `json:"load_s"`
	HeapMB      float64 `json:"heap_mb"`     // in use after a collection, more than before
	ResidentMB  float64 `json:"resident_mb"` // likewise
	Faults      int     `json:"faults"`
}

// decidedMany is what it says of decisions.
type decidedMany struct {
	Nanoseconds float64 `json:"ns"` // of processor time for each, collections of garbage included
}

// decisionsAtOnce is how many decisions are measured at a time: so many that garbage is collected meanwhile, whose share counts.
const decisionsAtOnce = 1_000_000

// Run holds the configuration until standard input ends.
func (c *benchConfiguredCommand) Run(ctx context.Context) error {
	if c.From != "disk" { // where the load is measured, what a worker starts with counts
		relaxGC()
	}
	before, err := holding()
	if err != nil {
		return err
	}
	began := time.Now()
	data, err := c.data(ctx)
	if err != nil {
		return err
	}
	snapshot, faults := tenants.NewSnapshot(data, callflows.ParseSettings)
	took := time.Since(began)
	data = tenants.Data{}
	after, err := holding()
	if err != nil {
		return err
	}
	relaxGC()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(configured{LoadSeconds: took.Seconds(), HeapMB: megabytes(after.heap - before.heap),
		ResidentMB: megabytes(after.resident - before.resident), Faults: len(faults)}); err != nil {
		return err
	}
	questions, err := newBenchQuestions(c.Tenants*c.Each, c.Seed)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		kind, count, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			return err
		}
		decide := questions.alone
		switch kind {
		case decideWhole:
			decide = questions.whole
		case decideStarted:
			decide = questions.started
		}
		used, err := processorTimeUsed()
		if err != nil {
			return err
		}
		for range n {
			if err := decide(snapshot); err != nil {
				return err
			}
		}
		now, err := processorTimeUsed()
		if err != nil {
			return err
		}
		if err := out.Encode(decidedMany{Nanoseconds: float64((now - used).Nanoseconds()) / float64(n)}); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (c *benchConfiguredCommand) data(ctx context.Context) (tenants.Data, error) {
	switch c.From {
	case "postgres":
		store, err := postgres.Open(ctx, c.PostgresURL)
		if err != nil {
			return tenants.Data{}, err
		}
		defer store.Close()
		return store.LoadData(ctx)
	case "disk":
		local, err := postgres.ReadSnapshot(c.Dir)
		return local.Data, err
	}
	return customers(c.Tenants, c.Each), nil
}

// What is measured of a decision.
const (
	decideAlone = "alone" // routing.Decide, of a request that is read already
	decideWhole = "whole" // from the broker's bytes to the broker's bytes, as a worker does: its journal entry is written, too
	// decideStarted is decideWhole and what the worker that drives the call does at its first event: it finds the flow, reads it
	// unless that is in memory, takes the first step and writes the journal entry of that.
	decideStarted = "started"
)

// benchQuestions are: calls from a carrier to numbers that are drawn uniformly.
type benchQuestions struct {
	rng     *rand.Rand
	numbers int
	request routing.Request
	facts   routing.Facts
	body    [][]byte // of a request; the number called stands between its parts
	room    []byte   // in which a request is written
	answer  []byte   // in which an answer is written
	journal []byte   // in which an entry is written
	entry   []byte
}

func newBenchQuestions(numbers int, seed uint64) (*benchQuestions, error) {
	a := &benchQuestions{rng: rand.New(rand.NewPCG(seed, 0)), numbers: numbers, facts: routing.Facts{At: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)},
		request: routing.Request{Call: "4d0a9fd2-68a1-8b8f-a3c5-6dd1d9a1f7c4", Edge: "sip:192.0.2.1:5060", Source: customerCarrier, Port: 5060, Transport: "udp",
			SIPCallID: "a84b4c76e66710@198.51.100.7", FromName: "Somebody"}}
	for n := range benchNodes {
		a.facts.Nodes = append(a.facts.Nodes, routing.Node{Name: fmt.Sprintf("node%d", n+1), SIPURI: fmt.Sprintf("sip:192.0.2.%d:5080", 20+n), State: messages.NodeUp, Calls: n})
	}
	const called = "+10000000000"
	body, err := messages.Encode(&messages.RouteRequest{
		Type: messages.RouteRequestV1, ServerID: benchEdge, TIndex: 12345, TLabel: 1804289383, Edge: "edge1.example.com", Socket: "udp:192.0.2.9:5060",
		SourceAddress: customerCarrier.String(), SourcePort: 5060, Transport: "udp", CallID: "a84b4c76e66710@198.51.100.7", FromTag: "as58f4201b", CSeq: 102,
		RequestURI: "sip:" + called + "@192.0.2.9;user=phone", ToURI: "sip:" + called + "@192.0.2.9;user=phone", FromURI: "sip:+15551234567@198.51.100.7",
		FromName: "Somebody", UserAgent: "Carrier SBC 9.1", Contact: "sip:+15551234567@198.51.100.7:5060", SDP: benchSDP(customerCarrier.String())})
	if err != nil {
		return nil, err
	}
	a.body = bytes.Split(body, []byte(called))
	return a, nil
}

// called writes the number that is called next anew, as it comes from the network.
func (a *benchQuestions) called(room []byte) []byte {
	return strconv.AppendInt(append(room, "+1"...), int64(customerFirst+a.rng.IntN(a.numbers)), 10)
}

// alone decides a request that has been read.
func (a *benchQuestions) alone(s *tenants.Snapshot) error {
	var room [16]byte
	a.request.To.User = string(a.called(room[:0]))
	a.request.From.User = string(strconv.AppendInt(append(room[:0], "+1555"...), int64(1_000_000+a.rng.IntN(8_000_000)), 10))
	if routing.Decide(s, a.facts, a.request).Verdict != messages.Route {
		return errors.New("a call is refused")
	}
	return nil
}

// read reads the next request as it comes from the broker.
func (a *benchQuestions) read() (*messages.RouteRequest, routing.Request, error) {
	var number [16]byte
	called := a.called(number[:0])
	a.room = a.room[:0]
	for i, part := range a.body {
		if i > 0 {
			a.room = append(a.room, called...)
		}
		a.room = append(a.room, part...)
	}
	m, err := messages.ParseRouteRequest(a.room)
	if err != nil {
		return nil, routing.Request{}, err
	}
	r, err := routing.Read(m)
	return m, r, err
}

// whole does what a worker does for one request: it reads, decides, answers and journals.
func (a *benchQuestions) whole(s *tenants.Snapshot) error {
	_, err := a.decide(s)
	return err
}

// started does that and begins the flow.
func (a *benchQuestions) started(s *tenants.Snapshot) error {
	d, err := a.decide(s)
	if err != nil {
		return err
	}
	call := callflows.Call{ID: d.Call, Tenant: d.Tenant, Version: d.Version, Leg: "8adcdf28-8955-4dff-af12-e253ea68375b", Node: "node1", Edge: a.request.Edge,
		FlowID: d.FlowID, Caller: d.Caller, Dialled: d.Dialled, SIPCallID: a.request.SIPCallID, StartedAt: a.facts.At}
	config, held := callflows.Pinned(s, callflows.State{Call: call})
	event := callflows.Event{Kind: callflows.Parked, Leg: call.Leg, Call: &call, At: a.facts.At}
	out := callflows.Step(config, callflows.State{}, event)
	if !held || len(out.Commands) == 0 || out.State.Phase == callflows.Ended {
		return fmt.Errorf("a call to %s does not begin: %+v", d.Dialled, out)
	}
	a.journal = callflows.AppendEvent(a.journal[:0], &event) // as package nodes does
	input := len(a.journal)
	a.journal = callflows.AppendCommands(a.journal, out.Commands)
	e := messages.JournalEntry{Call: call.ID, Tenant: call.Tenant, Source: messages.SourceCallflow, Leg: call.Leg, At: event.At, Version: call.Version,
		Element: callflows.ElementBefore(config, callflows.State{}, event), Because: out.Because, Input: a.journal[:input], Output: a.journal[input:]}
	a.entry = e.Append(a.entry[:0])
	return nil
}

func (a *benchQuestions) decide(s *tenants.Snapshot) (d routing.Decision, err error) {
	m, r, err := a.read()
	if err != nil {
		return d, err
	}
	a.facts.TenantCalls = len(routing.TenantOf(s, r)) // a fact of the tenant is looked up by its id
	d = routing.Decide(s, a.facts, r)
	if d.Verdict != messages.Route {
		return d, errors.New("a call is refused")
	}
	if a.answer, err = messages.EncodeInto(a.answer, routing.Answer(m, d)); err != nil {
		return d, err
	}
	var e messages.JournalEntry
	e, a.journal = routing.Journal(a.journal, a.facts, r, d)
	a.entry = e.Append(a.entry[:0])
	return d, nil
}

// configuredProcess is such a process.
type configuredProcess struct {
	cmd  *exec.Cmd
	to   interface{ Write([]byte) (int, error) }
	end  func() error
	from *json.Decoder
	is   configured
}

func startConfigured(ctx context.Context, arguments ...string) (*configuredProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &configuredProcess{cmd: exec.CommandContext(ctx, self, append([]string{"bench", "engine", "configured"}, arguments...)...)}
	p.cmd.Env = append(os.Environ(), asTandem)
	p.cmd.Stderr, p.cmd.WaitDelay = os.Stderr, eslChildStop
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.to, p.end, p.from = in, in.Close, json.NewDecoder(bufio.NewReader(out))
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.from.Decode(&p.is); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", strings.Join(arguments, " "), err), p.stop())
	}
	if p.is.Faults > 0 {
		return nil, errors.Join(fmt.Errorf("%s: the configuration has %d faults", strings.Join(arguments, " "), p.is.Faults), p.stop())
	}
	return p, nil
}

func (p *configuredProcess) stop() error {
	return errors.Join(p.end(), p.cmd.Wait())
}

// decide has the process decide some calls, and says what each took.
func (p *configuredProcess) decide(kind string, n int) (nanoseconds float64, err error) {
	if _, err := fmt.Fprintln(p.to, kind, n); err != nil {
		return 0, err
	}
	var done decidedMany
	err = p.from.Decode(&done)
	return done.Nanoseconds, err
}

// decide compares decisions of two processes, by turns: of one tenant with ten numbers, and of all of them. What the collector of
// garbage takes for the larger heap counts.
func (c *benchEngineCommand) decide(ctx context.Context) (figures []figure, err error) {
	start := func(tenantCount, each int) (*configuredProcess, error) {
		return startConfigured(ctx, "--tenants", strconv.Itoa(tenantCount), "--each", strconv.Itoa(each))
	}
	few, err := start(1, 10)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, few.stop()) }()
	many, err := start(c.Tenants, customerNumbers)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, many.stop()) }()
	share := 1
	if c.Short {
		share = 20
	}
	fmt.Printf("decisions, ns of processor time, median (least..most) of %d rounds\n", c.Rounds)
	for _, of := range []struct {
		kind, name string
		count      int
	}{{decideWhole, "decide", decisionsAtOnce / 2}, {decideStarted, "start", decisionsAtOnce / 4}, {decideAlone, "decide_alone", decisionsAtOnce}} {
		var of10, of1m, ratio series
		for round := range c.Rounds + 1 {
			a, err := few.decide(of.kind, of.count/share)
			if err != nil {
				return nil, err
			}
			b, err := many.decide(of.kind, of.count/share)
			if err != nil {
				return nil, err
			}
			if round > 0 { // the first warms
				of10, of1m, ratio = append(of10, a), append(of1m, b), append(ratio, b/a)
			}
		}
		fmt.Printf("  %s: 10 numbers %s  %d numbers of %d tenants %s  ratio %s\n", of.kind, of10.spread(), c.Tenants*customerNumbers, c.Tenants,
			of1m.spread(), ratio.spread())
		figures = append(figures, figure{of.name + "_1m_vs_10", ratio.median()}, figure{of.name + "_ns_10", of10.median()})
	}
	return append(figures, figure{"snapshot_mb_1m", many.is.HeapMB}, figure{"snapshot_resident_mb_1m", many.is.ResidentMB}), nil
}
