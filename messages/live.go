package messages

import (
	"hash/fnv"
	"time"
)

// Bounds of live calls and of dialogs.
const (
	MaxNodeCalls   = 512  // calls in one message
	MaxNodeDialogs = 64   // dialogs in one message
	MaxAskLegs     = 256  // legs in one question
	MaxCallLegs    = 32   // live legs of one call that are told
	MaxParts       = 4096 // messages in which a node's calls are told
	MaxDialogSDP   = 1024 // bytes of what is kept of one session description
	MaxDialogBytes = 6144 // of one dialog's texts together
)

// NodeCalls is node.calls.v1: the word of a media node's owner on the calls that are live there. It is sent in parts, each
// of which stands for itself: it names every live call whose PartOf is Part, and so says of each other call of the part
// that it is not on the node. It is sent when a worker takes the node, when one asks (NodeAsk), and regularly.
type NodeCalls struct {
	Type   Type   `json:"type"`
	Node   string `json:"node"`
	Worker string `json:"worker"` // who owns it
	Epoch  uint64 `json:"epoch"`  // of its ownership: grows with each owner
	// N is the number of the owner's last call event before it began to look: an event with a greater number is news beside
	// this message.
	N     uint64     `json:"n"`
	Part  int        `json:"part"`
	Of    int        `json:"of"` // parts
	At    time.Time  `json:"at"` // by the owner's clock
	Calls []NodeCall `json:"calls"`
}

// NodeCall is one live call.
type NodeCall struct {
	Call       string    `json:"call"`
	Tenant     string    `json:"tenant"`
	From       string    `json:"from,omitempty"`
	To         string    `json:"to,omitempty"`
	Flow       string    `json:"flow,omitempty"`    // the flow at work
	Element    string    `json:"element,omitempty"` // and its element
	Phase      string    `json:"phase,omitempty"`   // running, talking, ending; empty before it has parked
	StartedAt  time.Time `json:"started_at"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	Legs       []NodeLeg `json:"legs,omitempty"` // the caller's first
	// Waits says why the call cannot move to another node, when it is to: callflows.MoveWaits.
	Waits    string `json:"waits,omitempty"`
	Recorded bool   `json:"recorded,omitempty"` // it is being recorded
}

// NodeLeg is one live leg.
type NodeLeg struct {
	ID         string    `json:"id"` // channel uuid
	Role       LegRole   `json:"role"`
	Device     string    `json:"device,omitempty"`
	Trunk      string    `json:"trunk,omitempty"`
	AnsweredAt time.Time `json:"answered_at,omitzero"`
	Dialog     uint32    `json:"dialog,omitempty"` // digest of its dialog; 0: none is known
	// What another call can find the leg by.
	Parked    string `json:"parked,omitempty"`     // the slot that it is parked in
	With      string `json:"with,omitempty"`       // channel uuid of the leg, of this call or another, that it talks to
	CallID    string `json:"call_id,omitempty"`    // Call-ID header of its SIP dialog
	LocalTag  string `json:"local_tag,omitempty"`  // of the node; empty: not known
	RemoteTag string `json:"remote_tag,omitempty"` // of the peer
}

func (*NodeCalls) MessageType() Type { return NodeCallsV1 }

func (m *NodeCalls) Validate() error {
	var c check
	c.kind(m.Type, NodeCallsV1)
	c.required("node", m.Node, MaxName)
	c.required("worker", m.Worker, MaxName)
	c.within("of", m.Of, 1, MaxParts)
	c.within("part", m.Part, 0, m.Of-1)
	if len(m.Calls) > MaxNodeCalls {
		c.fail("too_long", "calls", "too many calls")
	}
	for i := range m.Calls {
		m.Calls[i].validate(&c)
		if c.refusal == nil && PartOf(m.Calls[i].Call, m.Of) != m.Part {
			c.fail("bad_value", "calls.call", "belongs to another part")
		}
	}
	return c.err()
}

func (m *NodeCall) validate(c *check) {
	c.required("calls.call", m.Call, MaxName)
	c.required("calls.tenant", m.Tenant, MaxName)
	c.text("calls.from", m.From, MaxURI)
	c.text("calls.to", m.To, MaxURI)
	c.text("calls.flow", m.Flow, MaxName)
	c.text("calls.element", m.Element, MaxName)
	c.text("calls.phase", m.Phase, MaxName)
	c.text("calls.waits", m.Waits, MaxName)
	if len(m.Legs) > MaxCallLegs {
		c.fail("too_long", "calls.legs", "too many legs")
	}
	for _, l := range m.Legs {
		c.required("calls.legs.id", l.ID, MaxName)
		c.required("calls.legs.role", string(l.Role), MaxName)
		c.text("calls.legs.device", l.Device, MaxName)
		c.text("calls.legs.trunk", l.Trunk, MaxName)
		c.text("calls.legs.parked", l.Parked, MaxName)
		c.text("calls.legs.with", l.With, MaxName)
		c.text("calls.legs.call_id", l.CallID, MaxURI)
		c.text("calls.legs.local_tag", l.LocalTag, MaxName)
		c.text("calls.legs.remote_tag", l.RemoteTag, MaxName)
	}
}

// NodeNews is node.news.v1: the word of a media node's owner on calls whose legs have come, gone, been answered, parked or joined.
// It says nothing of other calls.
type NodeNews struct {
	Type   Type       `json:"type"`
	Node   string     `json:"node"`
	Worker string     `json:"worker"` // who owns it
	Epoch  uint64     `json:"epoch"`  // of its ownership
	N      uint64     `json:"n"`      // in the owner's order of its call events
	At     time.Time  `json:"at"`     // by the owner's clock
	Calls  []NodeCall `json:"calls"`
}

func (*NodeNews) MessageType() Type { return NodeNewsV1 }

func (m *NodeNews) Validate() error {
	var c check
	c.kind(m.Type, NodeNewsV1)
	c.required("node", m.Node, MaxName)
	c.required("worker", m.Worker, MaxName)
	if len(m.Calls) > MaxNodeCalls {
		c.fail("too_long", "calls", "too many calls")
	}
	for i := range m.Calls {
		m.Calls[i].validate(&c)
	}
	return c.err()
}

// Split makes two messages of one that is too large.
func (m *NodeNews) Split() (first, second *NodeNews) {
	one, other := *m, *m
	half := len(m.Calls) / 2
	one.Calls, other.Calls = m.Calls[:half], m.Calls[half:]
	return &one, &other
}

// PartOf says which of so many parts a call belongs to: FNV-1a of its id, modulo. It is the same in every release.
func PartOf(call string, of int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(call))
	return int(h.Sum32() % uint32(of))
}

// Split makes two parts of one that is too large for a message: as h modulo n is p, h modulo 2n is p or p+n.
func (m *NodeCalls) Split() (low, high *NodeCalls) {
	halves := [2]NodeCalls{*m, *m}
	for i := range halves {
		halves[i].Of, halves[i].Part, halves[i].Calls = 2*m.Of, m.Part+i*m.Of, nil
	}
	for _, call := range m.Calls {
		half := &halves[0]
		if PartOf(call.Call, 2*m.Of) != m.Part {
			half = &halves[1]
		}
		half.Calls = append(half.Calls, call)
	}
	return &halves[0], &halves[1]
}

// NodeAsk is node.ask.v1: a worker that has just started, or has missed events, asks the owners of nodes what they know.
type NodeAsk struct {
	Type   Type     `json:"type"`
	Worker string   `json:"worker"`
	Node   string   `json:"node,omitempty"` // empty: every node's owner is asked
	Legs   []string `json:"legs,omitempty"` // whose dialogs are asked for; empty: the live calls are
}

func (*NodeAsk) MessageType() Type { return NodeAskV1 }

func (m *NodeAsk) Validate() error {
	var c check
	c.kind(m.Type, NodeAskV1)
	c.required("worker", m.Worker, MaxName)
	c.text("node", m.Node, MaxName)
	c.list("legs", m.Legs, MaxAskLegs, MaxName)
	return c.err()
}
