package fstest

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// onAck is the ACK of our final response.
func (l *sipLeg) onAck(ack *sip.Request) {
	c := l.ch
	if !l.confirmed {
		return
	}
	l.ackSeen = true
	l.learnAck(ack)
	if body := ack.Body(); len(body) > 0 && l.peer.codec == "" { // the answer to our offer
		l.peer = parseSDP(string(body))
		c.vars.set("switch_r_sdp", string(body))
		l.agree()
		l.listen(l.peer.event)
	}
	c.notify()
}

// learnAck takes what the variables say of the dialog from an ACK of the peer's (sofia.c, nua_i_ack). When the peer of an
// outbound leg is From, that is said for good.
func (l *sipLeg) learnAck(ack *sip.Request) {
	v := &l.ch.vars
	v.set("sip_to_tag", l.localTag)
	v.set("sip_from_tag", l.remoteTag)
	v.set("sip_cseq", itoa(int(ack.CSeq().SeqNo)))
	v.set("sip_full_via", joinValues(ack.GetHeaders("Via")))
	v.set("sip_full_from", ack.From().Value())
	v.set("sip_full_to", ack.To().Value())
	if l.ch.direction == outbound {
		v.set("dlg_req_swap_direction", "true")
		if contact := ack.Contact(); contact != nil {
			v.set("sip_recover_contact", "<"+contact.Address.String()+">")
		}
	}
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
	case sip.REFER:
		l.receiveRefer(tx)
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
	tx.onAck = l.learnAck
	contact := field{"Contact", "<" + l.contact + ">"}
	body := tx.request.Body()
	if len(body) == 0 {
		l.body = l.localSDP(nil)
		tx.send(200, "OK", l.localTag, []field{contact}, l.body)
		c.vars.set("rtp_local_sdp_str", string(l.body))
		return
	}
	offer := parseSDP(string(body))
	if offer.codec == "" {
		tx.reply(488, "Not Acceptable Here")
		return
	}
	l.peer = offer
	c.vars.set("switch_r_sdp", string(body))
	l.body = l.localSDP(&offer)
	tx.send(200, "OK", l.localTag, []field{contact}, l.body)
	c.setHeld(offer.onHold())
	c.vars.set("rtp_local_sdp_str", string(l.body)) // after the event, which carries the one before
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
		c.startMusic()
		return
	}
	c.stopMusic()
	c.times.holdTotal += time.Since(c.times.lastHold)
	c.setCallState(callUnheld)
	c.fire("CHANNEL_UNHOLD")
	c.setCallState(callActive)
}

// startMusic plays to the partner what the leg that holds has as its music (switch_core_media_toggle_hold).
func (c *channel) startMusic() {
	name, _ := c.vars.get("hold_music")
	if c.partner == nil || name == "" || name == "silence" || c.partner.music != nil {
		return
	}
	kind, _, stream := strings.Cut(name, "://")
	c.partner.music = []field{{"Playback-File-Path", name}}
	if stream {
		c.partner.music = []field{{"Playback-File-Type", kind}, {"Playback-File-Path", name}}
	}
	c.partner.fire("PLAYBACK_START", c.partner.music...)
}

// stopMusic ends that.
func (c *channel) stopMusic() {
	if c.partner == nil || c.partner.music == nil {
		return
	}
	about := c.partner.music
	c.partner.music = nil
	c.partner.fire("PLAYBACK_STOP", append(about, field{"Playback-Status", "break"})...)
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
