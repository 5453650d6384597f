package conformance

import (
	"encoding/binary"
	"net"
	"strings"
)

// sound sends one packet of 20 ms of PCMU: a loud square wave, or silence.
func (d *Dialog) sound(to *net.UDPAddr, loud bool) {
	const samples, halfWave = 160, 10
	packet := make([]byte, 12+samples)
	packet[0] = 0x80
	d.rtpSequence++
	binary.BigEndian.PutUint16(packet[2:], d.rtpSequence)
	binary.BigEndian.PutUint32(packet[4:], uint32(d.rtpSequence)*samples)
	binary.BigEndian.PutUint32(packet[8:], 0xfeed)
	for i := range samples {
		packet[12+i] = 0xff // G.711: nothing
		if loud && i/halfWave%2 == 0 {
			packet[12+i] = 0x90
		} else if loud {
			packet[12+i] = 0x10
		}
	}
	if _, err := d.phone.rtp.WriteToUDP(packet, to); err != nil {
		d.phone.t.Fatal(err)
	}
}

// telephoneEvents sends keys as RFC 4733 telephone-events: three packets while
// the key is down and three with the end bit, all of one timestamp. ends says
// how many of the last three get through.
func (d *Dialog) telephoneEvents(keys string, ends int) {
	d.phone.t.Helper()
	d.telephoneEventsFrom(keys, ends, 0)
}

// telephoneEventsFrom is telephoneEvents for keys that are not the first.
func (d *Dialog) telephoneEventsFrom(keys string, ends, earlier int) {
	d.phone.t.Helper()
	to := d.mediaAddr()
	for i := range len(keys) {
		key := strings.IndexByte("0123456789*#ABCD", keys[i])
		timestamp := uint32(160000 + 8000*(earlier+i+1))
		for n := range 3 + ends {
			packet := make([]byte, 16)
			packet[0], packet[1] = 0x80, 101
			if n == 0 {
				packet[1] |= 0x80 // marker on the first
			}
			d.rtpSequence++
			binary.BigEndian.PutUint16(packet[2:], d.rtpSequence)
			binary.BigEndian.PutUint32(packet[4:], timestamp)
			binary.BigEndian.PutUint32(packet[8:], 0xfeed)
			packet[12] = byte(key)
			duration := uint16(160 * (n + 1))
			if n >= 3 {
				packet[13], duration = 0x80, 800
			}
			packet[13] |= 10 // volume
			binary.BigEndian.PutUint16(packet[14:], duration)
			if _, err := d.phone.rtp.WriteToUDP(packet, to); err != nil {
				d.phone.t.Fatal(err)
			}
		}
	}
}
