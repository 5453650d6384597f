package rabbit

import (
	"net"
	"time"
)

// WriteTimeout ends a connection whose broker has stopped reading. Without it a publisher could hold its channel's lock
// for as long as the broker is frozen, and the client library needs that lock to give the connection up.
const WriteTimeout = 5 * time.Second

// wire is a connection on which every write has a deadline.
type wire struct{ net.Conn }

func (w wire) Write(b []byte) (int, error) {
	if err := w.SetWriteDeadline(time.Now().Add(WriteTimeout)); err != nil {
		return 0, err
	}
	return w.Conn.Write(b)
}
