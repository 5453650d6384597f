package messages

import (
	"encoding/json"
	"fmt"
	"time"

	"tandem/because"
)

// Fault says whose doing the end of a leg was.
type Fault string

const (
	FaultNone     Fault = "none"     // the call went as it should
	FaultCaller   Fault = "caller"   // hung up before an answer, dialled what does not exist
	FaultCallee   Fault = "callee"   // busy, declined, did not answer, not registered
	FaultTenant   Fault = "tenant"   // the tenant's configuration or limits
	FaultCarrier  Fault = "carrier"  // a trunk failed
	FaultPlatform Fault = "platform" // Tandem, a node or an edge failed
)

// LegRole says what a leg is to its call.
type LegRole string

const (
	RoleCaller LegRole = "caller" // the leg that opened the call
	RoleCallee LegRole = "callee" // a leg that was dialled
)

// maxYear is the last that RFC 3339 can write.
const maxYear = 9999

// CDR is cdr.v1: one leg, once, when it is over. The ledger keeps one row for each Leg however often this arrives.
type CDR struct {
	Type       Type       `json:"type"`
	Leg        string     `json:"leg"` // channel uuid; the call's id when no node was reached
	Call       string     `json:"call"`
	Tenant     string     `json:"tenant"`
	Role       LegRole    `json:"role"`
	Node       string     `json:"node,omitempty"` // empty when routing rejected the call
	SIPCallID  string     `json:"sip_call_id,omitempty"`
	From       string     `json:"from"` // the caller as presented on this leg
	FromName   string     `json:"from_name,omitempty"`
	To         string     `json:"to"`               // what was dialled on this leg
	Device     string     `json:"device,omitempty"` // id of our device at its far end
	Trunk      string     `json:"trunk,omitempty"`
	StartedAt  time.Time  `json:"started_at"`
	AnsweredAt *time.Time `json:"answered_at,omitempty"`
	EndedAt    time.Time  `json:"ended_at"`
	SIPCode    int        `json:"sip_code,omitempty"` // final status that ended an unanswered leg; 0 when unknown
	Cause      string     `json:"cause"`              // FreeSWITCH's name: NORMAL_CLEARING
	Q850       int        `json:"q850"`               // the same as a number, Q.850
	Fault      Fault      `json:"fault"`
	Version    int64      `json:"version"`             // configuration version that decided
	Estimated  bool       `json:"estimated,omitempty"` // written without the node's own last word
	Over       bool       `json:"over,omitempty"`      // no leg of the call was left after this one; not said before
	Segments   []Segment  `json:"segments,omitempty"`  // of a leg that has moved: the nodes that it was on, in order; Node is the last
}

// Segment is the time that a leg was on one media node.
type Segment struct {
	Node  string    `json:"node"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// MaxSegments bounds the segments of one leg.
const MaxSegments = 32

func (*CDR) MessageType() Type { return CDRV1 }

func (m *CDR) Validate() error {
	var c check
	c.kind(m.Type, CDRV1)
	c.required("leg", m.Leg, MaxName)
	c.required("call", m.Call, MaxName)
	c.text("tenant", m.Tenant, MaxName)
	switch m.Role {
	case RoleCaller, RoleCallee:
	default:
		c.fail("bad_value", "role", "is neither caller nor callee")
	}
	c.text("node", m.Node, MaxName)
	if len(m.Segments) > MaxSegments {
		c.fail("too_long", "segments", "too many segments")
	}
	for _, g := range m.Segments {
		c.required("segments.node", g.Node, MaxName)
	}
	c.text("sip_call_id", m.SIPCallID, MaxURI)
	c.text("from", m.From, MaxURI)
	c.text("from_name", m.FromName, MaxName)
	c.text("to", m.To, MaxURI)
	c.text("device", m.Device, MaxName)
	c.text("trunk", m.Trunk, MaxName)
	c.required("cause", m.Cause, MaxName)
	c.within("q850", m.Q850, 0, 1023)
	c.within("sip_code", m.SIPCode, 0, 699)
	switch m.Fault {
	case FaultNone, FaultCaller, FaultCallee, FaultTenant, FaultCarrier, FaultPlatform:
	default:
		c.fail("bad_value", "fault", "is not a known fault")
	}
	if m.StartedAt.IsZero() || m.EndedAt.IsZero() {
		c.fail("missing", "started_at", "a leg has a start and an end")
	}
	for _, t := range []*time.Time{&m.StartedAt, m.AnsweredAt, &m.EndedAt} {
		if t != nil && (t.Year() < 0 || t.Year() > maxYear) {
			c.fail("out_of_range", "started_at", "a time is beyond what RFC 3339 can write")
		}
	}
	if m.EndedAt.Before(m.StartedAt) {
		c.fail("out_of_range", "ended_at", "is before started_at")
	}
	return c.err()
}

// JournalSource says which pure function an entry records.
type JournalSource string

const (
	SourceRouting  JournalSource = "routing"  // routing.Decide
	SourceCallflow JournalSource = "callflow" // callflows.Step
)

// JournalEntry is one decision: what went in, what came out, and why. (Call, Source, Leg, N) is its key, so that the same
// entry sent twice is kept once, and a call that an edge took to a second node has both stories. Input is all that the pure function needs besides the configuration version, so that the
// decision can be replayed.
type JournalEntry struct {
	Call    string           `json:"call"`
	Tenant  string           `json:"tenant"` // empty when no tenant could be found
	Source  JournalSource    `json:"source"`
	Leg     string           `json:"leg,omitempty"` // the caller's leg on the node that the flow runs on; none for routing
	N       int              `json:"n"`             // 0, 1, 2 ... within a call, source and leg
	At      time.Time        `json:"at"`
	Version int64            `json:"version"`
	Element string           `json:"element,omitempty"` // key of the flow's element at work
	Because []because.Reason `json:"because"`
	Input   json.RawMessage  `json:"input"`
	Output  json.RawMessage  `json:"output"`
}

// Journal is journal.v1: a batch of entries from one worker.
type Journal struct {
	Type    Type           `json:"type"`
	Worker  string         `json:"worker"`
	Entries []JournalEntry `json:"entries"`
}

func (*Journal) MessageType() Type { return JournalV1 }

func (m *Journal) Validate() error {
	var c check
	c.kind(m.Type, JournalV1)
	c.required("worker", m.Worker, MaxName)
	if len(m.Entries) > MaxJournalBatch {
		c.fail("too_long", "entries", fmt.Sprintf("%d, at most %d", len(m.Entries), MaxJournalBatch))
	}
	for i := range m.Entries {
		m.Entries[i].check(&c)
	}
	return c.err()
}

// Validate says whether a journal may hold the entry. The error is a *Refusal.
func (e *JournalEntry) Validate() error {
	var c check
	e.check(&c)
	return c.err()
}

func (e *JournalEntry) check(c *check) {
	c.required("entries.call", e.Call, MaxName)
	c.text("entries.leg", e.Leg, MaxName)
	c.text("entries.tenant", e.Tenant, MaxName)
	c.text("entries.element", e.Element, MaxName)
	if e.Source != SourceRouting && e.Source != SourceCallflow {
		c.fail("bad_value", "entries.source", "is neither routing nor callflow")
	}
	c.within("entries.n", e.N, 0, 1<<20)
}
