package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of waiting for processes.
const (
	// defaultGrace is how long a process may take to stop in order.
	defaultGrace = 10 * time.Second
	// defaultReady is how long a process may take to answer its probe.
	defaultReady = 30 * time.Second
	// killWait is how long the kernel may take to end what was killed.
	killWait = 5 * time.Second
	// freezeWait is how long it may take to stop all threads of what is paused.
	freezeWait = 5 * time.Second
	// probeEvery and probeWithin pace the probing for readiness.
	probeEvery  = 25 * time.Millisecond
	probeWithin = 2 * time.Second
)

// Command says how to run a program under a stack. Name and Path are required;
// every other zero value is useful.
type Command struct {
	Name      string   // for people, and in errors
	Path      string   // of the program
	Arguments []string // without the program's name
	// Environment is complete; nil: this process's own.
	Environment []string
	Dir         string // working folder
	Log         string // stdout and stderr are appended; "": Dir/log/NAME.log of the stack
	// Ready returns nil once the program does its work. It is called again and
	// again, with a short deadline. Nil: ready when started.
	Ready  func(context.Context) error
	Within time.Duration  // bound of getting ready; 0: 30 s
	Stop   syscall.Signal // asks for an orderly end; 0: SIGTERM
	Grace  time.Duration  // bound of the orderly end; 0: 10 s

	credential *syscall.Credential
}

// Process is a program that was started under a stack.
//
//	running --Stop, Kill, or by itself--> ended (Done is closed)
//	   | ^
//	Pause Resume
type Process struct {
	name  string
	log   string
	from  int64 // where this process's own lines begin in the log
	pid   int
	stop  syscall.Signal
	grace time.Duration
	done  chan struct{}
	err   error // how it ended; read only after done

	mu    sync.Mutex
	ended bool // the pid may be somebody else's from now on
}

// launch starts the program and waits until it is ready. A program that is not
// ready in time, or that ends before, is an error; nothing of it is left then.
func launch(ctx context.Context, c Command) (*Process, error) {
	p, err := begin(c)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	if c.Ready == nil {
		return p, nil
	}
	if err := p.waitReady(ctx, c); err != nil {
		_ = p.Kill()
		return nil, err
	}
	return p, nil
}

// begin starts the program in a process group of its own, so that Ctrl-C in
// the terminal reaches the owner alone, who then stops everything in order.
func begin(c Command) (*Process, error) {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	info, err := log.Stat()
	if err != nil {
		return nil, err
	}
	p := &Process{
		name: c.Name, log: c.Log, from: info.Size(), stop: c.Stop, grace: c.Grace,
		done: make(chan struct{}),
	}
	if p.stop == 0 {
		p.stop = syscall.SIGTERM
	}
	if p.grace == 0 {
		p.grace = defaultGrace
	}
	cmd := exec.Command(c.Path, c.Arguments...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.Environment, c.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: p.stop, Credential: c.credential}

	started := make(chan error)
	go func() {
		// PR_SET_PDEATHSIG watches the thread that forked, not the process
		// (prctl(2)): this thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.reap(cmd)
		}
	}()
	return p, <-started
}

// reap waits for the end of the process without freeing its pid, ends what is
// left of its group, and only then lets the pid go.
func (p *Process) reap(cmd *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	p.ended = true
	p.mu.Unlock()
	p.err = cmd.Wait()
	close(p.done)
}

func (p *Process) waitReady(ctx context.Context, c Command) error {
	within := c.Within
	if within == 0 {
		within = defaultReady
	}
	deadline, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	last := errors.New("no answer")
	for {
		probe, stop := context.WithTimeout(deadline, probeWithin)
		err := c.Ready(probe)
		stop()
		if err == nil {
			return nil
		}
		if deadline.Err() == nil {
			last = err // not the one that the deadline itself caused
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready: %s", p.name, p.complaint())
		case <-deadline.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("%s was not ready when the start was given up: %w", p.name, ctx.Err())
			}
			return fmt.Errorf("%s not ready after %s (%v): %s", p.name, within, last, p.complaint())
		}
	}
}

// Name is the name under which the process was started.
func (p *Process) Name() string { return p.name }

// Pid is the process's id. It is also the id of its process group.
func (p *Process) Pid() int { return p.pid }

// Log is the path of the file that holds its output.
func (p *Process) Log() string { return p.log }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Stop asks the process to end in order and waits. After its grace, or when
// ctx ends, it is killed with all its descendants: that is an error only when
// it survives.
func (p *Process) Stop(ctx context.Context) error {
	p.Resume()
	p.signal(func(pid int) { _ = syscall.Kill(pid, p.stop) })
	grace := time.NewTimer(p.grace)
	defer grace.Stop()
	select {
	case <-p.done:
		return nil
	case <-grace.C:
	case <-ctx.Done():
	}
	return p.Kill()
}

// Kill ends the process and all its descendants at once (SIGKILL) and waits
// until it is gone.
func (p *Process) Kill() error {
	p.signal(func(pid int) { signalTree(pid, syscall.SIGKILL) })
	select {
	case <-p.done:
		return nil
	case <-time.After(killWait):
		return fmt.Errorf("%s (pid %d) survived SIGKILL for %s", p.name, p.pid, killWait)
	}
}

// Pause freezes the process and all its descendants (SIGSTOP), and returns when none of their threads runs on: on a busy machine the
// kernel stops them only when the first of them gets the processor. It waits for at most freezeWait.
func (p *Process) Pause() {
	p.signal(func(pid int) {
		signalTree(pid, syscall.SIGSTOP)
		for end := time.Now().Add(freezeWait); !frozen(pid) && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	})
}

// Resume lets a paused process go on (SIGCONT).
func (p *Process) Resume() { p.signal(func(pid int) { signalTree(pid, syscall.SIGCONT) }) }

// signal runs send while the pid is certainly this process's.
func (p *Process) signal(send func(pid int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		send(p.pid)
	}
}
