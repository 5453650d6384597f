package rabbit_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
	"tandem/rabbit"
	"tandem/stack"
)

// TestOutages stops, kills and freezes a broker of its own. The parts share it, because it takes seconds to start.
func TestOutages(t *testing.T) {
	if testing.Short() {
		t.Skip("restarts a broker several times")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	s, err := stack.Start(ctx, stack.Options{RabbitMQ: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	o := outage{ctx: ctx, stack: s}
	t.Run("a broker that is absent at start is found when it comes", o.absentAtStart)
	t.Run("consumers go on after a restart", o.restart)
	t.Run("a CDR given while the broker is away arrives when it is back", o.spooled)
	t.Run("also when the process died in between", o.died)
	t.Run("a frozen broker costs no CDR and blocks nobody", o.frozen)
}

type outage struct {
	ctx   context.Context
	stack *stack.Stack
}

func (o outage) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o outage) absentAtStart(t *testing.T) {
	o.must(t, o.stack.StopRabbitMQ(o.ctx))
	c, log := dial(t, o.stack.AMQPURL)
	if err := c.Publish(o.ctx, rabbit.ExchangeEvents, "edge.hello.v1", hello("edge1")); !errors.Is(err, rabbit.ErrDisconnected) {
		t.Errorf("published: %v", err)
	}
	routes(t, c, trivial) // begins to serve when there is something to serve
	o.must(t, o.stack.StartRabbitMQ(o.ctx))
	o.must(t, c.WaitConnected(o.ctx))
	if !c.Connected() {
		t.Error("not connected")
	}
	ch := raw(t, o.stack.AMQPURL)
	answers := edge(t, ch, "edge1")
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 1)))
	receive(t, answers, "answer")
	if log.count("RabbitMQ is away") != 1 || log.count("connected to RabbitMQ") != 1 {
		t.Errorf("not one line for each change of state:\n%s", log)
	}
}

func (o outage) restart(t *testing.T) {
	c, log := connected(t, o.stack.AMQPURL)
	routes(t, c, trivial)
	store := make(registrations, 10)
	background(t, func(ctx context.Context) error { return c.ConsumeRegistrations(ctx, store) })
	events, gaps := make(chan messages.Message, 100), make(chan struct{}, 100)
	background(t, func(ctx context.Context) error {
		return c.SubscribeEvents(ctx, []string{"registration.event.v1"}, func(m messages.Message) { events <- m }, func() { gaps <- struct{}{} })
	})
	receive(t, gaps, "first gap")
	o.must(t, o.stack.RestartRabbitMQ(o.ctx))
	receive(t, gaps, "gap after the restart")
	o.must(t, c.WaitConnected(o.ctx))
	ch := raw(t, o.stack.AMQPURL)
	if err := ch.ExchangeDeclarePassive(rabbit.ExchangeAnswers, "direct", false, false, false, false, nil); err != nil {
		t.Fatalf("the exchange for answers, which is not durable, was not declared anew: %v", err)
	}
	answers := edge(t, ch, "edge1")
	send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", 1)))
	receive(t, answers, "answer")
	o.must(t, c.Publish(o.ctx, rabbit.ExchangeEvents, "registration.event.v1", registration("101")))
	receive(t, events, "event")
	receive(t, store, "registration")
	if log.count("RabbitMQ is away") != 1 || log.count("connected to RabbitMQ") != 2 {
		t.Errorf("not one line for each change of state:\n%s", log)
	}
	url, err := amqp.ParseURI(o.stack.AMQPURL)
	o.must(t, err)
	if log.count(url.Password) > 0 {
		t.Errorf("credentials in the log:\n%s", log)
	}
}

func (o outage) spooled(t *testing.T) {
	c, _ := connected(t, o.stack.AMQPURL)
	b := newBooks()
	intake(t, c, b)
	safe := make(chan string, 100)
	l := openLedger(t, c, t.TempDir(), func(leg string) { safe <- leg })
	o.must(t, o.stack.RabbitMQ().Kill())
	for i := range 3 {
		l.AddCDR(*cdr(fmt.Sprintf("spooled-%d", i)))
		l.AddJournal(entry(i))
		receive(t, safe, "safety")
	}
	l.AddRecording(recording("spooled/7"))
	receive(t, safe, "safety of a recording")
	if s := l.Stats(); s.SpooledCDRs != 4 || s.HeldEntries != 3 {
		t.Errorf("%+v", s)
	}
	o.must(t, o.stack.RestartRabbitMQ(o.ctx))
	b.until(t, "spooled CDRs and held entries", func(b *books) bool {
		return b.hasLegs("spooled-0", "spooled-1", "spooled-2")(b) && len(b.entries) >= 3 && slices.Contains(b.tapes, "spooled/7")
	})
}

// spoolerVariable makes this test binary the process that dies: see TestMain.
const spoolerVariable = "TANDEM_TEST_SPOOLER"

// spooler takes a CDR while no broker is there, and kills itself when it has been told that the CDR is safe.
func spooler(dir string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c, err := rabbit.Connect(context.Background(), rabbit.Options{URL: "amqp://nobody:x@127.0.0.1:1/", Name: "doomed", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		fail(err)
	}
	l, err := c.OpenLedger(rabbit.LedgerOptions{StateDir: dir, OnSafe: func(string) {
		p, _ := os.FindProcess(os.Getpid())
		_ = p.Kill()
	}})
	if err != nil {
		fail(err)
	}
	l.AddCDR(*cdr("of the dead"))
	select {}
}

func (o outage) died(t *testing.T) {
	dir := t.TempDir()
	doomed := exec.CommandContext(o.ctx, os.Args[0])
	doomed.Env = append(os.Environ(), spoolerVariable+"="+dir)
	if output, err := doomed.CombinedOutput(); err == nil || doomed.ProcessState.ExitCode() != -1 {
		t.Fatalf("did not die of its own hand: %v %s", err, output)
	}
	c, _ := connected(t, o.stack.AMQPURL)
	b := newBooks()
	intake(t, c, b)
	l := openLedger(t, c, dir, nil)
	b.until(t, "the dead process's CDR", b.hasLegs("of the dead"))
	o.must(t, l.Close(o.ctx))
	if left, _ := filepath.Glob(filepath.Join(dir, "spool", "*.spool")); len(left) != 0 || l.Stats().DrainedCDRs != 1 {
		t.Errorf("left %v, %+v", left, l.Stats())
	}
}

func (o outage) frozen(t *testing.T) {
	c, _ := connected(t, o.stack.AMQPURL)
	b := newBooks()
	intake(t, c, b)
	safe := make(chan string, 1000)
	l := openLedger(t, c, t.TempDir(), func(leg string) { safe <- leg })
	o.stack.RabbitMQ().Pause()
	began := time.Now()
	for i := range 100 {
		l.AddCDR(*cdr(fmt.Sprintf("frozen-%d", i)))
		// The connection takes bytes until its buffers are full; it never waits for the broker.
		_ = c.Publish(o.ctx, rabbit.ExchangeAnswers, "edge1", answer(request("edge1", i)))
	}
	if took := time.Since(began); took > rabbit.WriteTimeout {
		t.Errorf("the caller waited %s", took)
	}
	for range 100 {
		receive(t, safe, "safety")
	}
	if took := time.Since(began); took > 2*rabbit.ConfirmWait+time.Second {
		t.Errorf("safe after %s", took)
	}
	o.stack.RabbitMQ().Resume()
	b.until(t, "the last CDR", b.hasLegs("frozen-0", "frozen-99"))
}
