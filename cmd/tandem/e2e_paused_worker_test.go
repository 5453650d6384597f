package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
	"tandem/rabbit"
	"tandem/sipptest"
	"tandem/stack"
)

// TestNoAnswerComesAfterTheEdgesOwn: a question that is asked again, waits for a worker, is held by one that stood still,
// and is decided, each for as long as that may take.
func TestNoAnswerComesAfterTheEdgesOwn(t *testing.T) {
	if longest := kamailioconf.AskAgainWithin + rabbit.RouteTTL + rabbit.PauseNoticed + rabbit.RouteBudget; longest >= kamailioconf.AnswerWait {
		t.Errorf("an answer may come after %s, and the edge waits for %s", longest, kamailioconf.AnswerWait)
	}
}

// TestAPausedRouteWorkerHoldsUpNobody stops one of two route workers (SIGSTOP), lets phones call, and wakes it.
func TestAPausedRouteWorkerHoldsUpNobody(t *testing.T) {
	const companies = 6 // each with a call that connects and one that is refused
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, t, stack.ForTest(t), worldOptions{Name: "paused", Nodes: 1})
	must(t, err)
	w.tellOnFailure(t)
	channel := w.channel(t)
	second := w.startRouteWorker(t, channel)

	var all []*company
	for range companies {
		c := w.company(t)
		must(t, w.Provisioning.SetMaxCalls(ctx, c.id, 1))
		c.publish(t)
		c.register(t, "two")
		all = append(all, c)
	}

	second.Pause()
	t.Cleanup(second.Resume)
	var connected, callees, refused []*sipptest.Running
	for _, c := range all {
		callees = append(callees, c.listen(t, "two", sipptest.Behaviour{}))
		connected = append(connected, c.call(t, "one", "102", sipptest.Call{}))
		refused = append(refused, c.call(t, "three", "999", sipptest.Call{Expect: 404}))
	}
	var delays []time.Duration
	for i := range all {
		succeed(t, connected[i], callees[i])
		succeed(t, refused[i])
		delays = append(delays, postDialDelay(t, connected[i]), postDialDelay(t, refused[i]))
	}
	slices.Sort(delays)
	t.Logf("from INVITE to ringing, answer or refusal with one of two route workers paused: %s", delays)
	again, err := w.askEdge(ctx, "pv.shvGet", "asked_again")
	must(t, err)
	if strings.Contains(again, "value: 0") {
		t.Error("nothing was asked again: the paused worker held nothing")
	}

	second.Resume()
	awaitThat(t, "the woken worker does not notice", func(context.Context) (bool, error) {
		log, err := os.ReadFile(second.Log())
		return strings.Contains(string(log), "this process stood still"), err
	})
	must(t, second.Stop(ctx)) // what it decided, if anything, is with the broker now
	for i, c := range all {
		answered().want.check(t, w.story(t, callIDOf(connected[i].Messages()), 2))
		w.story(t, callIDOf(refused[i].Messages()), 1)
		// What comes to the ledger later comes behind this.
		w.story(t, succeed(t, c.call(t, "three", "998", sipptest.Call{Expect: 404})), 1)
		w.recordedOnce(t, c, map[int]int{2: 1, 1: 2})
	}
}

// startRouteWorker starts a second worker, which routes and does nothing else, and waits until it takes requests.
func (w *world) startRouteWorker(t *testing.T, channel *amqp.Channel) *stack.Process {
	t.Helper()
	api := w.HTTPAddress // stays the first worker's
	command, err := w.workerCommand("worker2")
	w.HTTPAddress = api
	must(t, err)
	command.Environment = append(command.Environment, "TANDEM_ROLES="+roleRoute)
	p, err := w.stack.Launch(within(t), command)
	must(t, err)
	awaitThat(t, "the second worker takes no requests", func(context.Context) (bool, error) {
		q, err := channel.QueueInspect(rabbit.QueueRoute)
		return q.Consumers == 2*rabbit.RouteLanes, err
	})
	return p
}

// recordedOnce checks a company's calls, counted by their number of legs: one decision of routing each, and no others.
func (w *world) recordedOnce(t *testing.T, c *company, want map[int]int) {
	t.Helper()
	calls, err := w.callsOf(within(t), c.id)
	must(t, err)
	got := map[int]int{}
	for _, call := range calls {
		legs, err := w.Store.CDRsOf(within(t), call.Call)
		must(t, err)
		got[len(legs)]++
		entries, err := w.Store.JournalOf(within(t), call.Call)
		must(t, err)
		decisions := slices.DeleteFunc(entries, func(e messages.JournalEntry) bool { return e.Source != messages.SourceRouting })
		if len(decisions) != 1 {
			t.Errorf("%s: %d decisions of routing", call.Call, len(decisions))
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s has calls by legs %v, want %v", c.id, got, want)
	}
}

// sippMessage is the head of a message in SIPp's log: time, direction, start line.
var sippMessage = regexp.MustCompile(`(?m)^-+ (\S+ \S+)\n.* message (sent|received).*\n+(.+)$`)

// postDialDelay is the time from a phone's last INVITE to the first sign of what became of it.
func postDialDelay(t *testing.T, phone *sipptest.Running) time.Duration {
	t.Helper()
	var dialled time.Time
	for _, m := range sippMessage.FindAllStringSubmatch(phone.Messages(), -1) {
		at, err := time.Parse("2006-01-02 15:04:05.999999", m[1])
		must(t, err)
		line := strings.TrimSpace(m[3])
		switch {
		case m[2] == "sent" && strings.HasPrefix(line, "INVITE "):
			dialled = at
		case m[2] == "received" && !dialled.IsZero() && strings.HasPrefix(line, "SIP/2.0 ") && !strings.HasPrefix(line, "SIP/2.0 100") && !strings.HasPrefix(line, "SIP/2.0 407"):
			return at.Sub(dialled).Round(time.Millisecond)
		}
	}
	t.Fatalf("no answer to an INVITE in\n%s", phone.Messages())
	return 0
}

// TestAskingTwiceIsAskingOnce sends the same question twice to one worker, as an edge does when the answer takes long: the
// limit of one call, which the first answer has used up, does not refuse the second.
func TestAskingTwiceIsAskingOnce(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	c := w.company(t)
	must(t, w.Provisioning.SetMaxCalls(within(t), c.id, 1))
	c.publish(t)
	channel := w.channel(t)
	q, err := channel.QueueDeclare("", false, true, true, false, nil)
	must(t, err)
	must(t, channel.QueueBind(q.Name, "test.answers", rabbit.ExchangeAnswers, false, nil))
	answers, err := channel.Consume(q.Name, "", true, true, false, false, nil)
	must(t, err)
	send := func(user, dialled string) {
		t.Helper()
		body, err := messages.Encode(&messages.RouteRequest{
			Type: messages.RouteRequestV1, ServerID: "test.answers", TIndex: 1, TLabel: 2, Edge: "edge.test", Socket: "udp:127.0.0.1:5060",
			SourceAddress: c.address, SourcePort: 5060, Transport: "udp", CallID: user + "@test", FromTag: user, CSeq: 1,
			RequestURI: "sip:" + dialled + "@" + c.domain, FromURI: "sip:" + user + "@" + c.domain, AuthUser: user, AuthRealm: c.domain,
		})
		must(t, err)
		publish(t, channel, rabbit.ExchangeRequests, string(messages.RouteRequestV1), string(body))
	}
	ask := func(user, dialled string) *messages.RouteAnswer {
		t.Helper()
		send(user, dialled)
		select {
		case d := <-answers:
			a, err := messages.ParseAs[*messages.RouteAnswer](d.Body)
			must(t, err)
			return a
		case <-time.After(patience):
			t.Fatal("no answer")
			return nil
		}
	}
	first, again := ask("one", "102"), ask("one", "102")
	if first.Verdict != messages.Route || again.Verdict != messages.Route || first.Call != again.Call {
		t.Errorf("two answers to one question:\n%+v\n%+v", first, again)
	}
	if other := ask("three", "102"); other.Verdict != messages.Reject || other.Code != 486 {
		t.Errorf("another call within the limit of one: %+v", other)
	}
	refused, again := ask("two", "999"), ask("two", "999")
	if refused.Code != 404 || again.Code != 404 || refused.Call != again.Call {
		t.Errorf("two answers to one question:\n%+v\n%+v", refused, again)
	}

	// A node has taken the call: who asks now has had an answer.
	taken, err := messages.Encode(&messages.CallEvent{Type: messages.CallEventV1, Call: first.Call, Tenant: c.id, State: messages.CallStarted, Node: "node1", At: time.Now()})
	must(t, err)
	publish(t, channel, rabbit.ExchangeEvents, string(messages.CallEventV1), string(taken))
	awaitThat(t, "a call that is up is decided again", func(context.Context) (bool, error) {
		send("one", "102")
		select {
		case <-answers:
			return false, nil
		case <-time.After(rabbit.RouteBudget):
			return true, nil
		}
	})
	w.story(t, "two@test", 1)
	w.recordedOnce(t, c, map[int]int{0: 1, 1: 2})
}
