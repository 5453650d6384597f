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
	for sdp != "" {
		var line string
		line, sdp, _ = cut(sdp, '\n')
		if strings.HasPrefix(line, "a=") {
			r.attribute(strings.TrimRight(line[2:], "\r"))
		} else if strings.HasPrefix(line, "m=") {
			r.begin(line[2:])
		}
	}
	r.end()
	return r.media
}

// cut is strings.Cut at a byte, which is found faster than a text.
func cut(s string, at byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, at); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// mediaReader reads one m= section after the other.
type mediaReader struct {
	media    Media
	payloads [maxCodecs]string // of the audio section being read, in order of preference
	names    [maxCodecs]string // of payloads, from its rtpmap lines
	count    int               // of payloads; 0 outside audio
}

// begin reads an m= line: media port proto fmt ...
func (r *mediaReader) begin(line string) {
	r.end()
	const proto, firstFormat = 2, 3
	var kind string
	secure, i := false, 0
	for field := range strings.FieldsSeq(line) {
		switch {
		case i == 0:
			kind = field
		case i == proto:
			secure = strings.Contains(field, "SAVP")
		case i == firstFormat:
			r.media.SRTP = r.media.SRTP || secure
			r.media.T38 = r.media.T38 || kind == "image" && strings.EqualFold(field, "t38")
		}
		if i >= firstFormat && (kind != "audio" || !r.offer(field)) {
			return
		}
		i++
	}
}

// offer keeps a payload and says whether there is room for another.
func (r *mediaReader) offer(payload string) bool {
	r.payloads[r.count] = payload
	r.count++
	return r.count < maxCodecs
}

// attribute reads what follows a=.
func (r *mediaReader) attribute(line string) {
	name, value, ok := cut(line, ':')
	if !ok {
		return
	}
	switch name {
	case "rtpmap":
		if payload, codec, ok := cut(value, ' '); ok {
			r.name(payload, codec)
		}
	case "crypto", "fingerprint":
		r.media.SRTP = true
	case "candidate", "ice-ufrag":
		r.media.ICE = true
	}
}

// name keeps the codec of a payload that is offered. The last line about it counts.
func (r *mediaReader) name(payload, codec string) {
	for i, offered := range r.payloads[:r.count] {
		if offered == payload {
			r.names[i] = printable(codec)
		}
	}
}

// end names the payloads of the section, now that all its rtpmap lines are known.
func (r *mediaReader) end() {
	for i, payload := range r.payloads[:r.count] {
		name := r.names[i]
		if name == "" {
			name = staticPayload(payload)
		}
		if name == "" || len(r.media.Codecs) == maxCodecs {
			continue
		}
		if r.media.Codecs == nil {
			r.media.Codecs = make([]string, 0, r.count)
		}
		r.media.Codecs = append(r.media.Codecs, name)
	}
	clear(r.names[:r.count])
	r.count = 0
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
	if len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}
