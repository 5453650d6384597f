package messages

import (
	"hash/fnv"
	"io"
	"strconv"
	"time"
)

// maxPayload is the greatest payload type of RTP (RFC 3550 5.1).
const maxPayload = 127

// NodeDialogs is node.dialogs.v1: SIP dialogs of answered legs, told by the owner of their media node when they are known,
// when they have changed, and when somebody asks. With them a leg can be carried on by another node, should this one and
// its owner die.
type NodeDialogs struct {
	Type    Type      `json:"type"`
	Node    string    `json:"node"`
	Worker  string    `json:"worker"`
	Epoch   uint64    `json:"epoch"`
	At      time.Time `json:"at"` // by the owner's clock
	Dialogs []Dialog  `json:"dialogs"`
}

// Dialog is what is known of one answered leg's SIP dialog (RFC 3261 12) and of its media, as the node is a party to it:
// "local" is the node, "remote" the peer. It is what another node needs to send a re-INVITE in this one's place.
//
// It is taken from events, so what changes without one is behind until the next: a refresh of the session by the peer
// raises the version of LocalSDP, and one by the node LocalCSeq too. Whoever takes over adds a margin to both.
type Dialog struct {
	Call   string    `json:"call"`
	Leg    string    `json:"leg"`    // channel uuid
	Digest uint32    `json:"digest"` // as made by whoever tells; changes with what follows
	At     time.Time `json:"at"`     // of the event that it was last learnt from, by the node's clock

	AnsweredAt time.Time `json:"answered_at,omitzero"` // by the node's clock

	Inbound    bool   `json:"inbound"`     // the peer called the node
	CallID     string `json:"call_id"`     // Call-ID header
	Local      string `json:"local"`       // name-addr and tag that the node has as From in its requests
	Remote     string `json:"remote"`      // name-addr and tag of the peer: To
	Target     string `json:"target"`      // SIP URI from the peer's Contact
	Routes     string `json:"routes"`      // route set in the order of the node's requests, "<uri>,<uri>"; empty: none
	LocalCSeq  uint32 `json:"local_cseq"`  // highest number of a request of the node's; 0: it has sent none, or none is known
	RemoteCSeq uint32 `json:"remote_cseq"` // highest number of a request of the peer's; 0: none is known
	Edge       string `json:"edge"`        // address:port that its SIP comes from
	Transport  string `json:"transport"`   // between edge and node; empty: not told
	Profile    string `json:"profile"`     // sofia profile

	LocalSDP     string `json:"local_sdp"`     // the lines that KeepSDP keeps of what the node sent last
	RemoteSDP    string `json:"remote_sdp"`    // and of what the peer did
	Codec        string `json:"codec"`         // as the node writes it: NAME@RATEh@PTIMEi@CHANNELSc
	Payload      int    `json:"payload"`       // payload type of the codec
	EventSend    int    `json:"event_send"`    // payload type of telephone-event towards the peer; 0: none
	EventReceive int    `json:"event_receive"` // and from it
}

func (*NodeDialogs) MessageType() Type { return NodeDialogsV1 }

func (m *NodeDialogs) Validate() error {
	var c check
	c.kind(m.Type, NodeDialogsV1)
	c.required("node", m.Node, MaxName)
	c.required("worker", m.Worker, MaxName)
	if len(m.Dialogs) > MaxNodeDialogs {
		c.fail("too_long", "dialogs", "too many dialogs")
	}
	for i := range m.Dialogs {
		m.Dialogs[i].validate(&c)
	}
	return c.err()
}

// Split makes two messages of one that is too large. It has at least two dialogs: one alone fits.
func (m *NodeDialogs) Split() (first, second *NodeDialogs) {
	one, other := *m, *m
	half := len(m.Dialogs) / 2
	one.Dialogs, other.Dialogs = m.Dialogs[:half], m.Dialogs[half:]
	return &one, &other
}

func (d *Dialog) validate(c *check) {
	c.required("dialogs.call", d.Call, MaxName)
	c.required("dialogs.leg", d.Leg, MaxName)
	c.text("dialogs.call_id", d.CallID, MaxURI)
	c.text("dialogs.local", d.Local, MaxURI)
	c.text("dialogs.remote", d.Remote, MaxURI)
	c.text("dialogs.target", d.Target, MaxURI)
	c.text("dialogs.routes", d.Routes, MaxURI)
	c.text("dialogs.edge", d.Edge, MaxName)
	c.text("dialogs.transport", d.Transport, MaxName)
	c.text("dialogs.profile", d.Profile, MaxName)
	c.text("dialogs.local_sdp", d.LocalSDP, MaxDialogSDP)
	c.text("dialogs.remote_sdp", d.RemoteSDP, MaxDialogSDP)
	c.text("dialogs.codec", d.Codec, MaxName)
	c.within("dialogs.payload", d.Payload, 0, maxPayload)
	c.within("dialogs.event_send", d.EventSend, 0, maxPayload)
	c.within("dialogs.event_receive", d.EventReceive, 0, maxPayload)
	if d.size() > MaxDialogBytes {
		c.fail("too_long", "dialogs", "one dialog's texts are too long together")
	}
}

// Valid says whether the dialog keeps its bounds, so that it may be told.
func (d *Dialog) Valid() bool {
	var c check
	d.validate(&c)
	return c.refusal == nil
}

// texts are all of them but the names of call and leg.
func (d *Dialog) texts() [11]string {
	return [...]string{d.CallID, d.Local, d.Remote, d.Target, d.Routes, d.Edge, d.Transport, d.Profile, d.LocalSDP, d.RemoteSDP, d.Codec}
}

func (d *Dialog) size() (bytes int) {
	for _, text := range d.texts() {
		bytes += len(text)
	}
	return bytes
}

// Sum is a digest of what the dialog says, its times aside. It is never 0.
func (d *Dialog) Sum() uint32 {
	h := fnv.New32a()
	for _, text := range d.texts() {
		_, _ = io.WriteString(h, text)
		_, _ = h.Write([]byte{0})
	}
	numbers := []byte{}
	for _, n := range []int64{int64(d.LocalCSeq), int64(d.RemoteCSeq), int64(d.Payload), int64(d.EventSend), int64(d.EventReceive)} {
		numbers = append(strconv.AppendInt(numbers, n, 10), ' ')
	}
	if d.Inbound {
		numbers = append(numbers, 'i')
	}
	_, _ = h.Write(numbers)
	return max(1, h.Sum32())
}
