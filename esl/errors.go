package esl

import (
	"errors"
	"fmt"
)

// Why a connection ended, or a command failed. Compare with errors.Is.
var (
	// ErrClosed: the owner called Close.
	ErrClosed = errors.New("esl: closed by its owner")
	// ErrNotSent: the command never reached the socket; repeating it is safe.
	ErrNotSent = errors.New("esl: command not sent")
	// ErrAuth: FreeSWITCH refused the user or the password.
	ErrAuth = errors.New("esl: authentication refused")
	// ErrRejected: FreeSWITCH's access list refused this address (text/rude-rejection).
	ErrRejected = errors.New("esl: address refused by the access list")
	// ErrSubscribe: FreeSWITCH did not accept the list of events.
	ErrSubscribe = errors.New("esl: subscription refused")
	// ErrDisconnectNotice: FreeSWITCH said goodbye (text/disconnect-notice), as it does when it shuts down.
	ErrDisconnectNotice = errors.New("esl: disconnect notice")
	// ErrOverflow: a shard's queue was full of valuable events; its consumer is too slow.
	ErrOverflow = errors.New("esl: event queue overflow")
	// ErrSilent: nothing arrived for Options.Silence, not even a HEARTBEAT.
	ErrSilent = errors.New("esl: peer is silent")
	// ErrStuck: a command stayed unanswered for Options.HardLimit.
	ErrStuck = errors.New("esl: command unanswered")
	// ErrPairing: a reply came that no waiting command can own.
	ErrPairing = errors.New("esl: reply without a matching command")
)

// FrameError says that the peer broke the framing of the event socket. What
// follows on the wire cannot be trusted, so the connection is closed.
type FrameError struct{ Offence string }

func (e *FrameError) Error() string { return "esl: wrong frame: " + e.Offence }

// ArgumentError says which argument of which command was refused, and why. It
// does not repeat the argument: that may be hostile, or a PIN.
type ArgumentError struct {
	Command  string // the builder's word for it, e.g. "set"
	Argument string // e.g. "value"
	Offence  string // e.g. "line break"
	Position int    // byte offset of the offence in the argument; -1 when it concerns the whole
}

func (e *ArgumentError) Error() string {
	if e.Position < 0 {
		return fmt.Sprintf("esl: %s: %s refused: %s", e.Command, e.Argument, e.Offence)
	}
	return fmt.Sprintf("esl: %s: %s refused: %s at byte %d", e.Command, e.Argument, e.Offence, e.Position)
}

// ReplyError is FreeSWITCH's own refusal of a command, such as "-ERR No such channel!".
type ReplyError struct{ Text string }

func (e *ReplyError) Error() string { return "esl: freeswitch answered " + e.Text }

func notSent(cause error) error { return fmt.Errorf("%w: %w", ErrNotSent, cause) }
