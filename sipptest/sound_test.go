package sipptest

import (
	"net/netip"
	"testing"
	"time"
)

// TestSoundKnowsWhoSpeaks: what is heard has its speaker's voice and address, comes every 20 ms, and keys are none of it.
func TestSoundKnowsWhoSpeaks(t *testing.T) {
	t.Parallel()
	speaker, err := Speak("127.0.0.1", 0x20)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := Speak("127.0.0.2", 0x21)
	if err != nil {
		t.Fatal(err)
	}
	at := func(address string, s *Sound) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(address), uint16(s.Port())) //nolint:gosec // a port
	}
	speaker.To(at("127.0.0.2", listener))
	speaker.Key('5')
	const packets = 10
	tick, late := time.NewTicker(soundEvery), time.After(10*time.Second)
	defer tick.Stop()
	for len(listener.Heard()) < packets {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d packets were heard", len(listener.Heard()))
		}
	}
	heard := listener.Heard()
	for _, h := range heard {
		if h.Voice != 0x20 || !h.Loud() || h.From != at("127.0.0.1", speaker) {
			t.Errorf("heard %+v", h)
		}
	}
	if len(speaker.Heard()) != 0 {
		t.Error("the speaker hears something, and nobody speaks to him")
	}
	for _, s := range []*Sound{speaker, listener} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestKeysAreTelephoneEvents: one timestamp, the mark at the first alone, three ends.
func TestKeysAreTelephoneEvents(t *testing.T) {
	t.Parallel()
	keys := make(chan byte, 2)
	keys <- '#'
	keys <- '1'
	k, ends := keying{}, 0
	for i := range keyPackets + keyEnds {
		p := k.next(keys, uint32(1000+i*soundSamples)) //nolint:gosec // a few
		if p == nil || p[rtpHeader] != 11 || p[6] != 1000>>8 || p[7] != 1000&0xff || (p[1] == 0x80|typeKeys) != (i == 0) {
			t.Fatalf("packet %d: %x", i, p)
		}
		if p[rtpHeader+1]&0x80 != 0 {
			ends++
		}
	}
	if p := k.next(keys, 5000); p != nil || ends != keyEnds {
		t.Errorf("%d ends, then %x", ends, p)
	}
}
