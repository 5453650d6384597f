package conformance

import (
	"bufio"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// rawSocket is an event socket without any client library: what is sent is
// what stands in the claim.
type rawSocket struct {
	t        *testing.T
	conn     net.Conn
	reader   *textproto.Reader
	patience time.Duration
	events   []frame // that came while a reply was waited for
}

// frame is one message of the event socket.
type frame struct {
	head textproto.MIMEHeader
	body string
}

// kind is the frame's Content-Type.
func (f frame) kind() string { return f.head.Get("Content-Type") }

// reply is what the frame answers: Reply-Text, or the body of an api command.
func (f frame) reply() string {
	if f.kind() == "api/response" {
		return strings.TrimRight(f.body, "\n")
	}
	return f.head.Get("Reply-Text")
}

// dialRaw connects without logging in.
func dialRaw(t *testing.T, target Target) *rawSocket {
	t.Helper()
	conn, err := net.Dial("tcp", target.EventSocket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := &rawSocket{t: t, conn: conn, reader: textproto.NewReader(bufio.NewReader(conn)), patience: target.Patience}
	if f := r.next(); f.kind() != "auth/request" {
		t.Fatalf("the first frame is %q", f.kind())
	}
	return r
}

// openRaw connects and logs in.
func openRaw(t *testing.T, target Target) *rawSocket {
	t.Helper()
	r := dialRaw(t, target)
	if got := r.command("auth " + target.Password); got != "+OK accepted" {
		t.Fatalf("auth: %q", got)
	}
	return r
}

// next reads the next frame.
func (r *rawSocket) next() frame {
	r.t.Helper()
	f, err := r.read()
	if err != nil {
		r.t.Fatalf("event socket: %v", err)
	}
	return f
}

func (r *rawSocket) read() (frame, error) {
	r.conn.SetReadDeadline(time.Now().Add(r.patience))
	head, err := r.reader.ReadMIMEHeader()
	if err != nil {
		return frame{}, err
	}
	f := frame{head: head}
	if n, err := strconv.Atoi(head.Get("Content-Length")); err == nil {
		body := make([]byte, n)
		if _, err := io.ReadFull(r.reader.R, body); err != nil {
			return frame{}, err
		}
		f.body = string(body)
	}
	return f, nil
}

// send writes lines and the empty line that ends a command.
func (r *rawSocket) send(lines ...string) {
	r.t.Helper()
	if _, err := r.conn.Write([]byte(strings.Join(lines, "\n") + "\n\n")); err != nil {
		r.t.Fatal(err)
	}
}

// command sends a command and returns its answer.
func (r *rawSocket) command(lines ...string) string {
	r.t.Helper()
	r.send(lines...)
	for {
		f := r.next()
		if f.kind() == "command/reply" || f.kind() == "api/response" {
			return f.reply()
		}
		r.events = append(r.events, f)
	}
}

// ended says whether the engine closes the connection.
func (r *rawSocket) ended() bool {
	for {
		if _, err := r.read(); err != nil {
			return err == io.EOF
		}
	}
}
