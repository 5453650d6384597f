package esl

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestUnacknowledgedIsTheKernelsBusiness: the limit is set on the socket itself, so that it holds while this process is
// stopped. What the kernel makes of it was tried with a router that forwards nothing for a while: a cut of 450 ms and a limit
// of 400 ms end the connection and nothing arrives, a cut of 250 ms only delays.
func TestUnacknowledgedIsTheKernelsBusiness(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialer := net.Dialer{Control: unacknowledged(400 * time.Millisecond)}
	c, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	if err := raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT) }); err != nil || got != 400 {
		t.Errorf("%d ms, %v", got, err)
	}
}
