// Package directory is what one worker believes about the moving world: who is registered where, which calls are live,
// which media nodes take calls. It is fed by events and lives in memory alone; whoever owns it loads it anew after a gap
// in the events (rabbit.SubscribeEvents tells).
//
// Guarantees:
//   - Applying an event twice is applying it once. An event that comes late or out of order does not undo a newer one,
//     for as long as TombstoneFor.
//   - Nothing is believed for ever: contacts, decided calls and nodes expire by the time that the reader gives.
//   - Every set has a named bound.
//   - All methods are safe for concurrent use, and quick: no I/O, no clock of its own, no goroutine.
//
// It is a belief, not the truth: a worker that has just started, or has lost events, counts fewer or more calls than there
// are, until the owners of the nodes announce theirs (Calls.Announce). Limits that must hold exactly need another authority.
package directory

import "time"

// Bounds.
const (
	// MaxContacts is how many contacts one device may have at once; the one registered longest ago makes room.
	MaxContacts = 10
	// MaxDevices bounds the addresses of record; further ones are refused and the edge's own list must do.
	MaxDevices = 2_000_000
	// TentativeFor is how long a decided call counts without having been seen on a node: beyond an edge's attempts
	// at several nodes.
	TentativeFor = 10 * time.Second
	// TombstoneFor is how long it is remembered that something has ended, so that late news of it is known to be late.
	TombstoneFor = 2 * time.Minute
	// MaxCallAge ends the belief in a call of which nothing was heard for so long, though its node is spoken for.
	MaxCallAge = 24 * time.Hour
	// UncertainAfter is when the calls of a node that nobody speaks for are uncertain: they may go on, and may be over.
	// Its owner speaks every few seconds.
	UncertainAfter = 30 * time.Second
	// CallsForgottenAfter is when they are forgotten. Until then they can be rescued.
	CallsForgottenAfter = time.Hour
	// NodeStaleAfter is when a node of which nothing is heard is held to be down. Its owner tells every few seconds.
	NodeStaleAfter = 15 * time.Second
	// NodeForgottenAfter is when it leaves the list.
	NodeForgottenAfter = time.Hour
)
