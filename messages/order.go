package messages

import "time"

// OrderKind names what is to be done with a live call.
type OrderKind string

// The orders.
const (
	OrderHangUp   OrderKind = "hangup"   // end the call
	OrderTransfer OrderKind = "transfer" // take Leg to the number To

	OrderRecord    OrderKind = "record"     // record the call from now on
	OrderRecordEnd OrderKind = "record_end" // end that
)

// MaxDialled bounds a number that is dialled by order.
const MaxDialled = 64

// CallOrder is call.order.v1: what somebody wants to be done with a live call. It goes to every worker as an event, and the
// owner of the call's node acts, whoever that is at the moment. It may come any number of times: an order that was carried
// out, or that is about a call that is over, changes nothing.
type CallOrder struct {
	Type   Type      `json:"type"`
	Call   string    `json:"call"`
	Order  OrderKind `json:"order"`
	By     string    `json:"by"`               // who wants it: it stands in the call's explanation
	Reason string    `json:"reason,omitempty"` // in the words of who wants it
	ID     string    `json:"id,omitempty"`     // transfer: a second order with it is the same
	Leg    string    `json:"leg,omitempty"`    // transfer: channel uuid; empty: the leg that the flow drives
	To     string    `json:"to,omitempty"`     // transfer: as a device of the tenant's dials it
	At     time.Time `json:"at"`               // when it was asked for, by the clock of the worker that was asked
}

func (*CallOrder) MessageType() Type { return CallOrderV1 }

func (m *CallOrder) Validate() error {
	var c check
	c.kind(m.Type, CallOrderV1)
	c.required("call", m.Call, MaxName)
	switch m.Order {
	case OrderHangUp, OrderRecord, OrderRecordEnd:
	case OrderTransfer:
		c.required("id", m.ID, MaxName)
		c.required("to", m.To, MaxDialled)
	default:
		c.fail("bad_value", "order", "is none of hangup, transfer, record, record_end")
	}
	c.required("by", m.By, MaxName)
	c.line("by", m.By, MaxName)
	c.line("reason", m.Reason, MaxName)
	c.line("id", m.ID, MaxName)
	c.line("leg", m.Leg, MaxName)
	c.line("to", m.To, MaxDialled)
	if m.At.IsZero() {
		c.fail("missing", "at", "an order has a time")
	}
	return c.err()
}
