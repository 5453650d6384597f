package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/stack"
)

// parallelTests is how many tests may have a call up at once. They wait more than they compute.
const parallelTests = "4"

// testOperatorKey is the operator's key in all tests.
const testOperatorKey = "tdo_ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// TestMain runs the tests, or is tandem: workers and stand-ins of a system under test are this same binary.
func TestMain(m *testing.M) {
	if name, value, _ := strings.Cut(asTandem, "="); os.Getenv(name) == value {
		main()
	}
	for _, name := range []string{"TANDEM_OPERATOR_KEY", "TANDEM_API_KEY"} { // of the workers, and of the commands
		if err := os.Setenv(name, testOperatorKey); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", parallelTests); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := wholeRun.end(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// wholeRun owns the system that the tests of this package share: it starts with the first test that needs it and ends
// after the last.
var wholeRun lifetime

// lifetime is the part of a *testing.T that starting a system needs, for longer than one test.
type lifetime struct {
	once  sync.Once
	world *world
	err   error

	cleanups []func()
	failures []error
}

// sharedWorld is the system that most tests make their calls on: an edge, two media nodes, one worker.
func sharedWorld(t *testing.T) *world {
	t.Helper()
	wholeRun.once.Do(func() {
		defer func() {
			if failed := recover(); failed != nil {
				wholeRun.err = fmt.Errorf("%v", failed)
			}
		}()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		wholeRun.world, wholeRun.err = newWorld(ctx, &wholeRun, stack.ForTest(&wholeRun), worldOptions{Nodes: 2})
	})
	if wholeRun.err != nil {
		t.Fatalf("the system did not start: %v", wholeRun.err)
	}
	wholeRun.world.tellOnFailure(t)
	return wholeRun.world
}

// end undoes what was started, last first.
func (l *lifetime) end() error {
	for _, undo := range slices.Backward(l.cleanups) {
		undo()
	}
	return errors.Join(l.failures...)
}

func (*lifetime) Helper()            {}
func (*lifetime) Name() string       { return "tandem" }
func (l *lifetime) Cleanup(f func()) { l.cleanups = append(l.cleanups, f) }
func (l *lifetime) Errorf(format string, arguments ...any) {
	l.failures = append(l.failures, fmt.Errorf(format, arguments...))
}
func (*lifetime) Fatalf(format string, arguments ...any) { panic(fmt.Errorf(format, arguments...)) }
