package fstest

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"
)

// prepareOutbound reads where a new leg goes and who calls.
func (c *channel) prepareOutbound(d *dial, t target, profileName, destination string) bool {
	uri, path, ok := parseDestination(destination)
	if !ok {
		return false
	}
	stack := c.srv.sip
	l := stack.newLeg(c, false)
	l.target = uri
	l.uri = uri.String()
	if path != "" {
		l.routes = []string{}
		for _, r := range splitOutside(path, ',') {
			l.routes = append(l.routes, "<"+strings.Trim(strings.TrimSpace(r), "<>")+">")
		}
	}
	c.name = "sofia/" + profileName + "/" + uriText(uri)
	c.setOutboundProfile(d, t, uri)
	c.vars.set("sip_local_network_addr", c.srv.sipHost)
	c.vars.set("sip_profile_name", profileName)
	for _, kind := range []string{"video", "audio", "text"} {
		c.vars.set(kind+"_media_flow", "disabled")
	}
	c.vars.set("channel_name", c.name)
	c.vars.set("sip_destination_url", uri.String())
	if a := d.caller; a != nil {
		hops, _ := a.vars.get("max_forwards")
		c.vars.set("max_forwards", itoa(max(0, atoi(hops)-1)))
		c.vars.set("originator", a.uuid)
		c.vars.set("signal_bond", a.uuid)
		if sdp, ok := a.vars.get("switch_r_sdp"); ok {
			c.vars.set("switch_m_sdp", sdp)
		}
	}
	return true
}

// parseDestination reads "sip:user@host:port;params", with or without "sip:"
// and brackets; ";fs_path=" says through which proxies, URL-encoded
// (sofia_glue.c, sofia_glue_get_destination).
func parseDestination(text string) (uri sip.Uri, path string, ok bool) {
	text = strings.Trim(strings.TrimSpace(text), "<>")
	if before, after, found := strings.Cut(text, ";fs_path="); found {
		if end := strings.IndexAny(after, ">;"); end >= 0 {
			after = after[:end]
		}
		text, path = before, decodeURL(after)
	}
	if before, _, found := strings.Cut(text, ";fs_"); found {
		text = before
	}
	if !strings.HasPrefix(text, "sip:") {
		text = "sip:" + text
	}
	if strings.ContainsAny(text, "\r\n\x00 ") || sip.ParseUri(text, &uri) != nil || uri.Host == "" {
		return uri, "", false
	}
	if transport, found := uri.UriParams.Get("transport"); found && !strings.EqualFold(transport, "udp") {
		return uri, "", false
	}
	return uri, path, true
}

// setOutboundProfile is the caller profile of a new leg: the caller's, unless
// effective_ or origination_caller_id_ say otherwise.
func (c *channel) setOutboundProfile(d *dial, t target, uri sip.Uri) {
	p := profile{
		direction: outbound, logicalDirection: outbound, callerNumber: "0000000000", origCallerNum: "0000000000",
		ani: "0000000000", source: "src/switch_ivr_originate.c", context: "default",
	}
	if a := d.caller; a != nil {
		p = a.profile
		p.direction, p.logicalDirection, p.source = outbound, outbound, "mod_sofia"
		p.rdnis, p.transferSource = "", ""
		c.showOther("originator", a)
		if name, ok := a.vars.get("effective_caller_id_name"); ok {
			p.callerName = name
		}
		if number, ok := a.vars.get("effective_caller_id_number"); ok {
			p.callerNumber = number
		}
	}
	if name := lookup(t.vars, &d.vars, "origination_caller_id_name"); name != "" {
		p.callerName, p.origCallerName = name, name
	}
	if number := lookup(t.vars, &d.vars, "origination_caller_id_number"); number != "" {
		p.callerNumber, p.origCallerNum = number, number
	}
	p.calleeName, p.calleeNumber, p.destination = "Outbound Call", uri.User, uri.User
	p.uuid, p.channelID = c.uuid, c.name
	c.profile = p
}

// invite sends the INVITE of a leg (sofia_glue.c, sofia_glue_do_invite).
func (l *sipLeg) invite() {
	c := l.ch
	if !l.openMedia() {
		c.hangup(causeTemporaryFailure)
		return
	}
	v := &c.vars
	l.body = l.localSDP(nil)
	l.callID = uuid.NewString()
	if id, ok := v.get("sip_invite_call_id"); ok {
		l.callID = oneLine(id)
	}
	l.contact = l.stack.contactURI("mod_sofia")
	l.localSeq = uint32(time.Now().Unix()>>1) & 0x7fffffff
	if seq, ok := v.get("sip_invite_cseq"); ok {
		l.localSeq = uint32(atoi(seq)) + 1 // as the engine does
	}
	l.setParties()
	if route, ok := v.get("sip_invite_route_uri"); ok {
		l.routes = splitOutside(oneLine(route), ',')
	}
	if params, ok := v.get("sip_invite_params"); ok {
		if uri, err := parseNameAddr(l.uri + ";" + oneLine(params)); err == nil {
			l.target = uri
		}
	}
	if uri, ok := v.get("sip_invite_req_uri"); ok {
		if parsed, err := parseNameAddr(oneLine(uri)); err == nil {
			l.target = parsed
		}
	}
	l.setOfferVariables()
	l.register()
	l.transmit()
}

// setParties fills From and To in. Taking a call over from another engine
// brings both with their tags (sip_handle_full_from, sip_handle_full_to).
func (l *sipLeg) setParties() {
	c := l.ch
	user := c.profile.callerNumber
	host := l.stack.srv.sipHost
	if domain, ok := c.vars.get("sip_invite_domain"); ok {
		host = domain
	}
	l.local = `"` + escapeQuoted(c.profile.callerName) + `" <sip:` + escapeUser(user) + "@" + host + ">"
	if c.profile.callerName == "" {
		l.local = "<sip:" + escapeUser(user) + "@" + host + ">"
	}
	l.remote = "<" + l.uri + ">"
	if to, ok := c.vars.get("sip_invite_to_uri"); ok {
		l.remote = "<" + strings.Trim(oneLine(to), "<>") + ">"
	}
	if full, ok := c.vars.get("sip_handle_full_from"); ok {
		l.local, l.localTag = withoutTag(oneLine(full)), tagIn(full, l.localTag)
	}
	if full, ok := c.vars.get("sip_handle_full_to"); ok {
		l.remote, l.remoteTag = withoutTag(oneLine(full)), tagIn(full, "")
	}
}

// tagIn reads the tag of a full header, or another one when it has none.
func tagIn(text, otherwise string) string {
	_, rest, ok := strings.Cut(text, ";tag=")
	if !ok {
		return otherwise
	}
	tag, _, _ := strings.Cut(rest, ";")
	return tag
}

// escapeQuoted makes a name fit between quotes (RFC 3261 25.1, quoted-string).
func escapeQuoted(name string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(name))
}

// escapeUser makes a number fit before the "@" of a URI.
func escapeUser(user string) string {
	var b strings.Builder
	for i := 0; i < len(user); i++ {
		c := user[i]
		if c > ' ' && c < 0x7f && !strings.ContainsRune(`"#%<>@[\]^{|}:/;?,`, rune(c)) {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
	}
	return b.String()
}

// setOfferVariables are those that CHANNEL_CREATE of an outbound leg carries.
func (l *sipLeg) setOfferVariables() {
	v := &l.ch.vars
	v.set("rtp_use_codec_string", "PCMU,PCMA")
	v.set("audio_media_flow", "sendrecv")
	v.set("rtp_local_sdp_str", string(l.body))
	v.set("sip_outgoing_contact_uri", "<"+l.contact+">")
	v.set("sip_req_uri", uriText(l.target))
	v.set("sip_to_host", hostOf(l.target))
	v.set("sip_from_host", l.stack.srv.sipHost)
	v.set("sofia_profile_name", l.stack.srv.options.Profiles[0])
	v.set("recovery_profile_name", l.stack.srv.options.Profiles[0])
	v.set("sofia_profile_url", l.stack.contactURI("mod_sofia"))
}

// transmit builds and sends the INVITE.
func (l *sipLeg) transmit() {
	c := l.ch
	headers := c.extraHeaders("sip_h_")
	if text, ok := c.vars.get("alert_info"); ok {
		headers = append(headers, field{"Alert-Info", text})
	}
	headers = append(headers, field{"Supported", "timer"})
	l.branch = newBranch()
	data, hop := l.dialogRequest("INVITE", l.branch, l.localSeq, headers, l.body)
	l.hop, l.firstSeq = hop, l.localSeq
	l.inviting = &clientTransaction{
		method: "INVITE", data: data, destination: hop, onResponse: l.onResponse, makeAck: l.ackFailure,
	}
	l.stack.request(l.inviting, l.branch)
}

// onResponse is a response to our INVITE.
func (l *sipLeg) onResponse(status int, phrase string, res *sip.Response) {
	c := l.ch
	if status < 200 {
		if l.cancelled {
			l.sendCancel()
			return
		}
		l.onProvisional(status, res)
		return
	}
	if status < 300 {
		l.onAnswer(res)
		return
	}
	if l.ended {
		return
	}
	l.ended = true
	l.hangupPhrase = phrase
	v := &c.vars
	cause := causeFromSIP(status)
	l.learnSource(res)
	v.set("sip_call_id", l.callID)
	v.set("sip_hangup_disposition", "recv_refuse")
	v.set("sip_invite_failure_status", itoa(status))
	v.set("sip_invite_failure_phrase", phrase)
	v.set("sip_term_status", itoa(status))
	v.set("proto_specific_hangup_cause", "sip:"+itoa(status))
	v.set("sip_term_cause", itoa(cause))
	if a := c.originator; a != nil {
		a.vars.set("sip_invite_failure_status", itoa(status))
		a.vars.set("sip_invite_failure_phrase", phrase)
	}
	c.hangup(cause)
}

// onProvisional is 180, 182 or a 1xx with a description.
func (l *sipLeg) onProvisional(status int, res *sip.Response) {
	c := l.ch
	if status == 100 || c.hungup || res == nil {
		return
	}
	l.learnDialog(res, false)
	if body := res.Body(); len(body) > 0 && !c.early && !c.answered {
		l.peer = parseSDP(string(body))
		if l.peer.codec != "" {
			c.vars.set("switch_r_sdp", string(body))
			l.agree()
			c.markEarly()
			c.notify()
			return
		}
	}
	if (status == 180 || status == 182) && !c.ringing && !c.early {
		c.ringing = true
		c.times.progress = time.Now()
		c.originator.noteRinging(c)
		c.fire("CHANNEL_PROGRESS")
		c.setCallState(callRinging)
		c.notify()
	}
}

// onAnswer is a 2xx: it is acknowledged every time that it comes.
func (l *sipLeg) onAnswer(res *sip.Response) {
	c := l.ch
	if res == nil {
		return
	}
	if l.confirmed {
		l.sendAck()
		return
	}
	l.learnDialog(res, true)
	l.confirmed = true
	l.sendAck()
	if l.cancelled || c.hungup { // our CANCEL crossed the answer (RFC 3261 9.1)
		l.send("BYE", nil, nil, nil)
		return
	}
	l.peer = parseSDP(string(res.Body()))
	if l.peer.codec == "" {
		c.hangup(causeIncompatible)
		return
	}
	c.vars.set("switch_r_sdp", string(res.Body()))
	c.vars.set("ep_codec_string", "CORE_PCM_MODULE."+l.peer.codec+"@8000h@20i@64000b")
	l.agree()
	l.listen(ourEventPayload)
	c.answered = true
	c.times.answered = time.Now()
	c.fire("CHANNEL_ANSWER")
	c.vars.set("endpoint_disposition", "ANSWER")
	c.setCallState(callActive)
	c.notify()
}

// learnDialog takes tag, target and, with the answer, the route set from a
// response (RFC 3261 12.1.2).
func (l *sipLeg) learnDialog(res *sip.Response, final bool) {
	c, v := l.ch, &l.ch.vars
	if tag := tagOf(res.To().Params); tag != "" {
		l.remoteTag = tag
		l.remote = withoutTag(res.To().Value())
	}
	if contact := res.Contact(); contact != nil {
		l.target = contact.Address
		v.set("sip_recover_contact", "<"+contact.Address.String()+">")
		setURI(v, "sip_contact", contact.Address, "user", "port", "uri", "host")
	}
	if routes := splitRoutes(res.GetHeaders("Record-Route")); len(routes) > 0 {
		if final {
			l.routes = reversed(routes)
		}
		c.setRecordRoute(res.GetHeaders("Record-Route"), false)
	} else if final {
		if _, taken := v.get("sip_handle_full_to"); !taken {
			l.routes = nil
		}
	}
	l.learnSource(res)
	v.set("sip_full_via", joinValues(res.GetHeaders("Via")))
	v.set("sip_recover_via", joinValues(res.GetHeaders("Via")))
	v.set("sip_from_display", c.profile.callerName)
	v.set("sip_full_from", res.From().Value())
	v.set("sip_full_to", res.To().Value())
	setURI(v, "sip_from", res.From().Address, "user", "uri", "host")
	setURI(v, "sip_to", res.To().Address, "user", "port", "uri", "host")
	v.set("sip_to_tag", l.remoteTag)
	v.set("sip_from_tag", l.localTag)
	v.set("sip_cseq", itoa(int(l.localSeq)))
	v.set("sip_call_id", l.callID)
}

// learnSource keeps where an answer came from; a failure of our own making
// comes from ourselves, as sofia sees it.
func (l *sipLeg) learnSource(res *sip.Response) {
	c, v := l.ch, &l.ch.vars
	host, port := l.stack.srv.sipHost, l.stack.srv.sipPort
	if res != nil {
		if source, err := netip.ParseAddrPort(res.Source()); err == nil {
			host, port = source.Addr().String(), int(source.Port())
		}
		if c.profile.networkAddr == "" {
			c.profile.networkAddr = host
		}
	}
	v.set("sip_reply_host", host)
	v.set("sip_reply_port", itoa(port))
	v.set("sip_network_ip", host)
	v.set("sip_network_port", itoa(port))
}

// sendAck acknowledges a 2xx: a request of its own along the route set (RFC
// 3261 13.2.2.4).
func (l *sipLeg) sendAck() {
	data, hop := l.dialogRequest("ACK", newBranch(), l.firstSeq, nil, nil)
	l.stack.write(hop, data, nil)
}

// ackFailure is the ACK of a final failure, inside the INVITE's transaction
// (RFC 3261 17.1.1.3).
func (l *sipLeg) ackFailure(res *sip.Response) []byte {
	return l.repeatInvite("ACK", res.To().Value(), nil)
}

// cancel gives up on an INVITE: now, or when the first provisional comes.
func (l *sipLeg) cancel(headers []field) {
	l.cancelHeaders = headers
	if l.inviting == nil || l.inviting.final != 0 || l.cancelled {
		return
	}
	l.cancelled = true
	if l.inviting.provisional {
		l.sendCancel()
	}
}

// sendCancel sends the CANCEL, once (RFC 3261 9.1).
func (l *sipLeg) sendCancel() {
	if l.cancelSent {
		return
	}
	l.cancelSent = true
	data := l.repeatInvite("CANCEL", "", l.cancelHeaders)
	l.stack.request(&clientTransaction{method: "CANCEL", data: data, destination: l.hop}, l.branch)
}

// repeatInvite writes a request with the INVITE's Via, Route, From, Call-ID and
// CSeq number, and with its To unless there is another.
func (l *sipLeg) repeatInvite(method, to string, headers []field) []byte {
	text := string(l.inviting.data)
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	_, uri, _ := strings.Cut(lines[0], " ")
	var b strings.Builder
	b.WriteString(method + " " + uri + "\r\n")
	for _, line := range lines[1:] {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Via", "Route", "Max-Forwards", "From", "Call-ID":
			b.WriteString(line + "\r\n")
		case "To":
			if to != "" {
				line = "To: " + to
			}
			b.WriteString(line + "\r\n")
		}
	}
	b.WriteString("CSeq: " + itoa(int(l.firstSeq)) + " " + method + "\r\n")
	b.WriteString("User-Agent: " + userAgent + "\r\n")
	writeHeaders(&b, headers, nil)
	return []byte(b.String())
}
