package fstest

import (
	"net/url"
	"strings"
)

// receiveRefer carries out a transfer (RFC 3515; mod_sofia's sofia.c, sofia_handle_sip_i_refer): it is accepted at once, and a NOTIFY
// says what came of it. Not modelled: a REFER whose Replaces names a dialog that is not here, for which the engine dials the
// Refer-To itself (it is refused), and one that names a call that still rings (refused as well).
func (l *sipLeg) receiveRefer(tx *serverTransaction) {
	c, req := l.ch, tx.request
	tx.send(202, "Accepted", l.localTag, []field{{"Contact", "<" + l.contact + ">"}, {"Expires", "60"}}, nil)
	h := req.GetHeader("Refer-To")
	if h == nil {
		return
	}
	target, err := parseNameAddr(h.Value())
	if err != nil {
		return
	}
	r := &refer{leg: l, exten: target.User, to: h.Value(), event: "refer;id=" + itoa(int(req.CSeq().SeqNo))}
	if by := req.GetHeader("Referred-By"); by != nil {
		r.by = by.Value()
	}
	c.vars.set("transfer_disposition", "recv_replace")
	if replaces, ok := replacesIn(h.Value()); ok {
		r.attended(l.stack.replaced(replaces))
		return
	}
	r.blind()
}

// refer is one REFER being carried out.
type refer struct {
	leg   *sipLeg
	exten string // the user of Refer-To
	to    string // Refer-To
	by    string // Referred-By
	event string
}

// notify tells the transferor what came of it, and that no more will be told.
func (r *refer) notify(status string) {
	r.leg.send("NOTIFY", []field{{"Event", r.event}, {"Subscription-State", "terminated;reason=noresource"},
		{"Content-Type", "message/sipfrag;version=2.0"}}, []byte("SIP/2.0 "+status+"\r\n"), nil)
}

// blind sends the other party to the dialplan.
func (r *refer) blind() {
	c := r.leg.ch
	b := c.partner
	to := r.exten
	if b != nil {
		to = b.uuid
	}
	c.vars.set("transfer_to", "blind:"+to)
	c.vars.set("transfer_destination", "blind:"+r.exten)
	if b == nil {
		c.vars.set("endpoint_disposition", "ATTENDED_TRANSFER_ERROR")
		r.notify("403 Forbidden")
		return
	}
	c.vars.set("transfer_fallback_extension", userOf(r.leg.remote))
	c.vars.set("endpoint_disposition", "BLIND_TRANSFER")
	r.notify("200 OK")
	r.send(b, r.exten)
}

func userOf(party string) string {
	uri, err := parseNameAddr(party)
	if err != nil {
		return ""
	}
	return uri.User
}

// send sends a channel to a number of the dialplan, which parks it.
func (r *refer) send(b *channel, exten string) {
	if r.by != "" {
		b.vars.setForeign("sip_h_Referred-By", r.by)
	}
	b.vars.setForeign("sip_refer_to", r.to)
	b.transferTo([]string{cleaned(exten), "tandem", "XML"})
}

// attended joins the parties of the two talks, or sends the one that there is to where the other talk went.
func (r *refer) attended(b *channel) {
	a := r.leg.ch
	if b == nil || a == b || deniesRefer(a, b, a.partner, b.partner) || len(b.dialled) > 0 && b.partner == nil {
		r.notify("403 Forbidden")
		return
	}
	a.vars.set("refer_uuid", b.uuid)
	b.vars.set("transfer_disposition", "replaced")
	toA, toB := a.partner, b.partner
	switch {
	case toA != nil && toB != nil:
		a.vars.set("transfer_to", "att:"+toB.uuid)
		toB.vars.set("transfer_disposition", "bridge")
		r.leg.stack.srv.uuidBridge(toA.uuid, toB.uuid)
		b.vars.set("endpoint_disposition", "ATTENDED_TRANSFER")
		r.notify("200 OK")
		if b.direction == outbound && b.redirect == nil {
			b.vars.set("park_timeout", "2:attended_transfer")
			b.send(&redirect{actions: parkAction, direct: true})
		}
	case toA != nil:
		r.send(toA, b.profile.destination)
		r.notify("200 OK")
		b.hangup(causeAttendedTransfer)
	case toB != nil:
		b.hangup(causeAttendedTransfer)
		r.send(toB, a.profile.destination)
		r.notify("200 OK")
		a.hangup(causeAttendedTransfer)
	default:
		r.notify("403 Forbidden")
	}
}

// deniesRefer says whether one of the channels says that nobody may be transferred to or from it.
func deniesRefer(channels ...*channel) bool {
	for _, c := range channels {
		if c != nil && c.vars.isTrue("deny_refer_requests") {
			return true
		}
	}
	return false
}

// replacesIn reads the Replaces header (RFC 3891) in the URI of a Refer-To.
func replacesIn(referTo string) (string, bool) {
	_, headers, _ := strings.Cut(referTo, "?")
	headers, _, _ = strings.Cut(headers, ">")
	for _, h := range strings.Split(headers, "&") {
		name, value, _ := strings.Cut(h, "=")
		if strings.EqualFold(name, "Replaces") {
			text, err := url.PathUnescape(value)
			return text, err == nil
		}
	}
	return "", false
}

// replaced finds the channel of the dialog that a Replaces header names, or nil: by its tags, or else by its Call-ID.
func (t *sipStack) replaced(replaces string) *channel {
	parts := strings.Split(replaces, ";")
	for _, p := range parts[1:] {
		if _, tag, found := strings.Cut(p, "="); found {
			if leg := t.dialogs[dialogKey(parts[0], tag)]; leg != nil && !leg.ch.gone() {
				return leg.ch
			}
		}
	}
	for _, c := range t.srv.order {
		if c.leg != nil && c.leg.callID == parts[0] && !c.gone() {
			return c
		}
	}
	return nil
}
