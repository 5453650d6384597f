package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	// ownEnd is how long the command may take to end by the Ctrl-C that its
	// terminal sent to it as well, before we interrupt it ourselves.
	ownEnd = time.Second
	// interruptedEnd is how long it may take after that.
	interruptedEnd = 15 * time.Second
	// signalled is what shells add to a signal's number for an exit code.
	signalled = 128
)

// Run installs what is missing, starts PostgreSQL and RabbitMQ, migrates (nil:
// not at all), runs a command with Environment added to its own, ends
// everything and returns the command's exit code. Progress goes to out; the
// command has this process's own input and outputs. When ctx ends, the command
// is interrupted (SIGINT) with all its descendants, and killed if that does
// not help. An error means that the command did not run, or that something
// could not be ended.
//
// It backs `tandem stack -- go test ./...`.
func Run(ctx context.Context, out io.Writer, migrate func(ctx context.Context, postgresURL string) error, command []string) (exitCode int, err error) {
	if len(command) == 0 {
		return 1, errors.New("no command to run: give one after --")
	}
	if err := Install(ctx, out, PostgreSQL, RabbitMQ, Kamailio, SIPTester); err != nil {
		return 1, err
	}
	s, err := Start(ctx, Options{Out: out, PostgreSQL: true, RabbitMQ: true})
	if err != nil {
		return 1, err
	}
	defer func() {
		if closeErr := s.Close(); closeErr != nil {
			err = errors.Join(err, closeErr)
			exitCode = max(exitCode, 1)
		}
	}()
	if migrate != nil {
		if err := s.Migrate(ctx, migrate); err != nil {
			return 1, err
		}
	}
	return s.run(ctx, command)
}

func (s *Stack) run(ctx context.Context, command []string) (int, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), Environment(s)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// As in begin: a command whose owner was killed ends, and the thread that
	// forks it stays until then. It shares our process group, and with it the
	// terminal, so that an interactive command works.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("run %s: %w", command[0], err)
	}
	ended := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		interruptWhenDone(ctx, cmd.Process.Pid, ended)
	}()
	err := cmd.Wait()
	close(ended)
	<-watched
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return signalled + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// interruptWhenDone returns when the command has ended, having helped if ctx
// ended first.
func interruptWhenDone(ctx context.Context, pid int, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	for _, step := range []struct {
		patience time.Duration
		signal   syscall.Signal
	}{{ownEnd, syscall.SIGINT}, {interruptedEnd, syscall.SIGKILL}} {
		select {
		case <-ended:
			return
		case <-time.After(step.patience):
			signalTree(pid, step.signal)
		}
	}
	<-ended
}
