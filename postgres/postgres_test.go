package postgres

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/stack"
	"tandem/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test for something that should come.
const patience = 20 * time.Second

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	return ctx
}

// newDatabase is a migrated database of the test's own.
func newDatabase(t *testing.T) string {
	t.Helper()
	address := stack.ForTest(t).TestDatabase(t)
	if err := Migrate(testContext(t), address); err != nil { // nothing to do where the template is migrated
		t.Fatal(err)
	}
	return address
}

func openStore(t *testing.T, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newStore(t *testing.T) *Store {
	t.Helper()
	return openStore(t, newDatabase(t))
}

func change(t *testing.T, s *Store, fn func(*Tx) error) {
	t.Helper()
	if err := s.Change(testContext(t), fn); err != nil {
		t.Fatal(err)
	}
}

// addTenant makes a tenant of little.
func addTenant(t *testing.T, s *Store, id string) {
	t.Helper()
	change(t, s, func(tx *Tx) error {
		return tx.InsertTenant(testContext(t), tenants.Tenant{ID: id, Name: id, Domain: id + ".example", TimeZone: "UTC", Language: "en"}, "customer", "")
	})
}

func receive[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
	return v
}

// line is a server's address that can be cut and joined: the server is the same, the way to it comes and goes.
type line struct {
	t       *testing.T
	target  string
	address string // to connect to

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
	work     sync.WaitGroup
}

// newLine gives a URL that leads to nowhere until the line is joined.
func newLine(t *testing.T, server string) (*line, string) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, target: u.Host, address: port.Addr().String()}
	port.Close()
	u.Host = l.address
	t.Cleanup(l.cut)
	return l, u.String()
}

func (l *line) join() {
	l.t.Helper()
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		l.t.Fatal(err)
	}
	l.listener = listener
	l.work.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", l.target)
			if err != nil {
				in.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, in, out)
			l.mu.Unlock()
			l.work.Go(func() { _, _ = io.Copy(in, out); in.Close() })
			l.work.Go(func() { _, _ = io.Copy(out, in); out.Close() })
		}
	})
}

func (l *line) cut() {
	if l.listener == nil {
		return
	}
	l.listener.Close()
	l.mu.Lock()
	for _, c := range l.conns {
		c.Close()
	}
	l.conns = nil
	l.mu.Unlock()
	l.work.Wait()
	l.listener = nil
}

// logs collects what is logged, and tells of each line.
type logs struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func newLogs() *logs { return &logs{lines: make(chan string, 1000)} }

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.lines <- string(p):
	default:
	}
	return l.text.Write(p)
}

func (l *logs) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// await reads lines until one holds the words.
func (l *logs) await(t *testing.T, words string) string {
	t.Helper()
	for {
		if got := receive(t, "a log line with "+words, l.lines); bytes.Contains([]byte(got), []byte(words)) {
			return got
		}
	}
}

func benchStore(b *testing.B) *Store {
	address := stack.ForTest(b).TestDatabase(b)
	if err := Migrate(b.Context(), address); err != nil {
		b.Fatal(err)
	}
	s, err := Open(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return s
}
