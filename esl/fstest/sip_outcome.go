package fstest

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

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
