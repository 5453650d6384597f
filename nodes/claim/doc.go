// Package claim decides which worker owns a media node, and which one stands by, by compare-and-swap on the node itself.
// Neither PostgreSQL nor RabbitMQ has a say, so losing them deposes nobody.
//
// A node has two places, the global variables tandem_owner and tandem_standby. Each holds a claim in the form
// epoch@worker@link (see Holder), in the beginning Seed. A claim is changed by "global_setvar NAME=NEW=OLD" alone, and read
// back, because FreeSWITCH answers +OK either way (mod_commands.c, global_setvar_function).
//
// # The places of a worker at one node
//
//	             TakeStandby: the place is free,             Take: the owner is gone,
//	             or its holder is gone or silent             or silent for ReplaceAfter
//	┌─────────┐ ────────────────────────────────▶ ┌─────────┐ ────────────────────────▶ ┌───────┐
//	│ Watcher │                                   │ Standby │                           │ Owner │
//	└─────────┘ ◀──────────────────────────────── └─────────┘                           └───────┘
//	   ▲  │      LeaveStandby, or another is read in its place                              │  ▲
//	   │  │                                                                                 │  │
//	   │  └─────────── Take: nobody owns the node, and no standby is there to do it ────────┼──┘
//	   └─────────────── Leave, or deposed: a renewal reads another holder ──────────────────┘
//
// View.Next decides the next move, without I/O. Read, Take, TakeStandby, Leave and LeaveStandby make it. Keep renews the
// owner's Lease, which the owner asks before each write.
//
//	          Renewed(the send of a renewal that read "still me")
//	               ┌──────┐
//	     Renewed   ▼      │
//	new ────────▶ valid ──┴─ LeaseFor passes ─▶ run out ── Renewed, twice ──▶ valid
//	                │                              │
//	                └───── End: deposed, or left ──┴──────▶ ended, for ever
//
// # What it guarantees
//
//   - Only the swap decides. Of all workers that take a place from one claim, one wins, and the others learn who
//     (*LostError). A swap whose reply is lost is read back. If that fails too, the outcome is ErrUnknown; a worker that
//     later reads its own name, and has no lease on that claim, claims the node anew.
//
//   - Epochs never go backwards. A claim is only made with an epoch above the one that it replaces and above all that its
//     worker has seen or asked for on the node, also after the node's restart has put Seed back; a claim below what a worker remembers
//     is replaced by that worker. What no live worker remembers is forgotten: identify an ownership by its whole Holder.
//
//   - A lease is counted from the SEND of a renewal, not from its reply: the node read "still me" after that instant. So a
//     claim by another worker was executed later than that, and every lease on earlier claims has run out Overlap after it,
//     whatever was lost, delayed or paused, and for whatever reason the claim was made. An old owner that reaches the node
//     learns of the claim sooner: with its next renewal, after RenewEvery and a round trip.
//
//   - A silent owner's lease has run out when its standby replaces it: paused, cut off the node, cut off everything, or
//     awake again at that very moment. Lease.Sign writes the owner's sign of life to the standby with each good renewal,
//     after its send; and the next renewal is not counted from later than RenewEvery after that send. So
//
//     lease ends <= sent + RenewEvery + LeaseFor <= sign heard + ReplaceAfter <= claim
//
//     which needs LeaseFor + RenewEvery <= ReplaceAfter, on clocks that run equally fast. It takes two good renewals whose
//     signs the standby has not heard to have a valid lease at the claim: the signs are lost, or they or the claim are
//     more than RenewEvery under way. The previous guarantee bounds that.
//
//   - A lost connection deposes nobody. Nothing is written; the lease runs out, and the second renewal on the next
//     connection makes it valid again if nobody has claimed the node meanwhile.
//
// # What it cannot do
//
//   - Where a standby replaces an owner that is alive and not silent (their link was closed or cut, or the claim was held
//     up), both may write for up to Overlap.
//   - What a thread of the owner has checked before it was paused it writes when it wakes, and bytes in a socket's buffer
//     go out when they can. The lease does not call them back.
//   - The clock is the process's monotonic one. It does not run while the machine is suspended; an owner on a machine that
//     wakes up learns with its next renewal.
//   - The workers' names have to be unique among all processes, also in time: two runs of a program are two workers.
//   - FreeSWITCH puts a variable that its configuration sets by X-PRE-PROCESS back with each reloadxml and each reload of a
//     module (switch_xml.c, preprocess). So the seed belongs into api_on_startup, which runs once. Should the seed come
//     back under a live owner, that owner's next renewal reads "nobody" and ends its lease, and the node is claimed anew
//     with a higher epoch; but a worker without memory could take an epoch that is leased still. After a restart it cannot:
//     that takes longer than a lease.
package claim
