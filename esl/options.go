package esl

import (
	"log/slog"
	"time"
)

// Defaults and bounds of a connection. Each can be set in Options.
const (
	defaultDialTimeout    = 3 * time.Second
	defaultCommandTimeout = 5 * time.Second
	defaultHardLimit      = 30 * time.Second
	defaultWriteTimeout   = 5 * time.Second
	defaultJobTimeout     = 2 * time.Minute
	defaultQueueLength    = 4096
	defaultInFlight       = 1024
	defaultRetryMin       = 50 * time.Millisecond
	defaultRetryMax       = 5 * time.Second
	defaultSilence        = 45 * time.Second // two of FreeSWITCH's default heartbeats and some slack

	maxShards = 256
)

// Options say where to connect and what to do with what comes. Only Address
// and Password are needed; a zero value elsewhere means the default.
type Options struct {
	Address  string // host:port
	User     string // "name@domain" for userauth; empty for the one password
	Password string

	// Events are the names to subscribe to, e.g. "CHANNEL_PARK" or
	// "CUSTOM tandem::epoch", in any order. BACKGROUND_JOB is always added,
	// because Background needs it.
	Events []string

	// Handle receives every event but the results of this connection's own
	// Background calls. With Shards > 1 it runs on one goroutine per shard, in
	// order, and may block as long as the shard's queue has room. With
	// Shards <= 1 it runs inline on the reading goroutine (shard 0): there it
	// must return at once, and must not call Send, whose reply could not be
	// read. It must never call Close and wait: use go c.Close().
	Handle func(shard int, e *Event)
	Shards int

	// ShardKey chooses the shard; equal keys share one. The default is the
	// first eight characters of Unique-ID, which all legs of a call have in
	// common. Events with an empty key go to shard 0.
	ShardKey func(e *Event) string
	// QueueLength bounds the queue of one shard, in events (about 5 kB each).
	QueueLength int
	// Valuable says which events must not be shed. The default keeps
	// CHANNEL_*, DTMF, BACKGROUND_JOB, HEARTBEAT, CUSTOM and SHUTDOWN.
	Valuable func(e *Event) bool

	DialTimeout    time.Duration // TCP, authentication and subscription together
	CommandTimeout time.Duration // how long Send waits for a reply, unless its context ends sooner
	HardLimit      time.Duration // an unanswered command ends the connection after this
	WriteTimeout   time.Duration // of one write
	JobTimeout     time.Duration // how long Background waits, unless its context says otherwise
	Silence        time.Duration // no byte for this long ends the connection; 0: never (Supervise sets 45 s)
	// Unacknowledged, if set, ends the connection when the node's kernel has acknowledged nothing of what was written for so
	// long: what it has not got by then never reaches it, also when a broken network is mended later. Linux alone.
	Unacknowledged time.Duration
	InFlight       int // commands that may wait for a reply; further ones wait for a place
	MaxContent     int // the largest Content-Length accepted, in bytes

	RetryMin, RetryMax time.Duration // Supervise's pause between dials, before jitter

	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	duration := func(d *time.Duration, or time.Duration) {
		if *d <= 0 {
			*d = or
		}
	}
	number := func(n *int, or int) {
		if *n <= 0 {
			*n = or
		}
	}
	duration(&o.DialTimeout, defaultDialTimeout)
	duration(&o.CommandTimeout, defaultCommandTimeout)
	duration(&o.HardLimit, max(defaultHardLimit, 2*o.CommandTimeout))
	duration(&o.WriteTimeout, defaultWriteTimeout)
	duration(&o.JobTimeout, defaultJobTimeout)
	duration(&o.RetryMin, defaultRetryMin)
	duration(&o.RetryMax, max(defaultRetryMax, o.RetryMin))
	number(&o.QueueLength, defaultQueueLength)
	number(&o.InFlight, defaultInFlight)
	number(&o.MaxContent, defaultMaxContentLength)
	o.Shards = min(o.Shards, maxShards)
	if o.Handle == nil {
		o.Handle = func(int, *Event) {}
	}
	if o.Valuable == nil {
		o.Valuable = valuable
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
