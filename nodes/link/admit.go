package link

import (
	"crypto/hmac"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// serve is one connection, from its first byte to its end.
func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // whoever ended it has said why
	from := handshakeFrames(conn)
	asked, said, err := s.greet(conn, from)
	if err != nil {
		s.leave(conn)
		s.refused(conn, err)
		return
	}
	admitted, status, epoch := s.admit(conn, asked)
	s.leave(conn)
	if admitted == nil {
		s.counters.declined.Add(1)
		s.logger.Info("standby declined", slog.String("node", asked.node), slog.String("standby", asked.worker),
			slog.Uint64("asked_epoch", asked.epoch), slog.Uint64("epoch", epoch), slog.Int("status", int(status)))
	}
	answer := welcome{status: status, epoch: epoch, worker: s.worker}.body()
	proof := prove(s.secret, labelOwner, append(said, answer)...)
	_, err = conn.Write(appendFrame(nil, frameWelcome, answer, proof))
	if admitted == nil {
		return
	}
	defer s.forget(admitted)
	if err != nil {
		admitted.end(ErrPeerClosed) // run finds nothing to do and cleans up
	}
	_ = conn.SetDeadline(time.Time{}) // of a closed connection: the next read says so
	admitted.run(from)
}

// greet lets the peer prove that it has the secret; said is what both said, for our own proof.
func (s *Server) greet(conn net.Conn, from *frames) (asked hello, said [][]byte, err error) {
	if err := conn.SetDeadline(time.Now().Add(HandshakeLimit)); err != nil {
		return hello{}, nil, err
	}
	if err := prepare(conn); err != nil {
		return hello{}, nil, err
	}
	first, err := expect(from, frameHello)
	if err != nil {
		return hello{}, nil, err
	}
	if asked, err = readHello(first); err != nil {
		return hello{}, nil, err
	}
	challenge := newChallenge()
	if _, err := conn.Write(appendFrame(nil, frameChallenge, challenge[:])); err != nil {
		return hello{}, nil, err
	}
	proof, err := expect(from, frameProof)
	if err != nil {
		return hello{}, nil, err
	}
	said = [][]byte{first, challenge[:]}
	if !hmac.Equal(proof, prove(s.secret, labelStandby, said...)) {
		return hello{}, nil, fmt.Errorf("%w: wrong proof", ErrHandshake)
	}
	return asked, said, nil
}

// admit makes a proven peer the standby of the node that it asked for. From then on what the owner ships is for it.
func (s *Server) admit(conn net.Conn, asked hello) (admitted *session, status byte, epoch uint64) {
	s.mu.Lock()
	o := s.owners[asked.node]
	if s.closed || o == nil {
		s.mu.Unlock()
		return nil, statusNotOwned, 0
	}
	if o.epoch != asked.epoch {
		s.mu.Unlock()
		return nil, statusOtherEpoch, o.epoch
	}
	admitted = newSession(o, conn, asked.worker)
	s.sessions[admitted] = struct{}{}
	s.mu.Unlock()

	if status = o.attach(admitted); status != statusAccepted {
		s.forget(admitted)
		return nil, status, o.epoch
	}
	s.counters.standbys.Add(1)
	s.logger.Info("standby connected", slog.String("node", o.node), slog.Uint64("epoch", o.epoch), slog.String("standby", asked.worker))
	return admitted, statusAccepted, o.epoch
}

func (s *Server) forget(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, one)
}
