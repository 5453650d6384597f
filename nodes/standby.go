package nodes

import (
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem/callflows"
	"tandem/esl"
	"tandem/messages"
	"tandem/nodes/link"
)

// A standby keeps, for each call of the node's owner, the state that the owner shipped last, and the events that came
// after the one that the owner had stepped by then. The node's events come to both in the same order, so that taking over
// is stepping what is kept.
//
//	owner:    event ─► step ─► ship {state, events stepped, commands} ─► wait a moment for the answer ─► command ─► node
//	standby:  event ─► keep ............ shipped: drop what is stepped ............ owner is gone: step what is kept

// record is what an owner ships of one call, under the uuid of its caller's leg.
type record struct {
	State   callflows.State     `json:"state"`
	Steps   int                 `json:"steps"`
	Stepped map[string]uint64   `json:"stepped"`          // by channel: Event-Sequence of the last event that was stepped
	Orders  []callflows.Command `json:"orders,omitempty"` // commands for the node of which it is not known that it took them
	Waits   []wait              `json:"waits,omitempty"`  // timers that have not fired
	Asked   []question          `json:"asked,omitempty"`  // HTTP requests that are under way
	Stale   bool                `json:"stale,omitempty"`  // events were missed, and the call has not been compared with the node's channels since

	Inquiries []callflows.Command `json:"inquiries,omitempty"` // that are not answered
}

// wait is a timer of a call. Due is by the worker's clock: a successor's may differ by little.
type wait struct {
	N   int       `json:"n"` // of the command that set it
	Leg string    `json:"leg"`
	Due time.Time `json:"due"`
	At  time.Time `json:"at"` // what it tells when it fires, by the node's clock
}

// What is shipped besides calls: records of legs, until they are safe.
const cdrKey = "cdr/"

// heard is an event that a standby keeps.
type heard struct {
	event    callflows.Event
	channel  string
	sequence uint64
}

// beforeAnyGap is the gaps of a call that has to be compared with the node's channels.
const beforeAnyGap = -1

// Bounds of a standby.
const (
	maxKept = 1024 // events of one call that are kept
	maxGone = 4096 // calls of one shard that are remembered as over
)

// sequence reads the number that the node gave an event. Within one channel it grows.
func sequence(e *esl.Event) uint64 {
	n, err := strconv.ParseUint(e.Get("Event-Sequence"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// keep is what a standby does with an event.
func (s *shard) keep(e *esl.Event) {
	channel := e.UniqueID()
	if s.since == 0 {
		s.since = sequence(e)
	}
	c := s.calls[channel]
	if c == nil && s.gone.has(channel) {
		return
	}
	event, ok := s.translate(e)
	if c == nil {
		c = s.adopt(e, &event)
	}
	if c == nil && s.unsure && len(s.unheard) < maxUnheard {
		s.unheard = append(s.unheard, e.Clone())
	}
	number := sequence(e)
	if c == nil || !ok || number <= c.stepped[channel] {
		return
	}
	c.keep(heard{event: event, channel: channel, sequence: number})
}

// keep keeps an event to be stepped later.
func (c *call) keep(h heard) {
	if len(c.kept) == maxKept {
		c.kept = c.kept[1:]
	}
	c.kept = append(c.kept, h)
}

// shipped is what a standby does with what the owner ships; nil says that the call is over, or a leg's record safe.
func (n *Node) shipped(key string, body []byte) {
	if leg, ok := strings.CutPrefix(key, cdrKey); ok {
		n.shippedCDR(leg, body)
		return
	}
	if id, ok := strings.CutPrefix(key, recordingKey); ok {
		n.shippedRecording(id, body)
		return
	}
	s := n.shardOf(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if body == nil {
		s.drop(key)
		return
	}
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		n.log.Error("a shipped call cannot be read", slog.String("leg", key), slog.Any("error", err))
		return
	}
	c := s.calls[key]
	known := c != nil && !c.late
	if c == nil {
		c = s.newCall(r.State.Call)
	}
	c.before = c.before || !known && s.unsure // until the picture is whole
	c.state, c.steps, c.stepped, c.orders, c.waits, c.asked, c.told, c.late = r.State, r.Steps, r.Stepped, r.Orders, r.Waits, r.Asked, n.following, false
	c.inquiries = r.Inquiries
	switch {
	case r.Stale:
		c.gaps = beforeAnyGap
	case c.gaps == beforeAnyGap:
		c.gaps = n.gaps.Load()
	}
	for _, l := range r.State.Legs {
		s.bind(l.ID, c)
	}
	for _, number := range r.Stepped {
		s.abreast = s.abreast || s.since != 0 && number >= s.since
	}
	c.kept = slices.DeleteFunc(c.kept, func(h heard) bool { return h.sequence <= r.Stepped[h.channel] })
	s.pinned(c) // so that the version is there by the time it may be needed
}

// shippedCDR keeps a leg's record until the owner says that it is safe.
func (n *Node) shippedCDR(leg string, body []byte) {
	n.cdrsMu.Lock()
	defer n.cdrsMu.Unlock()
	delete(n.cdrs, leg)
	if body == nil {
		return
	}
	var cdr messages.CDR
	if err := json.Unmarshal(body, &cdr); err != nil {
		n.log.Error("a shipped record cannot be read", slog.String("leg", leg), slog.Any("error", err))
		return
	}
	n.cdrs[leg] = heldCDR{cdr, n.following}
}

// drop forgets a call that the owner has brought to its end.
func (s *shard) drop(leg string) {
	s.gone.add(leg)
	if c := s.calls[leg]; c != nil {
		s.unbind(c)
		s.node.live.Add(-1)
	}
}

// shed forgets a call whose state does not travel. It is not over.
func (s *shard) shed(leg string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.calls[leg]; c != nil {
		for _, channel := range c.channels {
			delete(s.calls, channel)
		}
		s.node.live.Add(-1)
	}
}

// ship gives the standby, if there is one, the call as it is now. The ticket says when the standby has it.
func (s *shard) ship(c *call) link.Ticket {
	owner := s.node.link.Load()
	if owner == nil {
		return link.Ticket{}
	}
	if c.state.Phase == callflows.Ended {
		return owner.Ship(c.state.Call.Leg, nil)
	}
	if _, there := owner.Standby(); !there {
		return link.Ticket{}
	}
	return owner.Ship(c.state.Call.Leg, s.encodeRecord(c))
}

// snapshot gives a standby that comes every call and every record that is not safe. What changes meanwhile is shipped, and
// the link prefers that; so nothing is locked while it yields.
func (n *Node) snapshot(yield func(key string, value []byte) bool) {
	for _, s := range n.shards {
		for leg, value := range s.records() {
			if !yield(leg, value) {
				return
			}
		}
	}
	n.cdrsMu.Lock()
	cdrs, recordings := maps.Clone(n.cdrs), maps.Clone(n.recordings)
	n.cdrsMu.Unlock()
	for id, r := range recordings {
		if !yield(recordingKey+id, encode(r.Recording)) {
			return
		}
	}
	for leg, cdr := range cdrs {
		if !yield(cdrKey+leg, encode(cdr.CDR)) {
			return
		}
	}
}

// records writes every call of the shard.
func (s *shard) records() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]byte{}
	for leg, c := range s.calls {
		if leg == c.state.Call.Leg && !c.late {
			all[leg] = s.encodeRecord(c)
		}
	}
	return all
}

// encodeRecord writes a call for the standby.
func (s *shard) encodeRecord(c *call) []byte {
	return encode(record{State: c.state, Steps: c.steps, Stepped: c.stepped, Orders: c.orders, Waits: c.waits, Asked: c.asked, Inquiries: c.inquiries, Stale: c.resuming || c.gaps < s.node.gaps.Load()})
}

// encode writes what is made of strings, numbers and times alone, and so cannot fail.
func encode(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // ends the one call whose step it is
	}
	return body
}

// shipCDR gives the standby a leg's record, to be written again should this worker die before it is safe.
func (n *Node) shipCDR(cdr *messages.CDR) {
	owner := n.link.Load()
	if owner == nil {
		return
	}
	n.cdrsMu.Lock()
	n.cdrs[cdr.Leg] = heldCDR{CDR: *cdr}
	n.cdrsMu.Unlock()
	owner.Ship(cdrKey+cdr.Leg, encode(cdr))
}

// Safe is told when a leg's record, or a recording, which the ledger names otherwise, can no longer be lost with this process.
func (n *Node) Safe(leg string) {
	if strings.HasPrefix(leg, recordingKey) {
		n.safeRecording(leg)
		return
	}
	n.cdrsMu.Lock()
	_, held := n.cdrs[leg]
	delete(n.cdrs, leg)
	n.cdrsMu.Unlock()
	if owner := n.link.Load(); held && owner != nil {
		owner.Ship(cdrKey+leg, nil)
	}
}

// remembered is a bounded set: the oldest makes room.
type remembered struct {
	set   map[string]bool
	order []string
}

func (r *remembered) has(key string) bool { return r.set[key] }

func (r *remembered) add(key string) {
	if r.set[key] {
		return
	}
	if r.set == nil {
		r.set = map[string]bool{}
	}
	if len(r.order) == maxGone {
		delete(r.set, r.order[0])
		r.order = r.order[1:]
	}
	r.set[key] = true
	r.order = append(r.order, key)
}
