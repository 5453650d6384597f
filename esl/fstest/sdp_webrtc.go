package fstest

import (
	"fmt"
	"strings"
)

// A browser's description (RFC 8829) wants ICE, DTLS-SRTP and one port for RTP and RTCP, and refuses an answer that lacks one of them. The
// stand-in says that it has them all, in the form that FreeSWITCH says it (switch_core_media.c, with media_webrtc or a WebRTC offer). It has
// not: no ICE check is answered and no DTLS spoken, so a browser believes in the call for as long as its ICE tries, some 15 seconds.
const (
	profileSecure = "UDP/TLS/RTP/SAVPF"
	// browserVariable makes an outgoing leg's offer one for a browser.
	browserVariable = "media_webrtc"
)

// secureProfile says whether a media line is of a browser (RFC 5764 8, RFC 8827 6.5).
func secureProfile(name string) bool { return name == profileSecure || name == "UDP/TLS/RTP/SAVP" }

// secureLines are the attributes of a stream with a browser. They are the same for all descriptions of one leg, or a re-INVITE would ask for
// ICE and DTLS anew (RFC 8445 4.4, RFC 8842 4).
func (l *sipLeg) secureLines(offer *sdpMedia) string {
	setup := "actpass"
	if offer != nil {
		setup = "active" // RFC 8842 5.3: who answers actpass connects
		if offer.setup == "active" {
			setup = "passive"
		}
	}
	var fingerprint strings.Builder
	for i := range 32 {
		fmt.Fprintf(&fingerprint, ":%02X", byte(l.sdpID+i*37))
	}
	text := fmt.Sprintf("a=ice-ufrag:%08x\r\na=ice-pwd:%024x\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\na=rtcp-mux\r\na=candidate:1 1 udp 2130706431 %s %d typ host\r\n",
		uint32(l.sdpID), l.sdpID, fingerprint.String()[1:], setup, l.ch.srv.sipHost, l.digits.port())
	if offer != nil && offer.mid != "" {
		text += "a=mid:" + offer.mid + "\r\n"
	}
	return text
}

// secured says whether the leg's stream is with a browser: its offer says so, or ours is to be one.
func (l *sipLeg) secured(offer *sdpMedia) bool {
	if offer != nil {
		return offer.secure
	}
	return l.peer.secure || l.ch.vars.isTrue(browserVariable)
}
