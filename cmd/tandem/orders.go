package main

import (
	"context"
	"time"

	"tandem/messages"
	"tandem/rabbit"
)

// Bounds of ordering the end of a live call.
const (
	// orderWait is how long the end of a call is waited for: longer than the takeover of a node whose owner has fallen silent.
	orderWait = 5 * time.Second
	// orderRepeat is when an order goes out once more. An owner that dies with an order in its hands has lost it; its successor
	// gets the next one. Asking twice is asking once.
	orderRepeat = 500 * time.Millisecond
	orderPoll   = 20 * time.Millisecond
)

// carryOut does what an order wants if this worker owns the call's node, and says whether it does.
func (w *worker) carryOut(m *messages.CallOrder) bool {
	taken := false
	for _, n := range w.nodes.list() {
		if m.Order == messages.OrderRecord || m.Order == messages.OrderRecordEnd {
			owned, _ := n.RecordCall(m.Call, m.By, m.Order == messages.OrderRecord)
			taken = owned || taken
			continue
		}
		if m.Order == messages.OrderTransfer {
			owned, _ := n.Transfer(transferOf(m))
			taken = owned || taken
			continue
		}
		taken = n.HangUp(m.Call, m.By, m.Reason) || taken
	}
	return taken
}

// endCall orders the end of a live call, wherever it is driven, and says whether its end was heard of within orderWait. The error
// is that the order reached nobody: this worker does not own the call's node, and the broker is away.
func (w *worker) endCall(ctx context.Context, m *messages.CallOrder) (ended bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, orderWait)
	defer cancel()
	sent := false
	repeat := time.NewTicker(orderRepeat)
	defer repeat.Stop()
	// However the end becomes known (an event, the owner's list of its calls), the directory knows it then.
	look := time.NewTicker(orderPoll)
	defer look.Stop()
	for {
		err = nil
		if !w.carryOut(m) {
			err = w.rabbit.Publish(ctx, rabbit.ExchangeEvents, string(m.MessageType()), m)
		}
		sent = sent || err == nil
		for again := false; !again; {
			select {
			case <-look.C:
				if _, live := w.facts.calls.Get(m.Call, time.Now()); !live {
					return true, nil
				}
			case <-repeat.C:
				again = true
			case <-ctx.Done():
				if sent {
					return false, nil
				}
				return false, err
			}
		}
		if !sent {
			return false, err
		}
	}
}
