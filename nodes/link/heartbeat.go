package link

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// patience reads from a connection, gives ErrSilent when nothing came for the limit, and knows when it was itself away.
type patience struct {
	conn  net.Conn
	limit time.Duration
	last  time.Time // when the last read returned
	away  time.Time // when a read returned later than the limit allows while the peer was there
}

func newPatience(conn net.Conn, limit time.Duration) *patience {
	return &patience{conn: conn, limit: limit, last: time.Now()}
}

// Read waits for most of the limit and then looks once more. A process that wakes from a pause finds its own deadline
// over while its peer's pings are in the kernel's buffer; the second look takes them, or gives the peer, when both were
// paused, the time of a ping.
func (p *patience) Read(to []byte) (int, error) {
	n, err := p.read(to, p.limit-PingEvery)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		n, err = p.read(to, PingEvery)
	}
	now := time.Now()
	if now.Sub(p.last) > p.limit+PingEvery {
		p.away = now
	}
	p.last = now
	switch {
	case n == 0 && errors.Is(err, os.ErrDeadlineExceeded):
		return 0, ErrSilent
	case n == 0 && err != nil && !p.away.IsZero() && now.Sub(p.away) < p.limit:
		// The kernel may have lost the peer's last word while we did not read: not a death that we saw.
		return 0, fmt.Errorf("%w: the link ended while this side was itself away: %w", ErrSilent, err)
	}
	return n, err
}

func (p *patience) read(to []byte, d time.Duration) (int, error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		return 0, err
	}
	return p.conn.Read(to)
}

// prepare sets what the guarantees rest on: no delay, and kernel buffers that hold the window. The system's own
// keepalive is too slow to matter beside our pings.
func prepare(conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	return errors.Join(tcp.SetNoDelay(true), tcp.SetKeepAlive(false),
		tcp.SetReadBuffer(socketBuffer), tcp.SetWriteBuffer(socketBuffer))
}

// closeWrite sends what is written and then the end, so that the last word is not lost to a reset.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the peer is gone: nothing is left to say
	}
}

// drain reads until the peer closes, so that closing with something unread does not make the kernel reset the
// connection and throw our last word away. The caller has set a timer that closes the connection.
func drain(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Time{}) // of a closed connection: the read says so
	var waste [512]byte
	for {
		if _, err := conn.Read(waste[:]); err != nil {
			return
		}
	}
}
