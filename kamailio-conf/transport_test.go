package kamailioconf_test

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"

	kamailioconf "tandem/kamailio-conf"
	"tandem/sipptest"
)

// TestTheAdvertisedAddressIsWhatThoseOutsideSee, and requests that name it come back in.
func TestTheAdvertisedAddressIsWhatThoseOutsideSee(t *testing.T) {
	n := startNode(t, answers)
	e := startEdge(t, []string{n.address()}, nil, func(v *kamailioconf.Values) { v.Advertise = "192.0.2.10:5555" })
	e.worker.answerWith(routeTo("", n.uri()))
	seen := e.mustCall(t, e.phone("alice"), "1", sipptest.Call{ReInvite: true})
	if !strings.Contains(seen.Messages(), "<sip:192.0.2.10:5555;") {
		t.Errorf("the phone sees another address:\n%s", seen.Messages())
	}
	routes := n.expect("INVITE").headers("Record-Route")
	if len(routes) != 2 || !strings.Contains(routes[0], e.values.Inside) || !strings.Contains(routes[1], "192.0.2.10:5555") {
		t.Errorf("Record-Route at the node: %q", routes)
	}
	n.expect("BYE")
}

func TestACallOverTCP(t *testing.T) {
	n := startNode(t, answers)
	e := startEdge(t, []string{n.address()}, nil, nil)
	e.worker.answerWith(routeTo("", n.uri()))
	alice := e.phone("alice")
	alice.TCP = true
	e.mustCall(t, alice, "1", sipptest.Call{})
	if r := next(t, e.worker.requests); r.Transport != "tcp" || r.Socket != "tcp:"+e.values.Outside {
		t.Errorf("%+v", r)
	}
	n.expect("BYE")
}

// TestAPhoneIsCalledOverItsOwnConnection: nobody can connect to a phone behind a NAT.
func TestAPhoneIsCalledOverItsOwnConnection(t *testing.T) {
	n := startNode(t, nil)
	e := startEdge(t, []string{n.address()}, nil, nil)
	// An address of its own: nobody else has one of its ports when it is asked for again.
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, 0, 1)}}
	conn, err := dialer.Dial("tcp", e.values.Outside)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	reader := bufio.NewReader(conn)
	register := func(number int, extra string) string {
		fmt.Fprintf(conn, "REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKt%[2]d\r\nMax-Forwards: 70\r\n"+
			"From: <sip:bob@%[1]s>;tag=t\r\nTo: <sip:bob@%[1]s>\r\nCall-ID: tcp\r\nCSeq: %[2]d REGISTER\r\n"+
			"Contact: <sip:bob@10.0.0.1;transport=tcp>\r\n%[3]sContent-Length: 0\r\n\r\n", domain, number, extra)
		return readMessage(t, reader)
	}
	challenge := headersOf(register(1, ""), "WWW-Authenticate")[0]
	_, nonce, _ := strings.Cut(challenge, `nonce="`)
	nonce, _, _ = strings.Cut(nonce, `"`)
	response := digest(digest("bob:"+domain+":"+password) + ":" + nonce + ":00000001:c:auth:" + digest("REGISTER:sip:"+domain))
	ok := register(2, fmt.Sprintf(`Authorization: Digest username="bob", realm="%[1]s", nonce="%[2]s", uri="sip:%[1]s", qop=auth, nc=00000001, cnonce="c", response="%[3]s", algorithm=MD5`+"\r\n", domain, nonce, response))
	if !strings.HasPrefix(ok, "SIP/2.0 200") {
		t.Fatal(ok)
	}
	contact := next(t, e.worker.registrations).Contact
	if want := strings.ReplaceAll(conn.LocalAddr().String(), ":", "~") + "~2"; !strings.HasSuffix(contact, ";alias="+want) {
		t.Errorf("contact %s, want the alias %s", contact, want)
	}
	invite := strings.ReplaceAll(options(n, contact, 1), "OPTIONS", "INVITE")
	invite = strings.Replace(strings.Replace(invite, "sip:"+contact, contact, 2), "CSeq:", "Route: <sip:"+e.values.Inside+";lr>\r\nContact: <"+n.uri()+">\r\nCSeq:", 1)
	n.sendTo(e.values.Inside, invite)
	got := request{text: readMessage(t, reader)}
	if got.uri() != "sip:bob@10.0.0.1;transport=tcp" {
		t.Fatalf("the phone got:\n%s", got.text)
	}
	fmt.Fprint(conn, strings.Replace(n.response(got, 486), "Contact: <"+n.uri()+">\r\n", "", 1))
	if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 486") {
		t.Error(reply)
	}

	t.Run("and not at all once it is gone", func(t *testing.T) {
		place := conn.LocalAddr().(*net.TCPAddr)
		// A reset leaves nothing of the connection behind, so that the address is free at once.
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		// Whoever has got that address since must not be called in the phone's stead.
		other, err := net.ListenTCP("tcp", place)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		n.sendTo(e.values.Inside, strings.NewReplacer("options-1", "options-2", "z9hG4bKo1", "z9hG4bKo2").Replace(invite))
		if reply := n.final(); strings.HasPrefix(reply, "SIP/2.0 2") {
			t.Error(reply)
		}
		_ = other.SetDeadline(time.Now().Add(300 * time.Millisecond))
		if conn, err := other.Accept(); err == nil {
			_ = conn.Close()
			t.Error("the edge opened a connection to where the phone was")
		}
	})
}

// readMessage reads one SIP message from a stream (RFC 3261 18.3).
func readMessage(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	start, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	text := start
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		text += line
		if line == "\r\n" {
			break
		}
	}
	size := 0
	if length := headersOf(text, textproto.CanonicalMIMEHeaderKey("Content-Length")); len(length) > 0 {
		_, _ = fmt.Sscan(length[0], &size)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatal(err)
	}
	return text + string(body)
}

func digest(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
