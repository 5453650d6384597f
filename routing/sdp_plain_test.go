package routing

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plainReadMedia is ReadMedia as it is read most easily, with maps and lists.
func plainReadMedia(sdp string) Media {
	if strings.TrimSpace(sdp) == "" {
		return Media{LateOffer: true}
	}
	var r plainMediaReader
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
				r.names[payload] = plainPrintable(name)
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

// plainMediaReader reads one m= section after the other.
type plainMediaReader struct {
	media    Media
	payloads []string          // of the audio section being read, in order of preference
	names    map[string]string // by payload, from its rtpmap lines; nil outside audio
}

// begin reads an m= line: media port proto fmt ...
func (r *plainMediaReader) begin(fields []string) {
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
func (r *plainMediaReader) end() {
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

func plainPrintable(s string) string {
	const limit = 40
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), limit)]
}

func sameMedia(t interface{ Fatalf(string, ...any) }, sdp string) {
	if got, want := ReadMedia(sdp), plainReadMedia(sdp); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q is read as %+v, want %+v", sdp, got, want)
	}
}

func TestMediaIsReadAsThePlainWayReadsIt(t *testing.T) {
	for _, c := range descriptions {
		sameMedia(t, c.sdp)
	}
	word := rapid.SampledFrom([]string{"m=", "audio", "image", "video", "t38", "T38", "RTP/AVP", "RTP/SAVP", "0", "8", "96", "97", " ", "  ", "\t", "\u00a0", "\u2003",
		"a=rtpmap:", "a=rtpmap", "rtpmap:", "96 ", "97 ", " a/1", "b/1", "é", "a=", "a=crypto:", "a=crypto", "a=fingerprint:", "a=candidate:", "a=ice-ufrag:", "a=ice-ufrag: ",
		"\r\n", "\n", "\r", "\r\r\n", strings.Repeat(" 97", 40), "\r\nm=audio 1 RTP/AVP 0 96\r\n",
		"\nm=audio 1 RTP/SAVP 96 97 96\n", "\r\nm=video 1 RTP/AVP 96\r\n", "\r\na=rtpmap:96 x/1\r\n", "\na=rtpmap:97 y/1\n", "\na=rtpmap:0 \n"})
	rapid.Check(t, func(t *rapid.T) {
		sameMedia(t, strings.Join(rapid.SliceOfN(word, 0, 40).Draw(t, "words"), ""))
	})
}
