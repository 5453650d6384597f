package rabbit_test

import (
	"context"
	"testing"
	"time"

	"tandem/messages"
	"tandem/rabbit"
)

func hello(edge string) *messages.EdgeHello {
	return &messages.EdgeHello{Type: messages.EdgeHelloV1, Edge: edge, URI: "sip:192.0.2.1:5060"}
}

func nodeUp(node string) *messages.NodeEvent {
	return &messages.NodeEvent{
		Type: messages.NodeEventV1, Node: node, SIPURI: "sip:192.0.2.10:5080", State: messages.NodeUp,
		At: time.Unix(1_790_000_000, 0).UTC(), Worker: "w1",
	}
}

func TestEventsComeInOrderToEveryFollowerOfTheirKey(t *testing.T) {
	url := broker(t)
	ctx := contextFor(t)
	c, _ := connected(t, url)
	follow := func(keys ...string) chan messages.Message {
		got, ready := make(chan messages.Message, 100), make(chan struct{}, 100)
		background(t, func(ctx context.Context) error {
			return c.SubscribeEvents(ctx, keys, func(m messages.Message) { got <- m }, func() { ready <- struct{}{} })
		})
		receive(t, ready, "first gap")
		return got
	}
	nodes, all := follow("node.event.v1"), follow("node.event.v1", "edge.hello.v1")
	for _, m := range []messages.Message{nodeUp("fs1"), hello("edge1"), nodeUp("fs2")} {
		if err := c.Publish(ctx, rabbit.ExchangeEvents, string(m.MessageType()), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"fs1", "fs2"} {
		if got := receive(t, nodes, "event").(*messages.NodeEvent); got.Node != want {
			t.Errorf("got %s, want %s", got.Node, want)
		}
	}
	for i, want := range []messages.Type{messages.NodeEventV1, messages.EdgeHelloV1, messages.NodeEventV1} {
		if got := receive(t, all, "event").MessageType(); got != want {
			t.Errorf("event %d is %s, want %s", i, got, want)
		}
	}
}

func TestAnUnreadableEventAndAPanicAreSkipped(t *testing.T) {
	url := broker(t)
	c, log := connected(t, url)
	got, ready := make(chan string, 10), make(chan struct{}, 100)
	background(t, func(ctx context.Context) error {
		return c.SubscribeEvents(ctx, []string{"edge.hello.v1"}, func(m messages.Message) {
			edge := m.(*messages.EdgeHello).Edge
			if edge == "bad" {
				panic("bad edge")
			}
			got <- edge
		}, func() { ready <- struct{}{} })
	})
	receive(t, ready, "first gap")
	send(t, raw(t, url), rabbit.ExchangeEvents, "edge.hello.v1", []byte(`{"type":"edge.hello.v1"`))
	for _, edge := range []string{"bad", "good"} {
		if err := c.Publish(contextFor(t), rabbit.ExchangeEvents, "edge.hello.v1", hello(edge)); err != nil {
			t.Fatal(err)
		}
	}
	if edge := receive(t, got, "event"); edge != "good" {
		t.Errorf("got %s", edge)
	}
	if log.count("event skipped") == 0 || log.count("bad edge") == 0 {
		t.Errorf("log: %s", log)
	}
}
