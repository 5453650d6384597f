package fstest

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"
)

// userAgent says what this is on the wire too.
const userAgent = "Tandem stand-in (no audio)"

// allowedMethods is our Allow header.
const allowedMethods = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REFER, NOTIFY"

// sipLeg is the dialog of one channel (RFC 3261 12).
type sipLeg struct {
	ch      *channel
	stack   *sipStack
	inbound bool

	callID, localTag, remoteTag string
	local, remote               string // our and their name-addr, without tags
	target                      sip.Uri
	routes                      []string
	localSeq, remoteSeq         uint32
	contact                     string

	server   *serverTransaction // of the INVITE that came in
	inviting *clientTransaction // of the INVITE that went out
	branch   string
	firstSeq uint32 // its CSeq number
	uri      string // its request URI
	hop      string // where it went

	confirmed     bool // a 2xx was sent or received
	ackSeen       bool
	ended         bool // BYE or final failure either way
	cancelled     bool // we want to cancel, or have cancelled
	cancelSent    bool
	cancelHeaders []field
	respondCode   int // the respond application's
	respondText   string
	hangupPhrase  string

	peer       sdpMedia
	digits     *digitSocket
	sdpID      int
	sdpVersion int
	body       []byte // the description last sent
}

func newTag() string { return strings.ReplaceAll(uuid.NewString(), "-", "")[:14] }

func newBranch() string { return "z9hG4bK" + strings.ReplaceAll(uuid.NewString(), "-", "")[:18] }

// newLeg starts the dialog side of a channel.
func (t *sipStack) newLeg(c *channel, in bool) *sipLeg {
	l := &sipLeg{ch: c, stack: t, inbound: in, localTag: newTag(), sdpID: int(time.Now().Unix())}
	c.leg = l
	return l
}

func (l *sipLeg) codecName() string { return l.peer.codec }

// register makes in-dialog requests find the leg.
func (l *sipLeg) register() { l.stack.dialogs[dialogKey(l.callID, l.localTag)] = l }

// openMedia binds the leg's RTP port, once.
func (l *sipLeg) openMedia() bool {
	if l.digits != nil {
		return true
	}
	d, err := l.ch.srv.openDigits()
	if err != nil {
		l.ch.srv.options.Logger.Warn("no RTP port", "error", err)
		return false
	}
	l.digits = d
	l.ch.vars.set("local_media_ip", l.ch.srv.sipHost)
	l.ch.vars.set("local_media_port", itoa(d.port()))
	l.ch.vars.set("advertised_media_ip", l.ch.srv.sipHost)
	return true
}

// listen reads telephone-events once their payload type is agreed.
func (l *sipLeg) listen(payload string) {
	if payload == "" || l.digits == nil {
		return
	}
	c, d, number := l.ch, l.digits, byte(atoi(payload))
	l.ch.srv.spawn(func() { c.readDigits(d, number) })
}

// agree notes what the peer's description and ours have in common.
func (l *sipLeg) agree() {
	c := l.ch
	c.media = true
	c.vars.set("remote_audio_media_flow", l.peer.direction)
	c.vars.set("audio_media_flow", "sendrecv")
	c.vars.set("remote_media_ip", l.peer.ip)
	c.vars.set("remote_media_port", l.peer.port)
	c.vars.set("rtp_audio_recv_pt", l.peer.payload)
	c.vars.set("rtp_use_codec_name", l.peer.codec)
	c.vars.set("rtp_use_codec_rate", "8000")
	c.vars.set("rtp_use_codec_ptime", "20")
	c.vars.set("rtp_use_codec_channels", "1")
	c.vars.set("rtp_last_audio_codec_string", l.peer.codec+"@8000h@20i@1c")
	for _, name := range []string{"read_codec", "original_read_codec", "write_codec"} {
		c.vars.set(name, l.peer.codec)
	}
	for _, name := range []string{"read_rate", "original_read_rate", "write_rate"} {
		c.vars.set(name, "8000")
	}
	dtmf := "info"
	if l.peer.event != "" {
		dtmf = "rfc2833"
		c.vars.set("rtp_2833_send_payload", l.peer.event)
		c.vars.set("rtp_2833_recv_payload", l.peer.event)
	}
	c.vars.set("dtmf_type", dtmf)
	c.vars.set("rtp_use_timer_name", "soft")
	c.vars.set("rtp_use_pt", l.peer.payload)
}

// hangUp says goodbye in the way that the dialog's state asks for
// (mod_sofia.c, sofia_on_hangup).
func (l *sipLeg) hangUp() {
	if l == nil {
		return
	}
	defer delete(l.stack.dialogs, dialogKey(l.callID, l.localTag))
	c := l.ch
	if c.cause == causeLoseRace || c.cause == causePickedOff {
		c.vars.set("call_completed_elsewhere", "true")
	}
	if l.ended {
		return
	}
	l.ended = true
	reason := []field{}
	if text := c.reasonHeader(); text != "" {
		reason = append(reason, field{"Reason", text})
	}
	reason = append(reason, c.extraHeaders("sip_bye_h_")...)
	switch {
	case l.confirmed:
		c.vars.set("sip_hangup_disposition", "send_bye")
		l.send("BYE", reason, nil, nil)
	case l.inbound:
		c.vars.set("sip_hangup_disposition", "send_refuse")
		code, phrase := c.refusal()
		l.server.send(code, phrase, l.localTag, reason, nil)
	default:
		c.vars.set("sip_hangup_disposition", "send_cancel")
		c.vars.set("sip_invite_failure_status", "487")
		c.vars.set("sip_invite_failure_phrase", "CANCEL")
		l.cancel(reason)
	}
}

// reasonHeader is the Reason that FreeSWITCH sends (RFC 3326).
func (c *channel) reasonHeader() string {
	if c.vars.isTrue("disable_q850_reason") {
		return ""
	}
	if text, ok := c.vars.get("sip_reason"); ok {
		return text
	}
	switch {
	case (c.cause == causeLoseRace || c.cause == causePickedOff) && !c.vars.isTrue("ignore_completed_elsewhere"):
		return `SIP;cause=200;text="Call completed elsewhere"`
	case c.cause > 0 && c.cause < causeFirstOwn:
		return "Q.850;cause=" + itoa(c.cause) + `;text="` + causeName(c.cause) + `"`
	default:
		return "SIP;cause=" + itoa(c.cause) + `;text="` + causeName(c.cause) + `"`
	}
}

// refusal is the code of an INVITE that is not answered: that of respond, else
// what a failed callee said (unless sip_ignore_remote_cause), else the cause's.
func (c *channel) refusal() (int, string) {
	if c.leg.respondCode != 0 {
		return c.leg.respondCode, c.leg.respondText
	}
	code := sipCode(c.cause)
	if text, ok := c.vars.get("last_bridge_proto_specific_hangup_cause"); ok && !c.vars.isTrue("sip_ignore_remote_cause") {
		if remote, found := strings.CutPrefix(text, "sip:"); found && atoi(remote) >= 300 {
			code = atoi(remote)
		}
	}
	return code, sipPhrase(code)
}

// extraHeaders are the channel's variables with a prefix, as headers.
func (c *channel) extraHeaders(prefix string) []field {
	var headers []field
	for _, f := range c.vars.fields {
		if name, ok := strings.CutPrefix(f.name, prefix); ok && isToken(name) {
			headers = append(headers, field{name, f.value})
		}
	}
	return headers
}

// isToken keeps what is no header name off the wire (RFC 3261 25.1).
func isToken(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") == ""
}

// respondWith is the respond application: a final code ends the call with it.
func (l *sipLeg) respondWith(code int, reason string) {
	if l == nil || !l.inbound || l.confirmed || l.ended {
		return
	}
	if code < 300 {
		l.server.send(max(code, 101), reason, l.localTag, []field{{"Contact", "<" + l.contact + ">"}}, nil)
		return
	}
	l.respondCode, l.respondText = code, reason
	l.ch.hangup(causeFromSIP(code))
}

// send sends a request inside the dialog along its route set (RFC 3261 12.2.1.1).
func (l *sipLeg) send(method string, headers []field, body []byte, onResponse func(int, string, *sip.Response)) {
	l.localSeq++
	branch := newBranch()
	data, hop := l.dialogRequest(method, branch, l.localSeq, headers, body)
	l.stack.request(&clientTransaction{method: method, data: data, destination: hop, onResponse: onResponse}, branch)
}

// dialogRequest writes a request inside the dialog and says where it goes.
func (l *sipLeg) dialogRequest(method, branch string, seq uint32, headers []field, body []byte) ([]byte, string) {
	uri, routes := l.target.String(), l.routes
	hop := hostOf(l.target)
	if len(routes) > 0 {
		first, err := parseNameAddr(routes[0])
		if err == nil {
			hop = hostOf(first)
			if !first.UriParams.Has("lr") { // strict router: RFC 3261 12.2.1.1
				routes = append(append([]string{}, routes[1:]...), "<"+uri+">")
				uri = first.String()
			}
		}
	}
	var b strings.Builder
	b.WriteString(method + " " + uri + " SIP/2.0\r\n")
	b.WriteString("Via: SIP/2.0/UDP " + l.stack.hostPort() + ";rport;branch=" + branch + "\r\n")
	for _, r := range routes {
		b.WriteString("Route: " + r + "\r\n")
	}
	remote := l.remote
	if l.remoteTag != "" {
		remote += ";tag=" + l.remoteTag
	}
	b.WriteString("Max-Forwards: " + l.hops(method) + "\r\nFrom: " + l.local + ";tag=" + l.localTag + "\r\nTo: " + remote +
		"\r\nCall-ID: " + l.callID + "\r\nCSeq: " + itoa(int(seq)) + " " + method + "\r\n")
	if method == "INVITE" || method == "ACK" || method == "NOTIFY" {
		b.WriteString("Contact: <" + l.contact + ">\r\n")
	}
	b.WriteString("User-Agent: " + userAgent + "\r\nAllow: " + allowedMethods + "\r\n")
	writeHeaders(&b, headers, body)
	return []byte(b.String()), hop
}

// hops is what is left of the caller's Max-Forwards for the INVITE of a leg that was dialled for a caller, as FreeSWITCH passes it
// on (sofia_glue.c, sofia_glue_do_invite).
func (l *sipLeg) hops(method string) string {
	if left, ok := l.ch.vars.get("max_forwards"); ok && !l.inbound && method == "INVITE" && atoi(left) > 0 {
		return itoa(atoi(left))
	}
	return "70"
}

// parseNameAddr reads the URI of "<sip:...>;params" or a bare URI.
func parseNameAddr(text string) (sip.Uri, error) {
	if start := strings.IndexByte(text, '<'); start >= 0 {
		if end := strings.IndexByte(text[start:], '>'); end > 0 {
			text = text[start+1 : start+end]
		}
	}
	var uri sip.Uri
	err := sip.ParseUri(strings.TrimSpace(text), &uri)
	return uri, err
}

// splitRoutes takes header values apart that hold several routes.
func splitRoutes(headers []sip.Header) []string {
	var routes []string
	for _, h := range headers {
		for _, r := range splitOutside(h.Value(), ',') {
			if r = strings.TrimSpace(r); r != "" {
				routes = append(routes, r)
			}
		}
	}
	return routes
}

// withoutTag cuts a name-addr's tag off.
func withoutTag(text string) string {
	start := strings.LastIndex(text, ";tag=")
	if start < 0 {
		return text
	}
	rest := text[start+1:]
	if end := strings.IndexByte(rest, ';'); end >= 0 {
		return text[:start] + rest[end:]
	}
	return text[:start]
}
