package link

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Why a link ended. Compare with errors.Is; the package's documentation says what each means to a standby.
var (
	ErrPeerClosed = errors.New("link: the other side's process ended")
	ErrSilent     = errors.New("link: the other side is silent")
	ErrHandedOver = errors.New("link: the owner handed the node over")
	ErrReleased   = errors.New("link: the owner gave the node up")
	ErrReplaced   = errors.New("link: another connection took the standby's place")
	ErrCutOff     = errors.New("link: the owner cut this standby off")
	ErrMalformed  = errors.New("link: not the protocol of this package")
	ErrClosed     = errors.New("link: closed by this side")
)

// Why Follow failed, beside the error of a dial.
var (
	// ErrHandshake: the peer could not prove that it has the secret, or did not accept our proof of it, or is no link.
	ErrHandshake = errors.New("link: handshake failed")
	// ErrNotOwned: that worker does not own the node now.
	ErrNotOwned = errors.New("link: the worker does not own this node")
	// ErrEpoch: that worker owns the node in another epoch: look at the node again.
	ErrEpoch = errors.New("link: the node is owned in another epoch")
	// ErrBusy: the owner is handing the node over to another standby at this moment.
	ErrBusy = errors.New("link: the owner is handing the node over")
)

// Why HandOver failed.
var (
	// ErrNotHandedOver: the standby was not told; the owner still owns, and Ship is accepted again.
	ErrNotHandedOver = errors.New("link: node not handed over")
	// ErrNoStandby: there is nobody to hand over to. It comes within ErrNotHandedOver.
	ErrNoStandby = errors.New("link: no standby")
	// ErrHandOverUnknown: the standby may have been told. Ship stays refused; ask the node who owns it.
	ErrHandOverUnknown = errors.New("link: the standby may have taken the node over")
)

// ended gives the reason of a link's end for an error of its reading side. An end at a frame's border or a reset is what
// the kernel does for a process that ended; an end inside a frame is not, for whole frames are written and their bytes
// fit into the kernel's buffers. What the network reports (no route, timed out) is no sign of a process's death.
func ended(err error) error {
	switch {
	case errors.Is(err, ErrSilent), errors.Is(err, ErrMalformed):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it ended inside a frame", ErrMalformed)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return ErrPeerClosed
	}
	return fmt.Errorf("%w: %w", ErrSilent, err)
}
