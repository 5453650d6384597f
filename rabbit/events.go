package rabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

const eventsPrefetch = 256

// SubscribeEvents hands every event with one of the keys (message types; the wildcards of a topic exchange work) to
// handle, one at a time and in the order of the broker, until ctx ends (then nil) or the client is closed (then
// ErrClosed).
//
// It calls onGap, from the same goroutine, each time the subscription has been made, the first time included, and before
// the first event of that subscription: events from before are missed, and whoever keeps a picture of the world loads
// it now. Nothing falls in between, as the queue collects meanwhile, up to MaxEventsQueued.
//
// Events are copies. One that cannot be read, or on which handle panics, is logged and skipped.
func (c *Client) SubscribeEvents(ctx context.Context, keys []string, handle func(messages.Message), onGap func()) error {
	return c.eachSession(ctx, "follow events", func(ctx context.Context, s *session) error {
		ch, deliveries, err := s.consume("", eventsPrefetch, func(ch *amqp.Channel) (string, error) {
			return declareEvents(ch, c.name, keys)
		})
		if err != nil {
			return err
		}
		if onGap != nil {
			_ = c.guard("onGap", func() error { onGap(); return nil })
		}
		var group sync.WaitGroup
		group.Go(func() {
			var acks acknowledger
			defer acks.flush()
			for {
				d, open := acks.next(ctx, deliveries)
				if !open {
					return
				}
				c.handleEvent(&d, handle)
				acks.done(&d)
			}
		})
		return finish(ctx, ch, &group)
	})
}

// declareEvents makes a queue that lives and dies with the connection. Its name is new each time: the broker may still
// hold the one of a lost connection.
func declareEvents(ch *amqp.Channel, worker string, keys []string) (string, error) {
	name := "tandem.events." + worker + "." + uuid.NewString()
	_, err := ch.QueueDeclare(name, false, true, true, false, amqp.Table{
		amqp.QueueMaxLenArg:   int64(MaxEventsQueued),
		amqp.QueueOverflowArg: amqp.QueueOverflowDropHead,
	})
	if err != nil {
		return "", fmt.Errorf("declare a queue for events: %w", err)
	}
	for _, key := range keys {
		if err := ch.QueueBind(name, key, ExchangeEvents, false, nil); err != nil {
			return "", fmt.Errorf("bind the queue for events to %s: %w", key, err)
		}
	}
	return name, nil
}

func (c *Client) handleEvent(d *amqp.Delivery, handle func(messages.Message)) {
	m, err := messages.Parse(d.Body)
	if err == nil {
		err = c.guard("event "+d.RoutingKey, func() error { handle(m); return nil })
	}
	var refusal *messages.Refusal
	if errors.As(err, &refusal) {
		c.counts.refused.Add(1)
		c.log.Warn("event skipped", slog.String("key", d.RoutingKey), slog.String("reason", refusal.Reason),
			slog.String("field", refusal.Field), slog.String("detail", refusal.Detail))
	}
}
