//go:build !linux

package fstest

import (
	"net"
	"net/netip"
)

// Elsewhere a dead port is noticed by the transaction's time-out only.
func enableErrorQueue(*net.UDPConn) {}

func unreachablePeers(*net.UDPConn) []netip.AddrPort { return nil }
