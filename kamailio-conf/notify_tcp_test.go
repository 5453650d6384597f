package kamailioconf_test

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem/messages"
)

// wire is a phone's end of a TCP connection that stays open, which SIPp's runs do not.
type wire struct {
	net.Conn
	t    *testing.T
	text *textproto.Reader
}

func dialEdge(t *testing.T, e *edge) *wire {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", e.values.Outside)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &wire{conn, t, textproto.NewReader(bufio.NewReader(conn))}
}

// next reads one message without a body.
func (w *wire) next() (first string, header textproto.MIMEHeader) {
	w.t.Helper()
	for first == "" { // keepalives
		var err error
		if first, err = w.text.ReadLine(); err != nil {
			w.t.Fatal(err)
		}
	}
	header, err := w.text.ReadMIMEHeader()
	if err != nil {
		w.t.Fatal(err)
	}
	return first, header
}

// register registers alice, and answers the challenge (RFC 7616 3.4).
func (w *wire) register() {
	w.t.Helper()
	send := func(cseq int, proof string) {
		at := w.LocalAddr().String()
		fmt.Fprintf(w, "REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/TCP %[2]s;branch=z9hG4bK%[3]d\r\nFrom: <sip:alice@%[1]s>;tag=a\r\nTo: <sip:alice@%[1]s>\r\nCall-ID: tcp-%[2]s\r\n"+
			"CSeq: %[3]d REGISTER\r\nContact: <sip:alice@10.99.99.99:5060;transport=tcp>\r\nExpires: 120\r\nMax-Forwards: 70\r\n%[4]sContent-Length: 0\r\n\r\n", domain, at, cseq, proof)
	}
	send(1, "")
	first, header := w.next()
	nonce := regexp.MustCompile(`nonce="([^"]+)"`).FindStringSubmatch(header.Get("WWW-Authenticate"))
	if nonce == nil {
		w.t.Fatalf("no challenge: %s %v", first, header)
	}
	hash := func(s string) string { sum := md5.Sum([]byte(s)); return hex.EncodeToString(sum[:]) }
	proof := hash(hash("alice:"+domain+":"+password) + ":" + nonce[1] + ":00000001:c:auth:" + hash("REGISTER:sip:"+domain))
	send(2, fmt.Sprintf("Authorization: Digest username=\"alice\",realm=\"%[1]s\",nonce=\"%[2]s\",uri=\"sip:%[1]s\",qop=auth,nc=00000001,cnonce=\"c\",response=\"%[3]s\"\r\n", domain, nonce[1], proof))
	if first, header = w.next(); !strings.HasPrefix(first, "SIP/2.0 200 ") {
		w.t.Fatalf("registering gives %s %v", first, header)
	}
}

// A phone behind a NAT that registered over TCP can be reached over the connection that it opened, and over no other.
func TestAPhoneOverTCPIsAskedOverItsOwnConnection(t *testing.T) {
	e := startEdge(t, nil, nil, nil)
	phone := dialEdge(t, e)
	phone.register()
	contact := next(t, e.worker.registrations).Contact
	e.notify(func(m *messages.EdgeNotify) { m.Contact = contact })
	first, header := phone.next()
	if first != "NOTIFY sip:alice@10.99.99.99:5060;transport=tcp SIP/2.0" || header.Get("Event") != "check-sync;reboot=false" || !strings.HasPrefix(header.Get("Via"), "SIP/2.0/TCP ") {
		t.Errorf("it gets %s %v", first, header)
	}
	fmt.Fprintf(phone, "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=b\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n",
		header.Get("Via"), header.Get("From"), header.Get("To"), header.Get("Call-Id"), header.Get("Cseq"))
}
