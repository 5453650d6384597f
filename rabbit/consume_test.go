package rabbit_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
	"tandem/rabbit"
)

// queueOf makes a queue of the test's own and returns its name; the default exchange leads to it.
func queueOf(t *testing.T, ch *amqp.Channel) string {
	t.Helper()
	q, err := ch.QueueDeclare("own", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Name
}

func TestWhatAHandlerReturnsDecidesWhatBecomesOfAMessage(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	ch := raw(t, url)
	queue, dead := queueOf(t, ch), deliveries(t, raw(t, url), rabbit.QueueDead)
	handled := make(chan rabbit.Delivery, 10)
	var failures atomic.Int32
	background(t, func(ctx context.Context) error {
		return c.Consume(ctx, queue, rabbit.ConsumeOptions{Prefetch: 4, Workers: 2}, func(_ context.Context, d rabbit.Delivery) error {
			handled <- d
			switch string(d.Body) {
			case "refuse":
				return fmt.Errorf("wrapped: %w", &messages.Refusal{Reason: "bad_value", Field: "x", Detail: "is odd"})
			case "panic":
				panic("oh")
			case "fail twice":
				if failures.Add(1) <= 2 {
					return errors.New("not now")
				}
			}
			return nil
		})
	})

	send(t, ch, "", queue, []byte("refuse"))
	receive(t, handled, "handling")
	if d := receive(t, dead, "dead letter"); string(d.Body) != "refuse" || d.Headers[rabbit.HeaderReason] != "bad_value" || d.Headers[rabbit.HeaderQueue] != queue {
		t.Errorf("%q %v", d.Body, d.Headers)
	}
	send(t, ch, "", queue, []byte("panic"))
	receive(t, handled, "handling")
	if d := receive(t, dead, "dead letter"); string(d.Body) != "panic" || d.Headers[rabbit.HeaderReason] != rabbit.ReasonPanic {
		t.Errorf("%q %v", d.Body, d.Headers)
	}
	send(t, ch, "", queue, []byte("fail twice"))
	for i := range 3 {
		if d := receive(t, handled, "handling"); string(d.Body) != "fail twice" || d.Redelivered != (i > 0) {
			t.Errorf("attempt %d: %q, redelivered %v", i, d.Body, d.Redelivered)
		}
	}
	send(t, ch, "", queue, []byte("fine"))
	receive(t, handled, "handling")
}

func TestWhatWasHandledIsNotDeliveredAgainAfterAStop(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	ch := raw(t, url)
	queue := queueOf(t, ch)
	const n = 20
	for i := range n {
		send(t, ch, "", queue, fmt.Appendf(nil, "%d", i))
	}
	ctx, stop := context.WithCancel(contextFor(t))
	var count atomic.Int32
	err := c.Consume(ctx, queue, rabbit.ConsumeOptions{Prefetch: 10}, func(context.Context, rabbit.Delivery) error {
		if count.Add(1) == 5 {
			stop() // in the middle of the fifth
		}
		return nil
	})
	if err != nil {
		t.Fatalf("stopped with %v", err)
	}
	if q, err := ch.QueueInspect(queue); err != nil || q.Messages != n-5 {
		t.Errorf("%d left, %v; want %d", q.Messages, err, n-5)
	}
}

func TestConsumersEndWithTheClient(t *testing.T) {
	c, _ := connected(t, broker(t))
	started := make(chan struct{}, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- c.SubscribeEvents(context.Background(), []string{"#"}, func(messages.Message) {}, func() { started <- struct{}{} })
	}()
	receive(t, started, "subscription")
	c.Close()
	if err := receive(t, ended, "end"); !errors.Is(err, rabbit.ErrClosed) {
		t.Errorf("ended with %v", err)
	}
}

type registrations chan messages.Registration

func (r registrations) SaveRegistration(_ context.Context, m messages.Registration) error {
	r <- m
	return nil
}

func registration(user string) *messages.Registration {
	return &messages.Registration{
		Type: messages.RegistrationV1, Event: messages.Registered, Edge: "edge1", EdgeURI: "sip:192.0.2.1:5060",
		Username: user, Domain: "demo.example.com", Contact: "sip:" + user + "@198.51.100.7:5062", Expires: 300,
		At: time.Now().Unix(), CallID: "r1", CSeq: 1,
	}
}

func TestARegistrationWaitsForWhoeverPersistsIt(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	if err := c.Publish(contextFor(t), rabbit.ExchangeEvents, "registration.event.v1", registration("101")); err != nil {
		t.Fatal(err)
	}
	store := make(registrations, 10)
	background(t, func(ctx context.Context) error { return c.ConsumeRegistrations(ctx, store) })
	if m := receive(t, store, "registration"); m.Username != "101" {
		t.Errorf("%+v", m)
	}
}

func TestPublishRefusesWhatNobodyCouldRead(t *testing.T) {
	c, _ := connected(t, broker(t))
	var refusal *messages.Refusal
	if err := c.Publish(contextFor(t), rabbit.ExchangeEvents, "edge.hello.v1", &messages.EdgeHello{}); !errors.As(err, &refusal) {
		t.Errorf("got %v", err)
	}
}

func TestAConfirmedPublishIsInTheQueue(t *testing.T) {
	url := broker(t)
	c, _ := connected(t, url)
	ch := raw(t, url)
	const n = 50
	errs := make(chan error, n)
	for i := range n {
		go func() {
			errs <- c.PublishConfirmed(context.Background(), rabbit.ExchangeLedger, "cdr.v1", cdr(fmt.Sprintf("leg-%d", i)))
		}()
	}
	for range n {
		if err := receive(t, errs, "confirm"); err != nil {
			t.Error(err)
		}
	}
	if c.Stats().Confirmed != n {
		t.Errorf("%+v", c.Stats())
	}
	all := deliveries(t, ch, rabbit.QueueLedger)
	for range n {
		if d := receive(t, all, "message"); d.DeliveryMode != amqp.Persistent {
			t.Error("not persistent")
		}
	}
}
