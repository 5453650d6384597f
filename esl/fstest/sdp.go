package fstest

import (
	"slices"
	"strings"
)

// sdpMedia is what the stand-in reads of a session description: its first
// audio stream (RFC 4566).
type sdpMedia struct {
	ip, port  string
	codec     string // "PCMU" or "PCMA", empty if neither is offered
	payload   string
	event     string // payload type of telephone-event, empty if none
	direction string // sendrecv, sendonly, recvonly, inactive
	others    []string
	found     bool
	// Of a browser's description: its streams are ICE's and DTLS's.
	secure     bool
	mid, setup string
}

// staticPayloads are the codecs without an rtpmap (RFC 3551).
var staticPayloads = map[string]string{"0": "PCMU", "8": "PCMA"}

// parseSDP reads a description leniently: what it does not know it skips.
func parseSDP(text string) sdpMedia {
	m := sdpMedia{direction: "sendrecv"}
	codecs := map[string]string{}
	var formats []string
	section := 0 // 0 session, 1 our audio, 2 another stream
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		kind, value, ok := strings.Cut(line, "=")
		switch {
		case !ok:
		case kind == "m":
			words := strings.Fields(value)
			if len(words) >= 4 && words[0] == "audio" && !m.found && (words[2] == "RTP/AVP" || words[2] == "RTP/AVPF" || secureProfile(words[2])) {
				m.found, m.secure, section = true, secureProfile(words[2]), 1
				m.port, formats = words[1], words[3:]
				m.others = append(m.others, "")
				continue
			}
			section = 2
			m.others = append(m.others, value)
		case section == 2:
		case kind == "c":
			if words := strings.Fields(value); len(words) == 3 {
				m.ip = words[2]
			}
		case kind == "a":
			m.attribute(value, codecs)
		}
	}
	for _, format := range formats {
		name := codecs[format]
		if name == "" {
			name = staticPayloads[format]
		}
		switch {
		case name == "TELEPHONE-EVENT" && m.event == "":
			m.event = format
		case (name == "PCMU" || name == "PCMA") && m.codec == "":
			m.codec, m.payload = name, format
		}
	}
	if m.ip == "0.0.0.0" && m.direction == "sendrecv" && !m.secure { // to ICE it means nothing (RFC 8839 4.3.1)
		m.direction = "sendonly" // RFC 2543's hold
	}
	return m
}

func (m *sdpMedia) attribute(value string, codecs map[string]string) {
	if rest, ok := strings.CutPrefix(value, "rtpmap:"); ok {
		format, name, _ := strings.Cut(rest, " ")
		name, rate, _ := strings.Cut(name, "/")
		if rate, _, _ = strings.Cut(rate, "/"); rate == "8000" {
			codecs[format] = strings.ToUpper(name)
		}
		return
	}
	if mid, ok := strings.CutPrefix(value, "mid:"); ok {
		m.mid = mid
		return
	}
	if setup, ok := strings.CutPrefix(value, "setup:"); ok {
		m.setup = setup
		return
	}
	if slices.Contains([]string{"sendrecv", "sendonly", "recvonly", "inactive"}, value) {
		m.direction = value
	}
}

// onHold says whether the peer does not want to hear us.
func (m *sdpMedia) onHold() bool { return m.direction == "sendonly" || m.direction == "inactive" }

// localSDP writes our description: an answer to an offer, or an offer of our
// own when there is none. Streams that are not ours are refused with port 0
// (RFC 3264 6).
func (l *sipLeg) localSDP(offer *sdpMedia) []byte {
	host := l.ch.srv.sipHost
	l.sdpVersion++
	id := itoa(l.sdpID)
	var b strings.Builder
	b.WriteString("v=0\r\no=standin " + id + " " + itoa(l.sdpID+l.sdpVersion) + " IN IP4 " + host +
		"\r\ns=no audio\r\nc=IN IP4 " + host + "\r\nt=0 0\r\n")
	own := func(codecs, event, direction string) {
		formats := codecs
		if event != "" {
			formats += " " + event
		}
		profile, secure := "RTP/AVP", ""
		if l.secured(offer) {
			profile, secure = profileSecure, l.secureLines(offer)
		}
		b.WriteString("m=audio " + itoa(l.digits.port()) + " " + profile + " " + formats + "\r\n" + secure)
		for _, payload := range strings.Fields(codecs) {
			name := staticPayloads[payload]
			if offer != nil {
				name = offer.codec
			}
			b.WriteString("a=rtpmap:" + payload + " " + name + "/8000\r\n")
		}
		if event != "" {
			b.WriteString("a=rtpmap:" + event + " telephone-event/8000\r\na=fmtp:" + event + " 0-15\r\n")
		}
		b.WriteString("a=ptime:20\r\na=" + direction + "\r\n")
	}
	if offer == nil {
		own("0 8", ourEventPayload, "sendrecv")
		return []byte(b.String())
	}
	mirror := map[string]string{"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive", "sendrecv": "sendrecv"}
	for _, other := range offer.others {
		if other == "" {
			own(offer.payload, offer.event, mirror[offer.direction])
			continue
		}
		words := strings.Fields(other)
		if len(words) >= 4 {
			b.WriteString("m=" + words[0] + " 0 " + words[2] + " " + words[3] + "\r\n")
		}
	}
	return []byte(b.String())
}

// ourEventPayload is the telephone-event payload type that we offer.
const ourEventPayload = "101"
