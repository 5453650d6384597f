package main

import (
	"context"
	"net/url"
	"testing"
	"time"

	"tandem/nodes/claim"
	"tandem/stack"
)

// chaosWorld is a system with two workers, on a database and a virtual host of the test's own.
func chaosWorld(ctx context.Context, t *testing.T) *chaos {
	t.Helper()
	s := stack.ForTest(t)
	c, servers := newChaos(s), &chaosCommand{PostgresURL: s.TestDatabase(t), AMQPURL: s.TestVHost(t)}
	t.Cleanup(c.end)
	must(t, c.start(ctx, servers))
	return c
}

// judgeTest fails the test for what callers, the node or the ledger noticed.
func (c *chaos) judgeTest(ctx context.Context, t *testing.T) {
	t.Helper()
	c.mu.Lock()
	for _, note := range c.told {
		t.Error(note)
	}
	c.mu.Unlock()
	for _, command := range c.tap.twice() {
		t.Errorf("twice at the node: %s", command)
	}
	lost, doubled, estimated, err := c.records(ctx)
	must(t, err)
	if lost+doubled+estimated > 0 {
		t.Errorf("records: %d lost, %d doubled, %d estimated", lost, doubled, estimated)
	}
}

// TestTakeoverInEachPhase kills the process of a node's owner (kill -9) in the instant in which a call of that phase needs
// its next command, or needs none; other calls are up in other phases. The phones see every dialog come to its end as if
// nothing had happened, no command reaches the node twice, and each leg has one record.
func TestTakeoverInEachPhase(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c := chaosWorld(ctx, t)
	for _, scene := range scenes() { // the calls of one round end during the next
		must(t, c.round(ctx, faultKill, scene, c.free()))
	}
	for _, m := range c.companies {
		select {
		case <-m.over:
		case <-ctx.Done():
			t.Fatal(ctx.Err())
		}
	}
	for _, scene := range scenes() {
		t.Run(scene.name, func(t *testing.T) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if failed, over := c.ends[scene.name]; !over || failed > 0 {
				t.Errorf("%d phones failed; came to an end: %t", failed, over)
			}
			if gaps := c.byScene[gapKey(faultKill, scene)]; len(gaps) == 1 {
				t.Logf("the next command came after %s", gaps[0])
			} else if !scene.idle {
				t.Errorf("gaps %v", gaps)
			}
		})
	}
	c.judgeTest(ctx, t)
}

// TestAStandbyThatHasJustComeKnowsWhoIsRegistered although RabbitMQ, by which workers hear of registrations, does not answer
// it: the call that it takes over in its first moment rings a phone.
func TestAStandbyThatHasJustComeKnowsWhoIsRegistered(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := chaosWorld(ctx, t)
	owner, holds, err := c.pair(ctx)
	must(t, err)
	c.system.HTTPAddress = owner.http
	for _, m := range c.companies[:1] {
		must(t, c.register(ctx, m))
	}
	standby := c.workers[0]
	if standby == owner {
		standby = c.workers[1]
	}
	broker, err := url.Parse(c.system.amqpURL)
	must(t, err)
	for _, w := range standby.wires {
		if w.target == broker.Host {
			must(t, standby.process.Kill())
			w.shut()
			w.away = true
		}
	}
	must(t, standby.start(ctx, c.stack))
	if now, _, err := c.pair(ctx); err != nil || now != owner {
		t.Fatalf("the owner of epoch %d is not the owner any more (%v)", holds.Epoch, err)
	}
	must(t, c.round(ctx, faultKill, scenes()[0], c.companies[0]))
	<-c.companies[0].over
	for _, w := range standby.wires {
		w.away = false
		must(t, w.open())
	}
	c.judgeTest(ctx, t)
}

// TestServersRestartDuringCalls restarts PostgreSQL, and then RabbitMQ, while calls are up in several phases: nobody is
// deposed, no call notices, and all is recorded once they are back. It runs beside no other test of this package: on a
// machine that stands still for half a second an owner is rightly replaced.
func TestServersRestartDuringCalls(t *testing.T) {
	stack.ForTest(t) // says how to run the tests
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	s, err := stack.Start(ctx, stack.Options{PostgreSQL: true, RabbitMQ: true})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	c := newChaos(s)
	t.Cleanup(c.end)
	must(t, c.start(ctx, &chaosCommand{PostgresURL: s.PostgresURL, AMQPURL: s.AMQPURL}))
	owner, holds, err := c.pair(ctx)
	must(t, err)
	c.system.HTTPAddress = owner.http
	for _, server := range []struct {
		name    string
		restart func(context.Context) error
	}{{"PostgreSQL", s.RestartPostgreSQL}, {"RabbitMQ", s.RestartRabbitMQ}} {
		m := c.free()
		must(t, c.register(ctx, m))
		var phones []phoneRun
		calls := append(around(), scenes()[:2]...)
		for _, scene := range calls {
			more, err := m.begin(ctx, scene)
			must(t, err)
			phones = append(phones, more...)
		}
		awaitThat(t, "the calls have not come to the node", func(context.Context) (bool, error) { return c.tap.begun(m.prefix) == len(calls), nil })
		must(t, server.restart(ctx))
		if failed := c.follow(ctx, fault(server.name+" restarted"), phones); failed > 0 {
			t.Errorf("%s restarted: %d phones failed", server.name, failed)
		}
		c.tap.forget(m.prefix)
		now, _, err := claim.Read(ctx, claim.OnNode(c.observer))
		must(t, err)
		if now != holds {
			t.Errorf("%s restarted: the owner was %s and is %s", server.name, holds, now)
		}
		awaitThat(t, "the workers do not go on", func(ctx context.Context) (bool, error) {
			var health struct{ PostgreSQL, RabbitMQ bool }
			err := c.system.get(ctx, "/health", &health)
			return health.PostgreSQL && health.RabbitMQ, err
		})
	}
	c.judgeTest(ctx, t)
}
