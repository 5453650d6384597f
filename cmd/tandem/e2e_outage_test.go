package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"tandem/sipptest"
	"tandem/stack"
)

// TestServersAreAbsentAtStart starts workers without RabbitMQ, without PostgreSQL, and without either a database or a local
// snapshot, on a stack of its own whose servers it may stop.
func TestServersAreAbsentAtStart(t *testing.T) {
	t.Parallel()
	if os.Getenv("TANDEM_STACK_DIR") == "" {
		stack.ForTest(t) // says how to run the tests
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := stack.Start(ctx, stack.Options{PostgreSQL: true})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	w, err := newWorld(ctx, t, s, worldOptions{Nodes: 1, OwnStack: true, NoWorker: true})
	must(t, err)
	w.tellOnFailure(t)

	t.Log("without RabbitMQ")
	w.worker, err = w.startWorker(ctx, "worker1")
	must(t, err)
	w.logged(t, "RabbitMQ is away, trying again until it is back")
	var health struct{ PostgreSQL, RabbitMQ bool }
	must(t, w.get(ctx, "/health", &health))
	if !health.PostgreSQL || health.RabbitMQ {
		t.Errorf("health %+v, want PostgreSQL alone", health)
	}
	c := w.company(t)
	c.publish(t)
	refused := c.call(t, "one", "102", sipptest.Call{Expect: 503, Checks: []sipptest.Check{{Header: "Retry-After", Pattern: "[0-9]"}}})
	services := listen(t, w.emergencyPhone(t), sipptest.Behaviour{})
	succeed(t, refused)
	succeed(t, c.call(t, "one", "112", sipptest.Call{}), services)

	must(t, s.StartRabbitMQ(ctx))
	w.logged(t, "connected to RabbitMQ")
	must(t, w.awaitNodes(ctx))
	registersAnew(t, c, "a phone cannot register when RabbitMQ is there") // the edge hears of it by itself, a moment later than the worker
	c.answeredBy(t)

	t.Log("without PostgreSQL, with a local snapshot")
	must(t, w.worker.Stop(ctx))
	must(t, s.StopPostgreSQL(ctx))
	w.worker, err = w.startWorker(ctx, "worker1")
	must(t, err)
	if line := w.logged(t, "starting from the last local snapshot"); !strings.Contains(line, `"age":`) {
		t.Errorf("the snapshot's age is not said: %s", line)
	}
	var source struct {
		Source string `json:"configuration_source"`
	}
	must(t, w.get(ctx, "/health", &source))
	if source.Source != "local snapshot" {
		t.Errorf("the configuration is from %q", source.Source)
	}
	must(t, w.awaitNodes(ctx))
	// What registered before is in PostgreSQL alone; who registers again is known, by the credentials that the edge has kept.
	registersAnew(t, c, "a phone that registers again is not known")
	callee := c.listen(t, "two", sipptest.Behaviour{})
	id := succeed(t, c.call(t, "one", "102", sipptest.Call{}), callee)
	refused = c.call(t, "one", "999", sipptest.Call{Expect: 404, Checks: reason("1")})
	unknown := succeed(t, refused)

	must(t, s.StartPostgreSQL(ctx))
	answered().want.check(t, w.story(t, id, 2)) // told and recorded once PostgreSQL is back
	w.story(t, unknown, 1)
	awaitThat(t, "the configuration is not read anew", func(ctx context.Context) (bool, error) {
		err := w.get(ctx, "/health", &source)
		return source.Source == "postgresql", err
	})

	t.Log("without PostgreSQL and without a local snapshot")
	must(t, w.worker.Stop(ctx))
	must(t, s.StopPostgreSQL(ctx))
	command, err := w.workerCommand("worker2")
	must(t, err)
	w.worker, err = s.Launch(ctx, command)
	must(t, err)
	w.logged(t, "no configuration: PostgreSQL gives none and there is no local snapshot; waiting for PostgreSQL")
	w.logged(t, "the configuration cannot be read; trying again")
	if err := w.get(ctx, "/health", &health); err == nil {
		t.Error("a worker without configuration says that it is well")
	}
	must(t, s.StartPostgreSQL(ctx))
	awaitThat(t, "the worker goes on waiting", func(ctx context.Context) (bool, error) { return w.get(ctx, "/health", &health) == nil, nil })
	must(t, w.awaitNodes(ctx))
	must(t, w.awaitRegistered(ctx, "two", c.domain)) // read from PostgreSQL
	c.answeredBy(t)
}

// logged waits for a line of the worker's log and gives it.
func (w *world) logged(t *testing.T, words string) (line string) {
	t.Helper()
	awaitThat(t, "the worker does not log "+words, func(context.Context) (bool, error) {
		text, err := os.ReadFile(w.worker.Log())
		for one := range strings.Lines(string(text)) {
			if strings.Contains(one, words) {
				line = one
			}
		}
		return line != "", err
	})
	return line
}

// registersAnew lets the second user's phone register until it is known.
func registersAnew(t *testing.T, c *company, otherwise string) {
	t.Helper()
	awaitThat(t, otherwise, func(ctx context.Context) (bool, error) {
		err := c.users["two"].Register(ctx, sipptest.Registration{})
		return err == nil && len(c.contacts(t, "two")) > 0, err
	})
}
