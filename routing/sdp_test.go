package routing

import (
	"reflect"
	"strings"
	"testing"
)

func sdp(lines ...string) string {
	return "v=0\r\no=- 1 1 IN IP4 192.0.2.44\r\ns=-\r\nc=IN IP4 192.0.2.44\r\nt=0 0\r\n" + strings.Join(lines, "\r\n") + "\r\n"
}

var descriptions = []struct {
	claim string
	sdp   string
	want  Media
}{
	{"no description is a late offer", "", Media{LateOffer: true}},
	{"blank lines are a late offer", " \r\n", Media{LateOffer: true}},
	{"a desk phone", sdp("m=audio 11780 RTP/AVP 9 8 0 101", "a=rtpmap:9 G722/8000", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=sendrecv"),
		Media{Codecs: []string{"G722/8000", "PCMA/8000", "PCMU/8000", "telephone-event/8000"}}},
	{"static payloads without rtpmap (RFC 3551 6)", sdp("m=audio 4000 RTP/AVP 0 8 9 18 3"), Media{Codecs: []string{"PCMU/8000", "PCMA/8000", "G722/8000", "G729/8000"}}},
	{"SRTP with keys in the description (RFC 4568)", sdp("m=audio 4000 RTP/SAVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4"),
		Media{Codecs: []string{"PCMU/8000"}, SRTP: true}},
	{"SRTP that is offered beside plain RTP", sdp("m=audio 4000 RTP/AVP 0", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"), Media{Codecs: []string{"PCMU/8000"}, SRTP: true}},
	{"a browser: DTLS-SRTP and ICE", sdp("m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "a=rtpmap:111 opus/48000/2", "a=fingerprint:sha-256 AA:BB", "a=ice-ufrag:abcd", "a=candidate:1 1 udp 2130706431 192.0.2.44 4000 typ host"),
		Media{Codecs: []string{"opus/48000/2", "PCMU/8000"}, SRTP: true, ICE: true}},
	{"fax over T.38", sdp("m=image 4002 udptl t38", "a=T38FaxVersion:0", "a=T38MaxBitRate:14400"), Media{T38: true}},
	{"fax over T.38 beside audio, in capitals", sdp("m=audio 4000 RTP/AVP 8", "m=image 4002 UDPTL T38"), Media{Codecs: []string{"PCMA/8000"}, T38: true}},
	{"video is not audio", sdp("m=video 4004 RTP/AVP 0 8", "a=rtpmap:96 H264/90000"), Media{}},
	{"lines ended by LF alone", "v=0\nm=audio 4000 RTP/AVP 8\na=ice-ufrag:x\n", Media{Codecs: []string{"PCMA/8000"}, ICE: true}},
	{"the last line without an end", "v=0\r\nm=audio 4000 RTP/AVP 8", Media{Codecs: []string{"PCMA/8000"}}},
	{"an m= line that is too short", sdp("m=audio 4000 RTP/AVP", "m=", "m=audio"), Media{}},
	{"an rtpmap without a name", sdp("m=audio 4000 RTP/AVP 101", "a=rtpmap:101", "a=rtpmap:", "a=rtpmap:101  "), Media{}},
	{"an rtpmap for a payload that is not offered", sdp("m=audio 4000 RTP/AVP 8", "a=rtpmap:96 opus/48000"), Media{Codecs: []string{"PCMA/8000"}}},
	{"an rtpmap outside any section", sdp("a=rtpmap:0 x/1", "m=audio 4000 RTP/AVP 0"), Media{Codecs: []string{"PCMU/8000"}}},
	{"two audio sections", sdp("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 a/1", "m=audio 4002 RTP/AVP 96", "a=rtpmap:96 b/1"), Media{Codecs: []string{"a/1", "b/1"}}},
	{"an rtpmap of the section before", sdp("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 a/1", "m=audio 4002 RTP/AVP 0 96"), Media{Codecs: []string{"a/1", "PCMU/8000"}}},
	{"what is no description", "\x00\xff<html>", Media{}},
	{"a hostile codec name is printable and short", sdp("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 a\x00b\x1b[2Jé"+strings.Repeat("x", 100)), Media{Codecs: []string{"ab[2J" + strings.Repeat("x", 35)}}},
}

func TestReadMedia(t *testing.T) {
	for _, c := range descriptions {
		t.Run(c.claim, func(t *testing.T) {
			if got := ReadMedia(c.sdp); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func FuzzReadMedia(f *testing.F) {
	for _, c := range descriptions {
		f.Add(c.sdp)
	}
	f.Add("m=audio 1 RTP/AVP" + strings.Repeat(" 0", 100))
	f.Fuzz(func(t *testing.T, s string) {
		sameMedia(t, s)
		m := ReadMedia(s)
		if len(m.Codecs) > maxCodecs {
			t.Errorf("%d codecs", len(m.Codecs))
		}
		for _, c := range m.Codecs {
			if c == "" || len(c) > 40 || strings.ContainsFunc(c, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("codec %q", c)
			}
		}
		if m.LateOffer != (strings.TrimSpace(s) == "") {
			t.Errorf("a late offer: %v", m.LateOffer)
		}
	})
}
