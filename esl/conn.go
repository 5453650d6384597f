package esl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Conn is one authenticated, subscribed connection. Its methods may be called
// from any number of goroutines.
type Conn struct {
	o     Options
	nc    net.Conn
	in    *frameReader
	sock  *socket
	count counters

	mu       sync.Mutex // orders the written bytes with the queue of waiters
	waiting  ring       // commands whose reply has not come, oldest first
	out      []byte     // bytes to write, in the order of waiting
	spare    []byte     // the other half of the double buffer
	flushing bool       // some goroutine is writing
	err      error      // why the connection ended

	waiters sync.Pool // of *waiter

	slots chan struct{} // a command holds one from its write to its reply
	done  chan struct{} // closed when the connection has ended

	jobMu sync.Mutex
	jobs  map[string]chan Reply // Background calls by Job-UUID

	ahead   int
	shards  []*queue
	closing atomic.Bool // Close was called: queued events are no longer handled
	wg      sync.WaitGroup
}

// Dial connects, waits for auth/request, authenticates and subscribes. ctx
// bounds the dial alone, together with Options.DialTimeout. Events may reach
// Handle before Dial returns.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, o.DialTimeout)
	defer cancel()
	var dialer net.Dialer
	if o.Unacknowledged > 0 {
		dialer.Control = unacknowledged(o.Unacknowledged)
	}
	nc, err := dialer.DialContext(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("esl: dial: %w", err)
	}
	return open(ctx, nc, o)
}

// open takes an established connection through its handshake. It owns nc.
func open(ctx context.Context, nc net.Conn, o Options) (*Conn, error) {
	c := &Conn{
		o: o, nc: nc,
		slots: make(chan struct{}, o.InFlight),
		done:  make(chan struct{}),
		jobs:  make(map[string]chan Reply),
	}
	c.sock, c.waiters.New = &socket{c: c}, newWaiter
	c.in = newFrameReader(c.sock, o.MaxContent)
	subscription, err := subscribe(o.Events)
	if err == nil {
		// A cancelled dial must not wait for a peer that says nothing.
		stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
		err = c.authenticate(ctx)
		if !stop() && err == nil {
			err = ctx.Err()
		}
	}
	if err != nil {
		nc.Close()
		if ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("esl: handshake: %w", err)
	}
	c.start()
	reply, err := c.Send(ctx, subscription)
	if err == nil && reply.Err() != nil {
		err = fmt.Errorf("%w: %w", ErrSubscribe, reply.Err())
	}
	if err != nil {
		if cause := c.Err(); cause != nil {
			err = cause // says more than that the command went unanswered
		}
		c.Close()
		return nil, fmt.Errorf("esl: handshake: %w", err)
	}
	return c, nil
}

// start launches the reader and the shards.
func (c *Conn) start() {
	c.nc.SetDeadline(time.Time{})
	c.sock.silence = c.o.Silence
	if c.o.Shards > 1 {
		c.shards = make([]*queue, c.o.Shards)
		for i := range c.shards {
			c.shards[i] = newQueue(c.o.QueueLength)
			c.wg.Go(func() { c.serve(i) })
		}
	}
	c.wg.Go(c.read)
}

// read is the only goroutine that reads the socket. It never waits for
// anything else.
func (c *Conn) read() {
	defer func() {
		c.handOver()
		for _, q := range c.shards {
			q.close()
		}
	}()
	var f frame
	for {
		err := c.in.next(&f)
		if err == nil {
			err = c.frame(&f)
		}
		if err != nil {
			c.end(lost(err))
			return
		}
	}
}

// lost says what a failed read means.
func lost(err error) error {
	var wrong *FrameError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrSilent, err)
	case errors.As(err, &wrong), errors.Is(err, ErrOverflow), errors.Is(err, ErrPairing), errors.Is(err, ErrDisconnectNotice):
		return err
	}
	return fmt.Errorf("esl: connection lost: %w", err)
}

func (c *Conn) frame(f *frame) error {
	switch f.kind {
	case typeEventPlain:
		e, err := parseEvent(f.block, f.body)
		if err != nil {
			return err
		}
		return c.event(e)
	case typeCommandReply, typeAPIResponse:
		return c.reply(f)
	case typeDisconnectNotice:
		return ErrDisconnectNotice
	case typeUnknown:
		c.count.skipped.Add(1)
		return nil
	default:
		return &FrameError{"handshake frame on an open connection"}
	}
}

// end closes the connection for a reason; the first one counts.
func (c *Conn) end(reason error) {
	c.mu.Lock()
	first := c.err == nil
	if first {
		c.err = reason
		c.out = nil
		close(c.done)
	}
	c.mu.Unlock()
	if !first {
		return
	}
	c.nc.Close()
	if !errors.Is(reason, ErrClosed) {
		c.o.Logger.Warn("event socket ended", slog.String("node_address", c.o.Address), slog.String("reason", reason.Error()))
	}
}

// Done is closed as soon as the connection has ended, for whatever reason.
// Handlers may still be busy with events that came before.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is nil while the connection is up, and then the reason of its end.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection, drops the events that were not handled yet and
// waits for the connection's goroutines. It returns nil, always. A Handle that
// wants to close its connection calls it on another goroutine.
func (c *Conn) Close() error {
	c.closing.Store(true)
	c.end(ErrClosed)
	c.wg.Wait()
	return nil
}

// socket is the reader's side of the net.Conn: it counts, and it enforces
// Options.Silence with one deadline for each read.
type socket struct {
	c       *Conn
	silence time.Duration // set before the reading goroutine starts
}

func (s *socket) Read(p []byte) (int, error) {
	s.c.handOver() // the read may wait
	if s.silence > 0 {
		if err := s.c.nc.SetReadDeadline(time.Now().Add(s.silence)); err != nil {
			return 0, err
		}
	}
	n, err := s.c.nc.Read(p)
	s.c.count.bytesIn.Add(uint64(n))
	return n, err
}
