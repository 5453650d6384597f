package esl

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unacknowledged makes the kernel end a connection whose bytes the other side's kernel has not acknowledged for so long
// (RFC 5482, tcp(7): TCP_USER_TIMEOUT). What was written and not acknowledged by then is never sent again.
func unacknowledged(limit time.Duration) func(network, address string, raw syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
		})
		if err != nil {
			return err
		}
		return failed
	}
}
