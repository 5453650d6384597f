package kamailioconf_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	kamailioconf "tandem/kamailio-conf"
	"tandem/sipptest"
	"tandem/stack"
)

// domain is that of the test's users; alice and bob have the password secret.
const (
	domain   = "example.test"
	password = "secret"
)

// edge is a real Kamailio with this configuration, on a database and a virtual host of its own. The ways to both lead
// through gates that a test can close.
type edge struct {
	t         *testing.T
	values    kamailioconf.Values
	folder    string
	database  string // the superuser's URL
	postgres  *gate
	amqp      *gate
	worker    *worker
	kamailio  *stack.Process
	emergency string // host:port to which emergency calls go without a decision
}

// newEdge prepares an edge without starting it. change may be nil.
func newEdge(t *testing.T, change func(*kamailioconf.Values)) *edge {
	t.Helper()
	s := stack.ForTest(t)
	e := &edge{t: t, database: s.TestDatabase(t)}
	vhost := s.TestVHost(t)
	e.postgres = openGate(t, hostOf(t, e.database))
	e.amqp = openGate(t, hostOf(t, vhost))
	e.emergency = freeAddress(t)
	e.prepareDatabase()
	folder, err := os.MkdirTemp("", "edge-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	e.folder = folder
	e.values = kamailioconf.Values{
		Edge: "edge1.test", Outside: freeAddress(t), Inside: freeAddress(t),
		AMQPURL: through(t, vhost, e.amqp), PostgresURL: edgeURL(t, e.database, e.postgres),
		EmergencyNumbers: []string{"112", "911"}, EmergencyTrunk: "sip:" + e.emergency,
		FloodPerSecond: 1000, RegisterMin: time.Second,
	}
	if change != nil {
		change(&e.values)
	}
	e.worker = startWorker(t, vhost)
	return e
}

// start starts Kamailio; it answers OPTIONS when start returns.
func (e *edge) start() {
	e.t.Helper()
	path, err := kamailioconf.Write(e.folder, e.values)
	if err != nil {
		e.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(e.t.Context(), 30*time.Second)
	defer cancel()
	e.kamailio, err = stack.ForTest(e.t).StartKamailio(ctx, stack.KamailioOptions{Config: path, Name: filepath.Base(e.folder), Address: e.values.Outside})
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() {
		if e.t.Failed() {
			log, _ := os.ReadFile(e.kamailio.Log())
			e.t.Logf("Kamailio's log ends:\n%s", tail(string(log), 40))
		}
	})
}

// startEdge starts an edge that has its configuration: the given nodes and trunk addresses.
func startEdge(t *testing.T, nodes, trunks []string, change func(*kamailioconf.Values)) *edge {
	t.Helper()
	e := newEdge(t, change)
	e.worker.configure(nodes, trunks)
	e.start()
	e.await("its configuration", func() bool { return e.shared("generation") != "0" })
	return e
}

// shared reads one of Kamailio's shared variables.
func (e *edge) shared(name string) string {
	return e.control("pv.shvGet", name, "value")
}

// table reads one entry of a table of Kamailio; empty when it is not there.
func (e *edge) table(name, key string) string {
	return e.control("htable.get", name+" "+key, "value")
}

// control asks Kamailio through its local socket and returns the first field of that name.
func (e *edge) control(command, arguments, field string) string {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	args := append([]string{"-s", "unix:" + filepath.Join(e.folder, "control"), command}, strings.Fields(arguments)...)
	out, _ := exec.CommandContext(ctx, "/usr/sbin/kamcmd", args...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), ": ")
		if found && name == field {
			return value
		}
	}
	return ""
}

// await polls for a state that Kamailio reaches by itself and tells nobody about.
func (e *edge) await(what string, reached func() bool) {
	e.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		if time.Now().After(deadline) {
			e.t.Fatalf("the edge did not reach %s", what)
		}
		<-tick.C
	}
}

// phone is a phone of the test's domain.
func (e *edge) phone(user string) *sipptest.Phone {
	return &sipptest.Phone{Edge: e.values.Outside, User: user, Domain: domain, Password: password}
}

// call places a call and waits until it is over.
func (e *edge) call(t *testing.T, p *sipptest.Phone, number string, c sipptest.Call) (*sipptest.Running, error) {
	t.Helper()
	running, err := p.Call(t.Context(), number, c)
	if err != nil {
		t.Fatal(err)
	}
	err = running.Wait(t.Context())
	return running, err
}

// mustCall is call for a call that must come to what it asks for.
func (e *edge) mustCall(t *testing.T, p *sipptest.Phone, number string, c sipptest.Call) *sipptest.Running {
	t.Helper()
	running, err := e.call(t, p, number, c)
	if err != nil {
		t.Fatalf("%v\n%s", err, running.Messages())
	}
	return running
}

// edgeRole may read the credentials and nothing else. It belongs to the cluster, so several tests may make it.
const edgeRole = "tandem_edge_of_tests"

func (e *edge) prepareDatabase() {
	e.t.Helper()
	e.sql(`DO $$ BEGIN CREATE ROLE ` + edgeRole + ` LOGIN PASSWORD 'edge';
		EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
	e.sql(`DROP SCHEMA IF EXISTS edge CASCADE`)
	e.sql(`CREATE SCHEMA edge`)
	e.sql(`CREATE TABLE edge_test_users (username text, domain text, ha1 text)`)
	e.sql(`CREATE VIEW edge.credentials AS SELECT username, domain, ha1 FROM edge_test_users`)
	e.sql(`GRANT USAGE ON SCHEMA edge TO ` + edgeRole)
	e.sql(`GRANT SELECT ON edge.credentials TO ` + edgeRole)
	for _, user := range []string{"alice", "bob"} {
		e.setPassword(user, password)
	}
}

func (e *edge) setPassword(user, password string) {
	e.t.Helper()
	e.sql(fmt.Sprintf(`DELETE FROM edge_test_users WHERE username = '%s'`, user))
	e.sql(fmt.Sprintf(`INSERT INTO edge_test_users VALUES ('%[1]s', '%[2]s', md5('%[1]s:%[2]s:%[3]s'))`, user, domain, password))
}

func (e *edge) sql(statement string) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, e.database)
	if err != nil {
		e.t.Fatal(err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	var refused *pgconn.PgError
	if err != nil && !(errors.As(err, &refused) && refused.Code == "XX000") { // tuple concurrently updated
		e.t.Fatalf("%s: %v", statement, err)
	}
}

// gate passes TCP connections on while it is open. Closed, it refuses new ones and cuts those that it has.
type gate struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener
	passing  map[net.Conn]bool
}

func openGate(t *testing.T, target string) *gate {
	t.Helper()
	g := &gate{target: target, address: "127.0.0.1:0", passing: map[net.Conn]bool{}}
	if err := g.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.close)
	return g
}

func (g *gate) open() error {
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.address, g.listener = listener.Addr().String(), listener
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go g.pass(conn)
		}
	}()
	return nil
}

func (g *gate) pass(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", g.target)
	if err != nil {
		return
	}
	defer far.Close()
	g.mu.Lock()
	g.passing[near] = true
	g.mu.Unlock()
	go func() {
		_, _ = io.Copy(far, near)
		far.Close()
	}()
	_, _ = io.Copy(near, far)
	g.mu.Lock()
	delete(g.passing, near)
	g.mu.Unlock()
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener != nil {
		_ = g.listener.Close()
		g.listener = nil
	}
	for conn := range g.passing {
		_ = conn.Close()
	}
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func through(t *testing.T, address string, g *gate) string {
	t.Helper()
	return strings.Replace(address, hostOf(t, address), g.address, 1)
}

func edgeURL(t *testing.T, database string, g *gate) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.User, u.Host, u.RawQuery = url.UserPassword(edgeRole, "edge"), g.address, ""
	return u.String()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := stack.FreeUDPPort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
