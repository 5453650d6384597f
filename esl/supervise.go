package esl

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"
)

// Gap tells that events were missed, or that a dial failed.
type Gap struct {
	Err     error     // why the connection ended, or the dial failed
	Lost    time.Time // when the last good connection ended; zero: there was none yet
	Attempt int       // failed dials since then; 0: the connection just ended
}

// Supervise keeps one connection to a node until ctx ends, whose error it
// returns.
//
// After each successful dial onUp runs on a goroutine of its own, with a
// context that ends with the connection. Every onUp but the first comes after
// a gap: the owner reconciles (ShowChannels) before it trusts what it knew,
// while new events already reach Options.Handle. After the end of a connection,
// and after each failed dial, onDown is told, never at the same time as onUp.
//
// HEARTBEAT is added to the subscription, and Options.Silence is set if it is
// not: a node that says nothing for that long is dialed anew.
func Supervise(ctx context.Context, o Options, onUp func(ctx context.Context, c *Conn), onDown func(Gap)) error {
	o = o.withDefaults()
	if o.Silence <= 0 {
		o.Silence = defaultSilence
	}
	if !slices.Contains(o.Events, "HEARTBEAT") && !slices.Contains(o.Events, "ALL") {
		o.Events = append(slices.Clone(o.Events), "HEARTBEAT")
	}
	var lost time.Time
	attempt, failures := 0, 0
	for ctx.Err() == nil {
		c, err := Dial(ctx, o)
		switch {
		case err == nil:
			failures = 0
			o.Logger.Info("event socket up", slog.String("node_address", o.Address))
			started := time.Now()
			lost, err = c.supervise(ctx, onUp)
			if lost.Sub(started) > o.RetryMax { // a node that ends every connection at once is not hammered
				attempt = 0
			}
			if ctx.Err() == nil {
				onDown(Gap{Err: err, Lost: lost})
			}
		case ctx.Err() == nil:
			failures++
			onDown(Gap{Err: err, Lost: lost, Attempt: failures})
		}
		attempt++
		if !pause(ctx, backoff(o.RetryMin, o.RetryMax, attempt)) {
			break
		}
	}
	return fmt.Errorf("esl: supervision ended: %w", ctx.Err())
}

// supervise runs onUp and waits for the connection's end, for onUp, and for
// the events that came before the end: they are handled before those of the
// next connection.
func (c *Conn) supervise(ctx context.Context, onUp func(context.Context, *Conn)) (lost time.Time, reason error) {
	defer c.Close()
	upCtx, cancel := context.WithCancel(ctx)
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		onUp(upCtx, c)
	}()
	select {
	case <-c.done:
		reason = c.Err()
	case <-ctx.Done():
		reason = ctx.Err()
		c.end(ErrClosed)
	}
	lost = time.Now()
	cancel()
	<-returned
	handled := make(chan struct{})
	go func() {
		c.wg.Wait()
		close(handled)
	}()
	select {
	case <-handled:
	case <-ctx.Done():
	}
	return lost, reason
}

// backoff doubles from low to high and takes a random half off, so that the
// workers of a node that comes back do not come all at once.
func backoff(low, high time.Duration, attempt int) time.Duration {
	d := high
	if shift := attempt - 1; shift < 20 && low<<shift < high {
		d = low << shift
	}
	return d/2 + rand.N(d/2+1)
}

// pause waits; false: ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
