package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Options say what a stack starts with. The zero value starts nothing yet: its
// addresses are chosen and reserved, and each part can be started later.
type Options struct {
	// Dir is the stack's folder; empty: a new one below the folder for
	// temporary files.
	Dir string
	// Out gets progress, a line at a time; nil: nobody.
	Out io.Writer
	// PostgreSQL and RabbitMQ are started at once, in parallel.
	PostgreSQL, RabbitMQ bool
	// Persist keeps the folder, with data, passwords and ports, for the next
	// Start with the same Dir.
	Persist bool
	// Durable makes PostgreSQL wait for the disk. Tests do without.
	Durable bool
}

// Stack is a set of private servers. Its methods may be called concurrently.
type Stack struct {
	// Dir is the folder that holds everything.
	Dir string
	// PostgresURL names the database tandem, as its superuser tandem.
	PostgresURL string
	// AMQPURL names the virtual host "/", as its administrator.
	AMQPURL string
	// HTTPAddress is a reserved host:port for the one worker that
	// Environment is meant for.
	HTTPAddress string

	settings settings
	folder   folder
	persist  bool
	durable  bool
	shared   bool // found by ForTest: the databases are another process's
	postgres service
	rabbit   service

	mu        sync.Mutex
	processes []*Process // all others, in the order of their starts
	closed    bool
}

// closeWithin bounds Close as a whole.
const closeWithin = time.Minute

// Start starts a stack; ctx bounds the starting alone. The caller owns the
// result and must Close it. After an error no process is left; the folder
// stays for its logs, until the next Start in the same place sweeps it away.
func Start(ctx context.Context, o Options) (*Stack, error) {
	out := o.Out
	if out == nil {
		out = io.Discard
	}
	place, err := openFolder(o.Dir, out)
	if err != nil {
		return nil, err
	}
	s := &Stack{Dir: place.path, folder: place, persist: o.Persist, durable: o.Durable}
	if err := s.startDatabases(ctx, o, out); err != nil {
		s.persist = true
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stack) startDatabases(ctx context.Context, o Options, out io.Writer) error {
	if _, err := s.folder.sub("log", nil); err != nil {
		return err
	}
	if _, err := s.folder.sub("state", nil); err != nil {
		return err
	}
	settings, err := loadSettings(s.Dir)
	if err != nil {
		return err
	}
	s.adopt(settings)

	// The first failure ends the other start: waiting for it would be in vain.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	start := func(name string, wanted bool, run func(context.Context) error) {
		if !wanted {
			return
		}
		wait.Go(func() {
			began := time.Now()
			if err := run(ctx); err != nil {
				cancel(err)
				return
			}
			fmt.Fprintf(out, "%s ready after %.1f s\n", name, time.Since(began).Seconds())
		})
	}
	out = &lineWriter{out: out}
	start("PostgreSQL", o.PostgreSQL, s.StartPostgreSQL)
	start("RabbitMQ", o.RabbitMQ, s.StartRabbitMQ)
	wait.Wait()
	return context.Cause(ctx)
}

// adopt derives the public addresses from the settings.
func (s *Stack) adopt(set settings) {
	s.settings = set
	s.PostgresURL = set.postgresURL(databaseName)
	s.AMQPURL = set.amqpURL("/")
	s.HTTPAddress = loopback(set.HTTPPort)
}

// lineWriter lets two starts report to one writer.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lineWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(line)
}

// Launch starts a program of the caller's own, such as a worker, beneath this
// stack: Close ends it. An empty Log becomes a file in the stack's log folder.
func (s *Stack) Launch(ctx context.Context, c Command) (*Process, error) {
	if c.Log == "" {
		c.Log = s.logPath(c.Name)
	}
	p, err := launch(ctx, c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.processes = slices.DeleteFunc(s.processes, func(p *Process) bool { return !p.Running() })
		s.processes = append(s.processes, p)
	}
	s.mu.Unlock()
	if closed {
		return nil, errors.Join(errors.New("the stack is closed"), p.Kill())
	}
	return p, nil
}

// logPath is the log of a part that has one for its whole life. In a shared
// stack the name alone is not enough: each process starts its own parts.
func (s *Stack) logPath(name string) string {
	if s.shared {
		name = fmt.Sprintf("%s-%d", name, os.Getpid())
	}
	return filepath.Join(s.Dir, "log", name+".log")
}

// Close ends what this stack has started, last started first, and removes the
// folder unless it persists. Calling it again does nothing.
func (s *Stack) Close() error {
	s.mu.Lock()
	processes, closed := s.processes, s.closed
	s.processes, s.closed = nil, true
	s.mu.Unlock()
	if closed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	var errs []error
	for _, p := range slices.Backward(processes) {
		errs = append(errs, p.Stop(ctx))
	}
	if s.shared {
		return errors.Join(errs...)
	}
	var rabbit, postgres error
	var wait sync.WaitGroup
	wait.Go(func() { rabbit = s.StopRabbitMQ(ctx) })
	wait.Go(func() { postgres = s.StopPostgreSQL(ctx) })
	wait.Wait()
	errs = append(errs, rabbit, postgres, s.folder.close(!s.persist))
	return errors.Join(errs...)
}
