package main

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// benchSIP is a carrier that calls a number which nobody owns: INVITE, 404, ACK. It speaks just enough of RFC 3261 for
// that.
type benchSIP struct {
	conn *net.UDPConn
	done chan struct{} // closed with conn
	via  string        // host:port
	edge string
	load *load
}

// benchUnowned is dialled; it is none of the tenants' numbers.
const benchUnowned = "+12025550999"

const (
	sipBuffer   = 4 << 20 // of the socket, so far as the kernel allows
	sipDatagram = 4 << 10
	timerT1     = 500 * time.Millisecond // RFC 3261 17.1.1.1
)

func dialSIP(edge string) (*benchSIP, error) {
	address, err := net.ResolveUDPAddr("udp", edge)
	if err != nil {
		return nil, fmt.Errorf("the edge: %w", err)
	}
	conn, err := net.DialUDP("udp", nil, address)
	if err != nil {
		return nil, fmt.Errorf("the edge: %w", err)
	}
	_ = conn.SetReadBuffer(sipBuffer)
	s := &benchSIP{conn: conn, done: make(chan struct{}), via: conn.LocalAddr().String(), edge: edge}
	s.load = newLoad(s.invite)
	go s.receive() // both end with the socket
	go s.repeat()
	return s, nil
}

func (s *benchSIP) close() {
	close(s.done)
	_ = s.conn.Close()
}

// repeat sends what is not answered again: the edge's socket may have overflowed.
func (s *benchSIP) repeat() {
	tick := time.NewTicker(timerT1)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.load.overdue(timerT1, s.invite)
		case <-s.done:
			return
		}
	}
}

// invite sends the INVITE with a number.
func (s *benchSIP) invite(n int) error {
	sdp := benchSDP("127.0.0.1")
	m := s.head("INVITE", n, "<sip:"+benchUnowned+"@"+s.edge+">") +
		"Contact: <sip:carrier@" + s.via + ">\r\n" +
		"P-Asserted-Identity: <sip:+12025550178@" + s.via + ">\r\n" +
		"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\nSupported: 100rel, timer, replaces\r\n" +
		"User-Agent: Carrier SBC 9.2\r\nContent-Type: application/sdp\r\n" +
		"Content-Length: " + strconv.Itoa(len(sdp)) + "\r\n\r\n" + sdp
	_, err := s.conn.Write([]byte(m))
	return err
}

// head is what INVITE and its ACK have in common (RFC 3261 17.1.1.3).
func (s *benchSIP) head(method string, n int, to string) string {
	number := strconv.Itoa(n)
	var b strings.Builder
	b.WriteString(method + " sip:" + benchUnowned + "@" + s.edge + " SIP/2.0\r\n")
	b.WriteString("Via: SIP/2.0/UDP " + s.via + ";rport;branch=z9hG4bK-bench-" + number + "\r\n")
	b.WriteString("Max-Forwards: 70\r\nFrom: <sip:+12025550178@" + s.via + ">;tag=t" + number + "\r\n")
	b.WriteString("To: " + to + "\r\nCall-ID: " + number + callIDTail + "\r\nCSeq: 1 " + method + "\r\n")
	return b.String()
}

// callIDTail follows the number in a Call-ID.
const callIDTail = "@carrier.example.com"

// receive acknowledges final answers, repeated ones too, and counts them.
func (s *benchSIP) receive() {
	buffer := make([]byte, sipDatagram)
	for {
		size, err := s.conn.Read(buffer)
		if err != nil {
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				continue
			}
			return
		}
		m := buffer[:size]
		code, n := sipStatus(m), sipNumber(m)
		if code < 200 || n < 0 {
			continue
		}

		s.load.answered(n, code == 404)
		ack := s.head("ACK", n, string(sipHeader(m, "To"))) + "Content-Length: 0\r\n\r\n"
		_, _ = s.conn.Write([]byte(ack))
	}
}

// sipStatus is the code of a response, 0 of anything else.
func sipStatus(m []byte) int {
	rest, ok := bytes.CutPrefix(m, []byte("SIP/2.0 "))
	if !ok || len(rest) < 3 {
		return 0
	}
	code, _ := strconv.Atoi(string(rest[:3]))
	return code
}

// sipNumber is the number of the request that a response belongs to, or -1.
func sipNumber(m []byte) int {
	digits, ok := bytes.CutSuffix(sipHeader(m, "Call-ID"), []byte(callIDTail))
	n, err := strconv.Atoi(string(digits))
	if !ok || err != nil {
		return -1
	}
	return n
}

// sipHeader is the value of a header that stands once and unfolded, as Kamailio writes those that it copies.
func sipHeader(m []byte, name string) []byte {
	_, rest, ok := bytes.Cut(m, []byte("\r\n"+name+": "))
	if !ok {
		return nil
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return value
}
