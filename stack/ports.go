package stack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
)

// Ports come from below FreeSWITCH's default RTP range (16384) and far below
// the ports that Linux gives to outgoing connections (32768), so that nobody
// gets one by chance between choosing and using it.
const (
	lowestPort  = 11000
	highestPort = 16383
	portTries   = 200
)

// errPortTaken says that somebody uses the port or has reserved it.
var errPortTaken = errors.New("port in use")

// FreePort returns a free TCP port of 127.0.0.1. It stays reserved until this
// process ends: a bound socket that never listens keeps other callers of
// FreePort and other programs away, but lets a server with SO_REUSEADDR (all
// those that a stack starts, and every net.Listen) listen on it.
func FreePort() (int, error) { return freePort(reserve) }

// FreeUDPPort returns a port of 127.0.0.1 that is free for UDP and, as SIP
// wants both, for TCP. Its number is reserved as by FreePort.
func FreeUDPPort() (int, error) {
	return freePort(func(port int) error {
		if err := reserve(port); err != nil { // first: a probe of another's port would keep it from being bound in that moment
			return err
		}
		return probeUDP(port)
	})
}

func freePort(take func(int) error) (int, error) {
	for range portTries {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		switch err := take(port); {
		case err == nil:
			return port, nil
		case !errors.Is(err, errPortTaken):
			return 0, fmt.Errorf("reserve a port: %w", err)
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d on 127.0.0.1: end some of the programs that listen there", lowestPort, highestPort)
}

// reserve binds without SO_REUSEADDR, which fails beside any other socket of
// the port, and sets it afterwards, which lets the port's server in. The file
// descriptor is left open on purpose: the kernel closes it with the process.
func reserve(port int) error {
	fd, err := bind(syscall.SOCK_STREAM, port)
	if err != nil {
		return err
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		_ = syscall.Close(fd)
		return err
	}
	return nil
}

// probeUDP holds nothing: of two UDP sockets on one port the last would take
// the other's packets. The TCP reservation of the number stands for it.
func probeUDP(port int) error {
	fd, err := bind(syscall.SOCK_DGRAM, port)
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

func bind(kind, port int) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, kind|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	if err != nil {
		_ = syscall.Close(fd)
		if errors.Is(err, syscall.EADDRINUSE) {
			return -1, errPortTaken
		}
		return -1, err
	}
	return fd, nil
}
