package fstest

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// tagOf reads a tag parameter.
func tagOf(params sip.HeaderParams) string {
	tag, _ := params.Get("tag")
	return tag
}

// dialogKey names a dialog by what both sides see of it.
func dialogKey(callID, ourTag string) string { return callID + "|" + ourTag }

// buildResponse writes a response to a request (RFC 3261 8.2.6). An empty tag
// makes one.
func buildResponse(s *Server, req *sip.Request, status int, phrase, tag string, headers []field, body []byte) []byte {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + itoa(status) + " " + phrase + "\r\n")
	for i, h := range req.GetHeaders("Via") {
		value := h.Value()
		if i == 0 {
			value = stampVia(req, value)
		}
		b.WriteString("Via: " + value + "\r\n")
	}
	if status > 100 && status < 300 {
		for _, h := range req.GetHeaders("Record-Route") {
			b.WriteString("Record-Route: " + h.Value() + "\r\n")
		}
	}
	b.WriteString("From: " + req.From().Value() + "\r\n")
	to := req.To().Value()
	if status > 100 && !req.To().Params.Has("tag") {
		if tag == "" {
			tag = newTag()
		}
		to += ";tag=" + tag
	}
	b.WriteString("To: " + to + "\r\nCall-ID: " + req.CallID().Value() + "\r\nCSeq: " + req.CSeq().Value() + "\r\n")
	b.WriteString("User-Agent: " + userAgent + "\r\n")
	writeHeaders(&b, headers, body)
	return []byte(b.String())
}

// stampVia fills received and rport in (RFC 3261 18.2.1, RFC 3581).
func stampVia(req *sip.Request, value string) string {
	source, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return value
	}
	via := req.Via()
	if rport, ok := via.Params.Get("rport"); ok && rport == "" {
		value = strings.Replace(value, ";rport", ";rport="+itoa(int(source.Port())), 1)
	} else if via.Host == source.Addr().String() {
		return value
	}
	if !via.Params.Has("received") {
		value += ";received=" + source.Addr().String()
	}
	return value
}

// writeHeaders ends a message: its own headers, the length, the body.
func writeHeaders(b *strings.Builder, headers []field, body []byte) {
	for _, h := range headers {
		b.WriteString(h.name + ": " + oneLine(h.value) + "\r\n")
	}
	if len(body) > 0 {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	b.WriteString("Content-Length: " + itoa(len(body)) + "\r\n\r\n")
	b.Write(body)
}

// oneLine keeps a hostile value from starting a header of its own.
func oneLine(value string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return -1
		}
		return r
	}, value)
}
