package messages

import "time"

// FenceStep is what edges are asked to do about a media node that may be dead.
type FenceStep string

// The steps, in order.
const (
	FenceLook FenceStep = "look"  // see whether it answers, and say so
	FenceSet  FenceStep = "fence" // refuse what comes from it from now on, and begin anew the calls that ring there
	FenceLift FenceStep = "lift"  // it may speak again
)

// EdgeFence is edge.fence.v1: a worker asks every edge about a media node that it has lost (docs/decisions/0022). It may come any number
// of times, and is answered each time.
type EdgeFence struct {
	EventCategory string    `json:"Event-Category"` // "edge"
	EventName     string    `json:"Event-Name"`     // "fence"
	Type          Type      `json:"type"`
	ID            string    `json:"id"` // comes back in the answer
	Step          FenceStep `json:"step"`
	Node          string    `json:"node"`
	Address       string    `json:"address"` // address:port from which the node sends SIP
	Epoch         uint64    `json:"epoch"`   // of the worker's right to the node: a fence gives way to a higher one alone, and is lifted by none lower
	Worker        string    `json:"worker"`
	At            time.Time `json:"at"`
}

func (*EdgeFence) MessageType() Type { return EdgeFenceV1 }

func (m *EdgeFence) Validate() error {
	var c check
	c.kind(m.Type, EdgeFenceV1)
	if m.EventCategory != "edge" || m.EventName != "fence" {
		c.fail("bad_value", "Event-Name", "is not that of a fence")
	}
	switch m.Step {
	case FenceLook, FenceSet, FenceLift:
	default:
		c.fail("bad_value", "step", "is none of look, fence, lift")
	}
	c.required("id", m.ID, MaxName)
	c.required("node", m.Node, MaxName)
	c.required("address", m.Address, MaxName)
	c.required("worker", m.Worker, MaxName)
	return c.err()
}

// EdgeFenced is edge.fenced.v1: an edge's answer to EdgeFence.
type EdgeFenced struct {
	Type      Type      `json:"type"`
	ID        string    `json:"id"`
	Edge      string    `json:"edge"`
	Step      FenceStep `json:"step"`
	Node      string    `json:"node"`
	Address   string    `json:"address"`
	Epoch     uint64    `json:"epoch"`     // of the fence that stands at this edge now; 0: none
	Reachable bool      `json:"reachable"` // look: the node has answered. Otherwise it says nothing
	At        int64     `json:"at"`        // Unix seconds at the edge
}

func (*EdgeFenced) MessageType() Type { return EdgeFencedV1 }

func (m *EdgeFenced) Validate() error {
	var c check
	c.kind(m.Type, EdgeFencedV1)
	switch m.Step {
	case FenceLook, FenceSet, FenceLift:
	default:
		c.fail("bad_value", "step", "is none of look, fence, lift")
	}
	c.required("id", m.ID, MaxName)
	c.required("edge", m.Edge, MaxName)
	c.required("node", m.Node, MaxName)
	c.required("address", m.Address, MaxName)
	return c.err()
}

// EdgeBye is edge.bye.v1: an edge has answered a phone's BYE in the stead of a media node that is dead, or silent.
type EdgeBye struct {
	Type    Type   `json:"type"`
	Edge    string `json:"edge"`
	CallID  string `json:"call_id"`
	FromTag string `json:"from_tag"` // the phone's
	ToTag   string `json:"to_tag"`   // the node's
	At      int64  `json:"at"`       // Unix seconds at the edge
}

func (*EdgeBye) MessageType() Type { return EdgeByeV1 }

func (m *EdgeBye) Validate() error {
	var c check
	c.kind(m.Type, EdgeByeV1)
	c.required("edge", m.Edge, MaxName)
	c.required("call_id", m.CallID, MaxURI)
	c.required("from_tag", m.FromTag, MaxName)
	c.text("to_tag", m.ToTag, MaxName)
	return c.err()
}
