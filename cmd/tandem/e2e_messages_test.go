package main

import (
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"tandem/messages"
	"tandem/rabbit"
)

// TestUnusableMessagesChangeNothing: what nobody can read is put aside with its reason, byte for byte, and calls go on.
func TestUnusableMessagesChangeNothing(t *testing.T) {
	t.Parallel()
	w := sharedWorld(t)
	channel := w.channel(t)
	aside := deadLetters(t, channel)
	long := strings.Repeat("x", messages.MaxMessageBytes)
	want := map[string]string{}
	for _, row := range []struct {
		exchange, key, body string
		reason              string // none: the broker's own doing, nobody is bound to the key
	}{
		{rabbit.ExchangeRequests, string(messages.RouteRequestV1), `{"type":"route.request.v1","unfinished`, "not_json"},
		{rabbit.ExchangeRequests, string(messages.RouteRequestV1), `["an","array"]`, "bad_value"},
		{rabbit.ExchangeRequests, string(messages.RouteRequestV1), `{"type":"route.request.v99","t_index":1}`, "unknown_type"},
		{rabbit.ExchangeRequests, string(messages.RouteRequestV1), `{"type":"cdr.v1"}`, "missing"},
		{rabbit.ExchangeRequests, string(messages.RouteRequestV1), `{"type":"route.request.v1","edge":"nobody"}`, "missing"},
		{rabbit.ExchangeRequests, string(messages.RouteRequestV1), `{"type":"route.request.v1","call_id":"` + long + `"}`, "too_large"},
		{rabbit.ExchangeEvents, string(messages.RegistrationV1), `not even json`, "not_json"},
		{rabbit.ExchangeEvents, string(messages.RegistrationV1), `{"type":"registration.event.v1","event":"dreamt"}`, "bad_value"},
		{rabbit.ExchangeLedger, string(messages.CDRV1), `{"type":"cdr.v1","leg":""}`, "missing"},
		{rabbit.ExchangeLedger, string(messages.CDRV1), `{"type":"cdr.v2","leg":"1"}`, "unknown_type"},
		{rabbit.ExchangeLedger, string(messages.JournalV1), `{"type":"journal.v1","worker":"w","entries":[{"call":""}]}`, "missing"},
		{rabbit.ExchangeLedger, "cdr.v99", `{"type":"cdr.v99","leg":"2"}`, ""},
	} {
		want[row.body] = row.reason
		publish(t, channel, row.exchange, row.key, row.body)
	}
	// Whoever listens to these has no queue to put them aside from: it says so in its log and goes on. (No JSON but objects:
	// anything else ends the edge by an assertion in Kamailio's kazoo module. Only who may write to the broker can do that.)
	for _, body := range []string{`{`, `{"Event-Category":"edge","Event-Name":"config","type":"edge.config.v99","nodes":["127.0.0.1:1"]}`, `{"Event-Category":"edge","Event-Name":"dance"}`} {
		publish(t, channel, rabbit.ExchangeEdges, "", body)
	}
	publish(t, channel, rabbit.ExchangeEvents, string(messages.NodeEventV1), `{"type":"node.event.v1","node":"node1","state":"asleep"}`)
	publish(t, channel, rabbit.ExchangeEvents, string(messages.CallEventV1), `{"type":"call.event.v1"`)
	for late := time.After(patience); len(want) > 0; {
		select {
		case d := <-aside:
			reason, ours := want[string(d.Body)]
			if !ours {
				continue // another test's
			}
			if got, _ := d.Headers[rabbit.HeaderReason].(string); got != reason {
				t.Errorf("%.60s is put aside for %q, want %q", d.Body, got, reason)
			}
			delete(want, string(d.Body))
		case <-late:
			t.Fatalf("not put aside: %.200q", want)
		}
	}
	c := w.company(t)
	c.publish(t)
	c.register(t, "two")
	c.answeredBy(t)
}

// channel is a connection to the system's virtual host, as another program has one.
func (w *world) channel(t *testing.T) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(w.amqpURL)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	channel, err := conn.Channel()
	must(t, err)
	return channel
}

// deadLetters shows what is put aside from now on.
func deadLetters(t *testing.T, channel *amqp.Channel) <-chan amqp.Delivery {
	t.Helper()
	q, err := channel.QueueDeclare("", false, true, true, false, nil)
	must(t, err)
	must(t, channel.QueueBind(q.Name, "", rabbit.ExchangeDead, false, nil))
	deliveries, err := channel.Consume(q.Name, "", true, true, false, false, nil)
	must(t, err)
	return deliveries
}

func publish(t *testing.T, channel *amqp.Channel, exchange, key, body string) {
	t.Helper()
	must(t, channel.PublishWithContext(within(t), exchange, key, false, false, amqp.Publishing{Body: []byte(body)}))
}
