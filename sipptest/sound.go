package sipptest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// What a phone's sound is made of: PCMU in packets of 20 ms (RFC 3551 4.5.14), keys as telephone-events (RFC 4733).
const (
	soundEvery   = 20 * time.Millisecond
	soundSamples = 160
	rtpHeader    = 12
	typePCMU     = 0
	typeKeys     = 101 // as our descriptions offer it
	keyPackets   = 5   // while a key is down
	keyEnds      = 3
	keyPause     = 5
	keysWaiting  = 16
	soundBuffer  = 2048
)

// Sound is the audio of a phone that speaks all the time, and notes what it hears. What it says is one value over and over, its voice:
// a node that joins two legs of one codec passes it on as it is, so that a listener knows who speaks.
type Sound struct {
	conn  *net.UDPConn
	held  io.Closer
	voice byte
	keys  chan byte
	done  chan struct{}
	over  sync.WaitGroup

	mu    sync.Mutex
	to    netip.AddrPort
	heard []Heard
}

// Heard is a packet of audio that came.
type Heard struct {
	At    time.Time
	From  netip.AddrPort
	Voice byte // from the middle of it
}

// Loud says whether it is more than G.711's silence.
func (h Heard) Loud() bool { return h.Voice != 0xff && h.Voice != 0x7f }

// Speak opens a phone's audio at an address of loopback. It is silent until it is told To whom it speaks.
func Speak(address string, voice byte) (*Sound, error) {
	port, held, err := mediaPorts(address)
	if err != nil {
		return nil, fmt.Errorf("sipptest: %w", err)
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(address), Port: port})
	if err != nil {
		_ = held.Close()
		return nil, fmt.Errorf("sipptest: %w", err)
	}
	s := &Sound{conn: conn, held: held, voice: voice, keys: make(chan byte, keysWaiting), done: make(chan struct{})}
	s.over.Go(s.speak)
	s.over.Go(s.listen)
	return s, nil
}

// Port is where it is heard.
func (s *Sound) Port() int { return s.conn.LocalAddr().(*net.UDPAddr).Port }

// To is to whom it speaks from now on.
func (s *Sound) To(who netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = who
}

// Key presses a key, one of 0 to 9, * and #, after those before it.
func (s *Sound) Key(key byte) { s.keys <- key }

// Heard is all that came so far, oldest first.
func (s *Sound) Heard() []Heard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

// Close ends it.
func (s *Sound) Close() error {
	close(s.done)
	err := s.conn.Close()
	s.over.Wait()
	_ = s.held.Close()
	return err
}

func (s *Sound) speak() {
	tick := time.NewTicker(soundEvery)
	defer tick.Stop()
	var sequence uint16
	var timestamp uint32
	k := keying{}
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		to := s.to
		s.mu.Unlock()
		if !to.IsValid() {
			continue
		}
		packet := k.next(s.keys, timestamp)
		if packet == nil {
			packet = make([]byte, rtpHeader+soundSamples)
			packet[1] = typePCMU
			binary.BigEndian.PutUint32(packet[4:], timestamp)
			for i := range soundSamples {
				packet[rtpHeader+i] = s.voice
			}
		}
		packet[0] = 0x80 // RTP, version 2 (RFC 3550 5.1)
		binary.BigEndian.PutUint16(packet[2:], sequence)
		binary.BigEndian.PutUint32(packet[8:], 0xfeed0000+uint32(s.voice))
		_, _ = s.conn.WriteToUDPAddrPort(packet, to) // whoever has died there is spoken to in vain
		sequence++
		timestamp += soundSamples
	}
}

// keying is the key that is under way.
type keying struct {
	key   byte
	began uint32
	sent  int // packets of it
	rest  int // packets of sound before the next one
}

// next is the next packet of a key, if one is under way: all have the timestamp of its beginning.
func (k *keying) next(keys <-chan byte, now uint32) []byte {
	if k.rest > 0 {
		k.rest--
		return nil
	}
	if k.sent == 0 {
		select {
		case k.key = <-keys:
			k.began = now
		default:
			return nil
		}
	}
	packet := make([]byte, rtpHeader+4)
	packet[1] = typeKeys
	if k.sent == 0 {
		packet[1] |= 0x80
	}
	binary.BigEndian.PutUint32(packet[4:], k.began)
	packet[rtpHeader] = byte(max(0, strings.IndexByte("0123456789*#", k.key)))
	packet[rtpHeader+1] = 10 // volume
	duration := min(k.sent+1, keyPackets) * soundSamples
	if k.sent >= keyPackets {
		packet[rtpHeader+1] |= 0x80 // its end
	}
	binary.BigEndian.PutUint16(packet[rtpHeader+2:], uint16(duration))
	if k.sent++; k.sent == keyPackets+keyEnds {
		k.sent, k.rest = 0, keyPause
	}
	return packet
}

func (s *Sound) listen() {
	buffer := make([]byte, soundBuffer)
	for {
		size, from, err := s.conn.ReadFromUDPAddrPort(buffer)
		at := time.Now()
		if err != nil {
			return
		}
		if size <= rtpHeader || buffer[0]>>6 != 2 || buffer[1]&0x7f != typePCMU {
			continue
		}
		s.mu.Lock()
		s.heard = append(s.heard, Heard{At: at, From: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), Voice: buffer[rtpHeader+(size-rtpHeader)/2]})
		s.mu.Unlock()
	}
}
