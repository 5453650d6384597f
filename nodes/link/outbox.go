package link

import (
	"errors"
	"sync"
)

// errFull: the standby does not keep up.
var errFull = errors.New("link: too much waits for the standby")

// outbox holds the frames that wait to be written to one standby, in order. Ship appends to one buffer while the writer
// empties the other.
type outbox struct {
	mu       sync.Mutex
	room     sync.Cond // signals that backlog became less, or that it is over; for the snapshot
	pending  []byte    // frames appended since the writer last took the buffer
	taken    []byte    // the buffer that the writer empties
	rest     []byte    // what it has not written of it yet
	backlog  int       // bytes of pending and rest
	appended uint64    // the position after the last frame appended
	written  uint64    // the position up to which the writer has taken frames
	blocked  bool      // the writer has frames, and no room in the window
	sealed   bool      // the node is being handed over: nothing is shipped
	over     bool      // nothing is appended any more

	// touched are the keys shipped since the standby connected, until its snapshot has been told: what the snapshot still
	// says of them may be older. Nil afterwards.
	touched map[string]struct{}
}

func newOutbox() *outbox {
	o := &outbox{touched: map[string]struct{}{}}
	o.room.L = &o.mu
	return o
}

// ship appends a record. Wake says that the writer may be asleep.
func (o *outbox) ship(key string, value []byte) (position uint64, taken, wake bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over || o.sealed {
		return 0, false, false, nil
	}
	kind := frameSet
	switch {
	case value == nil:
		kind = frameForget
	case len(value) > MaxValue:
		kind, value = frameOversize, nil
	}
	if o.backlog+recordSize(key, value) > MaxBacklog {
		return 0, false, false, errFull
	}
	if o.touched != nil {
		if o.touched[key] = struct{}{}; len(o.touched) > MaxTouched {
			return 0, false, false, errFull
		}
	}
	wake = o.record(kind, key, value)
	return o.appended, true, wake, nil
}

// picture appends a record of the snapshot, unless its key was shipped meanwhile. It waits for room. False: it is over.
func (o *outbox) picture(key string, value []byte) (goOn, wake bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.backlog > snapshotRoom && !o.over {
		o.room.Wait()
	}
	if o.over {
		return false, false
	}
	if _, newer := o.touched[key]; newer {
		return true, false
	}
	if len(value) > MaxValue {
		return true, o.record(frameOversize|fromSnapshot, key, nil)
	}
	return true, o.record(frameSet|fromSnapshot, key, value)
}

// mark appends a counted frame without a body: complete or goodbye. False: it is over.
func (o *outbox) mark(kind byte) (position uint64, marked bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return 0, false
	}
	if kind == frameComplete {
		o.touched = nil
	}
	before := len(o.pending)
	o.pending = appendFrame(o.pending, kind)
	o.count(len(o.pending) - before)
	return o.appended, true
}

// record appends a record's frame; the caller holds mu.
func (o *outbox) record(kind byte, key string, value []byte) (wake bool) {
	before := len(o.pending)
	o.pending = appendRecord(o.pending, kind, key, value)
	o.count(len(o.pending) - before)
	return before == 0
}

func (o *outbox) count(bytes int) {
	o.backlog += bytes
	o.appended += uint64(bytes)
}

// take gives whole frames to write, as many as fit into the window beside what is not acknowledged. The bytes are the
// writer's until its next take. None: there is nothing to write, or no room for it.
func (o *outbox) take(reached func() uint64) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.rest) == 0 && len(o.pending) > 0 {
		emptied := o.taken[:0]
		if cap(emptied) > keepBuffer {
			emptied = nil
		}
		o.taken, o.rest, o.pending = o.pending, o.pending, emptied
	}
	o.blocked = false
	if len(o.rest) == 0 {
		return nil
	}
	chunk := whole(o.rest, window-int(o.written-reached()))
	o.blocked = len(chunk) == 0
	o.rest = o.rest[len(chunk):]
	o.backlog -= len(chunk)
	o.written += uint64(len(chunk))
	if len(chunk) > 0 {
		o.room.Broadcast()
	}
	return chunk
}

// end refuses everything from now on. What waits stays for the writer only when keep is set.
func (o *outbox) end(keep bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	if !keep {
		o.pending, o.rest, o.taken, o.backlog, o.touched = nil, nil, nil, 0, nil
	}
	o.room.Broadcast()
}

// seal refuses what is shipped, or accepts it again.
func (o *outbox) seal(sealed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed = sealed
}

// positions gives where the last frame appended ends, and the last one that the writer took.
func (o *outbox) positions() (appended, written uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.appended, o.written
}

// isBlocked says whether the writer waits for an acknowledgement. Asked after the acknowledgement was noted, either it
// says so or the writer's next take sees the room.
func (o *outbox) isBlocked() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.blocked
}
