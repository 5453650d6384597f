package esl

import (
	"context"
	"fmt"
	"io"
)

// authenticate waits for auth/request and answers it.
func (c *Conn) authenticate(ctx context.Context) error {
	login, err := authCommand(c.o.User, c.o.Password)
	if err != nil {
		return err
	}
	deadline, _ := ctx.Deadline()
	if err := c.nc.SetWriteDeadline(deadline); err != nil {
		return err
	}
	var f frame
	if err := c.expect(&f, typeAuthRequest); err != nil {
		return err
	}
	if _, err := io.WriteString(c.nc, login); err != nil {
		return err
	}
	c.count.bytesOut.Add(uint64(len(login)))
	if err := c.expect(&f, typeCommandReply); err != nil {
		return err
	}
	if err := newReply(&f).Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrAuth, err)
	}
	return nil
}

// expect reads up to the next known frame, which must be of this kind.
func (c *Conn) expect(f *frame, kind contentType) error {
	for {
		if err := c.in.next(f); err != nil {
			return err
		}
		switch f.kind {
		case kind:
			return nil
		case typeUnknown:
			c.count.skipped.Add(1)
		case typeRudeRejection:
			return ErrRejected
		case typeDisconnectNotice:
			return ErrDisconnectNotice
		default:
			return &FrameError{"unexpected frame during the handshake"}
		}
	}
}
