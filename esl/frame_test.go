package esl

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

// captures returns the recorded sessions by name.
func captures(tb testing.TB) map[string][]byte {
	tb.Helper()
	paths, _ := filepath.Glob("testdata/captures/*.gz")
	all := make(map[string][]byte)
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			tb.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			tb.Fatal(err)
		}
		raw, err := io.ReadAll(z)
		if err != nil {
			tb.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".server.raw.gz")] = raw
	}
	if len(all) < 8 {
		tb.Fatalf("only %d captures", len(all))
	}
	return all
}

// slowFrame is what a reader without any cleverness makes of the wire.
type slowFrame struct {
	headers map[string]string
	body    string
}

func slowFrames(raw []byte) (frames []slowFrame, rest string) {
	text := string(raw)
	for {
		block, after, ok := strings.Cut(text, "\n\n")
		if !ok {
			return frames, text
		}
		f := slowFrame{headers: map[string]string{}}
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			f.headers[name] = value
		}
		n, _ := strconv.Atoi(f.headers["Content-Length"])
		if n > len(after) {
			return frames, text
		}
		f.body, text = after[:n], after[n:]
		frames = append(frames, f)
	}
}

func TestCapturesParseByteExactlyHoweverTheyAreSplit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	splits := map[string]func(io.Reader) io.Reader{
		"whole":      func(r io.Reader) io.Reader { return r },
		"one byte":   iotest.OneByteReader,
		"halves":     iotest.HalfReader,
		"data + EOF": iotest.DataErrReader,
		"random":     func(r io.Reader) io.Reader { return &chunkReader{r, random} },
	}
	for name, raw := range captures(t) {
		want, rest := slowFrames(raw)
		for split, wrap := range splits {
			t.Run(name+"/"+split, func(t *testing.T) {
				fr := newFrameReader(wrap(bytes.NewReader(raw)), defaultMaxContentLength)
				for i, w := range want {
					var f frame
					if err := fr.next(&f); err != nil {
						t.Fatalf("frame %d: %v", i, err)
					}
					if f.kind != parseContentType([]byte(w.headers["Content-Type"])) || string(f.body) != w.body || f.replyText != w.headers["Reply-Text"] {
						t.Fatalf("frame %d differs: %+v", i, f)
					}
					if f.kind == typeEventPlain {
						sameEvent(t, f.block, f.body)
					}
				}
				var f frame
				err := fr.next(&f)
				if want := map[bool]error{true: io.EOF, false: io.ErrUnexpectedEOF}[rest == ""]; err != want {
					t.Fatalf("after the last frame: %v, want %v", err, want)
				}
			})
		}
	}
}

// sameEvent rebuilds an event from its index and compares it with the wire.
func sameEvent(t *testing.T, b *block, body []byte) {
	t.Helper()
	wire := string(body)
	e, err := parseEvent(b, body)
	if err != nil {
		t.Fatal(err)
	}
	var again strings.Builder
	for h := range e.lines {
		line := e.line(h)
		colon := headerColon(line)
		again.WriteString(string(line[:colon]) + ": " + string(headerValue(line, colon)) + "\n")
	}
	again.WriteString("\n" + string(e.Body()))
	if again.String() != wire {
		t.Fatalf("rebuilt event differs:\n%q\n%q", again.String(), wire)
	}
}

type chunkReader struct {
	r      io.Reader
	random *rand.Rand
}

func (c *chunkReader) Read(p []byte) (int, error) {
	return c.r.Read(p[:min(len(p), 1+c.random.IntN(3000))])
}

func TestWrongFramesAreRefused(t *testing.T) {
	cases := []struct{ name, wire, offence string }{
		{"negative length", "Content-Type: text/event-plain\nContent-Length: -1\n\n", "negative Content-Length"},
		{"huge length", "Content-Length: 99999999999999999999\n\n", "Content-Length above the limit"},
		{"just above the limit", fmt.Sprintf("Content-Length: %d\n\n", defaultMaxContentLength+1), "Content-Length above the limit"},
		{"signed length", "Content-Length: +5\n\n12345", "Content-Length is not a number"},
		{"length in words", "Content-Length: five\n\n", "Content-Length is not a number"},
		{"hex length", "Content-Length: 0x10\n\n", "Content-Length is not a number"},
		{"empty length", "Content-Length:\n\n", "empty Content-Length"},
		{"length with trailing blank", "Content-Length: 5 \n\n12345", "Content-Length is not a number"},
		{"two lengths", "Content-Length: 1\nContent-Length: 1\n\nx", "two Content-Length headers"},
		{"two types", "Content-Type: api/response\nContent-Type: command/reply\n\n", "two Content-Type headers"},
		{"no colon", "Content-Type text/event-plain\n\n", "header line without colon"},
		{"event without length", "Content-Type: text/event-plain\n\n", "event without Content-Length"},
		{"response without length", "Content-Type: api/response\n\n", "api response without Content-Length"},
		{"too many headers", strings.Repeat("A: b\n", maxFrameHeaders+1) + "\n", "too many headers"},
		{"endless line", "A: " + strings.Repeat("b", 2*blockBytes), "header block too long"},
		{"long header block", strings.Repeat("A: "+strings.Repeat("b", 1000)+"\n", 20), "header block too long"},
		{"endless empty lines", strings.Repeat("\n", maxFrameHeaderBytes+1), "header block too long"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			fr := newFrameReader(strings.NewReader(c.wire), defaultMaxContentLength)
			var f frame
			err := fr.next(&f)
			var wrong *FrameError
			if !errors.As(err, &wrong) || wrong.Offence != c.offence {
				t.Fatalf("got %v, want %s", err, c.offence)
			}
		})
	}
}

func TestATruncatedStreamIsNotAnEnd(t *testing.T) {
	wire := "Content-Length: 4\nContent-Type: text/event-plain\n\nA: b"
	for n := 1; n < len(wire); n++ {
		fr := newFrameReader(strings.NewReader(wire[:n]), defaultMaxContentLength)
		var f frame
		if err := fr.next(&f); err != io.ErrUnexpectedEOF {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestUnknownContentTypesAreSkippedWithTheirBody(t *testing.T) {
	wire := "Content-Type: log/data\nContent-Length: 11\nLog-Level: 7\n\nhello\n\nworl" +
		"Content-Type: text/event-json\nContent-Length: 2\n\n{}" +
		"\r\n\nContent-Type: command/reply\r\nreply-text: +OK\r\n\r\n"
	fr := newFrameReader(strings.NewReader(wire), defaultMaxContentLength)
	var f frame
	for range 2 {
		if err := fr.next(&f); err != nil || f.kind != typeUnknown || f.body != nil {
			t.Fatalf("%+v %v", f, err)
		}
	}
	if err := fr.next(&f); err != nil || f.kind != typeCommandReply || f.replyText != "+OK" {
		t.Fatalf("%+v %v", f, err)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("Content-Type: auth/request\n\n"))
	f.Add([]byte("Content-Length: 4\nContent-Type: text/event-plain\n\nA: bContent-Type: command/reply\nReply-Text: +OK\n\n"))
	f.Add([]byte("Content-Type: api/response\nContent-Length: 3\n\n+OK"))
	f.Add([]byte("Content-Length: -1\n\n"))
	f.Add([]byte("\r\n\r\nA:\n\n"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		read := func(r io.Reader) (all []frame, err error) {
			fr := newFrameReader(r, 1<<16)
			for {
				var f frame
				if err := fr.next(&f); err != nil {
					return all, err
				}
				all = append(all, f)
				if len(f.body) > len(wire) {
					t.Fatal("more body than wire")
				}
			}
		}
		whole, err := read(bytes.NewReader(wire))
		split, splitErr := read(iotest.OneByteReader(bytes.NewReader(wire)))
		if len(whole) != len(split) || err.Error() != splitErr.Error() {
			t.Fatalf("splitting changes the result: %d %v, %d %v", len(whole), err, len(split), splitErr)
		}
	})
}
