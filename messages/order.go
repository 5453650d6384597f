package messages

import "time"

// OrderKind names what is to be done with a live call.
type OrderKind string

// OrderHangUp ends the call.
const OrderHangUp OrderKind = "hangup"

// CallOrder is call.order.v1: what somebody wants to be done with a live call. It goes to every worker as an event, and the
// owner of the call's node acts, whoever that is at the moment. It may come any number of times: an order that was carried
// out, or that is about a call that is over, changes nothing.
type CallOrder struct {
	Type   Type      `json:"type"`
	Call   string    `json:"call"`
	Order  OrderKind `json:"order"`
	By     string    `json:"by"`               // who wants it: it stands in the call's explanation
	Reason string    `json:"reason,omitempty"` // in the words of who wants it
	At     time.Time `json:"at"`               // when it was asked for, by the clock of the worker that was asked
}

func (*CallOrder) MessageType() Type { return CallOrderV1 }

func (m *CallOrder) Validate() error {
	var c check
	c.kind(m.Type, CallOrderV1)
	c.required("call", m.Call, MaxName)
	if m.Order != OrderHangUp {
		c.fail("bad_value", "order", "is not hangup")
	}
	c.required("by", m.By, MaxName)
	c.line("by", m.By, MaxName)
	c.line("reason", m.Reason, MaxName)
	if m.At.IsZero() {
		c.fail("missing", "at", "an order has a time")
	}
	return c.err()
}
