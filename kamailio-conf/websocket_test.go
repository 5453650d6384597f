package kamailioconf_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	kamailioconf "tandem/kamailio-conf"
	"tandem/messages"
)

// TestAWebSocketIsOpenedForOurPagesAlone (RFC 6455 4.2, 10.2; RFC 7118 4).
func TestAWebSocketIsOpenedForOurPagesAlone(t *testing.T) {
	e := startEdge(t, nil, nil, withWebSocket(t, nil))
	good := "GET /sip HTTP/1.1\r\nHost: edge.example.test\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\nOrigin: " + page + "\r\n\r\n"
	for name, c := range map[string]struct {
		from, to string // what is changed of it
		want     int
	}{
		"as a browser asks":           {"", "", http.StatusSwitchingProtocols},
		"one of several protocols":    {"Protocol: sip", "Protocol: chat, sip", http.StatusSwitchingProtocols},
		"the other page":              {page, "https://other.example.test:8443", http.StatusSwitchingProtocols},
		"no protocol":                 {"Sec-WebSocket-Protocol: sip\r\n", "", http.StatusBadRequest},
		"another protocol":            {"Protocol: sip", "Protocol: msrp", http.StatusBadRequest},
		"a protocol that begins so":   {"Protocol: sip", "Protocol: sipx", http.StatusBadRequest},
		"a page of somebody else's":   {page, "https://evil.example.net", http.StatusForbidden},
		"a page below ours":           {page, page + ".evil.example.net", http.StatusForbidden},
		"a name that a dot would fit": {page, "https://adminxexample.test", http.StatusForbidden},
		"a page without TLS":          {page, "http://admin.example.test", http.StatusForbidden},
		"another port":                {page, page + ":8443", http.StatusForbidden},
		"no page":                     {"Origin: " + page + "\r\n", "", http.StatusForbidden},
		"a page in a file":            {page, "null", http.StatusForbidden},
		"two pages":                   {"Origin: " + page, "Origin: https://evil.example.net\r\nOrigin: " + page, http.StatusForbidden},
		"another path":                {"/sip", "/", http.StatusNotFound},
		"a longer path":               {"/sip", "/sip/../x", http.StatusNotFound},
		"another method":              {"GET", "POST", http.StatusUpgradeRequired},
		"no upgrade":                  {"Upgrade: websocket\r\n", "", http.StatusUpgradeRequired},
		"upgrade not of the way":      {"keep-alive, Upgrade", "keep-alive", http.StatusUpgradeRequired},
		"an old version":              {"Version: 13", "Version: 8", http.StatusUpgradeRequired},
		"no key":                      {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			text := good
			if c.from != "" {
				if text = strings.Replace(good, c.from, c.to, 1); text == good {
					t.Fatal("nothing was changed")
				}
			}
			status, header := knock(t, e.values.WebSocket, text)
			if status != c.want {
				t.Errorf("answered %d, want %d", status, c.want)
			}
			if status == http.StatusSwitchingProtocols && (header.Get("Sec-WebSocket-Protocol") != "sip" || header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
				t.Errorf("opened with %v", header)
			}
			if status != http.StatusSwitchingProtocols && header.Get("Server") != "" {
				t.Errorf("it says what it is: %v", header)
			}
		})
	}
	t.Run("at the port for SIP", func(t *testing.T) {
		if status, _ := knock(t, e.values.Outside, good); status != http.StatusNotFound {
			t.Errorf("answered %d", status)
		}
	})
}

// TestABrowserRegisters, as any phone; where it is is its connection.
func TestABrowserRegisters(t *testing.T) {
	e := startEdge(t, nil, nil, withWebSocket(t, nil))
	b := mustBrowser(t, e)
	ok := b.authorized("REGISTER", "sip:"+domain, "registration", noDescription)
	if !strings.HasPrefix(ok.text, "SIP/2.0 200") {
		t.Fatal(ok.text)
	}
	said := next(t, e.worker.registrations)
	alias := ";alias=" + strings.ReplaceAll(b.conn.LocalAddr().String(), ":", "~") + "~5"
	if said.Transport != "ws" || said.Edge != "edge1.test" || said.EdgeURI != "sip:"+e.values.Inside || !strings.HasSuffix(said.Contact, alias) {
		t.Errorf("the workers hear %+v, want the alias %s", said, alias)
	}
	if strings.Contains(ok.text, "gruu") {
		t.Errorf("a browser would take another address for its own:\n%s", ok.text)
	}
	t.Run("with its password alone", func(t *testing.T) {
		other := mustBrowser(t, e)
		other.user = "nobody"
		if refused := other.authorized("REGISTER", "sip:"+domain, "other", noDescription); !strings.HasPrefix(refused.text, "SIP/2.0 403") {
			t.Error(refused.text)
		}
	})
}

// TestABrowserCalls a media node, holds, transfers and hangs up: its dialog goes over its connection at one end, over UDP at the other.
func TestABrowserCalls(t *testing.T) {
	n := startNode(t, answers)
	e := startEdge(t, []string{n.address()}, nil, withWebSocket(t, nil))
	e.worker.answerWith(routeTo("X-Tandem-Call: 1\r\n", n.uri()))
	b := mustBrowser(t, e)
	answered := b.authorized("INVITE", "sip:100@"+domain, "call", audio)
	if !strings.HasPrefix(answered.text, "SIP/2.0 200") {
		t.Fatal(answered.text)
	}
	asked := next(t, e.worker.requests)
	if asked.Transport != "ws" || asked.Socket != "ws:"+e.values.WebSocket || asked.AuthUser != b.user || asked.SDP != audio {
		t.Errorf("the workers are asked %+v", asked)
	}
	invite := n.expect("INVITE")
	if routes := invite.headers("Record-Route"); len(routes) != 2 || !strings.Contains(routes[0], e.values.Inside) || !strings.Contains(routes[1], e.values.WebSocket+";transport=ws") {
		t.Errorf("Record-Route at the node: %q", routes)
	}
	if !strings.Contains(invite.header("Contact"), ";alias=") {
		t.Errorf("the node cannot find back: %s", invite.header("Contact"))
	}
	b.send(b.within("ACK", answered, "", noDescription))
	n.expect("ACK")
	b.send(b.within("INVITE", answered, "", strings.Replace(audio, "sendrecv", "sendonly", 1)))
	held := b.expect("SIP/2.0 200")
	b.send(b.within("ACK", held, "", noDescription))
	if r := n.expect("INVITE"); !strings.Contains(r.text, "sendonly") {
		t.Errorf("the node is not told of the hold:\n%s", r.text)
	}
	b.send(b.within("REFER", answered, "Refer-To: <sip:200@"+domain+">\r\n", noDescription))
	b.expect("SIP/2.0 200")
	if r := n.expect("REFER"); r.header("Refer-To") != "<sip:200@"+e.values.Inside+">" {
		t.Errorf("the node is asked to transfer to %s", r.header("Refer-To"))
	}
	n.sendTo(e.values.Inside, n.toBrowser("NOTIFY", invite, 1, "Event: refer\r\nSubscription-State: terminated\r\n"))
	b.reply(b.expect("NOTIFY "), 200, noDescription)
	if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 200") {
		t.Error(reply)
	}
	b.send(b.within("BYE", answered, "", noDescription))
	n.expect("BYE")
	b.expect("SIP/2.0 200")
}

// toBrowser is a request in the dialog that a browser's INVITE has opened.
func (n *node) toBrowser(method string, invite request, number int, more string) string {
	target := strings.Trim(strings.Split(invite.header("Contact"), ">")[0], "<")
	var routes strings.Builder
	for _, r := range invite.headers("Record-Route") {
		routes.WriteString("Route: " + r + "\r\n")
	}
	text := strings.ReplaceAll(strings.ReplaceAll(options(n, "x", number), "OPTIONS", method), "sip:x SIP/2.0", target+" SIP/2.0")
	for name, value := range map[string]string{"From": invite.header("To") + ";tag=node", "To": invite.header("From"), "Call-ID": invite.header("Call-ID")} {
		text = strings.Replace(text, name+": "+headersOf(text, name)[0], name+": "+value, 1)
	}
	return strings.Replace(text, "Content-Length", routes.String()+"Contact: <"+n.uri()+">\r\n"+more+"Content-Length", 1)
}

// TestABrowserIsCalled over its connection, by a node.
func TestABrowserIsCalled(t *testing.T) {
	n := startNode(t, nil)
	e := startEdge(t, []string{n.address()}, nil, withWebSocket(t, nil))
	b := mustBrowser(t, e)
	contact := b.register(e)
	call := func(number int) string {
		invite := strings.ReplaceAll(options(n, contact, number), "OPTIONS", "INVITE")
		return strings.Replace(strings.Replace(invite, "sip:"+contact, contact, 2), "CSeq:", "Route: <sip:"+e.values.Inside+";lr>\r\nContact: <"+n.uri()+">\r\nCSeq:", 1)
	}
	n.sendTo(e.values.Inside, call(1))
	invite := b.expect("INVITE ")
	if uri := invite.uri(); uri != "sip:k3l1@df7jal23ls0d.invalid;transport=ws" {
		t.Errorf("it is called as %s", uri)
	}
	if via := invite.header("Via"); !strings.HasPrefix(via, "SIP/2.0/WS ") || !strings.Contains(via, e.values.WebSocket) {
		t.Errorf("over %s", via)
	}
	b.reply(invite, 180, noDescription)
	b.reply(invite, 200, audio)
	answered := request{text: n.final()}
	if !strings.HasPrefix(answered.text, "SIP/2.0 200") || !strings.Contains(answered.header("Contact"), ";alias=") {
		t.Fatal(answered.text)
	}
	within := func(method string, number int) string {
		target := strings.Trim(strings.Split(answered.header("Contact"), ">")[0], "<")
		text := strings.ReplaceAll(strings.Replace(call(number), contact, target, 1), "INVITE", method)
		text = strings.Replace(text, "To: "+headersOf(text, "To")[0], "To: "+answered.header("To"), 1)
		text = strings.Replace(text, "From: "+headersOf(text, "From")[0], "From: "+answered.header("From"), 1)
		text = strings.Replace(text, "Call-ID: "+headersOf(text, "Call-ID")[0], "Call-ID: "+answered.header("Call-ID"), 1)
		routes := answered.headers("Record-Route")
		return strings.Replace(text, "Route: <sip:"+e.values.Inside+";lr>", "Route: "+routes[1]+"\r\nRoute: "+routes[0], 1)
	}
	n.sendTo(e.values.Inside, within("ACK", 1))
	b.expect("ACK ")
	n.sendTo(e.values.Inside, within("INVITE", 3))
	b.reply(b.expect("INVITE "), 488, noDescription)
	if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 488") {
		t.Error(reply)
	}
	n.sendTo(e.values.Inside, within("BYE", 4))
	b.reply(b.expect("BYE "), 200, noDescription)
	if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 200") {
		t.Error(reply)
	}

	t.Run("and not at all once its page is gone", func(t *testing.T) {
		_ = b.conn.Close()
		gone := next(t, e.worker.registrations)
		if gone.Event != "expired" || gone.Contact != contact {
			t.Errorf("the workers hear %+v", gone)
		}
		start := time.Now()
		n.sendTo(e.values.Inside, call(5))
		reply := n.final()
		for strings.HasPrefix(reply, "SIP/2.0 488") { // again, as this node acknowledges nothing
			reply = n.final()
		}
		if !strings.HasPrefix(reply, "SIP/2.0 480") || !strings.Contains(reply, "Q.850;cause=20") {
			t.Error(reply)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("the caller is told after %v", took)
		}
	})
}

// TestHostileFrames end their own connection at most: others live on, and the edge with them.
func TestHostileFrames(t *testing.T) {
	e := startEdge(t, nil, nil, withWebSocket(t, func(v *kamailioconf.Values) { v.KeepAlive = 3 * time.Second }))
	good := mustBrowser(t, e)
	_ = good.conn.SetDeadline(time.Now().Add(time.Minute))
	good.register(e)
	answers := make(chan string, 16)
	go func() { // it lives on meanwhile, and says so when it is asked
		for {
			said, err := good.message()
			if err != nil {
				close(answers)
				return
			}
			answers <- said
		}
	}()
	masked := func(f ws.Frame) []byte {
		bytes, err := ws.CompileFrame(ws.MaskFrame(f))
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	text := func(content string) []byte { return masked(ws.NewTextFrame([]byte(content))) }
	options := good.request("OPTIONS", "sip:"+domain, "hostile", "<sip:"+domain+">", "", noDescription)
	unmasked, err := ws.CompileFrame(ws.NewTextFrame([]byte(options)))
	if err != nil {
		t.Fatal(err)
	}
	ends, lives := true, false
	for name, c := range map[string]struct {
		bytes []byte
		ends  bool
	}{
		"without a mask":                       {unmasked, ends}, // RFC 6455 5.1
		"longer than any message":              {[]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 'x'}, ends},
		"a message of a megabyte":              {text("OPTIONS " + strings.Repeat("x", 1<<20)), ends},
		"reserved bits":                        {append([]byte{0xf1}, text(options)[1:]...), ends},
		"an opcode that there is not":          {append([]byte{0x8b}, text(options)[1:]...), ends},
		"the middle of a message":              {append([]byte{0x80}, text(options)[1:]...), lives}, // it is taken for a message by itself
		"a beginning without its end":          {append([]byte{0x01}, text(options)[1:]...), lives}, // it is taken for a message by itself
		"a close with half a code":             {masked(ws.NewCloseFrame([]byte{3})), ends},
		"a close with a reason of no text":     {masked(ws.NewCloseFrame([]byte{3, 0xe8, 0xff, 0xfe, 0})), ends},
		"a PING of the greatest size":          {masked(ws.NewPingFrame([]byte(strings.Repeat("p", 125)))), lives},
		"a PONG that nobody asked for":         {masked(ws.NewPongFrame([]byte("?"))), lives},
		"nothing at all":                       {text(""), ends},
		"a keepalive":                          {text("\r\n\r\n"), lives},
		"no SIP":                               {text("GET / HTTP/1.1\r\n\r\n"), ends},
		"NULs":                                 {text(strings.Repeat("\x00", 5000)), ends},
		"no UTF-8":                             {text("OPTIONS \xff\xfe SIP/2.0\r\n\r\n"), ends},
		"a message without its end":            {text(options[:80]), ends},
		"a length that is not there":           {text(strings.Replace(options, "Content-Length: 0", "Content-Length: 70000", 1)), lives},
		"a length below zero in SIP":           {text(strings.Replace(options, "Content-Length: 0", "Content-Length: -1", 1)), lives},
		"two messages in one":                  {text(options + options), lives},
		"a reply to nothing":                   {text("SIP/2.0 200 OK\r\nVia: SIP/2.0/WS 1.2.3.4;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"), lives},
		"a Via of another's":                   {text(strings.Replace(options, "df7jal23ls0d.invalid", e.values.Inside, 1)), lives},
		"a contact with an address of its own": {text(strings.Replace(options, ";transport=ws", ";transport=ws;alias=127.0.0.1~1~5;alias=127.0.0.1~2~5", 1)), lives},
	} {
		t.Run(name, func(t *testing.T) {
			b := mustBrowser(t, e)
			if _, err := b.conn.Write(c.bytes); err != nil && !c.ends {
				t.Fatal(err)
			}
			// What it sends next is answered, or the connection is over.
			after := good.request("OPTIONS", "sip:"+domain, "after", "<sip:"+domain+">", "", noDescription)
			_, _ = b.conn.Write(text(after))
			over := false
			for !over {
				said, err := b.message()
				if err != nil {
					over = true
				} else if strings.Contains(said, "Call-ID: after") {
					break
				}
			}
			if over != c.ends {
				t.Errorf("the connection has ended: %v", over)
			}
		})
	}
	none(t, e.worker.registrations)
	good.send(good.request("OPTIONS", "sip:"+domain, "still", "<sip:"+domain+">", "", noDescription))
	if said, lives := <-answers; !lives || !strings.Contains(said, "Call-ID: still") {
		t.Errorf("the other connection is told %q", said)
	}
}

// TestOneAddressOpensSoManyWebSocketsAndNoMore, and may open others when it has closed some.
func TestOneAddressOpensSoManyWebSocketsAndNoMore(t *testing.T) {
	e := startEdge(t, nil, nil, withWebSocket(t, func(v *kamailioconf.Values) { v.WebSocketsPerAddress = 3 }))
	header := http.Header{"Origin": {page}}
	var open []*browser
	for range 3 {
		open = append(open, mustBrowser(t, e))
	}
	if _, err := openBrowser(t, e, "127.0.0.1", header); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("the fourth: %v", err)
	}
	if _, err := openBrowser(t, e, "127.0.0.9", header); err != nil {
		t.Errorf("another address: %v", err)
	}
	for _, b := range open {
		_ = b.conn.Close()
	}
	e.await("no WebSocket of that address", func() bool { return e.table("sockets", "127.0.0.1") == "" })
	mustBrowser(t, e)
	if n := e.table("sockets", "127.0.0.1"); n != "1" {
		t.Errorf("it counts %s open", n)
	}
}

// TestABrowserThatIsSilentIsForgotten: a laptop that was shut ends no connection.
func TestABrowserThatIsSilentIsForgotten(t *testing.T) {
	e := startEdge(t, nil, nil, withWebSocket(t, func(v *kamailioconf.Values) { v.KeepAlive = time.Second }))
	lives, shut := mustBrowser(t, e), mustBrowser(t, e)
	lives.user = "alice"
	lives.register(e)
	contact := shut.register(e)
	shut.deaf = true
	go func() {
		for { // alice's browser answers PINGs
			if _, err := lives.message(); err != nil {
				return
			}
		}
	}()
	if said, err := shut.message(); err == nil {
		t.Errorf("it is told %s", said)
	}
	if gone := next(t, e.worker.registrations); gone.Event != "expired" || gone.Contact != contact {
		t.Errorf("the workers hear %+v", gone)
	}
	none(t, e.worker.registrations)
}

// withCertificate gives an edge a certificate, and an address for phones over TLS.
func withCertificate(t *testing.T) func(*kamailioconf.Values) {
	return func(v *kamailioconf.Values) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		named := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "edge.example.test"}, NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"edge.example.test"}}
		certificate, err := x509.CreateCertificate(rand.Reader, named, named, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		v.Certificate, v.Key, v.TLS = filepath.Join(dir, "edge.pem"), filepath.Join(dir, "edge.key"), freeAddress(t)
		for path, block := range map[string]*pem.Block{v.Certificate: {Type: "CERTIFICATE", Bytes: certificate}, v.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
			if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWithACertificate the WebSocket is wss, and phones register and are called over TLS.
func TestWithACertificate(t *testing.T) {
	n := startNode(t, refuses(486))
	e := startEdge(t, []string{n.address()}, nil, withWebSocket(t, withCertificate(t)))
	call := func(contact string, number int) {
		invite := strings.ReplaceAll(options(n, contact, number), "OPTIONS", "INVITE")
		n.sendTo(e.values.Inside, strings.Replace(strings.Replace(invite, "sip:"+contact, contact, 2), "CSeq:", "Route: <sip:"+e.values.Inside+";lr>\r\nContact: <"+n.uri()+">\r\nCSeq:", 1))
	}
	t.Run("browsers", func(t *testing.T) {
		b := mustBrowser(t, e)
		contact := b.register(e)
		if !strings.HasSuffix(contact, "~6") {
			t.Errorf("registered at %s", contact)
		}
		call(contact, 1)
		b.reply(b.expect("INVITE "), 486, noDescription)
		if reply := n.final(); !strings.HasPrefix(reply, "SIP/2.0 486") {
			t.Error(reply)
		}
		e.worker.answerWith(reject(404, "Not Found", ""))
		if refused := b.authorized("INVITE", "sip:100@"+domain, "call", audio); !strings.HasPrefix(refused.text, "SIP/2.0 404") {
			t.Error(refused.text)
		}
		if asked := next(t, e.worker.requests); asked.Transport != "wss" {
			t.Errorf("the workers are asked of %s", asked.Transport)
		}
	})
	t.Run("phones", func(t *testing.T) {
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", e.values.TLS, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		phone := overTLS(t, conn)
		contact := phone.register(e)
		if !strings.HasSuffix(contact, "~3") {
			t.Errorf("registered at %s", contact)
		}
		call(contact, 2)
		invite := phone.expect("INVITE ")
		if via := invite.header("Via"); !strings.HasPrefix(via, "SIP/2.0/TLS "+e.values.TLS) {
			t.Errorf("called over %s", via)
		}
		e.notify(func(m *messages.EdgeNotify) { m.Contact = contact })
		if told := phone.expect("NOTIFY "); told.header("Event") != "check-sync;reboot=false" {
			t.Errorf("it is told %s", told.text)
		}
	})
}
