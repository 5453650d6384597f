package rabbit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
)

// Bounds of ServeRoutes.
const (
	// RouteBudget is how long a request may be with this worker. Its age on arrival is at most RouteTTL, which the
	// broker counts on its own clock; a timestamp in the message would be another machine's, in whole seconds.
	RouteBudget = 300 * time.Millisecond
	// RoutePrefetch is how many requests a process should hold at once. A paused one keeps so many from all others until
	// their edges ask again, and fewer cost processor time (docs/benchmarks.md).
	RoutePrefetch = 32
	// RouteLanes is how many channels serve requests side by side; each decides one at a time. One more serves those that
	// edges ask again.
	RouteLanes = 2
	// againPrefetch is that one's. What a paused worker holds of them, the others have as well.
	againPrefetch = 8
	// maxUnacknowledged is how many finished requests a lane acknowledges in one go.
	maxUnacknowledged = 16
)

// ServeRoutes answers routing requests until ctx ends (then nil) or the client is closed (then ErrClosed). prefetch bounds
// the requests that the broker lets this process hold; they go to another worker when this one dies, until RouteTTL.
//
// What an edge asks again, because nobody has answered for a while, comes to every worker, through a queue of its own: the
// one that may be paused cannot hold it up. So a worker may be asked twice, and several may answer; edges heed the first.
//
// decide is called from RouteLanes+1 goroutines, must not block, and owns the request. Its answer goes to the edge that
// asked; nil means that none is due. sent, which may be nil, is called when the answer was handed to the broker, and not
// when it came too late or could not be sent: another worker decides then. A request that cannot be read is dead-lettered,
// as is one on which decide panics or gives an answer that messages refuses: the edge then answers by its own deadline.
//
// transfer, if there is one, answers questions about REFERs on the same terms; they are not asked again.
//
// A process that stood still for PauseNoticed gives all that it held back to the broker, which alone knows how old it is:
// what is older than RouteTTL is answered by nobody.
func (c *Client) ServeRoutes(ctx context.Context, prefetch int, decide func(context.Context, *messages.RouteRequest) (answer *messages.RouteAnswer, sent func()), transfer func(context.Context, *messages.TransferRequest) *messages.TransferAnswer) error {
	return c.serveRequests(ctx, prefetch, func(ctx context.Context, body, room []byte) (response, error) {
		request, err := messages.ParseRouteRequest(body)
		if other := new(messages.Refusal); transfer != nil && errors.As(err, &other) && other.Field == "type" {
			return transferred(ctx, body, transfer)
		}
		if err != nil {
			return response{}, err
		}
		answer, sent := decide(ctx, request)
		if answer == nil {
			return response{}, nil
		}
		reply, err := messages.EncodeInto(room, answer)
		return response{key: request.ServerID, body: reply, sent: sent}, err
	})
}

// transferred answers a question about a REFER.
func transferred(ctx context.Context, body []byte, transfer func(context.Context, *messages.TransferRequest) *messages.TransferAnswer) (response, error) {
	request, err := messages.ParseAs[*messages.TransferRequest](body)
	if err != nil {
		return response{}, err
	}
	answer := transfer(ctx, request)
	if answer == nil {
		return response{}, nil
	}
	reply, err := messages.Encode(answer)
	return response{key: request.ServerID, kind: messages.TransferAnswerV1, body: reply}, err
}

// response is an answer on its way. Without a body none is due.
type response struct {
	key  string        // routing key
	kind messages.Type // of body; empty: a route answer
	body []byte
	sent func() // may be nil
}

// responder decides about one request. It may write its answer into the room, which is nobody's until the answer is sent.
type responder func(ctx context.Context, request, room []byte) (response, error)

// serveRequests runs the lanes.
func (c *Client) serveRequests(ctx context.Context, prefetch int, respond responder) error {
	return c.eachSession(ctx, "consume "+QueueRoute, func(ctx context.Context, s *session) error {
		// One lane's end must end the others: the session of all is then made anew.
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var awake vigil
		var running sync.WaitGroup
		running.Go(func() { awake.keep(ctx) })
		again := "tandem.again." + uuid.NewString()
		lanes := []lane{{prefetch: againPrefetch, declare: func(ch *amqp.Channel) (string, error) { return again, declareAgain(ch, again) }}}
		for range RouteLanes {
			lanes = append(lanes, lane{prefetch: max(prefetch/RouteLanes, 1)})
		}
		var once sync.Once
		var first error
		for _, l := range lanes {
			l.client, l.session, l.awake, l.respond = c, s, &awake, respond
			running.Go(func() {
				err := errPaused
				for errors.Is(err, errPaused) {
					err = l.serve(ctx)
				}
				once.Do(func() { first = err })
				cancel()
			})
		}
		running.Wait()
		return first
	})
}

// declareAgain makes this worker's queue for what edges ask again. It lives as long as the connection, and longer than the
// lane's channel: what comes to a worker that stands still for a moment may have nobody else to answer it.
func declareAgain(ch *amqp.Channel, name string) error {
	_, err := ch.QueueDeclare(name, false, false, true, false, amqp.Table{
		amqp.QueueMessageTTLArg: RouteTTL.Milliseconds(),
		amqp.QueueMaxLenArg:     int64(MaxRouteQueued),
		amqp.QueueOverflowArg:   amqp.QueueOverflowDropHead,
	})
	if err != nil {
		return fmt.Errorf("declare a queue for what is asked again: %w", err)
	}
	if err := ch.QueueBind(name, KeyRouteAgain, ExchangeRequests, false, nil); err != nil {
		return fmt.Errorf("bind the queue for what is asked again: %w", err)
	}
	return nil
}
