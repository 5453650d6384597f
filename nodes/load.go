package nodes

import (
	"strconv"
	"sync/atomic"
	"time"

	"tandem/esl"
	"tandem/messages"
)

// traffic is what a worker notices of a node's events, whatever it is to the node.
type traffic struct {
	events atomic.Uint64
	lag    atomic.Int64 // nanoseconds between the newest event that was handled and its handling
	load   atomic.Pointer[messages.NodeLoad]
}

// notice is called for every event before it is handled.
func (t *traffic) notice(e *esl.Event) {
	t.events.Add(1)
	at := e.Time()
	if !at.IsZero() {
		t.lag.Store(int64(time.Since(at)))
	}
	if e.Name() == "HEARTBEAT" {
		t.load.Store(loadOf(e, at))
	}
}

// loadOf reads what a HEARTBEAT tells (switch_core.c, send_heartbeat). What is not there, or no number, counts as none, and a
// processor of which nothing is said as idle: what is not known must not keep calls away.
func loadOf(e *esl.Event, at time.Time) *messages.NodeLoad {
	number := func(name string) int {
		n, err := strconv.Atoi(e.Get(name))
		if err != nil {
			return 0
		}
		return min(max(n, 0), maxTold)
	}
	idle, err := strconv.ParseFloat(e.Get("Idle-CPU"), 64)
	if err != nil || !(idle >= 0 && idle <= 100) {
		idle = 100
	}
	return &messages.NodeLoad{At: at, Sessions: number("Session-Count"), MaxSessions: number("Max-Sessions"),
		SessionsPerSecond: number("Session-Per-Sec-Last"), MaxSessionsPerSecond: number("Session-Per-Sec"), IdleCPUPercent: idle}
}

// maxTold bounds a number that a node tells of itself: node.event.v1 takes no larger one.
const maxTold = 1 << 20
