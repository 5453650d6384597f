package link

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

// Follower is a standby's side of the link to one node's owner.
type Follower struct {
	conn   net.Conn
	handle func(Record)
	owner  string
	quit   func() bool // the context ends it no longer

	mu       sync.Mutex
	err      error
	complete atomic.Bool
	done     chan struct{}             // nothing is handled any more
	left     chan struct{}             // nothing is left of it at all
	position uint64                    // bytes of counted frames that were handled; of the reading goroutine
	acked    uint64                    // the position last acknowledged; as above
	frame    [frameHeader + 1 + 8]byte // of an acknowledgement; as above
	busy     atomic.Bool               // something was written since the last tick
}

// Owner gives the name of the worker that owns the node.
func (f *Follower) Owner() string { return f.owner }

// Complete says whether the whole snapshot has been handled. A standby that takes over before has only a part.
func (f *Follower) Complete() bool { return f.complete.Load() }

// Done closes when the link has ended and the last Handle has returned.
func (f *Follower) Done() <-chan struct{} { return f.done }

// Err says why the link ended; nil before Done.
func (f *Follower) Err() error {
	select {
	case <-f.done:
	default:
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Close ends the link and waits until nothing is left of it. The owner sees the standby go. Not to be called by Handle.
func (f *Follower) Close() error {
	f.end(ErrClosed)
	_ = f.conn.Close() // the reading goroutine sees it
	<-f.left
	return nil
}

// end notes the first reason.
func (f *Follower) end(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = why
	}
}

// run follows until the link ends.
func (f *Follower) run(from *frames, logger *slog.Logger) {
	var pings sync.WaitGroup
	pings.Go(f.ping)
	f.end(f.read(from))
	close(f.done)
	logger.Info("link ended", slog.Any("error", f.Err()))

	// The owner may still have to read our last acknowledgement, of a goodbye above all.
	closing := time.AfterFunc(closeLimit, func() { _ = f.conn.Close() })
	closeWrite(f.conn)
	drain(f.conn)
	closing.Stop()
	_ = f.conn.Close() // the link is over, and why is known
	pings.Wait()
	f.quit()
	close(f.left)
}

// read hands on what comes until the link ends, and says why it did. It acknowledges when nothing more is at hand, or
// enough was handled.
func (f *Follower) read(from *frames) error {
	for {
		kind, body, size, err := from.next()
		if err != nil {
			return ended(err)
		}
		switch {
		case kind == framePing && len(body) == 0:
			size = 0 // it is not counted
		case kind == frameNotice:
			return noticed(body)
		case kind == frameGoodbye && len(body) == 0:
		default:
			if err := f.record(kind, body); err != nil {
				return err
			}
		}
		f.position += uint64(size)
		if due := f.position - f.acked; due >= ackEvery || due > 0 && (kind == frameGoodbye || !from.ready()) {
			if err := f.acknowledge(); err != nil {
				return err
			}
		}
		if kind == frameGoodbye {
			return ErrHandedOver
		}
	}
}

func (f *Follower) record(kind byte, body []byte) error {
	if kind == frameComplete && len(body) == 0 {
		f.complete.Store(true)
		f.handle(Record{Kind: KindComplete, Snapshot: true})
		return nil
	}
	r, err := readRecord(kind, body)
	if err != nil {
		return err
	}
	f.handle(r)
	return nil
}

// acknowledge says which position has been handled. That the owner is gone is for the reading side to find, which may
// still have its last word to read.
func (f *Follower) acknowledge() error {
	f.acked = f.position
	f.busy.Store(true)
	if err := f.conn.SetWriteDeadline(time.Now().Add(StallLimit)); err != nil {
		return nil //nolint:nilerr // closed: the next read says so
	}
	if _, err := f.conn.Write(appendAck(f.frame[:0], f.position)); errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: it does not take acknowledgements", ErrSilent)
	}
	return nil
}

// ping says that this side is there whenever nothing else was written for a while.
func (f *Follower) ping() {
	tick := time.NewTicker(PingEvery)
	defer tick.Stop()
	frame := appendFrame(nil, framePing)
	for {
		select {
		case <-f.done:
			return
		case <-tick.C:
			if !f.busy.Swap(false) && f.conn.SetWriteDeadline(time.Now().Add(StallLimit)) == nil {
				_, _ = f.conn.Write(frame) // as in acknowledge
			}
		}
	}
}

// Follow connects to a node's owner as its standby, and returns when the owner has admitted it. Records then come to
// Handle: those of the snapshot and changes since, mixed, each applied as it comes; KindComplete tells that the
// picture is whole. The link ends with the context, with Close, or for one of the reasons in the package's documentation.
func Follow(ctx context.Context, o FollowOptions) (*Follower, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialLimit, KeepAlive: -1}
	conn, err := dialer.DialContext(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	from := handshakeFrames(conn)
	answer, err := introduce(ctx, conn, from, o)
	if err != nil {
		_ = conn.Close() // it never was a link
		return nil, err
	}
	f := &Follower{conn: conn, handle: o.Handle, owner: answer.worker, done: make(chan struct{}), left: make(chan struct{})}
	from.expand(newPatience(conn, o.Silence), limitRecord, followerBuffer)
	f.quit = context.AfterFunc(ctx, func() {
		f.end(fmt.Errorf("%w: %w", ErrClosed, context.Cause(ctx)))
		_ = conn.Close() // the reading goroutine sees it
	})
	go f.run(from, o.Logger.With(slog.String("node", o.Node), slog.Uint64("epoch", o.Epoch), slog.String("owner", answer.worker)))
	return f, nil
}
