package messages

import "time"

// CallState is the moment in a call's life that an event tells of.
type CallState string

const (
	CallStarted  CallState = "started"  // its caller's leg is parked on a node
	CallAnswered CallState = "answered" // the caller's leg was answered
	CallEnded    CallState = "ended"    // its last leg is gone
)

// CallEvent is call.event.v1: what the directory of live calls and webhooks are made from.
type CallEvent struct {
	Type   Type      `json:"type"`
	Call   string    `json:"call"`
	Tenant string    `json:"tenant"`
	State  CallState `json:"state"`
	Node   string    `json:"node"`
	At     time.Time `json:"at"`
	From   string    `json:"from,omitempty"`
	To     string    `json:"to,omitempty"`
}

func (*CallEvent) MessageType() Type { return CallEventV1 }

func (m *CallEvent) Validate() error {
	var c check
	c.kind(m.Type, CallEventV1)
	c.required("call", m.Call, MaxName)
	c.required("tenant", m.Tenant, MaxName)
	switch m.State {
	case CallStarted, CallAnswered, CallEnded:
	default:
		c.fail("bad_value", "state", "is none of started, answered, ended")
	}
	c.required("node", m.Node, MaxName)
	c.text("from", m.From, MaxURI)
	c.text("to", m.To, MaxURI)
	return c.err()
}

// NodeState says whether a node takes new calls.
type NodeState string

const (
	NodeUp       NodeState = "up"
	NodeDown     NodeState = "down"     // its event socket is lost; talking calls may live on
	NodeDraining NodeState = "draining" // takes no new calls
)

// NodeEvent is node.event.v1: sent by a node's owner when the state changes, and again every few seconds so that a
// route worker that has just started knows within that time.
type NodeEvent struct {
	Type   Type      `json:"type"`
	Node   string    `json:"node"`
	SIPURI string    `json:"sip_uri"` // where edges send calls
	State  NodeState `json:"state"`
	Calls  int       `json:"calls"` // live calls on it
	At     time.Time `json:"at"`
	Worker string    `json:"worker"` // who owns it
}

func (*NodeEvent) MessageType() Type { return NodeEventV1 }

func (m *NodeEvent) Validate() error {
	var c check
	c.kind(m.Type, NodeEventV1)
	c.required("node", m.Node, MaxName)
	c.required("sip_uri", m.SIPURI, MaxURI)
	switch m.State {
	case NodeUp, NodeDown, NodeDraining:
	default:
		c.fail("bad_value", "state", "is none of up, down, draining")
	}
	c.within("calls", m.Calls, 0, 1<<20)
	c.required("worker", m.Worker, MaxName)
	return c.err()
}
