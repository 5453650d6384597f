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
	setURI(v, "sip_contact", contact, "user", "port", "uri", "host")
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

// onAck is the ACK of our final response.
func (l *sipLeg) onAck(ack *sip.Request) {
	c := l.ch
	if !l.confirmed {
		return
	}
	l.ackSeen = true
	c.vars.set("sip_to_tag", l.localTag)
	c.vars.set("sip_cseq", itoa(int(ack.CSeq().SeqNo)))
	c.vars.set("sip_full_via", joinValues(ack.GetHeaders("Via")))
	c.vars.set("sip_full_to", ack.To().Value())
	if body := ack.Body(); len(body) > 0 && l.peer.codec == "" { // the answer to our offer
		l.peer = parseSDP(string(body))
		c.vars.set("switch_r_sdp", string(body))
		l.agree()
		l.listen(l.peer.event)
	}
	c.notify()
}

// acknowledged is an ACK inside the dialog: of the INVITE or of a re-INVITE.
func (l *sipLeg) acknowledged(ack *sip.Request) {
	for _, tx := range l.stack.servers {
		if tx.request.Method == sip.INVITE && tx.final >= 200 && tx.final < 300 && !tx.acked &&
			tx.request.CSeq().SeqNo == ack.CSeq().SeqNo && tx.request.CallID().Value() == l.callID {
			tx.confirm(ack)
			return
		}
	}
}

// cancelledByPeer is a CANCEL of the call: 487 and ORIGINATOR_CANCEL.
func (l *sipLeg) cancelledByPeer(*sip.Request) {
	c := l.ch
	l.server.send(487, "Request Terminated", l.localTag, nil, nil)
	l.ended = true
	l.hangupPhrase = "Request Terminated"
	c.vars.set("sip_hangup_disposition", "recv_cancel")
	c.vars.set("sip_invite_failure_status", "487")
	c.vars.set("sip_invite_failure_phrase", "CANCEL")
	c.vars.set("sip_term_status", "487")
	c.vars.set("proto_specific_hangup_cause", "sip:487")
	c.vars.set("sip_term_cause", itoa(causeOriginatorCancel))
	c.hangup(causeOriginatorCancel)
}

// receive handles a request inside the dialog. One that is older than the last
// is refused (RFC 3261 12.2.2).
func (l *sipLeg) receive(tx *serverTransaction) {
	req := tx.request
	if l.remoteSeq != 0 && req.CSeq().SeqNo <= l.remoteSeq {
		tx.reply(500, "Server Internal Error", field{"Retry-After", "1"})
		return
	}
	l.remoteSeq = req.CSeq().SeqNo
	switch req.Method {
	case sip.BYE:
		l.receiveBye(tx)
	case sip.INVITE:
		l.receiveReinvite(tx)
	case sip.INFO:
		l.receiveInfo(tx)
	case sip.UPDATE:
		l.receiveUpdate(tx)
	case sip.OPTIONS:
		tx.reply(200, "OK", field{"Allow", allowedMethods})
	default:
		tx.reply(405, "Method Not Allowed", field{"Allow", allowedMethods})
	}
}

// receiveBye ends the call (sofia.c, sofia_handle_sip_i_bye).
func (l *sipLeg) receiveBye(tx *serverTransaction) {
	c := l.ch
	cause := causeNormalClearing
	if h := tx.request.GetHeader("Reason"); h != nil {
		c.vars.set("sip_reason", h.Value())
		if n := q850Cause(h.Value()); n != 0 {
			cause = n
		}
	}
	tx.reply(200, "OK")
	if l.server != nil && l.server.final == 0 {
		l.server.send(487, "Request Terminated", l.localTag, nil, nil)
	}
	l.ended = true
	l.hangupPhrase = "OK"
	c.vars.set("sip_term_status", "200")
	c.vars.set("proto_specific_hangup_cause", "sip:200")
	c.vars.set("sip_term_cause", itoa(cause))
	c.hangup(cause)
	c.vars.set("sip_hangup_disposition", "recv_bye")
}

// q850Cause reads "Q.850;cause=17" (RFC 3326).
func q850Cause(text string) int {
	protocol, rest, _ := strings.Cut(text, ";")
	if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
		return 0
	}
	for _, part := range strings.Split(rest, ";") {
		if value, ok := strings.CutPrefix(strings.TrimSpace(part), "cause="); ok {
			return atoi(value)
		}
	}
	return 0
}

// receiveReinvite answers a new description, which may put the call on hold or
// only refresh the session.
func (l *sipLeg) receiveReinvite(tx *serverTransaction) {
	c := l.ch
	if !l.confirmed {
		tx.reply(491, "Request Pending")
		return
	}
	if contact := tx.request.Contact(); contact != nil {
		l.target = contact.Address
	}
	c.vars.set("sip_cseq", itoa(int(tx.request.CSeq().SeqNo)))
	contact := field{"Contact", "<" + l.contact + ">"}
	body := tx.request.Body()
	if len(body) == 0 {
		tx.send(200, "OK", l.localTag, []field{contact}, l.localSDP(nil))
		return
	}
	offer := parseSDP(string(body))
	if offer.codec == "" {
		tx.reply(488, "Not Acceptable Here")
		return
	}
	l.peer = offer
	c.vars.set("switch_r_sdp", string(body))
	tx.send(200, "OK", l.localTag, []field{contact}, l.localSDP(&offer))
	c.setHeld(offer.onHold())
}

// setHeld fires CHANNEL_HOLD or CHANNEL_UNHOLD when the peer changed its mind.
func (c *channel) setHeld(held bool) {
	if held == c.held {
		return
	}
	c.held = held
	if held {
		c.times.lastHold = time.Now()
		c.setCallState(callHeld)
		c.fire("CHANNEL_HOLD")
		return
	}
	c.times.holdTotal += time.Since(c.times.lastHold)
	c.setCallState(callUnheld)
	c.fire("CHANNEL_UNHOLD")
	c.setCallState(callActive)
}

// receiveUpdate is a session refresh (RFC 4028) or a new description (RFC 3311).
func (l *sipLeg) receiveUpdate(tx *serverTransaction) {
	contact := field{"Contact", "<" + l.contact + ">"}
	if body := tx.request.Body(); len(body) > 0 {
		offer := parseSDP(string(body))
		if offer.codec == "" {
			tx.reply(488, "Not Acceptable Here")
			return
		}
		tx.send(200, "OK", l.localTag, []field{contact}, l.localSDP(&offer))
		return
	}
	tx.reply(200, "OK", contact)
}

// receiveInfo reads the digits of application/dtmf-relay and application/dtmf.
func (l *sipLeg) receiveInfo(tx *serverTransaction) {
	tx.reply(200, "OK")
	kind := ""
	if h := tx.request.ContentType(); h != nil {
		kind = strings.ToLower(strings.TrimSpace(h.Value()))
	}
	d := digit{duration: 2000, source: "ENDPOINT"}
	text := strings.TrimSpace(string(tx.request.Body()))
	switch {
	case strings.HasPrefix(kind, "application/dtmf-relay"):
		for _, line := range strings.Split(text, "\n") {
			name, value, ok := strings.Cut(line, "=")
			if !ok {
				continue
			}
			switch value = strings.TrimSpace(value); strings.ToLower(strings.TrimSpace(name)) {
			case "signal":
				d.key = keyOf(value)
			case "duration":
				if n := atoi(value); n > 0 {
					d.duration = n * 8 // milliseconds to samples
				}
			}
		}
	case strings.HasPrefix(kind, "application/dtmf"):
		d.key = keyOf(text)
	}
	liberal := !l.ch.srv.options.StrictDTMF || l.peer.event == "" || l.ch.vars.isTrue("rtp_liberal_dtmf")
	if d.key != 0 && liberal {
		l.ch.pressed(d)
	}
}

// keyOf reads a key by its name or its RFC 4733 number; 0 if it is none.
func keyOf(text string) byte {
	switch {
	case len(text) == 1 && strings.Contains(eventKeys, strings.ToUpper(text)):
		return strings.ToUpper(text)[0]
	case text == "10":
		return '*'
	case text == "11":
		return '#'
	default:
		return 0
	}
}
