package rabbit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
	"tandem/rabbit"
)

// routerVariable makes the test binary a process that serves routes on the broker that it names.
const routerVariable = "TANDEM_TEST_ROUTER"

const heldByRouter = 8 // its prefetch

func router(url string) {
	c, err := rabbit.Connect(context.Background(), rabbit.Options{URL: url, Name: "router", Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err == nil {
		err = c.ServeRoutes(context.Background(), heldByRouter, trivial, nil)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestAWokenProcessAnswersNothingStale stops a process that holds requests (SIGSTOP) until they are older than RouteTTL.
func TestAWokenProcessAnswersNothingStale(t *testing.T) {
	url := broker(t)
	connected(t, url) // declares
	ch := raw(t, url)
	answers, dead := edge(t, ch, "edge1"), deliveries(t, raw(t, url), rabbit.QueueDead)
	ask := func(i int) {
		send(t, ch, rabbit.ExchangeRequests, "route.request.v1", requestBody(t, request("edge1", i)))
	}
	askAgain := func(i int) {
		send(t, ch, rabbit.ExchangeRequests, rabbit.KeyRouteAgain, requestBody(t, request("edge1", i)))
	}
	// answered waits for the answer to one question. Those to earlier ones may still come, unless they are stale.
	const stale, fresh = 100, 200
	answered := func(i int) {
		t.Helper()
		for {
			a, err := messages.ParseAs[*messages.RouteAnswer](receive(t, answers, "answer").Body)
			if err != nil {
				t.Fatal(err)
			}
			if a.TIndex >= stale && a.TIndex < fresh {
				t.Errorf("question %d, which is too old, is answered", a.TIndex)
			}
			if a.TIndex == i {
				return
			}
		}
	}

	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), routerVariable+"="+url)
	var log bytes.Buffer
	child.Stderr = &log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
		if t.Failed() {
			t.Logf("the process says:\n%s", &log)
		}
	})
	awaitConsumers(t, ch, rabbit.RouteLanes)
	for i := range 2 * rabbit.RouteLanes { // each lane has answered
		ask(i)
		answered(i)
	}
	for again := false; !again; { // until its queue is there
		askAgain(50)
		select {
		case <-answers:
			again = true
		case <-time.After(100 * time.Millisecond):
		}
	}
	// A short pause, which it notices, costs nothing that is still worth an answer.
	stop := func() {
		t.Helper()
		if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	wake := func() {
		t.Helper()
		if err := child.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	const attempts = 5 // a machine that stands still as a whole lets the broker drop what waits for longer than RouteTTL
	for attempt := 0; ; attempt++ {
		plain, again := 60+2*attempt, 61+2*attempt
		stop()
		ask(plain)
		askAgain(again)
		<-time.After(2 * rabbit.PauseNoticed)
		wake()
		if missing := unanswered(t, answers, plain, again); len(missing) == 0 {
			break
		} else if attempt == attempts-1 {
			t.Fatalf("what was asked during a short pause is not answered, in %d attempts: %v", attempts, missing)
		}
	}

	stop()
	const questions = heldByRouter + 1
	for i := range questions {
		ask(stale + i)
		askAgain(stale + i)
	}
	expired := map[string]bool{}
	expire := func() {
		t.Helper()
		body := string(receive(t, dead, "what has expired").Body)
		if strings.Contains(body, `"t_index":10`) { // or one of the first, if its acknowledgement was held up
			expired[body] = true
		}
	}
	for len(expired) == 0 { // one that found no place at the process: so the time of those before it is over too
		expire()
	}
	wake()
	for len(expired) < questions {
		expire()
	}
	ask(fresh)
	answered(fresh)
}

// unanswered is what of the questions has no answer although it can no longer come.
func unanswered(t *testing.T, answers <-chan amqp.Delivery, questions ...int) map[int]bool {
	t.Helper()
	missing := map[int]bool{}
	for _, q := range questions {
		missing[q] = true
	}
	tooLate := time.After(3 * rabbit.RouteTTL)
	for len(missing) > 0 {
		select {
		case d := <-answers:
			a, err := messages.ParseAs[*messages.RouteAnswer](d.Body)
			if err != nil {
				t.Fatal(err)
			}
			delete(missing, a.TIndex)
		case <-tooLate:
			return missing
		}
	}
	return nil
}
