package messages

import (
	"encoding/json"
	"time"
)

// MoveStep is what the owner of a node asks of another's.
type MoveStep string

// The steps, in order.
const (
	MoveFetch MoveStep = "fetch" // take Legs over by their dialogs, and let them wait
	MoveAdopt MoveStep = "adopt" // drive the call from now on: State is all that is known of it
	MoveDrop  MoveStep = "drop"  // hang up what was fetched: the call is over
)

// CallMove is call.move.v1: the owner of the media node From wants the owner of To to take a live call over
// (docs/decisions/0021). It goes to every worker as an event, and may come any number of times.
type CallMove struct {
	Type   Type            `json:"type"`
	ID     string          `json:"id"` // of the move: CALL/N
	Step   MoveStep        `json:"step"`
	Call   string          `json:"call"`
	Tenant string          `json:"tenant"`
	Leg    string          `json:"leg"` // channel uuid of the caller's leg
	From   string          `json:"from"`
	To     string          `json:"to"`
	Legs   []Dialog        `json:"legs,omitempty"`  // fetch: the answered legs; their Digest is not used
	State  json.RawMessage `json:"state,omitempty"` // adopt: of package nodes
	At     time.Time       `json:"at"`
}

// MaxMoveState bounds the state of a call that can move: a message has room for it and the rest.
const MaxMoveState = 96 << 10

// MaxMoveLegs bounds the legs of a call that can move.
const MaxMoveLegs = 8

func (*CallMove) MessageType() Type { return CallMoveV1 }

func (m *CallMove) Validate() error {
	var c check
	c.kind(m.Type, CallMoveV1)
	moving(&c, m.ID, m.Call, m.Leg, m.From, m.To)
	c.required("tenant", m.Tenant, MaxName)
	switch m.Step {
	case MoveFetch:
		if len(m.Legs) == 0 {
			c.fail("missing", "legs", "a call has legs")
		}
	case MoveAdopt:
		if len(m.State) == 0 {
			c.fail("missing", "state", "there is nothing to go on with")
		}
	case MoveDrop:
	default:
		c.fail("bad_value", "step", "is none of fetch, adopt, drop")
	}
	if len(m.Legs) > MaxMoveLegs {
		c.fail("too_long", "legs", "too many legs")
	}
	if len(m.State) > MaxMoveState {
		c.fail("too_long", "state", "too much is known of the call")
	}
	for i := range m.Legs {
		m.Legs[i].validate(&c)
	}
	return c.err()
}

// moving checks what both messages have.
func moving(c *check, id, call, leg, from, to string) {
	c.required("id", id, MaxName)
	c.required("call", call, MaxName)
	c.required("leg", leg, MaxName)
	c.required("from", from, MaxName)
	c.required("to", to, MaxName)
}

// MovedStep is what came of a step of a move.
type MovedStep string

// What comes of steps.
const (
	MoveFetched MovedStep = "fetched" // Legs are at the new node
	MoveFailed  MovedStep = "failed"  // none is
	MoveAdopted MovedStep = "adopted" // the new node's owner drives the call
)

// CallMoved is call.moved.v1: what the owner of the new node says to CallMove.
type CallMoved struct {
	Type Type      `json:"type"`
	ID   string    `json:"id"`
	Step MovedStep `json:"step"`
	Call string    `json:"call"`
	Leg  string    `json:"leg"` // channel uuid of the caller's leg
	From string    `json:"from"`
	To   string    `json:"to"`
	Legs []string  `json:"legs,omitempty"` // fetched
	Code int       `json:"code,omitempty"` // failed: what a phone answered
	Why  string    `json:"why,omitempty"`  // failed, in the node's words
	At   time.Time `json:"at"`
}

func (*CallMoved) MessageType() Type { return CallMovedV1 }

func (m *CallMoved) Validate() error {
	var c check
	c.kind(m.Type, CallMovedV1)
	moving(&c, m.ID, m.Call, m.Leg, m.From, m.To)
	switch m.Step {
	case MoveFetched, MoveFailed, MoveAdopted:
	default:
		c.fail("bad_value", "step", "is none of fetched, failed, adopted")
	}
	c.list("legs", m.Legs, MaxMoveLegs, MaxName)
	c.text("why", m.Why, MaxName)
	return c.err()
}
