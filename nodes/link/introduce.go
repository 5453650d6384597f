package link

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net"
	"time"
)

// introduce is the standby's side of the handshake.
func introduce(ctx context.Context, conn net.Conn, from *frames, o FollowOptions) (welcome, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	answer, err := converse(conn, from, o)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	switch {
	case err == nil:
		return answer, conn.SetDeadline(time.Time{})
	case ctx.Err() != nil:
		return welcome{}, fmt.Errorf("%w: %w", ErrHandshake, ctx.Err())
	case errors.Is(err, ErrNotOwned), errors.Is(err, ErrEpoch), errors.Is(err, ErrBusy), errors.Is(err, ErrHandshake):
		return welcome{}, err
	}
	return welcome{}, fmt.Errorf("%w: %w", ErrHandshake, err)
}

func converse(conn net.Conn, from *frames, o FollowOptions) (welcome, error) {
	if err := conn.SetDeadline(time.Now().Add(HandshakeLimit)); err != nil {
		return welcome{}, err
	}
	if err := prepare(conn); err != nil {
		return welcome{}, err
	}
	first := newHello(o.Node, o.Worker, o.Epoch).body()
	if _, err := conn.Write(appendFrame(nil, frameHello, first)); err != nil {
		return welcome{}, err
	}
	challenge, err := expect(from, frameChallenge)
	if err != nil {
		return welcome{}, err
	}
	if len(challenge) != challengeSize {
		return welcome{}, fmt.Errorf("%w: a challenge of %d bytes", ErrMalformed, len(challenge))
	}
	if _, err := conn.Write(appendFrame(nil, frameProof, prove(o.Secret, labelStandby, first, challenge))); err != nil {
		return welcome{}, err
	}
	last, err := expect(from, frameWelcome)
	if err != nil {
		return welcome{}, fmt.Errorf("the owner did not accept our proof: %w", err)
	}
	answer, proof, err := readWelcome(last)
	if err != nil {
		return welcome{}, err
	}
	said := last[:len(last)-len(proof)]
	if !hmac.Equal(proof, prove(o.Secret, labelOwner, first, challenge, said)) {
		return welcome{}, fmt.Errorf("%w: the owner did not prove that it has the secret", ErrHandshake)
	}
	return answer, answer.refusal(o)
}

// refusal gives the error that a status means.
func (w welcome) refusal(o FollowOptions) error {
	switch w.status {
	case statusAccepted:
		return nil
	case statusNotOwned:
		return fmt.Errorf("%w: node %s, worker %s", ErrNotOwned, o.Node, w.worker)
	case statusOtherEpoch:
		return fmt.Errorf("%w: node %s, asked for %d, owned in %d", ErrEpoch, o.Node, o.Epoch, w.epoch)
	case statusBusy:
		return fmt.Errorf("%w: node %s, worker %s", ErrBusy, o.Node, w.worker)
	}
	return fmt.Errorf("%w: an unknown status %d", ErrMalformed, w.status)
}
