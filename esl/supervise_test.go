package esl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func quick(o Options) Options {
	o.Password, o.RetryMin, o.RetryMax = "secret", time.Millisecond, 5*time.Millisecond
	return o
}

// supervise runs Supervise until the test ends.
func supervise(t *testing.T, o Options, onUp func(context.Context, *Conn), onDown func(Gap)) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Supervise(ctx, o, onUp, onDown) }()
	stop = func() error { cancel(); err := wait(t, "end of supervision", ended); ended <- err; return err }
	t.Cleanup(func() { stop() })
	return stop
}

func TestALostConnectionIsDialedAgainAndTheGapIsTold(t *testing.T) {
	var dials atomic.Int32
	address := listen(t, func(p *peer) {
		if s := p.greet(); s != "event plain BACKGROUND_JOB CHANNEL_PARK HEARTBEAT" {
			t.Errorf("subscription %q", s)
		}
		if dials.Add(1) == 1 {
			p.event("Event-Name: HEARTBEAT", "N: 1")
			p.command()
			return // dies with a command in flight
		}
		answerAll(p)
	})
	events := make(chan string, 10)
	ups, gaps, lostContexts := make(chan *Conn, 10), make(chan Gap, 10), make(chan error, 10)
	o := quick(Options{Address: address, Events: []string{"CHANNEL_PARK"}, Shards: 2, Handle: func(_ int, e *Event) { events <- e.Get("N") }})
	stop := supervise(t, o, func(ctx context.Context, c *Conn) {
		ups <- c
		c.Send(ctx, ShowChannels()) // reconciles
		<-ctx.Done()
		lostContexts <- ctx.Err()
	}, func(g Gap) { gaps <- g })
	first := wait(t, "first connection", ups)
	gap := wait(t, "gap", gaps)
	if gap.Err == nil || gap.Lost.IsZero() || gap.Attempt != 0 {
		t.Fatalf("%+v", gap)
	}
	if len(lostContexts) != 1 {
		t.Fatal("onUp was still running when onDown was told")
	}
	if wait(t, "event before the end", events) != "1" {
		t.Fatal("another event")
	}
	second := wait(t, "second connection", ups)
	if first == second || first.Err() == nil || second.Err() != nil {
		t.Fatal("not a new connection")
	}
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	wait(t, "end of second", second.Done())
	if len(gaps) != 0 {
		t.Fatal("the wanted end was told as a gap")
	}
}

func TestEventsFromBeforeTheEndAreHandledBeforeThoseOfTheNextConnection(t *testing.T) {
	var dials atomic.Int32
	address := listen(t, func(p *peer) {
		p.greet()
		dial := dials.Add(1)
		for n := range 20 {
			p.event("Event-Name: CHANNEL_STATE", "Unique-ID: "+someUUID, fmt.Sprintf("N: %d.%d", dial, n))
		}
		if dial == 1 {
			p.command() // which the client sends when it has read all
			return
		}
		p.hold()
	})
	got, gate := make(chan string, 100), make(chan struct{})
	o := quick(Options{Address: address, Shards: 2, Handle: func(_ int, e *Event) {
		<-gate
		got <- e.Get("N")
	}})
	first := true
	stop := supervise(t, o, func(ctx context.Context, c *Conn) {
		if !first {
			return
		}
		first = false
		for c.Stats().Events < 20 && ctx.Err() == nil {
			runtime.Gosched()
		}
		c.Send(ctx, Status()) // the peer dies of it
		// The handler gets going when onUp has long returned, and still gets all.
		time.AfterFunc(20*time.Millisecond, func() { close(gate) })
	}, func(Gap) {})
	for dial := 1; dial <= 2; dial++ {
		for n := range 20 {
			if v := wait(t, "event", got); v != fmt.Sprintf("%d.%d", dial, n) {
				t.Fatalf("event %s, want %d.%d", v, dial, n)
			}
		}
	}
	stop()
}

func TestFailedDialsAreCountedAndRetried(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close() // nobody listens now
	gaps := make(chan Gap, 100)
	stop := supervise(t, quick(Options{Address: address}), nil, func(g Gap) {
		select {
		case gaps <- g:
		default:
		}
	})
	for n := 1; n <= 3; n++ {
		if g := wait(t, "failed dial", gaps); g.Attempt != n || g.Err == nil || !g.Lost.IsZero() {
			t.Fatalf("%+v", g)
		}
	}
	stop()
}

func TestANodeWithoutHeartbeatIsDialedAgain(t *testing.T) {
	address := listen(t, func(p *peer) { p.greet(); p.hold() })
	gaps := make(chan Gap, 100)
	stop := supervise(t, quick(Options{Address: address, Silence: 20 * time.Millisecond}), func(context.Context, *Conn) {}, func(g Gap) { gaps <- g })
	if g := wait(t, "gap", gaps); !errors.Is(g.Err, ErrSilent) {
		t.Fatal(g.Err)
	}
	stop()
}

func TestBackoffGrowsToItsLimitWithJitter(t *testing.T) {
	const low, high = 50 * time.Millisecond, 5 * time.Second
	different := map[time.Duration]bool{}
	for attempt := 1; attempt <= 200; attempt++ {
		want := high
		if attempt <= 7 {
			want = low << (attempt - 1)
		}
		got := backoff(low, high, attempt)
		if got < want/2 || got > want {
			t.Fatalf("attempt %d: %v", attempt, got)
		}
		different[got] = true
	}
	if len(different) < 50 {
		t.Fatal("no jitter")
	}
}
