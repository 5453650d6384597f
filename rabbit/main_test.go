package rabbit_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"tandem/rabbit"
	"tandem/stack"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(spoolerVariable); dir != "" {
		spooler(dir)
	}
	if url := os.Getenv(routerVariable); url != "" {
		router(url)
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func contextFor(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// broker is the URL of a virtual host of the test's own.
func broker(t testing.TB) string {
	t.Helper()
	return stack.ForTest(t).TestVHost(t)
}

// journalled keeps log lines for assertions.
type journalled struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journalled) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journalled) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journalled) count(part string) int { return bytes.Count([]byte(j.String()), []byte(part)) }

// dial starts a client that ends with the test, before whatever was registered earlier for its end.
func dial(t testing.TB, url string) (*rabbit.Client, *journalled) {
	t.Helper()
	log := new(journalled)
	c, err := rabbit.Connect(context.Background(), rabbit.Options{
		URL: url, Name: "tester", Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, log
}

func connected(t testing.TB, url string) (*rabbit.Client, *journalled) {
	t.Helper()
	c, log := dial(t, url)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.WaitConnected(ctx); err != nil {
		t.Fatalf("not connected: %v\n%s", err, log)
	}
	return c, log
}

// background runs a blocking method until the test ends, and waits for it.
func background(t testing.TB, run func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

// raw is a channel of the plain client library: another party than the one under test.
func raw(t testing.TB, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func send(t testing.TB, ch *amqp.Channel, exchange, key string, body []byte) {
	t.Helper()
	if err := ch.Publish(exchange, key, false, false, amqp.Publishing{Body: body}); err != nil {
		t.Fatal(err)
	}
}

// edge binds a queue as the kazoo module does, and returns what arrives there.
func edge(t testing.TB, ch *amqp.Channel, server string) <-chan amqp.Delivery {
	t.Helper()
	if err := ch.ExchangeDeclare("targeted", "direct", false, false, false, false, nil); err != nil {
		t.Fatalf("the kazoo module would be refused: %v", err)
	}
	q, err := ch.QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.QueueBind(q.Name, server, "targeted", false, nil); err != nil {
		t.Fatal(err)
	}
	return deliveries(t, ch, q.Name)
}

func deliveries(t testing.TB, ch *amqp.Channel, queue string) <-chan amqp.Delivery {
	t.Helper()
	d, err := ch.Consume(queue, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v, open := <-from:
		if !open {
			t.Fatalf("%s: the channel ended", what)
		}
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come within %s", what, patience)
	}
	panic("unreachable")
}
