package routing

import (
	"net/netip"
	"strconv"
	"time"

	"tandem/because"
	"tandem/callflows"
)

// The Append methods write what a decision was made of as json.Marshal does: they are called for each call.

// Append writes a request.
func (r *Request) Append(out []byte) []byte {
	out = append(out, '{')
	if r.Call != "" {
		out = append(because.AppendText(append(out, `"call":`...), r.Call), ',')
	}
	out = because.AppendText(append(out, `"edge":`...), r.Edge)
	out = appendAddr(append(out, `,"source":`...), r.Source)
	out = strconv.AppendInt(append(out, `,"port":`...), int64(r.Port), 10)
	out = because.AppendText(append(out, `,"transport":`...), r.Transport)
	out = because.AppendText(append(out, `,"sip_call_id":`...), r.SIPCallID)
	out = r.To.append(append(out, `,"to":`...))
	out = because.AppendGiven(out, `,"called":`, r.Called)
	out = r.From.append(append(out, `,"from":`...))
	out = because.AppendGiven(out, `,"from_name":`, r.FromName)
	out = because.AppendGiven(out, `,"auth_user":`, r.AuthUser)
	out = because.AppendGiven(out, `,"auth_realm":`, r.AuthRealm)
	out = because.AppendGiven(out, `,"between":`, r.Between)
	out = because.AppendGiven(out, `,"asserted":`, r.Asserted)
	if r.Anonymous {
		out = append(out, `,"anonymous":true`...)
	}
	if len(r.Diverted) > 0 {
		out = because.AppendTexts(append(out, `,"diverted":`...), r.Diverted)
	}
	out = because.AppendGiven(out, `,"replaces":`, r.Replaces)
	out = because.AppendGiven(out, `,"again_after":`, r.AgainAfter)
	out = because.AppendGiven(out, `,"again_node":`, r.AgainNode)
	out = because.AppendGiven(out, `,"user_agent":`, r.UserAgent)
	out = r.Media.append(append(out, `,"media":`...))
	return append(out, '}')
}

func (u URI) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"user":`...), u.User)
	out = because.AppendText(append(out, `,"host":`...), u.Host)
	return append(out, '}')
}

func (m *Media) append(out []byte) []byte {
	begin := len(out)
	if m.LateOffer {
		out = append(out, `,"late_offer":true`...)
	}
	if len(m.Codecs) > 0 {
		out = because.AppendTexts(append(out, `,"codecs":`...), m.Codecs)
	}
	if m.SRTP {
		out = append(out, `,"srtp":true`...)
	}
	if m.T38 {
		out = append(out, `,"t38":true`...)
	}
	if m.ICE {
		out = append(out, `,"ice":true`...)
	}
	if len(out) == begin {
		return append(out, "{}"...)
	}
	out[begin] = '{' // the first comma's place
	return append(out, '}')
}

// Append writes facts.
func (f *Facts) Append(out []byte) []byte {
	out = append(out, '{')
	if !f.At.IsZero() {
		out = append(f.At.AppendFormat(append(out, `"at":"`...), time.RFC3339Nano), `",`...)
	}
	if f.TenantCalls != 0 {
		out = append(strconv.AppendInt(append(out, `"tenant_calls":`...), int64(f.TenantCalls), 10), ',')
	}
	if f.TenantRate != 0 {
		out = append(strconv.AppendInt(append(out, `"tenant_rate":`...), int64(f.TenantRate), 10), ',')
	}
	if len(f.Above) > 0 {
		begin := byte('[')
		out = append(out, `"above":`...)
		for i := range f.Above {
			out = f.Above[i].append(append(out, begin))
			begin = ','
		}
		out = append(out, "],"...)
	}
	if f.Joins != nil {
		out = append(f.Joins.append(append(out, `"joins":`...)), ',')
	}
	if f.DeviceNode != "" {
		out = append(because.AppendText(append(out, `"device_node":`...), f.DeviceNode), ',')
	}
	out = append(out, `"nodes":`...)
	if f.Nodes == nil {
		return append(out, "null}"...)
	}
	begin := byte('[')
	for i := range f.Nodes {
		out = f.Nodes[i].append(append(out, begin))
		begin = ','
	}
	if len(f.Nodes) == 0 {
		out = append(out, '[')
	}
	return append(out, "]}"...)
}

func (j *Joins) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"call":`...), j.Call)
	out = because.AppendGiven(out, `,"leg":`, j.Leg)
	out = because.AppendText(append(out, `,"node":`...), j.Node)
	if j.Answered {
		out = append(out, `,"answered":true`...)
	}
	if j.Caller {
		out = append(out, `,"caller":true`...)
	}
	return append(out, '}')
}

func (a *Above) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"tenant":`...), a.Tenant)
	if a.Calls != 0 {
		out = strconv.AppendInt(append(out, `,"calls":`...), int64(a.Calls), 10)
	}
	if a.Rate != 0 {
		out = strconv.AppendInt(append(out, `,"rate":`...), int64(a.Rate), 10)
	}
	return append(out, '}')
}

func (n *Node) append(out []byte) []byte {
	out = because.AppendText(append(out, `{"name":`...), n.Name)
	out = because.AppendText(append(out, `,"sip_uri":`...), n.SIPURI)
	out = because.AppendText(append(out, `,"state":`...), string(n.State))
	if n.Calls != 0 {
		out = strconv.AppendInt(append(out, `,"calls":`...), int64(n.Calls), 10)
	}
	if n.Busy != (Busy{}) {
		out = n.Busy.append(append(out, `,"busy":`...))
	}
	return append(out, '}')
}

// append writes what is not zero: something is not.
func (b Busy) append(out []byte) []byte {
	begin := len(out)
	if b.Sessions != 0 {
		out = strconv.AppendInt(append(out, `,"sessions":`...), int64(b.Sessions), 10)
	}
	if b.Rate != 0 {
		out = strconv.AppendInt(append(out, `,"rate":`...), int64(b.Rate), 10)
	}
	if b.CPU != 0 {
		out = strconv.AppendInt(append(out, `,"cpu":`...), int64(b.CPU), 10)
	}
	out[begin] = '{' // the first comma's place
	return append(out, '}')
}

// Append writes a decision.
func (d *Decision) Append(out []byte) []byte {
	out = append(out, '{')
	if d.Call != "" {
		out = append(because.AppendText(append(out, `"call":`...), d.Call), ',')
	}
	if d.Tenant != "" {
		out = append(because.AppendText(append(out, `"tenant":`...), d.Tenant), ',')
	}
	if d.Version != 0 {
		out = append(strconv.AppendInt(append(out, `"version":`...), d.Version, 10), ',')
	}
	out = because.AppendText(append(out, `"verdict":`...), string(d.Verdict))
	if len(d.Nodes) > 0 {
		out = because.AppendTexts(append(out, `,"nodes":`...), d.Nodes)
	}
	out = because.AppendGiven(out, `,"flow_id":`, d.FlowID)
	out = callflows.AppendCaller(append(out, `,"caller":`...), d.Caller)
	out = because.AppendText(append(out, `,"dialled":`...), d.Dialled)
	out = because.AppendGiven(out, `,"replaces":`, d.Replaces)
	if d.Diversions != 0 {
		out = strconv.AppendInt(append(out, `,"diversions":`...), int64(d.Diversions), 10)
	}
	if d.Code != 0 {
		out = strconv.AppendInt(append(out, `,"code":`...), int64(d.Code), 10)
	}
	out = because.AppendGiven(out, `,"phrase":`, d.Phrase)
	out = because.AppendGiven(out, `,"cause":`, d.Cause)
	if d.Q850 != 0 {
		out = strconv.AppendInt(append(out, `,"q850":`...), int64(d.Q850), 10)
	}
	out = because.AppendGiven(out, `,"fault":`, string(d.Fault))
	if len(d.Because) > 0 {
		out = because.AppendReasons(append(out, `,"because":`...), d.Because)
	}
	return append(out, '}')
}

// appendAddr writes an address; one that is none is an empty text.
func appendAddr(out []byte, a netip.Addr) []byte {
	switch {
	case !a.IsValid():
		return append(out, `""`...)
	case a.Zone() != "": // may hold anything
		return because.AppendText(out, a.String())
	}
	return append(a.AppendTo(append(out, '"')), '"')
}
