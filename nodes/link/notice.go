package link

import (
	"errors"
	"fmt"
)

// What a notice says.
const (
	wordReplaced byte = 1 + iota
	wordCutOff
	wordReleased
)

// lastWord gives what a standby is told at the end; 0: nothing, because it is gone or has been told.
func lastWord(why error) byte {
	switch {
	case errors.Is(why, ErrReplaced):
		return wordReplaced
	case errors.Is(why, ErrReleased):
		return wordReleased
	case errors.Is(why, ErrPeerClosed), errors.Is(why, ErrHandedOver):
		return 0
	}
	return wordCutOff
}

// noticed gives the reason that a notice names.
func noticed(body []byte) error {
	if len(body) == 1 {
		switch body[0] {
		case wordReplaced:
			return ErrReplaced
		case wordCutOff:
			return ErrCutOff
		case wordReleased:
			return ErrReleased
		}
	}
	return fmt.Errorf("%w: an unknown notice", ErrMalformed)
}
