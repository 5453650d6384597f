package esl

import (
	"bytes"
	"encoding/binary"
	"iter"
	"strconv"
	"time"
)

// maxEventHeaders bounds the index of one event. A full channel event has
// about 120 headers, one with every variable set about 400.
const maxEventHeaders = 8192

// Event is one FreeSWITCH event (switch_event_serialize, plain and
// percent-encoded): an index over the bytes as they came.
//
// An Event never changes: whoever gets one may keep it as long as they like and
// read it from any number of goroutines. It lies in the 128 kB that the socket
// was read into, together with its neighbours, so whoever keeps single events
// for long keeps a Clone. Strings that Get returns are copies. Release gives an
// event up, for those who handle many.
type Event struct {
	block *block // nil after Release
	buf   []byte
	lines []uint32 // where in buf each line before the empty one begins
	keys  []byte   // of each of these lines: lineKey
	body  []byte
	name  string
}

// A line's key is one byte made of four, which lie where most names differ:
// after the "Event", "Caller" or "Channel" that many begin with, or beyond
// "variable_". A search of keys finds a name as fast as a newline is found, and
// looks at few lines of other names.
const (
	sampleAt         = len("Event")
	variableSampleAt = len("variable_") + 2
	sampleBytes      = 4
)

// sampled is where the sample of a line or name lies that begins with first.
func sampled(first byte) int {
	if first|0x20 == 'v' {
		return variableSampleAt
	}
	return sampleAt
}

// key ignores case: of other characters it loses a bit.
func key(sample uint32) byte {
	const mix = 0x9e3779b1 // so that all bits count in the highest ones
	return byte((sample | 0x20202020) * mix >> 24)
}

// lineKey is the key of the line that text begins with; text may go on after it.
func lineKey(text []byte) byte {
	at := sampled(text[0])
	if len(text) < at+sampleBytes {
		return 0
	}
	return key(binary.LittleEndian.Uint32(text[at:]))
}

// nameKey is the key of lines that begin with a name and its colon; not ok: the
// name is so short that there is no telling.
func nameKey(name string) (k byte, ok bool) {
	if name == "" {
		return 0, false
	}
	var sample [sampleBytes]byte
	at := sampled(name[0])
	if len(name)+1 < at+sampleBytes {
		return 0, false
	}
	if copy(sample[:], name[at:]) < sampleBytes {
		sample[sampleBytes-1] = ':'
	}
	return key(binary.LittleEndian.Uint32(sample[:])), true
}

// parseEvent indexes buf, which lies in b, and keeps both. A line is a header if
// it has a colon, but that is looked at when somebody asks: most headers nobody
// reads.
func parseEvent(b *block, buf []byte) (*Event, error) {
	if b.lines == nil {
		n := max(len(b.buf), len(buf)) / lineBytes
		b.lines, b.keys = make([]uint32, 0, n), make([]byte, 0, n)
	}
	e, from := &Event{block: b, buf: buf}, len(b.lines)
	lines, keys := b.lines, b.keys
	for at := 0; at < len(buf); {
		rest := buf[at:]
		n := bytes.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		if n == 0 || n == 1 && rest[0] == '\r' {
			e.body = rest[min(n+1, len(rest)):]
			break
		}
		if len(lines)-from == maxEventHeaders {
			return nil, &FrameError{"event with too many headers"}
		}
		lines, keys = append(lines, uint32(at)), append(keys, lineKey(rest))
		at += n + 1
	}
	b.lines, b.keys = lines, keys
	b.cut++
	e.lines, e.keys = lines[from:len(lines):len(lines)], keys[from:len(keys):len(keys)]
	e.trimBody()
	if raw, ok := e.raw("Event-Name"); ok {
		e.name = eventName(raw)
	}
	return e, nil
}

// Release gives the event's memory back, for events to come, instead of leaving
// it to the garbage collector: at many events a second that is most of their
// cost. Nobody has to call it. Who does must be the last to use the event, or
// what Body returned; afterwards it reads as one without headers.
func (e *Event) Release() {
	b := e.block
	*e = Event{}
	if b != nil {
		b.release(-1)
	}
}

// Clone is the same event in memory of its own.
func (e *Event) Clone() *Event {
	c, _ := parseEvent(&block{}, bytes.Clone(e.buf)) // which was read before
	return c
}

// headerColon finds the ": " that ends a header's name. FreeSWITCH always
// writes the space, so that a colon inside a variable's name does not split it.
func headerColon(line []byte) int {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 || colon+1 < len(line) && line[colon+1] == ' ' {
		return colon
	}
	for at := colon; ; {
		n := bytes.IndexByte(line[at:], ':')
		if n < 0 {
			return -1
		}
		at += n
		if at+1 == len(line) || line[at+1] == ' ' {
			return at
		}
		at++
	}
}

// trimBody cuts what follows the headers down to the event's own
// Content-Length.
func (e *Event) trimBody() {
	if len(e.body) == 0 {
		return
	}
	if raw, ok := e.raw("Content-Length"); ok {
		if n, err := strconv.Atoi(string(raw)); err == nil && n >= 0 && n < len(e.body) {
			e.body = e.body[:n]
		}
	}
	e.body = e.body[:len(e.body):len(e.body)]
}

// Name is Event-Name, such as "CHANNEL_PARK"; empty when the event has none.
func (e *Event) Name() string { return e.name }

// Get returns the decoded value of a header, or "" without it. Names compare
// without regard to case; of two equal names the first counts. A percent sign
// that is not followed by two hex digits stays as it is.
func (e *Event) Get(name string) string {
	value, _ := e.Lookup(name)
	return value
}

// Lookup is Get that tells a header without value from no header.
func (e *Event) Lookup(name string) (value string, ok bool) {
	raw, ok := e.raw(name)
	return unescape(raw), ok
}

// Variable returns the channel variable name, which events carry as
// "variable_<name>".
func (e *Event) Variable(name string) string { return e.Get("variable_" + name) }

// UniqueID is the uuid of the channel that the event is about, or "".
func (e *Event) UniqueID() string { return e.Get("Unique-ID") }

// Body is what follows the headers, e.g. the result in a BACKGROUND_JOB. It is
// the event's own memory: read it, do not change it.
func (e *Event) Body() []byte { return e.body }

// Time is when FreeSWITCH made the event (Event-Date-Timestamp, microseconds),
// in UTC; the zero time when the event does not say.
func (e *Event) Time() time.Time {
	raw, _ := e.raw("Event-Date-Timestamp")
	micros, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || micros <= 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Len is the number of headers.
func (e *Event) Len() int {
	n := 0
	for range e.All() {
		n++
	}
	return n
}

// All yields every header in the order of the wire: its name in the original
// case, its value decoded.
func (e *Event) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range e.lines {
			line := e.line(i)
			colon := headerColon(line)
			if colon >= 0 && !yield(string(line[:colon]), unescape(headerValue(line, colon))) {
				return
			}
		}
	}
}

// raw returns the undecoded value of the first header of that name.
func (e *Event) raw(name string) ([]byte, bool) {
	key, sampled := nameKey(name)
	for i := 0; i < len(e.keys); i++ {
		if sampled {
			n := bytes.IndexByte(e.keys[i:], key)
			if n < 0 {
				break
			}
			i += n
		}
		if rest := e.buf[e.lines[i]:]; len(rest) <= len(name) || rest[len(name)] != ':' || !foldEqual(rest[:len(name)], name) {
			continue
		}
		if line := e.line(i); headerColon(line) == len(name) {
			return headerValue(line, len(name)), true
		}
	}
	return nil, false
}

// line is a line without what ends it. It is not empty.
func (e *Event) line(i int) []byte {
	line := e.buf[e.lines[i]:]
	if n := bytes.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	return bytes.TrimSuffix(line, []byte{'\r'})
}

// headerValue is what follows the colon and its space.
func headerValue(line []byte, colon int) []byte {
	if colon+1 == len(line) {
		return nil
	}
	return line[colon+2:]
}

// unescape undoes switch_url_encode.
func unescape(raw []byte) string {
	at := bytes.IndexByte(raw, '%')
	if at < 0 {
		return string(raw)
	}
	out := make([]byte, at, len(raw))
	copy(out, raw)
	for ; at < len(raw); at++ {
		if raw[at] == '%' && at+2 < len(raw) {
			hi, lo := unhex(raw[at+1]), unhex(raw[at+2])
			if hi|lo < 16 {
				out = append(out, hi<<4|lo)
				at += 2
				continue
			}
		}
		out = append(out, raw[at])
	}
	return string(out)
}

// unhex returns the value of a hex digit, or 255.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// eventName saves the allocation for the names that Tandem meets all day.
func eventName(raw []byte) string {
	switch string(raw) {
	case "CHANNEL_CREATE":
		return "CHANNEL_CREATE"
	case "CHANNEL_STATE":
		return "CHANNEL_STATE"
	case "CHANNEL_CALLSTATE":
		return "CHANNEL_CALLSTATE"
	case "CHANNEL_PARK":
		return "CHANNEL_PARK"
	case "CHANNEL_PROGRESS":
		return "CHANNEL_PROGRESS"
	case "CHANNEL_PROGRESS_MEDIA":
		return "CHANNEL_PROGRESS_MEDIA"
	case "CHANNEL_ANSWER":
		return "CHANNEL_ANSWER"
	case "CHANNEL_BRIDGE":
		return "CHANNEL_BRIDGE"
	case "CHANNEL_UNBRIDGE":
		return "CHANNEL_UNBRIDGE"
	case "CHANNEL_EXECUTE":
		return "CHANNEL_EXECUTE"
	case "CHANNEL_EXECUTE_COMPLETE":
		return "CHANNEL_EXECUTE_COMPLETE"
	case "CHANNEL_HANGUP":
		return "CHANNEL_HANGUP"
	case "CHANNEL_HANGUP_COMPLETE":
		return "CHANNEL_HANGUP_COMPLETE"
	case "CHANNEL_DESTROY":
		return "CHANNEL_DESTROY"
	case "DTMF":
		return "DTMF"
	case "BACKGROUND_JOB":
		return "BACKGROUND_JOB"
	case "HEARTBEAT":
		return "HEARTBEAT"
	case "CUSTOM":
		return "CUSTOM"
	}
	return unescape(raw)
}
