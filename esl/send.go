package esl

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// spareBytes is how large a write buffer may be and still be kept for reuse.
const spareBytes = 256 << 10

// MaxTogether bounds the commands of one write. It is below Options.InFlight, of which each takes one place.
const MaxTogether = 48

// The life of a waiting command. Exactly one side moves it out of waiting.
const (
	stateWaiting   int32 = iota
	stateAnswered        // the reader put the reply into the channel
	stateAbandoned       // the caller gave up; the reply will be dropped
)

// waiter is the place of one command in the queue of replies.
type waiter struct {
	state atomic.Int32
	api   bool       // expects api/response rather than command/reply
	reply chan Reply // of one: the reader never waits
	timer *time.Timer
	limit *time.Timer // set when abandoned: ends the connection if no reply ever comes
}

func newWaiter() any {
	w := &waiter{reply: make(chan Reply, 1), timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

// Send writes one command and waits for its reply: the Reply-Text of a
// command/reply, or the body of an api/response. What FreeSWITCH refuses is no
// error here: see Reply.Err.
//
// The reply of Execute-like commands says that the command was queued on the
// channel, not that it ran: its CHANNEL_EXECUTE_COMPLETE carries the command's
// id as Application-UUID.
//
// Without a reply Send returns when ctx ends, when Options.CommandTimeout has
// passed, or when the connection ends, whichever is first; the effect of the
// command is then unknown, unless the error wraps ErrNotSent. A write under way
// is not interrupted: Options.WriteTimeout bounds it.
func (c *Conn) Send(ctx context.Context, cmd Command) (Reply, error) {
	text, api, err := cmd.wire()
	if err != nil {
		return Reply{}, err
	}
	return c.roundTrip(ctx, text, api)
}

func (c *Conn) roundTrip(ctx context.Context, text string, api bool) (Reply, error) {
	w := c.newPlace(api)
	if err := c.place(ctx, w); err != nil {
		c.release(w)
		return Reply{}, notSent(err)
	}
	started := time.Now()
	if err := c.write(text, w); err != nil {
		<-c.slots
		c.release(w)
		return Reply{}, notSent(err)
	}
	return c.wait(ctx, w, started)
}

// SendTogether writes two commands in one write: when the process dies, either both are on their way or neither. It
// returns both replies; the second command is carried out whatever the first one's reply. Errors are those of Send, for
// the pair: one that does not wrap ErrNotSent leaves the effect of both unknown.
func (c *Conn) SendTogether(ctx context.Context, first, second Command) (Reply, Reply, error) {
	text, api, err := first.wire()
	if err != nil {
		return Reply{}, Reply{}, err
	}
	more, moreAPI, err := second.wire()
	if err != nil {
		return Reply{}, Reply{}, err
	}
	pair := [2]*waiter{c.newPlace(api), c.newPlace(moreAPI)}
	held := 0
	giveUp := func(err error) (Reply, Reply, error) {
		for range held {
			<-c.slots
		}
		for _, w := range pair {
			c.release(w)
		}
		return Reply{}, Reply{}, notSent(err)
	}
	for _, w := range pair {
		if err := c.place(ctx, w); err != nil {
			return giveUp(err)
		}
		held++
	}
	started := time.Now()
	if err := c.write(text+more, pair[0], pair[1]); err != nil {
		return giveUp(err)
	}
	one, errOne := c.wait(ctx, pair[0], started)
	two, errTwo := c.wait(ctx, pair[1], started)
	return one, two, cmp.Or(errOne, errTwo)
}

// SendInOneWrite is SendTogether for 1 to MaxTogether commands. The replies are in the order of the commands.
func (c *Conn) SendInOneWrite(ctx context.Context, commands ...Command) ([]Reply, error) {
	if len(commands) == 0 || len(commands) > MaxTogether {
		return nil, notSent(fmt.Errorf("esl: %d commands in one write", len(commands)))
	}
	var text strings.Builder
	var all []*waiter
	held := 0
	giveUp := func(err error) ([]Reply, error) {
		for range held {
			<-c.slots
		}
		for _, w := range all {
			c.release(w)
		}
		return nil, notSent(err)
	}
	for _, command := range commands {
		line, api, err := command.wire()
		if err != nil {
			_, _ = giveUp(err)
			return nil, err // of the command's own: it is not to be sent again
		}
		text.WriteString(line)
		all = append(all, c.newPlace(api))
	}
	for _, w := range all {
		if err := c.place(ctx, w); err != nil {
			return giveUp(err)
		}
		held++
	}
	started := time.Now()
	if err := c.write(text.String(), all...); err != nil {
		return giveUp(err)
	}
	replies := make([]Reply, len(all))
	var failed error
	for i, w := range all {
		var err error
		replies[i], err = c.wait(ctx, w, started)
		failed = cmp.Or(failed, err)
	}
	return replies, failed
}

// newPlace takes a waiter for a command whose bytes are not queued yet.
func (c *Conn) newPlace(api bool) *waiter {
	w := c.waiters.Get().(*waiter)
	w.api = api
	w.state.Store(stateWaiting)
	w.timer.Reset(c.o.CommandTimeout)
	return w
}

// wait waits for the reply of a command that was written.
func (c *Conn) wait(ctx context.Context, w *waiter, started time.Time) (Reply, error) {
	var cause error
	select {
	case reply := <-w.reply:
		c.release(w)
		return reply, nil
	case <-c.done:
		cause = c.Err()
	case <-ctx.Done():
		cause = ctx.Err()
	case <-w.timer.C:
		cause = fmt.Errorf("esl: no reply within %v: %w", c.o.CommandTimeout, context.DeadlineExceeded)
	}
	if reply, ok := c.abandon(w, started); ok {
		return reply, nil
	}
	return Reply{}, cause
}

// place waits for one of the bounded places among the commands in flight.
func (c *Conn) place(ctx context.Context, w *waiter) error {
	select {
	case <-c.done:
		return c.Err()
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	case <-w.timer.C:
		return fmt.Errorf("esl: %d commands in flight: %w", c.o.InFlight, context.DeadlineExceeded)
	}
}

// write queues the waiters and their bytes under one lock, so that replies pair
// by position, and sees to it that the bytes go out. Commands that come while
// another goroutine writes share its next write; what is queued together is
// written together.
func (c *Conn) write(text string, waiters ...*waiter) error {
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	for _, w := range waiters {
		c.waiting.push(w)
	}
	c.out = append(c.out, text...)
	c.count.commands.Add(uint64(len(waiters)))
	if c.flushing {
		c.mu.Unlock()
		return nil
	}
	c.flushing = true
	c.flush()
	more := len(c.out) > 0
	if more {
		// This caller's bytes are out; it must not go on writing for others.
		c.wg.Add(1)
		go func() {
			defer c.wg.Done()
			c.mu.Lock()
			for len(c.out) > 0 {
				c.flush()
			}
			c.flushing = false
			c.mu.Unlock()
		}()
	} else {
		c.flushing = false
	}
	c.mu.Unlock()
	return nil
}

// flush makes one write of all that is queued. The lock is held on entry and
// on return, but not during the write.
func (c *Conn) flush() {
	buf := c.out
	c.out, c.spare = c.spare[:0], nil
	c.mu.Unlock()
	c.nc.SetWriteDeadline(time.Now().Add(c.o.WriteTimeout))
	n, err := c.nc.Write(buf)
	c.count.bytesOut.Add(uint64(n))
	if err != nil {
		c.end(fmt.Errorf("esl: write: %w", err))
	}
	c.mu.Lock()
	if cap(buf) <= spareBytes {
		c.spare = buf[:0]
	}
}

// abandon gives a waiter up but leaves it in its place. It returns the reply
// if that came in the same moment.
func (c *Conn) abandon(w *waiter, started time.Time) (Reply, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !w.state.CompareAndSwap(stateWaiting, stateAbandoned) {
		return <-w.reply, true
	}
	if c.err == nil {
		w.limit = time.AfterFunc(c.o.HardLimit-time.Since(started), func() { c.end(ErrStuck) })
	}
	return Reply{}, false
}

// reply hands a reply to the oldest waiting command.
func (c *Conn) reply(f *frame) error {
	r := newReply(f)
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.waiting.pop()
	if w == nil {
		return fmt.Errorf("%w: nothing was asked", ErrPairing)
	}
	// FreeSWITCH answers an api command with command/reply only to refuse it.
	if w.api != (f.kind == typeAPIResponse) && !(w.api && r.Err() != nil) {
		return fmt.Errorf("%w: wrong content type", ErrPairing)
	}
	<-c.slots
	if w.state.CompareAndSwap(stateWaiting, stateAnswered) {
		c.count.replies.Add(1)
		w.reply <- r
		return nil
	}
	c.count.late.Add(1)
	if w.limit != nil {
		w.limit.Stop()
	}
	return nil
}

// release keeps a waiter that nothing refers to any more for the next command.
func (c *Conn) release(w *waiter) {
	w.timer.Stop()
	c.waiters.Put(w)
}

// ring is a queue of waiters that grows to the size it needs; Options.InFlight
// bounds it.
type ring struct {
	buf        []*waiter
	head, size int
}

func (r *ring) push(w *waiter) {
	if r.size == len(r.buf) {
		grown := make([]*waiter, max(16, 2*len(r.buf)))
		for i := range r.size {
			grown[i] = r.buf[(r.head+i)%len(r.buf)]
		}
		r.buf, r.head = grown, 0
	}
	r.buf[(r.head+r.size)%len(r.buf)] = w
	r.size++
}

// pop returns the oldest waiter, or nil.
func (r *ring) pop() *waiter {
	if r.size == 0 {
		return nil
	}
	w := r.buf[r.head]
	r.buf[r.head] = nil
	r.head = (r.head + 1) % len(r.buf)
	r.size--
	return w
}
