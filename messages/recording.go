package messages

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// RecordingKind says what a recording is.
type RecordingKind string

const (
	RecordingVoicemail RecordingKind = "voicemail" // a message for a box
	RecordingCall      RecordingKind = "call"      // both sides of a call
)

// MaxRecordingMS bounds the length of a recording, in milliseconds: a day.
const MaxRecordingMS = 24 * 60 * 60 * 1000

// Recording is recording.v1: what a media node has written into the shared folder, and what is to become of it. The ledger
// keeps one row for each ID however often this arrives.
type Recording struct {
	Type     Type          `json:"type"`
	ID       string        `json:"id"` // of the command that recorded it: "<call>/<n>"
	Tenant   string        `json:"tenant"`
	Kind     RecordingKind `json:"kind"`
	Call     string        `json:"call"`
	Leg      string        `json:"leg"`           // channel uuid of the caller
	Box      string        `json:"box,omitempty"` // id of the user whose box it is for
	File     string        `json:"file"`          // name in the folder of what comes in
	From     string        `json:"from"`          // the caller's number
	FromName string        `json:"from_name,omitempty"`
	At       time.Time     `json:"at"`                  // when it began; when it ended, if its length is not known
	LengthMS int           `json:"length_ms,omitempty"` // milliseconds; 0: not known, the file says
	LeastMS  int           `json:"least_ms,omitempty"`  // one that turns out shorter is not kept
	Discard  bool          `json:"discard,omitempty"`   // it is not to be kept
}

// MessageType is RecordingV1.
func (*Recording) MessageType() Type { return RecordingV1 }

// Validate holds the bounds.
func (m *Recording) Validate() error {
	var c check
	c.kind(m.Type, RecordingV1)
	c.required("id", m.ID, MaxName)
	c.required("tenant", m.Tenant, MaxName)
	c.required("call", m.Call, MaxName)
	c.required("leg", m.Leg, MaxName)
	c.text("box", m.Box, MaxName)
	c.required("file", m.File, MaxName)
	c.text("from", m.From, MaxURI)
	c.text("from_name", m.FromName, MaxName)
	c.within("length_ms", m.LengthMS, 0, MaxRecordingMS)
	c.within("least_ms", m.LeastMS, 0, MaxRecordingMS)
	switch {
	case m.Kind != RecordingVoicemail && m.Kind != RecordingCall:
		c.fail("bad_value", "kind", "is neither voicemail nor call")
	case m.Kind == RecordingVoicemail && m.Box == "":
		c.fail("missing", "box", "is required of a message")
	}
	if m.At.IsZero() {
		c.fail("missing", "at", "is required")
	}
	if m.File != "" && !recordingFile.MatchString(m.File) {
		c.fail("bad_value", "file", "is not the name of a recording")
	}
	return c.err()
}

// recordingFile is the form of a name: kind, tenant, box, call and number, so that a file that nobody told of tells what it is.
var recordingFile = regexp.MustCompile(`^(voicemail|call)\+[A-Za-z0-9_.-]{1,64}\+[A-Za-z0-9_.-]{0,64}\+[A-Za-z0-9_-]{1,64}\+[0-9]{1,7}\.wav$`)

// RecordingFile names the file of a recording.
func RecordingFile(kind RecordingKind, tenant, box, call string, n int) string {
	return strings.Join([]string{string(kind), tenant, box, call, strconv.Itoa(n)}, "+") + ".wav"
}

// ParseRecordingFile reads what a file's name says of it: Kind, Tenant, Box, Call, ID and File. It is false for a name that
// no recording of ours has.
func ParseRecordingFile(name string) (Recording, bool) {
	if len(name) > MaxName || !recordingFile.MatchString(name) {
		return Recording{}, false
	}
	p := strings.Split(strings.TrimSuffix(name, ".wav"), "+")
	return Recording{Type: RecordingV1, Kind: RecordingKind(p[0]), Tenant: p[1], Box: p[2], Call: p[3], ID: p[3] + "/" + p[4], File: name}, true
}
