package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tandem/esl"
	"tandem/nodes/claim"
	"tandem/stack"
)

// chaosWorker is one of the two workers. All its ways to others lead through this process.
type chaosWorker struct {
	name    string
	tap     *tap
	wires   []*wire // link, PostgreSQL, RabbitMQ
	gate    gate    // of the wires
	command stack.Command
	http    string
	process *stack.Process
	from    int64 // where the log of the process that runs begins
}

// newChaosWorker prepares a worker.
func newChaosWorker(y *system, name string, t *tap) (*chaosWorker, error) {
	w := &chaosWorker{name: name, tap: t}
	var err error
	if w.command, err = y.workerCommand(name); err != nil {
		return nil, err
	}
	w.http = y.HTTPAddress
	w.command.Ready = serving("http://" + w.http + "/health")
	link, err := freeAddress()
	if err != nil {
		return nil, err
	}
	reached, err := w.wire(link)
	if err != nil {
		return nil, err
	}
	w.command.Environment = append(w.command.Environment, "TANDEM_LINK_ADDRESS="+link, "TANDEM_LINK_REACHED="+reached)
	for name, server := range map[string]string{"TANDEM_POSTGRES_URL": y.postgresURL, "TANDEM_AMQP_URL": y.amqpURL} {
		u, err := url.Parse(server)
		if err != nil {
			return nil, fmt.Errorf("%s cannot be read", name)
		}
		if u.Host, err = w.wire(u.Host); err != nil {
			return nil, err
		}
		w.command.Environment = append(w.command.Environment, name+"="+u.String())
	}
	return w, nil
}

// wire leads to an address, and gives where it is entered.
func (w *chaosWorker) wire(target string) (string, error) {
	address, err := freeAddress()
	w.wires = append(w.wires, &wire{address: address, target: target, gate: &w.gate})
	return address, err
}

// start starts the worker's process, or the next one after one that was killed.
func (w *chaosWorker) start(ctx context.Context, s *stack.Stack) (err error) {
	for _, one := range w.wires {
		if one.away {
			continue
		}
		if err := one.open(); err != nil {
			return err
		}
	}
	if w.process != nil {
		if info, err := os.Stat(w.process.Log()); err == nil {
			w.from = info.Size()
		}
	}
	w.process, err = s.Launch(ctx, w.command)
	return err
}

// fault is what befalls an owner.
type fault string

const (
	faultKill  fault = "kill"  // kill -9
	faultPause fault = "pause" // SIGSTOP, SIGCONT after a while
	faultCut   fault = "cut"   // the network between it and everything
)

// suffer makes a fault, and says when: an instant before it.
func (w *chaosWorker) suffer(f fault) (at time.Time) {
	at = time.Now()
	switch f {
	case faultKill:
		_ = syscall.Kill(w.process.Pid(), syscall.SIGKILL)
		w.wires[0].shut()
	case faultPause:
		_ = syscall.Kill(w.process.Pid(), syscall.SIGSTOP)
		w.awaitStopped()
		w.hear() // what comes from now on waits for the process itself
	case faultCut:
		for _, c := range w.tap.of(w.process.Pid()) {
			c.gate.cut()
			c.orders.cut()
		}
		w.gate.cut()
	}
	return at
}

// awaitStopped waits until the kernel has stopped every thread, which takes a moment (proc(5)).
func (w *chaosWorker) awaitStopped() {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); {
		states, err := filepath.Glob("/proc/" + strconv.Itoa(w.process.Pid()) + "/task/*/stat")
		running := slices.ContainsFunc(states, func(path string) bool {
			text, err := os.ReadFile(path)
			_, rest, _ := strings.Cut(string(text), ") ")
			return err == nil && !strings.HasPrefix(rest, "T")
		})
		if err != nil || !running {
			return
		}
	}
}

// hear opens the ears that a trap has closed.
func (w *chaosWorker) hear() {
	for _, c := range w.tap.of(w.process.Pid()) {
		c.gate.mend()
	}
}

// recover ends a fault: there are two workers again, or soon.
func (w *chaosWorker) recover(ctx context.Context, s *stack.Stack, f fault) error {
	switch f {
	case faultKill:
		return errors.Join(w.process.Kill(), w.start(ctx, s))
	case faultPause:
		w.process.Resume()
	case faultCut:
		w.gate.mend()
		for _, c := range w.tap.of(w.process.Pid()) {
			c.gate.mend()
			c.orders.mend()
		}
	}
	return nil
}

// follows says whether the worker's process has the whole picture of an owner's calls, and has it still.
func (w *chaosWorker) follows(epoch uint64) (yes bool) {
	text, err := os.ReadFile(w.process.Log())
	if err != nil || int64(len(text)) < w.from {
		return false
	}
	for line := range strings.Lines(string(text[w.from:])) {
		switch {
		case strings.Contains(line, `"msg":"link ended"`):
			yes = false
		case strings.Contains(line, "has the whole picture"):
			yes = strings.Contains(line, `"epoch":`+strconv.FormatUint(epoch, 10)+`,`)
		}
	}
	return yes
}

// claimant is the worker that holds a claim: its process's name begins with the worker's.
func (c *chaos) claimant(h claim.Holder) *chaosWorker {
	name, _, _ := strings.Cut(h.Worker, ".")
	for _, w := range c.workers {
		if w.name == name {
			return w
		}
	}
	return nil
}

// pair waits until the node has an owner and a standby that could take over at once.
func (c *chaos) pair(ctx context.Context) (owner *chaosWorker, holds claim.Holder, err error) {
	ctx, cancel := context.WithTimeout(ctx, chaosPatience)
	defer cancel()
	node := claim.OnNode(c.observer)
	var stands claim.Holder
	err = await(ctx, "the node has no owner and standby", func(ctx context.Context) (bool, error) {
		var err error
		if holds, stands, err = claim.Read(ctx, node); err != nil {
			return false, err
		}
		owner = c.claimant(holds)
		standby := c.claimant(stands)
		return owner != nil && standby != nil && owner != standby && standby.follows(holds.Epoch), nil
	})
	if err != nil {
		return nil, holds, fmt.Errorf("%w: %s, %s", err, holds, stands)
	}
	return owner, holds, nil
}

// observe connects to the node itself, to learn of every leg.
func (c *chaos) observe(ctx context.Context, address string) (err error) {
	c.observer, err = esl.Dial(ctx, esl.Options{Address: address, Password: c.system.nodePassword, Events: []string{"CHANNEL_HANGUP_COMPLETE"},
		Handle: func(_ int, e *esl.Event) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.legs[e.UniqueID()] = true
		}})
	return err
}
