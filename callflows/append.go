package callflows

import (
	"encoding/json"
	"strconv"

	"tandem/because"
)

// What a step was given and what it ordered is written for the journal as json.Marshal does: each step of each call is
// written by this. What steps seldom have goes through json.Marshal itself.

// AppendEvent writes an event as json.Marshal does. A time beyond the year 9999, which json.Marshal refuses, becomes null.
func AppendEvent(out []byte, e *Event) []byte {
	out = because.AppendText(append(out, `{"kind":`...), string(e.Kind))
	out = because.AppendTime(append(out, `,"at":`...), e.At)
	out = because.AppendGiven(out, `,"leg":`, e.Leg)
	out = appendCount(out, `,"command":`, e.Command)
	if e.Call != nil {
		out = e.Call.append(append(out, `,"call":`...))
	}
	out = because.AppendGiven(out, `,"target":`, e.Target)
	out = because.AppendGiven(out, `,"digits":`, e.Digits)
	out = because.AppendGiven(out, `,"outcome":`, string(e.Outcome))
	out = appendFlag(out, `,"missing":true`, e.Missing)
	out = because.AppendGiven(out, `,"cause":`, e.Cause)
	out = appendCount(out, `,"sip_code":`, e.SIPCode)
	out = appendContacts(out, e.Contacts)
	out = appendList(out, `,"talking":`, e.Talking)
	if e.Counts != nil {
		out = appendSeldom(out, `,"counts":`, e.Counts)
	}
	if e.Reply != nil {
		out = appendSeldom(out, `,"reply":`, e.Reply)
	}
	out = appendFlag(out, `,"early":true`, e.Early)
	if e.End != nil {
		out = e.End.append(append(out, `,"end":`...))
	}
	out = because.AppendGiven(out, `,"by":`, e.By)
	if e.Other != nil {
		out = appendSeldom(out, `,"other":`, e.Other)
	}
	out = because.AppendGiven(out, `,"mode":`, string(e.Mode))
	out = because.AppendGiven(out, `,"for":`, string(e.For))
	if e.Found != nil {
		out = appendSeldom(out, `,"found":`, e.Found)
	}
	out = because.AppendGiven(out, `,"reason":`, e.Reason)
	out = because.AppendGiven(out, `,"by_leg":`, e.ByLeg)
	out = because.AppendGiven(out, `,"device":`, e.Device)
	out = because.AppendGiven(out, `,"order":`, e.Order)
	out = appendFlag(out, `,"there":true`, e.There)
	out = because.AppendGiven(out, `,"moved":`, e.Moved)
	out = appendCount(out, `,"length_ms":`, e.LengthMS)
	out = because.AppendGiven(out, `,"ended":`, string(e.Ended))
	if len(e.Messages) > 0 {
		out = appendSeldom(out, `,"messages":`, e.Messages)
	}
	out = because.AppendGiven(out, `,"pin":`, string(e.PIN))
	out = appendFlag(out, `,"away":true`, e.Away)
	out = because.AppendGiven(out, `,"node":`, e.Node)
	if len(e.Legs) > 0 {
		out = appendSeldom(out, `,"legs":`, e.Legs)
	}
	if !e.Since.IsZero() {
		out = because.AppendTime(append(out, `,"since":`...), e.Since)
	}
	return append(out, '}')
}

func (c *Call) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"id":`...), c.ID)
	out = because.AppendText(append(out, `,"tenant":`...), c.Tenant)
	out = strconv.AppendInt(append(out, `,"version":`...), c.Version, 10)
	out = because.AppendText(append(out, `,"leg":`...), c.Leg)
	out = because.AppendText(append(out, `,"node":`...), c.Node)
	out = because.AppendText(append(out, `,"edge":`...), c.Edge)
	out = because.AppendText(append(out, `,"flow_id":`...), c.FlowID)
	out = AppendCaller(append(out, `,"caller":`...), c.Caller)
	out = because.AppendText(append(out, `,"dialled":`...), c.Dialled)
	out = because.AppendText(append(out, `,"sip_call_id":`...), c.SIPCallID)
	out = because.AppendGiven(out, `,"replaces":`, c.Replaces)
	out = appendCount(out, `,"diversions":`, c.Diversions)
	out = because.AppendTime(append(out, `,"started_at":`...), c.StartedAt)
	if c.Ordered != nil {
		out = appendSeldom(out, `,"ordered":`, c.Ordered)
	}
	return append(out, '}')
}

// AppendCaller writes a caller as json.Marshal does.
func AppendCaller(out []byte, c Caller) []byte {
	out = append(out, '{')
	if c.Device != "" {
		out = append(because.AppendText(append(out, `"device":`...), c.Device), ',')
	}
	if c.Trunk != "" {
		out = append(because.AppendText(append(out, `"trunk":`...), c.Trunk), ',')
	}
	out = because.AppendText(append(out, `"number":`...), c.Number)
	out = because.AppendGiven(out, `,"name":`, c.Name)
	out = appendFlag(out, `,"private":true`, c.Private)
	return append(out, '}')
}

func appendContacts(out []byte, contacts []Contact) []byte {
	if len(contacts) == 0 {
		return out
	}
	out = append(out, `,"contacts":`...)
	begin := byte('[')
	for i := range contacts {
		c := &contacts[i]
		out = because.AppendText(append(append(out, begin), `{"device":`...), c.Device)
		out = because.AppendText(append(out, `,"uri":`...), c.URI)
		out = append(because.AppendGiven(out, `,"edge":`, c.Edge), '}')
		begin = ','
	}
	return append(out, ']')
}

func (e *LegEnd) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"cause":`...), e.Cause)
	out = strconv.AppendInt(append(out, `,"q850":`...), int64(e.Q850), 10)
	out = appendCount(out, `,"sip_code":`, e.SIPCode)
	out = because.AppendText(append(out, `,"by":`...), string(e.By))
	out = because.AppendGiven(out, `,"message":`, string(e.Message))
	out = because.AppendTime(append(out, `,"created_at":`...), e.CreatedAt)
	if e.AnsweredAt != nil {
		out = because.AppendTime(append(out, `,"answered_at":`...), *e.AnsweredAt)
	}
	out = because.AppendGiven(out, `,"sip_call_id":`, e.SIPCallID)
	out = because.AppendGiven(out, `,"from":`, e.From)
	out = because.AppendGiven(out, `,"from_name":`, e.FromName)
	out = because.AppendGiven(out, `,"to":`, e.To)
	out = appendFlag(out, `,"estimated":true`, e.Estimated)
	out = because.AppendGiven(out, `,"left":`, e.Left)
	return append(out, '}')
}

func appendCount(out []byte, name string, value int) []byte {
	if value == 0 {
		return out
	}
	return strconv.AppendInt(append(out, name...), int64(value), 10)
}

// appendFlag writes a member that is true: its name and value.
func appendFlag(out []byte, member string, value bool) []byte {
	if !value {
		return out
	}
	return append(out, member...)
}

func appendList(out []byte, name string, values []string) []byte {
	if len(values) == 0 {
		return out
	}
	return because.AppendTexts(append(out, name...), values)
}

// appendSeldom writes a member that few steps have.
func appendSeldom(out []byte, name string, value any) []byte {
	body, err := json.Marshal(value)
	if err != nil { // a time beyond the year 9999
		body = []byte("null")
	}
	return append(append(out, name...), body...)
}
