// Package link is the direct TCP link between a media node's owner and its hot standby. The owner ships records, each a
// key and bytes; the standby hands them to its consumer in order and acknowledges what was handled. What a record means
// is no matter of this package.
//
//	Owner side, for one node:                            Standby side:
//
//	             standby connects                        Follow ──hello, proof──▶ FOLLOWING ──▶ Done, Err
//	  ALONE ──────────────────────▶ SHIPPING                                        │  ▲
//	    ▲   ◀────────────────────── │  │                                            ▼  │ Handle, then the acknowledgement
//	    │    gone, silent, cut off, │  │ HandOver                                  Record
//	    │    replaced by the next   │  ▼
//	    │                           │ SEALED ── all acknowledged, goodbye said and acknowledged ──▶ RELEASED
//	    └── could not be told ──────┼──┘                                                               ▲
//	                                └───────────────────── Release, Server.Close ──────────────────────┘
//
// # Guarantees
//
//   - Records of one node reach Handle in the order in which Ship took them, none twice, none left out, until the link ends.
//   - A standby that connects gets the whole picture: records of the snapshot and later ones, such that applying them in
//     order gives the owner's state. A snapshot's record of a key that was shipped since the standby connected is left
//     out, for what was shipped is newer. This needs one thing of the owner: that what it ships is visible to its own
//     snapshot function before it calls Ship, and that it ships one key from one goroutine at a time.
//   - Ship never blocks and never does I/O. Frames that wait to be written are bounded (MaxBacklog); a standby that makes
//     the bound be reached, or that acknowledges nothing for StallLimit, is cut off and must start anew.
//   - Ticket.Wait is true only after Handle has returned for that record on the standby.
//   - Nobody is heard before both sides have proved, by HMAC-SHA256 over each other's fresh challenge, that they hold the
//     secret. Until then a peer gets MaxHandshakes places, HandshakeLimit of time and a few hundred bytes.
//   - A standby that the owner dropped on purpose learns so (ErrCutOff, ErrReplaced), also when it was paused and reads it
//     late: the owner never has more than window bytes unacknowledged on the way, so a last word always fits into
//     the kernel's buffers. So the link's end without a last word is the end of the owner's process, or a reset by
//     something in between.
//   - A peer that says nothing for Options.Silence is given up (ErrSilent). Both sides ping when they have nothing to say.
//     A process that was itself paused looks once more before it calls its peer silent.
//   - Done closes after the last Handle has returned. All records that arrived before the end were handled.
//
// # What the end of a link means to a standby
//
//	ErrPeerClosed   the owner's process ended: claim the node now
//	ErrHandedOver   the owner told this standby to take over: everything was acknowledged; claim the node now
//	ErrReleased     the owner gave the node up without handing it over: claim the node
//	ErrSilent       the owner is paused or cut off, or the end came while this side was itself away and the owner's last
//	                word may be lost: claim the node when its lease is over
//	ErrReplaced     another standby has this place: look who it is
//	ErrCutOff       this standby was too slow, or was thought silent; the owner lives: Follow again
//	ErrMalformed    what arrived is not this protocol: Follow again
//	ErrClosed       Close was called, or the context of Follow is over
//
// # Refusals
//
// No encryption, and no proof of single frames after the handshake: the link belongs on loopback, a private network or a
// tunnel, as the event sockets do. No relaying between standbys, no second standby, no record larger than MaxValue (its
// key travels marked as KindOversize instead), no storing: what both processes lose is lost here.
package link
