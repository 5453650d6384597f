package rabbit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// Bounds of ServeRoutes.
const (
	// RouteBudget is how long a request may be with this worker. Its age on arrival is at most RouteTTL, which the
	// broker counts on its own clock; a timestamp in the message would be another machine's, in whole seconds.
	RouteBudget = 300 * time.Millisecond
	// RoutePrefetch is how many requests a process should hold at once. A paused one keeps so many from all others until
	// their edges ask again, and more made no worker faster (docs/benchmarks.md).
	RoutePrefetch = 16
	// RouteLanes is how many channels serve requests side by side; each decides one at a time.
	RouteLanes = 2
	// maxUnacknowledged is how many finished requests a lane acknowledges in one go.
	maxUnacknowledged = 16
)

// ServeRoutes answers routing requests until ctx ends (then nil) or the client is closed (then ErrClosed). prefetch bounds
// the requests that the broker lets this process hold; they go to another worker when this one dies, until RouteTTL.
//
// decide is called from RouteLanes goroutines, must not block, and owns the request. Its answer goes to the edge that
// asked; nil means that none is due. sent, which may be nil, is called when the answer was handed to the broker, and not
// when it came too late or could not be sent: another worker decides then. A request that cannot be read is dead-lettered,
// as is one on which decide panics or gives an answer that messages refuses: the edge then answers by its own deadline.
//
// A process that stood still for PauseNoticed gives all that it held back to the broker, which alone knows how old it is:
// what is older than RouteTTL is answered by nobody.
func (c *Client) ServeRoutes(ctx context.Context, prefetch int, decide func(context.Context, *messages.RouteRequest) (answer *messages.RouteAnswer, sent func())) error {
	return c.serveRequests(ctx, prefetch, func(ctx context.Context, body []byte) (response, error) {
		request, err := messages.ParseRouteRequest(body)
		if err != nil {
			return response{}, err
		}
		answer, sent := decide(ctx, request)
		if answer == nil {
			return response{}, nil
		}
		reply, err := messages.Encode(answer)
		return response{key: request.ServerID, body: reply, sent: sent}, err
	})
}

// response is an answer on its way. Without a body none is due.
type response struct {
	key  string // routing key
	body []byte
	sent func() // may be nil
}

// responder decides about one request.
type responder func(ctx context.Context, request []byte) (response, error)

// errPaused ends a lane's channel, and with it what the lane held.
var errPaused = errors.New("rabbit: this process stood still")

// serveRequests runs the lanes.
func (c *Client) serveRequests(ctx context.Context, prefetch int, respond responder) error {
	return c.eachSession(ctx, "consume "+QueueRoute, func(ctx context.Context, s *session) error {
		// One lane's end must end the other: the session of both is then made anew.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var awake vigil
		var lanes sync.WaitGroup
		lanes.Go(func() { awake.keep(ctx) })
		var once sync.Once
		var first error
		for range RouteLanes {
			lanes.Go(func() {
				err := errPaused
				for errors.Is(err, errPaused) {
					err = c.serveLane(ctx, s, max(prefetch/RouteLanes, 1), &awake, respond)
				}
				once.Do(func() { first = err })
				cancel()
			})
		}
		lanes.Wait()
		return first
	})
}

// serveLane serves requests through one channel until it is lost, ctx ends, or the process is found to have stood still.
func (c *Client) serveLane(ctx context.Context, s *session, prefetch int, awake *vigil, respond responder) error {
	pauses := awake.beat()
	ch, deliveries, err := s.consume(QueueRoute, prefetch, nil)
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
			if awake.beat() != pauses {
				paused = true // closing the channel gives this one back as well
				return
			}
			if c.respondOne(ctx, &d, respond) {
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
		c.counts.pauses.Add(1)
		c.log.Warn("this process stood still, requests that it held are given back")
		return errPaused
	}
	return err
}

// respondOne reports whether the request is done with; false gives it back.
func (c *Client) respondOne(ctx context.Context, d *amqp.Delivery, respond responder) bool {
	arrived := time.Now()
	var answer response
	err := oversized(d)
	if err == nil {
		err = c.guard(QueueRoute, func() (err error) {
			answer, err = respond(ctx, d.Body)
			return err
		})
	}
	var refusal *messages.Refusal
	if errors.As(err, &refusal) {
		c.counts.refused.Add(1)
		if err := c.deadLetter(context.WithoutCancel(ctx), QueueRoute, d, *refusal); err != nil {
			c.log.Warn("request not dead-lettered, given back", slog.Any("error", err))
			return false
		}
		return true
	}
	if answer.body == nil {
		return true
	}
	if time.Since(arrived) > RouteBudget {
		c.counts.late.Add(1)
		return true
	}
	// Without the publishing link another worker may do better; the queue's TTL ends the attempts.
	if c.publish(ExchangeAnswers, answer.key, messages.RouteAnswerV1, answer.body) != nil {
		return false
	}
	if answer.sent != nil {
		_ = c.guard(QueueRoute, func() error { answer.sent(); return nil }) // the edge has its answer in any case
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
