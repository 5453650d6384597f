package rabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// ReasonPanic is the x-tandem-reason of a message whose handler panicked.
const ReasonPanic = "panic"

// Delivery is one message as received.
type Delivery struct {
	Body        []byte // the handler may keep it
	Queue       string
	Exchange    string // where it had been published
	Key         string
	Redelivered bool      // somebody may have handled it already
	ArrivedAt   time.Time // when this process took it up
}

// ConsumeOptions bound a consumer.
type ConsumeOptions struct {
	Prefetch int // deliveries that the broker lets this process hold; 1 when 0
	Workers  int // handlers at once; 1 when 0, which keeps the queue's order
}

// Consume hands a queue's messages to handle until ctx ends (then nil) or the client is closed (then ErrClosed), through
// any number of reconnections. What handle returns decides:
//
//	nil                acknowledged
//	*messages.Refusal  dead-lettered with its Reason, then acknowledged
//	a panic            dead-lettered with ReasonPanic, then acknowledged
//	any other error    held for a growing, bounded pause, then given back to the queue
//
// Bodies beyond messages.MaxMessageBytes are dead-lettered without a call of handle.
func (c *Client) Consume(ctx context.Context, queue string, o ConsumeOptions, handle func(context.Context, Delivery) error) error {
	workers := max(o.Workers, 1)
	return c.eachSession(ctx, "consume "+queue, func(ctx context.Context, s *session) error {
		ch, deliveries, err := s.consume(queue, max(o.Prefetch, 1), nil)
		if err != nil {
			return err
		}
		var group sync.WaitGroup
		for range workers {
			group.Go(func() { c.handleAll(ctx, queue, deliveries, handle) })
		}
		return finish(ctx, ch, &group)
	})
}

// eachSession runs work on each session of the consuming link in turn. Work returns when its channel is lost.
func (c *Client) eachSession(ctx context.Context, what string, work func(context.Context, *session) error) error {
	pause := backoff{}
	for {
		s, err := c.consuming.await(ctx)
		if errors.Is(err, ErrClosed) {
			return ErrClosed
		}
		if err != nil {
			return nil
		}
		since := time.Now()
		err = work(ctx, s)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(since) >= StableAfter {
			pause = backoff{}
		}
		select {
		case <-s.gone: // the link has told why
		default:
			c.log.Warn("RabbitMQ ended a consumer, starting it again", slog.String("what", what), slog.Any("error", err))
			pause.wait(ctx)
		}
	}
}

// consume opens a channel of its own for one consumer. after, when not nil, prepares it and names the queue.
func (s *session) consume(queue string, prefetch int, after func(*amqp.Channel) (string, error)) (*amqp.Channel, <-chan amqp.Delivery, error) {
	ch, err := s.conn.Channel()
	if err != nil {
		return nil, nil, fmt.Errorf("open a channel: %w", err)
	}
	err = ch.Qos(prefetch, 0, false)
	if err == nil && after != nil {
		queue, err = after(ch)
	}
	var deliveries <-chan amqp.Delivery
	if err == nil {
		deliveries, err = ch.Consume(queue, "", false, false, false, false, nil)
	}
	if err != nil {
		_ = ch.Close()
		return nil, nil, err
	}
	return ch, deliveries, nil
}

// finish waits for the group, which ends by itself when the channel is lost; when ctx ends it first closes the channel,
// which gives unhandled deliveries back.
func finish(ctx context.Context, ch *amqp.Channel, group *sync.WaitGroup) error {
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	ended := make(chan struct{})
	go func() {
		group.Wait()
		close(ended)
	}()
	select {
	case <-ctx.Done():
		<-ended // handlers see ctx; what they have done is acknowledged before the channel goes
		_ = ch.Close()
		return nil
	case <-ended:
		_ = ch.Close()
	}
	select {
	case err := <-closed:
		if err != nil {
			return err
		}
	default:
	}
	return amqp.ErrClosed
}

// handleAll is one worker of Consume. It ends when deliveries is closed, which the loss of the channel does, or ctx ends.
func (c *Client) handleAll(ctx context.Context, queue string, deliveries <-chan amqp.Delivery, handle func(context.Context, Delivery) error) {
	pause := backoff{}
	for {
		select {
		case <-ctx.Done():
			return
		case d, open := <-deliveries:
			if !open || ctx.Err() != nil {
				return
			}
			if err := c.handleOne(ctx, queue, &d, handle); err != nil {
				c.log.Warn("message not handled, given back after a pause", slog.String("queue", queue), slog.Any("error", err))
				pause.wait(ctx)
				_ = d.Nack(false, true) // fails when the channel is lost, which gives it back as well
				continue
			}
			pause = backoff{}
			_ = d.Ack(false) // fails when the channel is lost; the broker then delivers it again
		}
	}
}

// handleOne returns nil when the delivery is done with, dead-lettered included.
func (c *Client) handleOne(ctx context.Context, queue string, d *amqp.Delivery, handle func(context.Context, Delivery) error) error {
	err := oversized(d)
	if err == nil {
		err = c.guard(queue, func() error {
			return handle(ctx, Delivery{
				Body: d.Body, Queue: queue, Exchange: d.Exchange, Key: d.RoutingKey,
				Redelivered: d.Redelivered, ArrivedAt: time.Now(),
			})
		})
	}
	var refusal *messages.Refusal
	if errors.As(err, &refusal) {
		c.counts.refused.Add(1)
		return c.deadLetter(context.WithoutCancel(ctx), queue, d, *refusal)
	}
	return err
}

func oversized(d *amqp.Delivery) error {
	if len(d.Body) <= messages.MaxMessageBytes {
		return nil
	}
	return &messages.Refusal{
		Reason: "too_large",
		Detail: fmt.Sprintf("%d bytes, at most %d", len(d.Body), messages.MaxMessageBytes),
	}
}

// guard runs f and makes a panic a refusal, after logging its stack.
func (c *Client) guard(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.counts.panics.Add(1)
			c.log.Error("handler panicked", slog.String("what", what), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			err = &messages.Refusal{Reason: ReasonPanic, Detail: "the handler panicked"}
		}
	}()
	return f()
}

// ConsumeRegistrations hands every registration to store, SaveRegistrationsAtOnce at a time and so in no order: store
// compares At and CSeq. A store that fails is tried again.
func (c *Client) ConsumeRegistrations(ctx context.Context, store RegistrationStore) error {
	o := ConsumeOptions{Prefetch: registrationsPrefetch, Workers: SaveRegistrationsAtOnce}
	return c.Consume(ctx, QueueRegistrations, o, func(ctx context.Context, d Delivery) error {
		m, err := messages.ParseAs[*messages.Registration](d.Body)
		if err != nil {
			return err
		}
		return store.SaveRegistration(ctx, *m)
	})
}

// RegistrationStore keeps registrations. Saving one twice, or an older one after a newer one, must do no harm.
type RegistrationStore interface {
	SaveRegistration(context.Context, messages.Registration) error
}

// Bounds of ConsumeRegistrations.
const (
	SaveRegistrationsAtOnce = 8
	registrationsPrefetch   = 64
)
