package rabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"
)

// What a caller may get besides a *messages.Refusal.
var (
	ErrDisconnected = errors.New("rabbit: not connected to the broker")
	ErrNotConfirmed = errors.New("rabbit: the broker did not take the message")
	ErrClosed       = errors.New("rabbit: closed")
)

// Options of a Client.
type Options struct {
	URL    string       // amqp:// or amqps://, with credentials and virtual host
	Name   string       // of this process; shown by the broker beside its connections
	Logger *slog.Logger // slog.Default() when nil
}

// Client is a process's connection to the broker. It is safe for concurrent use.
type Client struct {
	name   string
	log    *slog.Logger
	broker string // host:port/vhost, fit for a log

	publishing *link
	consuming  *link

	closed context.Context // done when Close has been called
	stop   context.CancelFunc
	links  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	away   map[*link]reason
	shown  reason // the last state that was logged
	counts counters
}

// reason is why a link is away, in a few stable words, so that a change of it can be told from mere repetition.
type reason string

const (
	up          reason = ""
	starting    reason = "starting"
	unreachable reason = "nothing answers"
	unwelcome   reason = "access refused"
	different   reason = "topology differs from what the broker holds"
	broken      reason = "connection lost"
)

// Connect starts a client. It needs no broker to be there: it goes on trying until Close. The only errors are a URL that
// is none and a ctx that has ended; ending ctx later does not end the client.
func Connect(ctx context.Context, o Options) (*Client, error) {
	uri, err := amqp.ParseURI(o.URL)
	if err != nil {
		// The parser's own words may hold the password.
		return nil, errors.New("rabbit: TANDEM_AMQP_URL is not of the form amqp://user:password@host:port/vhost")
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("rabbit: connect: %w", err)
	}
	log := o.Logger
	if log == nil {
		log = slog.Default()
	}
	c := &Client{
		name:   o.Name,
		log:    log,
		broker: net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port)) + "/" + uri.Vhost,
		away:   map[*link]reason{},
		shown:  starting,
	}
	c.closed, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.publishing = newLink(c, o.URL, "publishing", openPublishers)
	c.consuming = newLink(c, o.URL, "consuming", nil)
	c.away[c.publishing], c.away[c.consuming] = starting, starting
	for _, l := range []*link{c.publishing, c.consuming} {
		c.links.Go(func() { l.run(c.closed) })
	}
	return c, nil
}

// Close ends both links and waits for them. Consumers return ErrClosed. It is safe to call twice.
func (c *Client) Close() {
	c.stop()
	c.links.Wait()
}

// Connected reports whether both links are up.
func (c *Client) Connected() bool {
	return c.publishing.session.Load() != nil && c.consuming.session.Load() != nil
}

// WaitConnected waits until both links are up. The error is that of ctx or ErrClosed.
func (c *Client) WaitConnected(ctx context.Context) error {
	for {
		if _, err := c.publishing.await(ctx); err != nil {
			return err
		}
		if _, err := c.consuming.await(ctx); err != nil {
			return err
		}
		if c.Connected() {
			return nil
		}
	}
}

// report takes a link's state and logs the client's when it has changed.
func (c *Client) report(l *link, why reason, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away[l] = why
	state := up
	for _, r := range c.away {
		if r != up {
			state = r
			break
		}
	}
	if why != up {
		state = why
	}
	if state == c.shown || state == starting {
		return
	}
	// A lost connection is followed by dials that nothing answers: that is the same outage, told already.
	if state == unreachable && c.shown == broken {
		return
	}
	c.shown = state
	if state == up {
		c.counts.connects.Add(1)
		c.log.Info("connected to RabbitMQ", slog.String("broker", c.broker))
		return
	}
	c.log.Warn("RabbitMQ is away, trying again until it is back",
		slog.String("broker", c.broker), slog.String("reason", string(state)), slog.String("link", l.name), slog.Any("error", err))
}

// counters are kept for Stats.
type counters struct {
	connects, published, confirmed, refused, deadLettered, panics, late, pauses atomic.Uint64
}

// Stats are counts since the client was made.
type Stats struct {
	Connects     uint64 // how often both links came up
	Published    uint64 // unconfirmed: answers and events
	Confirmed    uint64 // taken by the broker's own word
	Refused      uint64 // deliveries that no release can read
	DeadLettered uint64 // put into tandem.dead by this process
	Panics       uint64 // handlers that panicked
	Late         uint64 // answers not sent because their edge had given up
	Pauses       uint64 // how often a lane of ServeRoutes gave back what it held because the process had stood still
}

// Stats returns the counts.
func (c *Client) Stats() Stats {
	n := &c.counts
	return Stats{
		Connects: n.connects.Load(), Published: n.published.Load(), Confirmed: n.confirmed.Load(),
		Refused: n.refused.Load(), DeadLettered: n.deadLettered.Load(), Panics: n.panics.Load(), Late: n.late.Load(), Pauses: n.pauses.Load(),
	}
}
