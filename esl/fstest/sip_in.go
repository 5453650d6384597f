package fstest

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// route decides what a new request is: inside a dialog, a new call, or refused.
func (t *sipStack) route(tx *serverTransaction, source netip.AddrPort) {
	req := tx.request
	if !t.allowed(source) {
		tx.reply(403, "Forbidden")
		return
	}
	if tag := tagOf(req.To().Params); tag != "" {
		leg, ok := t.dialogs[dialogKey(req.CallID().Value(), tag)]
		if !ok || leg.remoteTag != tagOf(req.From().Params) {
			tx.reply(481, "Call Does Not Exist")
			return
		}
		leg.receive(tx)
		return
	}
	switch req.Method {
	case sip.INVITE:
		t.newCall(tx, source)
	case sip.OPTIONS:
		tx.reply(200, "OK", field{"Allow", allowedMethods}, field{"Accept", "application/sdp"})
	case sip.BYE, sip.INFO, sip.UPDATE, sip.PRACK:
		tx.reply(481, "Call Does Not Exist")
	default:
		tx.reply(405, "Method Not Allowed", field{"Allow", allowedMethods})
	}
}

// refuseCall says why a new INVITE cannot become a call, or nothing.
func (t *sipStack) refuseCall(req *sip.Request) (status int, phrase string, headers []field) {
	s := t.srv
	hops := req.MaxForwards()
	switch {
	case s.closing || s.paused.inbound || len(s.channels) >= s.options.MaxChannels:
		return 503, "Maximum Calls In Progress", []field{{"Retry-After", "300"}}
	case hops != nil && hops.Val() == 0:
		return 483, "Too Many Hops", nil
	case len(req.Body()) > maxSDP:
		return 413, "Request Entity Too Large", nil
	case req.Contact() == nil:
		return 400, "Missing Contact", nil
	}
	for _, h := range req.GetHeaders("Require") {
		for _, option := range strings.Split(h.Value(), ",") {
			if option = strings.TrimSpace(option); option != "timer" && option != "replaces" {
				return 420, "Bad Extension", []field{{"Unsupported", option}}
			}
		}
	}
	return 0, "", nil
}

// newCall makes a channel of an INVITE.
func (t *sipStack) newCall(tx *serverTransaction, source netip.AddrPort) {
	req := tx.request
	if status, phrase, headers := t.refuseCall(req); status != 0 {
		tx.reply(status, phrase, headers...)
		return
	}
	tx.reply(100, "Trying")
	c := t.srv.newChannel("", inbound)
	l := t.newLeg(c, true)
	l.server = tx
	l.callID = req.CallID().Value()
	l.remoteTag = tagOf(req.From().Params)
	l.local, l.remote = withoutTag(req.To().Value()), withoutTag(req.From().Value())
	l.target = req.Contact().Address
	l.routes = splitRoutes(req.GetHeaders("Record-Route"))
	l.remoteSeq = req.CSeq().SeqNo
	l.localSeq = uint32(time.Now().Unix()>>1) & 0x7fffffff
	l.contact = t.contactURI(req.Recipient.User) + ";transport=udp"
	l.peer = parseSDP(string(req.Body()))
	l.register()
	tx.onCancel = l.cancelledByPeer
	tx.onAck = l.onAck
	tx.onLost = func() { c.hangup(causeRecoveryOnTimer) }
	c.setNewCallVariables(req)
	t.srv.spawn(c.runInbound)
}

// setNewCallVariables are those that the first event of a call carries.
func (c *channel) setNewCallVariables(req *sip.Request) {
	from := req.From().Address
	setURI(&c.vars, "sip_from", from, "user", "port", "uri", "host")
	for _, kind := range []string{"video", "audio", "text"} {
		c.vars.setForeign(kind+"_media_flow", "disabled")
	}
	c.name = "sofia/" + c.srv.options.Profiles[0] + "/" + uriText(from)
	c.vars.setForeign("channel_name", c.name)
	c.vars.setForeign("sip_call_id", c.leg.callID)
}

// setURI sets PREFIX_user, _port, _uri and _host as sofia's url_set_chanvars does.
func setURI(v *variables, prefix string, uri sip.Uri, parts ...string) {
	values := map[string]string{"user": uri.User, "host": uri.Host, "uri": uriText(uri)}
	if uri.Port != 0 {
		values["port"] = itoa(uri.Port)
	}
	if params := uri.UriParams; len(params) > 0 {
		values["params"] = params.ToString(';')
	}
	for _, part := range parts {
		v.setForeign(prefix+"_"+part, values[part])
	}
}

// uriText is user@host:port.
func uriText(uri sip.Uri) string {
	text := uri.Host
	if uri.Port != 0 {
		text += ":" + itoa(uri.Port)
	}
	if uri.User != "" {
		text = uri.User + "@" + text
	}
	return text
}

// setInboundProfile sets the caller profile and the variables that come with
// it, in the order of a real CHANNEL_CREATE.
func (c *channel) setInboundProfile() {
	req, v := c.leg.server.request, &c.vars
	source, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return
	}
	from, to, contact := req.From(), req.To(), req.Contact().Address
	display := from.DisplayName
	if display == "" {
		display = from.Address.User
	}
	profileName, user := c.srv.options.Profiles[0], cleaned(from.Address.User)
	c.profile = profile{
		direction: inbound, logicalDirection: inbound, username: user, dialplan: "XML",
		callerName: cleaned(display), callerNumber: user, origCallerName: cleaned(display), origCallerNum: user,
		networkAddr: source.Addr().String(), ani: user, destination: cleaned(req.Recipient.User),
		source: "mod_sofia", context: "public", uuid: c.uuid, channelID: c.name,
	}
	v.setForeign("sip_local_network_addr", c.srv.sipHost)
	v.setForeign("sip_network_ip", source.Addr().String())
	v.setForeign("sip_network_port", itoa(int(source.Port())))
	v.setForeign("sip_invite_stamp", micros(c.times.created))
	v.setForeign("sip_received_ip", source.Addr().String())
	v.setForeign("sip_received_port", itoa(int(source.Port())))
	v.setForeign("sip_via_protocol", "udp")
	v.setForeign("sip_from_user_stripped", strings.TrimPrefix(from.Address.User, "+"))
	v.setForeign("sip_from_tag", c.leg.remoteTag)
	v.setForeign("sofia_profile_name", profileName)
	v.setForeign("sofia_profile_url", c.leg.stack.contactURI("mod_sofia"))
	v.setForeign("recovery_profile_name", profileName)
	c.setRecordRoute(req.GetHeaders("Record-Route"), true)
	v.setForeign("sip_full_via", joinValues(req.GetHeaders("Via")))
	v.setForeign("sip_from_display", display)
	v.setForeign("sip_full_from", from.Value())
	v.setForeign("sip_full_to", to.Value())
	setURI(v, "sip_req", req.Recipient, "user", "port", "uri", "host")
	setURI(v, "sip_to", to.Address, "user", "port", "uri", "host")
	setURI(v, "sip_contact", contact, "user", "port", "uri", "host", "params")
	v.setForeign("rtp_use_codec_string", "PCMU,PCMA")
	if h := req.GetHeader("User-Agent"); h != nil {
		v.setForeign("sip_user_agent", h.Value())
	}
	v.setForeign("sip_via_host", req.Via().Host)
	v.setForeign("sip_via_port", itoa(req.Via().Port))
	c.setExtraHeaders(req)
	hops := "70"
	if h := req.MaxForwards(); h != nil {
		hops = itoa(int(h.Val()))
	}
	v.setForeign("max_forwards", hops)
	if len(req.Body()) > 0 {
		v.setForeign("switch_r_sdp", string(req.Body()))
		v.setForeign("ep_codec_string", "CORE_PCM_MODULE."+c.leg.peer.codec+"@8000h@20i@64000b")
	}
	v.setForeign("endpoint_disposition", "DELAYED NEGOTIATION")
}

// setRecordRoute keeps the route set as FreeSWITCH shows it: the way that our
// requests take, and the other way round.
func (c *channel) setRecordRoute(headers []sip.Header, in bool) {
	routes := splitRoutes(headers)
	if len(routes) == 0 {
		return
	}
	forward, backward := strings.Join(routes, ","), strings.Join(reversed(routes), ",")
	if !in {
		forward, backward = backward, forward
	}
	c.vars.setForeign("sip_invite_route_uri", forward)
	c.vars.setForeign("sip_invite_record_route", backward)
}

func reversed(routes []string) []string {
	out := make([]string, 0, len(routes))
	for i := len(routes) - 1; i >= 0; i-- {
		out = append(out, routes[i])
	}
	return out
}

func joinValues(headers []sip.Header) string {
	values := make([]string, 0, len(headers))
	for _, h := range headers {
		values = append(values, h.Value())
	}
	return strings.Join(values, ",")
}

// setExtraHeaders keeps foreign headers as variables: X-, P- and a few more as
// sip_h_NAME (sofia.c, sofia_handle_sip_i_invite).
func (c *channel) setExtraHeaders(req *sip.Request) {
	for _, h := range req.Headers() {
		name, lower := h.Name(), strings.ToLower(h.Name())
		switch {
		case lower == "diversion", lower == "history-info", lower == "accept-language":
			c.vars.setForeign("sip_"+name, h.Value())
		case strings.HasPrefix(lower, "x-"), strings.HasPrefix(lower, "p-"), lower == "user-to-user", strings.HasPrefix(lower, "k-"):
			c.vars.setForeign("sip_h_"+name, h.Value())
		}
	}
}
