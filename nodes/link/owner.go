package link

import (
	"errors"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Owner is a node's owner as the link knows it. Its methods may be called from any goroutine.
type Owner struct {
	server   *Server
	node     string
	epoch    uint64
	snapshot iter.Seq2[string, []byte]

	current   atomic.Pointer[session] // the standby, if there is one
	refusing  atomic.Bool             // Ship is refused: being handed over, handed over, or released
	picturing sync.Mutex              // one snapshot at a time

	mu       sync.Mutex // orders attach, HandOver and Release
	handing  bool
	released bool
}

// Ship gives a record to the standby: the key's value from now on, or, with a nil value, that the key is no more. The
// value is copied. It never blocks, and does next to nothing when there is no standby. A value above MaxValue is told to
// the standby as KindOversize.
func (o *Owner) Ship(key string, value []byte) Ticket {
	if !o.validKey(key) {
		return Ticket{refused: true}
	}
	if s := o.current.Load(); s != nil {
		if ticket, taken := s.ship(key, value); taken {
			return ticket
		}
	}
	return Ticket{refused: o.refusing.Load()}
}

// Sign writes a sign of life to the standby, if there is one: it is in the kernel's hands when Sign returns. It waits for
// nothing; when something else is just being written to the standby, that is the sign.
func (o *Owner) Sign() {
	if s := o.current.Load(); s != nil {
		s.sign()
	}
}

// Standby gives the name of the standby's worker; false when there is none.
func (o *Owner) Standby() (worker string, ok bool) {
	s := o.current.Load()
	if s == nil {
		return "", false
	}
	return s.worker, true
}

// Synced says whether there is a standby that has acknowledged a whole snapshot.
func (o *Owner) Synced() bool {
	s := o.current.Load()
	return s != nil && s.synced()
}

// Backlog gives how many bytes of frames the standby has not acknowledged.
func (o *Owner) Backlog() uint64 {
	s := o.current.Load()
	if s == nil {
		return 0
	}
	appended, _ := s.outbox.positions()
	return appended - min(appended, s.acks.reached.Load())
}

// Release says that this worker does not own the node any more. A standby is told ErrReleased, after what was shipped as
// far as it needs no waiting. Ship is refused from now on. It does not wait for a snapshot that is being taken.
func (o *Owner) Release() {
	if s := o.close(); s != nil {
		s.end(ErrReleased)
	}
}

// close takes the node off the server and gives the standby that was there.
func (o *Owner) close() *session {
	o.mu.Lock()
	o.released = true
	o.refusing.Store(true)
	s := o.current.Swap(nil)
	o.mu.Unlock()

	o.server.mu.Lock()
	defer o.server.mu.Unlock()
	if o.server.owners[o.node] == o {
		delete(o.server.owners, o.node)
	}
	return s
}

// attach makes a session that of the standby; the one before it is told that it was replaced.
func (o *Owner) attach(s *session) (status byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.released:
		return statusNotOwned
	case o.handing:
		return statusBusy
	}
	if earlier := o.current.Swap(s); earlier != nil {
		earlier.end(ErrReplaced)
	}
	return statusAccepted
}

// gone notes that a session has ended.
func (o *Owner) gone(s *session) {
	o.current.CompareAndSwap(s, nil)
	c := &o.server.counters
	switch why := s.why; {
	case errors.Is(why, ErrPeerClosed):
		c.lost.Add(1)
	case errors.Is(why, ErrSilent):
		c.silent.Add(1)
	case errors.Is(why, ErrReplaced):
		c.replaced.Add(1)
	case errors.Is(why, ErrCutOff), errors.Is(why, ErrMalformed):
		c.cutOff.Add(1)
	}
	o.server.logger.Info("standby gone", slog.String("node", o.node), slog.Uint64("epoch", o.epoch),
		slog.String("standby", s.worker), slog.Any("error", s.why))
}

// validKey refuses what cannot be a key. It is an error of the program, so it is counted and logged.
func (o *Owner) validKey(key string) bool {
	if key != "" && len(key) <= MaxKey {
		return true
	}
	o.server.counters.wrongKeys.Add(1)
	o.server.logger.Error("record with a wrong key refused", slog.String("node", o.node), slog.Int("key_bytes", len(key)))
	return false
}
