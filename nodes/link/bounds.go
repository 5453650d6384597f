package link

import "time"

// Bounds of what crosses a link, of the time it may take and of the memory it may hold.
const (
	// MaxValue is the largest value that travels, in bytes. It is below window, so that each frame fits into it.
	MaxValue = 64 << 10
	// MaxKey is the longest key, in bytes; a key has at least one.
	MaxKey = 255
	// MaxName is the longest name of a node or a worker, in bytes; a name has at least one.
	MaxName = 255
	// MinSecret is the shortest secret, in bytes.
	MinSecret = 16

	// MaxBacklog is how many bytes of frames may wait to be written to one standby; more, and it is cut off. The buffers
	// that hold them have up to twice as much capacity.
	MaxBacklog = 8 << 20
	// MaxTouched is how many different keys may be shipped while a standby still gets its snapshot; more, and it is cut off.
	MaxTouched = 1 << 18
	// StallLimit is how long a standby may acknowledge nothing while something awaits its acknowledgement. It is counted
	// in ticks of the owner's own clock, so that an owner that was paused does not blame its standby.
	StallLimit = time.Second

	// MaxHandshakes is how many connections may be unproven at once; one more, and the oldest of them is closed.
	MaxHandshakes = 64
	// HandshakeLimit is the time for a whole handshake; dialLimit that for the TCP connection before it.
	HandshakeLimit = time.Second
	dialLimit      = time.Second

	// PingEvery is how often a side that has nothing else to say says that it is there.
	PingEvery = 20 * time.Millisecond
	// DefaultSilence and MinSilence bound Options.Silence.
	DefaultSilence = 100 * time.Millisecond
	MinSilence     = 3 * PingEvery

	// lingerLimit is how long a side waits for the other to take its last word before it closes; closeLimit is the same
	// when its whole server closes.
	lingerLimit = 2 * time.Second
	closeLimit  = 100 * time.Millisecond
	// warnEvery is how often refused connections are logged at most; all are counted.
	warnEvery = time.Second

	// window is how many bytes the owner has unacknowledged on the way. socketBuffer holds them with the kernel's own
	// overhead, so that writing never waits for a standby that reads nothing (the kernel grants half or double, see socket(7)).
	window       = 128 << 10
	socketBuffer = 4 * window
	// snapshotRoom is how many bytes may wait for the snapshot to go on: little, so that what is shipped meanwhile is not late.
	snapshotRoom = 64 << 10
	// ackEvery is after how many handled bytes an acknowledgement is written though more is at hand.
	ackEvery = 16 << 10
	// keepBuffer is the capacity above which a buffer is given back after a burst.
	keepBuffer = 1 << 20

	handshakeBuffer = 1 << 10  // bytes read ahead before the peer has proved anything
	ownerBuffer     = 1 << 10  // acknowledgements and pings
	followerBuffer  = 64 << 10 // records
)
