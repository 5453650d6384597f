// Package messages declares what crosses RabbitMQ: one frozen Go struct for each released version of a message.
//
// Guarantees:
//   - A released struct never changes its meaning. A new field that old readers may ignore is a minor change and stays in
//     the version; anything else is a new struct with the next version number, read before it is written anywhere.
//   - Parse accepts exactly what Validate accepts; what it refuses carries a Refusal that says which field is at fault.
//   - Every string has a named bound. Nothing here trusts the sender: the routing request holds what a phone wrote.
//
// The package does no I/O and keeps no state.
package messages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Type names a message and its version, such as "route.request.v1". It is the value of the member "type" of the JSON
// object and, where Go publishes, also the AMQP property type.
type Type string

// The released types.
const (
	RouteRequestV1 Type = "route.request.v1" // edge -> worker: may this INVITE pass, and where to
	RouteAnswerV1  Type = "route.answer.v1"  // worker -> edge
	RegistrationV1 Type = "registration.event.v1"
	CallEventV1    Type = "call.event.v1"
	CallOrderV1    Type = "call.order.v1" // a worker that was asked -> the owner of the call's node
	CallStartV1    Type = "call.start.v1" // likewise -> the owner of the node at which a call is to begin
	NodeEventV1    Type = "node.event.v1"
	NodeCallsV1    Type = "node.calls.v1"   // owner of a node -> all workers: the calls that are live there
	NodeDialogsV1  Type = "node.dialogs.v1" // owner of a node -> all workers: SIP dialogs of answered legs
	NodeNewsV1     Type = "node.news.v1"    // owner of a node -> all workers: calls whose legs have changed
	NodeAskV1      Type = "node.ask.v1"     // worker -> owners of nodes: say the former again
	CallMoveV1     Type = "call.move.v1"    // owner of a node -> owner of another: take a call over
	CallMovedV1    Type = "call.moved.v1"   // and what came of it
	EdgeHelloV1    Type = "edge.hello.v1"   // an edge has (again) reached the broker and wants its configuration
	EdgeConfigV1   Type = "edge.config.v1"  // worker -> every edge: the whole of what an edge needs to know
	EdgeForgetV1   Type = "edge.forget.v1"  // worker -> every edge: drop cached credentials
	EdgeNotifyV1   Type = "edge.notify.v1"  // worker -> every edge, for one: send a phone a NOTIFY
	CDRV1          Type = "cdr.v1"
	JournalV1      Type = "journal.v1"
	RecordingV1    Type = "recording.v1" // call worker -> ledger: what a node has recorded

	TransferRequestV1 Type = "transfer.request.v1" // edge -> worker: where may this REFER with Replaces go
	TransferAnswerV1  Type = "transfer.answer.v1"  // worker -> edge
	TransferRefusedV1 Type = "transfer.refused.v1" // worker -> owner of the call's node: to be explained

	EdgeUnregisterV1 Type = "edge.unregister.v1" // worker -> every edge, for one: forget a contact

	EdgeFenceV1  Type = "edge.fence.v1"  // worker -> every edge: look after a node that may be dead, refuse it, let it speak again
	EdgeFencedV1 Type = "edge.fenced.v1" // edge -> workers: the answer
	EdgeByeV1    Type = "edge.bye.v1"    // edge -> workers: a phone has hung up on a dead node
)

// Bounds on what a message may hold. Beyond them Parse refuses.
const (
	MaxMessageBytes = 128 << 10 // one message
	MaxJournalBytes = 1 << 20   // a journal message, which holds many entries
	MaxURI          = 1024      // bytes of a SIP URI or of one header's value
	MaxName         = 256       // bytes of a display name, user agent or other short text
	MaxHeaders      = 16        // how often a repeatable header is kept (Diversion, History-Info ...)
	MaxSDP          = 16 << 10  // bytes of a session description
	MaxJournalBatch = 1024      // entries in one journal message
	MaxNodes        = 256       // nodes in an edge's configuration
	MaxRegisters    = 200       // trunks that an edge registers
	MaxTrunks       = 3000      // trunk addresses in an edge's configuration: IPv6 ones fill a message
)

// HeaderPrefix begins the name of every header that an edge adds for a node and strips from everyone else.
const HeaderPrefix = "X-Tandem-"

// Message is any released message.
type Message interface {
	// MessageType is the frozen name and version.
	MessageType() Type
	// Validate says whether the message keeps its declared bounds and required fields. The error is a *Refusal.
	Validate() error
}

// Refusal says why a message was not taken. Reason is a stable code, fit for a metric label and for the header
// x-tandem-reason of a dead-lettered message.
type Refusal struct {
	Reason string // too_large, not_json, unknown_type, missing, too_long, out_of_range, bad_value
	Field  string // JSON member at fault, empty when it is the whole message
	Detail string // never holds the value itself: values come from phones
}

func (r *Refusal) Error() string {
	if r.Field == "" {
		return "messages: " + r.Reason + ": " + r.Detail
	}
	return "messages: " + r.Reason + ": " + r.Field + ": " + r.Detail
}

// blank returns a new zero message of a type, or nil when this release does not know the type.
func blank(t Type) Message {
	switch t {
	case RouteRequestV1:
		return new(RouteRequest)
	case RouteAnswerV1:
		return new(RouteAnswer)
	case RegistrationV1:
		return new(Registration)
	case CallEventV1:
		return new(CallEvent)
	case CallOrderV1:
		return new(CallOrder)
	case CallStartV1:
		return new(CallStart)
	case NodeEventV1:
		return new(NodeEvent)
	case CallMoveV1:
		return new(CallMove)
	case CallMovedV1:
		return new(CallMoved)
	case NodeCallsV1:
		return new(NodeCalls)
	case NodeDialogsV1:
		return new(NodeDialogs)
	case NodeNewsV1:
		return new(NodeNews)
	case NodeAskV1:
		return new(NodeAsk)
	case EdgeHelloV1:
		return new(EdgeHello)
	case EdgeConfigV1:
		return new(EdgeConfig)
	case EdgeForgetV1:
		return new(EdgeForget)
	case EdgeNotifyV1:
		return new(EdgeNotify)
	case EdgeUnregisterV1:
		return new(EdgeUnregister)
	case EdgeFenceV1:
		return new(EdgeFence)
	case EdgeFencedV1:
		return new(EdgeFenced)
	case EdgeByeV1:
		return new(EdgeBye)
	case CDRV1:
		return new(CDR)
	case JournalV1:
		return new(Journal)
	case RecordingV1:
		return new(Recording)
	case TransferRequestV1:
		return new(TransferRequest)
	case TransferAnswerV1:
		return new(TransferAnswer)
	case TransferRefusedV1:
		return new(TransferRefused)
	}
	return nil
}

// Parse reads one message. The error is always a *Refusal; the caller dead-letters the bytes with its Reason.
func Parse(body []byte) (Message, error) {
	if err := fits(body, JournalV1); err != nil { // the largest of all
		return nil, err
	}
	var head struct {
		Type Type `json:"type"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return nil, notJSON(err)
	}
	m := blank(head.Type)
	if m == nil {
		return nil, &Refusal{Reason: "unknown_type", Field: "type", Detail: "no released message has this type and version"}
	}
	if err := fits(body, head.Type); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(m); err != nil {
		return nil, notJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &Refusal{Reason: "not_json", Detail: "more than one JSON value"}
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return m, nil
}

// ParseAs reads one message of the type that the caller expects on its queue.
func ParseAs[T Message](body []byte) (T, error) {
	var none T
	m, err := Parse(body)
	if err != nil {
		return none, err
	}
	t, ok := m.(T)
	if !ok {
		return none, &Refusal{Reason: "unknown_type", Field: "type", Detail: "not a " + string(none.MessageType())}
	}
	return t, nil
}

// appender is a message that there is so much of that it writes itself, as json.Marshal would.
type appender interface {
	Append(out []byte) []byte
}

// Encode writes a message with its type. It refuses what Parse would refuse, so that a worker cannot send what another
// would dead-letter.
func Encode(m Message) ([]byte, error) { return EncodeInto(nil, m) }

// EncodeInto is Encode in a room that is used again, if it is large enough: what it gives begins at the room's beginning.
func EncodeInto(room []byte, m Message) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	body, err := marshal(room, m)
	if err != nil {
		return nil, &Refusal{Reason: "not_json", Detail: err.Error()}
	}
	if err := fits(body, m.MessageType()); err != nil {
		return nil, err
	}
	return body, nil
}

func marshal(room []byte, m Message) ([]byte, error) {
	const usual = 1 << 10 // bytes
	if a, ok := m.(appender); ok {
		if room == nil {
			room = make([]byte, 0, usual)
		}
		return a.Append(room[:0]), nil
	}
	return json.Marshal(m)
}

// fits refuses a body that is larger than a message of the type may be.
func fits(body []byte, t Type) error {
	limit := MaxMessageBytes
	if t == JournalV1 {
		limit = MaxJournalBytes
	}
	if len(body) > limit {
		return &Refusal{Reason: "too_large", Detail: fmt.Sprintf("%d bytes, at most %d", len(body), limit)}
	}
	return nil
}

func notJSON(err error) *Refusal {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return &Refusal{Reason: "bad_value", Field: wrong.Field, Detail: "a JSON " + wrong.Value + " does not fit"}
	}
	return &Refusal{Reason: "not_json", Detail: "the bytes are not one JSON object"}
}

// check collects the first refusal of a series of field checks, so that a Validate reads as a list.
type check struct {
	refusal *Refusal
	utf8    bool // whoever read the texts has seen that they are UTF-8
}

func (c *check) err() error {
	if c.refusal == nil {
		return nil
	}
	return c.refusal
}

func (c *check) fail(reason, field, detail string) {
	if c.refusal == nil {
		c.refusal = &Refusal{Reason: reason, Field: field, Detail: detail}
	}
}

func (c *check) kind(got, want Type) {
	if got != want {
		c.fail("bad_value", "type", "is not "+string(want))
	}
}

func (c *check) required(field, value string, limit int) {
	if value == "" {
		c.fail("missing", field, "is required")
	}
	c.text(field, value, limit)
}

func (c *check) text(field, value string, limit int) {
	if len(value) > limit {
		c.fail("too_long", field, fmt.Sprintf("%d bytes, at most %d", len(value), limit))
	}
	if !c.utf8 && !utf8.ValidString(value) {
		c.fail("bad_value", field, "is not UTF-8")
	}
}

// line is a text that an edge puts into one header or status line.
func (c *check) line(field, value string, limit int) {
	c.text(field, value, limit)
	if hasControl(value) {
		c.fail("bad_value", field, "holds a control character")
	}
}

// headers are whole lines for a node. Only headers of Tandem's own may be set so.
func (c *check) headers(field, value string, limit int) {
	c.text(field, value, limit)
	for value != "" {
		line, rest, ended := strings.Cut(value, "\r\n")
		if !ended || !strings.HasPrefix(line, HeaderPrefix) || hasControl(line) {
			c.fail("bad_value", field, "holds something else than whole "+HeaderPrefix+" lines")
			return
		}
		value = rest
	}
}

// hasControl says whether a text holds a control character. Printable ASCII, which is most of it, is told by its bytes.
func hasControl(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return strings.ContainsFunc(text[i:], unicode.IsControl)
		}
	}
	return false
}

func (c *check) list(field string, values []string, count, limit int) {
	if len(values) > count {
		c.fail("too_long", field, fmt.Sprintf("%d entries, at most %d", len(values), count))
	}
	for _, v := range values {
		c.text(field, v, limit)
	}
}

func (c *check) within(field string, value, low, high int) {
	if value < low || value > high {
		c.fail("out_of_range", field, fmt.Sprintf("is not within %d to %d", low, high))
	}
}
