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
