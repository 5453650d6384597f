package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// session is an owner's link with one standby, from its admission to its end.
type session struct {
	owner  *Owner
	conn   net.Conn
	worker string
	outbox *outbox
	acks   acks
	writes acks          // the same of what the kernel has got
	wake   chan struct{} // holds one: the writer has something to look at
	pen    sync.Mutex    // held while something is written

	once     sync.Once
	ended    chan struct{}
	why      error         // set before ended closes
	closing  *time.Timer   // closes conn when the standby does not; set before ended closes
	pictured chan struct{} // the snapshot has been appended to its end
	complete atomic.Uint64 // the position after the snapshot; 0: not there yet
	goodbye  atomic.Uint64 // the position after the goodbye; 0: not said
}

func newSession(owner *Owner, conn net.Conn, worker string) *session {
	return &session{owner: owner, conn: conn, worker: worker, outbox: newOutbox(), wake: make(chan struct{}, 1),
		ended: make(chan struct{}), pictured: make(chan struct{})}
}

// ship appends a record for the standby.
func (s *session) ship(key string, value []byte) (Ticket, bool) {
	position, taken, wake, err := s.outbox.ship(key, value)
	if err != nil {
		s.end(ErrCutOff)
	}
	if wake {
		s.rouse()
	}
	if !taken {
		return Ticket{}, false
	}
	return Ticket{session: s, position: position}, true
}

func (s *session) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run serves the standby until the link has ended; it returns when nothing of it is left.
func (s *session) run(from *frames) {
	var writer, pictures sync.WaitGroup
	writer.Go(s.write)
	pictures.Go(s.picture)
	from.expand(newPatience(s.conn, s.owner.server.silence), limitFromPeer, ownerBuffer)
	why := s.read(from)
	if goodbye := s.goodbye.Load(); goodbye > 0 && s.acks.reached.Load() >= goodbye {
		why = ErrHandedOver
	}
	s.end(why)
	writer.Wait()
	drain(s.conn)
	s.closing.Stop()
	_ = s.conn.Close() // the link is over, and why is known
	pictures.Wait()
}

// read takes acknowledgements until the link ends, and says why it did.
func (s *session) read(from *frames) error {
	for {
		kind, body, _, err := from.next()
		if err != nil {
			return ended(err)
		}
		switch {
		case kind == framePing && len(body) == 0:
		case kind == frameAck && len(body) == 8:
			if err := s.acknowledged(binary.BigEndian.Uint64(body)); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: a standby sent a frame of kind %d", ErrMalformed, kind)
		}
	}
}

func (s *session) acknowledged(position uint64) error {
	if _, written := s.outbox.positions(); position > written || position < s.acks.reached.Load() {
		return fmt.Errorf("%w: a position was acknowledged that cannot be", ErrMalformed)
	}
	s.acks.reach(position)
	if s.outbox.isBlocked() {
		s.rouse()
	}
	return nil
}

// picture tells the standby what the owner holds. Of two standbys' pictures one is taken at a time.
func (s *session) picture() {
	s.owner.picturing.Lock()
	defer s.owner.picturing.Unlock()
	for key, value := range s.owner.snapshot {
		if s.isOver() {
			return
		}
		if value == nil || !s.owner.validKey(key) {
			continue
		}
		goOn, wake := s.outbox.picture(key, value)
		if !goOn {
			return
		}
		if wake {
			s.rouse()
		}
	}
	position, marked := s.outbox.mark(frameComplete)
	if !marked {
		return
	}
	s.complete.Store(position)
	close(s.pictured)
	s.rouse()
}

// synced says whether the standby has acknowledged the whole snapshot.
func (s *session) synced() bool {
	complete := s.complete.Load()
	return complete > 0 && s.acks.reached.Load() >= complete
}

// write writes what is shipped, many frames at once where they are there, and pings when nothing is.
func (s *session) write() {
	tick := time.NewTicker(PingEvery)
	defer tick.Stop()
	ping := appendFrame(nil, framePing)
	var stall stall
	quiet := true
	for {
		chunk := s.outbox.take(s.acks.reached.Load)
		if len(chunk) > 0 {
			if s.send(chunk) != nil {
				return
			}
			s.writes.reach(s.writes.reached.Load() + uint64(len(chunk)))
			quiet = false
			continue
		}
		if s.isOver() {
			s.farewell()
			return
		}
		select {
		case <-s.wake:
		case <-tick.C:
			if quiet && s.send(ping) != nil {
				return
			}
			quiet = true
			if _, written := s.outbox.positions(); stall.tick(s.acks.reached.Load(), written) {
				s.end(ErrCutOff)
			}
		}
	}
}

// send writes. It does not wait in practice, because the kernel's buffers hold the window; where they do not, a standby
// that takes nothing for StallLimit is cut off.
func (s *session) send(bytes []byte) error {
	s.pen.Lock()
	defer s.pen.Unlock()
	return s.put(bytes)
}

// sign pings at once.
func (s *session) sign() {
	if s.isOver() || !s.pen.TryLock() {
		return
	}
	defer s.pen.Unlock()
	_ = s.put(appendFrame(nil, framePing)) // the link's end is for the writer to find
}

// put is send for who holds the pen.
func (s *session) put(bytes []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(StallLimit)); err != nil {
		return err
	}
	_, err := s.conn.Write(bytes)
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		s.end(ErrCutOff)
	}
	return err
}

// end ends the session once, for one reason. It does not wait: run does.
func (s *session) end(why error) {
	s.once.Do(func() {
		s.why = why
		s.closing = time.AfterFunc(lingerLimit, func() { _ = s.conn.Close() })
		close(s.ended)
		s.outbox.end(errors.Is(why, ErrReleased))
		s.owner.gone(s)
		s.acks.end()
		s.writes.end()
		s.rouse()
	})
}

func (s *session) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// farewell tells the standby why the link ends, so that it does not take it for the owner's death.
func (s *session) farewell() {
	if word := lastWord(s.why); word != 0 {
		if s.send(appendFrame(nil, frameNotice, []byte{word})) != nil {
			return
		}
	}
	closeWrite(s.conn)
}

// stall counts the ticks in which nothing was acknowledged though something was written.
type stall struct {
	reached uint64
	ticks   int
}

func (t *stall) tick(reached, written uint64) (tooLong bool) {
	if reached == written || reached != t.reached {
		t.reached, t.ticks = reached, 0
		return false
	}
	t.ticks++
	return t.ticks >= int(StallLimit/PingEvery)
}
