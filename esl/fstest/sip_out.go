package fstest

import (
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
	// With a path the way there is the path's (sofia_glue.c, sofia_glue_do_invite), and how its end is reached is for the edge to know.
	if transport, found := uri.UriParams.Get("transport"); found && path == "" && !strings.EqualFold(transport, "udp") {
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
