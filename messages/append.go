package messages

import (
	"strconv"
	"time"

	"tandem/because"
)

// Append writes an entry as json.Marshal does. It takes Input and Output, which are most of an entry, as they are: they must
// be JSON as json.Marshal writes it. Every decision on every call is written by this.
func (e *JournalEntry) Append(out []byte) []byte {
	out = because.AppendText(append(out, `{"call":`...), e.Call)
	out = because.AppendText(append(out, `,"tenant":`...), e.Tenant)
	out = because.AppendText(append(out, `,"source":`...), string(e.Source))
	if e.Leg != "" {
		out = because.AppendText(append(out, `,"leg":`...), e.Leg)
	}
	out = strconv.AppendInt(append(out, `,"n":`...), int64(e.N), 10)
	out = e.At.AppendFormat(append(out, `,"at":"`...), time.RFC3339Nano)
	out = strconv.AppendInt(append(out, `","version":`...), e.Version, 10)
	if e.Element != "" {
		out = because.AppendText(append(out, `,"element":`...), e.Element)
	}
	out = because.AppendReasons(append(out, `,"because":`...), e.Because)
	out = appendRaw(append(out, `,"input":`...), e.Input)
	out = appendRaw(append(out, `,"output":`...), e.Output)
	return append(out, '}')
}

func appendRaw(out, raw []byte) []byte {
	if raw == nil {
		return append(out, "null"...)
	}
	return append(out, raw...)
}

// Append writes an answer as json.Marshal does. Every routing request is answered by this.
func (m *RouteAnswer) Append(out []byte) []byte {
	out = because.AppendText(append(out, `{"Event-Category":`...), m.EventCategory)
	out = because.AppendText(append(out, `,"Event-Name":`...), m.EventName)
	out = strconv.AppendInt(append(out, `,"t_index":`...), int64(m.TIndex), 10)
	out = strconv.AppendInt(append(out, `,"t_label":`...), int64(m.TLabel), 10)
	out = because.AppendText(append(out, `,"call_id":`...), m.CallID)
	out = because.AppendText(append(out, `,"type":`...), string(m.Type))
	out = because.AppendText(append(out, `,"verdict":`...), string(m.Verdict))
	out = because.AppendText(append(out, `,"call":`...), m.Call)
	if len(m.Nodes) > 0 {
		out = because.AppendTexts(append(out, `,"nodes":`...), m.Nodes)
	}
	if m.NodeHeaders != "" {
		out = because.AppendText(append(out, `,"node_headers":`...), m.NodeHeaders)
	}
	if m.Code != 0 {
		out = strconv.AppendInt(append(out, `,"code":`...), int64(m.Code), 10)
	}
	if m.Phrase != "" {
		out = because.AppendText(append(out, `,"phrase":`...), m.Phrase)
	}
	if m.Reason != "" {
		out = because.AppendText(append(out, `,"reason":`...), m.Reason)
	}
	return append(out, '}')
}
