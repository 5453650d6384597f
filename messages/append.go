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

// Append writes a CDR as json.Marshal does; a time beyond the year 9999, which json.Marshal refuses, becomes null. Each leg of
// each call is written by this, for the journal as well.
func (m *CDR) Append(out []byte) []byte {
	out = because.AppendText(append(out, `{"type":`...), string(m.Type))
	out = because.AppendText(append(out, `,"leg":`...), m.Leg)
	out = because.AppendText(append(out, `,"call":`...), m.Call)
	out = because.AppendText(append(out, `,"tenant":`...), m.Tenant)
	out = because.AppendText(append(out, `,"role":`...), string(m.Role))
	out = because.AppendGiven(out, `,"node":`, m.Node)
	out = because.AppendGiven(out, `,"sip_call_id":`, m.SIPCallID)
	out = because.AppendText(append(out, `,"from":`...), m.From)
	out = because.AppendGiven(out, `,"from_name":`, m.FromName)
	out = because.AppendText(append(out, `,"to":`...), m.To)
	out = because.AppendGiven(out, `,"device":`, m.Device)
	out = because.AppendGiven(out, `,"trunk":`, m.Trunk)
	out = because.AppendTime(append(out, `,"started_at":`...), m.StartedAt)
	if m.AnsweredAt != nil {
		out = because.AppendTime(append(out, `,"answered_at":`...), *m.AnsweredAt)
	}
	out = because.AppendTime(append(out, `,"ended_at":`...), m.EndedAt)
	if m.SIPCode != 0 {
		out = strconv.AppendInt(append(out, `,"sip_code":`...), int64(m.SIPCode), 10)
	}
	out = because.AppendText(append(out, `,"cause":`...), m.Cause)
	out = strconv.AppendInt(append(out, `,"q850":`...), int64(m.Q850), 10)
	out = because.AppendText(append(out, `,"fault":`...), string(m.Fault))
	out = strconv.AppendInt(append(out, `,"version":`...), m.Version, 10)
	if m.Estimated {
		out = append(out, `,"estimated":true`...)
	}
	if m.Over {
		out = append(out, `,"over":true`...)
	}
	for i, g := range m.Segments {
		if i == 0 {
			out = append(out, `,"segments":[`...)
		} else {
			out = append(out, ',')
		}
		out = because.AppendText(append(out, `{"node":`...), g.Node)
		out = because.AppendTime(append(out, `,"from":`...), g.From)
		out = append(because.AppendTime(append(out, `,"until":`...), g.Until), '}')
		if i == len(m.Segments)-1 {
			out = append(out, ']')
		}
	}
	return append(out, '}')
}
