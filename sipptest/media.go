package sipptest

import (
	"errors"
	"fmt"
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

// mediaPorts finds a free block of ports and returns its first.
func mediaPorts(address string) (int, error) {
	for range mediaTries {
		first := mediaFirst + mediaBlock*rand.IntN((mediaLast-mediaFirst)/mediaBlock)
		if blockIsFree(address, first) {
			return first, nil
		}
	}
	return 0, errors.New("no free media ports")
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
