package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// eslFrame is one recorded event with its frame, as the node wrote it.
type eslFrame struct {
	name string // Event-Name
	wire []byte // headers of the frame, empty line, event
	body int    // where the event begins in wire
}

// eslCaptures reads the recorded sessions: the events of each, in their order. Sessions without events are left out.
func eslCaptures(folder string) ([][]eslFrame, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.server.raw.gz"))
	if err != nil {
		return nil, err
	}
	var all [][]eslFrame
	for _, path := range paths {
		raw, err := unzip(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if frames := eslFrames(raw); len(frames) > 0 {
			all = append(all, frames)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no recorded sessions in %s: run this at the root of the repository, or say where they are", folder)
	}
	return all, nil
}

func unzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// eslFrames cuts the events out of a recording, which may end inside a frame.
func eslFrames(raw []byte) (frames []eslFrame) {
	for len(raw) > 0 {
		head, rest, ok := bytes.Cut(raw, []byte("\n\n"))
		if !ok {
			return frames
		}
		length := 0
		if n, err := strconv.Atoi(eslHeader(head, "Content-Length")); err == nil {
			length = n
		}
		if length > len(rest) {
			return frames
		}
		if eslHeader(head, "Content-Type") == "text/event-plain" {
			body := len(head) + 2
			frames = append(frames, eslFrame{name: eslHeader(rest[:length], "Event-Name"), wire: raw[:body+length], body: body})
		}
		raw = rest[length:]
	}
	return frames
}

// eslHeader is the value of a header that is written "Name: value", or "".
func eslHeader(block []byte, name string) string {
	for line := range strings.SplitSeq(string(block), "\n") {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return value
		}
	}
	return ""
}

// eslUUID finds the uuids in recorded events.
var eslUUID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// eslReel is all recorded events, the sessions' interleaved, so that neighbours belong to different calls, as they do on a
// busy node. Each pass gives the uuids of each session a fresh beginning of eight digits.
type eslReel struct {
	wire   []byte
	first  []byte // one event of wire
	events int
	marks  []eslMark
	passes uint32
}

// eslMark is where a uuid of a session stands.
type eslMark struct{ at, session int }

func newReel(sessions [][]eslFrame) (*eslReel, error) {
	r := &eslReel{}
	for i := 0; ; i++ {
		added := false
		for session, frames := range sessions {
			if i >= len(frames) {
				continue
			}
			added = true
			wire := frames[i].wire
			core := eslHeader(wire[frames[i].body:], "Core-UUID") // the node's own, not a call's
			for _, at := range eslUUID.FindAllIndex(wire, -1) {
				if string(wire[at[0]:at[1]]) != core {
					r.marks = append(r.marks, eslMark{len(r.wire) + at[0], session})
				}
			}
			r.wire = append(r.wire, wire...)
			r.events++
		}
		if !added {
			break
		}
	}
	r.first = r.wire[:len(sessions[0][0].wire)]
	if len(r.marks) < r.events {
		return nil, errors.New("the recorded events lack uuids")
	}
	return r, nil
}

// next is one pass over all recorded events; it is good until the next call.
func (r *eslReel) next() []byte {
	const digits = "0123456789abcdef"
	const spread = 0x9e3779b1 // odd, so that different numbers stay different
	r.passes++
	for _, m := range r.marks {
		n := (r.passes<<8 | uint32(m.session)) * spread
		for i := range 8 {
			r.wire[m.at+i] = digits[n>>28]
			n <<= 4
		}
	}
	return r.wire
}
