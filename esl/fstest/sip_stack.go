package fstest

import (
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// sipStack is the SIP side of the stand-in: one UDP socket, its transactions
// and its dialogs. Messages are parsed by sipgo; transactions are our own,
// because a stand-in needs what sipgo's transaction layer does not promise:
// the requests of one peer in their order, messages over 1,300 bytes on UDP as
// FreeSWITCH sends them, and word of a dead UDP port (ICMP) within
// milliseconds.
type sipStack struct {
	srv     *Server
	conn    *net.UDPConn
	parser  *sip.Parser
	servers map[string]*serverTransaction
	clients map[string]*clientTransaction
	dialogs map[string]*sipLeg // by Call-ID and our tag
}

func newSIPStack(s *Server, conn *net.UDPConn) *sipStack {
	enableErrorQueue(conn)
	return &sipStack{
		srv: s, conn: conn, parser: sip.NewParser(),
		servers: map[string]*serverTransaction{}, clients: map[string]*clientTransaction{}, dialogs: map[string]*sipLeg{},
	}
}

// read takes datagrams in, one after the other, so that the messages of a peer
// keep their order. It does not need the lock.
func (t *sipStack) read() {
	buffer := make([]byte, maxDatagram)
	for {
		n, source, err := t.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			t.reportUnreachable(unreachablePeers(t.conn))
			continue
		}
		data := buffer[:n]
		if len(strings.Trim(string(data[:min(n, 8)]), "\r\n\x00 ")) == 0 {
			continue // keep-alive
		}
		message, err := t.parser.ParseSIP(append([]byte(nil), data...))
		if err != nil {
			t.srv.options.Logger.Info("SIP message not understood", "source", source.String())
			continue
		}
		source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
		t.srv.mu.Lock()
		if !t.srv.dead {
			t.handle(message, source)
		}
		t.srv.mu.Unlock()
	}
}

// handle brings a message to its transaction or makes one.
func (t *sipStack) handle(message sip.Message, source netip.AddrPort) {
	message.SetSource(source.String())
	switch m := message.(type) {
	case *sip.Request:
		if m.Via() == nil || m.From() == nil || m.To() == nil || m.CallID() == nil || m.CSeq() == nil {
			return // nothing could be answered
		}
		t.handleRequest(m, source)
	case *sip.Response:
		if m.Via() == nil || m.CSeq() == nil {
			return
		}
		t.handleResponse(m)
	}
}

// write sends a datagram. A name is looked up outside the lock first.
func (t *sipStack) write(destination string, data []byte, failed func()) {
	if t.srv.dead {
		return
	}
	if peer, err := netip.ParseAddrPort(destination); err == nil {
		t.writeTo(peer, data)
		return
	}
	t.srv.spawn(func() {
		addr, err := net.ResolveUDPAddr("udp", destination)
		t.srv.mu.Lock()
		defer t.srv.mu.Unlock()
		switch {
		case err == nil:
			t.writeTo(addr.AddrPort(), data)
		case failed != nil:
			failed()
		}
	})
}

// writeTo sends to an address. An ICMP error of an earlier datagram may show
// up here instead of in read; the datagram then goes out a second time.
func (t *sipStack) writeTo(peer netip.AddrPort, data []byte) {
	for range 2 {
		if _, err := t.conn.WriteToUDPAddrPort(data, peer); err == nil || errors.Is(err, net.ErrClosed) {
			return
		}
		if peers := unreachablePeers(t.conn); len(peers) > 0 {
			t.srv.spawn(func() { t.reportUnreachable(peers) })
		}
	}
}

// reportUnreachable fails the requests to ports that nobody listens on. It
// takes the lock itself.
func (t *sipStack) reportUnreachable(peers []netip.AddrPort) {
	if len(peers) == 0 {
		return
	}
	t.srv.mu.Lock()
	defer t.srv.mu.Unlock()
	for _, peer := range peers {
		for _, tx := range t.clients {
			if tx.destination == peer.String() && !tx.provisional {
				tx.fail(503)
			}
		}
	}
}

// allowed says whether SIP from the address is accepted.
func (t *sipStack) allowed(source netip.AddrPort) bool {
	if len(t.srv.options.AllowedSIPSources) == 0 {
		return true
	}
	for _, a := range t.srv.options.AllowedSIPSources {
		if a.Addr().Unmap() == source.Addr() && (a.Port() == 0 || a.Port() == source.Port()) {
			return true
		}
	}
	return false
}

// contactURI is our own address, as Contact and Via show it.
func (t *sipStack) contactURI(user string) string {
	if user != "" {
		user += "@"
	}
	return "sip:" + user + t.hostPort()
}

func (t *sipStack) hostPort() string {
	return net.JoinHostPort(t.srv.sipHost, itoa(t.srv.sipPort))
}

// hostOf is where a URI is sent to, as host:port.
func hostOf(uri sip.Uri) string {
	port := uri.Port
	if port == 0 {
		port = 5060
	}
	return net.JoinHostPort(strings.Trim(uri.Host, "[]"), itoa(port))
}
