package fstest

import (
	"encoding/binary"
	"net"
	"time"
)

// digitSocket is the RTP socket of one leg. It reads RFC 4733 telephone-events
// and throws every other packet away: there is no audio here.
type digitSocket struct {
	conn *net.UDPConn
}

// lostEndAfter is how long after the last packet of an event its lost end
// packets are made up for (RFC 4733 2.5.1.4 sends the end three times; some
// networks lose all three).
const lostEndAfter = 150 * time.Millisecond

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

// readDigits turns telephone-events into digits until the socket is closed. It
// does not need the lock.
func (c *channel) readDigits(d *digitSocket, payload byte) {
	buffer := make([]byte, 2048)
	var current telephoneEvent
	open, reported := false, false
	report := func() {
		open, reported = false, true
		c.srv.mu.Lock()
		defer c.srv.mu.Unlock()
		c.pressed(digit{key: eventKeys[current.event], duration: current.duration, source: "RTP"})
	}
	for {
		var deadline time.Time
		if open {
			deadline = time.Now().Add(lostEndAfter)
		}
		d.conn.SetReadDeadline(deadline)
		n, _, err := d.conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				report() // the end packets were lost
				continue
			}
			return
		}
		e, ok := parseTelephoneEvent(buffer[:n])
		if !ok || e.payload != payload || int(e.event) >= len(eventKeys) {
			continue
		}
		if (open || reported) && e.timestamp == current.timestamp {
			if reported {
				continue // a retransmitted end packet
			}
			current.duration = e.duration
		} else {
			if open {
				report() // the next key is down: the last one's end was lost
			}
			current, open, reported = e, true, false
		}
		if e.end {
			report()
		}
	}
}

// pressed is a key from RTP or INFO. A phone that sends the same key both ways
// pressed it once.
func (c *channel) pressed(d digit) {
	d.at = time.Now()
	if c.hungup || len(c.digits) >= maxQueuedDigits {
		return
	}
	if c.lastKey.key == d.key && c.lastKey.source != d.source && d.at.Sub(c.lastKey.at) < duplicateDigitWindow {
		c.lastKey = digit{}
		return
	}
	c.lastKey = d
	c.digits = append(c.digits, d)
	c.notify()
}
