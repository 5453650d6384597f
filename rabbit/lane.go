package rabbit

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// lane serves requests one after the other, from one channel.
type lane struct {
	client   *Client
	session  *session
	prefetch int
	declare  func(*amqp.Channel) (queue string, err error) // nil: QueueRoute
	awake    *vigil
	respond  responder
	room     []byte // in which answers are written
}

// errPaused ends a lane's channel, and with it what the lane held.
var errPaused = errors.New("rabbit: this process stood still")

// serve works until the channel is lost, ctx ends, or the process is found to have stood still: then it is errPaused.
func (l *lane) serve(ctx context.Context) error {
	pauses := l.awake.beat()
	ch, deliveries, err := l.session.consume(QueueRoute, l.prefetch, l.declare)
	if err != nil {
		return err
	}
	var group sync.WaitGroup
	paused := false
	group.Go(func() {
		var acks acknowledger
		defer acks.flush()
		pause := backoff{}
		for {
			d, open := acks.next(ctx, deliveries)
			if !open {
				return
			}
			if l.awake.beat() != pauses {
				paused = true // closing the channel gives this one back as well
				return
			}
			if l.respondOne(ctx, &d) {
				acks.done(&d)
				pause = backoff{}
				continue
			}
			acks.flush()
			pause.wait(ctx) // or we would be given it back at once, over and over
			_ = d.Nack(false, true)
		}
	})
	err = finish(ctx, ch, &group)
	if paused && ctx.Err() == nil {
		l.client.counts.pauses.Add(1)
		l.client.log.Warn("this process stood still, requests that it held are given back")
		return errPaused
	}
	return err
}

// respondOne reports whether the request is done with; false gives it back.
func (l *lane) respondOne(ctx context.Context, d *amqp.Delivery) bool {
	c, arrived := l.client, time.Now()
	var answer response
	err := oversized(d)
	if err == nil {
		err = c.guard(QueueRoute, func() (err error) {
			answer, err = l.respond(ctx, d.Body, l.room)
			return err
		})
	}
	var refusal *messages.Refusal
	if errors.As(err, &refusal) {
		return l.refused(ctx, d, *refusal)
	}
	if answer.body == nil {
		return true
	}
	if time.Since(arrived) > RouteBudget {
		c.counts.late.Add(1)
		return true
	}
	// Without the publishing link another worker may do better; the queue's TTL ends the attempts.
	if c.publish(ExchangeAnswers, answer.key, cmp.Or(answer.kind, messages.RouteAnswerV1), answer.body) != nil {
		l.room = nil
		return false
	}
	l.room = answer.body[:0] // the connection has copied it
	if answer.sent != nil {
		_ = c.guard(QueueRoute, func() error { answer.sent(); return nil }) // the edge has its answer in any case
	}
	return true
}

// refused puts what cannot be answered aside, once: of what is asked again, the first asking is there already.
func (l *lane) refused(ctx context.Context, d *amqp.Delivery, r messages.Refusal) bool {
	c := l.client
	c.counts.refused.Add(1)
	if d.RoutingKey == KeyRouteAgain {
		return true
	}
	if err := c.deadLetter(context.WithoutCancel(ctx), QueueRoute, d, r); err != nil {
		c.log.Warn("request not dead-lettered, given back", slog.Any("error", err))
		return false
	}
	return true
}

// acknowledger acknowledges several deliveries of one channel in one frame: when enough are done, or when there is
// nothing else to do. Deliveries must be done in the order in which they came.
type acknowledger struct {
	last    amqp.Delivery
	pending int
}

// next returns the next delivery; it acknowledges what is done before it would wait. false means that the channel is
// lost or ctx has ended.
func (a *acknowledger) next(ctx context.Context, deliveries <-chan amqp.Delivery) (amqp.Delivery, bool) {
	if ctx.Err() != nil {
		return amqp.Delivery{}, false
	}
	select {
	case d, open := <-deliveries:
		return d, open
	default:
	}
	a.flush()
	select {
	case d, open := <-deliveries:
		return d, open
	case <-ctx.Done():
		return amqp.Delivery{}, false
	}
}

func (a *acknowledger) done(d *amqp.Delivery) {
	a.last = *d
	a.pending++
	if a.pending >= maxUnacknowledged {
		a.flush()
	}
}

// flush acknowledges what is done. An error means that the channel is lost and all of it comes again.
func (a *acknowledger) flush() {
	if a.pending > 0 {
		_ = a.last.Ack(true)
		a.pending = 0
	}
}
