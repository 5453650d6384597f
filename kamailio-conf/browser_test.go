package kamailioconf_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
)

// page is the origin that the tests' edges let in.
const page = "https://admin.example.test"

// withWebSocket gives an edge an address for phones in browsers.
func withWebSocket(t *testing.T, change func(*kamailioconf.Values)) func(*kamailioconf.Values) {
	return func(v *kamailioconf.Values) {
		v.WebSocket, v.Origins = freeAddress(t), []string{"https://other.example.test:8443", page}
		if change != nil {
			change(v)
		}
	}
}

// browser is a phone in a browser: SIP messages in text frames, one in each (RFC 7118 5), with a contact that nobody can resolve.
type browser struct {
	t    *testing.T
	conn net.Conn
	read io.Reader
	// stream is set of a phone over TLS: it has no frames, and is in no browser.
	stream *bufio.Reader
	deaf   bool // it does not answer PINGs
	user   string
	n      int // requests sent
}

// openBrowser connects from an address of this machine; an error says why not.
func openBrowser(t *testing.T, e *edge, from string, header http.Header) (*browser, error) {
	t.Helper()
	scheme := "ws"
	dialer := ws.Dialer{
		Protocols: []string{"sip"}, Header: ws.HandshakeHeaderHTTP(header), Timeout: 10 * time.Second,
		NetDial:   (&net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0))}).DialContext,
		TLSConfig: &tls.Config{InsecureSkipVerify: true}, // the certificate is not what is tested
	}
	if e.values.Certificate != "" {
		scheme = "wss"
	}
	conn, ahead, _, err := dialer.Dial(t.Context(), scheme+"://"+e.values.WebSocket+"/sip")
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	b := &browser{t: t, conn: conn, read: conn, user: "bob"}
	if ahead != nil {
		b.read = io.MultiReader(ahead, conn)
	}
	return b, nil
}

// mustBrowser is openBrowser of a page that is let in.
func mustBrowser(t *testing.T, e *edge) *browser {
	t.Helper()
	b, err := openBrowser(t, e, "127.0.0.1", http.Header{"Origin": {page}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// overTLS is a phone of its own program, over TLS.
func overTLS(t *testing.T, conn net.Conn) *browser {
	return &browser{t: t, conn: conn, stream: bufio.NewReader(conn), user: "alice"}
}

func (b *browser) send(text string) {
	b.t.Helper()
	if b.stream != nil {
		text = strings.NewReplacer("SIP/2.0/WS df7", "SIP/2.0/TLS df7", "transport=ws", "transport=tls").Replace(text)
		if _, err := io.WriteString(b.conn, text); err != nil {
			b.t.Fatal(err)
		}
		return
	}
	if err := wsutil.WriteClientText(b.conn, []byte(text)); err != nil {
		b.t.Fatal(err)
	}
}

// message reads the next frame that holds one; io.EOF when the edge has closed the connection.
func (b *browser) message() (string, error) {
	if b.stream != nil {
		return readMessage(b.t, b.stream), nil
	}
	for {
		frame, err := ws.ReadFrame(b.read)
		if err != nil {
			return "", io.EOF
		}
		switch frame.Header.OpCode {
		case ws.OpPing:
			if !b.deaf {
				if err := ws.WriteFrame(b.conn, ws.MaskFrame(ws.NewPongFrame(frame.Payload))); err != nil {
					return "", io.EOF
				}
			}
		case ws.OpClose:
			return "", io.EOF
		case ws.OpText, ws.OpBinary:
			return string(frame.Payload), nil
		}
	}
}

// expect reads until a message begins so, and passes over others.
func (b *browser) expect(beginning string) request {
	b.t.Helper()
	var passed []string
	for {
		text, err := b.message()
		if err != nil {
			b.t.Fatalf("no %s came, but:\n%s\nand the end", beginning, strings.Join(passed, "\n"))
		}
		if strings.HasPrefix(text, beginning) {
			return request{text: text}
		}
		passed = append(passed, text)
	}
}

const noDescription = ""

// request is one of a browser's own; more are header lines.
func (b *browser) request(method, uri, callID, to, more, body string) string {
	b.n++
	if body != "" {
		more += "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%[1]s %[2]s SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKb%[3]s%[4]d\r\nMax-Forwards: 69\r\n"+
		"From: <sip:%[5]s@%[6]s>;tag=b\r\nTo: %[7]s\r\nCall-ID: %[3]s\r\nCSeq: %[4]d %[1]s\r\n"+
		"Contact: <sip:k3l1@df7jal23ls0d.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance=\"<urn:uuid:9851f610-cffd-49c3-b3a4-fead1787396a>\"\r\nUser-Agent: JsSIP 3\r\nSupported: path,gruu,outbound\r\n%[8]sContent-Length: %[9]d\r\n\r\n%[10]s",
		method, uri, callID, b.n, b.user, domain, to, more, len(body), body)
}

// authorized sends a request, answers the challenge and returns the reply to that.
func (b *browser) authorized(method, uri, callID, body string) request {
	b.t.Helper()
	to := fmt.Sprintf("<sip:%s@%s>", b.user, domain)
	challenge, answer, code := "WWW-Authenticate", "Authorization", "401"
	if method != "REGISTER" {
		challenge, answer, code, to = "Proxy-Authenticate", "Proxy-Authorization", "407", "<"+uri+">"
	}
	b.send(b.request(method, uri, callID, to, "", body))
	refused := b.expect("SIP/2.0 " + code)
	if method == "INVITE" {
		b.send(strings.Replace(b.request("ACK", uri, callID, refused.header("To"), "", noDescription), fmt.Sprintf("CSeq: %d", b.n), fmt.Sprintf("CSeq: %d", b.n-1), 1))
	}
	_, nonce, _ := strings.Cut(refused.header(challenge), `nonce="`)
	nonce, _, _ = strings.Cut(nonce, `"`)
	response := digest(digest(b.user+":"+domain+":"+password) + ":" + nonce + ":00000001:c:auth:" + digest(method+":"+uri))
	b.send(b.request(method, uri, callID, to, fmt.Sprintf(`%[1]s: Digest username="%[2]s", realm="%[3]s", nonce="%[4]s", uri="%[5]s", qop=auth, nc=00000001, cnonce="c", response="%[6]s", algorithm=MD5`+"\r\n",
		answer, b.user, domain, nonce, uri, response), body))
	for {
		reply := b.expect("SIP/2.0 ")
		if !strings.HasPrefix(reply.text, "SIP/2.0 1") {
			return reply
		}
	}
}

// register registers, and returns what the workers are told of it.
func (b *browser) register(e *edge) string {
	b.t.Helper()
	if ok := b.authorized("REGISTER", "sip:"+domain, "registration", noDescription); !strings.HasPrefix(ok.text, "SIP/2.0 200") {
		b.t.Fatal(ok.text)
	}
	said := next(b.t, e.worker.registrations)
	for said.Event == messages.Expired { // of a connection before this one, which has just ended
		said = next(b.t, e.worker.registrations)
	}
	if said.Event != "registered" || said.Username != b.user {
		b.t.Fatalf("the workers hear %+v", said)
	}
	return said.Contact
}

// reply is a response of the browser's.
func (b *browser) reply(r request, code int, body string) {
	b.t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "SIP/2.0 %d Said By Browser\r\n", code)
	for _, name := range []string{"Via", "Record-Route"} {
		for _, v := range r.headers(name) {
			fmt.Fprintf(&text, "%s: %s\r\n", name, v)
		}
	}
	to := r.header("To")
	if !strings.Contains(to, "tag=") {
		to += ";tag=browser"
	}
	fmt.Fprintf(&text, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:k3l1@df7jal23ls0d.invalid;transport=ws>\r\n", r.header("From"), to, r.header("Call-ID"), r.header("CSeq"))
	if body != "" {
		text.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n%s", len(body), body)
	b.send(text.String())
}

// within is a request in the dialog that a final reply to this phone's INVITE has opened: its route set is turned round (RFC 3261 12.1.2).
func (b *browser) within(method string, opened request, more, body string) string {
	route := opened.headers("Record-Route")
	var routes strings.Builder
	for i := len(route) - 1; i >= 0; i-- {
		routes.WriteString("Route: " + route[i] + "\r\n")
	}
	target := strings.Trim(strings.Split(opened.header("Contact"), ";")[0], "<>")
	text := b.request(method, target, opened.header("Call-ID"), opened.header("To"), routes.String()+more, body)
	if method == "ACK" {
		sequence, _, _ := strings.Cut(opened.header("CSeq"), " ")
		text = strings.Replace(text, fmt.Sprintf("CSeq: %d ", b.n), "CSeq: "+sequence+" ", 1)
	}
	return text
}

// audio is what a browser describes: the parts of it that a media node needs of one (RFC 8829).
const audio = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n" +
	"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 00:11\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n"

// knock sends an HTTP request as it is, and returns the status with which it is answered and the connection.
func knock(t *testing.T, address, text string) (int, http.Header) {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, nil
		}
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode, response.Header
}
