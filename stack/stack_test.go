package stack

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(ownerVariable) != "" {
		ownStack()
		return
	}
	goleak.VerifyTestMain(m)
}

// install lets the tests of real programs run on a bare machine as well.
func install(t *testing.T, need ...Program) {
	t.Helper()
	if err := Install(t.Context(), t.Output(), need...); err != nil {
		t.Fatal(err)
	}
}

func begun(t *testing.T, o Options) *Stack {
	t.Helper()
	o.Out = t.Output()
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask runs a query of one text column on a fresh connection.
func ask(ctx context.Context, postgresURL, query string) (string, error) {
	conn, err := pgx.Connect(ctx, postgresURL)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var answer string
	err = conn.QueryRow(ctx, query).Scan(&answer)
	return answer, err
}

// publish declares a durable quorum queue, publishes and waits for the confirm.
func publish(t *testing.T, amqpURL, queue, body string) {
	t.Helper()
	conn, err := amqp.Dial(amqpURL)
	must(t, err)
	defer conn.Close()
	channel, err := conn.Channel()
	must(t, err)
	must(t, channel.Confirm(false))
	_, err = channel.QueueDeclare(queue, true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
	must(t, err)
	confirm, err := channel.PublishWithDeferredConfirm("", queue, true, false,
		amqp.Publishing{DeliveryMode: amqp.Persistent, Body: []byte(body)})
	must(t, err)
	if acked, err := confirm.WaitContext(t.Context()); err != nil || !acked {
		t.Fatalf("not confirmed: %v, %v", acked, err)
	}
}

// fetch takes one message, "" when there is none. It fails on an unknown queue.
func fetch(amqpURL, queue string) (string, error) {
	conn, err := amqp.Dial(amqpURL)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	channel, err := conn.Channel()
	if err != nil {
		return "", err
	}
	message, _, err := channel.Get(queue, true)
	return string(message.Body), err
}

func refused(t *testing.T, address string) {
	t.Helper()
	parsed, err := url.Parse(address)
	must(t, err)
	conn, err := net.Dial("tcp", parsed.Host)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%s: %v, want connection refused", parsed.Host, err)
	}
}

func TestStack(t *testing.T) {
	install(t, PostgreSQL, RabbitMQ)
	s := begun(t, Options{PostgreSQL: true, RabbitMQ: true})
	var members []int
	for _, p := range []*Process{s.PostgreSQL(), s.RabbitMQ(), s.rabbit.processes[0]} {
		members = append(members, tree(p.Pid())...)
	}

	t.Run("PostgresURL logs in as superuser tandem to database tandem", func(t *testing.T) {
		got, err := ask(t.Context(), s.PostgresURL, `SELECT current_user || ' ' || current_database() || ' ' || current_setting('is_superuser')`)
		if want := "tandem tandem on"; err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	})
	t.Run("no login without the password", func(t *testing.T) {
		parsed, _ := url.Parse(s.PostgresURL)
		parsed.User = url.UserPassword("tandem", "guess")
		if _, err := ask(t.Context(), parsed.String(), `SELECT ''`); err == nil || !strings.Contains(err.Error(), "28P01") {
			t.Errorf("got %v, want invalid_password", err)
		}
		parsed, _ = url.Parse(s.AMQPURL)
		parsed.User = url.UserPassword("guest", "guest")
		if _, err := amqp.Dial(parsed.String()); !errors.Is(err, amqp.ErrCredentials) {
			t.Errorf("got %v, want refused credentials", err)
		}
	})
	t.Run("all ports are on loopback alone", func(t *testing.T) {
		for _, port := range []int{s.settings.PostgresPort, s.settings.AMQPPort, s.settings.ErlangPort, s.settings.EpmdPort} {
			found := listeners(t, port)
			if len(found) == 0 {
				t.Errorf("nobody listens on port %d", port)
			}
			for _, address := range found {
				if address != "0100007F" && address != "00000000000000000000000001000000" {
					t.Errorf("port %d listens on %s", port, address)
				}
			}
		}
	})
	t.Run("a database is a copy of the migrated template, and its own", func(t *testing.T) {
		must(t, s.Migrate(t.Context(), func(ctx context.Context, postgresURL string) error {
			_, err := ask(ctx, postgresURL, `WITH made AS (SELECT set_config('a.b', '', false)) SELECT 'x' FROM made`)
			if err != nil {
				return err
			}
			conn, err := pgx.Connect(ctx, postgresURL)
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			_, err = conn.Exec(ctx, `CREATE TABLE migrated (it text); INSERT INTO migrated VALUES ('was here')`)
			return err
		}))
		for _, address := range []string{s.PostgresURL, s.TestDatabase(t), s.TestDatabase(t)} {
			got, err := ask(t.Context(), address, `UPDATE migrated SET it = it || '.' RETURNING it`)
			if err != nil || got != "was here." {
				t.Errorf("got %q, %v", got, err)
			}
		}
	})
	t.Run("databases are made by several tests at once", func(t *testing.T) {
		errs := make(chan error)
		for range 4 {
			go func() {
				_, err := s.NewDatabase(t.Context(), "many at once")
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("a virtual host keeps queues of one name apart and goes with its test", func(t *testing.T) {
		var gone string
		t.Run("inside", func(t *testing.T) {
			one, other := s.TestVHost(t), s.TestVHost(t)
			gone = one
			publish(t, one, "same.name", "mine")
			if _, err := fetch(other, "same.name"); err == nil {
				t.Error("the other virtual host has the queue too")
			}
			if body, err := fetch(one, "same.name"); err != nil || body != "mine" {
				t.Errorf("got %q, %v", body, err)
			}
		})
		if conn, err := amqp.Dial(gone); err == nil {
			conn.Close()
			t.Error("the virtual host is still there")
		}
	})
	t.Run("a stopped RabbitMQ refuses, and has its messages when it is back", func(t *testing.T) {
		publish(t, s.AMQPURL, "kept", "through the restart")
		must(t, s.StopRabbitMQ(t.Context()))
		refused(t, s.AMQPURL)
		must(t, s.StartRabbitMQ(t.Context()))
		if body, err := fetch(s.AMQPURL, "kept"); err != nil || body != "through the restart" {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("a killed PostgreSQL starts again on the same address", func(t *testing.T) {
		must(t, s.PostgreSQL().Kill())
		refused(t, s.PostgresURL)
		must(t, s.StartPostgreSQL(t.Context()))
		if _, err := ask(t.Context(), s.PostgresURL, `SELECT ''`); err != nil {
			t.Error(err)
		}
	})
	t.Run("a paused PostgreSQL answers nobody, until it is resumed", func(t *testing.T) {
		conn, err := pgx.Connect(t.Context(), s.PostgresURL)
		must(t, err)
		defer conn.Close(context.Background())
		s.PostgreSQL().Pause()
		short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if _, err := conn.Exec(short, `SELECT 1`); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v from a session that was open", err)
		}
		s.PostgreSQL().Resume()
		if _, err := ask(t.Context(), s.PostgresURL, `SELECT ''`); err != nil {
			t.Error(err)
		}
	})
	t.Run("a test finds it in its environment, and cannot stop what others use", func(t *testing.T) {
		for _, pair := range Environment(s) {
			name, value, _ := strings.Cut(pair, "=")
			t.Setenv(name, value)
		}
		found := ForTest(t)
		if found.PostgresURL != s.PostgresURL || found.AMQPURL != s.AMQPURL || os.Getenv("TANDEM_AMQP_URL") != s.AMQPURL {
			t.Errorf("found another stack")
		}
		publish(t, found.TestVHost(t), "q", "x")
		_ = found.TestDatabase(t)
		for _, err := range []error{found.StopPostgreSQL(t.Context()), found.RestartRabbitMQ(t.Context())} {
			if !errors.Is(err, errShared) {
				t.Errorf("got %v", err)
			}
		}
	})

	for _, p := range []*Process{s.PostgreSQL(), s.RabbitMQ(), s.rabbit.processes[0]} {
		members = append(members, tree(p.Pid())...)
	}
	must(t, s.Close())
	for _, pid := range members {
		if alive(pid) {
			t.Errorf("process %d is left after Close", pid)
		}
	}
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("folder is left after Close: %v", err)
	}
}

// alive also finds a process whose parent has not reaped it dead.
func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "stat"))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func TestDatabasesAbsentAtStartComeUpLater(t *testing.T) {
	install(t, PostgreSQL)
	s := begun(t, Options{})
	refused(t, s.PostgresURL)
	refused(t, s.AMQPURL)
	must(t, s.StartPostgreSQL(t.Context()))
	if _, err := ask(t.Context(), s.PostgresURL, `SELECT ''`); err != nil {
		t.Error(err)
	}
}

func TestPersistedStackKeepsDataAndAddress(t *testing.T) {
	install(t, PostgreSQL)
	dir, err := os.MkdirTemp("/var/tmp", "tandem-test-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	options := Options{Dir: filepath.Join(dir, "demo"), PostgreSQL: true, Persist: true, Durable: true}

	s := begun(t, options)
	if fsync, err := ask(t.Context(), s.PostgresURL, `SHOW fsync`); err != nil || fsync != "on" {
		t.Errorf("durable, but fsync is %q, %v", fsync, err)
	}
	if _, err := Start(t.Context(), options); err == nil || !strings.Contains(err.Error(), "in use by process") {
		t.Errorf("second start in the same folder: %v", err)
	}
	conn, err := pgx.Connect(t.Context(), s.PostgresURL)
	must(t, err)
	_, err = conn.Exec(t.Context(), `CREATE TABLE kept AS SELECT 'still here' AS it`)
	must(t, err)
	must(t, conn.Close(t.Context()))
	must(t, s.Close())

	// The port is still reserved by this very process, as by a stranger: the
	// stack must move to another one.
	again := begun(t, options)
	if again.PostgresURL == s.PostgresURL {
		t.Error("took a port that was not free")
	}
	if got, err := ask(t.Context(), again.PostgresURL, `SELECT it FROM kept`); err != nil || got != "still here" {
		t.Errorf("got %q, %v", got, err)
	}
}
