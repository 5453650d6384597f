package rabbit_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"tandem/messages"
	"tandem/rabbit"
)

// momentsOfCalls takes call events, after it has failed some times.
type momentsOfCalls struct {
	came    chan messages.CallEvent
	failing atomic.Int32
}

func (m *momentsOfCalls) SaveCallEvents(_ context.Context, events []messages.CallEvent) error {
	if m.failing.Add(-1) >= 0 {
		return errors.New("the database is away")
	}
	for _, e := range events {
		if e.Call == "refused" {
			return &messages.Refusal{Reason: "bad_value"}
		}
	}
	for _, e := range events {
		m.came <- e
	}
	return nil
}

func moment(call string) *messages.CallEvent {
	return &messages.CallEvent{Type: messages.CallEventV1, Call: call, Tenant: "acme", State: messages.CallStarted, Node: "n", At: time.Now()}
}

// Moments of calls wait for whoever keeps them, also while the database is away; one that it will never take holds up no other.
func TestMomentsOfCallsWaitForWhoeverKeepsThem(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	for _, call := range []string{"one", "refused", "two"} {
		if err := c.Publish(contextFor(t), rabbit.ExchangeEvents, "call.event.v1", moment(call)); err != nil {
			t.Fatal(err)
		}
	}
	store := &momentsOfCalls{came: make(chan messages.CallEvent, 10)}
	store.failing.Store(2)
	background(t, func(ctx context.Context) error { return c.ConsumeMoments(ctx, 100, 10*time.Millisecond, store) })
	for _, want := range []string{"one", "two"} {
		if got := receive(t, store.came, "moment"); got.Call != want {
			t.Errorf("got %s, want %s", got.Call, want)
		}
	}
}
