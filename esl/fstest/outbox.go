package fstest

import (
	"sync"
)

// outbox is the bounded queue in front of the writer of one connection. It has
// its own lock because the writer must not hold Server.mu.
type outbox struct {
	mu      sync.Mutex
	frames  [][]byte
	ended   bool // nothing may be added, what is queued is still written
	dropped bool // nothing is written any more
	ready   chan struct{}
}

// put queues a frame; it reports false when the queue is full.
func (o *outbox) put(frame []byte, always bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended || (!always && len(o.frames) >= maxQueuedFrames) {
		return false
	}
	o.frames = append(o.frames, frame)
	o.signal()
	return true
}

func (o *outbox) signal() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// end lets the writer finish: after what is queued, or at once.
func (o *outbox) end(atOnce bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.dropped = o.dropped || atOnce
	o.signal()
}

// take returns what is queued, and whether the writer is to go on.
func (o *outbox) take() (frames [][]byte, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	frames, o.frames = o.frames, nil
	if o.dropped {
		return nil, false
	}
	return frames, !o.ended || len(frames) > 0
}
