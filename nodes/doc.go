// Package nodes owns media nodes: it turns a node's events into steps of the call flow engine and the engine's commands
// into commands on the node's event socket.
//
//	event socket ──► shard (by the first digits of the uuid) ──► callflows.Step ──► commands ──► event socket
//	                                                                │
//	                                                                ├──► journal: what went in, what came out, why
//	                                                                └──► CDR: once per leg
//
// Guarantees:
//   - The steps of one call run one at a time, in the order in which the node wrote its events: all legs of a call share
//     the first eight digits of their uuids, and so a shard.
//   - A panic in a step ends that one call with a reason in its journal, and touches no other.
//   - A leg's record is handed to the ledger before the call is forgotten. The ledger keeps it until it is stored.
//   - After a gap in the events (a lost connection), calls whose channels are gone are ended with records marked as
//     estimated, and calls that are still there go on.
//   - Nothing that a phone sent reaches the node as part of a command except through the typed builders of package esl.
package nodes
