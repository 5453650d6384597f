package kamailioconf_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// node stands in for a media node: a UDP user agent that answers by a function and keeps each request as text.
type node struct {
	t        *testing.T
	conn     *net.UDPConn
	requests chan request
	replies  chan string
	// reply gives the codes to answer a request with, in order; nil: silence.
	reply func(request) []int
	extra string // header lines of each reply

	invite request // the last one; of the serving goroutine alone
}

// request is a SIP request as text.
type request struct {
	text string
	from *net.UDPAddr
}

func (r request) method() string { return strings.SplitN(r.text, " ", 2)[0] }

// uri is the Request-URI.
func (r request) uri() string { return strings.SplitN(r.text, " ", 3)[1] }

// headers are the values of all headers of that name, topmost first.
func (r request) headers(name string) []string { return headersOf(r.text, name) }

func (r request) header(name string) string {
	if all := r.headers(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

func headersOf(text, name string) []string {
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	var values []string
	for _, line := range strings.Split(head, "\r\n")[1:] {
		field, value, found := strings.Cut(line, ":")
		if found && strings.EqualFold(strings.TrimSpace(field), name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// ringsFor is how long a node rings before its final reply.
const ringsFor = 200 * time.Millisecond

// answers is the reply function of a node that takes every call. It does not ring first: two datagrams in a row may
// overtake one another in the edge's processes.
func answers(r request) []int {
	if r.method() == "INVITE" && !strings.Contains(r.header("To"), "tag=") {
		return []int{100, 200}
	}
	return []int{200}
}

// rings is the reply function of a node that never answers.
func rings(r request) []int {
	switch r.method() {
	case "INVITE":
		return []int{100, 180}
	case "CANCEL":
		return []int{200, 487}
	}
	return []int{200}
}

// refuses is the reply function of a node that answers each INVITE with one code.
func refuses(code int) func(request) []int {
	return func(request) []int { return []int{code} }
}

func startNode(t *testing.T, reply func(request) []int) *node {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, conn: conn, reply: reply, requests: make(chan request, seen), replies: make(chan string, seen)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serve()
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	return n
}

func (n *node) address() string { return n.conn.LocalAddr().String() }

func (n *node) uri() string { return "sip:" + n.address() }

func (n *node) serve() {
	buffer := make([]byte, 65536)
	for {
		size, from, err := n.conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		text := string(buffer[:size])
		if strings.HasPrefix(text, "SIP/2.0 ") {
			n.replies <- text
			continue
		}
		r := request{text, from}
		if r.method() == "ACK" && !strings.Contains(r.header("To"), "tag=node") {
			continue
		}
		if n.reply != nil && r.method() != "ACK" {
			codes := n.reply(r)
			for i, code := range codes {
				if i > 0 && codes[i-1] == 180 {
					// It rings for a moment: two replies at once reach two of the edge's processes, in any order.
					<-time.After(ringsFor)
				}
				answered := r
				if r.method() == "INVITE" {
					n.invite = r
				} else if r.method() == "CANCEL" && code == 487 {
					answered = n.invite
				}
				n.send(n.response(answered, code), from)
			}
		}
		n.requests <- r
	}
}

// response builds a response (RFC 3261 8.2.6).
func (n *node) response(r request, code int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Said By Node\r\n", code)
	for _, name := range []string{"Via", "Record-Route"} {
		for _, v := range r.headers(name) {
			fmt.Fprintf(&b, "%s: %s\r\n", name, v)
		}
	}
	to := r.header("To")
	if code > 100 && !strings.Contains(to, "tag=") {
		to += ";tag=node"
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <%s>\r\n%s",
		r.header("From"), to, r.header("Call-ID"), r.header("CSeq"), n.uri(), n.extra)
	body := ""
	if code == 200 && r.method() == "INVITE" {
		body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

func (n *node) send(text string, to *net.UDPAddr) {
	if _, err := n.conn.WriteToUDP([]byte(text), to); err != nil {
		n.t.Logf("node: %v", err)
	}
}

// sendTo sends a request of the node's own.
func (n *node) sendTo(address, text string) {
	n.t.Helper()
	to, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		n.t.Fatal(err)
	}
	n.send(text, to)
}

// expect waits for the next request of a method, passing over others.
func (n *node) expect(method string) request {
	n.t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		select {
		case r := <-n.requests:
			if r.method() == method {
				return r
			}
		case <-deadline:
			n.t.Fatalf("the node got no %s", method)
		}
	}
}

// final waits for the next final reply to a request of the node's own.
func (n *node) final() string {
	n.t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		select {
		case r := <-n.replies:
			if !strings.HasPrefix(r, "SIP/2.0 1") {
				return r
			}
		case <-deadline:
			n.t.Fatal("the node got no final reply")
		}
	}
}

// options is an OPTIONS request of a node's own.
func options(n *node, to string, number int) string {
	return fmt.Sprintf("OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKo%[3]d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:node@%[2]s>;tag=o%[3]d\r\nTo: <sip:%[1]s>\r\nCall-ID: options-%[3]d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		to, n.address(), number)
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	return a.Port
}
