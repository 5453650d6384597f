package fstest

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// event is one event before it is written: its headers in order, and a body.
type event struct {
	name     string
	subclass string // of a CUSTOM event
	fields   []field
	body     string

	plain, json []byte // written once, shared by every listener
}

func (e *event) add(name, value string) {
	if value != "" {
		e.fields = append(e.fields, field{name, value})
	}
}

// get finds a header of the event without regard to case.
func (e *event) get(name string) (string, bool) {
	for i := range e.fields {
		if strings.EqualFold(e.fields[i].name, name) {
			return e.fields[i].value, true
		}
	}
	return "", false
}

// origins are the file and function that a real event names as its source.
var origins = map[string]field{
	"CHANNEL_STATE":            {"switch_channel.c", "switch_channel_perform_set_running_state"},
	"CHANNEL_CALLSTATE":        {"switch_channel.c", "switch_channel_perform_set_callstate"},
	"CHANNEL_CREATE":           {"switch_core_state_machine.c", "switch_core_session_run"},
	"CHANNEL_ORIGINATE":        {"switch_core_state_machine.c", "switch_core_session_run"},
	"CHANNEL_OUTGOING":         {"switch_core_session.c", "switch_core_session_outgoing_channel"},
	"CHANNEL_EXECUTE":          {"switch_core_session.c", "switch_core_session_exec"},
	"CHANNEL_EXECUTE_COMPLETE": {"switch_core_session.c", "switch_core_session_exec"},
	"CHANNEL_PARK":             {"switch_ivr.c", "switch_ivr_park"},
	"CHANNEL_UNPARK":           {"switch_ivr.c", "switch_ivr_park"},
	"CHANNEL_PROGRESS":         {"switch_channel.c", "switch_channel_perform_mark_ring_ready_value"},
	"CHANNEL_PROGRESS_MEDIA":   {"switch_channel.c", "switch_channel_perform_mark_pre_answered"},
	"CHANNEL_ANSWER":           {"switch_channel.c", "switch_channel_perform_mark_answered"},
	"CHANNEL_HANGUP":           {"switch_channel.c", "switch_channel_perform_hangup"},
	"CHANNEL_HOLD":             {"switch_channel.c", "switch_channel_mark_hold"},
	"CHANNEL_UNHOLD":           {"switch_channel.c", "switch_channel_mark_hold"},
	"CHANNEL_BRIDGE":           {"switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge"},
	"CHANNEL_UNBRIDGE":         {"switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge"},
	"CHANNEL_HANGUP_COMPLETE":  {"switch_core_state_machine.c", "switch_core_session_reporting_state"},
	"CHANNEL_DESTROY":          {"switch_core_session.c", "switch_core_session_perform_destroy"},
	"CHANNEL_DATA":             {"mod_commands.c", "uuid_dump_function"},
	"DTMF":                     {"switch_channel.c", "switch_channel_dequeue_dtmf"},
	"PLAYBACK_START":           {"switch_ivr_play_say.c", "switch_ivr_play_file"},
	"PLAYBACK_STOP":            {"switch_ivr_play_say.c", "switch_ivr_play_file"},
	"RECORD_START":             {"switch_ivr_play_say.c", "switch_ivr_record_file_event"},
	"RECORD_STOP":              {"switch_ivr_play_say.c", "switch_ivr_record_file_event"},
	"PRIVATE_COMMAND":          {"switch_ivr.c", "switch_ivr_parse_next_event"},
	"BACKGROUND_JOB":           {"mod_event_socket.c", "api_exec"},
	"API":                      {"switch_loadable_module.c", "switch_api_execute"},
	"HEARTBEAT":                {"switch_core.c", "send_heartbeat"},
	"SHUTDOWN":                 {"switch_core.c", "switch_core_destroy"},
	"CUSTOM":                   {"mod_event_socket.c", "parse_command"},
}

// newEvent starts an event with the headers that every event has
// (switch_event.c, switch_event_prep_for_delivery_detailed).
func (s *Server) newEvent(name, subclass string) *event {
	s.sequence++
	now := time.Now()
	origin, ok := origins[name]
	if !ok {
		origin = field{"switch_event.c", "switch_event_fire"}
	}
	e := &event{name: name, subclass: subclass, fields: make([]field, 0, 96)}
	e.add("Event-Name", name)
	e.add("Event-Subclass", subclass)
	e.add("Core-UUID", s.coreUUID)
	e.add("FreeSWITCH-Hostname", s.hostname)
	e.add("FreeSWITCH-Switchname", s.options.Name)
	e.add("FreeSWITCH-IPv4", s.sipHost)
	e.add("FreeSWITCH-IPv6", "::1")
	e.add("Event-Date-Local", now.Format(time.DateTime))
	e.add("Event-Date-GMT", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	e.add("Event-Date-Timestamp", micros(now))
	e.add("Event-Calling-File", origin.name)
	e.add("Event-Calling-Function", origin.value)
	e.add("Event-Calling-Line-Number", "1")
	e.add("Event-Sequence", strconv.FormatUint(s.sequence, 10))
	return e
}

// fire hands an event to every listener that asked for it.
func (s *Server) fire(e *event) {
	if s.dead {
		return
	}
	for c := range s.listeners {
		if c.wants(e) {
			c.sendEvent(e)
		}
	}
}

// wanted says whether building the event is worth while; its number in the
// sequence is spent either way.
func (s *Server) wanted(name, subclass string) bool {
	if !s.dead {
		for c := range s.listeners {
			if c.subscribed(name, subclass) {
				return true
			}
		}
	}
	s.sequence++
	return false
}

// asPlain is switch_event_serialize with encoding: header values URL-encoded,
// an empty line, and a body behind its length.
func (e *event) asPlain() []byte {
	if e.plain == nil {
		var b bytes.Buffer
		for _, f := range e.fields {
			b.WriteString(f.name)
			b.WriteString(": ")
			writeEncoded(&b, f.value)
			b.WriteByte('\n')
		}
		if e.body != "" {
			b.WriteString("Content-Length: " + strconv.Itoa(len(e.body)) + "\n\n")
			b.WriteString(e.body)
		} else {
			b.WriteByte('\n')
		}
		e.plain = b.Bytes()
	}
	return e.plain
}

// asJSON is switch_event_serialize_json: one object of strings, in order.
func (e *event) asJSON() []byte {
	if e.json == nil {
		fields := e.fields
		if e.body != "" {
			fields = append(append([]field{}, fields...),
				field{"Content-Length", strconv.Itoa(len(e.body))}, field{"_body", e.body})
		}
		e.json = jsonObject(fields)
	}
	return e.json
}

// listPrefix and listMark make one text of a variable that was pushed to (switch_event.c, switch_event_base_add_header).
const (
	listPrefix = "ARRAY::"
	listMark   = "|:"
)

// jsonObject writes fields as one JSON object in their order, and those that were pushed to as lists (switch_event.c,
// switch_event_serialize_json_obj).
func jsonObject(fields []field) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(jsonString(f.name))
		b.WriteByte(':')
		list, is := strings.CutPrefix(f.value, listPrefix)
		if !is {
			b.Write(jsonString(f.value))
			continue
		}
		for j, one := range strings.Split(list, listMark) {
			b.WriteByte("[,"[min(j, 1)])
			b.Write(jsonString(one))
		}
		b.WriteByte(']')
	}
	b.WriteByte('}')
	return b.Bytes()
}

func jsonString(text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return []byte(`""`) // a string always encodes
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// unsafeInURL is switch_utils.h, SWITCH_URL_UNSAFE.
const unsafeInURL = "\r\n #%&+:;<=>?@[\\]^`{|}\""

// writeEncoded is switch_url_encode. A per cent sign before two upper-case hex
// digits stays as it is, which makes plain events ambiguous there: so does the engine.
func writeEncoded(b *bytes.Buffer, text string) {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) && strings.IndexByte(hex, text[i+1]) >= 0 && strings.IndexByte(hex, text[i+2]) >= 0 {
			b.WriteByte(c)
			continue
		}
		if c < ' ' || c > '~' || strings.IndexByte(unsafeInURL, c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
}

// decodeURL is switch_url_decode: bad escapes stay as they are.
func decodeURL(text string) string {
	if out, err := url.PathUnescape(text); err == nil {
		return out
	}
	return text
}

// micros is a time as FreeSWITCH writes it: microseconds since 1970, "0" if never.
func micros(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.UnixMicro(), 10)
}
