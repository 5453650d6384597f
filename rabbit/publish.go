package rabbit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// ConfirmWait is how long PublishConfirmed and the ledger wait for the broker's word before they act as if it never came.
const ConfirmWait = 3 * time.Second

const contentType = "application/json"

// publisher owns a channel that publishes without confirms. Each role has its own, so that a burst of events does not
// delay answers behind its lock.
type publisher struct {
	mu sync.Mutex
	ch *amqp.Channel
}

func (p *publisher) publish(exchange, key string, m amqp.Publishing) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ch.Publish(exchange, key, false, false, m)
}

// confirmer owns a channel in confirm mode. Any number of messages may await their confirm at once.
type confirmer struct {
	mu sync.Mutex
	ch *amqp.Channel
}

func (c *confirmer) publish(exchange, key string, m amqp.Publishing) (*amqp.DeferredConfirmation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ch.PublishWithDeferredConfirm(exchange, key, false, false, m)
}

// openPublishers opens the channels that each session of the publishing link has. The loss of one of them, which only a
// missing exchange or a fault of the broker brings about, ends the session: the next one declares everything anew.
func openPublishers(s *session) error {
	open := func() (*amqp.Channel, error) {
		ch, err := s.conn.Channel()
		if err != nil {
			return nil, fmt.Errorf("open a publishing channel: %w", err)
		}
		closed := ch.NotifyClose(make(chan *amqp.Error, 1))
		go func() { // ends with the channel, which ends with the session
			if err := <-closed; err != nil {
				_ = s.conn.CloseDeadline(time.Now().Add(closeTimeout))
			}
		}()
		return ch, nil
	}
	answers, err := open()
	if err != nil {
		return err
	}
	events, err := open()
	if err != nil {
		return err
	}
	confirmed, err := open()
	if err != nil {
		return err
	}
	if err := confirmed.Confirm(false); err != nil {
		return fmt.Errorf("select confirms: %w", err)
	}
	s.answers, s.events, s.confirmed = &publisher{ch: answers}, &publisher{ch: events}, &confirmer{ch: confirmed}
	return nil
}

// Publish sends an answer or an event, non-persistent and without waiting. nil means that the bytes were handed to the
// connection, no more. The error is a *messages.Refusal, or ErrDisconnected at once while the broker is away or takes
// nothing. A write to a broker that has stopped reading is given up after WriteTimeout.
func (c *Client) Publish(ctx context.Context, exchange, key string, m messages.Message) error {
	body, err := messages.Encode(m)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.publish(exchange, key, m.MessageType(), body)
}

func (c *Client) publish(exchange, key string, kind messages.Type, body []byte) error {
	s := c.publishing.session.Load()
	if s == nil || s.blocked.Load() {
		return ErrDisconnected
	}
	role := s.events
	if exchange == ExchangeAnswers {
		role = s.answers
	}
	m := amqp.Publishing{ContentType: contentType, Type: string(kind), DeliveryMode: amqp.Transient, Body: body}
	if err := role.publish(exchange, key, m); err != nil {
		return fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
	c.counts.published.Add(1)
	return nil
}

// PublishConfirmed sends a persistent message and waits until the broker has taken it, at most ConfirmWait. Callers that
// publish at the same time share the channel: their messages are in flight together. After an error the message may
// have been taken all the same.
func (c *Client) PublishConfirmed(ctx context.Context, exchange, key string, m messages.Message) error {
	body, err := messages.Encode(m)
	if err != nil {
		return err
	}
	return c.publishConfirmed(ctx, exchange, key, persistent(m.MessageType(), body))
}

func (c *Client) publishConfirmed(ctx context.Context, exchange, key string, m amqp.Publishing) error {
	ctx, cancel := context.WithTimeout(ctx, ConfirmWait)
	defer cancel()
	confirm, err := c.send(exchange, key, m)
	if err != nil {
		return err
	}
	ack, err := confirm.WaitContext(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotConfirmed, err)
	}
	if !ack {
		return ErrNotConfirmed
	}
	c.counts.confirmed.Add(1)
	return nil
}

// send hands a message to the confirmed channel without waiting for the confirm.
func (c *Client) send(exchange, key string, m amqp.Publishing) (*amqp.DeferredConfirmation, error) {
	s := c.publishing.session.Load()
	if s == nil || s.blocked.Load() {
		return nil, ErrDisconnected
	}
	confirm, err := s.confirmed.publish(exchange, key, m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDisconnected, err)
	}
	return confirm, nil
}

func persistent(kind messages.Type, body []byte) amqp.Publishing {
	return amqp.Publishing{
		ContentType: contentType, Type: string(kind), DeliveryMode: amqp.Persistent, Timestamp: time.Now(), Body: body,
	}
}

// Headers of a dead-lettered message.
const (
	HeaderReason   = "x-tandem-reason"   // a Refusal's Reason, or "panic"
	HeaderQueue    = "x-tandem-queue"    // where it was taken from
	HeaderExchange = "x-tandem-exchange" // where it had been published
	HeaderKey      = "x-tandem-key"
	HeaderDetail   = "x-tandem-detail" // for people; holds no value from the message
)

// deadLetter puts the untouched body into tandem.dead. On nil the broker has it.
func (c *Client) deadLetter(ctx context.Context, queue string, d *amqp.Delivery, r messages.Refusal) error {
	m := amqp.Publishing{
		ContentType: d.ContentType, ContentEncoding: d.ContentEncoding, Type: d.Type, DeliveryMode: amqp.Persistent,
		Timestamp: time.Now(), Body: d.Body,
		Headers: amqp.Table{
			HeaderReason: r.Reason, HeaderQueue: queue, HeaderExchange: d.Exchange, HeaderKey: d.RoutingKey,
			HeaderDetail: r.Field + ": " + r.Detail,
		},
	}
	if err := c.publishConfirmed(ctx, ExchangeDead, "", m); err != nil {
		return fmt.Errorf("rabbit: dead-letter from %s: %w", queue, err)
	}
	c.counts.deadLettered.Add(1)
	c.log.Warn("message dead-lettered", slog.String("queue", queue), slog.String("reason", r.Reason),
		slog.String("field", r.Field), slog.String("detail", r.Detail), slog.Int("bytes", len(d.Body)))
	return nil
}
