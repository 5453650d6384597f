package main

import (
	"context"
	"testing"
	"time"

	"tandem/stack"
)

// TestTakeoverInEachPhase kills the process of a node's owner (kill -9) in the instant in which a call of that phase needs
// its next command, or needs none; other calls are up in other phases. The phones see every dialog come to its end as if
// nothing had happened, no command reaches the node twice, and each leg has one record.
func TestTakeoverInEachPhase(t *testing.T) {
	s := stack.ForTest(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c, servers := newChaos(s), &chaosCommand{PostgresURL: s.TestDatabase(t), AMQPURL: s.TestVHost(t)}
	t.Cleanup(c.end)
	must(t, c.start(ctx, servers))
	for _, scene := range scenes() {
		t.Run(scene.name, func(t *testing.T) {
			before := len(c.gaps[faultKill])
			dropped, twice, notes := c.dropped, len(c.tap.twice()), len(c.told)
			m := c.free()
			must(t, c.round(ctx, faultKill, scene, m))
			select {
			case <-m.over:
			case <-ctx.Done():
				t.Fatal(ctx.Err())
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, note := range c.told[notes:] {
				t.Error(note)
			}
			if c.dropped > dropped {
				t.Errorf("%d phones failed", c.dropped-dropped)
			}
			if now := c.tap.twice(); len(now) > twice {
				t.Errorf("twice at the node: %q", now[twice:])
			}
			if gaps := c.gaps[faultKill]; len(gaps) > before {
				t.Logf("the next command came after %s", gaps[before])
			}
		})
	}
	lost, doubled, estimated, err := c.records(ctx)
	must(t, err)
	if lost+doubled+estimated > 0 {
		t.Errorf("records: %d lost, %d doubled, %d estimated", lost, doubled, estimated)
	}
}
