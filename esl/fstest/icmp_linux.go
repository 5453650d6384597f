package fstest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
)

// ip(7): with IP_RECVERR an ICMP error of an unconnected UDP socket is reported
// with the address that the datagram was sent to.
const (
	ipRecvErr    = 11
	msgErrQueue  = 0x2000
	msgDontWait  = 0x40
	maxICMPBatch = 64
)

// enableErrorQueue asks the kernel for ICMP errors. Without it a dead port is
// noticed by the transaction's time-out only.
func enableErrorQueue(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipRecvErr, 1)
	})
}

// unreachablePeers empties the socket's error queue and returns the addresses
// whose port was refused.
func unreachablePeers(conn *net.UDPConn) []netip.AddrPort {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	var peers []netip.AddrPort
	raw.Control(func(fd uintptr) {
		payload, control := make([]byte, 1), make([]byte, 512)
		for range maxICMPBatch {
			_, n, _, from, err := syscall.Recvmsg(int(fd), payload, control, msgErrQueue|msgDontWait)
			if err != nil {
				return
			}
			if from4, ok := from.(*syscall.SockaddrInet4); ok && refused(control[:n]) {
				peers = append(peers, netip.AddrPortFrom(netip.AddrFrom4(from4.Addr), uint16(from4.Port)))
			}
		}
	})
	return peers
}

// refused reads struct sock_extended_err: its first word is the errno.
func refused(control []byte) bool {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return false
	}
	for _, m := range messages {
		if m.Header.Level == syscall.IPPROTO_IP && m.Header.Type == ipRecvErr && len(m.Data) >= 4 {
			return syscall.Errno(binary.NativeEndian.Uint32(m.Data)) == syscall.ECONNREFUSED
		}
	}
	return false
}
