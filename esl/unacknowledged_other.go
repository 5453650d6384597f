//go:build !linux

package esl

import (
	"errors"
	"syscall"
	"time"
)

// unacknowledged needs Linux: elsewhere a caller who relies on it must not connect.
func unacknowledged(time.Duration) func(network, address string, raw syscall.RawConn) error {
	return func(string, string, syscall.RawConn) error {
		return errors.New("esl: Options.Unacknowledged needs Linux")
	}
}
