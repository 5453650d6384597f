package main

import (
	"context"
	"log/slog"
	"time"

	"tandem/callflows"
	"tandem/messages"
	"tandem/rabbit"
)

// mover carries what owners of nodes say to each other about calls that move: to all workers, of whom the owner acts.
type mover struct{ worker *worker }

// Destination is the node that has the least calls of those that take new ones.
func (v mover) Destination(c callflows.Call) string {
	best, least := "", 0
	for _, n := range v.worker.facts.routable(time.Now()) {
		calls := v.worker.facts.calls.CountNode(n.Name)
		if n.Name == c.Node || n.State != messages.NodeUp {
			continue
		}
		if full, _, _ := n.Busy.Knee(); full != "" || v.full(n.Name, calls) {
			continue
		}
		if best == "" || calls < least {
			best, least = n.Name, calls
		}
	}
	return best
}

// full says whether a node has as many calls as it may.
func (v mover) full(name string, calls int) bool {
	for _, n := range v.worker.source.Current().Nodes() {
		if n.Name == name {
			return n.MaxCalls > 0 && calls >= n.MaxCalls
		}
	}
	return true
}

// SendMove asks the owner of the call's new node.
func (v mover) SendMove(m *messages.CallMove) { v.publish(m, func() { v.worker.takeMove(m) }) }

// SendMoved answers the owner of its old node.
func (v mover) SendMoved(m *messages.CallMoved) { v.publish(m, func() { v.worker.moveAnswered(m) }) }

// publish does not wait: whoever asks asks again. While the broker is away, this worker's own nodes hear it all the same.
func (v mover) publish(m messages.Message, here func()) {
	v.worker.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), moveSendWait)
		defer cancel()
		if err := v.worker.rabbit.Publish(ctx, rabbit.ExchangeEvents, string(m.MessageType()), m); err != nil {
			v.worker.log.Warn("what is to be said of a call that moves was not sent", slog.String("type", string(m.MessageType())), slog.Any("error", err))
			here()
		}
	})
}

// moveSendWait bounds it.
const moveSendWait = 2 * time.Second

func (w *worker) takeMove(m *messages.CallMove) {
	for _, n := range w.nodes.list() {
		n.TakeMove(m)
	}
}

func (w *worker) moveAnswered(m *messages.CallMoved) {
	for _, n := range w.nodes.list() {
		n.MoveAnswered(m)
	}
}
