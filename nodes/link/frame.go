package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A frame is a length of four bytes (big-endian, of all that follows it), a kind of one byte, and a body:
//
//	set                     key length (2), key, value      owner → standby
//	forget, oversize        key length (2), key             owner → standby
//	complete, goodbye       nothing                         owner → standby
//	notice                  why (1)                         owner → standby
//	ping                    nothing                         both
//	ack                     position (8)                    standby → owner
//	hello, challenge, ...   see handshake.go
//
// Set and oversize carry fromSnapshot in their kind. The frames up to goodbye are counted: a position is the sum of the
// bytes of all counted frames so far, their headers included, and an acknowledgement names the position reached.
const (
	frameSet byte = 1 + iota
	frameForget
	frameOversize
	frameComplete
	frameGoodbye
	frameNotice
	framePing
	frameAck
	frameHello
	frameChallenge
	frameProof
	frameWelcome

	fromSnapshot byte = 0x80
)

const (
	frameHeader = 4 // the length
	keyHeader   = 2

	// The largest lengths that each reader accepts.
	limitRecord    = 1 + keyHeader + MaxKey + MaxValue
	limitFromPeer  = 1 + 8 // what a standby sends: ping and ack
	limitHandshake = handshakeBuffer - frameHeader
)

// appendFrame appends a frame whose body is the parts.
func appendFrame(to []byte, kind byte, parts ...[]byte) []byte {
	length := 1
	for _, part := range parts {
		length += len(part)
	}
	to = binary.BigEndian.AppendUint32(to, uint32(length))
	to = append(to, kind)
	for _, part := range parts {
		to = append(to, part...)
	}
	return to
}

// appendRecord appends a frame about a key; its value is left out unless the kind is set.
func appendRecord(to []byte, kind byte, key string, value []byte) []byte {
	if kind&^fromSnapshot != frameSet {
		value = nil
	}
	to = binary.BigEndian.AppendUint32(to, uint32(1+keyHeader+len(key)+len(value)))
	to = append(to, kind)
	to = binary.BigEndian.AppendUint16(to, uint16(len(key)))
	to = append(to, key...)
	return append(to, value...)
}

// recordSize is how many bytes appendRecord appends at most.
func recordSize(key string, value []byte) int {
	return frameHeader + 1 + keyHeader + len(key) + len(value)
}

func appendAck(to []byte, position uint64) []byte {
	to = binary.BigEndian.AppendUint32(to, 1+8)
	return binary.BigEndian.AppendUint64(append(to, frameAck), position)
}

// cut takes the first frame off the bytes. A size of 0 says that it is not all there yet.
func cut(from []byte, limit int) (kind byte, body []byte, size int, err error) {
	if len(from) < frameHeader {
		return 0, nil, 0, nil
	}
	length := binary.BigEndian.Uint32(from)
	if length == 0 || length > math.MaxInt32 || int(length) > limit {
		return 0, nil, 0, fmt.Errorf("%w: a frame of %d bytes", ErrMalformed, length)
	}
	size = frameHeader + int(length)
	if len(from) < size {
		return 0, nil, 0, nil
	}
	return from[frameHeader], from[frameHeader+1 : size : size], size, nil
}

// whole gives the longest beginning of well-formed frames that is made of whole frames and has at most room bytes.
func whole(frames []byte, room int) []byte {
	if len(frames) <= room {
		return frames
	}
	end := 0
	for {
		size := frameHeader + int(binary.BigEndian.Uint32(frames[end:]))
		if end+size > room {
			return frames[:end]
		}
		end += size
	}
}

// readRecord reads the body of set, forget and oversize.
func readRecord(kind byte, body []byte) (Record, error) {
	r := Record{Snapshot: kind&fromSnapshot != 0}
	switch kind {
	case frameSet, frameSet | fromSnapshot:
		r.Kind = KindSet
	case frameForget:
		r.Kind = KindForget
	case frameOversize, frameOversize | fromSnapshot:
		r.Kind = KindOversize
	default:
		return Record{}, fmt.Errorf("%w: unexpected frame of kind %d", ErrMalformed, kind)
	}
	if len(body) < keyHeader {
		return Record{}, fmt.Errorf("%w: a record without a key", ErrMalformed)
	}
	length, rest := int(binary.BigEndian.Uint16(body)), body[keyHeader:]
	if length == 0 || length > MaxKey || length > len(rest) {
		return Record{}, fmt.Errorf("%w: a key of %d bytes", ErrMalformed, length)
	}
	value := rest[length:]
	if r.Kind != KindSet && len(value) > 0 || len(value) > MaxValue {
		return Record{}, fmt.Errorf("%w: a value of %d bytes", ErrMalformed, len(value))
	}
	r.Key = string(rest[:length])
	if r.Kind == KindSet {
		r.Value = value
	}
	return r, nil
}

// frames reads frames from a source, many with one read where they are there.
type frames struct {
	source io.Reader
	limit  int // the largest length accepted
	buffer []byte
	from   int // what is read and not yet given is buffer[from:to]
	to     int
}

// next gives the next frame. The body is valid until the following call.
func (f *frames) next() (kind byte, body []byte, size int, err error) {
	for {
		kind, body, size, err = cut(f.buffer[f.from:f.to], f.limit)
		if size > 0 || err != nil {
			f.from += size
			return kind, body, size, err
		}
		if err := f.fill(); err != nil {
			return 0, nil, 0, err
		}
	}
}

// ready says whether next would give a frame without reading.
func (f *frames) ready() bool {
	_, _, size, err := cut(f.buffer[f.from:f.to], f.limit)
	return size > 0 || err != nil
}

// fill reads once. The buffer grows to the length that a frame announced, which is within limit by then.
func (f *frames) fill() error {
	if f.from > 0 {
		f.to = copy(f.buffer, f.buffer[f.from:f.to])
		f.from = 0
	}
	if f.to == len(f.buffer) {
		larger := make([]byte, min(2*len(f.buffer), frameHeader+f.limit))
		copy(larger, f.buffer[:f.to])
		f.buffer = larger
	}
	n, err := f.source.Read(f.buffer[f.to:])
	f.to += n
	switch {
	case n > 0:
		return nil
	case err == io.EOF && f.to > 0: //nolint:errorlint // io.Reader gives io.EOF itself
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// expand lets the following frames be larger, after the handshake.
func (f *frames) expand(source io.Reader, limit, buffer int) {
	f.source, f.limit = source, limit
	if buffer > len(f.buffer) {
		larger := make([]byte, buffer)
		f.to = copy(larger, f.buffer[f.from:f.to])
		f.from, f.buffer = 0, larger
	}
}
