package esl

import (
	"sync"
	"sync/atomic"
)

// queue is what lies between the reader and one shard. Waking a goroutine costs
// more than reading an event, so the reader stages what it cuts out of one read
// of the socket and hands it over before the next; the shard takes all that is
// there at once.
type queue struct {
	limit   int          // events that may wait
	waiting atomic.Int64 // events staged, handed over or taken, and not begun
	staged  []*Event     // the reader's alone

	mu     sync.Mutex
	more   sync.Cond // signalled when events came, or no more will
	events []*Event  // handed over and not taken
	closed bool
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit}
	q.more.L = &q.mu
	return q
}

// stage adds an event that handOver is to pass on.
func (q *queue) stage(e *Event) {
	q.staged = append(q.staged, e)
	q.waiting.Add(1)
}

// handOver gives the shard what was staged.
func (q *queue) handOver() {
	if len(q.staged) == 0 {
		return
	}
	q.mu.Lock()
	q.events = append(q.events, q.staged...)
	q.mu.Unlock()
	q.more.Signal()
	clear(q.staged)
	q.staged = q.staged[:0]
}

// close says that nothing more will be handed over.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.more.Signal()
}

// take waits for events and returns all that are there, or none after the last.
// What an earlier take returned is used again.
func (q *queue) take(earlier []*Event) []*Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.events) == 0 && !q.closed {
		q.more.Wait()
	}
	events := q.events
	q.events = earlier[:0]
	return events
}
