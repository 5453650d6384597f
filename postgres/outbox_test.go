package postgres

import (
	"context"
	"testing"
)

func TestADispatchOfNothingWakesNobody(t *testing.T) {
	s := newStore(t)
	ctx, cancel := context.WithCancel(testContext(t))
	heard, listening := make(chan string, 100), make(chan error, 1)
	go func() {
		listening <- s.Listen(ctx, OutboxChannel, func(payload string) { heard <- payload })
	}()
	tell := func(payload string) {
		t.Helper()
		if _, err := s.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, OutboxChannel, payload); err != nil {
			t.Fatal(err)
		}
	}
	for heardFirst := false; !heardFirst; { // until it listens
		tell("before")
		select {
		case payload := <-heard:
			heardFirst = payload == "before"
		default:
		}
	}
	if n, err := s.Dispatch(ctx, 10); err != nil || n != 0 {
		t.Fatalf("dispatched %d, %v", n, err)
	}
	tell("after")
	for {
		switch payload := receive(t, "an announcement", heard); payload {
		case "before":
			continue
		case "after":
		default:
			t.Errorf("%q was announced by a dispatch of nothing", payload)
		}
		break
	}
	cancel()
	<-listening
}
