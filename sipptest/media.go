package sipptest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
)

// SIPp opens RTP and RTCP for audio and, two above, for video: four ports in a row. They come from a range of their own,
// away from those that the kernel and package stack give out.
const (
	mediaFirst = 20000
	mediaLast  = 30000
	mediaBlock = 4
	mediaTries = 100
)

// mediaPorts finds a free block of ports, gives its first, and keeps the block from other phones until held is closed. SIPp
// binds the ports only when it has a call, so that they are free now says nothing: TCP's port of the same number, which nobody
// wants, stands for the block, on all phones' addresses and in all processes.
func mediaPorts(address string) (first int, held io.Closer, err error) {
	for range mediaTries {
		first := mediaFirst + mediaBlock*rand.IntN((mediaLast-mediaFirst)/mediaBlock)
		held, err := net.Listen("tcp", fmt.Sprintf("%s:%d", loopback, first))
		if err != nil {
			continue
		}
		if blockIsFree(address, first) {
			return first, held, nil
		}
		_ = held.Close()
	}
	return 0, nil, errors.New("no free media ports")
}

func blockIsFree(address string, first int) bool {
	for port := first; port < first+mediaBlock; port++ {
		conn, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", address, port))
		if err != nil {
			return false
		}
		defer conn.Close()
	}
	return true
}
