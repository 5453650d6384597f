package link

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestFramesComeWholeHoweverTheyAreCut(t *testing.T) {
	var sent []byte
	sent = appendRecord(sent, frameSet, "call", []byte("state"))
	sent = appendFrame(sent, framePing)
	sent = appendRecord(sent, frameForget, "call", []byte("left out"))
	sent = appendRecord(sent, frameSet|fromSnapshot, "large", make([]byte, MaxValue))
	sent = appendAck(sent, 1<<40)
	kinds := []byte{frameSet, framePing, frameForget, frameSet | fromSnapshot, frameAck}
	for name, source := range map[string]io.Reader{"at once": bytes.NewReader(sent), "by bytes": iotest.OneByteReader(bytes.NewReader(sent)),
		"by halves": iotest.HalfReader(bytes.NewReader(sent))} {
		from, total := &frames{source: source, limit: limitRecord, buffer: make([]byte, 16)}, 0
		for i, want := range kinds {
			kind, _, size, err := from.next()
			if err != nil || kind != want {
				t.Fatalf("%s: frame %d is of kind %d, %v", name, i, kind, err)
			}
			total += size
		}
		if _, _, _, err := from.next(); !errors.Is(err, io.EOF) || total != len(sent) {
			t.Errorf("%s: %d of %d bytes, %v", name, total, len(sent), err)
		}
		if len(from.buffer) > frameHeader+limitRecord {
			t.Errorf("%s: a buffer of %d bytes", name, len(from.buffer))
		}
	}
}

func TestTheWindowTakesWholeFramesAlone(t *testing.T) {
	one := appendRecord(nil, frameSet, "call", []byte("state"))
	three := append(append(bytes.Clone(one), one...), one...)
	for room, want := range map[int]int{0: 0, len(one) - 1: 0, len(one): 1, 2*len(one) + 3: 2, 3 * len(one): 3, 1000: 3} {
		if got := len(whole(three, room)); got != want*len(one) {
			t.Errorf("room for %d bytes takes %d, not %d frames of %d", room, got, want, len(one))
		}
	}
}

// Whatever bytes come: frames are within the limit, their sizes are right, nothing is read beyond them, and what is a
// record is written again as it was.
func FuzzFrame(f *testing.F) {
	f.Add(appendRecord(appendFrame(nil, framePing), frameSet, "call", []byte("state")), uint8(3))
	f.Add(appendAck(appendRecord(nil, frameForget, "call", nil), 7), uint8(1))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1}, uint8(2))
	f.Add([]byte{0, 0, 0, 0}, uint8(9))
	f.Add(appendRecord(nil, frameOversize|fromSnapshot, "call", nil), uint8(0))
	f.Fuzz(func(t *testing.T, sent []byte, step uint8) {
		from := &frames{source: &stepper{bytes.NewReader(sent), int(step) + 1}, limit: limitRecord, buffer: make([]byte, 8)}
		position := 0
		for {
			kind, body, size, err := from.next()
			if err != nil {
				if rest := len(sent) - position; errors.Is(err, io.EOF) && rest != 0 || !errors.Is(err, io.EOF) &&
					!errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrMalformed) {
					t.Fatalf("%v with %d bytes left", err, rest)
				}
				break
			}
			if size != frameHeader+1+len(body) || size > frameHeader+limitRecord {
				t.Fatalf("a frame of %d bytes with a body of %d", size, len(body))
			}
			frame := sent[position : position+size]
			if r, err := readRecord(kind, body); err == nil {
				if again := appendRecord(nil, kind, r.Key, r.Value); !bytes.Equal(again, frame) {
					t.Fatalf("%x became %x", frame, again)
				}
			}
			_, _ = readHello(body)
			_, _, _ = readWelcome(body)
			position += size
		}
		if len(from.buffer) > frameHeader+limitRecord {
			t.Fatalf("a buffer of %d bytes", len(from.buffer))
		}
	})
}

// A hello is read as it was written, and every one that is read is written as it was.
func FuzzHello(f *testing.F) {
	f.Add(newHello(node, "standby", epoch).body())
	f.Add([]byte(protocol))
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := readHello(body)
		if err == nil && (!bytes.Equal(h.body(), body) || !validName(h.node) || !validName(h.worker)) {
			t.Fatalf("%x became %+v", body, h)
		}
	})
}

// stepper reads at most a few bytes at a time.
type stepper struct {
	from io.Reader
	step int
}

func (s *stepper) Read(to []byte) (int, error) { return s.from.Read(to[:min(len(to), s.step)]) }
