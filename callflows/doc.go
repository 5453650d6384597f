// Package callflows is the engine that drives a call through its tenant's flow. It is pure: no I/O, no clock, no log, no
// goroutine. The same function runs a call, explains it, dry-runs it and replays it.
//
//	Step(config, state, event) -> Outcome{State, Commands, Because}
//
// An event is something that happened, with the time that the media node gave it. A command is an order, carried out by
// package nodes and answered by an event. Time is the event's own, so a timer set by one worker fires rightly in another.
//
//	            Parked
//	start ───────────────► running ──── an element waits for the answer to its command ───┐
//	                        │  ▲                                                          │
//	                        │  └──────────── exit: the next element is entered ───────────┘
//	                        │ Bridged                  │ hangup element, no exit, a bound reached
//	                        ▼                          ▼
//	                      talking ──────────────────► ending ──── last leg has hung up ───► ended
//	                        any state: the caller's leg hangs up, an end is ordered ─► ending
//
// The flow drives one leg: it plays to it and dials from it. That is the caller's until a transfer makes it another of the call's
// own (State.Driven), and the call ends with it.
//
// Guarantees:
//   - A call that has ended emits nothing, whatever arrives.
//   - Each leg that was created gets exactly one WriteCDR command, when it hangs up.
//   - At most one application is under way on the driven leg at any time: the next is sent when the answer to the last
//     has come, because what is queued on a channel cannot be taken back.
//   - An event that answers a command which is no longer awaited changes nothing (a late, doubled or reordered event).
//   - Every command and every end carries a reason (package because).
//   - A flow cannot run for ever without the caller's doing: MaxElements bounds the elements of one call.
//
// An element is one file: its settings, its steps, its exits, its reasons. Adding one adds a line to the list in
// elements.go and touches nothing else.
package callflows
