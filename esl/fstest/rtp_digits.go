package fstest

import (
	"encoding/binary"
	"net"
)

// digitSocket is the RTP socket of one leg. It reads RFC 4733 telephone-events
// and throws every other packet away: there is no audio here.
type digitSocket struct {
	conn *net.UDPConn
}

// openDigits binds a port for a leg, within the range of the options.
func (s *Server) openDigits() (*digitSocket, error) {
	first, last := s.options.RTPPortMin, s.options.RTPPortMax
	if last == 0 {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(s.sipHost)})
		return &digitSocket{conn: conn}, err
	}
	var err error
	for range int(last-first) + 1 {
		port := s.rtpNext
		if s.rtpNext++; s.rtpNext > last || s.rtpNext < first {
			s.rtpNext = first
		}
		var conn *net.UDPConn
		if conn, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(s.sipHost), Port: int(port)}); err == nil {
			return &digitSocket{conn: conn}, nil
		}
	}
	return nil, err
}

func (d *digitSocket) port() int {
	if d == nil || d.conn == nil {
		return 9 // discard
	}
	return d.conn.LocalAddr().(*net.UDPAddr).Port
}

func (d *digitSocket) close() {
	if d != nil && d.conn != nil {
		d.conn.Close()
	}
}

// telephoneEvent is one RFC 4733 packet, with its RTP timestamp, which is the
// same for all packets of one event.
type telephoneEvent struct {
	payload   byte
	timestamp uint32
	event     byte
	end       bool
	duration  int // in samples
}

// parseTelephoneEvent reads an RTP packet (RFC 3550 5.1) with a four-byte
// telephone-event payload (RFC 4733 2.3).
func parseTelephoneEvent(packet []byte) (telephoneEvent, bool) {
	if len(packet) < 12 || packet[0]>>6 != 2 {
		return telephoneEvent{}, false
	}
	header := 12 + 4*int(packet[0]&0x0f)
	if packet[0]&0x10 != 0 { // extension
		if len(packet) < header+4 {
			return telephoneEvent{}, false
		}
		header += 4 + 4*int(binary.BigEndian.Uint16(packet[header+2:]))
	}
	if len(packet) < header+4 {
		return telephoneEvent{}, false
	}
	body := packet[header:]
	return telephoneEvent{
		payload: packet[1] & 0x7f, timestamp: binary.BigEndian.Uint32(packet[4:]),
		event: body[0], end: body[1]&0x80 != 0, duration: int(binary.BigEndian.Uint16(body[2:])),
	}, true
}

// eventKeys are the keys of the events 0 to 15.
const eventKeys = "0123456789*#ABCD"

// readDigits turns telephone-events into digits until the socket is closed. As
// in the engine (switch_rtp.c, handle_rfc2833) the first end packet of an event
// makes the digit, the retransmitted ones do not count, and an event whose end
// packets are all lost is lost. It does not need the lock.
func (c *channel) readDigits(d *digitSocket, payload byte) {
	buffer := make([]byte, 2048)
	var done telephoneEvent // the last event that made a digit
	for {
		n, _, err := d.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		e, ok := parseTelephoneEvent(buffer[:n])
		if !ok || e.payload != payload || int(e.event) >= len(eventKeys) || !e.end || done.end && e.timestamp == done.timestamp {
			continue
		}
		done = e
		c.srv.mu.Lock()
		c.pressed(digit{key: eventKeys[e.event], duration: e.duration, source: "RTP"})
		c.srv.mu.Unlock()
	}
}

// pressed is a key from RTP or INFO.
func (c *channel) pressed(d digit) {
	if c.hungup || len(c.digits) >= maxQueuedDigits {
		return
	}
	c.digits = append(c.digits, d)
	c.notify()
}
