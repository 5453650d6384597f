package messages

import "time"

// TransferRequest is transfer.request.v1: an edge asks about a REFER (RFC 3515) in a dialog, whose Refer-To names another that is to be
// replaced (RFC 3891): whether both are on one media node, which then carries it out by itself. Kamailio writes it with jansson, so
// it is flat. A release that does not know the message leaves it unanswered: then the edge goes on without an answer.
type TransferRequest struct {
	Type     Type   `json:"type"`
	ServerID string `json:"Server-ID"` // routing key of the answer on exchange targeted
	TIndex   int    `json:"t_index"`   // the suspended transaction, given back untouched
	TLabel   int    `json:"t_label"`

	Edge          string `json:"edge"`           // name of the Kamailio
	SourceAddress string `json:"source_address"` // IP of the sender as seen by the edge

	CallID   string `json:"call_id"`  // of the dialog that the REFER is in: SIP Call-ID, not Tandem's
	FromTag  string `json:"from_tag"` // the sender's
	ToTag    string `json:"to_tag"`   // the node's
	Replaces string `json:"replaces"` // the other dialog, as a Replaces header writes it
}

func (*TransferRequest) MessageType() Type { return TransferRequestV1 }

func (m *TransferRequest) Validate() error {
	var c check
	c.kind(m.Type, TransferRequestV1)
	c.required("Server-ID", m.ServerID, MaxName)
	c.required("edge", m.Edge, MaxName)
	c.required("source_address", m.SourceAddress, MaxName)
	c.required("call_id", m.CallID, MaxURI)
	c.required("from_tag", m.FromTag, MaxName)
	c.required("to_tag", m.ToTag, MaxName)
	c.required("replaces", m.Replaces, MaxURI)
	return c.err()
}

// TransferVerdict is what an edge does with the REFER that it asked about.
type TransferVerdict string

const (
	TransferPass   TransferVerdict = "pass"   // the node gets it as it is
	TransferAcross TransferVerdict = "across" // the node gets a transfer to the number To, which stands for the other dialog
	TransferRefuse TransferVerdict = "refuse" // 403
)

// TransferAnswer is transfer.answer.v1. The first five members are what the kazoo module needs to find its event route and what the
// edge compares before it continues the transaction.
type TransferAnswer struct {
	EventCategory string `json:"Event-Category"` // "call"
	EventName     string `json:"Event-Name"`     // "transfer_resp"
	TIndex        int    `json:"t_index"`
	TLabel        int    `json:"t_label"`
	CallID        string `json:"call_id"` // the SIP Call-ID of the request, compared by the edge

	Type    Type            `json:"type"`
	Verdict TransferVerdict `json:"verdict"`
	To      string          `json:"to,omitempty"` // across: user part of the Refer-To that the node gets
}

// The event name by which the kazoo module dispatches an answer.
const (
	TransferAnswerCategory = "call"
	TransferAnswerName     = "transfer_resp"
)

func (*TransferAnswer) MessageType() Type { return TransferAnswerV1 }

func (m *TransferAnswer) Validate() error {
	var c check
	c.kind(m.Type, TransferAnswerV1)
	if m.EventCategory != TransferAnswerCategory || m.EventName != TransferAnswerName {
		c.fail("bad_value", "Event-Name", "is not that of a transfer answer")
	}
	c.required("call_id", m.CallID, MaxURI)
	switch m.Verdict {
	case TransferPass, TransferRefuse:
	case TransferAcross:
		c.required("to", m.To, MaxName)
	default:
		c.fail("bad_value", "verdict", "is neither pass nor across nor refuse")
	}
	c.line("to", m.To, MaxName)
	return c.err()
}

// TransferWhy says why a phone's transfer to another talk was not taken across nodes.
type TransferWhy string

const (
	TransferNotOwn    TransferWhy = "not_own"   // the phone has no part in the talk that it names
	TransferNobody    TransferWhy = "nobody"    // in one of the two calls nobody is talked to
	TransferEmergency TransferWhy = "emergency" // one of them is with the emergency services
	TransferUnknown   TransferWhy = "unknown"   // no live call has such a talk; the node has the last word
)

// TransferRefused is transfer.refused.v1: the worker that was asked tells the owner of a call's node what it has answered, so that the
// call's explanation says it. It goes to every worker as an event and changes nothing.
type TransferRefused struct {
	Type  Type        `json:"type"`
	ID    string      `json:"id"` // of the refusal: told twice it is the same
	Call  string      `json:"call"`
	Leg   string      `json:"leg"`             // channel uuid of the leg of Call that has the talk
	Here  bool        `json:"here,omitempty"`  // Call is that which was named; else it is that of the phone that asked
	Other string      `json:"other,omitempty"` // Tandem's id of the other call; empty when it is another tenant's, or there is none
	Why   TransferWhy `json:"why"`
	At    time.Time   `json:"at"` // by the clock of the worker that was asked
}

func (*TransferRefused) MessageType() Type { return TransferRefusedV1 }

func (m *TransferRefused) Validate() error {
	var c check
	c.kind(m.Type, TransferRefusedV1)
	c.required("id", m.ID, MaxName)
	c.required("call", m.Call, MaxName)
	c.required("leg", m.Leg, MaxName)
	c.text("other", m.Other, MaxName)
	switch m.Why {
	case TransferNotOwn, TransferNobody, TransferEmergency, TransferUnknown:
	default:
		c.fail("bad_value", "why", "is not a known reason")
	}
	if m.At.IsZero() {
		c.fail("missing", "at", "a refusal has a time")
	}
	return c.err()
}
