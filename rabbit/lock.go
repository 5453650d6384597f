package rabbit

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Lock takes what one worker at a time may have, under a name that all use. It is a queue that belongs to this worker's connection alone
// (AMQP 0-9-1, queue.declare, exclusive): the broker gives it back when the process or its connection ends. ok is false when another
// worker has it; err says that the broker could not be asked.
func (c *Client) Lock(ctx context.Context, name string) (unlock func(), ok bool, err error) {
	s := c.consuming.session.Load()
	if s == nil {
		return nil, false, errors.New("rabbit: lock: the broker is away")
	}
	ch, err := s.conn.Channel()
	if err != nil {
		return nil, false, fmt.Errorf("rabbit: lock: %w", err)
	}
	if ctx.Err() != nil {
		_ = ch.Close()
		return nil, false, ctx.Err()
	}
	queue := lockPrefix + name
	if _, err := ch.QueueDeclare(queue, false, false, true, false, nil); err != nil {
		_ = ch.Close()
		var refused *amqp.Error
		if errors.As(err, &refused) && refused.Code == amqp.ResourceLocked {
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("rabbit: lock %s: %w", queue, err)
	}
	return func() {
		_, _ = ch.QueueDelete(queue, false, false, false)
		_ = ch.Close()
	}, true, nil
}

// lockPrefix begins the names of these queues.
const lockPrefix = "tandem.lock."
