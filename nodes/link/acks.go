package link

import (
	"sync"
	"sync/atomic"
	"time"
)

// Ticket stands for one shipped record. The zero value is that of a record that no standby was there for.
type Ticket struct {
	session  *session
	position uint64
	refused  bool
}

// Wait says whether the standby has acknowledged the record, and waits for that up to d. False: no standby, the link
// ended, or not in time. It may be called more than once and does not allocate in the long run.
func (t Ticket) Wait(d time.Duration) bool {
	if t.session == nil {
		return false
	}
	return t.session.acks.wait(t.position, d)
}

// Written says whether the record was handed to the kernel, and waits for that up to d. From then on the standby gets it even
// if this process dies or is stopped, unless the network fails. False: no standby, the link ended, or not in time.
func (t Ticket) Written(d time.Duration) bool {
	if t.session == nil {
		return false
	}
	return t.session.writes.wait(t.position, d)
}

// Refused says that the record was not taken at all: the node was released or is being handed over, so its owner must
// not act on it; or the key is no key (empty, or longer than MaxKey).
func (t Ticket) Refused() bool { return t.refused }

// acks knows the position that a standby has acknowledged, or that the kernel has got, and who waits for which.
type acks struct {
	reached atomic.Uint64
	spare   sync.Pool // of *waiter

	mu     sync.Mutex
	ended  bool
	oldest *waiter // the waiters in the order of their positions
	newest *waiter
}

type waiter struct {
	position    uint64
	told        chan bool // holds one
	timer       *time.Timer
	listed      bool
	prior, next *waiter
}

// reach notes an acknowledgement and tells those who waited for it.
func (a *acks) reach(position uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reached.Store(position)
	for w := a.oldest; w != nil && w.position <= position; w = a.oldest {
		a.unlist(w)
		w.told <- true
	}
}

// end tells all who wait that nothing comes any more.
func (a *acks) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for w := a.oldest; w != nil; w = a.oldest {
		a.unlist(w)
		w.told <- false
	}
}

// wait waits for a position at most for d.
func (a *acks) wait(position uint64, d time.Duration) bool {
	if a.reached.Load() >= position {
		return true
	}
	if d <= 0 {
		return false
	}
	w, waiting := a.enlist(position)
	if !waiting {
		return a.reached.Load() >= position
	}
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	told := false
	select {
	case told = <-w.told:
	case <-w.timer.C:
		told = a.giveUp(w)
	}
	w.timer.Stop()
	a.spare.Put(w)
	return told
}

// enlist adds a waiter; not when the position is reached, or when nothing comes any more.
func (a *acks) enlist(position uint64) (*waiter, bool) {
	w, ok := a.spare.Get().(*waiter)
	if !ok {
		w = &waiter{told: make(chan bool, 1)}
	}
	w.position = position
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.reached.Load() >= position {
		a.spare.Put(w)
		return nil, false
	}
	// Positions come nearly in order: the place is at the end or close to it.
	after := a.newest
	for after != nil && after.position > position {
		after = after.prior
	}
	a.list(w, after)
	return w, true
}

// giveUp takes a waiter off the list. It may have been told at the last moment; then that counts.
func (a *acks) giveUp(w *waiter) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !w.listed {
		return <-w.told
	}
	a.unlist(w)
	return false
}

func (a *acks) list(w, after *waiter) {
	w.listed, w.prior = true, after
	if after == nil {
		w.next, a.oldest = a.oldest, w
	} else {
		w.next, after.next = after.next, w
	}
	if w.next == nil {
		a.newest = w
	} else {
		w.next.prior = w
	}
}

func (a *acks) unlist(w *waiter) {
	if w.prior == nil {
		a.oldest = w.next
	} else {
		w.prior.next = w.next
	}
	if w.next == nil {
		a.newest = w.prior
	} else {
		w.next.prior = w.prior
	}
	w.listed, w.prior, w.next = false, nil, nil
}
