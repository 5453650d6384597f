package esl

import (
	"runtime"
	"strings"
)

// keyChars is how much of a uuid the legs of one call share.
const keyChars = 8

// event brings an event to its job, to Handle, or into its shard's queue.
//
// A queue takes low-value events until it is half full and sheds them after
// that, so that they cannot crowd out the valuable ones. When a valuable event
// finds the queue full, state built on these events would be wrong: the
// connection ends, and whoever supervises it reconciles.
func (c *Conn) event(e *Event) error {
	c.count.events.Add(1)
	if e.name == "BACKGROUND_JOB" && c.job(e) {
		return nil
	}
	if c.shards == nil {
		if !c.closing.Load() {
			c.o.Handle(0, e)
		}
		return nil
	}
	q := c.shards[c.shard(e)]
	waiting := int(q.waiting.Load())
	if waiting >= q.limit/2 && !c.o.Valuable(e) {
		c.count.shed.Add(1)
		e.Release()
		return nil
	}
	if waiting >= q.limit {
		return ErrOverflow
	}
	q.stage(e)
	return nil
}

// aheadEvents is after how many events the reader lets shards run that wait for
// a processor. Without it a reader that is never out of input fills the queues
// for a whole time slice, some thousand events, before the first is handled, and
// all of them have left the processor's cache by then.
const aheadEvents = 32

// handOver gives each shard what has been staged for it. It never waits for a
// handler.
func (c *Conn) handOver() {
	for _, q := range c.shards {
		c.ahead += len(q.staged)
		q.handOver()
	}
	if c.ahead >= aheadEvents {
		c.ahead = 0
		runtime.Gosched()
	}
}

// serve is one shard: it handles its events in order until the reader has
// ended and the queue is empty.
func (c *Conn) serve(shard int) {
	q := c.shards[shard]
	var events []*Event
	for {
		if events = q.take(events); len(events) == 0 {
			return
		}
		for i, e := range events {
			events[i] = nil
			q.waiting.Add(-1)
			if !c.closing.Load() {
				c.o.Handle(shard, e)
			}
		}
	}
}

// shard maps an event's key to a shard.
func (c *Conn) shard(e *Event) int {
	if c.o.ShardKey != nil {
		return place(c.o.ShardKey(e), len(c.shards))
	}
	key, _ := e.raw("Unique-ID")
	return place(key[:min(keyChars, len(key))], len(c.shards))
}

// ShardOf is the shard to which the events of a channel fall, of so many, unless Options.ShardKey says otherwise.
func ShardOf(uuid string, shards int) int {
	if shards <= 1 {
		return 0
	}
	return place(uuid[:min(keyChars, len(uuid))], shards)
}

// place maps a key to a shard by FNV-1a; an empty one to the first.
func place[K string | []byte](key K, shards int) int {
	if len(key) == 0 {
		return 0
	}
	var hash uint32 = 2166136261
	for i := range len(key) {
		hash = (hash ^ uint32(key[i])) * 16777619
	}
	return int(uint64(hash) * uint64(shards) >> 32) // by the high bits, which FNV mixes best
}

// valuable is the default of Options.Valuable: what a call's state, a digit
// menu, ownership or supervision depends on.
func valuable(e *Event) bool {
	switch e.name {
	case "DTMF", "BACKGROUND_JOB", "HEARTBEAT", "CUSTOM", "SHUTDOWN":
		return true
	}
	return strings.HasPrefix(e.name, "CHANNEL_")
}
