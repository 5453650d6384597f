package rabbit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Waits of a link.
const (
	DialTimeout    = 5 * time.Second        // TCP, TLS and AMQP handshakes together
	MinBackoff     = 100 * time.Millisecond // between attempts, doubled each time
	MaxBackoff     = 5 * time.Second        // with jitter: half of it to all of it
	StableAfter    = 5 * time.Second        // a session that lasted this long starts the backoff anew
	Heartbeat      = 3 * time.Second        // a silent broker is given up after three of these
	closeTimeout   = 2 * time.Second        // for the closing handshake
	connectionName = "connection_name"      // the property that the broker shows
)

// session is one life of a link's connection.
type session struct {
	conn    *amqp.Connection
	gone    chan struct{} // closed when the connection is lost or being closed
	blocked atomic.Bool   // the broker reads no publishes because it is short of memory or disk

	// On the publishing link alone; each has an owner's lock because an AMQP channel takes one publisher at a time.
	answers, events *publisher
	confirmed       *confirmer
}

// link keeps one connection alive.
type link struct {
	client  *Client
	url     string
	name    string
	prepare func(*session) error // opens what every session has; may be nil

	session atomic.Pointer[session] // nil while away

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when session changes
}

func newLink(c *Client, url, name string, prepare func(*session) error) *link {
	return &link{client: c, url: url, name: name, prepare: prepare, changed: make(chan struct{})}
}

// run keeps the link up until ctx ends.
func (l *link) run(ctx context.Context) {
	pause := backoff{}
	for ctx.Err() == nil {
		s, err := l.open(ctx)
		if err != nil {
			if ctx.Err() == nil {
				l.client.log.Debug("RabbitMQ cannot be reached", slog.String("link", l.name), slog.Any("error", err))
				l.client.report(l, classify(err), err)
			}
			pause.wait(ctx)
			continue
		}
		since := time.Now()
		lost := l.serve(ctx, s)
		if ctx.Err() != nil {
			return
		}
		l.client.report(l, broken, lost)
		if time.Since(since) >= StableAfter {
			pause = backoff{}
		}
		pause.wait(ctx)
	}
}

// serve publishes the session, waits until it is lost or ctx ends, and takes it down.
func (l *link) serve(ctx context.Context, s *session) error {
	lost := s.conn.NotifyClose(make(chan *amqp.Error, 1))
	blocked := s.conn.NotifyBlocked(make(chan amqp.Blocking, 1))
	if s.conn.IsClosed() {
		close(s.gone)
		return amqp.ErrClosed
	}
	l.set(s)
	l.client.report(l, up, nil)
	for {
		select {
		case b, open := <-blocked:
			if !open {
				blocked = nil
				continue
			}
			s.blocked.Store(b.Active)
			l.client.log.Warn("RabbitMQ changes whether it takes messages",
				slog.String("link", l.name), slog.Bool("blocked", b.Active), slog.String("reason", b.Reason))
		case err := <-lost:
			l.set(nil)
			close(s.gone)
			if err == nil {
				return amqp.ErrClosed
			}
			return err
		case <-ctx.Done():
			l.set(nil)
			close(s.gone)
			_ = s.conn.CloseDeadline(time.Now().Add(closeTimeout))
			return ctx.Err()
		}
	}
}

func (l *link) open(ctx context.Context) (*session, error) {
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(l.client.name + " " + l.name)
	conn, err := amqp.DialConfig(l.url, amqp.Config{
		Heartbeat:  Heartbeat,
		Properties: properties,
		Dial: func(network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: DialTimeout}
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			// For the handshakes; the library lifts it when they are done.
			if err := conn.SetDeadline(time.Now().Add(DialTimeout)); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return wire{conn}, nil
		},
	})
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, gone: make(chan struct{})}
	err = TandemTopology().declare(conn)
	if err == nil && l.prepare != nil {
		err = l.prepare(s)
	}
	if err != nil {
		_ = conn.CloseDeadline(time.Now().Add(closeTimeout))
		return nil, err
	}
	return s, nil
}

func (l *link) set(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session.Store(s)
	close(l.changed)
	l.changed = make(chan struct{})
}

// await returns the live session, waiting for it when there is none.
func (l *link) await(ctx context.Context) (*session, error) {
	for {
		l.mu.Lock()
		changed := l.changed
		l.mu.Unlock()
		if s := l.session.Load(); s != nil {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-l.client.closed.Done():
			return nil, ErrClosed
		}
	}
}

// classify puts an error into the few words by which states are told apart.
func classify(err error) reason {
	var told *amqp.Error
	if errors.As(err, &told) {
		switch told.Code {
		case amqp.AccessRefused, amqp.NotAllowed:
			return unwelcome
		case amqp.PreconditionFailed, amqp.ResourceLocked:
			return different
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, amqp.ErrClosed) {
		return broken
	}
	return unreachable
}

// backoff is a jittered, growing, bounded pause. The zero value starts small.
type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, MinBackoff), MaxBackoff)
	return b.last/2 + rand.N(b.last/2)
}

// wait pauses, or returns early when ctx ends.
func (b *backoff) wait(ctx context.Context) {
	timer := time.NewTimer(b.next())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// changes returns a channel that is closed when the session changes.
func (l *link) changes() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}
