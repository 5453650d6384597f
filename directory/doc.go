// Package directory keeps what one worker knows besides configuration: where devices can be reached, which calls are
// live, which media nodes are there. It is fed by events and asked by decisions.
//
// Guarantees:
//   - Events may come late, twice or in the wrong order: the result is that of the newest.
//   - Whatever is not confirmed in time is not believed for ever: contacts expire, a node that is not heard of is left
//     out, a call that was decided and never seen on a node stops counting.
//   - Everything is bounded by a name.
//
// The package does no I/O and has no clock: the time comes with the question. All methods may be called from any
// goroutine.
package directory
