package routing

import "strings"

// Media is what a session description offers, as far as decisions and explanations need it.
type Media struct {
	LateOffer bool     `json:"late_offer,omitempty"` // the INVITE had no session description
	Codecs    []string `json:"codecs,omitempty"`     // of audio, as rtpmap names, in order of preference: PCMU/8000
	SRTP      bool     `json:"srtp,omitempty"`       // RFC 4568 or DTLS (RFC 5764)
	T38       bool     `json:"t38,omitempty"`        // ITU-T T.38 fax
	ICE       bool     `json:"ice,omitempty"`        // RFC 8839
}

// maxCodecs bounds the codecs that are kept.
const maxCodecs = 32

// ReadMedia summarises a session description (RFC 8866). It never fails: what it does not understand it leaves out.
func ReadMedia(sdp string) Media {
	if strings.TrimSpace(sdp) == "" {
		return Media{LateOffer: true}
	}
	var r mediaReader
	for line := range strings.Lines(sdp) {
		if line[0] != 'm' && line[0] != 'a' {
			continue
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "m="):
			r.begin(strings.Fields(line[2:]))
		case strings.HasPrefix(line, "a=rtpmap:"):
			if payload, name, ok := strings.Cut(line[len("a=rtpmap:"):], " "); ok && r.names != nil {
				r.names[payload] = printable(name)
			}
		case strings.HasPrefix(line, "a=crypto:"), strings.HasPrefix(line, "a=fingerprint:"):
			r.media.SRTP = true
		case strings.HasPrefix(line, "a=candidate:"), strings.HasPrefix(line, "a=ice-ufrag:"):
			r.media.ICE = true
		}
	}
	r.end()
	return r.media
}

// mediaReader reads one m= section after the other.
type mediaReader struct {
	media    Media
	payloads []string          // of the audio section being read, in order of preference
	names    map[string]string // by payload, from its rtpmap lines; nil outside audio
}

// begin reads an m= line: media port proto fmt ...
func (r *mediaReader) begin(fields []string) {
	r.end()
	if len(fields) < 4 {
		return
	}
	if strings.Contains(fields[2], "SAVP") {
		r.media.SRTP = true
	}
	if fields[0] == "image" && strings.EqualFold(fields[3], "t38") {
		r.media.T38 = true
	}
	if fields[0] == "audio" {
		r.payloads, r.names = fields[3:min(len(fields), 3+maxCodecs)], map[string]string{}
	}
}

// end names the payloads of the section, now that all its rtpmap lines are known.
func (r *mediaReader) end() {
	for _, payload := range r.payloads {
		name := r.names[payload]
		if name == "" {
			name = staticPayload(payload)
		}
		if name != "" && len(r.media.Codecs) < maxCodecs {
			r.media.Codecs = append(r.media.Codecs, name)
		}
	}
	r.payloads, r.names = nil, nil
}

// staticPayload names the static payload types that need no rtpmap (RFC 3551 6).
func staticPayload(payload string) string {
	switch payload {
	case "0":
		return "PCMU/8000"
	case "8":
		return "PCMA/8000"
	case "9":
		return "G722/8000"
	case "18":
		return "G729/8000"
	}
	return ""
}

// printable keeps a short printable part of a text from outside.
func printable(s string) string {
	const limit = 40
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}
