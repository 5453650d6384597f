package esl

import (
	"bytes"
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
// An Event owns its bytes and never changes: whoever gets one may keep it as
// long as they like and read it from any number of goroutines. It holds about
// 5 kB plus 12 bytes a header; strings that Get returns are copies and do not
// keep it alive.
type Event struct {
	buf   []byte
	index []header
	body  []byte
	name  string
}

// header is one line of Event.buf: the name is [name,colon), the value
// [colon+2,end).
type header struct{ name, colon, end uint32 }

// parseEvent indexes buf and keeps it. Lines that are not headers are skipped.
func parseEvent(buf []byte) (*Event, error) {
	e := &Event{buf: buf}
	lines := bytes.Count(buf, []byte{'\n'})
	if lines > maxEventHeaders { // a body may have many lines: count up to the empty line only
		head, _, _ := bytes.Cut(buf, []byte("\n\n"))
		if lines = bytes.Count(head, []byte{'\n'}) + 1; lines > maxEventHeaders {
			return nil, &FrameError{"event with too many headers"}
		}
	}
	e.index = make([]header, 0, lines)
	for at := 0; at < len(buf); {
		end := len(buf)
		next := end
		if n := bytes.IndexByte(buf[at:], '\n'); n >= 0 {
			end, next = at+n, at+n+1
		}
		if end > at && buf[end-1] == '\r' {
			end--
		}
		if end == at {
			e.setBody(buf[next:])
			break
		}
		if colon := headerColon(buf[at:end]); colon >= 0 {
			e.index = append(e.index, header{uint32(at), uint32(at + colon), uint32(end)})
		}
		at = next
	}
	if raw, ok := e.raw("Event-Name"); ok {
		e.name = eventName(raw)
	}
	return e, nil
}

// headerColon finds the ": " that ends a header's name. FreeSWITCH always
// writes the space, so that a colon inside a variable's name does not split it.
func headerColon(line []byte) int {
	for at := 0; ; {
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

// setBody takes what follows the headers, as far as the event's own
// Content-Length goes.
func (e *Event) setBody(rest []byte) {
	if raw, ok := e.raw("Content-Length"); ok {
		if n, err := strconv.Atoi(string(raw)); err == nil && n >= 0 && n < len(rest) {
			rest = rest[:n]
		}
	}
	e.body = rest[:len(rest):len(rest)]
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
func (e *Event) Variable(name string) string {
	const prefix = "variable_"
	for _, h := range e.index {
		if int(h.colon-h.name) == len(prefix)+len(name) &&
			foldEqual(e.buf[h.name:h.name+uint32(len(prefix))], prefix) &&
			foldEqual(e.buf[h.name+uint32(len(prefix)):h.colon], name) {
			return unescape(e.value(h))
		}
	}
	return ""
}

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
func (e *Event) Len() int { return len(e.index) }

// All yields every header in the order of the wire: its name in the original
// case, its value decoded.
func (e *Event) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, h := range e.index {
			if !yield(string(e.buf[h.name:h.colon]), unescape(e.value(h))) {
				return
			}
		}
	}
}

func (e *Event) raw(name string) ([]byte, bool) {
	for _, h := range e.index {
		if int(h.colon-h.name) == len(name) && foldEqual(e.buf[h.name:h.colon], name) {
			return e.value(h), true
		}
	}
	return nil, false
}

func (e *Event) value(h header) []byte {
	if h.colon+1 == h.end {
		return nil
	}
	return e.buf[h.colon+2 : h.end]
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
