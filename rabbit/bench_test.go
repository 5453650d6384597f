package rabbit_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/rabbit"
)

// BenchmarkRoutes is the answered requests a second and their latency with a given number outstanding, through the real
// broker: of the bare echo, and of ServeRoutes with a decision that costs nothing. Load, broker and worker share the
// machine, so that the ratio counts and not the figure.
//
//	go test ./rabbit -bench Routes -run ^$
func BenchmarkRoutes(b *testing.B) {
	for _, outstanding := range []int{1, 50, 200} {
		for _, worker := range []struct {
			name string
			run  func(*rabbit.Client, context.Context) error
		}{
			{"echo", func(c *rabbit.Client, ctx context.Context) error { return c.ServeEcho(ctx, rabbit.RoutePrefetch) }},
			{"decide", func(c *rabbit.Client, ctx context.Context) error {
				return c.ServeRoutes(ctx, rabbit.RoutePrefetch, trivial, nil)
			}},
		} {
			b.Run(fmt.Sprintf("%s-%d", worker.name, outstanding), func(b *testing.B) {
				url := broker(b)
				c, _ := connected(b, url)
				background(b, func(ctx context.Context) error { return worker.run(c, ctx) })
				b.Cleanup(func() {
					if b.Failed() {
						b.Logf("worker's counts: %+v", c.Stats())
					}
				})
				load(b, url, outstanding)
			})
		}
	}
}

// BenchmarkPrefetch is what holding fewer requests at once costs, with 200 outstanding. The rounds take turns, so that what
// else the machine does falls on all alike.
//
//	go test ./rabbit -bench Prefetch -run ^$ -benchtime 5000x
func BenchmarkPrefetch(b *testing.B) {
	const rounds, outstanding = 7, 200
	for round := range rounds {
		for _, prefetch := range []int{2, 4, 8, 16, 32, 64} {
			b.Run(fmt.Sprintf("%d/round-%d", prefetch, round), func(b *testing.B) {
				url := broker(b)
				c, _ := connected(b, url)
				background(b, func(ctx context.Context) error { return c.ServeRoutes(ctx, prefetch, trivial, nil) })
				b.Cleanup(func() {
					if b.Failed() {
						b.Logf("worker's counts: %+v", c.Stats())
					}
				})
				load(b, url, outstanding)
			})
		}
	}
}

// load sends b.N requests, keeping the given number outstanding.
func load(b *testing.B, url string, outstanding int) {
	ch := raw(b, url)
	answers := edge(b, ch, "edge1")
	template := requestBody(b, request("edge1", 987654321))
	parts := bytes.SplitN(template, []byte("987654321"), 2)
	slots := make(chan struct{}, outstanding)
	sent := make([]time.Time, b.N)
	took := make([]time.Duration, 0, b.N)
	before := cpu(b)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for i := range b.N {
			slots <- struct{}{}
			sent[i] = time.Now()
			body := slices.Concat(parts[0], strconv.AppendInt(nil, int64(i), 10), parts[1])
			_ = ch.Publish(rabbit.ExchangeRequests, "route.request.v1", false, false, amqp.Publishing{Body: body})
		}
	}()
	for range b.N {
		d := receive(b, answers, "answer")
		i := indexOf(b, d.Body)
		took = append(took, time.Since(sent[i]))
		<-slots
	}
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkLedger is the rate at which CDRs, each with four journal entries, go through a ledger into the quorum queue,
// confirmed.
func BenchmarkLedger(b *testing.B) {
	c, _ := connected(b, broker(b))
	l, err := c.OpenLedger(rabbit.LedgerOptions{StateDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := range b.N {
		l.AddCDR(*cdr(strconv.Itoa(i)))
		for n := range 4 {
			l.AddJournal(entry(n))
		}
	}
	if err := l.Close(contextFor(b)); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "CDRs/s")
	if s := l.Stats(); s.ConfirmedCDRs != uint64(b.N) || s.ConfirmedEntries != uint64(4*b.N) {
		b.Errorf("%+v", s)
	}
}

// cpu is the time that this process has used: worker and load, but not the broker.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func indexOf(b *testing.B, body []byte) int {
	_, rest, _ := bytes.Cut(body, []byte(`"t_index":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	i, err := strconv.Atoi(string(digits))
	if err != nil {
		b.Fatalf("no t_index in %s", body)
	}
	return i
}
