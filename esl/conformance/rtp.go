package conformance

import (
	"encoding/binary"
	"strings"
)

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
