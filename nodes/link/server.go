package link

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Server is the one address at which a worker's standbys connect, for all nodes that the worker owns.
type Server struct {
	listener net.Listener
	secret   []byte
	worker   string
	silence  time.Duration
	logger   *slog.Logger
	counters counters
	running  sync.WaitGroup
	stop     func() bool // no longer closes with the context

	mu         sync.Mutex
	closed     bool
	owners     map[string]*Owner
	sessions   map[*session]struct{}
	handshakes []net.Conn // the oldest first
	warned     time.Time
}

// Listen starts to listen. The server closes when the context ends; Close also waits for what is left of it.
func Listen(ctx context.Context, o Options) (*Server, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	s := &Server{listener: listener, secret: o.Secret, worker: o.Worker, silence: o.Silence, logger: o.Logger,
		owners: map[string]*Owner{}, sessions: map[*session]struct{}{}}
	s.running.Go(s.accept)
	s.stop = context.AfterFunc(ctx, s.shut)
	return s, nil
}

// Addr gives the address that is listened on, host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close releases all nodes, ends all links and waits until nothing is left of them. Each standby is told ErrReleased.
// It must not be called under a lock that a snapshot function takes.
func (s *Server) Close() error {
	s.stop()
	s.shut()
	s.running.Wait()
	return nil
}

func (s *Server) shut() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	_ = s.listener.Close() // nobody waits for its error
	for _, conn := range s.handshakes {
		_ = conn.Close() // as above
	}
	owners := make([]*Owner, 0, len(s.owners))
	for _, o := range s.owners {
		owners = append(owners, o)
	}
	sessions := make([]*session, 0, len(s.sessions))
	for one := range s.sessions {
		sessions = append(sessions, one)
	}
	s.mu.Unlock()
	for _, o := range owners {
		o.Release()
	}
	for _, one := range sessions {
		one.end(ErrReleased)
		one.closing.Reset(closeLimit)
	}
}

// Own offers a node's state to whichever standby connects for it. The snapshot gives the owner's keys with their values
// (1 to MaxKey bytes, up to MaxValue bytes); it is called on a goroutine of the link whenever a standby connects. A yield
// can wait for the standby, so the snapshot must not hold a lock then that a caller of Ship needs. What was shipped must
// be visible to the snapshot before Ship is called. An earlier Own of the same node on this server is released.
func (s *Server) Own(node string, epoch uint64, snapshot iter.Seq2[string, []byte]) *Owner {
	o := &Owner{server: s, node: node, epoch: epoch, snapshot: snapshot}
	s.mu.Lock()
	earlier := s.owners[node]
	s.owners[node] = o
	if s.closed {
		o.refusing.Store(true)
	}
	s.mu.Unlock()
	if !validName(node) {
		s.logger.Error("no standby can follow a node of this name", slog.Int("name_bytes", len(node)))
	}
	if earlier != nil {
		earlier.Release()
	}
	return o
}

// accept takes connections until the listener closes.
func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, or a connection that went at once: what waits in the queue stays there
			s.logger.Error("accepting standbys failed", slog.Any("error", err))
			time.Sleep(PingEvery)
			continue
		}
		if !s.enter(conn) {
			_ = conn.Close() // it has been told nothing yet
			continue
		}
		s.running.Go(func() { s.serve(conn) })
	}
}

// enter gives a connection a place for its handshake; the oldest has to go when there is none, for an honest
// handshake takes a millisecond.
func (s *Server) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if len(s.handshakes) >= MaxHandshakes {
		_ = s.handshakes[0].Close() // its own goroutine sees it and ends
		s.handshakes = append(s.handshakes[:0], s.handshakes[1:]...)
		s.counters.evicted.Add(1)
	}
	s.handshakes = append(s.handshakes, conn)
	return true
}

// leave takes a connection from the handshakes.
func (s *Server) leave(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, one := range s.handshakes {
		if one == conn {
			s.handshakes = append(s.handshakes[:i], s.handshakes[i+1:]...)
			return
		}
	}
}

// refused counts a connection that proved nothing, and logs at most one of them in warnEvery.
func (s *Server) refused(conn net.Conn, err error) {
	s.counters.refused.Add(1)
	s.mu.Lock()
	quiet := s.closed || time.Since(s.warned) < warnEvery
	if !quiet {
		s.warned = time.Now()
	}
	s.mu.Unlock()
	if !quiet {
		s.logger.Warn("connection to the link refused", slog.String("from", conn.RemoteAddr().String()), slog.Any("error", err))
	}
}
