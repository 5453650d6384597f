package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tandem/nodes/claim"
)

// round lets one fault fall on the node's owner and follows the calls to their ends.
func (c *chaos) round(ctx context.Context, f fault, s scene, m *chaosCompany) error {
	select {
	case <-m.over: // its phones are free
	case <-ctx.Done():
		return ctx.Err()
	}
	owner, holds, err := c.pair(ctx)
	if err != nil {
		return err
	}
	c.system.HTTPAddress = owner.http
	if err := c.register(ctx, m); err != nil {
		return err
	}
	var phones []phoneRun
	m.over = make(chan struct{})
	began, twice, over := time.Now(), len(c.tap.twice()), m.over
	defer func() {
		go func() {
			defer close(over)
			failed := c.follow(ctx, f, phones)
			if failed > 0 || len(c.tap.twice()) > twice {
				c.keepStories(m, f, s, began)
			}
			c.tap.forget(m.prefix)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ends[s.name] += failed
		}()
	}()
	for _, other := range around() {
		more, err := m.begin(ctx, other)
		phones = append(phones, more...)
		if err != nil {
			return err
		}
	}
	time.Sleep(rand.N(chaosSpread)) // so that the other calls are in other phases each time
	sprung := c.tap.set(trap{pid: owner.process.Pid(), dialled: m.prefix + s.suffix, event: cmp.Or(s.event, "CHANNEL_EXECUTE_COMPLETE"),
		application: s.application, moment: s.moment})
	more, err := m.begin(ctx, s)
	phones = append(phones, more...)
	if err != nil {
		return err
	}
	var is caught
	select {
	case is = <-sprung:
	case <-time.After(chaosPatience):
		c.tap.unset()
		c.note("the call of %q did not come to the moment of its fault", s.name)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
	if is.stolen {
		owner.hear()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.unprovoked++
		return nil
	}
	at := owner.suffer(f)
	c.tap.tell(is, string(f))
	if s.idle {
		return errors.Join(c.succeeded(ctx, holds), owner.recover(ctx, c.stack, f))
	}
	select {
	case first := <-is.first:
		c.gap(ctx, f, s, holds, is, first.Sub(at))
	case <-time.After(chaosPatience):
		c.gap(ctx, f, s, holds, is, chaosPatience)
		c.note("after %s of the owner nobody went on with %q:\n    %s", f, s.name, c.tap.story(is.call))
	case <-ctx.Done():
		return ctx.Err()
	}
	if f != faultKill {
		time.Sleep(rand.N(chaosSpread)) // the old owner comes back sooner or later
	}
	return owner.recover(ctx, c.stack, f)
}

// succeeded waits until another worker owns the node.
func (c *chaos) succeeded(ctx context.Context, before claim.Holder) error {
	ctx, cancel := context.WithTimeout(ctx, chaosPatience)
	defer cancel()
	return await(ctx, "nobody took the node over", func(ctx context.Context) (bool, error) {
		now, _, err := claim.Read(ctx, claim.OnNode(c.observer))
		return now.Epoch > before.Epoch, err
	})
}

// follow waits for the ends of a round's calls, and says how many phones failed.
func (c *chaos) follow(ctx context.Context, f fault, phones []phoneRun) (failed int) {
	ctx, cancel := context.WithTimeout(ctx, 2*chaosPatience)
	defer cancel()
	for _, p := range phones {
		err := p.running.Wait(ctx)
		c.mu.Lock()
		c.dialogs++
		if err != nil && !errors.Is(err, context.Canceled) {
			c.dropped++
		}
		c.mu.Unlock()
		if err != nil {
			c.note("%s, %s, SIP call %s: %v", f, p.who, callIDOf(p.running.Messages()), err)
			c.keepMessages(p)
			failed++
		}
	}
	return failed
}

// gap notes how long something lay undone, if it was the owner that was struck: holds was the claim when the round began. A
// standby that had taken a false alarm for a fault meanwhile is counted on its own.
func (c *chaos) gap(ctx context.Context, f fault, s scene, holds claim.Holder, is caught, d time.Duration) {
	now, _, err := claim.Read(ctx, claim.OnNode(c.observer))
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && now.Epoch != holds.Epoch+1 && d < chaosPatience {
		c.unprovoked++
		return
	}
	if c.keep != "" && f == faultKill && d > chaosSlow {
		say("slow, %s after the fault:\n    %s", d, c.tap.story(is.call))
	}
	c.gaps[f] = append(c.gaps[f], d)
	key := gapKey(f, s)
	c.byScene[key] = append(c.byScene[key], d)
}

func gapKey(f fault, s scene) string { return fmt.Sprintf("%-5s %s", f, s.name) }

// keepMessages keeps what a phone that failed has seen, if that is wanted.
func (c *chaos) keepMessages(p phoneRun) {
	if c.keep == "" {
		return
	}
	name := filepath.Join(c.keep, strings.NewReplacer(" ", "-", ",", "").Replace(p.who)+"-"+callIDOf(p.running.Messages())+".txt")
	if err := os.WriteFile(name, []byte(p.running.Messages()), 0o644); err != nil {
		say("messages are not kept: %v", err)
	}
}
