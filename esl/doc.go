// Package esl is Tandem's client of FreeSWITCH's inbound event socket
// (mod_event_socket.c): framing, order, pairing of replies, typed commands,
// supervision. It owns its connection; nothing above it sees a byte.
//
// # States of a connection
//
//	Dial ──tcp──▶ greeted ──auth──▶ trusted ──event plain──▶ UP ──────▶ ended
//	  │             │                 │                      │  ▲          ▲
//	  └──── error ◀─┴── ErrRejected ──┴── ErrAuth            │  └─ frames  │
//	                                                         ▼             │
//	     peer gone, wrong frame, overflow, silence, stuck command, Close ──┘
//
// A connection ends once, for one reason, which Err keeps. It is never
// repaired: Supervise dials a new one and tells its owner that there was a gap.
//
// # Guarantees
//
//   - The socket is read until the connection ends. FreeSWITCH keeps up to
//     100,000 events for a client that does not read and then stalls its event
//     thread while it throws that client out, so a consumer that is too slow
//     loses low-value events first and the whole connection second
//     (ErrOverflow); it never makes FreeSWITCH wait. The one exception is an
//     inline Handle (Shards <= 1), which must not block: see Options.Handle.
//   - Events of one shard are handled one at a time in the order in which
//     FreeSWITCH wrote them. All legs of a call share a shard, because all
//     uuids of a call share their first eight digits. Events that arrived
//     before the peer went away are still handled.
//   - A reply reaches the caller whose command it answers. A waiter enters the
//     queue under the lock that orders the written bytes. A caller that gives
//     up leaves its place in the queue, so its late reply is dropped and not
//     handed to the next caller. A reply that nobody can be waiting for, or of
//     the wrong kind, ends the connection.
//   - Everything is bounded: Content-Length, header bytes and counts, shard
//     queues, commands in flight, the size of a command, the time of a dial, of
//     a write, of a command and of silence.
//   - A command that cannot be carried exactly is refused before anything is
//     written (*ArgumentError). No argument can add a header, a command, a
//     variable, a leg or an expansion: see Command.
//   - An error that wraps ErrNotSent says that FreeSWITCH never saw the
//     command. Any other error of Send or Background leaves its effect
//     unknown: look at the channels before you repeat a dial.
//
// # Refusals
//
// No outbound socket mode, no JSON or XML events, no log stream, no filters,
// no TLS (FreeSWITCH has none here: loopback, WireGuard or a tunnel), and no
// way to send a string that a builder of this package did not make.
package esl
