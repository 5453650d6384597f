package stack

import (
	"fmt"
	"os"
	"path/filepath"
)

// Variables by which a stack reaches the processes that use it.
const (
	postgresVariable = "TANDEM_POSTGRES_URL"
	amqpVariable     = "TANDEM_AMQP_URL"
	stateVariable    = "TANDEM_STATE_DIR"
	httpVariable     = "TANDEM_HTTP_ADDRESS"
	folderVariable   = "TANDEM_STACK_DIR"
)

// Environment is what a Tandem process or a test needs to find this stack, as
// "NAME=value" to be appended to os.Environ.
func Environment(s *Stack) []string {
	return []string{
		postgresVariable + "=" + s.PostgresURL,
		amqpVariable + "=" + s.AMQPURL,
		stateVariable + "=" + filepath.Join(s.Dir, "state"),
		httpVariable + "=" + s.HTTPAddress,
		folderVariable + "=" + s.Dir,
	}
}

// T is what this package needs of a *testing.T or *testing.B.
type T interface {
	Helper()
	Name() string
	Cleanup(func())
	Errorf(format string, arguments ...any)
	Fatalf(format string, arguments ...any)
}

// ForTest returns the stack that Run has put into the environment. Its
// databases are shared with other tests: take a database and a virtual host of
// your own with TestDatabase and TestVHost. What the test starts on it ends
// with the test.
func ForTest(t T) *Stack {
	t.Helper()
	dir := os.Getenv(folderVariable)
	if dir == "" {
		t.Fatalf("this test needs a private stack: run `make test`, or `go run ./cmd/tandem stack -- go test ./...`")
	}
	set, err := readSettings(dir)
	if err != nil {
		t.Fatalf("%s names no running stack (%v): run `make test`", folderVariable, err)
	}
	s := &Stack{Dir: dir, shared: true}
	s.adopt(set)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close what the test started: %v", err)
		}
	})
	return s
}

// TestDatabase is NewDatabase for a test: the database goes when the test ends.
func (s *Stack) TestDatabase(t T) string {
	t.Helper()
	ctx, cancel := commandContext()
	defer cancel()
	url, err := s.NewDatabase(ctx, t.Name())
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := commandContext()
		defer cancel()
		if err := s.DropDatabase(ctx, url); err != nil {
			t.Errorf("%v", err)
		}
	})
	return url
}

// TestVHost is NewVHost for a test: the virtual host goes when the test ends.
func (s *Stack) TestVHost(t T) string {
	t.Helper()
	ctx, cancel := commandContext()
	defer cancel()
	url, err := s.NewVHost(ctx, t.Name())
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := commandContext()
		defer cancel()
		if err := s.DropVHost(ctx, url); err != nil {
			t.Errorf("%v", err)
		}
	})
	return url
}

// String hides the passwords that the addresses hold.
func (s *Stack) String() string { return fmt.Sprintf("stack in %s", s.Dir) }
