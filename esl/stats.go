package esl

import "sync/atomic"

// Stats are counts since the connection was dialed, and two gauges.
type Stats struct {
	Events      uint64 // all that arrived, shed ones and job results included
	Shed        uint64 // low-value events dropped because their shard lagged
	Jobs        uint64 // job results given to Background
	Skipped     uint64 // frames of unknown content type
	Commands    uint64 // written, or about to be
	Replies     uint64 // given to their callers
	LateReplies uint64 // dropped, because their callers had given up
	BytesIn     uint64
	BytesOut    uint64

	InFlight int // commands without a reply now
	Queued   int // events in shard queues now
}

// Stats may be called at any time, also after the end.
func (c *Conn) Stats() Stats {
	s := Stats{
		Events: c.count.events.Load(), Shed: c.count.shed.Load(), Jobs: c.count.jobs.Load(),
		Skipped: c.count.skipped.Load(), Commands: c.count.commands.Load(), Replies: c.count.replies.Load(),
		LateReplies: c.count.late.Load(), BytesIn: c.count.bytesIn.Load(), BytesOut: c.count.bytesOut.Load(),
		InFlight: len(c.slots),
	}
	for _, q := range c.shards {
		s.Queued += int(q.waiting.Load())
	}
	return s
}

type counters struct {
	events, shed, jobs, skipped, commands, replies, late, bytesIn, bytesOut atomic.Uint64
}
