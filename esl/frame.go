package esl

import (
	"bytes"
	"io"
)

// Bounds of one frame. FreeSWITCH's own replies hold at most 512 bytes of
// header text and its own limit on a body is 16 MiB (MAX_CONTENT_LENGTH).
const (
	maxFrameHeaderBytes     = 16 << 10
	maxFrameHeaders         = 64
	defaultMaxContentLength = 16 << 20
)

type contentType uint8

const (
	typeUnknown contentType = iota // skipped with its body
	typeAuthRequest
	typeCommandReply
	typeAPIResponse
	typeEventPlain
	typeDisconnectNotice
	typeRudeRejection
)

// frame is one unit of the protocol: a header block, an empty line, and as
// many bytes of body as Content-Length says.
type frame struct {
	kind      contentType
	replyText string // Reply-Text, raw
	body      []byte // of an event: part of block, and lost with the next frame unless parseEvent takes it; else the receiver's own
	block     *block
}

// frameReader cuts frames out of a byte stream.
type frameReader struct {
	in        stream
	maxLength int // of a body, in bytes
}

func newFrameReader(r io.Reader, maxLength int) *frameReader {
	return &frameReader{in: stream{r: r}, maxLength: maxLength}
}

// next reads one whole frame into f. io.EOF means that the stream ended
// between frames; *FrameError that it cannot be followed any further.
func (fr *frameReader) next(f *frame) error {
	*f = frame{}
	length, err := fr.header(f)
	if err != nil {
		return err
	}
	switch {
	case f.kind == typeEventPlain && length < 0:
		return &FrameError{"event without Content-Length"}
	case f.kind == typeAPIResponse && length < 0:
		return &FrameError{"api response without Content-Length"}
	case f.kind == typeEventPlain:
		f.body, err = fr.in.take(length)
		f.block = fr.in.block
	case length <= 0:
		return nil
	case f.kind == typeUnknown:
		err = fr.in.skip(length)
	default:
		f.body, err = fr.in.copy(length)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// header reads a header block and returns Content-Length, or -1 without one.
func (fr *frameReader) header(f *frame) (length int, err error) {
	length = -1
	headers, total, typed := 0, 0, false
	for {
		line, err := fr.in.line(maxFrameHeaderBytes)
		total += len(line)
		switch {
		case total > maxFrameHeaderBytes:
			return 0, &FrameError{"header block too long"}
		case err == io.EOF && (headers > 0 || len(bytes.TrimSpace(line)) > 0):
			return 0, io.ErrUnexpectedEOF
		case err != nil:
			return 0, err
		}
		for n := len(line); n > 0 && (line[n-1] == '\n' || line[n-1] == '\r'); n-- {
			line = line[:n-1]
		}
		if len(line) == 0 {
			if headers == 0 {
				continue // empty lines before a frame
			}
			return length, nil
		}
		if headers++; headers > maxFrameHeaders {
			return 0, &FrameError{"too many headers"}
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return 0, &FrameError{"header line without colon"}
		}
		for len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
		switch {
		case foldEqual(name, "Content-Length"):
			if length >= 0 {
				return 0, &FrameError{"two Content-Length headers"}
			}
			if length, err = fr.contentLength(value); err != nil {
				return 0, err
			}
		case foldEqual(name, "Content-Type"):
			if typed {
				return 0, &FrameError{"two Content-Type headers"}
			}
			typed, f.kind = true, parseContentType(value)
		case foldEqual(name, "Reply-Text"):
			f.replyText = string(value)
		}
	}
}

// contentLength accepts decimal digits alone: no sign, no space, no overflow.
func (fr *frameReader) contentLength(value []byte) (int, error) {
	if len(value) == 0 {
		return 0, &FrameError{"empty Content-Length"}
	}
	n := 0
	for _, c := range value {
		if c == '-' {
			return 0, &FrameError{"negative Content-Length"}
		}
		if c < '0' || c > '9' {
			return 0, &FrameError{"Content-Length is not a number"}
		}
		if n = n*10 + int(c-'0'); n > fr.maxLength {
			return 0, &FrameError{"Content-Length above the limit"}
		}
	}
	return n, nil
}

func parseContentType(value []byte) contentType {
	switch string(value) {
	case "text/event-plain":
		return typeEventPlain
	case "command/reply":
		return typeCommandReply
	case "api/response":
		return typeAPIResponse
	case "auth/request":
		return typeAuthRequest
	case "text/disconnect-notice":
		return typeDisconnectNotice
	case "text/rude-rejection":
		return typeRudeRejection
	}
	return typeUnknown
}

// foldEqual compares ASCII without regard to case, without allocating.
func foldEqual(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		x, y := b[i], s[i]
		if x == y {
			continue
		}
		if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
			return false
		}
	}
	return true
}
