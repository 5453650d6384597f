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
	// Epoch and N put a node's events into order: by its owner's epoch, then by the owner's own number. Both are 0 in
	// events of a release that did not have them.
	Epoch uint64 `json:"epoch,omitempty"`
	N     uint64 `json:"n,omitempty"`
	// Out is the trunk by which the call is out from now on, or OutByNone. Empty: nothing is said of that.
	Out string `json:"out,omitempty"`
}

// OutByNone says that a call is out by no trunk any more.
const OutByNone = "*none"

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
	c.text("out", m.Out, MaxName)
	return c.err()
}

// maxSessions bounds what a node may be said to hold.
const maxSessions = 1 << 20

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
	Worker string    `json:"worker"`          // who owns it
	Epoch  uint64    `json:"epoch,omitempty"` // of its ownership: a higher one is a later owner; 0 when it is not shared
	Load   *NodeLoad `json:"load,omitempty"`  // none until the node has told of it
}

// NodeLoad is what a node last told of its own load (FreeSWITCH's HEARTBEAT, switch_core.c). A session is a leg. A limit of 0 is
// one that the node has not told.
type NodeLoad struct {
	At                   time.Time `json:"at"` // by the node's clock
	Sessions             int       `json:"sessions"`
	MaxSessions          int       `json:"max_sessions"`
	SessionsPerSecond    int       `json:"sessions_per_second"` // that began within the last second
	MaxSessionsPerSecond int       `json:"max_sessions_per_second"`
	IdleCPUPercent       float64   `json:"idle_cpu_percent"` // of its machine
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
	c.within("calls", m.Calls, 0, maxSessions)
	c.required("worker", m.Worker, MaxName)
	if l := m.Load; l != nil {
		c.within("load.sessions", l.Sessions, 0, maxSessions)
		c.within("load.max_sessions", l.MaxSessions, 0, maxSessions)
		c.within("load.sessions_per_second", l.SessionsPerSecond, 0, maxSessions)
		c.within("load.max_sessions_per_second", l.MaxSessionsPerSecond, 0, maxSessions)
		if !(l.IdleCPUPercent >= 0 && l.IdleCPUPercent <= 100) {
			c.fail("out_of_range", "load.idle_cpu_percent", "is not within 0 to 100")
		}
	}
	return c.err()
}
