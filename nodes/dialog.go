package nodes

import (
	"cmp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tandem/esl"
	"tandem/messages"
)

// learn takes the dialog of an answered leg from an event of it, for the owner and for the standby, who may have to go on
// from there. It runs under the shard's lock, after the step. What is new is told by another goroutine.
func (s *shard) learn(e *esl.Event) {
	if s.node.options.Live == nil {
		return
	}
	leg := e.UniqueID()
	c := s.calls[leg]
	if c != nil && !c.late && e.Get("Answer-State") != "answered" {
		s.learnEarly(c, leg, e)
	}
	switch {
	case c == nil || e.Get("Answer-State") != "answered":
		return
	case e.Name() == "CHANNEL_HOLD", e.Name() == "CHANNEL_UNHOLD":
		s.node.looks.addTwice(leg) // the event comes before the node's own description has changed
	}
	s.learnDialog(c, leg, e)
}

// learnAfterGap takes what a dump of the driven leg says of its dialog, and has the other legs looked at: they may have been
// answered while nobody listened.
func (s *shard) learnAfterGap(c *call, d dump) {
	if s.node.options.Live == nil {
		return
	}
	if d.Get("Answer-State") == "answered" {
		s.learnDialog(c, c.state.DrivenLeg(), d)
	}
	for _, l := range c.state.Legs {
		if l.ID != c.state.DrivenLeg() && !l.HungUp {
			s.node.looks.add(l.ID)
		}
	}
}

// learnDialog keeps what an event or a dump of a leg says of its dialog, if it is new.
func (s *shard) learnDialog(c *call, leg string, h headers) {
	had := c.dialogs[leg]
	d := dialogOf(h, had)
	d.Call, d.Leg = c.state.Call.ID, leg
	if d.Digest = d.Sum(); had != nil && had.Digest == d.Digest || !d.Valid() {
		return
	}
	if c.dialogs == nil {
		c.dialogs = map[string]*messages.Dialog{}
	}
	c.dialogs[leg] = &d
	defer s.tellNews(c) // what names the dialog may be new
	switch {
	case s.node.role.Load() != owning:
	case complete(&d):
		s.node.telling.dialog(&d)
	default:
		s.node.looks.add(leg)
	}
}

// complete says whether another node could carry the dialog on. The local tag of a caller's leg is known only after the
// ACK, of which no event tells.
func complete(d *messages.Dialog) bool {
	return d != nil && d.CallID != "" && tagOf(d.Local) != "" && tagOf(d.Remote) != "" && d.Target != ""
}

// dialogOf reads a leg's dialog from its channel's variables (mod_sofia, sofia.c: extract_header_vars and extract_vars; for
// the descriptions switch_core_media.c). had is what was known before, or nil.
//
// The variables are those of the last message: an ACK of the peer's, or a response to a request of the node's. In the one
// From is the peer, in the other it is the node, and sip_cseq is the number of whoever sent the request.
func dialogOf(h headers, had *messages.Dialog) messages.Dialog {
	d := messages.Dialog{Inbound: h.Get("Call-Direction") == "inbound"}
	if had != nil {
		d = *had
	}
	if d.At = microseconds(h.Get("Event-Date-Timestamp")); d.At.IsZero() {
		d.At = time.Now().UTC()
	}
	if answered := microseconds(h.Get("Caller-Channel-Answered-Time")); !answered.IsZero() {
		d.AnsweredAt = answered
	}
	from, to := h.Variable("sip_full_from"), h.Variable("sip_full_to")
	ours := requestIsOurs(h, had, from)
	if !ours {
		from, to = to, from
	}
	d.Local, d.Remote = keepParty(from, d.Local), keepParty(to, d.Remote)
	if n, err := strconv.ParseUint(h.Variable("sip_cseq"), 10, 31); err == nil { // RFC 3261 8.1.1.5
		if ours {
			d.LocalCSeq = max(d.LocalCSeq, uint32(n))
		} else {
			d.RemoteCSeq = max(d.RemoteCSeq, uint32(n))
		}
	}
	d.CallID = cmp.Or(h.Variable("sip_call_id"), d.CallID)
	d.Target = cmp.Or(targetOf(h, d.Inbound), d.Target)
	d.Routes = cmp.Or(h.Variable("sip_invite_route_uri"), d.Routes)
	if host, port := h.Variable("sip_network_ip"), h.Variable("sip_network_port"); host != "" {
		d.Edge = host + ":" + port
	}
	d.Transport = cmp.Or(h.Variable("sip_via_protocol"), d.Transport)
	d.Profile = cmp.Or(h.Variable("sofia_profile_name"), d.Profile)
	d.LocalSDP = cmp.Or(messages.KeepSDP(h.Variable("rtp_local_sdp_str")), d.LocalSDP)
	d.RemoteSDP = cmp.Or(messages.KeepSDP(h.Variable("switch_r_sdp")), d.RemoteSDP)
	d.Codec = cmp.Or(h.Variable("rtp_last_audio_codec_string"), d.Codec)
	d.Payload = payload(h, "rtp_use_pt", d.Payload)
	d.EventSend = payload(h, "rtp_2833_send_payload", d.EventSend)
	d.EventReceive = payload(h, "rtp_2833_recv_payload", d.EventReceive)
	return d
}

// requestIsOurs says whether From is the node. Once both tags are known they say so; before, the top Via of a response to
// us is our own, and in the last resort who called whom. (dlg_req_swap_direction tells only that the parties have changed
// places once.)
func requestIsOurs(h headers, had *messages.Dialog, from string) bool {
	if complete(had) {
		if tag := tagOf(from); tag == tagOf(had.Local) || tag == tagOf(had.Remote) {
			return tag == tagOf(had.Local)
		}
	}
	_, us, ok := strings.Cut(h.Variable("sofia_profile_url"), "@")
	via := strings.Fields(h.Variable("sip_full_via"))
	if ok && len(via) > 1 {
		sentBy, _, _ := strings.Cut(via[1], ";") // SIP/2.0/UDP host:port;branch=
		us, _, _ = strings.Cut(us, ";")
		return sentBy == us
	}
	return h.Get("Call-Direction") == "outbound"
}

// targetOf is the URI in the peer's Contact.
func targetOf(h headers, inbound bool) string {
	if contact := h.Variable("sip_recover_contact"); !inbound && contact != "" {
		if _, uri, ok := strings.Cut(contact, "<"); ok {
			contact, _, _ = strings.Cut(uri, ">")
		}
		return contact
	}
	uri := h.Variable("sip_contact_uri")
	if uri == "" {
		return ""
	}
	if params := h.Variable("sip_contact_params"); params != "" {
		uri += ";" + params
	}
	return "sip:" + uri
}

// keepParty is a From or To as it is kept: without a display name that no message can carry.
func keepParty(party, had string) string {
	if len(party) > messages.MaxURI || !utf8.ValidString(party) {
		if at := strings.LastIndexByte(party, '<'); at >= 0 {
			party = party[at:]
		}
	}
	return cmp.Or(party, had)
}

// tagOf reads the tag of a From or To (RFC 3261 20.20): outside the URI.
func tagOf(party string) string {
	if at := strings.LastIndexByte(party, '>'); at >= 0 {
		party = party[at:]
	}
	_, rest, _ := strings.Cut(party, ";tag=")
	tag, _, _ := strings.Cut(rest, ";")
	return tag
}

func payload(h headers, name string, had int) int {
	n, err := strconv.ParseUint(h.Variable(name), 10, 7)
	if err != nil {
		return had
	}
	return int(n)
}
